//! `jeton serve` as a supervisor has it: how it starts, refuses to start, says that it is ready, and stops.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use jeton::config::SETTINGS;

use crate::support::tables::migrations;
use crate::support::{Browser, Exposition, Jeton, PASSWORD, Running, basic};

#[actix_web::test]
async fn on_an_empty_database_it_makes_an_administrator_and_prints_the_password_once() {
    let jeton = Jeton::new();
    let mut server = jeton.serve();
    server.output.wait_for("It is shown this once");
    let printed = server.output.text();
    let lines: Vec<&str> = printed.lines().collect();
    let [head, password, _] = lines[..] else {
        panic!("not three lines: {lines:?}");
    };
    assert!(head.contains(&server.url), "{head}");
    assert!(password.len() >= 22, "{password}");
    let browser = Browser::new(&server.url);
    assert_eq!(browser.sign_in("admin", password).await.status, 303);
    assert!(!server.errors.text().contains(password));
    server.stop();

    let users = jeton.json(&["user", "list"]);
    assert_eq!(users[0]["username"], "admin");
    assert_eq!(users[0]["admin"], true);
    assert_eq!(users.as_array().unwrap().len(), 1);

    let mut again = jeton.serve();
    again.stop();
    assert_eq!(again.output.text(), "");
}

#[test]
fn where_there_is_somebody_already_it_makes_nobody() {
    let jeton = Jeton::new();
    let alice = jeton.user("alice", PASSWORD);
    let mut server = jeton.serve();
    server.stop();
    assert_eq!(server.output.text(), "");
    assert_eq!(jeton.json(&["user", "list"]), serde_json::json!([alice]));
}

/// What each setting can't be. A new setting needs a line here.
const BAD: [(&str, &str); 32] = [
    ("database_url", "mysql://root:hunter2@127.0.0.1/x"),
    ("listen", "8080"),
    ("metrics_listen", "9090"),
    ("otlp_endpoint", "http://jeton:hunter2@127.0.0.1"),
    ("issuer", "jeton.example"),
    ("trusted_proxies", "10.0.0.0/99"),
    ("brands", "J"),
    ("foreign_tokens", "a b"),
    ("access_token_ttl", "1 hour"),
    ("refresh_token_ttl", "0d"),
    ("refresh_grace", "30"),
    ("authorization_code_ttl", "11m"),
    ("session_ttl", "-1d"),
    ("step_up", "soon"),
    ("secret_overlap", "1w"),
    ("pat_max_life", "0s"),
    ("pat_default_life", "never"),
    ("pat_may_never_expire", "perhaps"),
    ("pat_per_user", "many"),
    ("pat_creators", "nobody"),
    ("pat_overlap", "8d"),
    ("pat_drain", "soon"),
    ("pat_on_reuse", "panic"),
    ("database_connections", "0"),
    ("password_threads", "513"),
    ("stop_delay", "soon"),
    ("log", "a=b=c"),
    ("log_format", "xml"),
    ("audit_retention", "0d"),
    ("smtp_url", "smtps://hunter2@mail.example"),
    ("mail_from", "nobody"),
    ("github_secret_scanning_keys", "http://api.example/keys"),
];

/// With a bad setting it doesn't start, and says which. The value is not repeated: a database's has a password in it.
#[test]
fn a_bad_setting_is_named_and_nothing_starts() {
    let mut all: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    let mut tried: Vec<&str> = BAD.iter().map(|(name, _)| *name).collect();
    all.sort();
    tried.sort();
    assert_eq!(tried, all);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jeton.toml");
    let config = format!("--config={}", file.display());
    for (name, value) in BAD {
        let jeton = Jeton::with(&[(name, value)]);
        let ran = jeton.run(&["serve"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{name}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        let variable = format!("JETON_{}", name.to_uppercase());
        assert!(ran.stderr.contains(name), "{}", ran.stderr);
        assert!(ran.stderr.contains(&variable), "{}", ran.stderr);
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);

        std::fs::write(&file, format!("{name} = {value:?}\n")).unwrap();
        let mut command = Jeton::new().command(&["serve", &config]);
        command.env_remove(&variable);
        let mut refused = Running::start(command);
        let (status, stderr) = (refused.wait(), refused.errors.text());
        assert_eq!(status.code(), Some(1), "{name}: {stderr}");
        assert!(stderr.contains(name), "{stderr}");
        assert!(stderr.contains("jeton.toml"), "{stderr}");
    }
}

#[test]
fn a_file_of_settings_that_can_not_be_read_is_named_and_nothing_starts() {
    let jeton = Jeton::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("jeton.toml");
    let config = format!("--config={}", file.display());
    let refused = || {
        let ran = jeton.run(&["serve", &config]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains("jeton.toml"), "{}", ran.stderr);
        ran.stderr
    };
    refused();
    std::fs::write(&file, "listen = \n").unwrap();
    refused();
    std::fs::write(&file, "acess_token_ttl = '1h'\n").unwrap();
    assert!(refused().contains("acess_token_ttl"));
}

#[test]
fn an_address_that_somebody_has_is_named_and_nothing_is_touched() {
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["listen", "metrics_listen"] {
        let jeton = Jeton::with(&[(setting, &address)]);
        let ran = jeton.run(&["serve"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
        assert!(ran.stderr.contains(&address), "{}", ran.stderr);
        assert_eq!(jeton.json(&["migrate"])["migrations"], migrations());
    }
}

/// Prometheus asks elsewhere than people and apps, and only it can: on each listener the other's URLs are not there.
#[actix_web::test]
async fn metrics_are_on_a_listener_of_their_own() {
    let jeton = Jeton::with(&[("metrics_listen", "127.0.0.1:0")]);
    let mut server = jeton.serve();
    let line = server.errors.wait_for("metrics can be had");
    let (_, address) = line.split_once("address=").expect("an address");
    let metrics = Browser::new(&format!("http://{address}"));
    let page = metrics.get("/metrics").await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), "text/plain; version=0.0.4");
    let seen = Exposition::read(page.body);
    assert!(seen.values.contains_key("process_start_time_seconds"));
    for path in [
        "/",
        "/healthz",
        "/sign-in",
        "/metrics/",
        "/oauth/introspect",
    ] {
        assert_eq!(metrics.get(path).await.status, 404, "{path}");
    }
    assert_eq!(metrics.post("/metrics", &[]).await.status, 405);
    let public = Browser::new(&server.url);
    assert_eq!(public.get("/metrics").await.status, 404);
    assert_eq!(public.get("/healthz").await.status, 200);
    server.stop();
    assert!(TcpStream::connect(address).is_err());
}

#[actix_web::test]
async fn unless_it_is_set_there_is_no_listener_for_metrics() {
    let jeton = Jeton::new();
    let mut server = jeton.serve();
    let page = Browser::new(&server.url).get("/metrics").await;
    assert_eq!(page.status, 404);
    server.stop();
    let log = server.errors.text();
    assert!(!log.contains("metrics"), "{log}");
}

#[test]
fn a_database_that_is_not_there_is_said_and_nothing_starts() {
    for url in [
        "sqlite:///nowhere/at/all/jeton.db",
        "postgres://jeton:hunter2@127.0.0.1:1/jeton",
    ] {
        let ran = Jeton::with(&[("database_url", url)]).run(&["serve"]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{url}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("no database connection"),
            "{}",
            ran.stderr
        );
        assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    }
}

/// SIGTERM: nobody new is let in, who is in is answered, what was noted is written, and the exit code is 0.
#[actix_web::test]
async fn when_it_is_told_to_stop_the_request_under_way_is_finished_and_uses_are_written() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    let mut server = jeton.serve();
    let notes = jeton.notes(&server.url);
    let made = jeton.token("alice", "laptop");
    let body = format!("token={}", made["token"].as_str().unwrap());
    let head = format!(
        "POST /oauth/introspect HTTP/1.1\r\nHost: jeton\r\nConnection: close\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
         Expect: 100-continue\r\n\r\n",
        basic(&notes.client_id, &notes.client_secret),
        body.len()
    );
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    let mut half = TcpStream::connect(&address).unwrap();
    half.write_all(head.as_bytes()).unwrap();
    // "100 Continue" says that the request is under way.
    let mut go_on = [0; 25];
    half.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");

    server.terminate();
    server.errors.wait_for("stopping");
    half.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\"active\":true"), "{answer}");

    assert_eq!(server.wait().code(), Some(0), "{}", server.errors.text());
    assert!(TcpStream::connect(address).is_err());
    let listed = jeton.json(&["token", "list", "--user=alice"]);
    assert!(listed[0]["last_used_at"].is_string(), "{listed}");
}

#[actix_web::test]
async fn it_is_alive_and_ready_until_the_database_is_gone_and_then_only_alive() {
    let jeton = Jeton::new();
    let server = jeton.serve();
    let browser = Browser::new(&server.url);
    let alive = browser.get("/healthz").await;
    assert_eq!((alive.status, alive.body.as_str()), (200, "ok\n"));
    let ready = browser.get("/readyz").await;
    assert_eq!((ready.status, ready.body.as_str()), (200, "ready\n"));
    jeton.database.destroy();
    let ready = browser.get("/readyz").await;
    assert_eq!((ready.status, ready.body.as_str()), (503, "not ready\n"));
    assert_eq!(ready.header("retry-after"), "1");
    assert_eq!(browser.get("/healthz").await.status, 200);
    let url = jeton.database.url();
    assert!(
        !server.errors.text().contains(&url),
        "{}",
        server.errors.text()
    );
}
