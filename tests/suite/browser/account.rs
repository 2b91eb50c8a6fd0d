//! Signing in, proving it again, and the password.

use super::Chromium;
use crate::support::{PASSWORD, Server, seconds};

/// A wrong password is told; the right one leads to the tokens, under the person's name.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn somebody_signs_in_and_out() {
    let server = Server::start().await;
    server.user("alice");
    let browser = Chromium::open(&server).await;
    browser.goto("/").await;
    browser.heading("Sign in").await;
    browser.fill("#username", "alice").await;
    browser.fill("#password", "not this one").await;
    browser.press("Sign in").await;
    let said = browser.text("#sign-in-error").await;
    assert_eq!(said, "The username or the password is wrong.");
    browser.fill("#password", PASSWORD).await;
    browser.press("Sign in").await;
    browser.heading("Personal access tokens").await;
    assert!(browser.text(".who").await.ends_with("alice"));
    browser.press("Sign out").await;
    browser.see(".notice.good").await;
    browser.goto("/settings/tokens").await;
    browser.heading("Sign in").await;
}

/// No mouse is needed: the first field has the focus, Tab goes on to the next, Enter sends.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn a_keyboard_is_enough_to_sign_in() {
    let server = Server::start().await;
    server.user("alice");
    let browser = Chromium::open(&server).await;
    browser.goto("/sign-in").await;
    browser.see("#username:focus").await;
    browser.keys("alice").await;
    browser.tab().await;
    browser.see("#password:focus").await;
    browser.keys(PASSWORD).await;
    browser.enter().await;
    browser.heading("Personal access tokens").await;
    browser.tab().await;
    browser.see(".skip:focus").await;
    browser.enter().await;
    browser.see("#main:focus").await;
    browser.tab().await;
    let first = browser.value("document.activeElement.textContent").await;
    assert_eq!(first, "Connected apps", "past the head of the page");
}

/// The password is asked for again before a token is made, and the form comes after it.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn the_password_is_asked_for_again() {
    let server = Server::start().await;
    server.notes();
    server.user("alice");
    let browser = Chromium::open(&server).await;
    browser.sign_in("alice").await;
    server.clock.advance(seconds(600));
    browser.goto("/settings/tokens/new?name=backup").await;
    browser.heading("Enter your password again").await;
    browser.fill("#password", "not this one").await;
    browser.press("Continue").await;
    let said = browser.text("#step-up-error").await;
    assert_eq!(said, "The password is wrong.");
    browser.fill("#password", PASSWORD).await;
    browser.press("Continue").await;
    browser.heading("New token").await;
    assert_eq!(
        browser.value("document.forms[1].name.value").await,
        "backup"
    );
}

/// The password is changed: the person stays signed in here and signs in with the new one next time.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn the_password_is_changed() {
    let server = Server::start().await;
    server.user("alice");
    let browser = Chromium::open(&server).await;
    browser.sign_in("alice").await;
    browser.press("Password").await;
    browser.heading("Change password").await;
    let new = "an entirely different sentence";
    browser.fill("#current_password", PASSWORD).await;
    browser.fill("#new_password", new).await;
    browser.fill("#repeat_password", new).await;
    browser.click("form.card button").await;
    let said = browser.text(".notice.good").await;
    assert_eq!(said, "Your password is changed.");
    assert_eq!(
        server.browser().sign_in("alice", PASSWORD).await.status,
        401
    );
    assert_eq!(server.browser().sign_in("alice", new).await.status, 303);
}
