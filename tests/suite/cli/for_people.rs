//! What the command line says to people, where no JSON is asked for.

use crate::support::{Jeton, PASSWORD};

/// A secret stands alone on the last line, for people to copy; no list has it.
#[test]
fn for_people_a_secret_is_the_last_line_and_shown_once() {
    let jeton = Jeton::new();
    let notes = [
        "resource",
        "create",
        "https://notes.example",
        "--name=Notes",
    ];
    let notes = [&notes[..], &["--scope=notes:read=Read your notes"]].concat();
    jeton.user("alice", PASSWORD);
    let token = [
        "token",
        "create",
        "--user=alice",
        "--name=ci",
        "--scope=notes:read",
        "--resource=https://notes.example",
    ];
    let mut secrets = vec![];
    for (args, first, prefix) in [
        (
            notes.as_slice(),
            "Notes is registered at https://notes.example. It introspects as the client",
            "jeton_cs_",
        ),
        (
            &["client", "create", "--name=Nightly"],
            "Nightly is registered. It is the client",
            "jeton_cs_",
        ),
        (
            &token,
            "alice has a token \"ci\", which ends at ",
            "jeton_pat_",
        ),
    ] {
        let ran = jeton.run(args);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{args:?}");
        assert!(ran.stdout.starts_with(first), "{}", ran.stdout);
        let secret = ran.stdout.lines().last().unwrap().to_owned();
        assert!(
            secret.starts_with(prefix) && !secret.contains(' '),
            "{secret}"
        );
        secrets.push(secret);
    }
    for list in [
        &["resource", "list"][..],
        &["client", "list"],
        &["token", "list", "--user=alice"],
        &["user", "list"],
    ] {
        for as_json in [&[][..], &["--json"]] {
            let ran = jeton.run(&[list, as_json].concat());
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{list:?}");
            for secret in secrets
                .iter()
                .map(String::as_str)
                .chain(["$argon2", PASSWORD])
            {
                assert!(!ran.stdout.contains(secret), "{list:?}: {}", ran.stdout);
            }
        }
    }
}

#[test]
fn for_people_lists_have_columns_under_their_heads() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    jeton.json(&["user", "disable", "alice"]);
    let ran = jeton.run(&["user", "list"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0], "USERNAME  E-MAIL  ROLE    STATE     CREATED");
    assert!(
        lines[1].starts_with("alice     -       person  disabled  20"),
        "{}",
        lines[1]
    );
}

/// `jeton user list | head -n 1` has seen enough after one line, and that is no failure.
#[test]
fn a_reader_that_goes_early_is_no_failure() {
    let jeton = Jeton::new();
    let mut command = jeton.command(&["client", "list"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}
