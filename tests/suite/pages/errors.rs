//! What went wrong, what to do now, and the files that pages are made of.

use diesel::connection::SimpleConnection;
use jeton::db::Fault;

use crate::support::{AppOptions, Page, Server};

/// The error page has this status, says these things, and shows the id under which the log has the request.
fn is_error(page: &Page, status: u16, title: &str, advice: &str) {
    assert_eq!(page.status, status, "{}", page.text());
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{status}"
    );
    assert!(page.says(title), "{}", page.text());
    assert!(page.says(advice), "{}", page.text());
    let (_, rest) = page.body.split_once("id=\"request-id\">").expect("an id");
    let shown = rest.split('<').next().unwrap();
    assert_eq!(shown, page.header("x-request-id"), "{status}");
    assert_eq!(shown.len(), 36, "{shown:?}");
    assert_eq!(page.header("cache-control"), "no-store", "{status}");
}

const TOKENS: &str = "Check the address, or begin again from your tokens.";
const AGAIN: &str =
    "Go back, load the page again, and send the form once more. Nothing has changed.";
const MAKERS: &str = "Tell its makers what you see here; it is theirs to mend.";
const WAIT: &str = "Wait a moment and load the page again. If it goes on, tell your administrator the number below.";

#[actix_web::test]
async fn an_address_that_is_none_says_so() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    for path in [
        "/nothing",
        "/settings/tokens/1",
        "/settings",
        "/static/nothing.js",
    ] {
        is_error(&browser.get(path).await, 404, "Nothing here", TOKENS);
    }
    let page = browser.get("/nothing").await;
    assert!(
        page.body.contains("<a href=\"/settings/tokens\">"),
        "{}",
        page.body
    );
}

#[actix_web::test]
async fn another_method_is_told_which_ones_there_are() {
    let server = Server::start().await;
    let page = server.browser().get("/sign-out").await;
    is_error(&page, 405, "Not that way", TOKENS);
    assert_eq!(page.header("allow"), "POST");
}

#[actix_web::test]
async fn an_app_that_is_wrong_is_not_sent_back_to() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    for flow in [
        app.asks("notes:read").set("client_id", "nobody"),
        app.asks("notes:read")
            .set("redirect_uri", "https://evil.example/cb"),
    ] {
        let page = server.browser().get(&flow.path()).await;
        is_error(&page, 400, "This app can't be let in", MAKERS);
        assert!(!page.body.contains("evil.example"), "{}", page.body);
    }
}

#[actix_web::test]
async fn a_form_that_is_not_ours_changes_nothing() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let browser = server.signed_in(&alice).await;
    let other = server.signed_in(&alice).await;
    let list = browser.get("/settings/tokens").await;
    let revoke = list.tag(&["href=\"/settings/tokens/", "/revoke"]);
    let revoke = revoke
        .split("href=\"")
        .nth(1)
        .unwrap()
        .trim_end_matches('"')
        .to_owned();
    let foreign = other.get("/settings/tokens").await.input("csrf");
    for page in [
        browser.post(&revoke, &[]).await,
        browser.submit_with("", &revoke, &[]).await,
        browser.submit_with(&foreign, &revoke, &[]).await,
    ] {
        is_error(&page, 403, "This form is not valid", AGAIN);
    }
    assert!(notes.accepts(&token).await);
}

#[actix_web::test]
async fn a_token_opens_no_page() {
    let server = Server::start().await;
    server.notes();
    let token = server.personal_token(&server.admin("root"), "notes:read");
    let answer = server.get("/settings/tokens").bearer_auth(&token).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), 401);
    let challenge = answer.headers()["www-authenticate"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(!challenge.contains("Bearer"), "{challenge}");
    let body = answer.text().await.unwrap();
    assert!(
        body.contains("Open this address in a browser and sign in."),
        "{body}"
    );
}

/// A fault of ours is no verdict: it says to try again, and tells nothing of the inside.
#[actix_web::test]
async fn a_fault_says_to_try_again() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    server.write(|tx| {
        let gone = tx.batch_execute("ALTER TABLE consents RENAME TO elsewhere");
        gone.map_err(Fault::from)
    });
    let page = browser.get("/settings/apps").await;
    is_error(&page, 503, "Please try again", WAIT);
    assert_eq!(page.header("retry-after"), "1");
    assert!(!page.body.contains("consents"), "{}", page.body);
}

/// Too many attempts are told how long to wait, in words and in seconds.
#[actix_web::test]
async fn too_many_attempts_are_told_to_wait() {
    let server = Server::start().await;
    let browser = server.browser();
    for _ in 0..6 {
        assert_eq!(browser.sign_in("alice", "wrong").await.status, 401);
    }
    let page = browser.sign_in("alice", "wrong").await;
    assert_eq!(page.status, 429, "{}", page.text());
    let said = "There were too many attempts. Please wait 2 seconds and try again.";
    assert!(page.says(said), "{}", page.text());
    assert_eq!(page.header("retry-after"), "2");
}

/// The files of the pages are kept for ever under a name that changes with them.
#[actix_web::test]
async fn files_are_kept_for_ever_under_their_version() {
    let server = Server::start().await;
    let browser = server.browser();
    let page = browser.get("/sign-in").await;
    for (file, kind) in [
        ("jeton.css", "text/css; charset=utf-8"),
        ("jeton.js", "text/javascript; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let tag = page.tag(&[&format!("/static/{file}?v=")]);
        let url = tag
            .split('"')
            .find(|part| part.starts_with("/static/"))
            .unwrap();
        let answer = browser.get(url).await;
        assert_eq!(answer.status, 200, "{url}");
        assert_eq!(answer.header("content-type"), kind);
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.headers.get("set-cookie").is_none(), "{url}");
    }
}

/// No page may be framed, kept, or run what is not ours; a form leads here, or on to an app from the pages that must.
#[actix_web::test]
async fn pages_are_closed_to_others() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let consent = server.app(AppOptions::default()).asks("notes:read").path();
    for (path, form_action) in [
        ("/settings/tokens", true),
        ("/settings/tokens/new", true),
        ("/settings/password", true),
        ("/nothing", true),
        ("/step-up", false),
        (&consent, false),
    ] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        let begins = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
        assert!(policy.starts_with(begins), "{path}: {policy}");
        assert_eq!(
            policy.ends_with("; form-action 'self'"),
            form_action,
            "{path}"
        );
        assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(page.header("referrer-policy"), "no-referrer", "{path}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert!(
            page.headers.get("access-control-allow-origin").is_none(),
            "{path}"
        );
    }
}
