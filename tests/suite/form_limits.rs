//! How much a request may bring: a form of a person more than one of a program, since it carries what an app has asked.

use crate::support::{AppOptions, PASSWORD, Server};

/// An app may have a lot in its state: it comes back whole, by way of signing in and consenting (RFC 6749 §4.1.1).
#[actix_web::test]
async fn a_long_state_survives_signing_in() {
    let server = Server::start().await;
    server.notes();
    server.user("alice");
    let app = server.app(AppOptions::default());
    let state = "af0ifjsldkj.".repeat(1024);
    let request = app.asks("notes:read").set("state", &state).path();
    let browser = server.browser();
    let sign_in = browser.get(browser.get(&request).await.location()).await;
    let next = sign_in.input("next");
    let fields = [
        ("username", "alice"),
        ("password", PASSWORD),
        ("next", next.as_str()),
    ];
    let on = browser.submit("/sign-in", &fields).await;
    assert_eq!(on.status, 303, "{}", on.text());
    let question = browser.get(on.location()).await;
    let answer = app.allow(&browser, &question).await;
    let answer = answer.brings("https://app.example/cb");
    assert!(answer["state"] == state, "{} bytes", answer["state"].len());
}

/// What a person sends is at most 64 KiB, and what a program sends at OAuth endpoints 16 KiB.
#[actix_web::test]
async fn a_form_has_its_limit() {
    let server = Server::start().await;
    let notes = server.notes();
    let (id, secret) = (&notes.client_id, notes.client_secret.as_str());
    let kib = 1024;
    for (path, limit, fits) in [
        ("/sign-in", 64 * kib, 403),
        ("/oauth/token", 16 * kib, 400),
        ("/oauth/introspect", 16 * kib, 200),
        ("/oauth/revoke", 16 * kib, 200),
    ] {
        let send = |size: usize| {
            let body = format!("token=x&y={}", "y".repeat(size - "token=x&y=".len()));
            let request = server.post_raw(path, body).basic_auth(id, Some(secret));
            let request = match path {
                "/sign-in" => server.post_raw(path, "y".repeat(size)),
                _ => request,
            };
            async move {
                let answer = request.send().await.expect("the server answers");
                let status = answer.status().as_u16();
                (status, answer.text().await.expect("a body"))
            }
        };
        let (status, said) = send(limit).await;
        assert_eq!(status, fits, "{path}: {said}");
        assert!(!said.contains("larger than"), "{path}: {said}");
        let (status, said) = send(limit + 1).await;
        assert_eq!(status, 400, "{path}: {said}");
        assert!(
            said.contains("larger than this server takes"),
            "{path}: {said}"
        );
    }
}
