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

/// A server that believes the proxy before it, and alice.
async fn behind_a_proxy(more: &[(&str, &str)]) -> Server {
    let server = Server::with(&[&[("trusted_proxies", "127.0.0.1")], more].concat()).await;
    server.user("alice");
    server
}

/// Who guesses at one account is braked there; its person elsewhere is not, and nor is anybody else where they are.
#[actix_web::test]
async fn a_guesser_is_braked_and_not_the_account() {
    let server = behind_a_proxy(&[]).await;
    server.user("bob");
    let guesser = server.browser_at("192.0.2.1");
    use_up(&guesser, "alice").await;
    assert_eq!(wait(&guesser.sign_in("alice", PASSWORD).await), 2);
    let bob = server
        .browser_at("192.0.2.1")
        .sign_in("bob", PASSWORD)
        .await;
    assert_eq!(bob.status, 303, "{bob:?}");
    let elsewhere = server.browser_at("198.51.100.1");
    let alice = elsewhere.sign_in("alice", PASSWORD).await;
    assert_eq!(alice.status, 303, "{alice:?}");
}

/// Guesses at one account from everywhere brake it for everybody, but nobody is locked out for longer than half a minute.
#[actix_web::test]
async fn an_account_is_braked_gently() {
    let server = behind_a_proxy(&[]).await;
    let mut hosts = 1..=254;
    let mut stranger = || {
        let host = hosts.next().expect("there are enough");
        server.browser_at(&format!("192.0.2.{host}"))
    };
    for attempt in 0..=20 {
        let page = stranger().sign_in("alice", "wrong").await;
        assert_eq!(page.status, 401, "attempt {attempt}: {page:?}");
    }
    for expected in [2, 4, 8, 16, 30, 30, 30] {
        let alice = stranger();
        assert_eq!(wait(&alice.sign_in("alice", PASSWORD).await), expected);
        server.clock.advance(seconds(expected));
        assert_eq!(stranger().sign_in("alice", "wrong").await.status, 401);
    }
    server.clock.advance(seconds(30));
    assert_eq!(stranger().sign_in("alice", PASSWORD).await.status, 303);
}

/// Who has one address of IPv6 has a whole /64 of them: they count as one. The next /64 is somebody else's.
#[actix_web::test]
async fn the_addresses_of_one_ipv6_connection_count_as_one() {
    let server = behind_a_proxy(&[]).await;
    for host in 0..=FREE {
        let address = format!("2001:db8:1:2:{host:x}::{host:x}");
        let page = server.browser_at(&address).sign_in("alice", "wrong").await;
        assert_eq!(page.status, 401, "{address}: {page:?}");
    }
    let same = server.browser_at("2001:db8:1:2:ffff:ffff:ffff:ffff");
    assert_eq!(wait(&same.sign_in("alice", PASSWORD).await), 2);
    let next = server.browser_at("2001:db8:1:3::1");
    assert_eq!(next.sign_in("alice", PASSWORD).await.status, 303);
}

/// Who has to wait is told so at once, and takes no place among those whose passwords are being checked.
#[actix_web::test]
async fn who_is_braked_waits_for_no_thread() {
    let server = behind_a_proxy(&[("password_threads", "1")]).await;
    let guesser = server.browser_at("192.0.2.1");
    use_up(&guesser, "alice").await;
    let (begun, has_begun) = tokio::sync::oneshot::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let app = server.app.clone();
    let busy = actix_web::rt::spawn(async move {
        app.with_password(move || {
            begun.send(()).expect("the test waits for it");
            Ok::<_, jeton::db::Fault>(released.recv().is_ok())
        })
        .await
    });
    has_begun.await.expect("the only thread is taken");
    let answer = tokio::time::timeout(seconds(20), guesser.sign_in("alice", PASSWORD)).await;
    assert_eq!(wait(&answer.expect("it does not wait for the thread")), 2);
    release.send(()).expect("the thread waits for it");
    assert!(busy.await.unwrap().unwrap());
}
