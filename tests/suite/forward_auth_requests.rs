//! Which request a proxy asks about, and which rule is for it. Whatever can be read in two ways is let through by nobody.

use std::io::{Read, Write};
use std::net::TcpStream;

use actix_web::rt::task::spawn_blocking;
use jeton::domain::forward_policy::{ForwardPolicy, Otherwise};
use reqwest::header::HeaderValue;
use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::support::{Server, policy};

const ORIGINAL: (&str, &str) = ("X-Original-Method", "X-Original-URI");
const FORWARDED: (&str, &str) = ("X-Forwarded-Method", "X-Forwarded-Uri");

/// A server that lets whoever may read notes get them, and whoever may write them put them; a token for reading.
async fn guarded() -> (Server, String) {
    let server = Server::start().await;
    server.guard_notes(&["GET /notes/* notes:read", "PUT /notes/* notes:write"]);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    (server, token)
}

fn told(question: RequestBuilder, by: (&str, &str), method: &str, target: &str) -> RequestBuilder {
    question.header(by.0, method).header(by.1, target)
}

async fn status(question: RequestBuilder) -> u16 {
    question.send().await.unwrap().status().as_u16()
}

async fn sentence(answer: Response) -> String {
    assert_eq!(answer.status(), 403);
    let body: Value = answer.json().await.unwrap();
    body["error_description"].as_str().unwrap().to_owned()
}

/// Of the rules the first that is for a request decides, by method and path; what none is for is refused.
#[actix_web::test]
async fn the_first_rule_that_fits_decides() {
    let server = Server::start().await;
    server.guard_notes(&[
        "GET /notes/public",
        "GET,HEAD /notes/* notes:read",
        "DELETE /notes/*",
        "* /notes/* notes:write",
        "* /notes/open/*",
        "M-SEARCH /",
    ]);
    let alice = server.user("alice");
    let [read, write] = ["notes:read", "notes:write"].map(|it| server.personal_token(&alice, it));
    for (method, target, to_read, to_write) in [
        ("GET", "/notes/public", 200, 200),
        ("GET", "/notes/public/", 200, 200),
        ("GET", "/notes/public/1", 200, 403),
        ("GET", "/notes", 200, 403),
        ("GET", "/notes/", 200, 403),
        ("GET", "/notes/a/b?c=/../d#e", 200, 403),
        ("HEAD", "/n%6Ftes/1", 200, 403),
        ("POST", "/notes/1", 403, 200),
        ("DELETE", "/notes/1", 200, 200),
        ("PROPFIND", "/notes/1", 403, 200),
        ("PUT", "/notes/open/1", 403, 200),
        ("M-SEARCH", "/", 200, 200),
        ("M-SEARCH", "/?q", 200, 200),
        ("GET", "/", 403, 403),
        ("GET", "/Notes/1", 403, 403),
        ("GET", "/notesy", 403, 403),
        ("GET", "/other", 403, 403),
    ] {
        for (token, expected) in [(&read, to_read), (&write, to_write)] {
            let judged = server.judges(token, method, target).await;
            assert_eq!(judged, expected, "{method} {target}");
        }
    }
}

/// A policy may let everything else through by a good token; it still takes one.
#[actix_web::test]
async fn what_no_rule_is_for_passes_if_the_policy_says_so() {
    let server = Server::start().await;
    server.guard_notes(&[]);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    assert_eq!(server.judges(&token, "GET", "/").await, 403);
    server.put_policy(ForwardPolicy {
        otherwise: Otherwise::Allow,
        ..policy(&["* /admin/* notes:admin"])
    });
    assert_eq!(server.judges(&token, "BREW", "/any/thing").await, 200);
    assert_eq!(server.judges(&token, "GET", "/admin").await, 403);
    assert_eq!(server.judges("garbage", "GET", "/").await, 401);
    assert_eq!(status(server.asks("GET", "/")).await, 401);
}

/// nginx names the request by headers of our choice, Caddy and Traefik by theirs, Envoy repeats it.
#[actix_web::test]
async fn every_proxy_names_the_request_in_its_way() {
    let (server, token) = guarded().await;
    for (method, target, expected) in [
        ("GET", "/notes/1?a=b", 200),
        ("PUT", "/notes/1", 403),
        ("GET", "/", 403),
    ] {
        for by in [ORIGINAL, FORWARDED] {
            let question = server.get("/forward-auth/notes").bearer_auth(&token);
            let judged = status(told(question, by, method, target)).await;
            assert_eq!(judged, expected, "{by:?}: {method} {target}");
        }
        let question = server.request(method, &format!("/forward-auth/notes{target}"));
        let judged = status(question.bearer_auth(&token)).await;
        assert_eq!(judged, expected, "{method} {target}");
    }
}

/// A proxy asks by whatever method it likes, with a body or without, and is answered alike.
#[actix_web::test]
async fn any_method_may_ask() {
    let (server, token) = guarded().await;
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "BREW", "get",
    ] {
        let question = server
            .request(method, "/forward-auth/notes")
            .bearer_auth(&token);
        let question = told(question, ORIGINAL, "GET", "/notes/1");
        assert_eq!(status(question.body("a=b")).await, 200, "{method}");
        let stranger = server.request(method, "/forward-auth/notes");
        assert_eq!(status(stranger).await, 401, "{method}");
    }
    // What is asked about may be none of the methods that a rule is for.
    for (method, expected) in [("GET", 200), ("PUT", 403), ("OPTIONS", 403), ("BREW", 403)] {
        let question = server.request(method, "/forward-auth/notes/notes/1");
        assert_eq!(
            status(question.bearer_auth(&token)).await,
            expected,
            "{method}"
        );
    }
}

/// A proxy that does not say which request it asks about is told what it lacks.
#[actix_web::test]
async fn a_request_that_is_not_named_passes_by_no_rule() {
    let (server, token) = guarded().await;
    server.put_policy(ForwardPolicy {
        otherwise: Otherwise::Allow,
        ..policy(&["* /*"])
    });
    let question = server.get("/forward-auth/notes?a=b").bearer_auth(&token);
    let said = sentence(question.send().await.unwrap()).await;
    assert!(
        said.contains("X-Original-Method and X-Original-URI"),
        "{said}"
    );
    for (method, target) in [ORIGINAL, FORWARDED] {
        for half in [(method, "GET"), (target, "/notes/1")] {
            let question = server.get("/forward-auth/notes").bearer_auth(&token);
            let question = question.header(half.0, half.1);
            sentence(question.send().await.unwrap()).await;
        }
    }
}

/// Which of two was written by the proxy, and which came with the request, can't be seen: so they have to agree.
#[actix_web::test]
async fn who_sends_headers_of_their_own_gets_nothing_by_them() {
    let (server, token) = guarded().await;
    let (fair, foul) = (("GET", "/notes/1"), ("PUT", "/notes/1"));
    let ask = |path: &str| server.request("PUT", path).bearer_auth(&token);
    let plain = || ask("/forward-auth/notes");
    for (case, question) in [
        // The proxy says what is done, the request what may be done; each in either way.
        (
            "of Caddy",
            told(
                told(plain(), FORWARDED, foul.0, foul.1),
                ORIGINAL,
                fair.0,
                fair.1,
            ),
        ),
        (
            "of nginx",
            told(
                told(plain(), ORIGINAL, foul.0, foul.1),
                FORWARDED,
                fair.0,
                fair.1,
            ),
        ),
        (
            "of Envoy",
            told(ask("/forward-auth/notes/notes/1"), ORIGINAL, fair.0, fair.1),
        ),
        (
            "of Envoy",
            told(
                ask("/forward-auth/notes/notes/1"),
                FORWARDED,
                fair.0,
                fair.1,
            ),
        ),
        (
            "twice",
            told(
                told(plain(), ORIGINAL, fair.0, fair.1),
                ORIGINAL,
                foul.0,
                foul.1,
            ),
        ),
        (
            "a second path",
            told(plain(), ORIGINAL, "GET", "/notes/1").header(ORIGINAL.1, "/"),
        ),
        (
            "a half",
            told(plain(), FORWARDED, "GET", "/notes/1").header(ORIGINAL.1, "/notes/1"),
        ),
        (
            "another path",
            told(
                told(plain(), FORWARDED, "GET", "/notes/1"),
                ORIGINAL,
                "GET",
                "/notes/2",
            ),
        ),
        (
            "another spelling",
            told(
                told(plain(), FORWARDED, "GET", "/notes/1"),
                ORIGINAL,
                "GET",
                "/notes/%31",
            ),
        ),
    ] {
        let said = sentence(question.send().await.unwrap()).await;
        assert!(said.contains("in two ways which request"), "{case}: {said}");
    }
    // Where a slash behind the policy's name was a slip of whoever set nginx up, nothing passes either.
    let slip = server.get("/forward-auth/notes/").bearer_auth(&token);
    assert_eq!(status(told(slip, ORIGINAL, "GET", "/notes/1")).await, 403);
    let agreed = told(
        told(plain(), FORWARDED, "GET", "/notes/1?a"),
        ORIGINAL,
        "GET",
        "/notes/1",
    );
    assert_eq!(status(agreed).await, 200);
}

/// Spellings by which a path gets past a rule, or past a proxy, in one server or another.
const UNCLEAR: [&str; 31] = [
    "/open/../notes/1",
    "/open/%2e%2e/notes/1",
    "/open/.%2E/notes/1",
    "/open/..%2fnotes/1",
    "/open/%252e%252e/notes/1",
    "/open/..;/notes/1",
    "/open/..;a=b/notes/1",
    "/open/..%3b/notes/1",
    "/open/..\\notes/1",
    "/open/..%5cnotes/1",
    "/open\\..\\notes",
    "/./notes/1",
    "/%2e/notes/1",
    "//notes/1",
    "/open//notes/1",
    "/open/%2fnotes/1",
    "/notes;a=b/1",
    "/notes%3ba/1",
    "/notes%00/1",
    "/notes%0a/1",
    "/notes%3f/1",
    "/notes%23/1",
    "/notes%2",
    "/notes%",
    "/notes%zz/1",
    "/n%c0%af/1",
    "/%ff/1",
    "/notes%7f",
    "/%2e%2e",
    "/..",
    "/notes%25/1",
];

/// What a service might read as another path is let through by no rule, not even by one that is for all, in whatever way
/// it is named.
#[actix_web::test]
async fn a_path_that_can_be_read_in_two_ways_passes_by_no_rule() {
    let server = Server::start().await;
    server.notes();
    server.put_policy(ForwardPolicy {
        otherwise: Otherwise::Allow,
        ..policy(&["* /open/*", "* /*"])
    });
    let token = server.personal_token(&server.user("alice"), "notes:read");
    assert_eq!(
        raw(&server, "/forward-auth/notes/open/1", &token).await,
        200
    );
    for path in UNCLEAR {
        for by in [ORIGINAL, FORWARDED] {
            let question = server.get("/forward-auth/notes").bearer_auth(&token);
            let said = sentence(told(question, by, "GET", path).send().await.unwrap()).await;
            assert!(
                said.contains("path can be read in two ways"),
                "{path}: {said}"
            );
        }
        let judged = raw(&server, &format!("/forward-auth/notes{path}"), &token).await;
        // What is no URL at all does not come so far.
        assert!([400, 403].contains(&judged), "{path}: {judged}");
    }
    let more = [
        &b"notes"[..],
        b"",
        b"*",
        b"http://notes.example/notes/1",
        b"/a b",
        b"/a\tb",
        b"/\xc3\xa9",
        b"/\xff",
        b"?a",
    ];
    for target in more {
        let question = server.get("/forward-auth/notes").bearer_auth(&token);
        let question = question.header(ORIGINAL.0, "GET");
        let target = HeaderValue::from_bytes(target).unwrap();
        assert_eq!(
            status(question.header(ORIGINAL.1, &target)).await,
            403,
            "{target:?}"
        );
    }
}

/// A method that some services take for another passes by no rule.
#[actix_web::test]
async fn a_method_is_written_in_capital_letters() {
    let server = Server::start().await;
    server.guard_notes(&["* /*"]);
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let long = "A".repeat(33);
    for method in [
        "", "get", "Get", "GET PUT", "GET,PUT", "G%45T", "-", "*", "GÉT", &long,
    ] {
        let question = server.get("/forward-auth/notes").bearer_auth(&token);
        let method = HeaderValue::from_bytes(method.as_bytes()).unwrap();
        let question = question.header(ORIGINAL.0, &method).header(ORIGINAL.1, "/");
        assert_eq!(status(question).await, 403, "{method:?}");
    }
    assert_eq!(server.judges(&token, "VERSION-CONTROL", "/").await, 200);
}

/// The status of the answer to a GET whose path is sent to the letter, as no client would.
async fn raw(server: &Server, path: &str, token: &str) -> u16 {
    let address = server.url.trim_start_matches("http://").to_owned();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
    );
    let answer = spawn_blocking(move || {
        let mut wire = TcpStream::connect(address).expect("the server listens");
        wire.write_all(request.as_bytes()).expect("it is sent");
        let mut answer = String::new();
        wire.read_to_string(&mut answer).expect("it is answered");
        answer
    });
    let answer = answer.await.expect("nothing panics");
    let status = answer.split(' ').nth(1).and_then(|it| it.parse().ok());
    status.unwrap_or_else(|| panic!("no status: {answer}"))
}
