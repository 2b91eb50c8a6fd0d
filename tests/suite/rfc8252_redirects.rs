//! Where an app may be sent back to: RFC 8252 §7 and §8, RFC 9700 §4.1.3, RFC 7591 §3.2.2.

use std::process::{Command, Output};

use crate::support::{App, AppOptions, Server};

/// What `jeton client create` says to an app at this address.
fn register(server: &Server, redirect_uri: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jeton"))
        .args(["--json", "client", "create", "--name", "Backup Tool"])
        .args(["--redirect-uri", redirect_uri])
        .env("JETON_DATABASE_URL", server.database_url())
        .output()
        .expect("the command runs")
}

fn at(server: &Server, redirect_uri: &'static str) -> App {
    server.app(AppOptions {
        redirect_uris: vec![redirect_uri],
        ..AppOptions::public()
    })
}

/// "Authorization servers MUST utilize exact string matching when comparing client redirect URIs against pre-registered
/// URIs" (RFC 9700 §4.1.3)
#[actix_web::test]
async fn rfc9700_s4_1_3_a_redirect_uri_matches_by_its_very_characters() {
    let server = Server::start().await;
    let app = server.app(AppOptions::default());
    let others = [
        ("host in capitals", "https://APP.example/cb"),
        ("path in capitals", "https://app.example/CB"),
        ("scheme in capitals", "HTTPS://app.example/cb"),
        ("other scheme", "http://app.example/cb"),
        ("query", "https://app.example/cb?x=1"),
        ("empty query", "https://app.example/cb?"),
        ("fragment", "https://app.example/cb#x"),
        ("empty fragment", "https://app.example/cb#"),
        ("final slash", "https://app.example/cb/"),
        ("final dot of the host", "https://app.example./cb"),
        ("final dot of the path", "https://app.example/cb."),
        ("further path", "https://app.example/cb/more"),
        ("less path", "https://app.example/"),
        ("default port", "https://app.example:443/cb"),
        ("subdomain", "https://www.app.example/cb"),
        (
            "host behind the host",
            "https://app.example.evil.example/cb",
        ),
        ("user", "https://evil@app.example/cb"),
        ("host as user", "https://app.example@evil.example/cb"),
        ("backslash for a slash", "https://app.example\\cb"),
        (
            "backslash and another host",
            "https://evil.example\\@app.example/cb",
        ),
        ("dots", "https://app.example/x/../cb"),
        ("encoded dots", "https://app.example/x/%2e%2e/cb"),
        ("dots with a semicolon", "https://app.example/x/..;/cb"),
        ("encoded letter", "https://app.example/%63b"),
        ("tab", "https://app.example/c\tb"),
        ("line feed", "https://app.example/cb\n"),
        (
            "carriage return and line feed",
            "https://app.example/cb\r\nSet-Cookie: x=1",
        ),
        ("NUL", "https://app.example/cb\0"),
        ("space before", " https://app.example/cb"),
        ("space behind", "https://app.example/cb "),
        (
            "two in one",
            "https://app.example/cb https://app.example/cb",
        ),
        ("zero-width space", "https://app.example/cb\u{200b}"),
        ("script", "javascript:alert(1)"),
    ];
    for (case, sent) in others {
        let page = server
            .browser()
            .get(&app.asks("").set("redirect_uri", sent).path())
            .await;
        assert!(page.is_dead_end(), "{case}: {page:?}");
    }
    let page = server.browser().get(&app.asks("").path()).await;
    assert!(page.asks_to_sign_in(), "the registered one: {page:?}");
}

/// "The authorization server MUST allow any port to be specified at the time of the request for loopback IP redirect
/// URIs" (§7.3); desktop apps use `localhost` too.
#[actix_web::test]
async fn s7_3_the_port_of_a_loopback_address_is_free() {
    let server = Server::start().await;
    for (registered, sent) in [
        ("http://127.0.0.1/cb", "http://127.0.0.1:51004/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1:1/cb"),
        ("http://127.0.0.1:8080/cb", "http://127.0.0.1/cb"),
        ("http://[::1]/cb", "http://[::1]:65535/cb"),
        (
            "http://localhost:3000/cb?x=1",
            "http://localhost:4000/cb?x=1",
        ),
    ] {
        let app = at(&server, registered);
        let request = app.asks("").set("redirect_uri", sent);
        let page = server.browser().get(&request.path()).await;
        assert!(page.asks_to_sign_in(), "{sent}: {page:?}");
        let page = server
            .browser()
            .get(&request.without("response_type").path())
            .await;
        assert_eq!(page.error_at(sent), "invalid_request", "{sent}");
    }
}

/// Nothing but the port: not the host, the path, the scheme or the query (§7.3, §8.10), and only of what really is a
/// loopback address.
#[actix_web::test]
async fn s7_3_nothing_but_the_port_is_free() {
    let server = Server::start().await;
    let loopback = [
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1.evil.example:8080/cb",
        "http://localhost.evil.example/cb",
        "http://127.0.0.1@evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:99999/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:80\\@evil.example/cb",
        "http://127.0.0.2:8080/cb",
        "http://127.1:8080/cb",
        "http://0.0.0.0:8080/cb",
        "http://localhost:8080/cb",
        "http://[::1]:8080/cb",
        "https://127.0.0.1:8080/cb",
        "HTTP://127.0.0.1:8080/cb",
        "http://127.0.0.1:8080/other",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/cb?x=1",
        "http://127.0.0.1:8080/cb#x",
        "http://127.0.0.1:8080/x/../cb",
        "http://127.0.0.1:8080",
    ];
    let app = at(&server, "http://127.0.0.1/cb");
    for sent in loopback {
        let page = server
            .browser()
            .get(&app.asks("").set("redirect_uri", sent).path())
            .await;
        assert!(page.is_dead_end(), "{sent}: {page:?}");
    }
    for (registered, sent) in [
        ("http://localhost/cb", "http://localhost.evil.example/cb"),
        ("http://localhost/cb", "http://localhost:80.evil.example/cb"),
        ("http://localhost/cb", "http://127.0.0.1:8080/cb"),
        ("http://[::1]/cb", "http://[::1]evil.example/cb"),
        ("https://app.example/cb", "https://app.example:8443/cb"),
        ("com.example.app://host/cb", "com.example.app://host:1/cb"),
    ] {
        let request = at(&server, registered).asks("").set("redirect_uri", sent);
        let page = server.browser().get(&request.path()).await;
        assert!(page.is_dead_end(), "{sent}: {page:?}");
    }
}

/// "invalid_redirect_uri: The value of one or more redirection URIs is invalid." (RFC 7591 §3.2.2): a browser would run
/// or show these itself, anybody on the way could read plain http (RFC 9700 §2.6), and the rest could be mistaken.
#[actix_web::test]
async fn rfc7591_s3_2_2_what_leads_astray_is_not_registered() {
    let server = Server::start().await;
    for uri in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:msgbox(1)",
        "blob:https://app.example/1",
        "file:///etc/passwd",
        "file://host/share",
        "about:blank",
        "http://app.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://localhost.evil.example/cb",
        "http://192.168.0.1/cb",
        "http://0.0.0.0/cb",
        "https://app.example/cb#x",
        "https://app.example/cb#",
        "https://me@app.example/cb",
        "https://me:secret@app.example/cb",
        "https://app.example/a/../cb",
        "https://app.example/a/%2e%2E/cb",
        "https://app.example\\@evil.example/cb",
        "https://app.example/c b",
        "https://app.example/cb\nhttps://evil.example/cb",
        "https://app.example/c\u{200b}b",
        "https://",
        "/cb",
        "cb",
        "plain:thing",
        "",
    ] {
        let output = register(&server, uri);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{uri:?} was registered");
        assert!(said.contains("invalid_redirect_uri"), "{uri:?}: {said}");
    }
}

/// What apps need can be registered: https, loopback addresses (§7.3), and schemes of their own (§7.1).
#[actix_web::test]
async fn s7_the_three_kinds_of_redirect_uri_are_registered() {
    let server = Server::start().await;
    for uri in [
        "https://app.example/cb",
        "https://app.example:8443/cb?x=1",
        "http://127.0.0.1/cb",
        "http://127.0.0.1:8080/cb",
        "http://[::1]/cb",
        "http://localhost",
        "com.example.app:/oauth2redirect",
        "cursor://anysphere.cursor-mcp/oauth/callback",
    ] {
        let output = register(&server, uri);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{uri}: {said}");
        let client: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        assert_eq!(client["redirect_uris"][0], uri);
    }
}

/// "the authorization server SHOULD NOT process authorization requests automatically without user consent or
/// interaction, except when the identity of the client can be assured" (§8.6): not that of an app on the person's
/// device.
#[actix_web::test]
async fn s8_6_an_app_on_the_device_is_asked_about_each_time() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    for uri in [
        "http://127.0.0.1/cb",
        "http://localhost/cb",
        "http://[::1]/cb",
        "com.example.app:/cb",
        "cursor://anysphere/cb",
    ] {
        let app = at(&server, uri);
        app.code(&browser, &app.asks("notes:read")).await;
        let page = browser.get(&app.asks("notes:read").path()).await;
        assert!(page.asks_for_consent(), "{uri}: {page:?}");
        assert!(
            page.body.contains("runs on your device"),
            "{uri}: {}",
            page.body
        );
        let silent = browser
            .get(&app.asks("notes:read").and("prompt", "none").path())
            .await;
        assert_eq!(silent.error_at(uri), "consent_required", "{uri}");
    }
}
