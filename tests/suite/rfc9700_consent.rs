//! Attacks on the consent page and on sign-in: forged and changed forms, frames, leaks, other people (RFC 9700 §4,
//! RFC 6749 §10.12, §10.13).

use crate::support::{App, AppOptions, Browser, Page, Server};

const CB: &str = "https://app.example/cb";
const DECISION: &str = "/oauth/authorize/decision";

/// Alice, asked by an app for `notes:read`.
async fn asked(server: &Server) -> (App, Browser, Page) {
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(&app.asks("notes:read").path()).await;
    (app, browser, page)
}

/// Whether alice's question is still open, which it is if nothing that was sent counted as an answer.
async fn is_still_open(browser: &Browser, page: &Page) -> bool {
    let answer = browser.decide(page, "allow", &["notes:read"]).await;
    answer.status == 303 && answer.brings(CB).contains_key("code")
}

/// "The authorization server MUST implement CSRF protection for its authorization endpoint" (RFC 6749 §10.12)
#[actix_web::test]
async fn rfc6749_s10_12_a_form_that_we_did_not_give_allows_nothing() {
    let server = Server::start().await;
    let (_, browser, page) = asked(&server).await;
    let mallory = server.signed_in(&server.user("mallory")).await;
    let theirs = mallory.get("/settings/tokens").await.input("csrf");
    let nobodys = server.browser().get("/sign-in").await.input("csrf");
    let request = page.input("request");
    let own = page.input("csrf");
    for (case, csrf) in [
        ("none", None),
        ("empty", Some("")),
        ("another person's", Some(theirs.as_str())),
        ("another browser's", Some(nobodys.as_str())),
        ("shortened", Some(&own[1..])),
        ("in capitals", Some(own.to_uppercase().as_str())),
    ] {
        for decision in ["allow", "deny"] {
            let mut form = vec![
                ("request", request.as_str()),
                ("decision", decision),
                ("scope", "notes:read"),
            ];
            form.extend(csrf.map(|csrf| ("csrf", csrf)));
            let answer = browser.post(DECISION, &form).await;
            assert_eq!(answer.status, 403, "{case}: {answer:?}");
            assert!(
                !answer.headers.contains_key("location"),
                "{case}: {answer:?}"
            );
        }
    }
    assert!(is_still_open(&browser, &page).await);
}

/// Another person can't answer alice's question, even with a form of their own.
#[actix_web::test]
async fn another_person_does_not_answer_for_me() {
    let server = Server::start().await;
    let (app, browser, page) = asked(&server).await;
    let mallory = server.signed_in(&server.admin("mallory")).await;
    let csrf = mallory
        .get(&app.asks("notes:read").path())
        .await
        .input("csrf");
    let request = page.input("request");
    for decision in ["allow", "deny"] {
        let form = [
            ("request", request.as_str()),
            ("decision", decision),
            ("scope", "notes:read"),
        ];
        let answer = mallory.submit_with(&csrf, DECISION, &form).await;
        assert!(answer.is_dead_end(), "{decision}: {answer:?}");
    }
    let answer = server
        .browser()
        .post(DECISION, &[("request", &request), ("decision", "allow")])
        .await;
    assert!(
        answer.location().starts_with("/sign-in"),
        "a stranger: {answer:?}"
    );
    assert!(is_still_open(&browser, &page).await);
}

/// The form carries the id of a stored request and nothing else: what was asked can't be changed on the way.
#[actix_web::test]
async fn what_was_asked_can_not_be_changed_in_the_form() {
    let server = Server::start().await;
    let (app, browser, page) = asked(&server).await;
    let (csrf, request) = (page.input("csrf"), page.input("request"));
    let form = [
        ("request", request.as_str()),
        ("decision", "allow"),
        ("scope", "notes:read"),
    ];
    for (name, value) in [
        ("scope", "notes:write"),
        ("scope", "notes:admin"),
        ("scope", "nonsense"),
        ("scope", "notes:read notes:write"),
        ("scope", "notes:r\u{e9}ad"),
        ("authorization_details", r#"{"type":"repository"}"#),
        ("authorization_details", "nonsense"),
        ("client_id", app.client_id.as_str()),
        ("redirect_uri", "https://evil.example/cb"),
        ("redirect_uri", CB),
        ("state", "planted"),
        ("resource", "https://notes.example"),
        ("user_id", "alice"),
    ] {
        let mut form = form.to_vec();
        form.push((name, value));
        let answer = browser.submit_with(&csrf, DECISION, &form).await;
        assert!(answer.is_dead_end(), "{name}={value}: {answer:?}");
    }
    for (case, form) in [
        ("no decision", vec![form[0], form[2]]),
        (
            "another decision",
            vec![form[0], ("decision", "yes"), form[2]],
        ),
        ("no request", vec![form[1], form[2]]),
        (
            "another request",
            vec![("request", "nonsense"), form[1], form[2]],
        ),
    ] {
        let answer = browser.submit_with(&csrf, DECISION, &form).await;
        assert!(answer.is_dead_end(), "{case}: {answer:?}");
    }
    assert!(is_still_open(&browser, &page).await);
}

/// "Authorization servers MUST prevent clickjacking attacks" (§4.16) and leaks by referrer (§4.2.4); no page may be
/// read by scripts of others ("Cross-Origin Resource Sharing … MUST NOT be supported at the authorization endpoint",
/// §2.6) or kept.
#[actix_web::test]
async fn s4_16_no_page_is_framed_leaked_kept_or_read_by_others() {
    let server = Server::start().await;
    let (app, browser, _) = asked(&server).await;
    let session = browser.cookies();
    let good = app.asks("notes:read");
    for (case, path, status) in [
        ("consent", good.clone().path(), 200),
        (
            "an error that stays",
            good.clone().set("client_id", "nobody").path(),
            400,
        ),
        (
            "an error that is sent back",
            good.clone().without("response_type").path(),
            303,
        ),
        ("password again", "/step-up".to_owned(), 200),
        ("tokens", "/settings/tokens".to_owned(), 200),
        ("new token", "/settings/tokens/new".to_owned(), 200),
        ("apps", "/settings/apps".to_owned(), 200),
        ("password", "/settings/password".to_owned(), 200),
        ("nothing here", "/nowhere".to_owned(), 404),
        ("no such token", "/settings/tokens/nonsense".to_owned(), 404),
        ("sign-in, signed in", "/sign-in".to_owned(), 303),
    ] {
        let request = server.get(&path).header("cookie", &session);
        unframed_and_unread(case, request, status).await;
    }
    for (case, path, status) in [
        ("sign-in", "/sign-in".to_owned(), 200),
        ("to sign-in", good.path(), 303),
    ] {
        unframed_and_unread(case, server.get(&path), status).await;
    }
    let forged = server.post(DECISION, &[]).header("cookie", &session);
    unframed_and_unread("a forged form", forged, 403).await;
    let unsigned = server.post("/sign-in", &[]);
    unframed_and_unread("a forged sign-in", unsigned, 403).await;
}

async fn unframed_and_unread(case: &str, request: reqwest::RequestBuilder, status: u16) {
    let answer = request
        .header("origin", "https://evil.example")
        .send()
        .await;
    let answer = answer.expect("the server answers");
    assert_eq!(answer.status(), status, "{case}");
    let header = |name: &str| {
        let value = answer.headers().get(name);
        value
            .map(|value| value.to_str().expect("ASCII"))
            .unwrap_or_default()
    };
    let policy = header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{case}: {policy}");
    assert!(
        policy.contains("frame-ancestors 'none'"),
        "{case}: {policy}"
    );
    assert!(!policy.contains("unsafe"), "{case}: {policy}");
    assert_eq!(header("x-frame-options"), "DENY", "{case}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{case}");
    assert_eq!(header("cache-control"), "no-store", "{case}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{case}");
    let cors = answer
        .headers()
        .keys()
        .find(|name| name.as_str().starts_with("access-control"));
    assert_eq!(cors, None, "{case}");
}

/// A browser that asks before it lets a script call gets no leave either (§2.6).
#[actix_web::test]
async fn s2_6_no_script_of_others_may_call_a_page() {
    let server = Server::start().await;
    for path in [
        "/oauth/authorize",
        DECISION,
        "/sign-in",
        "/step-up",
        "/sign-out",
        "/settings/tokens",
    ] {
        let asked = server
            .request("OPTIONS", path)
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST");
        let answer = asked.send().await.expect("the server answers");
        assert_eq!(answer.status(), 405, "{path}");
        let mut names = answer.headers().keys();
        assert!(
            !names.any(|name| name.as_str().starts_with("access-control")),
            "{path}"
        );
    }
}

/// "the authorization server MUST NOT use the HTTP status code 307" after a form with a password (§4.12): 303 turns it
/// into a GET without a body.
#[actix_web::test]
async fn s4_12_a_form_is_never_sent_on() {
    let server = Server::start().await;
    let (_, browser, page) = asked(&server).await;
    let password = crate::support::PASSWORD;
    let fields = [
        ("username", "alice"),
        ("password", password),
        ("next", "/settings/apps"),
    ];
    let signed_in = server.browser().submit("/sign-in", &fields).await;
    let decided = browser.decide(&page, "allow", &["notes:read"]).await;
    let stepped_up = browser.submit("/step-up", &[("password", password)]).await;
    let csrf = browser.get("/settings/tokens").await.input("csrf");
    let signed_out = browser.submit_with(&csrf, "/sign-out", &[]).await;
    for (case, page) in [
        ("sign-in", signed_in),
        ("decision", decided),
        ("password again", stepped_up),
        ("sign-out", signed_out),
    ] {
        assert_eq!(page.status, 303, "{case}: {page:?}");
        assert!(!page.location().is_empty(), "{case}");
        assert!(!page.location().contains("password"), "{case}");
    }
}
