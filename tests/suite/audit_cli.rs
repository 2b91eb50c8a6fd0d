//! `jeton audit`: what the operator asks of the trail.

use diesel::prelude::*;
use serde_json::json;

use crate::support::tables::connect;
use crate::support::{Jeton, PASSWORD};

fn tamper(jeton: &Jeton, sql: &str) {
    let conn = &mut connect(&jeton.database.location());
    let rows = diesel::sql_query(sql).execute(conn).expect("it is SQL");
    assert_eq!(rows, 1, "{sql}");
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
