//! Without scripts: every page works by plain forms.

use super::Chromium;
use crate::support::{AppOptions, Server};

/// From signing in to the secret, the list and the end of the token, without a script.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn a_token_needs_no_script() {
    let server = Server::start().await;
    let notes = server.notes();
    server.user("alice");
    let browser = Chromium::without_scripts(&server).await;
    browser.sign_in("alice").await;
    browser.press("New token").await;
    browser.fill("#name", "backup").await;
    browser
        .click("[value='https://notes.example notes:read']")
        .await;
    browser.press("Create token").await;
    browser.heading("backup is ready").await;
    let copy = browser.see("[data-copy='secret']").await;
    assert!(!copy.is_displayed().await.unwrap(), "no script ran");
    let secret = browser.text("#secret").await;
    assert!(notes.accepts(&secret).await);
    browser.press("Done").await;
    browser.heading("Personal access tokens").await;
    browser.press("Edit").await;
    browser.heading("Edit backup").await;
    browser.fill("#description", "in the cellar").await;
    browser.press("Save").await;
    assert_eq!(browser.text(".about").await, "in the cellar");
    browser.press("Revoke").await;
    browser.press("Revoke token").await;
    browser.see(".notice.good").await;
    assert!(!notes.accepts(&secret).await);
}

/// An app is let in and disconnected without a script.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn an_app_needs_no_script() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let app = server.app(AppOptions::default());
    app.let_in(&server.signed_in(&alice).await, "notes:read")
        .await;
    let browser = Chromium::without_scripts(&server).await;
    browser.sign_in("alice").await;
    browser
        .goto(&app.asks("notes:read notes:write").path())
        .await;
    browser.heading("Backup Tool asks for access").await;
    browser.goto("/settings/apps").await;
    browser.press("Disconnect").await;
    browser.press("Disconnect").await;
    assert_eq!(browser.text(".empty h2").await, "No connected apps");
}
