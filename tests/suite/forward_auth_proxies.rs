//! A real nginx, a real Caddy and a real Envoy, each with the recipe of docs/forward-auth.md to the letter.

use std::process::Command;

use serde_json::Value;

use crate::support::{AppOptions, Kind, Proxy, Server, challenges, json};

const RULES: [&str; 3] = [
    "GET,HEAD /notes/* notes:read",
    "* /notes/* notes:write",
    "GET /notes.git/* notes:read",
];

/// A server that believes its proxy, with a policy; and that proxy.
async fn guarded(kind: Kind) -> (Server, Proxy) {
    let server = Server::with(&[("trusted_proxies", "127.0.0.1")]).await;
    server.guard_notes(&RULES);
    let proxy = Proxy::start(kind, &server).await;
    (server, proxy)
}

/// What has reached the service, whose answer has to be this.
async fn reached(request: reqwest::RequestBuilder) -> Value {
    json(request.send().await.unwrap(), 200).await
}

async fn lets_through_what_may_pass(kind: Kind) {
    let (server, proxy) = guarded(kind).await;
    let alice = server.user("alice");
    let [read, write] = ["notes:read", "notes:write"].map(|it| server.personal_token(&alice, it));
    let url = |path: &str| format!("{}{path}", proxy.url);

    let elsewhere = reqwest::Client::builder().no_proxy();
    let elsewhere = elsewhere.local_address(std::net::IpAddr::from([127, 0, 0, 2]));
    let elsewhere = elsewhere.build().unwrap();
    let got = reached(elsewhere.get(url("/notes/1?a=b%20c")).bearer_auth(&read)).await;
    assert_eq!(
        (&got["method"], &got["target"]),
        (&"GET".into(), &"/notes/1?a=b%20c".into())
    );
    let headers = &got["headers"];
    assert_eq!(headers["x-auth-username"], "alice");
    assert_eq!(headers["x-auth-subject"], alice.id.to_string());
    assert_eq!(headers["x-auth-scopes"], "notes:read");
    assert_eq!(headers["x-auth-client-id"], "personal-access-token");
    for name in ["x-auth-token-id", "x-token-expires-at"] {
        assert!(
            headers[name].as_str().is_some_and(|it| !it.is_empty()),
            "{name}"
        );
    }
    assert_eq!(
        headers.get("authorization"),
        None,
        "the service sees no token"
    );
    server.note_uses().await;
    let own = "/api/personal-access-tokens/self";
    let used = server.script(&read).get(own).await.1["lastUsedFrom"].clone();
    assert_eq!(used, "127.0.0.2", "the client's address, not the proxy's");

    let by_password = server
        .http
        .get(url("/notes/1"))
        .basic_auth("git", Some(&read));
    assert_eq!(
        reached(by_password).await["headers"]["x-auth-username"],
        "alice"
    );
    let put = server
        .http
        .put(url("/notes/1"))
        .bearer_auth(&write)
        .body("a note");
    let put = reached(put).await;
    assert_eq!(
        (&put["method"], &put["body"]),
        (&"PUT".into(), &"a note".into())
    );
}

async fn stops_what_may_not_pass(kind: Kind) {
    let (server, proxy) = guarded(kind).await;
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let ask = |method: &str, path: &str| {
        let method = method.parse().unwrap();
        server.http.request(method, format!("{}{path}", proxy.url))
    };
    let stranger = ask("GET", "/notes/1").send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let asked = challenges(&stranger);
    let asks_for_password = asked.iter().any(|it| it.starts_with("Basic "));
    assert!(asks_for_password, "{asked:?}");
    let bad = ask("GET", "/notes/1")
        .bearer_auth("garbage")
        .send()
        .await
        .unwrap();
    assert_eq!(bad.status(), 401);

    let lacking = ask("PUT", "/notes/1")
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(lacking.status(), 403);
    let missing = "Bearer realm=\"jeton\", error=\"insufficient_scope\", scope=\"notes:write\"";
    assert_eq!(challenges(&lacking), [missing]);
    for path in [
        "/",
        "/other",
        "/notes/%2e%2e/other",
        "/notes//1",
        "/notes;a/1",
        "/notes/..%2fother",
    ] {
        let answer = ask("GET", path).bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    if kind == Kind::Nginx {
        let question = ask("GET", "/forward-auth").bearer_auth(&token);
        let answer = question.send().await.unwrap();
        assert_eq!(answer.status(), 404, "it is nginx's own to ask");
    }
    // Headers of the client's own name no other request.
    for (method, target) in [
        ("X-Original-Method", "X-Original-URI"),
        ("X-Forwarded-Method", "X-Forwarded-Uri"),
    ] {
        let spoofed = ask("PUT", "/notes/1")
            .header(method, "GET")
            .header(target, "/notes/1");
        let answer = spoofed.bearer_auth(&token).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{method}");
    }

    assert_eq!(
        ask("GET", "/notes/1")
            .bearer_auth(&token)
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    server.write(|tx| Ok(alice.disable(tx)?));
    let gone = ask("GET", "/notes/1")
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert_eq!(gone.status(), 401);
    server.write(|tx| Ok(alice.enable(tx)?));
    server.rename_table("tokens", "elsewhere");
    let fault = ask("GET", "/notes/1")
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    assert!(fault.status().is_server_error(), "{}", fault.status());
    server.rename_table("elsewhere", "tokens");
}

/// A service that acts for itself has no name: what it says of itself must not be taken for one.
async fn strips_what_a_client_says_of_itself(kind: Kind) {
    let (server, proxy) = guarded(kind).await;
    let service = server
        .app(AppOptions::default())
        .own_token("notes:read")
        .await
        .access;
    let mut request = server
        .http
        .get(format!("{}/notes/1", proxy.url))
        .bearer_auth(&service);
    let names = ["Subject", "Username", "Scopes", "Token-Id", "Client-Id"];
    let names = names.map(|name| format!("X-Auth-{name}"));
    for name in names
        .iter()
        .map(String::as_str)
        .chain(["X-Token-Expires-At"])
    {
        // Some services read headers as variables, and can't tell these apart.
        let first = name.replacen('-', "_", 1);
        let last = name.replacen("-", "_", 2).replacen('_', "-", 1);
        for alike in [name, &name.replace('-', "_"), &first, &last] {
            request = request.header(alike, "root");
        }
    }
    let got = reached(request).await;
    let headers = got["headers"].as_object().unwrap();
    let name = headers.get("x-auth-username");
    assert!(name.is_none_or(|name| name == ""), "{headers:?}");
    assert!(headers.values().all(|value| value != "root"), "{headers:?}");
}

/// git asks without a password, is told to bring one, and sends the token as that.
async fn is_understood_by_git(kind: Kind) {
    let (server, proxy) = guarded(kind).await;
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let host = proxy.url.trim_start_matches("http://").to_owned();
    let list = |password: &str| {
        let url = format!("http://alice:{password}@{host}/notes.git");
        let mut git = Command::new("git");
        git.args(["ls-remote", &url]);
        git.env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", "/nonexistent");
        for proxy in ["http_proxy", "all_proxy", "ALL_PROXY"] {
            git.env_remove(proxy);
        }
        actix_web::rt::task::spawn_blocking(move || git.output().expect("there is a git"))
    };
    let found = list(&token).await.unwrap();
    let said = String::from_utf8_lossy(&found.stdout).into_owned();
    let branch = format!("{}\trefs/heads/main\n", "1".repeat(40));
    assert_eq!(said, branch, "{}", String::from_utf8_lossy(&found.stderr));
    let refused = list("garbage").await.unwrap();
    assert!(!refused.status.success());
}

macro_rules! each {
    ($($name:ident)*) => {
        mod nginx {
            use crate::support::Kind;
            $(#[actix_web::test] async fn $name() { super::$name(Kind::Nginx).await; })*
        }
        mod caddy {
            use crate::support::Kind;
            $(#[actix_web::test] async fn $name() { super::$name(Kind::Caddy).await; })*
        }
        mod envoy {
            use crate::support::Kind;
            $(#[actix_web::test] async fn $name() { super::$name(Kind::Envoy).await; })*
        }
    };
}
each! {
    lets_through_what_may_pass
    stops_what_may_not_pass
    strips_what_a_client_says_of_itself
    is_understood_by_git
}
