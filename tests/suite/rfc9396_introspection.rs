//! Who is told of which details (RFC 9396 §9.2), and that nobody is told of what is no longer defined.

use diesel::prelude::*;
use jeton::db::schema::clients;
use jeton::domain::authorization_details::DetailsType;
use serde_json::{Value, json};

use crate::support::{ACME, AppOptions, ResourceServer, Script, Server, repository, tokens};

fn acme() -> Value {
    serde_json::from_str(ACME).unwrap()
}

/// Two resource servers with a type each, and a token with details of both.
const BOTH: &str =
    r#"[{"type":"repository","actions":["read"],"identifier":"acme/site"},{"type":"album"}]"#;

fn album() -> Value {
    json!({"type": "album", "resource": "https://photos.example", "description": "See an album"})
}

/// "The … authorization_details … restricted to the requesting RS" (§9.2): each resource server hears of its own types, whoever
/// made the token; a personal access token is like any other.
#[actix_web::test]
async fn s9_2_a_resource_server_is_told_of_its_own_types() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    server.details_type(album());
    let token = server.detailed_token(&server.user("alice"), "notes:read", BOTH);
    let told = notes.introspect(&token).await;
    assert_eq!(told["authorization_details"], acme());
    assert_eq!(told["scope"], "notes:read");
    let told = photos.introspect(&token).await;
    assert_eq!(told["authorization_details"], json!([{"type": "album"}]));
    assert_eq!(told["scope"], "");
}

/// Nobody else is told of anything (§12): a resource server that is not in the audience hears that the token is inactive.
#[actix_web::test]
async fn s12_a_stranger_is_told_nothing() {
    let server = Server::start().await;
    server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let token = server.detailed_token(&server.user("alice"), "notes:read", ACME);
    assert!(!photos.accepts(&token).await);
}

/// Who shows the token itself is told all of it.
#[actix_web::test]
async fn a_token_is_told_its_own_details() {
    let server = Server::start().await;
    server.repositories();
    let token = server.detailed_token(&server.user("alice"), "", ACME);
    let script: Script = server.script(&token);
    let (status, told) = script.get("/api/personal-access-tokens/self").await;
    assert_eq!(
        (status, &told["authorizationDetails"]),
        (200, &acme()),
        "{told}"
    );
    assert_eq!(told["scopes"], json!([]));
}

/// A type that is gone allows nothing; what else the token has stays.
#[actix_web::test]
async fn a_type_that_is_gone_is_told_no_more() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let token = server.detailed_token(&server.user("alice"), "notes:read", ACME);
    assert_eq!(
        notes.introspect(&token).await["authorization_details"],
        acme()
    );
    assert!(server.write(|tx| Ok(DetailsType::remove(tx, "repository")?)));
    let told = notes.introspect(&token).await;
    assert_eq!(
        (told.get("authorization_details"), &told["scope"]),
        (None, &json!("notes:read"))
    );
    server.details_type(repository());
    assert_eq!(
        notes.introspect(&token).await["authorization_details"],
        acme()
    );
}

/// Nor does one that belongs to another resource server by now, unless the token was made for that one too.
#[actix_web::test]
async fn a_type_that_has_moved_is_not_told_where_the_token_is_not_good() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let token = server.detailed_token(&server.user("alice"), "notes:read", ACME);
    let mut moved = repository();
    moved["resource"] = json!("https://photos.example");
    server.details_type(moved);
    assert_eq!(
        notes.introspect(&token).await.get("authorization_details"),
        None
    );
    assert!(!photos.accepts(&token).await);
}

/// Who sees the whole token is told all of its details: the app whose it is, and who may ask about every token; of what is
/// defined no more they hear nothing either.
#[actix_web::test]
async fn who_sees_the_whole_token_is_told_all_of_its_details() {
    let server = Server::start().await;
    server.repositories();
    server.resource("https://photos.example", &["photos:read"]);
    server.details_type(album());
    let app = server.app(AppOptions {
        details_types: "album repository",
        ..AppOptions::default()
    });
    let gateway = server.resource("https://gateway.example", &["gateway:use"]);
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("").details(BOTH);
    let code = app.code(&browser, &flow).await;
    let got = tokens(app.redeem(&flow, &code).await).await;
    let all: Value = serde_json::from_str(BOTH).unwrap();
    let secret = app.client_secret.as_deref().unwrap();
    let own = ResourceServer::new(&server.url, String::new(), app.client_id.clone(), secret);
    assert_eq!(
        own.introspect(&got.access).await["authorization_details"],
        all
    );
    let refresh = own.introspect(got.refresh()).await;
    assert_eq!(refresh["authorization_details"], all, "{refresh}");
    assert!(!gateway.accepts(&got.access).await);
    server.write(|tx| {
        diesel::update(clients::table.find(&gateway.client_id))
            .set(clients::introspect_any.eq(true))
            .execute(&mut **tx)?;
        Ok(())
    });
    let told = gateway.introspect(&got.access).await;
    assert_eq!(told["authorization_details"], all);
    server.write(|tx| Ok(DetailsType::remove(tx, "repository")?));
    for whole in [&own, &gateway] {
        let told = whole.introspect(&got.access).await;
        assert_eq!(told["authorization_details"], json!([{"type": "album"}]));
    }
}
