//! What stands between this server and the world: proxies, forged headers, tokens where people should be.

use jeton::domain::sign_in::Attempts;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::support::{AppOptions, PASSWORD, Server, input};

const PERSON: &str = "203.0.113.9";

/// A request with every header by which a proxy might say that somebody else asked, somewhere else.
fn forged(request: RequestBuilder) -> RequestBuilder {
    request
        .header("Host", "evil.example")
        .header("X-Forwarded-For", PERSON)
        .header("X-Forwarded-Host", "evil.example")
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Port", "4444")
        .header("X-Forwarded-Prefix", "/evil")
        .header("X-Original-URL", "/evil")
        .header("X-Rewrite-URL", "/evil")
        .header("X-Real-IP", PERSON)
        .header("CF-Connecting-IP", PERSON)
        .header("True-Client-IP", PERSON)
        .header(
            "Forwarded",
            format!("for={PERSON};host=evil.example;proto=https"),
        )
}

/// One attempt to sign in with a wrong password and forged headers.
async fn forged_attempt(server: &Server, username: &str) -> Response {
    let form = server.get("/sign-in").send().await.unwrap();
    let cookie = form.headers()["set-cookie"].to_str().unwrap().to_owned();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = input(&form.text().await.unwrap(), "csrf").unwrap();
    let fields = [
        ("csrf", csrf.as_str()),
        ("username", username),
        ("password", PASSWORD),
    ];
    let request = server.post("/sign-in", &fields).header("Cookie", cookie);
    forged(request).send().await.unwrap()
}

/// Use up what this address may fail for nothing, under names that nobody else is asked about.
fn fail_often(server: &Server, address: &str) {
    let address = address.parse().unwrap();
    server.write(|tx| {
        for index in 0..25 {
            Attempts::new(&format!("nobody{index}"), Some(address)).failed(tx)?;
        }
        Ok(())
    });
}

/// The metadata names the issuer of the settings, whoever says that it is reached elsewhere (RFC 8414 §2).
#[actix_web::test]
async fn forged_headers_do_not_move_the_issuer() {
    for settings in [&[][..], &[("trusted_proxies", "127.0.0.0/8")]] {
        let server = Server::with(settings).await;
        let request = server.get("/.well-known/oauth-authorization-server");
        let plain: Value = request.send().await.unwrap().json().await.unwrap();
        let request = server.get("/.well-known/oauth-authorization-server");
        let told = forged(request).send().await.unwrap();
        assert_eq!(told.status(), 200);
        assert_eq!(told.json::<Value>().await.unwrap(), plain);
        assert_eq!(plain["issuer"], server.url.as_str());
    }
}

/// A redirect goes where it would have gone, and a cookie is no other.
#[actix_web::test]
async fn forged_headers_do_not_turn_redirects() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    app.let_in(&browser, "notes:read").await;
    let asks = app.asks("notes:read").path();
    for (path, signed_in) in [
        ("/settings/tokens", false),
        ("/settings/password", false),
        (asks.as_str(), false),
        ("/sign-in?next=/settings/apps", true),
        ("/sign-in?next=//evil.example", true),
        ("/", true),
    ] {
        let request = || match signed_in {
            true => server.get(path).header("Cookie", browser.cookies()),
            false => server.get(path),
        };
        let plain = request().send().await.unwrap();
        let told = forged(request()).send().await.unwrap();
        assert_eq!(told.status(), 303, "{path}");
        for name in ["location", "access-control-allow-origin"] {
            assert_eq!(
                told.headers().get(name),
                plain.headers().get(name),
                "{path}"
            );
        }
        let location = told.headers()["location"].to_str().unwrap();
        assert!(location.starts_with('/'), "{path}: {location}");
        assert!(!location.starts_with("//"), "{path}: {location}");
    }
}

/// No page takes an address from a header into itself.
#[actix_web::test]
async fn forged_headers_are_in_no_page() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    for path in [
        "/sign-in",
        "/settings/tokens",
        "/settings/tokens/new",
        "/settings/apps",
        "/nowhere",
        &app.asks("notes:read").path(),
    ] {
        let request = server.get(path).header("Cookie", browser.cookies());
        let page = forged(request).send().await.unwrap().text().await.unwrap();
        assert!(!page.contains("evil.example"), "{path}");
    }
}

/// A peer that is no proxy of ours can't be somebody else: its failures are its own, whatever it says.
#[actix_web::test]
async fn forged_headers_do_not_change_who_is_braked() {
    let server = Server::start().await;
    server.user("alice");
    fail_often(&server, "127.0.0.1");
    assert_eq!(forged_attempt(&server, "alice").await.status(), 429);
}

/// Nor can it make another address pay.
#[actix_web::test]
async fn forged_headers_do_not_brake_others() {
    let server = Server::start().await;
    server.user("alice");
    fail_often(&server, PERSON);
    assert_eq!(forged_attempt(&server, "alice").await.status(), 303);
}

/// Behind a proxy of ours, the person's address counts, and the proxy's is nobody's.
#[actix_web::test]
async fn behind_a_proxy_of_ours_the_persons_address_counts() {
    for (failed, status) in [("127.0.0.1", 303), (PERSON, 429)] {
        let server = Server::with(&[("trusted_proxies", "127.0.0.1, 10.0.0.0/8")]).await;
        server.user("alice");
        fail_often(&server, failed);
        let answer = forged_attempt(&server, "alice").await;
        assert_eq!(answer.status(), status, "{failed}");
    }
}

/// What a token was made from is the address that counts, not the one that was claimed.
#[actix_web::test]
async fn a_record_has_the_address_that_counts() {
    for (proxies, address) in [("", "127.0.0.1"), ("127.0.0.1", PERSON)] {
        let server = Server::with(&[("trusted_proxies", proxies)]).await;
        server.notes();
        let alice = server.user("alice");
        let token = server.personal_token(&alice, "notes:read");
        let path = format!("/api/users/{}/personal-access-tokens", alice.id);
        let manager = server.manager("pats:read").await;
        let request = server.get(&path).bearer_auth(manager.token());
        assert_eq!(forged(request).send().await.unwrap().status(), 200);
        let done = server.post("/oauth/revoke", &[("token", &token)]);
        forged(done).send().await.unwrap();
        let from: Option<String> = server.write(|tx| {
            use diesel::prelude::*;
            use jeton::db::schema::audit_events;
            Ok(audit_events::table
                .filter(audit_events::event.eq("token.revoked"))
                .select(audit_events::address)
                .get_result(&mut **tx)?)
        });
        assert_eq!(from.as_deref(), Some(address));
    }
}

/// Pages are for people: a token at the authorization endpoint, at consent or in the settings is refused, and never
/// taken for a session, even beside a person's cookies.
#[actix_web::test]
async fn a_token_opens_no_page() {
    let server = Server::start().await;
    server.notes();
    let root = server.admin("root");
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&root).await;
    let asks = app.asks("notes:read").path();
    let personal = server.personal_token(&root, "notes:read notes:admin pats:read");
    let access = app.let_in(&browser, "notes:read").await.access;
    for token in [personal.as_str(), &access, "garbage"] {
        for (method, path) in [
            ("GET", asks.as_str()),
            ("POST", "/oauth/authorize/decision"),
            ("GET", "/sign-in"),
            ("POST", "/sign-in"),
            ("GET", "/step-up"),
            ("POST", "/step-up"),
            ("POST", "/sign-out"),
            ("GET", "/settings/tokens"),
            ("POST", "/settings/tokens"),
            ("GET", "/settings/tokens/new"),
            ("GET", "/settings/tokens/x"),
            ("POST", "/settings/tokens/x"),
            ("POST", "/settings/tokens/x/revoke"),
            ("GET", "/settings/apps"),
            ("POST", "/settings/apps/x/disconnect"),
            ("GET", "/settings/password"),
            ("POST", "/settings/password"),
        ] {
            for cookies in [String::new(), browser.cookies()] {
                let request = server.request(method, path).bearer_auth(token);
                let request = request.header("Cookie", &cookies);
                let answer = request.send().await.unwrap();
                assert_eq!(answer.status(), 401, "{method} {path}");
                assert!(answer.headers().contains_key("www-authenticate"));
                assert!(!answer.headers().contains_key("location"));
            }
        }
    }
}
