//! What is left of the chain when old events are removed, and what an export proves.

use std::collections::BTreeMap;

use diesel::prelude::*;
use jeton::db::schema::audit_events;
use jeton::domain::audit::chain::Head;
use jeton::jobs::sealing::seal;
use jeton::jobs::sweep::sweep;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{DAY, flaw, head, record, sealed, set, verify};
use crate::support::{Server, count, seconds};

/// What is older than `audit_retention` goes, by whole days; the rest fits onto what is gone, and the trail says so.
#[actix_web::test]
async fn old_events_are_purged_and_the_rest_is_whole() {
    let server = Server::with(&[("audit_retention", "10d")]).await;
    record(&server, 1200);
    seal(&server.app).await.unwrap();
    let old = head(&server);
    server.clock.advance(seconds(5 * DAY));
    record(&server, 3);
    seal(&server.app).await.unwrap();
    let known = head(&server);
    let left = |server: &Server| count!(server, audit_events);
    server.clock.advance(seconds(5 * DAY));
    sweep(&server.app).await.unwrap();
    assert_eq!(left(&server), 1203, "the day is not over");
    server.clock.advance(seconds(DAY));
    // What is not sealed is not removed, however old it is.
    record(&server, 1);
    sweep(&server.app).await.unwrap();
    // 500, 500 and 200 went at a time, with a record of each.
    assert_eq!(left(&server), 3 + 1 + 3);
    for _ in 0..2 {
        let verified = verify(&server, Some(known)).unwrap();
        assert_eq!(verified.purged, old);
        seal(&server.app).await.unwrap();
        sweep(&server.app).await.unwrap();
    }
    assert_eq!(left(&server), 7, "nothing more is old");
    let told: Vec<Option<String>> = server.write(|tx| {
        let purges = audit_events::table.filter(audit_events::event.eq("audit.purged"));
        Ok(purges.select(audit_events::detail).load(&mut **tx)?)
    });
    assert!(told.contains(&Some(old.to_string())), "{told:?}");
    let noted = Head { seq: 3, ..old };
    let flaw = verify(&server, Some(noted)).unwrap_err().to_string();
    assert!(flaw.starts_with("event 3 is purged"), "{flaw}");
    // The first that is left is no less in the chain.
    set!(server, 1201, detail = "another");
}

/// An event that is not sealed is not purged: it would be missed.
#[actix_web::test]
async fn what_is_not_sealed_is_not_purged() {
    let server = Server::with(&[("audit_retention", "10d")]).await;
    record(&server, 2);
    server.clock.advance(seconds(40 * DAY));
    sweep(&server.app).await.unwrap();
    assert_eq!(count!(server, audit_events), 2);
    let server = Server::with(&[("audit_retention", "none")]).await;
    record(&server, 2);
    seal(&server.app).await.unwrap();
    server.clock.advance(seconds(4000 * DAY));
    sweep(&server.app).await.unwrap();
    assert_eq!(count!(server, audit_events), 2);
}

/// The members of a line, in the order in which docs/audit.md says they are sealed.
const MEMBERS: [&str; 12] = [
    "seq",
    "id",
    "at",
    "event",
    "actor",
    "userId",
    "clientId",
    "grantId",
    "tokenId",
    "detail",
    "address",
    "requestId",
];

/// Whoever has an export can see for themselves, with nothing of ours, that the chain fits.
#[actix_web::test]
async fn an_export_can_be_verified_by_anybody() {
    let server = sealed(4).await;
    let browser = server.signed_in(&server.admin("root")).await;
    server.user("alice");
    seal(&server.app).await.unwrap();
    let export = browser.get("/api/audit/export").await;
    let lines = export.body.lines();
    let mut events: BTreeMap<i64, Value> = BTreeMap::new();
    for line in lines {
        let event: Value = serde_json::from_str(line).expect("a line of JSON");
        events.insert(event["seq"].as_i64().expect("all are sealed"), event);
    }
    let mut hash = vec![0; 32];
    for (number, (seq, event)) in events.iter().enumerate() {
        assert_eq!(*seq, number as i64 + 1);
        let mut bytes = hash;
        for name in MEMBERS {
            let value = match &event[name] {
                Value::Null => continue,
                Value::String(text) => text.clone(),
                number => number.to_string(),
            };
            for text in [name, &value] {
                bytes.extend((text.len() as u32).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        hash = Sha256::digest(&bytes).to_vec();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(event["hash"], hex, "{event}");
    }
    assert_eq!(head(&server).seq, events.len() as i64);
}
