//! Resource indicators at the authorization endpoint, RFC 8707 §2.1.

use crate::support::{AppOptions, Server};

const CB: &str = "https://app.example/cb";

/// "invalid_target: The requested resource is invalid, missing, unknown, or malformed." and "The parameter's value MUST
/// be an absolute URI … The URI MUST NOT include a fragment component." (§2)
#[actix_web::test]
async fn s2_a_resource_that_there_is_not_is_refused() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let good = app.asks("notes:read");
    for (case, resource) in [
        ("relative", "notes"),
        ("a path", "/notes"),
        ("without a scheme", "//notes.example"),
        ("with a fragment", "https://notes.example#x"),
        ("with an empty fragment", "https://notes.example#"),
        ("unknown", "https://photos.example"),
        (
            "a registered one with more behind it",
            "https://notes.example.evil.example",
        ),
        ("another scheme", "http://notes.example"),
        ("two in one", "https://notes.example https://notes.example"),
    ] {
        let page = server
            .browser()
            .get(&good.clone().and("resource", resource).path())
            .await;
        assert_eq!(page.error_at(CB), "invalid_target", "{case}");
        let beside = good
            .clone()
            .and("resource", "https://notes.example")
            .and("resource", resource);
        let page = server.browser().get(&beside.path()).await;
        assert_eq!(
            page.error_at(CB),
            "invalid_target",
            "{case}, beside a good one"
        );
    }
}

/// "Multiple "resource" parameters MAY be used to indicate that the requested token is intended to be used at multiple
/// resources." (§2)
#[actix_web::test]
async fn s2_several_resources_may_be_named() {
    let server = Server::start().await;
    server.notes();
    server.resource("https://photos.example", &["photos:read"]);
    server.resource("https://music.example", &["music:read"]);
    let app = server.app(AppOptions {
        scope: "notes:read photos:read music:read",
        ..AppOptions::default()
    });
    let browser = server.signed_in(&server.user("alice")).await;
    let flow = app
        .asks("notes:read photos:read")
        .and("resource", "https://notes.example")
        .and("resource", "https://photos.example");
    let page = browser.get(&flow.path()).await;
    assert!(page.body.contains("https://notes.example"), "{}", page.body);
    assert!(
        page.body.contains("https://photos.example"),
        "{}",
        page.body
    );
    assert!(
        !page.body.contains("https://music.example"),
        "{}",
        page.body
    );
    assert_eq!(page.offered(), ["notes:read", "photos:read"]);
}

/// A scope is asked of the resources that were named: one that none of them defines is refused, not given elsewhere.
#[actix_web::test]
async fn s2_a_scope_of_another_resource_is_refused() {
    let server = Server::start().await;
    server.notes();
    server.resource("https://photos.example", &["photos:read"]);
    let app = server.app(AppOptions {
        scope: "notes:read photos:read",
        ..AppOptions::default()
    });
    let request = app
        .asks("photos:read")
        .and("resource", "https://notes.example");
    let page = server.browser().get(&request.path()).await;
    assert_eq!(page.error_at(CB), "invalid_scope");
}
