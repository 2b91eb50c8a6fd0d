//! `jeton demo`: the lines it prints are pasted into a shell, all of them, and do what they say.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::tables::migrations;
use crate::support::{Jeton, Running};

#[test]
fn the_lines_of_the_demo_work_when_they_are_pasted() {
    let jeton = Jeton::new();
    let folder = tempfile::tempdir().unwrap();
    let mut command = jeton.command(&["demo"]);
    command.env("TMPDIR", folder.path());
    let mut demo = Running::start(command);
    demo.output
        .wait_for("gives it back; the notes API asks again");
    demo.output.wait_for_count("/oauth/introspect; echo", 2);
    let inside = || std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(inside(), 1, "a folder for the database and the cookies");

    let mut bash = Command::new("bash");
    bash.args(["-euo", "pipefail", "-c", &demo.output.text()]);
    let ran = bash.stdin(Stdio::null()).output().expect("there is a bash");
    let said = String::from_utf8(ran.stdout).unwrap();
    let complaints = String::from_utf8(ran.stderr).unwrap();
    assert!(ran.status.success(), "{said}{complaints}");
    let lines: Vec<&str> = said.lines().collect();
    let [first, signed_in, tokens, revoked, last] = lines[..] else {
        panic!("not five answers: {said}{complaints}");
    };
    let json = |line: &str| -> Value { serde_json::from_str(line).expect("an answer in JSON") };
    let first = json(first);
    assert_eq!(first["active"], true);
    assert_eq!(first["username"], "alice");
    assert_eq!(first["token_kind"], "pat");
    assert_eq!(first["aud"], serde_json::json!(["https://notes.example"]));
    assert_eq!(signed_in, "signed in: 303");
    let tokens = json(tokens);
    assert_eq!(tokens["scope"], "notes:read");
    for token in ["access_token", "refresh_token"] {
        assert!(tokens[token].is_string(), "{tokens}");
    }
    assert_eq!(revoked, "revoked: 200");
    assert_eq!(json(last), serde_json::json!({"active": false}));

    demo.stop();
    assert_eq!(inside(), 0, "all of it is gone");
}

/// A demo should just work: an address that somebody has is no reason to fail.
#[test]
fn where_the_address_is_taken_the_demo_finds_another() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let jeton = Jeton::with(&[("listen", &address)]);
    let mut demo = Running::start(jeton.command(&["demo"]));
    let head = demo.output.wait_for("demo is at http://127.0.0.1:");
    assert!(!head.contains(&address), "{head}");
    demo.output.wait_for_count("/oauth/introspect; echo", 2);
    demo.stop();
}

/// The demo keeps its hands off the database of the settings.
#[test]
fn the_demo_touches_no_database_of_yours() {
    let jeton = Jeton::new();
    let mut demo = Running::start(jeton.command(&["demo"]));
    demo.output.wait_for_count("/oauth/introspect; echo", 2);
    demo.stop();
    assert_eq!(jeton.json(&["migrate"])["migrations"], migrations());
}
