//! What a person takes back by disconnecting an app or by a new password (RFC 9700 §4.14.2): consents, questions, codes.

use jeton::domain::password::Password;
use jeton::domain::user::User;

use crate::support::{App, AppOptions, Browser, PASSWORD, Server, refused, tokens};

const CB: &str = "https://app.example/cb";
const NEW: &str = "an entirely different sentence";

/// Alice changes her password at this browser.
async fn change_password(browser: &Browser) {
    let fields = [
        ("current_password", PASSWORD),
        ("new_password", NEW),
        ("repeat_password", NEW),
    ];
    let done = browser.submit("/settings/password", &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
}

async fn disconnect(browser: &Browser, app: &App) {
    let path = format!("/settings/apps/{}/disconnect", app.client_id);
    let done = browser.submit(&path, &[]).await;
    assert_eq!(done.status, 303, "{}", done.text());
}

/// The operator gives somebody a new password.
fn set_password(server: &Server, user: &User) {
    let hash = Password::new(NEW.to_owned()).hash();
    server.write(|tx| Ok(user.set_password(tx, &hash)?));
}

/// A code that an app has not redeemed yet dies with what it stands for: that app's leave, and nobody else's.
#[actix_web::test]
async fn a_code_dies_with_disconnecting_its_app() {
    let server = Server::start().await;
    let notes = server.notes();
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let (alice, bob) = (server.signed_in(&alice).await, server.signed_in(&bob).await);
    let app = server.app(AppOptions::default());
    let other = server.app(AppOptions::default());
    let flow = app.asks("notes:read");
    let code = app.code(&alice, &flow).await;
    let bobs = app.code(&bob, &flow).await;
    let other_flow = other.asks("notes:read");
    let others = other.code(&alice, &other_flow).await;

    disconnect(&alice, &app).await;

    let late = app.redeem(&flow, &code).await;
    refused(late, 400, "invalid_grant", "disconnected").await;
    let bobs = tokens(app.redeem(&flow, &bobs).await).await;
    let others = tokens(other.redeem(&other_flow, &others).await).await;
    assert!(notes.accepts(&bobs.access).await && notes.accepts(&others.access).await);
}

/// A question that is still open when the app is disconnected is not answered any more.
#[actix_web::test]
async fn a_question_dies_with_disconnecting_its_app() {
    let server = Server::start().await;
    server.notes();
    let alice = server.signed_in(&server.user("alice")).await;
    let app = server.app(AppOptions::default());
    app.code(&alice, &app.asks("notes:read")).await;
    let open = alice.get(&app.asks("notes:write").path()).await;
    assert!(open.asks_for_consent(), "{open:?}");
    disconnect(&alice, &app).await;
    let answer = alice.decide(&open, "allow", &["notes:write"]).await;
    assert!(answer.is_dead_end(), "{answer:?}");
}

/// A new password is for when somebody else knew the old one: what they allowed dies before it becomes a token.
#[actix_web::test]
async fn a_code_dies_with_a_change_of_password() {
    for by_operator in [false, true] {
        let server = Server::start().await;
        let notes = server.notes();
        let alice = server.user("alice");
        let browser = server.signed_in(&alice).await;
        let bob = server.signed_in(&server.user("bob")).await;
        let app = server.app(AppOptions::default());
        let flow = app.asks("notes:read");
        let code = app.code(&browser, &flow).await;
        let bobs = app.code(&bob, &flow).await;
        match by_operator {
            true => set_password(&server, &alice),
            false => change_password(&browser).await,
        }
        let late = app.redeem(&flow, &code).await;
        let case = format!("by the operator: {by_operator}");
        refused(late, 400, "invalid_grant", &case).await;
        let bobs = tokens(app.redeem(&flow, &bobs).await).await;
        assert!(notes.accepts(&bobs.access).await, "{case}");
    }
}

/// After a new password every app has to ask again; other people are not asked.
#[actix_web::test]
async fn consents_are_forgotten_with_a_change_of_password() {
    let server = Server::start().await;
    server.notes();
    let alice = server.signed_in(&server.user("alice")).await;
    let bob = server.signed_in(&server.user("bob")).await;
    let apps = [(); 2].map(|()| server.app(AppOptions::default()));
    for app in &apps {
        app.code(&alice, &app.asks("notes:read")).await;
        app.code(&bob, &app.asks("notes:read")).await;
    }
    change_password(&alice).await;
    for app in &apps {
        let silent = app.asks("notes:read").and("prompt", "none").path();
        assert_eq!(alice.get(&silent).await.error_at(CB), "consent_required");
        let page = alice.get(&app.asks("notes:read").path()).await;
        assert!(page.asks_for_consent(), "{page:?}");
        assert!(bob.get(&silent).await.brings(CB).contains_key("code"));
    }
}

/// Whoever guessed at the old password has braked nobody who knows the new one, from wherever they guessed.
#[actix_web::test]
async fn the_brake_is_off_after_a_change_of_password() {
    let server = Server::with(&[("trusted_proxies", "127.0.0.1")]).await;
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let networks = ["192.0.2.1", "198.51.100.1"];
    for network in networks {
        for name in ["alice", "bob"] {
            for _ in 0..6 {
                let page = server.browser_at(network).sign_in(name, "wrong").await;
                assert_eq!(page.status, 401, "{name} from {network}");
            }
        }
    }
    let status = |network, name, password| {
        let browser = server.browser_at(network);
        async move { browser.sign_in(name, password).await.status }
    };
    assert_eq!(status("192.0.2.1", "alice", PASSWORD).await, 429);
    set_password(&server, &alice);
    for network in networks {
        assert_eq!(status(network, "alice", NEW).await, 303, "{network}");
        assert_eq!(
            status(network, &bob.username, PASSWORD).await,
            429,
            "{network}"
        );
    }
}
