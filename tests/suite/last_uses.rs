//! When and from where a token was last used, when writing it down goes wrong or the uses come in quick succession.

use diesel::prelude::*;
use jeton::clock::Timestamp;
use jeton::db::Fault;
use jeton::db::schema::grants;
use jeton::domain::grant::Grant;
use jeton::domain::id::Id;
use jeton::domain::personal_token::PersonalToken;
use jeton::domain::user::User;
use jeton::jobs::last_used;

use crate::support::{ResourceServer, START, Server, seconds};

/// The uses that are written down, one for each grant.
fn written(server: &Server) -> Vec<Option<Timestamp>> {
    let uses = server.app.read_blocking(|rx| {
        let uses = grants::table.select(grants::last_used_at);
        Ok::<_, Fault>(uses.load(&mut **rx)?)
    });
    uses.expect("the uses are read")
}

/// From where the only token of `owner` was last used.
fn from(server: &Server, owner: &User) -> Option<String> {
    let tokens = server.write(|tx| Ok(PersonalToken::all_of(tx, owner.id)?));
    tokens[0].grant.last_used_from.clone()
}

async fn used_from(notes: &ResourceServer, token: &str, address: &str) {
    let answer = notes.ask(&[("token", token), ("client_ip", address)]).await;
    assert_eq!(answer.status(), 200);
}

/// A database that can't be written to costs no use: all of them are written next time, each once.
#[actix_web::test]
async fn a_failed_writing_loses_nothing() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    for _ in 0..3 {
        let token = server.personal_token(&alice, "notes:read");
        assert!(notes.accepts(&token).await);
    }
    for all in [false, true] {
        server.rename_table("grants", "elsewhere");
        let failed = last_used::flush(&server.app, all).await;
        assert!(failed.is_err(), "there is nothing to write to");
        server.rename_table("elsewhere", "grants");
        assert_eq!(written(&server), [None; 3]);
    }
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(written(&server), [Some(START); 3]);
}

/// More uses than fit into one transaction are all written.
#[actix_web::test]
async fn more_than_one_batch_is_written() {
    const MANY: usize = 450;
    let server = Server::start().await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let ids: Vec<Id> = server.write(|tx| {
        let grant: Grant = grants::table.select(Grant::as_select()).first(&mut **tx)?;
        let mut ids = vec![];
        for _ in 0..MANY {
            let id = Id::new(tx.now);
            diesel::insert_into(grants::table)
                .values((
                    grants::id.eq(id),
                    grants::client_id.eq(&grant.client_id),
                    grants::origin.eq(grant.origin),
                    grants::scope.eq(&grant.scope),
                    grants::audience.eq(&grant.audience),
                    grants::created_at.eq(grant.created_at),
                    grants::created_by.eq(&grant.created_by),
                    grants::created_via.eq(&grant.created_via),
                ))
                .execute(&mut **tx)?;
            ids.push(id);
        }
        Ok(ids)
    });
    for id in ids {
        server.app.last_used().used(id, START, None);
    }
    assert!(notes.accepts(&token).await);
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(written(&server), [Some(START); MANY + 1]);
}

/// The address is that of the latest use, and of no other: not even if that one's is not known.
#[actix_web::test]
async fn the_address_is_that_of_the_latest_use() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    for address in ["192.0.2.1", "192.0.2.2"] {
        used_from(&notes, &token, address).await;
        server.clock.advance(seconds(1));
    }
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(from(&server, &alice).as_deref(), Some("192.0.2.2"));
    server.clock.advance(seconds(60));
    used_from(&notes, &token, "192.0.2.3").await;
    server.clock.advance(seconds(1));
    notes.introspect(&token).await;
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(from(&server, &alice), None);
}

/// Of two uses that are noted in another order than they happened, the later one stays.
#[actix_web::test]
async fn an_earlier_use_that_is_noted_late_changes_nothing() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    server.personal_token(&alice, "notes:read");
    let tokens = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    let (grant, later) = (tokens[0].grant.id, START + seconds(1));
    let [at_first, at_last] = ["192.0.2.1", "192.0.2.2"].map(|text| text.parse().ok());
    server.app.last_used().used(grant, later, at_last);
    server.app.last_used().used(grant, START, at_first);
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(written(&server), [Some(later)]);
    assert_eq!(from(&server, &alice).as_deref(), Some("192.0.2.2"));
}
