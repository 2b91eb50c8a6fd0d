//! The rules for personal access tokens, and the tokens that wait for approval, on the command line.

use serde_json::{Value, json};

use crate::support::{Browser, Jeton, MINE, PASSWORD};

const DAY: u64 = 86_400;

/// The rules in force, but for these.
fn rules(jeton: &Jeton, changes: Value) -> String {
    let mut rules = jeton.json(&["policy", "show"]);
    let changes = changes.as_object().expect("an object").clone();
    rules.as_object_mut().expect("an object").extend(changes);
    rules.to_string()
}

/// What `show` writes, `set` takes; names are kept as ids.
#[test]
fn the_rules_are_shown_and_set() {
    let jeton = Jeton::new();
    let alice = jeton.user("alice", PASSWORD);
    let before = jeton.json(&["policy", "show"]);
    assert_eq!(before["defaultLifeSeconds"], 90 * DAY);
    let text = jeton.run(&["policy", "show"]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), before);
    let changed = json!({"maxLifeSeconds": 30 * DAY, "creators": {"users": ["alice"]}});
    let decided = jeton.json_with(&["policy", "set", "-"], &rules(&jeton, changed));
    assert_eq!(decided["creators"], json!({"users": [alice["id"]]}));
    assert_eq!(jeton.json(&["policy", "show"]), decided);

    let file = std::env::temp_dir().join(format!("jeton-rules-{}", std::process::id()));
    std::fs::write(&file, before.to_string()).unwrap();
    let again = jeton.json(&["policy", "set", file.to_str().unwrap()]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(again, before);
    for (input, sentence) in [
        ("", "this is no policy"),
        ("{}", "this is no policy"),
        (
            &rules(&jeton, json!({"perUser": 0})),
            "perUser is from 1 to 10000.",
        ),
        (
            &rules(&jeton, json!({"creators": {"users": ["nobody"]}})),
            "There is no user nobody.",
        ),
    ] {
        for command in ["set", "preview"] {
            let ran = jeton.run_with(&["policy", command, "-"], input);
            assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{input}");
            assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
        }
    }
    let missing = jeton.run(&["policy", "set", "/no/such/file"]);
    assert!(
        missing.stderr.contains("can't be read"),
        "{}",
        missing.stderr
    );
    assert_eq!(jeton.json(&["policy", "show"]), before);
}

/// Rules that live tokens break are set only by whoever says how many these are.
#[test]
fn who_sets_rules_knows_what_breaks_them() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    jeton.notes("");
    let token = jeton.token("alice", "ci");
    let stricter = rules(&jeton, json!({"networksRequired": true}));
    let found = json!({"count": 1, "tokens": [
        {"id": token["id"], "user": "alice", "name": "ci", "breach": "noNetworks"}]});
    let before = jeton.json(&["policy", "show"]);
    for args in [
        vec!["policy", "preview", "-"],
        vec!["policy", "set", "-", "--dry-run"],
    ] {
        assert_eq!(jeton.json_with(&args, &stricter), found);
        let text = jeton.run_with(&args, &stricter).stdout;
        assert!(text.contains("can be used from anywhere"), "{text}");
        assert!(
            text.ends_with("1 live token breaks these rules.\n"),
            "{text}"
        );
    }
    for yes in [vec![], vec!["--yes=2"], vec!["--yes=0"]] {
        let args = [vec!["policy", "set", "-"], yes].concat();
        let ran = jeton.run_with(&args, &stricter);
        assert_eq!(ran.code, 1, "{args:?}");
        assert!(
            ran.stderr.contains("1 live token breaks these rules"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(jeton.json(&["policy", "show"]), before);
    let decided = jeton.json_with(&["policy", "set", "-", "--yes=1"], &stricter);
    assert_eq!(decided["networksRequired"], true);
    assert_eq!(
        jeton.json(&["token", "list", "--user=alice"])[0]["state"],
        "active"
    );
}

/// What waits is listed, approved and refused.
#[actix_web::test]
async fn what_waits_is_approved_and_refused() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    let server = jeton.serve();
    let notes = jeton.notes(&server.url);
    jeton.json_with(
        &["policy", "set", "-"],
        &rules(&jeton, json!({"approvalRequired": true})),
    );
    assert_eq!(jeton.json(&["approvals", "list"]), json!([]));
    let browser = Browser::new(&server.url);
    browser.sign_in("alice", PASSWORD).await;
    let mut made = vec![];
    for name in ["first", "second"] {
        let body = json!({"name": name, "scopes": ["notes:read"], "reason": "nightly",
            "expiresAt": null, "allowedCidrs": if name == "second" { vec!["192.0.2.0/24"] } else { vec![] }});
        let (status, token) = browser.api("POST", MINE, Some(body)).await;
        assert_eq!(status, 201, "{token}");
        made.push(token);
    }
    let list = jeton.json(&["approvals", "list"]);
    let (first, second) = (&list[0], &list[1]);
    assert_eq!(
        (&first["user"], &first["name"]),
        (&json!("alice"), &json!("first"))
    );
    assert_eq!(
        (&first["state"], &first["request_reason"]),
        (&json!("pending"), &json!("nightly"))
    );
    assert_eq!(second["networks"], json!(["192.0.2.0/24"]));
    assert!(first["waiting_since"].is_string());
    let table = jeton.run(&["approvals", "list"]).stdout;
    assert!(table.starts_with("USER"), "{table}");

    let (first, second) = (
        first["id"].as_str().unwrap(),
        second["id"].as_str().unwrap(),
    );
    let approved = jeton.json(&["approvals", "approve", first, "--reason=fine"]);
    assert_eq!(approved["state"], "active");
    assert!(notes.accepts(made[0]["value"].as_str().unwrap()).await);
    assert_eq!(jeton.run(&["approvals", "refuse", second]).code, 2);
    let refused = jeton.json(&["approvals", "refuse", second, "--reason=no"]);
    assert_eq!(refused["state"], "revoked");
    assert_eq!(jeton.json(&["approvals", "list"]), json!([]));
    for (id, sentence) in [
        (first, "does not wait for approval"),
        (second, "does not wait for approval"),
        ("x", "there is no token x"),
    ] {
        let ran = jeton.run(&["approvals", "approve", id]);
        assert_eq!(ran.code, 1);
        assert!(ran.stderr.contains(sentence), "{}", ran.stderr);
    }
}

/// An address is set and taken away again, and is no less checked than that of a new account.
#[test]
fn an_address_is_set_and_removed() {
    let jeton = Jeton::new();
    let alice = jeton.user("alice", PASSWORD);
    assert_eq!(alice["email"], Value::Null);
    let set = jeton.json(&["user", "set-email", "alice", "alice@example.com"]);
    assert_eq!(set["email"], "alice@example.com");
    let list = jeton.run(&["user", "list"]).stdout;
    assert!(list.contains("alice@example.com"), "{list}");
    for (args, code) in [
        (vec!["alice", "nowhere"], 1),
        (vec!["alice", "a b@example.com"], 1),
        (vec!["alice", "a@example.com\r\nBcc: b@example.com"], 1),
        (vec!["nobody", "a@example.com"], 1),
        (vec!["alice"], 2),
        (vec!["alice", "a@example.com", "--none"], 2),
    ] {
        let args = [vec!["user", "set-email"], args].concat();
        assert_eq!(jeton.run(&args).code, code, "{args:?}");
    }
    assert_eq!(
        jeton.json(&["user", "list"])[0]["email"],
        "alice@example.com"
    );
    let none = jeton.json(&["user", "set-email", "alice", "--none"]);
    assert_eq!(none["email"], Value::Null);
    let events = jeton.run(&["audit", "list", "--event=user.email_changed", "--json"]);
    assert_eq!(events.code, 0, "{}", events.stderr);
    assert!(!events.stdout.contains("example.com"), "{}", events.stdout);
    for how in ["\"set\"", "\"removed\""] {
        assert!(events.stdout.contains(how), "{}", events.stdout);
    }
}
