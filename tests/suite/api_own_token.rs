//! `/api/personal-access-tokens/self`: a token about itself.

use serde_json::json;

use crate::support::{AppOptions, Server};

const OWN: &str = "/api/personal-access-tokens/self";

/// A token may see itself, whomever it is for, and is not told its own secret.
#[actix_web::test]
async fn a_token_sees_itself() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let (status, shown) = server.script(&token).get(OWN).await;
    assert_eq!(status, 200);
    assert_eq!(shown["id"], notes.introspect(&token).await["jti"]);
    assert_eq!(shown["userId"], alice.id.to_string());
    assert_eq!(shown["scopes"], json!(["notes:read"]));
    assert_eq!(shown["status"], "active");
    assert_eq!(shown.get("value"), None);
}

/// Holding a token is the right to end it, and it alone.
#[actix_web::test]
async fn a_token_ends_itself_and_no_other() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let (token, other) = (
        server.personal_token(&alice, "notes:read"),
        server.personal_token(&alice, "notes:read"),
    );
    let script = server.script(&token);
    let answer = script.send("DELETE", OWN, None).await;
    assert_eq!(answer.status(), 204);
    assert!(!notes.accepts(&token).await);
    assert!(notes.accepts(&other).await);
    assert_eq!(script.get(OWN).await.0, 401);
    let (_, list) = server
        .signed_in(&alice)
        .await
        .api("GET", crate::support::MINE, None)
        .await;
    let ended = list.as_array().unwrap().iter();
    let mut ended = ended.filter(|token| token["status"] == "revoked");
    let ended = ended.next().unwrap();
    assert_eq!(ended["revokedBy"], format!("user:{}", alice.id));
    assert_eq!(ended["revokeReason"], "revoked by its holder");
}

/// What is no live personal access token is refused, with a challenge (RFC 6750 §3).
#[actix_web::test]
async fn only_a_live_personal_token_gets_in() {
    let server = Server::start().await;
    server.notes();
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let app = server.app(AppOptions {
        scope: "notes:read pats:read pats:revoke",
        ..AppOptions::default()
    });
    let browser = server.signed_in(&alice).await;
    let let_in = app.let_in(&browser, "notes:read").await;
    let closed = server.personal_token(&bob, "notes:read");
    server.write(|tx| Ok(bob.disable(tx)?));
    for (case, token) in [
        ("garbage", "garbage"),
        ("empty", ""),
        ("access token", &let_in.access),
        ("refresh token", let_in.refresh()),
        ("service", &app.own_token("pats:revoke").await.access),
        ("disabled owner", &closed),
    ] {
        for method in ["GET", "DELETE"] {
            let answer = server.script(token).send(method, OWN, None).await;
            assert_eq!(answer.status(), 401, "{case}");
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{case}");
        }
    }
    assert_eq!(browser.api("GET", OWN, None).await.0, 401);
}

/// A token can't be changed by itself: there is no such method here.
#[actix_web::test]
async fn a_token_does_not_change_itself() {
    let server = Server::start().await;
    server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    for method in ["POST", "PATCH", "PUT"] {
        let body = json!({"name": "more", "scopes": ["notes:write"]});
        let answer = server.script(&token).send(method, OWN, Some(&body)).await;
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "GET, DELETE, HEAD", "{method}");
    }
}
