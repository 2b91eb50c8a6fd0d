//! What a person allows of the details that an app asks for, also when their types change meanwhile (RFC 9396 §7, §11.2).

use jeton::domain::authorization_details::DetailsType;
use serde_json::json;

use crate::support::{ACME, AppOptions, Server, repository, tokens};

const CB: &str = "https://app.example/cb";

/// "read" and "push" of one repository.
const BOTH: &str = r#"[{"type":"repository","actions":["push","read"],"identifier":"acme/site"}]"#;

/// "read" of two repositories.
const TWO: &str = r#"[{"type":"repository","actions":["read"],"identifier":"acme/site"},{"type":"repository","actions":["read"],"identifier":"acme/shop"}]"#;

/// What was no longer defined when they said yes is not granted, and does not come back with its definition.
#[actix_web::test]
async fn what_is_gone_when_it_is_decided_is_not_granted() {
    let server = Server::start().await;
    let (notes, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("").details(BOTH);
    let page = browser.get(&flow.path()).await;
    let mut less = repository();
    less["actions"] = json!({"read": "Read its files"});
    server.details_type(less);
    let offered = page.offered_details();
    let answer = browser.decide_on_details(&page, "allow", &[], &offered);
    let code = answer.await.brings(CB)["code"].clone();
    server.details_type(repository());
    let got = tokens(app.redeem(&flow, &code).await).await;
    let read: serde_json::Value = serde_json::from_str(ACME).unwrap();
    assert_eq!(got.answer["authorization_details"], read);
    let told = notes.introspect(&got.access).await;
    assert_eq!(told["authorization_details"], read);
}

/// If nothing is left of the details and no scope was ticked, nothing is granted: where there are scopes the person is asked
/// again, and else the app is told.
#[actix_web::test]
async fn if_nothing_is_left_nothing_is_granted() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let alone = browser.get(&app.asks("").details(ACME).path()).await;
    let beside = app.asks("notes:read").details(ACME);
    let beside = browser.get(&beside.path()).await;
    server.write(|tx| Ok(DetailsType::remove(tx, "repository")?));
    let details = alone.offered_details();
    let answer = browser.decide_on_details(&alone, "allow", &[], &details);
    assert_eq!(answer.await.error_at(CB), "invalid_authorization_details");
    let again = browser.decide(&alone, "allow", &[]).await;
    assert_eq!(again.status, 400, "it was answered: {}", again.text());
    let offered = beside.offered_details();
    let asked = browser.decide_on_details(&beside, "allow", &[], &offered);
    let asked = asked.await;
    assert_eq!(asked.status, 422, "{}", asked.text());
    assert!(asked.asks_for_consent());
    let scope = browser.decide(&asked, "allow", &["notes:read"]).await;
    assert!(scope.brings(CB).contains_key("code"));
}

/// "The authorization server MAY omit or change" what was asked for (§7): each object has a box, and the app gets what was ticked.
#[actix_web::test]
async fn s7_an_app_gets_only_the_objects_that_were_ticked() {
    let server = Server::start().await;
    let (notes, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("").details(TWO);
    let page = browser.get(&flow.path()).await;
    let offered = page.offered_details();
    assert_eq!(offered.len(), 2, "{}", page.body);
    let none = browser.decide(&page, "allow", &[]).await;
    assert_eq!(none.status, 422, "{}", none.text());
    assert!(none.says("Tick at least one thing"), "{}", none.text());
    let answer = browser.decide_on_details(&none, "allow", &[], &offered[1..]);
    let code = answer.await.brings(CB)["code"].clone();
    let got = tokens(app.redeem(&flow, &code).await).await;
    let shop = json!([{"type": "repository", "actions": ["read"], "identifier": "acme/shop"}]);
    assert_eq!(got.answer["authorization_details"], shop);
    let told = notes.introspect(&got.access).await;
    assert_eq!(told["authorization_details"], shop);
}

/// A form that allows another object, or more of one, is somebody else's.
#[actix_web::test]
async fn what_was_not_asked_for_can_not_be_ticked() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(&app.asks("").details(TWO).path()).await;
    let offered = page.offered_details();
    let wide = offered[0].replace("\"read\"", "\"read\",\"push\"");
    let other = offered[0].replace("acme/site", "acme/other");
    let hostile = [
        vec![wide],
        vec![other],
        vec![offered[0].clone(), offered[0].clone()],
        vec!["[".to_owned()],
        vec!["{}".to_owned()],
        vec!["[".repeat(500)],
    ];
    for objects in hostile {
        let answer = browser.decide_on_details(&page, "allow", &[], &objects);
        let answer = answer.await;
        assert!(answer.is_dead_end(), "{objects:?}: {answer:?}");
    }
    let answer = browser.decide_on_details(&page, "allow", &[], &offered);
    assert!(answer.await.brings(CB).contains_key("code"));
}

/// A resource server of whose objects none was ticked is not in the token's audience, as with scopes.
#[actix_web::test]
async fn a_resource_server_of_which_no_object_was_ticked_is_left_out() {
    let server = Server::start().await;
    let (notes, _) = server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let app = server.app(AppOptions {
        scope: "photos:read",
        details_types: "repository",
        ..AppOptions::default()
    });
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("photos:read").details(ACME);
    let page = browser.get(&flow.path()).await;
    let answer = browser.decide(&page, "allow", &["photos:read"]).await;
    let code = answer.brings(CB)["code"].clone();
    let got = tokens(app.redeem(&flow, &code).await).await;
    let told = photos.introspect(&got.access).await;
    assert_eq!(told["aud"], json!(["https://photos.example"]));
    assert!(!notes.accepts(&got.access).await);
}
