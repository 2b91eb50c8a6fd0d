//! The chain that seals the trail: nothing in it can be changed, removed, put in or moved without `verify` saying where.

mod purge;

use diesel::prelude::*;
use jeton::clock::Timestamp;
use jeton::db::schema::{audit_events, audit_progress};
use jeton::domain::audit::chain::{self, Flaw, Head, Verified};
use jeton::domain::audit::{Event, What};
use jeton::domain::id::Id;
use jeton::domain::tx::Tx;
use jeton::jobs::census;
use jeton::jobs::sealing::seal;

use crate::support::{Exposition, START, Server, count, seconds};

const DAY: u64 = 86_400;

/// A server with so many events in its trail, all of them sealed.
async fn sealed(events: usize) -> Server {
    let server = Server::start().await;
    record(&server, events);
    seal(&server.app).await.expect("the trail is sealed");
    server
}

/// Record so many events, with something in every member.
fn record(server: &Server, events: usize) {
    server.write(|tx| {
        for number in 0..events {
            let id = Id::new(tx.now);
            let event = Event::new(What::TokenChanged).of_grant(id, Some(id), "app");
            tx.record(event.token(id).detail(format!("naïve № {number} 👩‍👩‍👧")))?;
        }
        Ok(())
    });
}

fn verify(server: &Server, known: Option<Head>) -> Result<Verified, Flaw> {
    server.app.read_blocking(|rx| chain::verify(rx, known))
}

/// What is wrong with the trail, in words; empty if nothing is.
fn flaw(server: &Server) -> String {
    verify(server, None).map_or_else(|flaw| flaw.to_string(), |_| String::new())
}

fn head(server: &Server) -> Head {
    let head = server.write(|tx| Ok(chain::head(tx)?));
    head.0
}

fn tamper(server: &Server, sql: &str) {
    let rows = server.write(|tx| Ok(diesel::sql_query(sql).execute(&mut **tx)?));
    assert_ne!(rows, 0, "{sql}");
}

/// Change one event of the chain.
macro_rules! set {
    ($server:expr, $seq:expr, $column:ident = $value:expr) => {{
        let seq: i64 = $seq;
        $server.write(|tx| {
            let event = audit_events::table.filter(audit_events::seq.eq(seq));
            let change = audit_events::$column.eq($value);
            Ok(diesel::update(event).set(change).execute(&mut **tx)?)
        });
        assert!(
            flaw(&$server).starts_with(&format!("event {seq} (")),
            "{}: {}",
            stringify!($column),
            flaw(&$server)
        );
    }};
}
use set;

/// What a server does for itself is sealed too, each event once, and all of it fits.
#[actix_web::test]
async fn a_trail_that_nobody_touched_is_whole() {
    let server = sealed(0).await;
    assert_eq!(flaw(&server), "");
    server.signed_in(&server.admin("root")).await;
    server.notes();
    record(&server, 3);
    seal(&server.app).await.unwrap();
    let verified = verify(&server, None).unwrap();
    assert_eq!(verified.head.seq, count!(server, audit_events));
    assert_eq!((verified.purged.seq, verified.unsealed), (0, 0));
    record(&server, 2);
    assert_eq!(verify(&server, None).unwrap().unsealed, 2);
    for _ in 0..2 {
        seal(&server.app).await.unwrap();
        assert_eq!(head(&server).seq, verified.head.seq + 2);
    }
    assert_eq!(verify(&server, Some(verified.head)).unwrap().unsealed, 0);
}

/// Whoever watches sees how far the trail is sealed, and what waits for that.
#[actix_web::test]
async fn how_far_it_is_sealed_is_told() {
    let server = sealed(4).await;
    record(&server, 2);
    census::count(&server.app).await.unwrap();
    let seen = Exposition::of(&server);
    assert_eq!(seen.value("jeton_audit_sealed_seq"), 4.0);
    assert_eq!(seen.value("jeton_audit_unsealed_events"), 2.0);
}

/// Whatever is changed in an event, its digest fits no more. From the last event on, since the first flaw is what is told.
#[actix_web::test]
async fn an_event_that_was_changed_is_found() {
    let server = sealed(13).await;
    let none = None::<String>;
    set!(server, 13, detail = "another");
    set!(server, 12, detail = none.clone());
    set!(server, 11, at = START + seconds(1));
    set!(server, 10, event = "token.revoked");
    set!(server, 9, actor = "anyone");
    set!(server, 8, user_id = Id::new(START));
    set!(server, 7, client_id = "other");
    set!(server, 6, grant_id = Id::new(START));
    set!(server, 5, token_id = None::<Id>);
    set!(server, 4, address = "192.0.2.1");
    set!(server, 3, request_id = "x");
    set!(server, 2, id = Id::new(START));
    set!(server, 1, hash = vec![0u8; 32]);
}

/// A text that moves from one member into another is a change, even if all of them together read the same.
#[actix_web::test]
async fn members_are_told_apart() {
    let server = sealed(0).await;
    server.write(|tx| Ok(tx.record(Event::new(What::SignedIn).client("a").detail("b"))?));
    seal(&server.app).await.unwrap();
    tamper(
        &server,
        "UPDATE audit_events SET client_id = 'adetailb', detail = NULL",
    );
    assert!(flaw(&server).starts_with("event 1 ("), "{}", flaw(&server));
}

#[actix_web::test]
async fn an_event_that_was_removed_is_found() {
    let server = sealed(10).await;
    for seq in [10, 5, 1] {
        tamper(
            &server,
            &format!("DELETE FROM audit_events WHERE seq = {seq}"),
        );
        assert_eq!(
            flaw(&server),
            format!("event {seq} is missing: it was removed")
        );
    }
    let server = sealed(3).await;
    tamper(&server, "DELETE FROM audit_events");
    assert_eq!(flaw(&server), "event 1 is missing: it was removed");
}

#[actix_web::test]
async fn an_event_that_was_put_in_is_found() {
    let forge = |server: &Server, seq: i64| {
        record(server, 1);
        let new = format!("UPDATE audit_events SET seq = {seq} WHERE seq IS NULL");
        tamper(server, &new);
    };
    let server = sealed(5).await;
    forge(&server, 6);
    assert!(flaw(&server).starts_with("event 6 ("), "{}", flaw(&server));
    assert!(flaw(&server).contains("was put in: the chain ends before"));
    forge(&server, 0);
    assert!(flaw(&server).contains("was put in: the chain begins later"));
    // In the middle, with all after it moved on by one.
    let server = sealed(5).await;
    for seq in [5, 4, 3] {
        let next = seq + 1;
        tamper(
            &server,
            &format!("UPDATE audit_events SET seq = {next} WHERE seq = {seq}"),
        );
    }
    forge(&server, 3);
    assert!(flaw(&server).starts_with("event 3 ("), "{}", flaw(&server));
}

#[actix_web::test]
async fn events_that_changed_places_are_found() {
    let server = sealed(6).await;
    for (from, to) in [(4, -1), (5, 4), (-1, 5)] {
        tamper(
            &server,
            &format!("UPDATE audit_events SET seq = {to} WHERE seq = {from}"),
        );
    }
    assert!(flaw(&server).starts_with("event 4 ("), "{}", flaw(&server));
}

/// The chain's own notes of where it begins and ends are believed as little.
#[actix_web::test]
async fn a_false_beginning_or_end_is_found() {
    let server = sealed(6).await;
    let known = head(&server);
    let to = |server: &Server, which: &str, seq: i64| {
        tamper(
            server,
            &format!(
                "UPDATE audit_progress SET {which}_seq = {seq}, \
                 {which}_hash = (SELECT hash FROM audit_events WHERE seq = {seq})"
            ),
        );
    };
    to(&server, "purged", 2);
    tamper(&server, "DELETE FROM audit_events WHERE seq <= 2");
    assert_eq!(
        flaw(&server),
        "the events up to 2 are gone, and the trail does not say that they were purged"
    );
    let server = sealed(6).await;
    server.write(|tx| {
        let other = audit_progress::sealed_hash.eq(vec![7u8; 32]);
        Ok(diesel::update(audit_progress::table)
            .set(other)
            .execute(&mut **tx)?)
    });
    assert!(flaw(&server).starts_with("the noted end of the chain"));
    // Cut off so well that only who has noted the head elsewhere can tell.
    let server = sealed(6).await;
    to(&server, "sealed", 5);
    tamper(&server, "DELETE FROM audit_events WHERE seq = 6");
    assert_eq!(flaw(&server), "");
    let flaw = verify(&server, Some(known)).unwrap_err().to_string();
    assert!(flaw.starts_with("the trail ends at event 5"), "{flaw}");
}

/// "An attacker with write access can rebuild the whole chain unless the head was noted elsewhere."
#[actix_web::test]
async fn a_chain_that_was_made_anew_does_not_lead_through_a_noted_head() {
    let server = sealed(6).await;
    let known = head(&server);
    record(&server, 2);
    seal(&server.app).await.unwrap();
    assert_eq!(verify(&server, Some(known)).unwrap().head.seq, 8);
    tamper(
        &server,
        "UPDATE audit_events SET actor = 'anyone' WHERE seq = 2",
    );
    tamper(&server, "UPDATE audit_events SET seq = NULL, hash = NULL");
    tamper(
        &server,
        "UPDATE audit_progress SET sealed_seq = 0, sealed_hash = purged_hash",
    );
    seal(&server.app).await.unwrap();
    assert_eq!(verify(&server, None).unwrap().head.seq, 8);
    let flaw = verify(&server, Some(known)).unwrap_err().to_string();
    assert_eq!(
        flaw,
        "event 6 is not what it was when that head was noted: the chain was made anew"
    );
}

/// Events are made in one order and committed in another. One that comes late has the id of its making, and is sealed
/// after those that were made later.
#[actix_web::test]
async fn an_event_that_is_committed_late_is_sealed_all_the_same() {
    let server = sealed(3).await;
    let late = START - seconds(3600);
    server.write(|tx| {
        let (policy, caller) = (tx.policy, tx.caller);
        let mut then = Tx::new(tx, late, policy, caller);
        Ok(then.record(Event::new(What::SignedIn))?)
    });
    seal(&server.app).await.unwrap();
    let verified = verify(&server, None).unwrap();
    assert_eq!((verified.head.seq, verified.unsealed), (4, 0));
    let at: Timestamp = server.write(|tx| {
        let last = audit_events::table.filter(audit_events::seq.eq(4));
        Ok(last.select(audit_events::at).get_result(&mut **tx)?)
    });
    assert_eq!(at, late);
}

/// Many write on two nodes while both seal: every event gets a number, no number is left out, and none is given twice.
#[actix_web::test]
async fn many_writers_at_once_leave_no_gap() {
    const WRITERS: usize = 12;
    const EACH: usize = 20;
    let server = Server::with(&[("database_connections", "4")]).await;
    let other = server.another_node().await;
    let before = count!(server, audit_events);
    let mut under_way = vec![];
    for writer in 0..WRITERS {
        let app = [&server, &other][writer % 2].app.clone();
        under_way.push(actix_web::rt::spawn(async move {
            for _ in 0..EACH {
                let caller = jeton::domain::tx::Caller::system();
                let made = app.write(caller, |tx| {
                    Ok::<_, jeton::db::Fault>(tx.record(Event::new(What::SignedIn))?)
                });
                made.await.expect("the event is written");
            }
        }));
    }
    for node in [&server, &other] {
        let app = node.app.clone();
        under_way.push(actix_web::rt::spawn(async move {
            for _ in 0..30 {
                seal(&app).await.expect("the trail is sealed");
                actix_web::rt::time::sleep(std::time::Duration::from_millis(3)).await;
            }
        }));
    }
    for task in under_way {
        task.await.expect("no panic");
    }
    seal(&server.app).await.unwrap();
    let verified = verify(&server, None).unwrap();
    let all = before + (WRITERS * EACH) as i64;
    assert_eq!((verified.head.seq, verified.unsealed), (all, 0));
    assert_eq!(count!(server, audit_events), all);
}
