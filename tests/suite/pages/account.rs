//! Signing in, connected apps and the password.

use crate::support::{AppOptions, PASSWORD, Server, seconds};

const NEW: &str = "an entirely different sentence";

/// What was asked for comes after signing in; another site never does.
#[actix_web::test]
async fn signing_in_leads_on_to_a_path_of_ours_alone() {
    let server = Server::start().await;
    server.user("alice");
    for (next, goes_to) in [
        ("/settings/apps", "/settings/apps"),
        ("https://evil.example", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("", "/"),
    ] {
        let fields = [
            ("username", "alice"),
            ("password", PASSWORD),
            ("next", next),
        ];
        let page = server.browser().submit("/sign-in", &fields).await;
        assert_eq!(page.status, 303, "{next:?}");
        assert_eq!(page.location(), goes_to, "{next:?}");
    }
}

/// A failed attempt keeps the name, never the password, and does not tell whether there is such a person.
#[actix_web::test]
async fn a_failed_sign_in_keeps_the_name_alone() {
    let server = Server::start().await;
    server.user("alice");
    for name in ["alice", "nobody-of-that-name"] {
        let page = server.browser().sign_in(name, "hunter2-hunter2").await;
        assert_eq!(page.status, 401, "{name}");
        assert!(
            page.says("The username or the password is wrong."),
            "{}",
            page.text()
        );
        assert_eq!(page.input("username"), name);
        assert!(!page.body.contains("hunter2"), "{}", page.body);
    }
}

/// The sign-in page says which app waits, and only if one really does.
#[actix_web::test]
async fn the_sign_in_page_names_the_app_that_waits() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let browser = server.browser();
    let sent = browser.get(&app.asks("notes:read").path()).await;
    let page = browser.get(sent.location()).await;
    assert!(page.says("to continue to Backup Tool"), "{}", page.text());
    let foreign = app.asks("notes:read").set("client_id", "nobody").path();
    let next: String = url::form_urlencoded::byte_serialize(foreign.as_bytes()).collect();
    let page = browser.get(&format!("/sign-in?next={next}")).await;
    assert!(!page.says("to continue to"), "{}", page.text());
}

/// The page shows what each app may do; disconnecting one ends its tokens and nothing else.
#[actix_web::test]
async fn a_disconnected_app_can_do_nothing_any_more() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let browser = server.signed_in(&alice).await;
    let app = server.app(AppOptions::default());
    let other = server.app(AppOptions {
        name: "Other Tool",
        ..AppOptions::default()
    });
    let tokens = app.let_in(&browser, "notes:read notes:write").await;
    let others = other.let_in(&browser, "notes:read").await;
    let bobs = app
        .let_in(&server.signed_in(&bob).await, "notes:read")
        .await;
    let personal = server.personal_token(&alice, "notes:read");

    let list = browser.get("/settings/apps").await;
    for said in [
        "Backup Tool",
        "Other Tool",
        "Do what notes:write is for",
        "never used",
    ] {
        assert!(list.says(said), "{said} is not in {}", list.text());
    }
    let path = format!("/settings/apps/{}/disconnect", app.client_id);
    let asked = browser.get(&path).await;
    assert!(asked.says("Disconnect Backup Tool ?"), "{}", asked.text());
    assert!(
        notes.accepts(&tokens.access).await,
        "asking changes nothing"
    );
    let done = browser.submit(&path, &[]).await;
    assert_eq!(done.status, 303);

    assert!(!notes.accepts(&tokens.access).await);
    assert_eq!(app.refresh(tokens.refresh()).await.status(), 400);
    assert!(notes.accepts(&others.access).await, "the other app stays");
    assert!(notes.accepts(&bobs.access).await, "Bob's consent is his");
    assert!(notes.accepts(&personal).await, "personal tokens stay");
    let list = browser.get(done.location()).await;
    assert!(list.says("The app is disconnected."), "{}", list.text());
    assert!(!list.says("Backup Tool"), "{}", list.text());
    let again = browser.get(&app.asks("notes:read").path()).await;
    assert_eq!(again.status, 200, "it has to ask again");
    assert!(
        again.says("Backup Tool asks for access"),
        "{}",
        again.text()
    );
}

/// An app that is not connected can't be disconnected, whoever else has let it in.
#[actix_web::test]
async fn an_app_of_somebody_else_is_not_there() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let bob = server.signed_in(&server.user("bob")).await;
    app.let_in(&bob, "notes:read").await;
    let browser = server.signed_in(&server.user("alice")).await;
    let path = format!("/settings/apps/{}/disconnect", app.client_id);
    assert_eq!(browser.get(&path).await.status, 404);
    let list = browser.get("/settings/apps").await;
    assert!(list.says("No connected apps"), "{}", list.text());
}

/// A new password ends every other session and disconnects all apps; this session and personal tokens stay.
#[actix_web::test]
async fn a_new_password_ends_other_sessions_and_apps() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let (here, elsewhere) = (
        server.signed_in(&alice).await,
        server.signed_in(&alice).await,
    );
    let app = server.app(AppOptions::default());
    let tokens = app.let_in(&here, "notes:read").await;
    let personal = server.personal_token(&alice, "notes:read");
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", NEW),
        ("repeat_password", NEW),
    ];
    let done = here.submit("/settings/password", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let page = here.get(done.location()).await;
    assert!(page.says("Your password is changed."), "{}", page.text());
    let page = elsewhere.get("/settings/tokens").await;
    assert!(
        page.location().starts_with("/sign-in"),
        "{}",
        page.location()
    );
    assert!(!notes.accepts(&tokens.access).await);
    assert_eq!(app.refresh(tokens.refresh()).await.status(), 400);
    assert!(here.get("/settings/apps").await.says("No connected apps"));
    assert!(notes.accepts(&personal).await, "personal tokens stay");
    assert_eq!(
        server.browser().sign_in("alice", PASSWORD).await.status,
        401
    );
    assert_eq!(server.browser().sign_in("alice", NEW).await.status, 303);
}

/// Who thinks that somebody else knows the password revokes all personal tokens with it: their own, nobody else's.
#[actix_web::test]
async fn a_new_password_revokes_tokens_when_told_to() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let mine = server.personal_token(&alice, "notes:read");
    let bobs = server.personal_token(&bob, "notes:read");
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", NEW),
        ("repeat_password", NEW),
        ("revoke_tokens", "yes"),
    ];
    let browser = server.signed_in(&alice).await;
    let done = browser.submit("/settings/password", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(!notes.accepts(&mine).await);
    assert!(notes.accepts(&bobs).await);
}

/// What is wrong is said at its field, no password comes back in the page, and nothing has changed.
#[actix_web::test]
async fn a_refused_password_is_said_at_its_field() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let (browser, elsewhere) = (
        server.signed_in(&alice).await,
        server.signed_in(&alice).await,
    );
    let long = "x".repeat(1025);
    for (current, new, repeat, field, sentence) in [
        (
            "",
            NEW,
            NEW,
            "current_password",
            "Enter your current password.",
        ),
        (
            "not this one",
            NEW,
            NEW,
            "current_password",
            "This is not your current password.",
        ),
        (
            PASSWORD,
            "short",
            "short",
            "new_password",
            "A password has at least 8 characters.",
        ),
        (
            PASSWORD,
            &long,
            &long,
            "new_password",
            "A password has at most 1024 bytes.",
        ),
        (
            PASSWORD,
            NEW,
            PASSWORD,
            "repeat_password",
            "The two new passwords are not the same.",
        ),
    ] {
        let fields = [
            ("current_password", current),
            ("new_password", new),
            ("repeat_password", repeat),
            ("revoke_tokens", "yes"),
        ];
        let page = browser.submit("/settings/password", &fields).await;
        assert_eq!(page.status, 422, "{sentence}");
        assert_eq!(page.error(field), Some(sentence));
        for password in [current, new].into_iter().filter(|text| text.len() > 5) {
            assert!(!page.body.contains(password), "{sentence}");
        }
        let box_ = page.tag(&["name=\"revoke_tokens\""]);
        assert!(box_.contains("checked"), "{sentence}: the tick is kept");
    }
    assert_eq!(elsewhere.get("/settings/tokens").await.status, 200);
    assert_eq!(
        server.browser().sign_in("alice", PASSWORD).await.status,
        303
    );
}

/// The password asked for again is the person's own; a wrong one opens nothing, and guessing is slowed down.
#[actix_web::test]
async fn a_wrong_password_at_the_step_up_opens_nothing() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    server.clock.advance(seconds(600));
    let fields = [
        ("password", "not this one"),
        ("next", "/settings/tokens/new"),
    ];
    for attempt in 1..=7 {
        let page = browser.submit("/step-up", &fields).await;
        let expected = if attempt <= 6 { 401 } else { 429 };
        assert_eq!(page.status, expected, "attempt {attempt}: {}", page.text());
        assert_eq!(page.input("next"), "/settings/tokens/new");
        let slowed = !page.header("retry-after").is_empty();
        assert_eq!(slowed, attempt == 7, "attempt {attempt}");
    }
    assert_eq!(browser.get("/settings/tokens/new").await.status, 303);
    assert_eq!(
        browser.get("/settings/tokens").await.status,
        200,
        "still signed in"
    );
}
