//! What tokens say of the details they were granted, and what may be asked for at the token endpoint (RFC 9396 §6, §7).

use serde_json::{Value, json};

use crate::support::{
    ACME, App, Browser, CodeFlow, Server, Tokens, json as body, repository, tokens,
};

fn acme() -> Value {
    serde_json::from_str(ACME).unwrap()
}

/// An app that alice has let in with details.
async fn let_in(app: &App, browser: &Browser, flow: &CodeFlow) -> Tokens {
    let code = app.code(browser, flow).await;
    tokens(app.redeem(flow, &code).await).await
}

/// "the AS MUST also return the authorization_details as granted by the resource owner and assigned to the respective access
/// token" (§7): with the first token, and with each after it.
#[actix_web::test]
async fn s7_the_token_response_has_the_details_as_granted() {
    let server = Server::start().await;
    let (notes, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let first = let_in(&app, &browser, &app.asks("notes:read").details(ACME)).await;
    assert_eq!(first.answer["authorization_details"], acme());
    let second = tokens(app.refresh(first.refresh()).await).await;
    assert_eq!(second.answer["authorization_details"], acme());
    let repeated = tokens(app.refresh(first.refresh()).await).await;
    assert_eq!(repeated.answer, second.answer);
    for token in [&first.access, &second.access] {
        assert_eq!(
            notes.introspect(token).await["authorization_details"],
            acme()
        );
    }
    let without = app.let_in(&browser, "notes:read").await;
    assert_eq!(without.answer.get("authorization_details"), None);
    assert_eq!(
        notes
            .introspect(&without.access)
            .await
            .get("authorization_details"),
        None
    );
}

/// "The authorization details … in the token request" (§6): what was granted may be repeated, in any order of members; all
/// else is refused, and costs neither the code nor the refresh token.
#[actix_web::test]
async fn s6_a_token_request_may_repeat_the_details_and_ask_for_no_others() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("notes:read").details(ACME);
    let code = app.code(&browser, &flow).await;
    let redeem = async |details: &str| {
        app.token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &app.redirect_uri),
            ("code_verifier", &flow.verifier),
            ("authorization_details", details),
        ])
        .await
    };
    let wider = ACME.replace("\"read\"", "\"read\",\"push\"");
    let other = ACME.replace("acme/site", "acme/shop");
    let bad = [wider.as_str(), &other, "[]", "what", "[{}]"];
    for details in bad {
        let answer = body(redeem(details).await, 400).await;
        assert_eq!(
            answer["error"], "invalid_authorization_details",
            "{details}"
        );
    }
    let shuffled = r#"[ {"identifier": "acme/site", "actions": ["read"], "type": "repository"} ]"#;
    let got = tokens(redeem(shuffled).await).await;
    let refresh = async |details: &str| {
        app.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", got.refresh()),
            ("authorization_details", details),
        ])
        .await
    };
    for details in bad {
        let answer = body(refresh(details).await, 400).await;
        assert_eq!(
            answer["error"], "invalid_authorization_details",
            "{details}"
        );
    }
    assert_eq!(
        tokens(refresh(shuffled).await).await.answer["authorization_details"],
        acme()
    );
    let plain = app.let_in(&browser, "notes:read").await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", plain.refresh()),
        ("authorization_details", ACME),
    ];
    let answer = body(app.token(&form).await, 400).await;
    assert_eq!(
        answer["error"], "invalid_authorization_details",
        "nothing was granted"
    );
}

/// A token for a part of the audience (RFC 8707 §2.2) has the details of that part.
#[actix_web::test]
async fn s7_a_token_for_one_resource_has_the_details_of_that_resource() {
    let server = Server::start().await;
    server.repositories();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let album = json!({"type": "album", "resource": "https://photos.example", "description": "See an album"});
    server.details_type(album);
    let app = server.app(crate::support::AppOptions {
        details_types: "album repository",
        ..Default::default()
    });
    let browser = server.signed_in(&server.user("alice")).await;
    let both = format!("{},{{\"type\":\"album\"}}]", &ACME[..ACME.len() - 1]);
    let first = let_in(&app, &browser, &app.asks("").details(&both)).await;
    assert_eq!(
        first.answer["authorization_details"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", first.refresh()),
        ("resource", "https://photos.example"),
    ];
    let narrow = tokens(app.token(&form).await).await;
    assert_eq!(
        narrow.answer["authorization_details"],
        json!([{"type": "album"}])
    );
    let told = photos.introspect(&narrow.access).await;
    assert_eq!(told["authorization_details"], json!([{"type": "album"}]));
}

/// What an app may do with named things stands under "Connected apps", as long as it may.
#[actix_web::test]
async fn connected_apps_say_the_details() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let got = let_in(&app, &browser, &app.asks("").details(ACME)).await;
    let page = browser.get("/settings/apps").await;
    assert!(
        page.says("Work on a repository repository Read its files Repository acme/site"),
        "{}",
        page.text()
    );
    assert!(!page.says("nothing else"), "{}", page.text());
    let other = ACME.replace("acme/site", "acme/shop");
    let_in(&app, &browser, &app.asks("").details(&other)).await;
    let last = let_in(&app, &browser, &app.asks("").details(ACME)).await;
    let page = browser.get("/settings/apps").await;
    let times = page.text().matches("Repository acme/site").count();
    assert_eq!(
        times,
        1,
        "what two grants have is said once: {}",
        page.text()
    );
    app.revoke(got.refresh()).await;
    app.revoke(last.refresh()).await;
    let page = browser.get("/settings/apps").await;
    assert!(!page.says("acme/site"), "{}", page.text());
}

/// An action that is gone is granted no longer, nor does a refresh bring it back; nor an object without any.
#[actix_web::test]
async fn what_is_no_longer_defined_is_not_returned() {
    let server = Server::start().await;
    let (_, app) = server.repositories();
    let browser = server.signed_in(&server.user("alice")).await;
    let both = r#"[{"type":"repository","actions":["push","read"],"identifier":"a/b"},{"type":"repository","actions":["push"],"identifier":"c/d"}]"#;
    let first = let_in(&app, &browser, &app.asks("").details(both)).await;
    let mut less = repository();
    less["actions"] = json!({"read": "Read its files"});
    server.details_type(less);
    let second = tokens(app.refresh(first.refresh()).await).await;
    let left = json!([{"type": "repository", "actions": ["read"], "identifier": "a/b"}]);
    assert_eq!(second.answer["authorization_details"], left);
}
