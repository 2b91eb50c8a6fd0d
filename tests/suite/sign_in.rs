//! Signing in, proving it again, and signing out.

use jeton::domain::tx::Caller;
use jeton::domain::user::User;

use crate::support::{AppOptions, Browser, PASSWORD, Page, Server, seconds};

/// Whether this cookie, whoever holds it, opens alice's pages.
async fn opens(server: &Server, cookie: &str) -> bool {
    let answer = server
        .get("/settings/tokens")
        .header("cookie", cookie)
        .send()
        .await;
    let answer = answer.expect("the server answers");
    match answer.status().as_u16() {
        200 => true,
        303 => {
            let to = answer.headers()["location"].to_str().expect("ASCII");
            assert!(to.starts_with("/sign-in"), "sent to {to}");
            false
        }
        other => panic!("{other}"),
    }
}

/// Sign alice in, to go on to `next`.
async fn sign_in_and_go(browser: &Browser, next: &str) -> Page {
    let fields = [
        ("username", "alice"),
        ("password", PASSWORD),
        ("next", next),
    ];
    browser.submit("/sign-in", &fields).await
}

/// Nobody can plant a session: the id that a browser had before is worth nothing after (session fixation).
#[actix_web::test]
async fn the_session_gets_a_new_id_at_sign_in() {
    let server = Server::start().await;
    server.user("alice");
    let browser = server.browser();
    browser.get("/sign-in").await;
    let before = browser.cookies();
    browser.sign_in("alice", PASSWORD).await;
    let after = browser.cookies();
    assert_ne!(before, after);
    assert!(opens(&server, &after).await);
    assert!(!opens(&server, &before).await);
}

/// Signing in once more, as the same or as another, ends the session that this browser had.
#[actix_web::test]
async fn the_session_before_ends_at_sign_in() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    server.user("bob");
    for name in ["alice", "bob"] {
        let before = browser.cookies();
        let csrf = browser.get("/settings/tokens").await.input("csrf");
        let fields = [("username", name), ("password", PASSWORD)];
        browser.submit_with(&csrf, "/sign-in", &fields).await;
        assert!(opens(&server, &browser.cookies()).await, "{name}");
        assert!(
            !opens(&server, &before).await,
            "the session before {name}'s"
        );
    }
}

/// A failed attempt begins nothing and ends nothing.
#[actix_web::test]
async fn a_failed_attempt_leaves_the_session_as_it_was() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    let before = browser.cookies();
    let csrf = browser.get("/settings/tokens").await.input("csrf");
    let fields = [("username", "alice"), ("password", "wrong")];
    let page = browser.submit_with(&csrf, "/sign-in", &fields).await;
    assert_eq!(page.status, 401, "{page:?}");
    assert_eq!(browser.cookies(), before);
    assert!(opens(&server, &before).await);
}

/// The sign-in form too is proven to be ours: nobody signs a browser in as somebody else (RFC 9700 §4.7).
#[actix_web::test]
async fn a_forged_form_signs_nobody_in() {
    let server = Server::start().await;
    server.user("alice");
    let others = server.browser().get("/sign-in").await.input("csrf");
    let browser = server.browser();
    browser.get("/sign-in").await;
    for csrf in ["", &others] {
        let fields = [("username", "alice"), ("password", PASSWORD)];
        let page = browser.submit_with(csrf, "/sign-in", &fields).await;
        assert_eq!(page.status, 403, "{page:?}");
        assert!(!opens(&server, &browser.cookies()).await);
    }
}

/// The cookie is for this server alone, and not for scripts; under https it can't be set by a neighbouring host.
#[actix_web::test]
async fn the_cookie_is_kept_close() {
    for (issuer, expected) in [
        ("", vec!["HttpOnly", "SameSite=Lax", "Path=/"]),
        (
            "https://id.example",
            vec!["HttpOnly", "SameSite=Lax", "Path=/", "Secure"],
        ),
    ] {
        let server = Server::with(&[("issuer", issuer)]).await;
        let page = server.browser().get("/sign-in").await;
        let cookie = page.header("set-cookie");
        let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
        for attribute in &expected {
            assert!(attributes.contains(attribute), "{attribute}: {cookie}");
        }
        let named = cookie.starts_with("__Host-");
        assert_eq!(named, expected.contains(&"Secure"), "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
}

/// A wrong password, an unknown name, a closed account and one without a password look the same.
#[actix_web::test]
async fn a_refusal_does_not_tell_who_has_an_account() {
    let server = Server::start().await;
    server.user("alice");
    let carol = server.user("carol");
    server.write(|tx| Ok(carol.disable(tx)?));
    let made = server.app.write_blocking(&Caller::command_line(), |tx| {
        User::create(tx, "frank", None, false, None)
    });
    made.expect("the account is made");
    let browser = server.browser();
    let mut seen: Option<Page> = None;
    for (name, password) in [
        ("alice", "wrong"),
        ("erwin", "wrong"),
        ("carol", PASSWORD),
        ("carol", "wrong"),
        ("frank", "wrong"),
        ("frank", ""),
        ("\u{fc}nknown", PASSWORD),
    ] {
        let mut page = browser.sign_in(name, password).await;
        assert_eq!(page.status, 401, "{name}: {page:?}");
        page.body = page
            .body
            .replace(&format!("value=\"{name}\""), "value=\"NAME\"");
        page.headers.remove("x-request-id");
        page.headers.remove("content-length");
        page.headers.remove("date");
        if let Some(first) = &seen {
            assert_eq!(page.body, first.body, "{name}");
            assert_eq!(page.headers, first.headers, "{name}");
        }
        seen = Some(page);
    }
}

/// Nor does the time it takes: an unknown name costs the server a password hash too.
#[actix_web::test]
async fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    let server = Server::start().await;
    server.user("alice");
    let browser = server.browser();
    let csrf = browser.get("/sign-in").await.input("csrf");
    let mut fastest = [std::time::Duration::MAX; 2];
    for round in 0..5 {
        let unknown = format!("nobody{round}");
        for (best, name) in fastest.iter_mut().zip(["alice", &unknown]) {
            let began = std::time::Instant::now();
            let fields = [("username", name), ("password", "wrong")];
            let page = browser.submit_with(&csrf, "/sign-in", &fields).await;
            *best = began.elapsed().min(*best);
            assert_eq!(page.status, 401, "{name}");
        }
    }
    let [wrong, unknown] = fastest;
    assert!(
        unknown > wrong / 2,
        "wrong password: {wrong:?}, unknown name: {unknown:?}"
    );
}

/// A closed account has no sessions and gets none.
#[actix_web::test]
async fn a_closed_account_is_signed_out_and_stays_out() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    server.write(|tx| Ok(alice.disable(tx)?));
    assert!(!opens(&server, &browser.cookies()).await);
    let page = server.browser().sign_in("alice", PASSWORD).await;
    assert_eq!(page.status, 401, "{page:?}");
}

/// Signing out ends the session on the server, not only in the browser, and takes a form of ours.
#[actix_web::test]
async fn signing_out_ends_the_session_everywhere() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    let elsewhere = server.another_node().await;
    let session = browser.cookies();
    let csrf = browser.get("/settings/tokens").await.input("csrf");
    let forged = browser.submit_with("", "/sign-out", &[]).await;
    assert_eq!(forged.status, 403, "{forged:?}");
    assert!(opens(&server, &session).await);
    let page = browser.submit_with(&csrf, "/sign-out", &[]).await;
    assert_eq!(page.status, 303, "{page:?}");
    assert!(!opens(&server, &session).await);
    assert!(!opens(&elsewhere, &session).await);
}

/// A session has an end, however much it is used.
#[actix_web::test]
async fn a_session_ends_when_its_time_has_come() {
    let server = Server::with(&[("session_ttl", "1h")]).await;
    let browser = server.signed_in(&server.user("alice")).await;
    server.clock.advance(seconds(3599));
    assert!(opens(&server, &browser.cookies()).await);
    server.clock.advance(seconds(1));
    assert!(!opens(&server, &browser.cookies()).await);
}

/// "Authorization servers … MUST NOT expose URLs that forward the user's browser to arbitrary URIs" (RFC 9700 §4.11).
#[actix_web::test]
async fn rfc9700_s4_11_next_leads_nowhere_else() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    for next in [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nSet-Cookie: x=1",
        " //evil.example/",
    ] {
        let posted = sign_in_and_go(&server.browser(), next).await;
        assert_eq!(
            (posted.status, posted.location()),
            (303, "/"),
            "sign-in: {next:?}"
        );
        let query: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("next", next)
            .finish();
        let opened = browser.get(&format!("/sign-in?{query}")).await;
        assert_eq!(
            (opened.status, opened.location()),
            (303, "/"),
            "signed in: {next:?}"
        );
        let form = browser.get(&format!("/step-up?{query}")).await;
        assert_eq!(form.input("next"), "/", "password again: {next:?}");
        let fields = [("password", PASSWORD), ("next", next)];
        let again = browser.submit("/step-up", &fields).await;
        assert_eq!(
            (again.status, again.location()),
            (303, "/"),
            "password again: {next:?}"
        );
    }
    let good = sign_in_and_go(&server.browser(), "/settings/apps?x=1").await;
    assert_eq!(good.location(), "/settings/apps?x=1");
}

/// An app's request waits while its person signs in, who is told which app it is.
#[actix_web::test]
async fn an_apps_request_outlasts_signing_in() {
    let server = Server::start().await;
    server.notes();
    server.user("alice");
    let app = server.app(AppOptions::default());
    let request = app
        .asks("notes:read")
        .set("state", "a&b=\u{2602} +%")
        .path();
    let browser = server.browser();
    let page = browser.get(browser.get(&request).await.location()).await;
    assert!(page.body.contains("Backup Tool"), "{}", page.body);
    let next = page.input("next");
    let mistyped = [
        ("username", "alice"),
        ("password", "wrong"),
        ("next", next.as_str()),
    ];
    let again = browser.submit("/sign-in", &mistyped).await;
    assert_eq!(again.status, 401, "{again:?}");
    assert!(again.body.contains("Backup Tool"), "{}", again.body);
    assert_eq!(again.input("next"), page.input("next"));
    let on = sign_in_and_go(&browser, &next).await;
    assert_eq!(on.location(), request);
    assert!(browser.get(on.location()).await.asks_for_consent());
}

/// Some time after the password was entered, making a token takes it again; that gives the session a new id.
#[actix_web::test]
async fn what_matters_takes_the_password_again() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    let new = "/settings/tokens/new";
    server.clock.advance(seconds(599));
    assert_eq!(browser.get(new).await.status, 200);
    server.clock.advance(seconds(1));
    let asked = browser.get(new).await;
    assert_eq!(asked.location(), "/step-up?next=%2Fsettings%2Ftokens%2Fnew");
    let before = browser.cookies();
    let wrong = browser
        .submit("/step-up", &[("password", "wrong"), ("next", new)])
        .await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    assert_eq!(browser.cookies(), before);
    assert_eq!(
        browser.get(new).await.status,
        303,
        "a wrong password proves nothing"
    );
    let right = browser
        .submit("/step-up", &[("password", PASSWORD), ("next", new)])
        .await;
    assert_eq!((right.status, right.location()), (303, new));
    assert_eq!(browser.get(new).await.status, 200);
    assert_ne!(browser.cookies(), before);
    assert!(!opens(&server, &before).await);
}

/// Who answers an app's question after signing out elsewhere signs in and begins again: the form's address has no page.
#[actix_web::test]
async fn an_answer_after_signing_out_leads_to_a_page_that_is_there() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let question = browser.get(&app.asks("notes:read").path()).await;
    let csrf = question.input("csrf");
    browser.submit_with(&csrf, "/sign-out", &[]).await;
    let answer = browser.decide(&question, "allow", &["notes:read"]).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let sign_in = browser.get(answer.location()).await;
    assert_eq!(sign_in.status, 200, "{sign_in:?}");
    let on = sign_in_and_go(&browser, &sign_in.input("next")).await;
    assert_eq!((on.status, on.location()), (303, "/"));
    let home = browser.get("/").await;
    assert_eq!(browser.get(home.location()).await.status, 200);
}
