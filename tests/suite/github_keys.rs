//! The keys of GitHub's secret scanning: when they are read, from where, and what a publisher that fails costs.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::{HttpResponse, HttpServer, web};
use jeton::jobs::github_keys::refresh;
use serde_json::json;

use crate::support::{
    FINDINGS, GithubKey, Jeton, KEYS, Server, client, github_keys, seconds, until,
};

/// In api.github.com's place: it has a document, and counts who asks for it.
struct Publisher {
    url: String,
    state: Arc<Mutex<(usize, u16, String)>>,
}

impl Publisher {
    fn of(document: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let url = format!("http://{}/keys", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new((0, 200, document)));
        let shared = state.clone();
        let server = HttpServer::new(move || {
            let shared = shared.clone();
            let give = move || {
                let mut state = shared.lock().unwrap();
                state.0 += 1;
                let status = state.1.try_into().expect("a status");
                let answer = HttpResponse::build(status)
                    .insert_header(("Location", "/elsewhere"))
                    .body(state.2.clone());
                async move { answer }
            };
            actix_web::App::new().route("/keys", web::get().to(give))
        });
        let server = server.workers(1).disable_signals().listen(listener);
        actix_web::rt::spawn(server.expect("it starts").run());
        Self { url, state }
    }

    fn asked(&self) -> usize {
        self.state.lock().unwrap().0
    }

    fn publish(&self, status: u16, document: String) {
        let mut state = self.state.lock().unwrap();
        (state.1, state.2) = (status, document);
    }
}

/// The keys are fetched at start and every hour; sooner when a signature names an unknown one, but once a minute at the most.
#[actix_web::test]
async fn a_new_key_is_fetched_when_it_is_asked_for_and_not_too_often() {
    let (old, new) = (GithubKey::p256("old"), GithubKey::p256("new"));
    let publisher = Publisher::of(github_keys(&[&old]));
    let server = Server::with(&[(KEYS, &publisher.url)]).await;
    refresh(&server.app).await;
    assert_eq!(old.sends(&server, "[]").await.status(), 200);
    publisher.publish(200, github_keys(&[&old, &new]));
    server.clock.advance(seconds(59));
    for _ in 0..3 {
        assert_eq!(new.sends(&server, "[]").await.status(), 403);
        refresh(&server.app).await;
    }
    assert_eq!(publisher.asked(), 1, "a minute has not passed");
    server.clock.advance(seconds(1));
    refresh(&server.app).await;
    assert_eq!(publisher.asked(), 2);
    assert_eq!(new.sends(&server, "[]").await.status(), 200);
    server.clock.advance(seconds(3599));
    refresh(&server.app).await;
    assert_eq!(
        publisher.asked(),
        2,
        "an hour has not passed, and nothing is wanted"
    );
    server.clock.advance(seconds(1));
    refresh(&server.app).await;
    assert_eq!(publisher.asked(), 3);
}

/// Keys that can't be fetched, or are too large, or are none, leave those that are known; it is tried again a minute later.
#[actix_web::test]
async fn a_publisher_that_fails_costs_no_key() {
    let (old, new) = (GithubKey::p256("old"), GithubKey::p256("new"));
    let publisher = Publisher::of(github_keys(&[&old]));
    let server = Server::with(&[(KEYS, &publisher.url)]).await;
    refresh(&server.app).await;
    server.clock.advance(seconds(3540));
    let mut padded = github_keys(&[&new]);
    padded.push_str(&" ".repeat(300 * 1024));
    for (case, status, answer) in [
        ("an error", 503, github_keys(&[&new])),
        ("a redirect", 302, github_keys(&[&new])),
        ("too large", 200, padded),
        ("no JSON", 200, "<html>".to_owned()),
        ("no keys", 200, json!({"public_keys": []}).to_string()),
    ] {
        let before = publisher.asked();
        publisher.publish(status, answer);
        server.clock.advance(seconds(60));
        refresh(&server.app).await;
        assert_eq!(publisher.asked(), before + 1, "{case}");
        assert_eq!(old.sends(&server, "[]").await.status(), 200, "{case}");
    }
    publisher.publish(200, github_keys(&[&new]));
    server.clock.advance(seconds(60));
    refresh(&server.app).await;
    assert_eq!(new.sends(&server, "[]").await.status(), 200);
    assert_eq!(
        old.sends(&server, "[]").await.status(),
        403,
        "it was withdrawn"
    );
}

/// A publisher that takes the connection and says nothing is given up.
#[actix_web::test]
async fn a_silent_publisher_is_given_up() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let url = format!("http://{}/keys", silent.local_addr().expect("an address"));
    let server = Server::with(&[(KEYS, &url)]).await;
    let given_up = tokio::time::timeout(Duration::from_secs(30), refresh(&server.app)).await;
    assert!(given_up.is_ok());
    drop(silent);
}

/// The server itself fetches the keys, and refuses to start on a file that has none.
#[actix_web::test]
async fn a_server_has_its_keys_when_it_starts() {
    let key = GithubKey::p256("current");
    let publisher = Publisher::of(github_keys(&[&key]));
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json");
    std::fs::write(&file, github_keys(&[&key])).expect("it is written");
    for source in [publisher.url.as_str(), file.to_str().expect("a plain path")] {
        let jeton = Jeton::with(&[(KEYS, source)]);
        let server = jeton.serve();
        let http = client();
        until("the keys are known", async || {
            let request = http
                .post(format!("{}{FINDINGS}", server.url))
                .header("Github-Public-Key-Identifier", key.id)
                .header("Github-Public-Key-Signature", key.sign("[]"));
            let answer = request.body("[]").send().await.unwrap();
            assert!([200, 503].contains(&answer.status().as_u16()), "{answer:?}");
            answer.status() == 200
        })
        .await;
    }
    for none in ["{}", "no JSON"] {
        std::fs::write(&file, none).expect("it is written");
        let jeton = Jeton::with(&[(KEYS, file.to_str().expect("a plain path"))]);
        let ran = jeton.run(&["serve"]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(KEYS), "{}", ran.stderr);
    }
    let jeton = Jeton::with(&[(KEYS, "/nowhere/keys.json")]);
    let ran = jeton.run(&["serve"]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains(KEYS), "{}", ran.stderr);
}
