//! What a person allows of details whose types change while they read (RFC 9396 §11.2).

use jeton::domain::authorization_details::DetailsType;
use serde_json::json;

use crate::support::{ACME, Server, repository, tokens};

const CB: &str = "https://app.example/cb";

/// "read" and "push" of one repository.
const BOTH: &str = r#"[{"type":"repository","actions":["push","read"],"identifier":"acme/site"}]"#;

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
    let code = browser.decide(&page, "allow", &[]).await.brings(CB)["code"].clone();
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
    let answer = browser.decide(&alone, "allow", &[]).await;
    assert_eq!(answer.error_at(CB), "invalid_authorization_details");
    let again = browser.decide(&alone, "allow", &[]).await;
    assert_eq!(again.status, 400, "it was answered: {}", again.text());
    let asked = browser.decide(&beside, "allow", &[]).await;
    assert_eq!(asked.status, 422, "{}", asked.text());
    assert!(asked.asks_for_consent());
    let scope = browser.decide(&asked, "allow", &["notes:read"]).await;
    assert!(scope.brings(CB).contains_key("code"));
}
