//! Who may ask about tokens (RFC 7662 §2.1, §4).

use reqwest::RequestBuilder;

use crate::support::{App, AppOptions, Server, json, refused, seconds, tokens};

/// A token that nobody ever got.
const GARBAGE: &str = "garbage";

/// An introspection of `token` by whoever `credentials` say.
fn ask(
    server: &Server,
    token: &str,
    basic: Option<(&str, &str)>,
    body: &[(&str, &str)],
) -> RequestBuilder {
    let mut form = vec![("token", token)];
    form.extend_from_slice(body);
    let request = server.post("/oauth/introspect", &form);
    match basic {
        Some((id, secret)) => request.basic_auth(id, Some(secret)),
        None => request,
    }
}

/// An introspection of `token` by whoever holds `bearer`.
async fn ask_as(server: &Server, bearer: &str, token: &str) -> reqwest::Response {
    server
        .post("/oauth/introspect", &[("token", token)])
        .bearer_auth(bearer)
        .send()
        .await
        .unwrap()
}

/// An app that may ask about tokens by an access token of its own.
fn asker(server: &Server) -> App {
    server.app(AppOptions {
        scope: "introspection notes:read",
        ..AppOptions::default()
    })
}

/// "the authorization server [...] MUST also require some form of authorization to access this endpoint" (§2.1), and
/// who fails learns nothing of the token.
#[actix_web::test]
async fn s2_1_a_caller_that_fails_is_told_the_same_of_good_and_bad_tokens() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let good = server.personal_token(&server.user("alice"), "notes:read");
    let (id, secret) = (notes.client_id.as_str(), notes.client_secret.as_str());
    let theirs = photos.client_secret.as_str();
    let upper = secret.to_uppercase();
    let cases = [
        ("nobody", None, vec![]),
        ("unknown client", Some(("nobody", secret)), vec![]),
        ("wrong secret", Some((id, "wrong")), vec![]),
        ("secret of another client", Some((id, theirs)), vec![]),
        ("secret in other letters", Some((id, &upper)), vec![]),
        ("no secret in the header", Some((id, "")), vec![]),
        ("a name alone", None, vec![("client_id", id)]),
        (
            "wrong secret in the body",
            None,
            vec![("client_id", id), ("client_secret", theirs)],
        ),
        (
            "a secret without a name",
            None,
            vec![("client_secret", secret)],
        ),
        ("the token as the secret", Some((id, good.as_str())), vec![]),
    ];
    let mut bodies = vec![];
    for (case, basic, body) in cases {
        for token in [good.as_str(), GARBAGE] {
            let answer = ask(&server, token, basic, &body).send().await.unwrap();
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Basic "), "{case}: {challenge}");
            assert_eq!(answer.status(), 401, "{case}");
            bodies.push((case, answer.text().await.unwrap()));
        }
    }
    for (case, body) in &bodies {
        assert_eq!(body, &bodies[0].1, "{case}");
        assert!(body.contains("\"invalid_client\""), "{case}: {body}");
    }
}

/// A caller that was switched off is a caller no more, and is one again when it is switched on (§2.1).
#[actix_web::test]
async fn s2_1_a_disabled_caller_is_refused() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    server.disable_client(&notes.client_id);
    assert_eq!(notes.ask(&[("token", &token)]).await.status(), 401);
    server.enable_client(&notes.client_id);
    assert!(notes.accepts(&token).await);
}

/// "client authentication as described in Section 2.3 of OAuth 2.0" (§2.1): in the header or in the body.
#[actix_web::test]
async fn s2_1_a_secret_may_stand_in_the_header_or_in_the_body() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let (id, secret) = (notes.client_id.as_str(), notes.client_secret.as_str());
    for (case, basic, body) in [
        ("header", Some((id, secret)), vec![]),
        (
            "body",
            None,
            vec![("client_id", id), ("client_secret", secret)],
        ),
    ] {
        let answer = ask(&server, &token, basic, &body).send().await.unwrap();
        assert_eq!(json(answer, 200).await["active"], true, "{case}");
    }
}

/// Two authentications at once are one too many (RFC 6749 §2.3), whatever the token is.
#[actix_web::test]
async fn s2_1_a_caller_authenticates_in_one_way() {
    let server = Server::start().await;
    let notes = server.notes();
    let good = server.personal_token(&server.user("alice"), "notes:read");
    let (id, secret) = (notes.client_id.as_str(), notes.client_secret.as_str());
    for token in [good.as_str(), GARBAGE] {
        for body in [
            vec![("client_id", id), ("client_secret", secret)],
            vec![("client_id", "another")],
        ] {
            let answer = ask(&server, token, Some((id, secret)), &body);
            let answer = json(answer.send().await.unwrap(), 400).await;
            assert_eq!(answer["error"], "invalid_request", "{body:?}");
        }
    }
}

/// "a separate OAuth 2.0 access token such as the bearer token" (§2.1): the client's own, with the scope for it.
#[actix_web::test]
async fn s2_1_a_client_may_ask_by_its_own_token_with_the_scope_introspection() {
    let server = Server::start().await;
    server.notes();
    let app = asker(&server);
    let bearer = app.own_token("introspection").await.access;
    let token = app.own_token("notes:read").await.access;
    let answer = json(ask_as(&server, &bearer, &token).await, 200).await;
    assert_eq!(answer["client_id"], app.client_id.as_str());
    let answer = json(ask_as(&server, &bearer, GARBAGE).await, 200).await;
    assert_eq!(answer, serde_json::json!({"active": false}));
}

/// A token that is asked about is no proof of who asks, even if it would be one in the header: whoever authenticates by what
/// is no token hears the same of good and bad tokens (§2.1).
#[actix_web::test]
async fn s2_1_the_token_that_is_asked_about_proves_nobody() {
    let server = Server::start().await;
    server.notes();
    let app = asker(&server);
    let may_ask = app.own_token("introspection").await.access;
    let may_not = app.own_token("notes:read").await.access;
    for nobody in ["x", GARBAGE] {
        for token in [may_ask.as_str(), &may_not, GARBAGE, "x"] {
            let answer = ask_as(&server, nobody, token).await;
            refused(answer, 401, "invalid_token", token).await;
        }
    }
}

/// A bearer without the scope, or one that speaks for a person, is told of no token (RFC 6750 §3.1).
#[actix_web::test]
async fn s2_1_a_bearer_without_the_right_to_ask_is_forbidden() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions {
        scope: "introspection pats:read notes:read",
        ..AppOptions::default()
    });
    let root = server.admin("root");
    let browser = server.signed_in(&root).await;
    let good = app.own_token("notes:read").await.access;
    let cases = [
        ("another scope", app.own_token("pats:read").await.access),
        (
            "an administrator's, by an app",
            app.let_in(&browser, "introspection").await.access,
        ),
        (
            "an administrator's personal token",
            server.personal_token(&root, "pats:read"),
        ),
    ];
    for (case, bearer) in cases {
        for token in [good.as_str(), GARBAGE] {
            let answer = ask_as(&server, &bearer, token).await;
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            let expected = "error=\"insufficient_scope\", scope=\"introspection\"";
            assert!(challenge.contains(expected), "{case}: {challenge}");
            let answer = json(answer, 403).await;
            assert_eq!(answer["error"], "insufficient_scope", "{case}");
        }
    }
}

/// A bearer that is not good for this server's own API is no caller at all (RFC 6750 §3.1).
#[actix_web::test]
async fn s2_1_a_bearer_that_is_not_good_here_is_refused() {
    let server = Server::start().await;
    server.notes();
    let spare = server.resource("https://spare.example", &["introspection"]);
    let app = asker(&server);
    let alice = server.user("alice");
    let root = server.signed_in(&server.admin("root")).await;
    let let_in = app.let_in(&root, "introspection").await;
    let elsewhere = app
        .token(&[
            ("grant_type", "client_credentials"),
            ("scope", "introspection"),
            ("resource", &spare.uri),
        ])
        .await;
    let expired = app.own_token("introspection").await.access;
    server.clock.advance(seconds(3600));
    let good = app.own_token("notes:read").await.access;
    let revoked = app.own_token("introspection").await.access;
    app.revoke(&revoked).await;
    let cases = [
        ("garbage", GARBAGE.to_owned()),
        ("the token itself", good.clone()),
        ("a refresh token", let_in.refresh().to_owned()),
        (
            "a personal token",
            server.personal_token(&alice, "notes:read"),
        ),
        ("for another resource", tokens(elsewhere).await.access),
        ("expired", expired),
        ("revoked", revoked),
        ("a client secret", app.client_secret.clone().unwrap()),
    ];
    for (case, bearer) in cases {
        for token in [good.as_str(), GARBAGE] {
            let answer = ask_as(&server, &bearer, token).await;
            let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
            assert!(challenge.contains("error=\"invalid_token\""), "{case}");
            assert_eq!(json(answer, 401).await["error"], "invalid_token", "{case}");
        }
    }
}

/// Who can keep no secret can't prove anything, and may not ask: not even about its own token (§2.1, §4).
#[actix_web::test]
async fn s4_a_public_client_may_not_ask() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::public());
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let own = app.let_in(&browser, "notes:read").await.access;
    let personal = server.personal_token(&alice, "notes:read");
    for (client, token) in [
        (app.client_id.as_str(), own.as_str()),
        (app.client_id.as_str(), GARBAGE),
        ("personal-access-token", personal.as_str()),
        ("personal-access-token", GARBAGE),
    ] {
        for body in [
            vec![("client_id", client)],
            vec![("client_id", client), ("client_secret", "x")],
        ] {
            let answer = ask(&server, token, None, &body).send().await.unwrap();
            let answer = json(answer, 401).await;
            assert_eq!(answer["error"], "invalid_client", "{client} {body:?}");
        }
    }
}
