//! Reports of leaked tokens: how they are read and answered, and how often they are taken.

use std::time::{Duration, Instant};

use jeton::domain::secret::{Brands, SecretKind};
use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{Server, seconds, trail};

const REPORT: &str = "/api/leaked-tokens";
const PASTE: &str = "https://paste.example/a?b";

async fn send(server: &Server, body: &Value) -> Response {
    let sent = server.request("POST", REPORT).json(body).send().await;
    sent.expect("the server answers")
}

fn made_up(kind: SecretKind) -> String {
    let brands = Brands::new(vec!["jeton".to_owned()]).expect("a brand");
    brands.mint(kind).expose().to_owned()
}

/// Whatever is reported, the answer is the same, and it never comes before a quarter of a second has passed: that is longer
/// than the work for any of them takes.
#[actix_web::test]
async fn nothing_tells_a_real_token_from_another() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let real = server.personal_token(&alice, "notes:read");
    let other = Brands::new(vec!["acme".to_owned()]).unwrap();
    let mut seen: Vec<(String, Vec<String>)> = vec![];
    for (case, token) in [
        ("real", real.clone()),
        ("ended", real.clone()),
        ("made up", made_up(SecretKind::PersonalAccessToken)),
        ("cut short", real[..40].to_owned()),
        (
            "another server's",
            other.mint(SecretKind::AccessToken).expose().to_owned(),
        ),
        ("a code", made_up(SecretKind::AuthorizationCode)),
        ("nothing", String::new()),
        ("long", "x".repeat(100_000)),
        ("NUL", "\0".to_owned()),
    ] {
        let began = Instant::now();
        let answer = send(&server, &json!({"tokens": [token]})).await;
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(250), "{case}: {took:?}");
        assert_eq!(answer.status(), 202, "{case}");
        let headers = answer.headers().iter();
        let headers =
            headers.filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
        let headers = headers
            .map(|(name, value)| format!("{name}: {value:?}"))
            .collect();
        seen.push((answer.text().await.unwrap(), headers));
    }
    assert!(seen.iter().all(|each| *each == seen[0]), "{seen:#?}");
    assert_eq!(seen[0].0, "");
}

/// Who says who they are is treated no differently.
#[actix_web::test]
async fn nobody_is_asked_who_they_are() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    for (name, value) in [
        ("Authorization", "Bearer nonsense".to_owned()),
        ("Authorization", "Basic bm9ib2R5Om5vdGhpbmc=".to_owned()),
        ("Cookie", browser.cookies()),
    ] {
        let token = server.personal_token(&alice, "notes:read");
        let request = server.request("POST", REPORT).header(name, value);
        let answer = request.json(&json!({"tokens": [token]})).send().await;
        assert_eq!(answer.unwrap().status(), 202, "{name}");
        assert!(!notes.accepts(&token).await, "{name}");
    }
    let entries = trail(&server, "token.leaked");
    assert!(
        entries.iter().all(|entry| entry.actor == "anyone"),
        "{entries:?}"
    );
}

/// A bad report is refused in words that repeat none of it, and ends nothing.
#[actix_web::test]
async fn a_bad_report_is_refused_and_ends_nothing() {
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let good = json!([token]);
    let many: Vec<&str> = vec![&token; 1001];
    let bad = |body: Value| body.to_string();
    for (status, code, body) in [
        (400, "request.malformed", String::new()),
        (400, "request.malformed", format!("\"{token}\"")),
        (400, "request.malformed", format!("tokens={token}")),
        (400, "request.malformed", bad(json!({"tokens": token}))),
        (400, "request.malformed", bad(json!({"tokens": [1, token]}))),
        (
            400,
            "request.malformed",
            bad(json!({&token: 1, "tokens": good})),
        ),
        (
            400,
            "request.malformed",
            bad(json!({"tokens": good, "url": 1})),
        ),
        (400, "request.malformed", bad(json!({"url": PASTE}))),
        (422, "leak.token_count", bad(json!({"tokens": []}))),
        (422, "leak.token_count", bad(json!({"tokens": many}))),
        (
            422,
            "leak.url_invalid",
            bad(json!({"tokens": good, "url": ""})),
        ),
        (
            422,
            "leak.url_invalid",
            bad(json!({"tokens": good, "url": "paste"})),
        ),
        (
            422,
            "leak.url_invalid",
            bad(json!({"tokens": good, "url": format!("{PASTE}\0")})),
        ),
        (
            422,
            "leak.url_invalid",
            bad(json!({"tokens": good, "url": format!("{PASTE}{}", "é".repeat(2000))})),
        ),
        (
            422,
            "leak.note_invalid",
            bad(json!({"tokens": good, "note": "a\0b"})),
        ),
        (
            422,
            "leak.note_invalid",
            bad(json!({"tokens": good, "note": "é".repeat(2001)})),
        ),
        (
            413,
            "request.too_large",
            bad(json!({"tokens": good, "note": "x".repeat(256 * 1024)})),
        ),
    ] {
        let request = server.request("POST", REPORT).body(body.clone());
        let answer = request.send().await.expect("the server answers");
        let (got, text) = (answer.status().as_u16(), answer.text().await.unwrap());
        assert_eq!(got, status, "{body:.80}: {text}");
        let refusal: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(refusal["code"], code, "{body:.80}");
        assert!(!text.contains(&token), "{text}");
    }
    assert!(notes.accepts(&token).await);
}

/// The URL and the note may have the token in them, of all things: what is kept has no secret.
#[actix_web::test]
async fn secrets_in_the_url_and_the_note_are_not_kept() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let [one, two] = [(); 2].map(|()| server.personal_token(&alice, "notes:read"));
    let url = format!("https://alice:{two}@git.example/");
    let body = json!({"tokens": [one], "url": url, "note": format!("curl -d token={two}")});
    assert_eq!(send(&server, &body).await.status(), 202);
    let entries = trail(&server, "token.leaked");
    let (one, hint) = (&one[..14], &two[..14]);
    let words = format!("{one} https://alice:{hint}…@git.example/ curl -d token={hint}…");
    assert_eq!(entries[0].detail(), words);
    let dump = String::from_utf8_lossy(&server.dump()).into_owned();
    assert!(!dump.contains(&two));
}

/// A thousand strings in one report are all looked at.
#[actix_web::test]
async fn a_report_may_have_a_thousand_tokens() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let mut real: Vec<String> = vec![];
    let mut tokens: Vec<String> = vec![];
    for number in 0..1000 {
        let next = match number % 97 {
            0 => server.personal_token(&alice, "notes:read"),
            _ => made_up(SecretKind::PersonalAccessToken),
        };
        real.extend((number % 97 == 0).then(|| next.clone()));
        tokens.push(next);
    }
    assert_eq!(
        send(&server, &json!({"tokens": tokens})).await.status(),
        202
    );
    for token in &real {
        assert!(!notes.accepts(token).await);
    }
    assert_eq!(trail(&server, "token.leaked").len(), real.len());
}

/// One network may send so many reports a minute, good and bad, and is told when it may go on.
#[actix_web::test]
async fn one_network_may_report_so_often_and_no_more() {
    let server = Server::with(&[("trusted_proxies", "127.0.0.1")]).await;
    let from = async |address: &str| {
        let request = server.request("POST", REPORT).body("{}");
        let request = request.header("X-Forwarded-For", address);
        let answer = request.send().await.expect("the server answers");
        let wait = answer.headers().get("retry-after");
        let wait = wait.map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), wait)
    };
    for number in 0..60 {
        let address = format!("2001:db8:0:1::{number:x}");
        assert_eq!(from(&address).await, (400, None), "{number}");
    }
    server.clock.advance(seconds(40));
    let last = from("2001:db8:0:1:ffff::1").await;
    assert_eq!(last, (429, Some("20".to_owned())), "the same /64");
    assert_eq!(from("2001:db8:0:2::1").await.0, 400, "another");
    assert_eq!(from("203.0.113.7").await.0, 400);
    server.clock.advance(seconds(20));
    assert_eq!(from("2001:db8:0:1::1").await.0, 400, "a minute later");
}
