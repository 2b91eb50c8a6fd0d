//! Making a personal access token, seeing it once, and revoking it.

use serde_json::json;

use super::Chromium;
use crate::support::{ResourceServer, Server};

async fn house() -> (Server, ResourceServer, Chromium) {
    let server = Server::start().await;
    let notes = server.notes();
    server.user("alice");
    let browser = Chromium::open(&server).await;
    browser.sign_in("alice").await;
    (server, notes, browser)
}

/// Make a token that may read notes; its secret.
async fn make(browser: &Chromium) -> String {
    browser.press("New token").await;
    browser.heading("New token").await;
    browser.fill("#name", "backup").await;
    browser
        .click("[value='https://notes.example notes:read']")
        .await;
    browser.press("Create token").await;
    browser.heading("backup is ready").await;
    browser.text("#secret").await
}

/// The secret works, stands in no list, and neither reloading nor going back and forth brings it up again.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn a_token_is_made_and_seen_once() {
    let (_server, notes, browser) = house().await;
    let secret = make(&browser).await;
    assert!(secret.starts_with("jeton_pat_"), "{secret}");
    assert!(notes.accepts(&secret).await);
    assert_eq!(notes.introspect(&secret).await["scope"], "notes:read");
    let focus = browser.value("document.activeElement.id").await;
    assert_eq!(focus, "secret-title", "the focus is moved to the secret");

    // The browser asks before it sends the form again, and the name is taken then.
    browser.reload().await;
    browser.see("#name-error").await;
    assert!(!browser.source().await.contains(&secret), "reloaded");
    browser.press("Tokens").await;
    browser.heading("Personal access tokens").await;
    let list = browser.source().await;
    assert!(list.contains("backup"), "{list}");
    assert!(!list.contains(&secret), "in the list");
    browser.back().await;
    assert!(!browser.source().await.contains(&secret), "back");
    let stored =
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, history.state])";
    assert_eq!(browser.value(stored).await, "[{},{},\"\",null]");
}

/// The copy button says what it did, to the eye and to a screen reader, and the clipboard has the secret.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn the_copy_button_says_copied() {
    let (_server, _, browser) = house().await;
    let allowed = json!({"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]});
    browser.devtools("Browser.grantPermissions", allowed).await;
    let secret = make(&browser).await;
    browser.click("[data-copy='secret']").await;
    browser
        .until(
            "document.querySelector('[data-copy=secret]').firstChild.data",
            "Copied",
        )
        .await;
    browser
        .until("document.getElementById('live').textContent", "Copied")
        .await;
    browser
        .until("navigator.clipboard.readText()", &secret)
        .await;
}

/// Leaving the secret asks, until it is ticked as stored.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn leaving_the_secret_asks_first() {
    let (_server, _, browser) = house().await;
    make(&browser).await;
    // A browser asks whether to leave when a page cancels this event.
    let asks = "(() => { const leaving = new Event('beforeunload', { cancelable: true }); \
                dispatchEvent(leaving); return leaving.defaultPrevented; })()";
    assert_eq!(browser.value(asks).await, true);
    browser.click("[data-stored] input").await;
    assert_eq!(browser.value(asks).await, false);
    browser.press("Done").await;
    browser.heading("Personal access tokens").await;
}

/// What the token will be able to do is said in a sentence, as the choices change.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn the_form_says_what_the_token_may_do() {
    let (_server, _, browser) = house().await;
    browser.press("New token").await;
    browser
        .click("[value='https://notes.example notes:read']")
        .await;
    browser
        .click("[value='https://notes.example notes:write']")
        .await;
    browser.click("[name='expires'][value='never']").await;
    let said = "This token may do what notes:read is for and do what notes:write is for. It never expires.";
    browser
        .until("document.querySelector('[data-echo]').textContent", said)
        .await;
    assert!(browser.see(".never").await.is_displayed().await.unwrap());
    browser.click("[name='expires'][value='30d']").await;
    assert!(!browser.see(".never").await.is_displayed().await.unwrap());
}

/// A token that is in use is revoked by typing its name, and is inactive at once.
#[actix_web::test]
#[ignore = "needs chromedriver: bin/test runs it"]
async fn a_token_is_revoked_and_inactive_at_once() {
    let (server, notes, browser) = house().await;
    let secret = make(&browser).await;
    assert!(notes.accepts(&secret).await);
    server.note_uses().await;
    browser.click("[data-stored] input").await;
    browser.press("Done").await;
    browser.press("Revoke").await;
    browser.heading("Revoke backup?").await;
    browser.fill("#confirm", "backup").await;
    browser.press("Revoke token").await;
    browser.see(".notice.good").await;
    assert!(!notes.accepts(&secret).await);
    browser.press("Ended").await;
    browser.see("tr.ended").await;
}
