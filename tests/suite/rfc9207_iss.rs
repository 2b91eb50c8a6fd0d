//! Who answers, RFC 9207: "the value MUST be … identical to the authorization server's issuer identifier" in its
//! metadata (§2, §2.4), on success and on every error.

use jeton::domain::client::GrantType;

use crate::support::{AppOptions, Browser, CodeFlow, Page, Server, json};

const CB: &str = "https://app.example/cb";

/// The issuer that the metadata names.
async fn issuer(server: &Server) -> String {
    let answer = server
        .get("/.well-known/oauth-authorization-server")
        .send()
        .await;
    let metadata = json(answer.expect("the server answers"), 200).await;
    let announced = &metadata["authorization_response_iss_parameter_supported"];
    assert_eq!(*announced, true);
    metadata["issuer"].as_str().expect("an issuer").to_owned()
}

/// The app is told this error, and by whom.
fn assert_from(issuer: &str, page: &Page, error: &str) {
    let answer = page.brings(CB);
    let told = (
        answer["error"].as_str(),
        answer.get("iss").map(String::as_str),
    );
    assert_eq!(told, (error, Some(issuer)));
}

/// What anybody can get without an account.
fn strangers_requests(server: &Server) -> Vec<(CodeFlow, &'static str)> {
    server.notes();
    let app = server.app(AppOptions::default());
    let service = server.app(AppOptions {
        grants: vec![GrantType::ClientCredentials],
        ..AppOptions::default()
    });
    let good = app.asks("notes:read");
    vec![
        (good.clone().without("response_type"), "invalid_request"),
        (good.clone().without("code_challenge"), "invalid_request"),
        (good.clone().and("state", "again"), "invalid_request"),
        (
            good.clone().set("response_type", "token"),
            "unsupported_response_type",
        ),
        (good.clone().set("scope", "nonsense"), "invalid_scope"),
        (good.clone().and("resource", "nonsense"), "invalid_target"),
        (good.clone().and("request", "x"), "request_not_supported"),
        (
            good.clone().and("request_uri", "https://x.example"),
            "request_uri_not_supported",
        ),
        (good.and("prompt", "none"), "login_required"),
        (service.asks(""), "unauthorized_client"),
    ]
}

/// Also "error responses" (§2) name the issuer.
#[actix_web::test]
async fn s2_every_error_says_who_gave_it() {
    let server = Server::start().await;
    let issuer = issuer(&server).await;
    for (request, error) in strangers_requests(&server) {
        assert_from(&issuer, &server.browser().get(&request.path()).await, error);
    }
}

/// The same where the issuer is not the address that is listened on.
#[actix_web::test]
async fn s2_the_issuer_is_the_configured_one() {
    let server = Server::with(&[("issuer", "https://id.example")]).await;
    assert_eq!(issuer(&server).await, "https://id.example");
    for (request, error) in strangers_requests(&server) {
        let page = Browser::new(&server.url).get(&request.path()).await;
        assert_from("https://id.example", &page, error);
    }
}

/// Errors that depend on the person.
#[actix_web::test]
async fn s2_every_error_about_a_person_says_who_gave_it() {
    let server = Server::start().await;
    server.notes();
    let issuer = issuer(&server).await;
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions {
        scope: "notes:read notes:admin",
        ..AppOptions::default()
    });
    let silent = app.asks("notes:read").and("prompt", "none");
    assert_from(
        &issuer,
        &browser.get(&silent.path()).await,
        "consent_required",
    );
    let reserved = app.asks("notes:admin");
    assert_from(
        &issuer,
        &browser.get(&reserved.path()).await,
        "invalid_scope",
    );
    let page = browser.get(&app.asks("notes:read").path()).await;
    let denied = browser.decide(&page, "deny", &[]).await;
    assert_from(&issuer, &denied, "access_denied");
}

/// A code names the issuer, whether the person was asked or had said yes before.
#[actix_web::test]
async fn s2_a_code_says_who_gave_it() {
    let server = Server::start().await;
    server.notes();
    let issuer = issuer(&server).await;
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let request = app.asks("notes:read").path();
    let page = browser.get(&request).await;
    let asked = browser.decide(&page, "allow", &["notes:read"]).await;
    let remembered = browser.get(&request).await;
    for (case, page) in [("asked", asked), ("remembered", remembered)] {
        let answer = page.brings(CB);
        assert!(answer.contains_key("code"), "{case}: {answer:?}");
        assert_eq!(answer["iss"], issuer, "{case}");
    }
}
