//! `jeton audit`: what the operator asks of the trail, and a server that seals it by itself.

use diesel::prelude::*;
use jeton::clock::{Clock, Timestamp};
use serde_json::{Value, json};

use crate::support::tables::connect;
use crate::support::{Browser, Jeton, PASSWORD, ResourceServer};

fn tamper(jeton: &Jeton, sql: &str) {
    let conn = &mut connect(&jeton.database.location());
    let rows = diesel::sql_query(sql).execute(conn).expect("it is SQL");
    assert_eq!(rows, 1, "{sql}");
}

fn text(document: &Value, key: &str) -> String {
    document[key].as_str().expect("a text").to_owned()
}

/// The end of the trail is printed with all there is sealed before it; noted elsewhere, `verify` holds the trail to it.
#[test]
fn the_head_is_printed_and_verified() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    jeton.notes("");
    let nothing = jeton.json(&["audit", "verify"]);
    assert_eq!(
        (&nothing["last"], &nothing["unsealed"]),
        (&json!(0), &json!(3))
    );
    let ran = jeton.run(&["audit", "head"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let head = ran.stdout.trim().to_owned();
    assert!(head.starts_with("3:") && head.len() == 66, "{head}");
    let noted = format!("--head={head}");
    assert_eq!(
        jeton.json(&["audit", "verify", &noted]),
        json!({"first": 1, "last": 3, "head": head, "unsealed": 0})
    );
    let ran = jeton.run(&["audit", "verify"]);
    let said = "All is as it was sealed, from event 1 to event 3; 0 are not sealed yet.";
    assert_eq!(ran.stdout, format!("{said}\n{head}\n"));

    let wrong = format!("--head=3:{}", "0".repeat(64));
    let ran = jeton.run(&["audit", "verify", &wrong]);
    let said =
        "jeton: event 3 is not what it was when that head was noted: the chain was made anew";
    assert_eq!((ran.code, ran.stderr.trim()), (1, said));
    tamper(
        &jeton,
        "UPDATE audit_events SET detail = 'mallory' WHERE seq = 2",
    );
    let ran = jeton.run(&["audit", "verify", "--json"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.starts_with("jeton: event 2 ("), "{}", ran.stderr);
    for bad in ["3", "3:00", "x:", &format!("-1:{}", "0".repeat(64)), ":"] {
        let ran = jeton.run(&["audit", "verify", &format!("--head={bad}")]);
        assert_eq!(ran.code, 2, "{bad}: {}", ran.stderr);
    }
}

/// Events are listed with the filters that the API has, and exported line by line.
#[test]
fn events_are_listed_and_exported() {
    let jeton = Jeton::new();
    let alice = jeton.user("alice", PASSWORD);
    jeton.notes("");
    let token = jeton.token("alice", "laptop");
    let id = text(&token, "id");
    let list = |args: &[&str]| {
        let all = [&["audit", "list"], args].concat();
        jeton.json(&all).as_array().expect("a list").clone()
    };
    assert_eq!(list(&[]).len(), 4);
    assert_eq!(list(&["--limit=2"]).len(), 2);
    let found = list(&["--event=token.created"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["tokenId"], token["id"]);
    assert_eq!(found[0]["userId"], alice["id"]);
    let now: Timestamp = Clock::System.now();
    let later = (now + std::time::Duration::from_secs(3600)).to_rfc3339();
    for (filter, count) in [
        ("--user=alice".to_owned(), 2),
        (format!("--token={id}"), 1),
        ("--client=personal-access-token".to_owned(), 1),
        ("--actor=command line".to_owned(), 4),
        ("--actor=system".to_owned(), 0),
        ("--address=192.0.2.1".to_owned(), 0),
        ("--since=1h".to_owned(), 4),
        ("--until=1h".to_owned(), 0),
        (format!("--until={later}"), 4),
        (format!("--since={later}"), 0),
    ] {
        assert_eq!(list(&[&filter]).len(), count, "{filter}");
        let export = jeton.run(&["audit", "export", &filter]);
        assert_eq!((export.code, export.stderr.as_str()), (0, ""), "{filter}");
        let lines: Vec<Value> = export
            .stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect();
        assert_eq!(lines, list(&[&filter]), "{filter}");
    }
    let ran = jeton.run(&["audit", "list", "--event=token.created"]);
    let head = ran.stdout.lines().next().expect("a head");
    assert!(
        head.starts_with("AT  ") && head.ends_with("DETAIL"),
        "{head}"
    );
    assert!(ran.stdout.contains("laptop"), "{}", ran.stdout);
    for (bad, code) in [
        ("--event=token.flown", 1),
        ("--user=nobody", 1),
        ("--since=yesterday", 1),
        ("--token=1", 2),
        ("--address=home", 2),
        ("--limit=0", 2),
    ] {
        let ran = jeton.run(&["audit", "list", bad]);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{bad}");
    }
}

/// A reader that goes early, as in `jeton audit export | head -n 1`, is no failure.
#[test]
fn an_export_whose_reader_goes_early_is_no_failure() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    let mut command = jeton.command(&["audit", "export"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}

/// A running server seals by itself and logs the head; what it has noted when it is told to stop is written and sealed.
#[actix_web::test]
async fn a_server_seals_by_itself_and_says_why_a_token_was_of_no_use() {
    let jeton = Jeton::new();
    let mut server = jeton.serve();
    server.errors.wait_for("the audit trail is sealed");
    jeton.notes(&server.url);
    jeton.user("alice", PASSWORD);
    let token = jeton.token("alice", "laptop");
    let id = text(&token, "id");
    let gateway = jeton.json(&["client", "create", "--name=Gateway"]);
    let (client, secret) = (text(&gateway, "client_id"), text(&gateway, "client_secret"));
    let gateway = ResourceServer::new(&server.url, String::new(), client.clone(), &secret);
    assert!(!gateway.accepts(&text(&token, "token")).await);
    let browser = Browser::new(&server.url);
    assert_eq!(browser.sign_in("alice", PASSWORD).await.status, 303);
    server.stop();
    let verified = jeton.json(&["audit", "verify"]);
    assert_eq!(verified["unsealed"], 0);
    assert!(server.errors.text().contains(&text(&verified, "head")));
    let why = jeton.json(&["audit", "why", &id]);
    assert_eq!(why["token"], token["id"]);
    assert_eq!(why["why"][0], "It is active.");
    let second = why["why"][1].as_str().expect("another sentence");
    let begin = format!("Gateway (client {client}) was told that it is inactive once, at ");
    assert!(second.starts_with(&begin), "{second}");
    assert!(second.contains("jeton resource create"), "{second}");
    let ran = jeton.run(&["audit", "why", &id]);
    assert_eq!(ran.stdout, format!("It is active.\n{second}\n"));
    for unknown in ["1", "0190d3a4-8a1b-7c3d-9e5f-0123456789ab"] {
        let ran = jeton.run(&["audit", "why", unknown]);
        let said = format!("jeton: nothing is known of a token {unknown}\n");
        assert_eq!((ran.code, ran.stderr), (1, said));
    }
}
