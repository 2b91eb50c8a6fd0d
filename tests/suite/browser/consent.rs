//! Letting an app in, and out again.

use std::io::{Read, Write};
use std::net::TcpListener;

use super::Chromium;
use crate::support::{App, AppOptions, PASSWORD, Server, query, tokens};

/// An app on this computer that waits for its answer with a page of its own.
fn app_that_listens(server: &Server) -> App {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a browser comes");
            let _ = stream.read(&mut [0; 4096]);
            let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<h1>Thank you</h1>";
            let _ = stream.write_all(page.as_bytes());
        }
    });
    let mut app = server.app(AppOptions::public());
    app.redirect_uri = format!("http://127.0.0.1:{port}/cb");
    app
}

/// The person signs in on the way, unticks one permission, and the app gets the rest.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn an_app_gets_what_was_left_ticked() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let app = app_that_listens(&server);
    let flow = app.asks("notes:read notes:write");
    let browser = Chromium::open(&server).await;
    browser.goto(&flow.path()).await;
    assert_eq!(browser.text(".lead").await, "to continue to Backup Tool");
    browser.fill("#username", "alice").await;
    browser.fill("#password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.heading("Backup Tool asks for access").await;
    assert_eq!(browser.text(".host").await, "127.0.0.1");
    browser.click("[value='notes:write']").await;
    browser.press("Allow").await;
    browser.heading("Thank you").await;
    let answer = query(browser.address().await.as_str());
    assert_eq!(answer["state"], "af0ifjsldkj");
    assert_eq!(answer["iss"], server.url);
    let tokens = tokens(app.redeem(&flow, &answer["code"]).await).await;
    assert_eq!(tokens.answer["scope"], "notes:read");
    let told = notes.introspect(&tokens.access).await;
    assert_eq!(told["scope"], "notes:read");
    assert_eq!(told["sub"], alice.id.to_string());
}

/// Who denies sends the app away with nothing.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn an_app_is_denied() {
    let server = Server::start().await;
    server.notes();
    server.user("alice");
    let app = app_that_listens(&server);
    let browser = Chromium::open(&server).await;
    browser.sign_in("alice").await;
    browser.goto(&app.asks("notes:read").path()).await;
    browser.press("Deny").await;
    browser.heading("Thank you").await;
    let answer = query(browser.address().await.as_str());
    assert_eq!(answer["error"], "access_denied");
    assert!(!answer.contains_key("code"));
    browser.goto("/settings/apps").await;
    assert_eq!(browser.text(".empty h2").await, "No connected apps");
}

/// An app is disconnected, and its token is inactive at once.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn an_app_is_disconnected() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let app = server.app(AppOptions::default());
    let tokens = app
        .let_in(&server.signed_in(&alice).await, "notes:read")
        .await;
    let browser = Chromium::open(&server).await;
    browser.sign_in("alice").await;
    browser.press("Connected apps").await;
    browser.press("Disconnect").await;
    browser.heading("Disconnect Backup Tool?").await;
    assert!(
        notes.accepts(&tokens.access).await,
        "asking changes nothing"
    );
    browser.press("Disconnect").await;
    browser.see(".notice.good").await;
    assert!(!notes.accepts(&tokens.access).await);
    assert_eq!(browser.text(".empty h2").await, "No connected apps");
}
