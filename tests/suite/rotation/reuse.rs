//! An old token that is used after its end: reported, and by strict policy the end of its successor too.

use diesel::prelude::*;
use jeton::db::schema::audit_events;
use serde_json::json;

use super::{House, MINUTE, text};
use crate::support::{MINE, json, seconds};

/// A token that comes back after its successor took over is refused and reported, once a day, with where it came from.
#[actix_web::test]
async fn reuse_is_reported() {
    let house = House::build().await;
    let new = text(&house.rotate(&house.old_id).await, "value");
    house.post(&format!("{}/rotate/finish", house.old_id)).await;
    let form = [("token", house.old.as_str()), ("client_ip", "203.0.113.9")];
    for expected in [1, 1, 2] {
        let answer = json(house.notes.ask(&form).await, 200).await;
        assert_eq!(answer, json!({"active": false}));
        house.server.note_uses().await;
        assert_eq!(house.events("token.reuse_detected"), expected);
        house.server.clock.advance(seconds(13 * 3600));
    }
    let places: Vec<Option<String>> = house.server.write(|tx| {
        let reuses = audit_events::table.filter(audit_events::event.eq("token.reuse_detected"));
        Ok(reuses.select(audit_events::address).load(&mut **tx)?)
    });
    assert_eq!(places, vec![Some("203.0.113.9".to_owned()); 2]);
    assert!(
        house.works(&new).await,
        "a forgotten job takes nothing down"
    );
}

/// By strict policy reuse ends the family. What never was rotated, and what overlaps still, is no reuse.
#[actix_web::test]
async fn by_strict_policy_reuse_ends_the_successor_too() {
    let house = House::with(&[("pat_on_reuse", "revoke")]).await;
    let new = text(&house.rotate(&house.old_id).await, "value");
    house.uses(&house.old).await;
    house.uses(&new).await;
    house.uses(&house.old).await;
    house.server.clock.advance(seconds(15 * MINUTE));
    assert!(!house.works(&house.old).await);
    house.server.note_uses().await;
    assert!(!house.works(&new).await);
    let (_, shown) = house
        .browser
        .api("GET", &format!("{MINE}/{}", house.old_id), None)
        .await;
    assert_eq!(shown["revokeReason"], "used after it was rotated");
}

/// A token's first use is recorded once, on whichever node.
#[actix_web::test]
async fn the_first_use_is_recorded_once() {
    let house = House::build().await;
    let elsewhere = house.server.another_node().await;
    assert_eq!(house.events("token.first_used"), 1);
    let new = text(&house.rotate(&house.old_id).await, "value");
    let notes = house.notes.at(&elsewhere);
    assert!(house.works(&new).await && notes.accepts(&new).await);
    house.server.note_uses().await;
    elsewhere.note_uses().await;
    house.uses(&new).await;
    assert_eq!(house.events("token.first_used"), 2);
}
