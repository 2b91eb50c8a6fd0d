//! A secret is good for what it was made for, and as anything else it is nothing, RFC 6749 §5.2.

use crate::support::{AppOptions, Server, refused};

/// "invalid_grant: The provided authorization grant ... is invalid, expired, revoked" (§5.2): whatever is no code here.
#[actix_web::test]
async fn s5_2_what_is_no_code_is_refused() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    let personal = server.personal_token(&alice, "notes:read");
    let flow = app.asks("notes:read");
    let code = app.code(&browser, &flow).await;
    let secret = app.client_secret.clone().expect("a secret");
    for (case, not_a_code) in [
        ("an access token", got.access.as_str()),
        ("a refresh token", got.refresh()),
        ("a personal access token", &personal),
        ("a client secret", &secret),
        ("a code cut short", &code[..code.len() - 1]),
        ("a code in capitals", &code.to_uppercase()),
        ("a code and more", &format!("{code}0")),
        ("words", "SplxlOBeZQQYbYS6WxSbIA"),
    ] {
        let answer = app.redeem(&flow, not_a_code).await;
        refused(answer, 400, "invalid_grant", case).await;
    }
    assert!(notes.accepts(&got.access).await && notes.accepts(&personal).await);
    assert_eq!(app.redeem(&flow, &code).await.status(), 200);
}

/// Nor is anything else a refresh token, and nothing is used up by the attempt (RFC 6749 §5.2).
#[actix_web::test]
async fn s5_2_what_is_no_refresh_token_is_refused() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    let personal = server.personal_token(&alice, "notes:read");
    let own = app.own_token("notes:read").await.access;
    let flow = app.asks("notes:read");
    let code = app.code(&browser, &flow).await;
    let secret = app.client_secret.clone().expect("a secret");
    let refresh = got.refresh();
    for (case, other) in [
        ("an access token", got.access.as_str()),
        ("the app's own access token", &own),
        ("a personal access token", &personal),
        ("a code", &code),
        ("a client secret", &secret),
        ("cut short", &refresh[..refresh.len() - 1]),
        ("and more", &format!("{refresh}0")),
        ("a space before", &format!(" {refresh}")),
        ("in capitals", &refresh.to_uppercase()),
        ("words", "tGzv3JOkF0XG5Qx2TlKWIA"),
    ] {
        refused(app.refresh(other).await, 400, "invalid_grant", case).await;
    }
    let none = [("grant_type", "refresh_token")];
    refused(app.token(&none).await, 400, "invalid_request", "none").await;
    for token in [&got.access, &own, &personal] {
        assert!(notes.accepts(token).await);
    }
    assert_eq!(app.redeem(&flow, &code).await.status(), 200);
    assert_eq!(app.refresh(refresh).await.status(), 200);
}
