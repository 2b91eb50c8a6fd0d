//! Whatever is sent, the answer is never a fault of the server's: every endpoint that takes a body gets all the bodies
//! that nobody should send, from everybody who might.

use jeton::web::routes;
use rand::TryRng;
use rand::rngs::SysRng;
use reqwest::RequestBuilder;
use reqwest::header::HeaderValue;

use crate::support::{AppOptions, Browser, Server};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// Bodies, and what they say that they are.
fn bodies() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let mut random = vec![0; 4096];
    SysRng.try_fill_bytes(&mut random).expect("random bytes");
    let fields =
        "grant_type token scope code client_id username password name request decision next";
    let each = |value: &str| {
        let pairs: Vec<String> = fields
            .split(' ')
            .map(|name| format!("{name}={value}"))
            .collect();
        pairs.join("&").into_bytes()
    };
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    vec![
        ("nothing", FORM, vec![]),
        ("nothing", JSON, vec![]),
        ("nothing, of no type", "", vec![]),
        ("random bytes", FORM, random.clone()),
        ("random bytes", JSON, random),
        ("a megabyte", FORM, vec![b'a'; 1 << 20]),
        ("a megabyte of fields", FORM, b"a=b&".repeat(1 << 18)),
        ("a megabyte", JSON, vec![b'['; 1 << 20]),
        (
            "another type",
            "text/html; charset=x",
            b"grant_type=x".to_vec(),
        ),
        ("a type that is none", "\u{1f}/;;", b"grant_type=x".to_vec()),
        (
            "multipart",
            "multipart/form-data; boundary=x",
            b"--x\r\n\r\n--x--".to_vec(),
        ),
        ("NUL", FORM, each("%00")),
        ("bare NUL", FORM, each("\0")),
        ("no UTF-8", FORM, each("%ff%fe%c3")),
        (
            "bare no UTF-8",
            FORM,
            b"token=\xff\xfe&grant_type=\xc3".to_vec(),
        ),
        ("half a percent sign", FORM, each("%")),
        ("a surrogate", FORM, each("%ed%a0%80")),
        ("line breaks", FORM, each("%0d%0aSet-Cookie:%20a=b")),
        ("quotes", FORM, each("%27%22%3B--")),
        ("a long value", FORM, each(&"z".repeat(1200))),
        (
            "everything twice",
            FORM,
            [each("x"), vec![b'&'], each("x")].concat(),
        ),
        ("signs alone", FORM, b"&=&==&;&%&+".to_vec()),
        ("deep", JSON, deep.into_bytes()),
        (
            "numbers",
            JSON,
            br#"{"name":1e999,"scopes":-1,"expiresAt":99999999999999999999}"#.to_vec(),
        ),
        (
            "the end of time",
            JSON,
            br#"{"name":"x","scopes":["notes:read"],"expiresAt":9223372036854775807}"#.to_vec(),
        ),
        (
            "the beginning of time",
            JSON,
            br#"{"name":"x","scopes":["notes:read"],"expiresAt":-9223372036854775808}"#.to_vec(),
        ),
        (
            "NUL",
            JSON,
            br#"{"name":"\u0000","currentName":"\u0000","description":"\u0000"}"#.to_vec(),
        ),
        (
            "half a pair",
            JSON,
            br#"{"name":"\ud800","currentName":"x"}"#.to_vec(),
        ),
        ("null", JSON, b"null".to_vec()),
        ("no UTF-8", JSON, b"{\"name\":\"\xff\"}".to_vec()),
    ]
}

/// Those who may come to a door: each adds to a request what it has. Browsers' forms carry a good CSRF token, so that
/// what is behind it is reached.
struct Crowd {
    browser: Browser,
    csrf: String,
    basic: (String, String),
    token: String,
}

impl Crowd {
    async fn gather(server: &Server, administrator: &str) -> Self {
        let app = server.app(AppOptions {
            scope: "pats:read pats:write pats:revoke policies:write",
            ..AppOptions::default()
        });
        let browser = server.signed_in(&server.admin(administrator)).await;
        let csrf = browser.get("/settings/password").await.input("csrf");
        let api = "pats:read pats:write pats:revoke policies:write";
        let token = app.let_in(&browser, api).await.access;
        Self {
            browser,
            csrf,
            basic: (app.client_id, app.client_secret.expect("a secret")),
            token,
        }
    }

    /// Whether they still have what opens doors: only then has a table of requests tried what is behind them.
    async fn is_let_in(&self, server: &Server) -> bool {
        let cookies = self.browser.cookies();
        let page = server.get("/settings/password").header("Cookie", cookies);
        let tokens = server.get("/api/users/nobody/personal-access-tokens");
        let tokens = tokens.bearer_auth(&self.token).send().await.unwrap();
        page.send().await.unwrap().status() == 200 && tokens.status() == 404
    }

    /// The request as each of them would send it, `body` being what they share.
    fn requests(
        &self,
        make: impl Fn() -> RequestBuilder,
        content_type: &str,
        body: &[u8],
    ) -> Vec<(&'static str, RequestBuilder)> {
        let mut with_csrf = format!("csrf={}&", self.csrf).into_bytes();
        with_csrf.extend_from_slice(body);
        let (id, secret) = &self.basic;
        let in_browser = make()
            .header("Cookie", self.browser.cookies())
            .header("X-CSRF-Token", &self.csrf);
        let in_browser = match content_type {
            FORM => in_browser.body(with_csrf),
            _ => in_browser.body(body.to_vec()),
        };
        vec![
            ("a stranger", make().body(body.to_vec())),
            (
                "a client",
                make().basic_auth(id, Some(secret)).body(body.to_vec()),
            ),
            (
                "a holder",
                make().bearer_auth(&self.token).body(body.to_vec()),
            ),
            ("a browser", in_browser),
        ]
    }
}

/// Where a body is taken, but not where a session or a token ends by being shown: after that it would open no more.
fn endpoints() -> Vec<(String, String)> {
    let with_body = routes::all().into_iter().filter(|route| {
        let ends = ["/sign-out", "/api/personal-access-tokens/self"].contains(&route.path);
        !ends && ["POST", "PUT", "PATCH", "DELETE"].contains(&route.method.as_str())
    });
    with_body
        .flat_map(|route| {
            let filled = |value: &str| {
                let path = route
                    .path
                    .replace("{user}", value)
                    .replace("{token}", value);
                path.replace("{client}", value).replace("{policy}", value)
            };
            let method = route.method.to_string();
            let values = ["root", "%00"];
            let mut paths: Vec<String> = values.iter().map(|value| filled(value)).collect();
            paths.dedup();
            paths.into_iter().map(move |path| (method.clone(), path))
        })
        .collect()
}

/// RFC 9110 §15.6: a 5xx says that the server "is aware that it has erred". By a request alone it never has.
#[actix_web::test]
async fn no_body_makes_the_server_err() {
    let server = Server::start().await;
    for (index, (what, content_type, body)) in bodies().into_iter().enumerate() {
        let crowd = Crowd::gather(&server, &format!("root{index}")).await;
        for (method, path) in endpoints() {
            let make = || {
                let request = server.request(&method, &path);
                match HeaderValue::from_str(content_type) {
                    Ok(value) if !value.is_empty() => request.header("Content-Type", value),
                    _ => request,
                }
            };
            for (who, request) in crowd.requests(make, content_type, &body) {
                let case = format!("{who}: {method} {path} with {what} ({content_type})");
                let answer = request
                    .send()
                    .await
                    .unwrap_or_else(|e| panic!("{case}: {e:?}"));
                assert!(
                    answer.status().as_u16() < 500,
                    "{case}: {}",
                    answer.status()
                );
            }
        }
        assert!(crowd.is_let_in(&server).await, "after {what}");
    }
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);
}

/// Headers that are too long, too many or not text are refused, and the server goes on.
#[actix_web::test]
async fn no_header_makes_the_server_err() {
    let server = Server::start().await;
    let long = "a".repeat(20_000);
    for (method, path) in endpoints() {
        for (name, value) in [
            ("Authorization", long.as_bytes()),
            ("Authorization", b"Basic \xff\xff"),
            ("Authorization", b"Bearer \xff\xff"),
            ("Authorization", b"Bearer"),
            ("Authorization", b""),
            ("Cookie", long.as_bytes()),
            ("Cookie", b"jeton=\xff; =; ;;"),
            ("Content-Type", b"\xff\xfe"),
            ("Content-Type", long.as_bytes()),
            ("X-CSRF-Token", b"\xff"),
            ("X-Forwarded-For", b"\xff, not an address,,"),
            ("Origin", b"\xff"),
            ("Host", b"\xff"),
            ("Accept", long.as_bytes()),
        ] {
            let value = HeaderValue::from_bytes(value).expect("a header may have these bytes");
            let request = server.request(&method, &path).header(name, value);
            let answer = request.body("a=b").send().await;
            let case = format!("{method} {path} with an odd {name}");
            let answer = answer.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            assert!(
                answer.status().as_u16() < 500,
                "{case}: {}",
                answer.status()
            );
        }
    }
    assert_eq!(server.get("/readyz").send().await.unwrap().status(), 200);
}

/// A query that no client would send is read as far as it can be, or refused.
#[actix_web::test]
async fn a_query_that_cannot_be_read_is_no_fault() {
    let server = Server::start().await;
    let crowd = Crowd::gather(&server, "root").await;
    for route in routes::all() {
        let path = route.path.replace(['{', '}'], "");
        for query in [
            "%",
            "%00",
            "%ff=%ff",
            "a=b&a=b&code=",
            "next=//evil.example",
            "=&=",
            "client_id=%00",
        ] {
            for cookie in [String::new(), crowd.browser.cookies()] {
                let request = server.request(route.method.as_str(), &format!("{path}?{query}"));
                let answer = request.header("Cookie", cookie).send().await.unwrap();
                let status = answer.status().as_u16();
                assert!(status < 500, "{} {path}?{query}: {status}", route.method);
            }
        }
    }
}
