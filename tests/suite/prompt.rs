//! Whether a person is asked: `prompt` (OpenID Connect Core §3.1.2.1, of use to any OAuth app) and remembered consent.

use crate::support::{AppOptions, Browser, CodeFlow, PASSWORD, Server};

const CB: &str = "https://app.example/cb";

/// A public app whose address nobody else can answer at.
fn claimed_https() -> AppOptions {
    AppOptions {
        redirect_uris: vec![CB],
        ..AppOptions::public()
    }
}

async fn gets_code_at_once(browser: &Browser, flow: &CodeFlow) -> bool {
    let page = browser.get(&flow.path()).await;
    page.status == 303 && page.brings(CB).contains_key("code")
}

/// What was allowed once is not asked again, where the app's identity is sure (RFC 8252 §8.6): it has a secret, or its
/// https address is its own.
#[actix_web::test]
async fn rfc8252_s8_6_consent_is_remembered_for_an_app_that_is_surely_the_same() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    for (case, options) in [
        ("confidential", AppOptions::default()),
        ("claimed https", claimed_https()),
    ] {
        let app = server.app(options);
        app.code(&browser, &app.asks("notes:read notes:write"))
            .await;
        for scope in ["notes:read notes:write", "notes:read"] {
            let flow = app.asks(scope);
            assert!(gets_code_at_once(&browser, &flow).await, "{case}: {scope}");
            let silent = flow.and("prompt", "none");
            assert!(
                gets_code_at_once(&browser, &silent).await,
                "{case}: {scope} in silence"
            );
        }
    }
}

/// More than was allowed is asked about, and so is another resource, another app, and another person.
#[actix_web::test]
async fn consent_covers_no_more_than_was_said() {
    let server = Server::start().await;
    server.resource(
        "https://notes.example",
        &["notes:read", "notes:write", "search"],
    );
    server.resource("https://photos.example", &["search"]);
    let options = AppOptions {
        scope: "notes:read notes:write search",
        ..AppOptions::default()
    };
    let (app, other) = (server.app(options.clone()), server.app(options));
    let browser = server.signed_in(&server.user("alice")).await;
    let allowed = app
        .asks("notes:read search")
        .and("resource", "https://notes.example");
    app.code(&browser, &allowed).await;
    assert!(gets_code_at_once(&browser, &allowed).await);
    let more = [
        ("another scope", app.asks("notes:read notes:write")),
        (
            "another resource",
            app.asks("search").and("resource", "https://photos.example"),
        ),
        ("another app", other.asks("notes:read")),
    ];
    for (case, request) in more {
        let page = browser.get(&request.path()).await;
        assert!(page.asks_for_consent(), "{case}: {page:?}");
        let silent = browser.get(&request.and("prompt", "none").path()).await;
        assert_eq!(silent.error_at(CB), "consent_required", "{case}");
    }
    let bob = server.signed_in(&server.user("bob")).await;
    let page = bob.get(&allowed.path()).await;
    assert!(page.asks_for_consent(), "another person: {page:?}");
}

/// "none: The Authorization Server MUST NOT display any authentication or consent user interface pages." Nobody is
/// signed in: `login_required`; nothing was allowed: `consent_required`.
#[actix_web::test]
async fn prompt_none_shows_no_page() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let silent = app.asks("notes:read").and("prompt", "none");
    let page = server.browser().get(&silent.path()).await;
    assert_eq!(page.error_at(CB), "login_required");
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(&silent.path()).await;
    assert_eq!(page.error_at(CB), "consent_required");
    app.code(&browser, &app.asks("notes:read")).await;
    assert!(gets_code_at_once(&browser, &silent).await);
}

/// Silence is no reason to go to an address that is not registered (RFC 6749 §4.1.2.1).
#[actix_web::test]
async fn prompt_none_does_not_redirect_to_just_anywhere() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let silent = app.asks("notes:read").and("prompt", "none");
    for request in [
        silent
            .clone()
            .set("redirect_uri", "https://evil.example/cb"),
        silent.set("client_id", "nobody"),
    ] {
        for browser in [&browser, &server.browser()] {
            let page = browser.get(&request.path()).await;
            assert!(page.is_dead_end(), "{page:?}");
        }
    }
}

/// "If this parameter contains none with any other value, an error is returned."
#[actix_web::test]
async fn prompt_none_goes_with_no_other() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    for prompt in ["none login", "consent none", "none none"] {
        let page = server
            .browser()
            .get(&app.asks("").and("prompt", prompt).path())
            .await;
        assert_eq!(page.error_at(CB), "invalid_request", "{prompt}");
    }
}

/// "consent: The Authorization Server SHOULD prompt the End-User for consent before returning information to the
/// Client."
#[actix_web::test]
async fn prompt_consent_asks_again() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    app.code(&browser, &app.asks("notes:read")).await;
    let page = browser
        .get(&app.asks("notes:read").and("prompt", "consent").path())
        .await;
    assert!(page.asks_for_consent(), "{page:?}");
}

/// "login: The Authorization Server SHOULD prompt the End-User for reauthentication." Once: then the request goes on.
#[actix_web::test]
async fn prompt_login_asks_for_the_password() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    app.code(&browser, &app.asks("notes:read")).await;
    let request = app
        .asks("notes:read")
        .set("state", "a&b \u{2602}")
        .and("prompt", "login");
    let asked = browser.get(&request.path()).await;
    assert_eq!(asked.status, 303, "{asked:?}");
    assert!(asked.location().starts_with("/step-up?"), "{asked:?}");
    let form = browser.get(asked.location()).await;
    let fields = [
        ("next", form.input("next")),
        ("password", PASSWORD.to_owned()),
    ];
    let fields = fields
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let on = browser.submit("/step-up", &fields).await;
    assert_eq!(on.status, 303, "{on:?}");
    let answer = browser.get(on.location()).await.brings(CB);
    assert!(answer.contains_key("code"), "{answer:?}");
    assert_eq!(answer["state"], "a&b \u{2602}");
}

/// Who is not signed in enters the password once, not twice.
#[actix_web::test]
async fn prompt_login_is_met_by_signing_in() {
    let server = Server::start().await;
    server.notes();
    server.user("alice");
    let app = server.app(AppOptions::default());
    let browser = server.browser();
    let request = app.asks("notes:read").and("prompt", "login");
    let asked = browser.get(&request.path()).await;
    assert!(asked.asks_to_sign_in(), "{asked:?}");
    let next = browser.get(asked.location()).await.input("next");
    let fields = [
        ("username", "alice"),
        ("password", PASSWORD),
        ("next", next.as_str()),
    ];
    let on = browser.submit("/sign-in", &fields).await;
    let page = browser.get(on.location()).await;
    assert!(page.asks_for_consent(), "{page:?}");
}

/// `prompt=login consent` asks for both: the password is no consent.
#[actix_web::test]
async fn prompt_login_and_consent_asks_for_both() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    app.code(&browser, &app.asks("notes:read")).await;
    let request = app.asks("notes:read").and("prompt", "consent login");
    let asked = browser.get(&request.path()).await;
    assert!(asked.location().starts_with("/step-up?"), "{asked:?}");
    let next = browser.get(asked.location()).await.input("next");
    let fields = [("password", PASSWORD), ("next", next.as_str())];
    let on = browser.submit("/step-up", &fields).await;
    let page = browser.get(on.location()).await;
    assert!(page.asks_for_consent(), "{page:?}");
}
