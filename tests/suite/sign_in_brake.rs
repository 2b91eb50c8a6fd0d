//! The brake on guessing passwords: the first failures are free, then each costs a longer wait.

use crate::support::{Browser, PASSWORD, Page, Server, seconds};

/// Failures of one account, and of one address, that cost nothing.
const FREE: usize = 5;
const FREE_OF_ADDRESS: usize = 20;

/// Fail once more than is free, for which there is no wait yet.
async fn use_up(browser: &Browser, name: &str) {
    for attempt in 0..=FREE {
        let page = browser.sign_in(name, "wrong").await;
        assert_eq!(page.status, 401, "attempt {attempt} of {name}: {page:?}");
    }
}

/// The seconds that an attempt is told to wait. It has to be refused without a session.
fn wait(page: &Page) -> u64 {
    assert_eq!(page.status, 429, "{page:?}");
    assert!(!page.headers.contains_key("set-cookie"), "{page:?}");
    let wait = page.header("retry-after").parse();
    wait.unwrap_or_else(|_| panic!("no time in Retry-After: {page:?}"))
}

/// Whoever is too fast is told to wait, even with the right password, and gets in when the wait is over (RFC 6585 §4).
#[actix_web::test]
async fn after_the_free_attempts_even_the_right_password_waits() {
    let server = Server::start().await;
    server.user("alice");
    let browser = server.browser();
    use_up(&browser, "alice").await;
    for password in ["wrong", PASSWORD] {
        assert_eq!(wait(&browser.sign_in("alice", password).await), 2);
    }
    server.clock.advance(std::time::Duration::from_millis(1999));
    assert_eq!(wait(&browser.sign_in("alice", PASSWORD).await), 1);
    server.clock.advance(std::time::Duration::from_millis(1));
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 303);
}

/// Each failure doubles the wait, up to a quarter of an hour; what is refused unseen is no failure.
#[actix_web::test]
async fn the_wait_grows_and_has_an_end() {
    let server = Server::start().await;
    server.user("alice");
    let browser = server.browser();
    use_up(&browser, "alice").await;
    for expected in [2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900] {
        let told = wait(&browser.sign_in("alice", "wrong").await);
        assert_eq!(told, expected);
        assert_eq!(wait(&browser.sign_in("alice", PASSWORD).await), expected);
        server.clock.advance(seconds(expected));
        assert_eq!(
            browser.sign_in("alice", "wrong").await.status,
            401,
            "after {expected} s"
        );
    }
}

/// The brake holds for a name, however it is written and whoever has it or not, and from every browser and node.
#[actix_web::test]
async fn the_brake_holds_for_the_name() {
    let server = Server::start().await;
    server.user("alice");
    server.user("bob");
    use_up(&server.browser(), "alice").await;
    use_up(&server.browser(), "nobody").await;
    let elsewhere = server.another_node().await;
    for name in ["alice", "ALICE", " alice ", "nobody"] {
        for node in [&server, &elsewhere] {
            let page = node.browser().sign_in(name, PASSWORD).await;
            assert_eq!(wait(&page), 2, "{name}");
        }
    }
    let bob = server.browser().sign_in("bob", PASSWORD).await;
    assert_eq!(bob.status, 303, "another's failures are not bob's: {bob:?}");
}

/// Who tries one password on many names is braked by address; what a stranger says of where they come from is nothing.
#[actix_web::test]
async fn the_brake_holds_for_the_address() {
    let server = Server::start().await;
    server.user("alice");
    let browser = server.browser();
    for attempt in 0..=FREE_OF_ADDRESS {
        let page = browser.sign_in(&format!("name{attempt}"), "wrong").await;
        assert_eq!(page.status, 401, "attempt {attempt}: {page:?}");
    }
    assert_eq!(wait(&browser.sign_in("alice", PASSWORD).await), 2);
    let csrf = browser.get("/sign-in").await.input("csrf");
    let form = [
        ("csrf", csrf.as_str()),
        ("username", "alice"),
        ("password", PASSWORD),
    ];
    let disguised = server
        .post("/sign-in", &form)
        .header("cookie", browser.cookies())
        .header("x-forwarded-for", "203.0.113.9");
    let answer = disguised.send().await.expect("the server answers");
    assert_eq!(answer.status(), 429);
    server.clock.advance(seconds(2));
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 303);
}

/// Who gets in starts from nothing, and so does everybody after an hour of peace.
#[actix_web::test]
async fn failures_are_forgotten() {
    let server = Server::start().await;
    server.user("alice");
    let browser = server.browser();
    use_up(&browser, "alice").await;
    server.clock.advance(seconds(2));
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 303);
    let browser = server.browser();
    use_up(&browser, "alice").await;
    assert_eq!(wait(&browser.sign_in("alice", "wrong").await), 2);
    server.clock.advance(seconds(3601));
    use_up(&browser, "alice").await;
}

/// Failures at "enter your password again" and at "change password" count for the same account, and are braked alike.
#[actix_web::test]
async fn the_brake_holds_wherever_a_password_is_entered() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    use_up(&server.browser(), "alice").await;
    let again = browser.submit("/step-up", &[("password", PASSWORD)]).await;
    assert_eq!(wait(&again), 2, "password again");
    let change = [
        ("current_password", PASSWORD),
        ("new_password", "an entirely new one"),
        ("repeat_password", "an entirely new one"),
    ];
    let changed = browser.submit("/settings/password", &change).await;
    assert_eq!(wait(&changed), 2, "change password");
    server.clock.advance(seconds(2));
    let wrong = browser.submit("/step-up", &[("password", "wrong")]).await;
    assert_eq!(wrong.status, 401, "{wrong:?}");
    assert_eq!(wait(&server.browser().sign_in("alice", PASSWORD).await), 4);
}
