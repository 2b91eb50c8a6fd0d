//! "May this app …?": what people are asked, and what their answer is worth (RFC 6749 §4.1.1, §4.1.2).

use serde_json::json;

use crate::support::{AppOptions, Server, input, query, seconds, tokens};

const CB: &str = "https://app.example/cb";

/// "The authorization server MAY fully or partially ignore the scope requested by the client, based on … the resource
/// owner's instructions", and then tells the client what it gave (§3.3): what was ticked.
#[actix_web::test]
async fn s3_3_an_app_gets_only_what_was_ticked() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read notes:write");
    let page = browser.get(&flow.path()).await;
    assert_eq!(page.offered(), ["notes:read", "notes:write"]);
    let code = browser
        .decide(&page, "allow", &["notes:read"])
        .await
        .brings(CB)["code"]
        .clone();
    let tokens = tokens(app.redeem(&flow, &code).await).await;
    assert_eq!(tokens.answer["scope"], "notes:read");
    assert_eq!(
        notes.introspect(&tokens.access).await["scope"],
        "notes:read"
    );
}

/// A resource server of which nothing was ticked is not in the token's audience (RFC 8707 §2).
#[actix_web::test]
async fn a_resource_server_of_which_nothing_was_ticked_is_left_out() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions {
        scope: "notes:read photos:read",
        ..AppOptions::default()
    });
    let flow = app.asks("notes:read photos:read");
    let page = browser.get(&flow.path()).await;
    let code = browser
        .decide(&page, "allow", &["photos:read"])
        .await
        .brings(CB)["code"]
        .clone();
    let tokens = tokens(app.redeem(&flow, &code).await).await;
    let answer = photos.introspect(&tokens.access).await;
    assert_eq!(answer["aud"], json!(["https://photos.example"]));
    assert!(!notes.accepts(&tokens.access).await);
    let again = browser.get(&flow.path()).await;
    assert!(
        again.asks_for_consent(),
        "notes were not allowed: {again:?}"
    );
}

/// "Allow" with nothing ticked is not an answer: the same question comes again, and can still be answered.
#[actix_web::test]
async fn nothing_ticked_asks_again() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let page = browser.get(&app.asks("notes:read").path()).await;
    let again = browser.decide(&page, "allow", &[]).await;
    assert_eq!(again.status, 422, "{again:?}");
    assert!(again.asks_for_consent(), "{again:?}");
    assert_eq!(again.input("request"), page.input("request"));
    let answer = browser
        .decide(&again, "allow", &["notes:read"])
        .await
        .brings(CB);
    assert!(answer.contains_key("code"), "{answer:?}");
}

/// "access_denied: The resource owner or authorization server denied the request." (§4.1.2.1)
#[actix_web::test]
async fn s4_1_2_1_a_no_is_told_to_the_app_and_nothing_is_remembered() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let page = browser.get(&app.asks("notes:read").path()).await;
    let denied = browser.decide(&page, "deny", &["notes:read"]).await;
    assert_eq!(denied.error_at(CB), "access_denied");
    let changed = browser.decide(&page, "allow", &["notes:read"]).await;
    assert_eq!(changed.status, 400, "{changed:?}");
    let silent = browser
        .get(&app.asks("notes:read").and("prompt", "none").path())
        .await;
    assert_eq!(silent.error_at(CB), "consent_required");
}

/// One answer, one code (§4.1.2: "The client MUST NOT use the authorization code more than once").
#[actix_web::test]
async fn a_second_answer_gives_no_second_code() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let flow = app.asks("notes:read");
    let page = browser.get(&flow.path()).await;
    let code = browser
        .decide(&page, "allow", &["notes:read"])
        .await
        .brings(CB)["code"]
        .clone();
    for decision in ["allow", "deny"] {
        let again = browser.decide(&page, decision, &["notes:read"]).await;
        assert!(again.is_dead_end(), "{decision}: {again:?}");
    }
    tokens(app.redeem(&flow, &code).await).await;
}

/// Nor do two answers at once.
#[actix_web::test]
async fn of_two_answers_at_once_one_counts() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let page = browser.get(&app.asks("notes:read").path()).await;
    let answer = || browser.decide(&page, "allow", &["notes:read"]);
    let answers: [_; 4] = tokio::join!(answer(), answer(), answer(), answer()).into();
    let codes = answers.iter().filter(|page| page.status == 303).count();
    assert_eq!(codes, 1, "{answers:?}");
}

/// A question that has lain about for half an hour is no longer answered.
#[actix_web::test]
async fn an_old_question_is_not_answered() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let early = browser.get(&app.asks("notes:read").path()).await;
    let late = browser.get(&app.asks("notes:read").path()).await;
    server.clock.advance(seconds(30 * 60 - 1));
    let answer = browser
        .decide(&early, "allow", &["notes:read"])
        .await
        .brings(CB);
    assert!(answer.contains_key("code"), "{answer:?}");
    server.clock.advance(seconds(1));
    for decision in ["allow", "deny"] {
        let answer = browser.decide(&late, decision, &["notes:read"]).await;
        assert!(answer.is_dead_end(), "{decision}: {answer:?}");
    }
}

/// An app that is switched off while the person thinks gets no code.
#[actix_web::test]
async fn an_app_switched_off_meanwhile_gets_no_code() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    let page = browser.get(&app.asks("notes:read").path()).await;
    server.disable_app(&app);
    let answer = browser.decide(&page, "allow", &["notes:read"]).await;
    assert!(answer.is_dead_end(), "{answer:?}");
}

/// What is kept for administrators is not other people's to give.
#[actix_web::test]
async fn a_reserved_scope_is_offered_to_administrators_only() {
    let server = Server::start().await;
    let notes = server.notes();
    let app = server.app(AppOptions {
        scope: "notes:read notes:admin",
        ..AppOptions::default()
    });
    let flow = app.asks("notes:read notes:admin");
    let alice = server.signed_in(&server.user("alice")).await;
    let page = alice.get(&flow.path()).await;
    assert_eq!(page.offered(), ["notes:read"]);
    let forced = alice
        .decide(&page, "allow", &["notes:read", "notes:admin"])
        .await;
    assert!(forced.is_dead_end(), "{forced:?}");
    let alone = alice.get(&app.asks("notes:admin").path()).await;
    assert_eq!(alone.error_at(CB), "invalid_scope");

    let root = server.signed_in(&server.admin("root")).await;
    let page = root.get(&flow.path()).await;
    assert_eq!(page.offered(), ["notes:admin", "notes:read"]);
    let code = query(app.allow(&root, &page).await.location())["code"].clone();
    let tokens = tokens(app.redeem(&flow, &code).await).await;
    let answer = notes.introspect(&tokens.access).await;
    assert_eq!(answer["scope"], "notes:admin notes:read");
}

/// The page says who asks, for what in words, and where the answer goes; every name is plain text on it.
#[actix_web::test]
async fn a_name_is_text_and_turns_no_text_around() {
    let server = Server::start().await;
    server.notes();
    let name = "\"><img src=x onerror=alert(1)><script>alert(1)</script>\u{202e}kcaB\u{200b}u\u{2066}p\u{feff}";
    let app = server.app(AppOptions {
        name,
        ..AppOptions::default()
    });
    let request = app.asks("notes:read").path();
    let stranger = server.browser();
    let sign_in = stranger.get(stranger.get(&request).await.location()).await;
    let browser = server.signed_in(&server.user("alice")).await;
    let consent = browser.get(&request).await;
    app.allow(&browser, &consent).await;
    let apps = browser.get("/settings/apps").await;
    let leave = format!("/settings/apps/{}/disconnect", app.client_id);
    let leave = browser.get(&leave).await;
    for (case, page) in [
        ("sign-in", &sign_in),
        ("consent", &consent),
        ("apps", &apps),
        ("disconnect", &leave),
    ] {
        assert!(
            page.body.contains("alert(1)"),
            "{case} shows the name: {}",
            page.body
        );
        assert!(
            page.body.contains("kcaBup"),
            "{case} shows it straight: {}",
            page.body
        );
        for bad in [
            "<img", "<script>", "\u{202e}", "\u{200b}", "\u{2066}", "\u{feff}",
        ] {
            assert!(
                !page.body.contains(bad),
                "{case} has {bad:?}: {}",
                page.body
            );
        }
    }
    for word in [
        "Do what notes:read is for",
        "https://notes.example",
        "app.example",
        "alice",
    ] {
        assert!(consent.body.contains(word), "{word}: {}", consent.body);
    }
    assert_eq!(
        input(&consent.body, "redirect_uri"),
        None,
        "parameters stay on the server"
    );
}
