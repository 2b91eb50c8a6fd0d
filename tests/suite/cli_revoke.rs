//! The command line in an incident: everybody's tokens listed, all tokens of one person or of everybody ended.

use jeton::clock::Clock;
use serde_json::{Value, json};

use crate::support::{Jeton, PASSWORD, ResourceServer};

/// A token of alice and one of bob for https://notes.example, which asks at this URL.
fn furnish(jeton: &Jeton, url: &str) -> ResourceServer {
    let notes = jeton.notes(url);
    for name in ["alice", "bob"] {
        jeton.user(name, PASSWORD);
        jeton.token(name, &format!("{name}'s"));
    }
    notes
}

fn users(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|token| token["user"].as_str().expect("a name"))
        .collect()
}

/// All are listed, or those that the options leave, as the API lists them.
#[test]
fn everybodys_tokens_are_listed_by_a_filter() {
    let jeton = Jeton::new();
    furnish(&jeton, "");
    for (options, expected) in [
        (vec![], vec!["bob", "alice"]),
        (vec!["--sort=created"], vec!["alice", "bob"]),
        (vec!["--search=ALICE", "--status=active"], vec!["alice"]),
        (vec!["--user=bob"], vec!["bob"]),
        (vec!["--owner-kind=person"], vec!["bob", "alice"]),
        (vec!["--owner-kind=service"], vec![]),
        (
            vec![
                "--scope=notes:read",
                "--resource=https://notes.example",
                "--never-used",
            ],
            vec!["bob", "alice"],
        ),
        (vec!["--created-by=command line"], vec!["bob", "alice"]),
        (vec!["--created-by=alice"], vec![]),
        (vec!["--never-expires"], vec![]),
        (
            vec!["--expires-after=2000-01-01", "--expires-before=2000-01-02"],
            vec![],
        ),
        (
            vec!["--created-after=2000-01-01", "--sort=created"],
            vec!["alice", "bob"],
        ),
        (vec!["--created-before=2000-01-01"], vec![]),
        (vec!["--last-used-before=2000-01-01"], vec![]),
    ] {
        let args = [vec!["token", "list", "--all"], options].concat();
        let list = jeton.json(&args);
        assert_eq!(users(&list), expected, "{args:?}");
    }
    let table = jeton.run(&["token", "list", "--all"]).stdout;
    assert!(table.starts_with("USER"), "{table}");
    for (options, sentence) in [
        (
            ["--status=live"],
            "status is active, pending, expired or revoked, not \"live\".",
        ),
        (["--created-by=nobody"], "there is no user nobody"),
        (["--sort=name"], "sort is created, expires or lastUsed"),
    ] {
        let args = [&["token", "list", "--all"][..], &options].concat();
        let ran = jeton.run(&args);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{args:?}");
        assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    }
    assert_eq!(jeton.run(&["token", "list"]).code, 2);
    let half = ["token", "list", "--user=bob", "--status=active"];
    assert_eq!(jeton.run(&half).code, 2);
}

#[test]
fn all_tokens_of_a_person_are_counted_and_ended() {
    let jeton = Jeton::new();
    furnish(&jeton, "");
    let revoke = ["revoke", "--user=alice", "--reason=lost laptop"];
    let dry = jeton.json(&[&revoke[..], &["--dry-run"]].concat());
    let found = json!({"revoked": false, "count": 1, "pat": 1, "access": 0, "refresh": 0});
    assert_eq!(dry, found);
    let wrong = jeton.run(&[&revoke[..], &["--yes=2"]].concat());
    assert_eq!(wrong.code, 1);
    assert!(wrong.stderr.contains("it is 1 now; nothing was revoked"));
    let old = [&revoke[..], &["--issued-before=2000-01-01"]].concat();
    assert_eq!(jeton.json(&old)["count"], 0);
    let other = [&revoke[..], &["--kind=access", "--kind=refresh"]].concat();
    assert_eq!(jeton.json(&other)["count"], 0);
    assert_eq!(jeton.json(&revoke)["revoked"], true);
    let list = jeton.json(&["token", "list", "--all", "--status=revoked"]);
    assert_eq!(users(&list), ["alice"]);
    for (args, code) in [
        (vec!["revoke"], 2),
        (vec!["revoke", "--user=alice", "--everybody"], 2),
        (vec!["revoke", "--everybody"], 2),
        (vec!["revoke", "--user=nobody"], 1),
        (vec!["revoke", "--user=alice", "--kind=session"], 1),
        (vec!["revoke", "--user=alice", "--issued-before=soon"], 1),
    ] {
        let ran = jeton.run(&args);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{args:?}");
    }
}

/// Everybody's, by one word that a running server heeds at once, if the count was said.
#[actix_web::test]
async fn everybodys_tokens_are_ended_when_the_count_is_said() {
    let jeton = Jeton::new();
    let running = jeton.serve();
    let notes = furnish(&jeton, &running.url);
    let token = jeton.token("alice", "another")["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(notes.accepts(&token).await);
    let now = Clock::System.now().millis();
    let before = format!("--issued-before={now}");
    let revoke = ["revoke", "--everybody", &before];
    let dry = jeton.json(&[&revoke[..], &["--dry-run"]].concat());
    assert_eq!((&dry["revoked"], &dry["count"]), (&json!(false), &json!(3)));
    for said in [vec![], vec!["--yes=2"]] {
        let ran = jeton.run(&[&revoke[..], &said].concat());
        assert_eq!(ran.code, 1, "{}", ran.stdout);
        assert!(
            ran.stderr.contains("say --yes 3 to do it"),
            "{}",
            ran.stderr
        );
        assert!(notes.accepts(&token).await);
    }
    let future = [
        "revoke",
        "--everybody",
        "--issued-before=9999-01-01",
        "--yes=3",
    ];
    assert_eq!(jeton.run(&future).code, 1);
    let done = jeton.json(&[&revoke[..], &["--yes=3", "--reason=a leak"]].concat());
    assert_eq!(done["personal_access_tokens"], 3);
    assert!(!notes.accepts(&token).await);
    let list = jeton.json(&["token", "list", "--all", "--status=revoked"]);
    assert_eq!(users(&list).len(), 3);
    let new = jeton.token("alice", "after")["token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(notes.accepts(&new).await);
}
