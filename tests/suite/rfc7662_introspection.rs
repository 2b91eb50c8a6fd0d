//! Token introspection, RFC 7662, sentence by sentence.

use serde_json::json;

use crate::support::{AppOptions, Server, seconds};

/// "If the server is unable to locate the token using the given hint, it MUST extend its search across all of its
/// supported token types" (§2.1)
#[actix_web::test]
async fn s2_1_a_wrong_hint_does_not_hide_the_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for hint in ["refresh_token", "access_token", "pat", "nonsense"] {
        let answer = notes
            .ask(&[("token", &token), ("token_type_hint", hint)])
            .await;
        let answer: serde_json::Value = answer.json().await.unwrap();
        assert_eq!(answer["active"], true, "{hint}");
    }
}

/// "exp: Integer timestamp, measured in the number of seconds since January 1 1970 UTC, indicating when this token will
/// expire" (§2.2): in that second it has.
#[actix_web::test]
async fn s2_2_a_token_is_inactive_from_its_very_end() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let token = app.own_token("notes:read").await.access;
    server.clock.advance(seconds(3599));
    assert!(notes.accepts(&token).await);
    server.clock.advance(std::time::Duration::from_millis(500));
    assert!(!notes.accepts(&token).await);
}

/// A resource server is told of tokens that are for it, and learns nothing of others (§4).
#[actix_web::test]
async fn s4_a_token_for_another_resource_looks_like_garbage() {
    let server = Server::start().await;
    server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    assert_eq!(photos.introspect(&token).await, json!({"active": false}));
}
