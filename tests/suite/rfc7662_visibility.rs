//! Which tokens a caller is told of, and of what in them (RFC 7662 §2.2, §4).

use diesel::prelude::*;
use jeton::db::schema::clients;
use serde_json::{Value, json};

use crate::support::{App, AppOptions, Server, tokens};

const INACTIVE: &str = r#"{"active":false}"#;

/// What `app` is told of `token`, by its own credentials.
async fn told(app: &App, token: &str) -> Value {
    let answer = app.form("/oauth/introspect", &[("token", token)]);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

fn inactive() -> Value {
    serde_json::from_str(INACTIVE).unwrap()
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

/// A token for one of two resources that define the same scope is for that one (RFC 8707 §2).
#[actix_web::test]
async fn s4_the_audience_counts_and_not_the_scope() {
    let server = Server::start().await;
    let notes = server.notes();
    let mirror = server.resource("https://mirror.example", &["notes:read"]);
    let app = server.app(AppOptions::default());
    let answer = app
        .token(&[
            ("grant_type", "client_credentials"),
            ("scope", "notes:read"),
            ("resource", &notes.uri),
        ])
        .await;
    let token = tokens(answer).await.access;
    assert!(notes.accepts(&token).await);
    assert!(!mirror.accepts(&token).await);
}

/// "The authorization server MAY respond differently to different protected resources making the same request" (§2.2):
/// each is told of the scopes that it defines.
#[actix_web::test]
async fn s2_2_a_resource_server_is_told_of_its_own_scopes() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let token = server.personal_token(&server.user("alice"), "notes:read notes:write photos:read");
    let (to_notes, to_photos) = (
        notes.introspect(&token).await,
        photos.introspect(&token).await,
    );
    assert_eq!(to_notes["scope"], "notes:read notes:write");
    assert_eq!(to_photos["scope"], "photos:read");
    let both = json!(["https://notes.example", "https://photos.example"]);
    assert_eq!(to_notes["aud"], both);
    assert_eq!(to_photos["aud"], both);
}

/// The client that a token was issued to may ask about it, and another client may not (§4).
#[actix_web::test]
async fn s4_a_client_is_told_of_its_own_tokens_alone() {
    let server = Server::start().await;
    server.notes();
    let (app, other) = (
        server.app(AppOptions::default()),
        server.app(AppOptions::default()),
    );
    let browser = server.signed_in(&server.user("alice")).await;
    let token = app.let_in(&browser, "notes:read").await.access;
    assert_eq!(told(&app, &token).await["scope"], "notes:read");
    assert_eq!(told(&other, &token).await, inactive());
}

/// A caller with the right to ask about all tokens is told of all: but of no refresh token, which no resource server
/// may take for an access token.
#[actix_web::test]
async fn s4_the_right_introspect_any_shows_every_token() {
    let server = Server::start().await;
    server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let browser = server.signed_in(&alice).await;
    let let_in = app.let_in(&browser, "notes:read").await;
    let personal = server.personal_token(&alice, "notes:read");
    assert!(!photos.accepts(&personal).await);
    server.write(|tx| {
        diesel::update(clients::table.find(&photos.client_id))
            .set(clients::introspect_any.eq(true))
            .execute(&mut **tx)?;
        Ok(())
    });
    for token in [&personal, &let_in.access] {
        assert_eq!(photos.introspect(token).await["scope"], "notes:read");
    }
    assert!(!photos.accepts(let_in.refresh()).await);
}

/// A refresh token is between its client and this server: a resource server must never take one for an access token.
#[actix_web::test]
async fn s4_a_refresh_token_is_shown_to_its_client_alone() {
    let server = Server::start().await;
    let notes = server.notes();
    let (app, other) = (
        server.app(AppOptions::default()),
        server.app(AppOptions::default()),
    );
    let browser = server.signed_in(&server.user("alice")).await;
    let first = app.let_in(&browser, "notes:read").await;
    assert!(!notes.accepts(first.refresh()).await);
    assert_eq!(told(&other, first.refresh()).await, inactive());
    assert_eq!(told(&app, first.refresh()).await["token_kind"], "refresh");

    let second = tokens(app.refresh(first.refresh()).await).await;
    assert_eq!(told(&app, first.refresh()).await, inactive());
    assert_eq!(told(&app, second.refresh()).await["active"], true);
}

/// Only tokens are tokens: codes, client secrets and session ids are not, whoever asks (§2.2).
#[actix_web::test]
async fn s2_2_other_secrets_are_inactive() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let code = app.code(&browser, &app.asks("notes:read")).await;
    let cookie = browser.cookies();
    let session = cookie.trim_start_matches("jeton=");
    assert_eq!(session.len(), 64);
    for (case, secret) in [
        ("code", code.as_str()),
        ("secret of the app", app.client_secret.as_deref().unwrap()),
        ("secret of the caller", &notes.client_secret),
        ("session id", session),
        ("cookie", &cookie),
        ("client id", &app.client_id),
    ] {
        assert_eq!(notes.introspect(secret).await, inactive(), "{case}");
        assert_eq!(told(&app, secret).await, inactive(), "{case}");
    }
}

/// The public id that stands in logs and in `jti` opens nothing.
#[actix_web::test]
async fn s2_2_a_jti_is_no_token() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let jti = notes.introspect(&token).await["jti"].clone();
    assert!(!notes.accepts(jti.as_str().unwrap()).await);
}

/// A closed account's tokens are inactive, and active again when it is opened.
#[actix_web::test]
async fn s2_2_the_tokens_of_a_disabled_owner_are_inactive() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let browser = server.signed_in(&alice).await;
    let all = [
        app.let_in(&browser, "notes:read").await.access,
        server.personal_token(&alice, "notes:read"),
    ];
    let others = server.personal_token(&server.user("bob"), "notes:read");
    server.write(|tx| Ok(alice.disable(tx)?));
    for token in &all {
        assert!(!notes.accepts(token).await);
    }
    assert!(notes.accepts(&others).await);
    server.write(|tx| Ok(alice.enable(tx)?));
    for token in &all {
        assert!(notes.accepts(token).await);
    }
}

/// A scope that is kept for administrators falls away from who is none any more, at once, and comes back with the
/// office; the rest of the token stays.
#[actix_web::test]
async fn s2_2_a_demoted_owner_loses_the_reserved_scopes() {
    let server = Server::start().await;
    let notes = server.notes();
    let (root, app) = (
        server.admin("root"),
        server.app(AppOptions {
            scope: "notes:read notes:admin",
            ..AppOptions::default()
        }),
    );
    let browser = server.signed_in(&root).await;
    let all = [
        server.personal_token(&root, "notes:read notes:admin"),
        app.let_in(&browser, "notes:read notes:admin").await.access,
    ];
    for (is_admin, scope) in [
        (true, "notes:admin notes:read"),
        (false, "notes:read"),
        (true, "notes:admin notes:read"),
    ] {
        server.set_admin(&root, is_admin);
        for token in &all {
            assert_eq!(notes.introspect(token).await["scope"], scope);
        }
    }
}

/// A service that acts for itself holds what it was registered for, reserved or not: it has no owner to be demoted.
#[actix_web::test]
async fn s2_2_a_service_keeps_its_reserved_scopes() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions {
        scope: "notes:admin",
        ..AppOptions::default()
    });
    let token = app.own_token("notes:admin").await.access;
    assert_eq!(notes.introspect(&token).await["scope"], "notes:admin");
}

/// The tokens of a disabled client are inactive, and active again when it is enabled; those of others never changed.
#[actix_web::test]
async fn s2_2_the_tokens_of_a_disabled_client_are_inactive() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let browser = server.signed_in(&alice).await;
    let all = [
        app.let_in(&browser, "notes:read").await.access,
        app.own_token("notes:read").await.access,
    ];
    let personal = server.personal_token(&alice, "notes:read");
    server.disable_client(&app.client_id);
    for token in &all {
        assert!(!notes.accepts(token).await);
    }
    assert!(notes.accepts(&personal).await);
    server.enable_client(&app.client_id);
    for token in &all {
        assert!(notes.accepts(token).await);
    }
}

/// A token revoked at one node is inactive at every other for whatever is asked afterwards, in the same instant (§2.2).
#[actix_web::test]
async fn s2_2_a_revoked_token_is_inactive_everywhere_at_once() {
    let server = Server::start().await;
    let node = server.another_node().await;
    let notes = server.notes();
    let (alice, app) = (server.user("alice"), server.app(AppOptions::default()));
    let browser = server.signed_in(&alice).await;
    for round in 0..5 {
        let personal = server.personal_token(&alice, "notes:read");
        let access = app.let_in(&browser, "notes:read").await.access;
        for token in [&personal, &access] {
            assert!(notes.at(&node).accepts(token).await, "{round}");
            assert!(notes.accepts(token).await, "{round}");
            assert_eq!(app.revoke(token).await.status(), 200);
            assert!(!notes.at(&node).accepts(token).await, "{round}");
            assert!(!notes.accepts(token).await, "{round}");
        }
    }
}
