//! Decoy tokens: they look like personal access tokens, open nothing, and raise an alarm when somebody tries one.

use std::time::Duration;

use actix_web::rt::time::sleep;
use jeton::domain::decoy::Decoy;
use jeton::domain::grant::Via;
use serde_json::{Value, json};

use crate::support::{
    App, AppOptions, Entry, Exposition, Jeton, Log, ResourceServer, Server, Watch, seconds, trail,
    until,
};

const DECOYS: &str = "/api/decoy-tokens";
const ALARMS: &str = "jeton_decoys_used_total";

fn decoy(server: &Server, name: &str) -> String {
    server.write(|tx| {
        let made = Decoy::create(tx, name, Via::CommandLine);
        Ok(made.expect("the decoy is made").1.expose().to_owned())
    })
}

/// The only alarm that there is, once it is there: it is raised beside the answer.
async fn alarm(server: &Server, case: &str) -> Entry {
    until(case, async || !trail(server, "decoy.used").is_empty()).await;
    let mut alarms = trail(server, "decoy.used");
    assert_eq!(alarms.len(), 1, "{case}: {alarms:?}");
    alarms.remove(0)
}

/// A decoy looks like a personal access token in every way that shows.
#[actix_web::test]
async fn a_decoy_looks_like_a_personal_token() {
    let server = Server::start().await;
    server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let decoy = decoy(&server, "wiki");
    assert_eq!(decoy.len(), token.len());
    assert!(decoy.starts_with("jeton_pat_"));
    assert!(server.app.policy().brands.read(&decoy).is_some());
}

/// To a resource server it is inactive to the byte, and the alarm has the address that was sent, and who was asked.
#[actix_web::test]
async fn introspection_says_inactive_and_raises_the_alarm() {
    let server = Server::start().await;
    let notes = server.notes();
    let decoy = decoy(&server, "backup of the wiki");
    let form = [("token", decoy.as_str()), ("client_ip", "203.0.113.7")];
    let answer = notes.ask(&form).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text().await.unwrap(), "{\"active\":false}");
    let entry = alarm(&server, "introspection").await;
    assert_eq!(entry.address.as_deref(), Some("203.0.113.7"));
    assert_eq!(entry.actor, format!("client:{}", notes.client_id));
    let words = "backup of the wiki: at the introspection endpoint";
    assert_eq!(entry.detail(), words);
    server.clock.advance(seconds(60));
    assert!(!notes.accepts(&decoy).await);
    until("the second", async || {
        trail(&server, "decoy.used").len() == 2
    })
    .await;
    // A resource server's own address is not the thief's.
    assert_eq!(trail(&server, "decoy.used")[1].address, None);
}

/// Ways to try a token, each with the status it has to get.
async fn attempt(
    place: &str,
    server: &Server,
    app: &App,
    notes: &ResourceServer,
    token: &str,
) -> u16 {
    let script = server.script(token);
    let bearer = |path: &str| server.request("POST", path).bearer_auth(token);
    let form = [("token", "x"), ("grant_type", "client_credentials")];
    let answer = match place {
        "itself" => {
            script
                .send("GET", "/api/personal-access-tokens/self", None)
                .await
        }
        "end itself" => {
            script
                .send("DELETE", "/api/personal-access-tokens/self", None)
                .await
        }
        "a manager" => script.send("GET", DECOYS, None).await,
        "my account" => script.send("GET", crate::support::MINE, None).await,
        "a page" => script.send("GET", "/settings/tokens", None).await,
        "as refresh token" => app.refresh(token).await,
        "as code" => app.redeem(&app.asks("notes:read"), token).await,
        "as caller" => bearer("/oauth/introspect")
            .form(&form)
            .send()
            .await
            .unwrap(),
        "as client" => bearer("/oauth/token").form(&form).send().await.unwrap(),
        "given back" => server
            .post("/oauth/revoke", &[("token", token)])
            .send()
            .await
            .unwrap(),
        "given back by an app" => app.revoke(token).await,
        "asked about" => notes.ask(&[("token", token)]).await,
        "reported" => {
            let report = server.request("POST", "/api/leaked-tokens");
            report
                .json(&json!({"tokens": [token]}))
                .send()
                .await
                .unwrap()
        }
        other => panic!("{other}"),
    };
    answer.status().as_u16()
}

/// Wherever it is tried it opens nothing and is answered as a token that nobody knows; and there is one alarm.
#[actix_web::test]
async fn wherever_a_decoy_is_tried_there_is_an_alarm() {
    for place in [
        "itself",
        "end itself",
        "a manager",
        "my account",
        "a page",
        "as refresh token",
        "as code",
        "as caller",
        "as client",
        "given back",
        "given back by an app",
        "asked about",
        "reported",
    ] {
        let server = Server::start().await;
        let (notes, app) = (server.notes(), server.app(AppOptions::default()));
        let decoy = decoy(&server, "wiki");
        let kind = jeton::domain::secret::SecretKind::PersonalAccessToken;
        let unknown = server.app.policy().brands.mint(kind).expose().to_owned();
        let expected = attempt(place, &server, &app, &notes, &unknown).await;
        assert!(trail(&server, "decoy.used").is_empty(), "{place}");
        let got = attempt(place, &server, &app, &notes, &decoy).await;
        assert_eq!(got, expected, "{place}");
        let entry = alarm(&server, place).await;
        assert!(entry.detail().starts_with("wiki: "), "{place}: {entry:?}");
        if !["asked about"].contains(&place) {
            assert_eq!(entry.address.as_deref(), Some("127.0.0.1"), "{place}");
        }
        // It can't be ended by whoever holds it: the next who tries it is seen too.
        server.clock.advance(seconds(60));
        assert_eq!(
            attempt(place, &server, &app, &notes, &decoy).await,
            expected
        );
        until(place, async || trail(&server, "decoy.used").len() == 2).await;
    }
}

/// However often it is used, by however many nodes it is seen: one alarm a minute for each decoy.
#[actix_web::test]
async fn an_alarm_is_raised_once_a_minute() {
    let server = Server::start().await;
    let notes = server.notes();
    let other = server.another_node().await;
    let elsewhere = notes.at(&other);
    let [one, two] = ["one", "two"].map(|name| decoy(&server, name));
    let tries = async || {
        for _ in 0..5 {
            for api in [&notes, &elsewhere] {
                assert!(!api.accepts(&one).await && !api.accepts(&two).await);
            }
        }
    };
    for minute in 1..=3 {
        tries().await;
        let count = 2 * minute;
        until("alarms", async || {
            trail(&server, "decoy.used").len() >= count
        })
        .await;
        server.clock.advance(Duration::from_millis(59_999));
        tries().await;
        // What is raised wrongly is to have the time to show.
        sleep(Duration::from_millis(50)).await;
        assert_eq!(trail(&server, "decoy.used").len(), count);
        server.clock.advance(Duration::from_millis(1));
    }
}

/// An alarm that could not be written is not taken for one: the log has it, and the next use raises it again.
#[actix_web::test]
async fn an_alarm_that_was_not_written_is_raised_by_the_next_use() {
    let log = Log::listen();
    let server = Server::start().await;
    let notes = server.notes();
    let (grant, secret) = server.write(|tx| {
        let (decoy, secret) = Decoy::create(tx, "wiki", Via::Api).expect("the decoy is made");
        Ok((decoy.grant.id.to_string(), secret.expose().to_owned()))
    });
    server.rename_table("audit_events", "elsewhere");
    assert!(!notes.accepts(&secret).await);
    let told = || {
        let text = log.text();
        let mut lines = text.lines();
        lines.any(|line| line.contains(&grant) && line.contains("can't be told"))
    };
    until("the log has it", async || told()).await;
    server.rename_table("elsewhere", "audit_events");
    until("the alarm", async || {
        assert!(!notes.accepts(&secret).await);
        !trail(&server, "decoy.used").is_empty()
    })
    .await;
    assert_eq!(trail(&server, "decoy.used").len(), 1);
}

/// The metric counts alarms; the log warns, and has the name and not the secret.
#[actix_web::test]
async fn the_metric_moves_and_the_log_warns() {
    let log = Log::listen();
    let server = Server::start().await;
    let notes = server.notes();
    let name = "a decoy of this test alone";
    let decoy = decoy(&server, name);
    let mut watch = Watch::on(&server);
    assert_eq!(Exposition::of(&server).value(ALARMS), 0.0);
    assert!(!notes.accepts(&decoy).await);
    alarm(&server, "the metric").await;
    until("it is counted", async || {
        Exposition::of(&server).value(ALARMS) == 1.0
    })
    .await;
    let told = "jeton_introspections_total{kind=\"decoy\",outcome=\"inactive\",reason=\"decoy\"}";
    let event = "jeton_audit_events_total{event=\"decoy.used\"}";
    watch.saw("a decoy", &[(told, 1.0), (event, 1.0)]);
    let text = log.text();
    let line = text.lines().find(|line| line.contains(name));
    let line = line.expect("the log has a line");
    assert!(
        line.contains("WARN") && line.contains("a decoy token was used"),
        "{line}"
    );
    assert!(!text.contains(&decoy));
}

/// By the API an administrator makes decoys, sees them, and removes them; the secret is shown once.
#[actix_web::test]
async fn decoys_are_made_listed_and_removed_by_the_api() {
    let server = Server::start().await;
    let notes = server.notes();
    let manager = server.manager("pats:read pats:write pats:revoke").await;
    let (status, made) = manager
        .call("POST", DECOYS, json!({"name": " wiki "}))
        .await;
    assert_eq!(status, 201, "{made}");
    let secret = made["value"].as_str().expect("the secret").to_owned();
    assert!(secret.starts_with("jeton_pat_"));
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("value");
    assert_eq!(
        (&shown["name"], &shown["kind"]),
        (&json!("wiki"), &json!("decoy"))
    );
    assert_eq!(manager.get(DECOYS).await, (200, json!([shown])));
    assert!(!String::from_utf8_lossy(&server.dump()).contains(&secret));
    let form = [("token", secret.as_str()), ("client_ip", "203.0.113.7")];
    notes.ask(&form).await;
    alarm(&server, "the API").await;
    let (_, used) = manager.get(DECOYS).await;
    assert_eq!(used[0]["lastUsedFrom"], "203.0.113.7");
    assert_eq!(used[0]["lastUsedAt"], server.clock.now().millis());
    let path = format!("{DECOYS}/{}", made["id"].as_str().unwrap());
    assert_eq!(manager.call("DELETE", &path, Value::Null).await.0, 204);
    assert_eq!(manager.call("DELETE", &path, Value::Null).await.0, 404);
    assert_eq!(manager.get(DECOYS).await, (200, json!([])));
    assert_eq!(trail(&server, "decoy.removed")[0].detail(), "wiki");
    server.clock.advance(seconds(60));
    assert!(!notes.accepts(&secret).await);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(
        trail(&server, "decoy.used").len(),
        1,
        "nobody knows it any more"
    );
}

/// Each call takes its scope, and a name is a name.
#[actix_web::test]
async fn each_call_takes_its_scope_and_a_good_name() {
    let server = Server::start().await;
    let path = format!("{DECOYS}/0190d3a4-8a1b-7c3d-9e5f-0123456789ab");
    for (method, path, needed) in [
        ("GET", DECOYS, "pats:read"),
        ("POST", DECOYS, "pats:write"),
        ("DELETE", &path, "pats:revoke"),
    ] {
        for scope in ["pats:read", "pats:write", "pats:revoke"] {
            let manager = server.manager(scope).await;
            let body = if method == "POST" {
                json!({"name": "x"})
            } else {
                Value::Null
            };
            let (status, _) = manager.call(method, path, body).await;
            assert_eq!(status == 403, scope != needed, "{method} {scope}: {status}");
        }
    }
    let manager = server.manager("pats:write").await;
    for bad in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "a\u{0}b"}),
        json!({"name": "x", "a": 1}),
    ] {
        let (status, told) = manager.call("POST", DECOYS, bad).await;
        assert_eq!(status, 400, "{told}");
    }
}

/// A decoy is none of the tokens of anybody: it is in no list of theirs, and their calls don't reach it.
#[actix_web::test]
async fn a_decoy_is_nobodys_token() {
    let server = Server::start().await;
    let root = server.admin("root");
    decoy(&server, "wiki");
    let manager = server.manager("pats:read pats:revoke").await;
    let (_, decoys) = manager.get(DECOYS).await;
    let id = decoys[0]["id"].as_str().unwrap();
    let path = format!("/api/users/{}/personal-access-tokens", root.id);
    assert_eq!(manager.get(&path).await, (200, json!([])));
    let one = format!("{path}/{id}");
    assert_eq!(manager.get(&one).await.0, 404);
    assert_eq!(manager.call("DELETE", &one, Value::Null).await.0, 404);
    server.clock.advance(seconds(400 * 86_400));
    jeton::jobs::sweep::sweep(&server.app).await.unwrap();
    assert_eq!(
        manager_after(&server).await,
        1,
        "it stays until it is removed"
    );
}

/// How many decoys there are; a token of a manager ends within the hour.
async fn manager_after(server: &Server) -> usize {
    let manager = server.manager("pats:read").await;
    manager.get(DECOYS).await.1.as_array().unwrap().len()
}

/// The command line does the same, and works on what a server is running on.
#[actix_web::test]
async fn the_command_line_makes_lists_and_removes_decoys() {
    let jeton = Jeton::new();
    let server = jeton.serve();
    let notes = jeton.notes(&server.url);
    let made = jeton.json(&["token", "decoy", "--name=wiki"]);
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["token"].as_str().unwrap(),
    );
    assert!(!notes.accepts(secret).await);
    let used = || jeton.json(&["token", "decoys"]);
    until("the alarm", async || used()[0]["last_used_at"].is_string()).await;
    let listed = used();
    assert_eq!(listed[0]["name"], "wiki");
    assert!(listed[0].get("token").is_none());
    let log = server.errors.text();
    assert!(log.contains("a decoy token was used"), "{log}");
    assert!(!log.contains(secret));
    let text = jeton.run(&["token", "decoys"]).stdout;
    assert!(text.contains("wiki") && text.contains(id), "{text}");
    let removed = jeton.json(&["token", "remove-decoy", id]);
    assert_eq!(removed["id"], id);
    assert_eq!(used(), json!([]));
    let again = jeton.run(&["token", "remove-decoy", id]);
    assert_eq!((again.code, again.stdout.as_str()), (1, ""));
    assert_eq!(again.stderr, format!("jeton: there is no decoy {id}\n"));
    let unnamed = jeton.run(&["token", "decoy", "--name="]);
    assert_eq!(unnamed.code, 1);
    assert!(!notes.accepts(secret).await);
}
