//! Token revocation, RFC 7009, sentence by sentence.

use serde_json::Value;

use crate::support::{AppOptions, Server, json, tokens};

/// The answer to a revocation with nobody's credentials.
async fn revoke(server: &Server, form: &[(&str, &str)]) -> reqwest::Response {
    server.post("/oauth/revoke", form).send().await.unwrap()
}

/// "the client includes its authentication credentials" (§2.1), which a personal access token has none of: whoever
/// holds it may end it, by no client, by its built-in one, or by any.
#[actix_web::test]
async fn s2_1_whoever_holds_a_personal_token_may_end_it() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let public = server.app(AppOptions::public());
    let mine = || server.personal_token(&alice, "notes:read");
    let (alone, built_in, by_app, by_public, spare) = (mine(), mine(), mine(), mine(), mine());
    revoke(&server, &[("token", &alone)]).await;
    revoke(
        &server,
        &[("token", &built_in), ("client_id", "personal-access-token")],
    )
    .await;
    app.revoke(&by_app).await;
    public.revoke(&by_public).await;
    for token in [&alone, &built_in, &by_app, &by_public] {
        assert!(!notes.accepts(token).await);
    }
    assert!(notes.accepts(&spare).await);
}

/// "If the particular token is a refresh token and the authorization server supports the revocation of access tokens,
/// then the authorization server SHOULD also invalidate all access tokens based on the same authorization grant" (§2.1)
#[actix_web::test]
async fn s2_1_a_refresh_token_takes_everything_with_it() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&browser, "notes:read").await;
    let second = tokens(app.refresh(first.refresh()).await).await;
    assert_eq!(app.revoke(second.refresh()).await.status(), 200);
    for access in [&first.access, &second.access] {
        assert!(!notes.accepts(access).await);
    }
    let refused = json(app.refresh(second.refresh()).await, 400).await;
    assert_eq!(refused["error"], "invalid_grant");
}

/// A spent refresh token still names its family, and revoking it ends that (§2.1).
#[actix_web::test]
async fn s2_1_a_spent_refresh_token_takes_everything_with_it() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&browser, "notes:read").await;
    let second = tokens(app.refresh(first.refresh()).await).await;
    app.revoke(first.refresh()).await;
    assert!(!notes.accepts(&second.access).await);
    assert_eq!(app.refresh(second.refresh()).await.status(), 400);
}

/// "If the token passed to the request is an access token, the server MAY revoke the respective refresh token as well"
/// (§2.1): this one does not.
#[actix_web::test]
async fn s2_1_an_access_token_goes_alone() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&browser, "notes:read").await;
    let second = tokens(app.refresh(first.refresh()).await).await;
    assert_eq!(app.revoke(&first.access).await.status(), 200);
    assert!(!notes.accepts(&first.access).await);
    assert!(notes.accepts(&second.access).await);
    assert_eq!(app.refresh(second.refresh()).await.status(), 200);
}

/// "The authorization server first validates the client credentials [...] and then verifies whether the token was issued
/// to the client making the revocation request" (§2.1): the tokens of others stay, and the caller learns nothing.
#[actix_web::test]
async fn s2_1_the_tokens_of_other_clients_stay() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let (other, public) = (
        server.app(AppOptions::default()),
        server.app(AppOptions::public()),
    );
    let browser = server.signed_in(&server.user("alice")).await;
    let let_in = app.let_in(&browser, "notes:read").await;
    let own = app.own_token("notes:read").await.access;
    for token in [let_in.access.as_str(), let_in.refresh(), &own] {
        assert_eq!(other.revoke(token).await.status(), 200);
        assert_eq!(public.revoke(token).await.status(), 200);
        assert_eq!(revoke(&server, &[("token", token)]).await.status(), 200);
        let built_in = [("token", token), ("client_id", "personal-access-token")];
        assert_eq!(revoke(&server, &built_in).await.status(), 200);
    }
    assert!(notes.accepts(&let_in.access).await);
    assert!(notes.accepts(&own).await);
    assert_eq!(app.refresh(let_in.refresh()).await.status(), 200);
}

/// The resource server that a token is for is not the client it was issued to (§2.1).
#[actix_web::test]
async fn s2_1_a_resource_server_ends_no_app() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let token = app.own_token("notes:read").await.access;
    let answer = server
        .post("/oauth/revoke", &[("token", &token)])
        .basic_auth(&notes.client_id, Some(&notes.client_secret))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(notes.accepts(&token).await);
}

/// "If this validation fails, the request is refused" (§2.1), and the token lives, even if it is one that its mere
/// holder may end.
#[actix_web::test]
async fn s2_1_wrong_credentials_end_nothing() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let personal = server.personal_token(&alice, "notes:read");
    let own = app.own_token("notes:read").await.access;
    for token in [&personal, &own] {
        let form = [("token", token.as_str()), ("client_id", &app.client_id)];
        for (case, request) in [
            ("a name alone", server.post("/oauth/revoke", &form)),
            (
                "wrong secret",
                server
                    .post("/oauth/revoke", &form)
                    .basic_auth(&app.client_id, Some("wrong")),
            ),
            (
                "unknown client",
                server
                    .post("/oauth/revoke", &form[..1])
                    .basic_auth("nobody", Some("x")),
            ),
            (
                "itself in the header",
                server.post("/oauth/revoke", &form[..1]).bearer_auth(token),
            ),
        ] {
            let answer = request.send().await.unwrap();
            assert!(answer.headers().contains_key("www-authenticate"), "{case}");
            let answer = json(answer, 401).await;
            assert_eq!(answer["error"], "invalid_client", "{case}");
            assert!(notes.accepts(token).await, "{case}");
        }
    }
}

/// "token_type_hint: OPTIONAL. [...] If the server is unable to locate the token using the given hint, it MUST extend its
/// search across all of its supported token types" (§2.1)
#[actix_web::test]
async fn s2_1_a_wrong_hint_does_not_save_the_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    for hint in ["access_token", "refresh_token", "pat", "nonsense"] {
        for token in [
            server.personal_token(&alice, "notes:read"),
            app.own_token("notes:read").await.access,
        ] {
            let form = [("token", token.as_str()), ("token_type_hint", hint)];
            let answer = app.form("/oauth/revoke", &form).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{hint}");
            assert!(!notes.accepts(&token).await, "{hint}");
        }
    }
}

/// "invalid tokens do not cause an error response since the client cannot handle such an error in a reasonable way"
/// (§2.2); nor does a token that has ended already.
#[actix_web::test]
async fn s2_2_an_unknown_token_is_no_error() {
    let server = Server::start().await;
    server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let personal = server.personal_token(&alice, "notes:read");
    let longer = format!("{personal}0");
    for token in [
        "garbage",
        &longer,
        &personal,
        &personal,
        "ünïcödé",
        "' OR 1=1",
    ] {
        for answer in [
            app.revoke(token).await,
            revoke(&server, &[("token", token)]).await,
        ] {
            assert_eq!(answer.status(), 200, "{token}");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.text().await.unwrap(), "", "{token}");
        }
    }
}

/// "unsupported_token_type: The authorization server does not support the revocation of the presented token type"
/// (§2.2.1)
#[actix_web::test]
async fn s2_2_1_secrets_that_are_no_tokens_are_not_revoked_here() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app.asks("notes:read");
    let code = app.code(&browser, &flow).await;
    for secret in [app.client_secret.as_deref().unwrap(), &code] {
        let answer = json(app.revoke(secret).await, 400).await;
        assert_eq!(answer["error"], "unsupported_token_type");
    }
    assert_eq!(app.redeem(&flow, &code).await.status(), 200);
}

/// "token: REQUIRED" (§2.1), once, by POST, in a form; never in the query.
#[actix_web::test]
async fn s2_1_the_token_comes_once_by_post_in_a_form() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let query = format!("/oauth/revoke?token={token}");
    for method in ["GET", "PUT", "DELETE"] {
        let answer = server.request(method, &query).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "POST", "{method}");
    }
    let twice = [("token", token.as_str()), ("token", &token)];
    let as_json = server.request("POST", "/oauth/revoke");
    let as_json = as_json.json(&serde_json::json!({"token": token}));
    for (case, request) in [
        ("in the query", server.post(&query, &[])),
        ("twice", server.post("/oauth/revoke", &twice)),
        ("empty", server.post("/oauth/revoke", &[("token", "")])),
        ("NUL", server.post_raw("/oauth/revoke", "token=%00")),
        ("JSON", as_json),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 400, "{case}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"], "invalid_request", "{case}");
    }
    assert!(notes.accepts(&token).await);
}
