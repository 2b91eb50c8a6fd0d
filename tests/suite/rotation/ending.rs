//! How a rotation ends: by use, by the deadline, and at will; and what is left of the old token.

use diesel::prelude::*;
use jeton::db::schema::tokens;
use jeton::domain::personal_token::{End, PersonalToken};
use serde_json::{Value, json};

use super::{DAY, House, MINUTE, text};
use crate::support::{MINE, START, seconds};

/// Both work side by side; the first use of the new one leaves the old one a quarter of an hour.
#[actix_web::test]
async fn the_old_token_works_until_the_new_one_was_used_and_a_little_longer() {
    let house = House::build().await;
    let new = text(&house.rotate(&house.old_id).await, "value");
    house.server.clock.advance(seconds(60 * MINUTE));
    assert!(house.works(&house.old).await);
    house.uses(&new).await;
    house.server.clock.advance(seconds(15 * MINUTE - 1));
    let answer = house.notes.introspect(&house.old).await;
    let end = START.seconds() + (75 * MINUTE) as i64;
    assert_eq!(
        (&answer["active"], &answer["exp"]),
        (&json!(true), &json!(end))
    );
    house.server.clock.advance(seconds(1));
    assert!(!house.works(&house.old).await);
    assert!(house.works(&new).await);
}

/// If nobody uses the new one, the old one works until the deadline, and not a second longer.
#[actix_web::test]
async fn the_old_token_ends_at_the_deadline() {
    let house = House::build().await;
    let new = text(&house.rotate(&house.old_id).await, "value");
    house.server.clock.advance(seconds(DAY - 1));
    assert!(house.works(&house.old).await);
    house.server.clock.advance(seconds(1));
    assert!(!house.works(&house.old).await);
    assert!(house.works(&new).await);
}

/// The deadline is what is asked for, up to a week; 0 ends the old token at once.
#[actix_web::test]
async fn the_overlap_is_what_is_asked_for() {
    let house = House::build().await;
    for (grace, status) in [(7 * DAY + 1, 422), (7 * DAY, 201)] {
        let (got, answer) = house
            .try_rotate(&house.old_id, json!({"graceSeconds": grace}))
            .await;
        assert_eq!(got, status, "{answer}");
    }
    house.server.clock.advance(seconds(7 * DAY - 1));
    assert!(house.works(&house.old).await);
    let browser = house.server.signed_in(&house.alice).await;
    let path = format!("{MINE}/{}/rotate", house.old_id);
    let body = Some(json!({"graceSeconds": 0}));
    assert_eq!(browser.api("POST", &path, body).await.0, 201);
    assert!(!house.works(&house.old).await);
}

/// An overlap never prolongs a life.
#[actix_web::test]
async fn an_old_token_ends_at_its_own_end_too() {
    let house = House::build().await;
    let end = End::At(START + seconds(MINUTE));
    let short = house
        .server
        .personal_token_until(&house.alice, "notes:read", end);
    let id = text(&house.notes.introspect(&short).await, "jti");
    house.rotate(&id).await;
    house.server.clock.advance(seconds(MINUTE));
    assert!(!house.works(&short).await);
}

/// `finish` ends the overlap at once, `cancel` undoes a rotation whose successor nobody has used; each only once.
#[actix_web::test]
async fn a_rotation_is_finished_or_cancelled_at_will() {
    let house = House::build().await;
    let id = &house.old_id;
    for step in ["finish", "cancel"] {
        let (status, refused) = house.post(&format!("{id}/rotate/{step}")).await;
        assert_eq!(
            (status, &refused["code"]),
            (409, &json!("pat.not_rotating"))
        );
    }
    let dropped = text(&house.rotate(id).await, "value");
    assert_eq!(house.post(&format!("{id}/rotate/cancel")).await.0, 204);
    assert!(!house.works(&dropped).await);
    assert!(house.works(&house.old).await);
    house.server.clock.advance(seconds(2 * DAY));
    assert!(house.works(&house.old).await, "it is the current one again");

    let browser = house.server.signed_in(&house.alice).await;
    let path = |id: &str, step: &str| format!("{MINE}/{id}/rotate{step}");
    let (_, new) = browser.api("POST", &path(id, ""), None).await;
    house.uses(&text(&new, "value")).await;
    let (status, refused) = browser.api("POST", &path(id, "/cancel"), None).await;
    assert_eq!(
        (status, &refused["code"]),
        (409, &json!("pat.successor_used"))
    );
    let (status, _) = browser
        .api("POST", &path(&text(&new, "id"), "/finish"), None)
        .await;
    assert_eq!(status, 204);
    assert!(!house.works(&house.old).await);
    assert!(house.works(&text(&new, "value")).await);
}

/// What has a right to only one of two works on no more: revoking either ends both, and nothing revives them.
#[actix_web::test]
async fn revoking_either_ends_both() {
    let house = House::build().await;
    for by_old in [true, false] {
        let old = house.server.personal_token(&house.alice, "notes:read");
        let id = text(&house.notes.introspect(&old).await, "jti");
        house.uses(&old).await;
        let new = house.rotate(&id).await;
        let revoked = if by_old { id.clone() } else { text(&new, "id") };
        let path = format!("{MINE}/{revoked}");
        assert_eq!(house.browser.api("DELETE", &path, None).await.0, 204);
        assert!(!house.works(&old).await);
        assert!(!house.works(&text(&new, "value")).await);
        assert_eq!(house.try_rotate(&id, json!({})).await.0, 409);
        for step in ["finish", "cancel"] {
            assert_eq!(house.post(&format!("{id}/rotate/{step}")).await.0, 409);
        }
    }
}

/// Who holds the old one can end that alone: it may have leaked, and the new one has not.
#[actix_web::test]
async fn giving_the_old_token_back_leaves_the_new_one() {
    let house = House::build().await;
    let new = text(&house.rotate(&house.old_id).await, "value");
    let form = [("token", house.old.as_str())];
    for _ in 0..2 {
        let answer = house
            .server
            .post("/oauth/revoke", &form)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!house.works(&house.old).await);
        assert!(house.works(&new).await, "also not by one that has ended");
    }
    let form = [("token", new.as_str())];
    let answer = house
        .server
        .post("/oauth/revoke", &form)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert!(!house.works(&new).await);
}

/// Lists show a family by its current token and what still works beside it.
#[actix_web::test]
async fn what_was_taken_over_is_not_listed() {
    let house = House::build().await;
    house.server.clock.advance(seconds(1));
    let new = house.rotate(&house.old_id).await;
    let shown = async || -> Vec<Value> {
        let (_, list) = house.browser.api("GET", MINE, None).await;
        let list = list.as_array().unwrap().iter();
        list.map(|token| token["status"].clone()).collect()
    };
    assert_eq!(shown().await, ["active", "rotating"]);
    house.uses(&text(&new, "value")).await;
    house.server.clock.advance(seconds(15 * MINUTE));
    assert_eq!(shown().await, ["active"]);
    let path = format!("{MINE}/{}", house.old_id);
    let (_, old) = house.browser.api("GET", &path, None).await;
    assert_eq!(old["status"], "rotated");
}

/// What was taken over is purged 90 days later, with a record; that it would have expired long since is no end of its family.
#[actix_web::test]
async fn what_was_taken_over_is_purged_alone() {
    let house = House::build().await;
    let end = End::At(START + seconds(DAY));
    let old = house
        .server
        .personal_token_until(&house.alice, "notes:write", end);
    let id = text(&house.notes.introspect(&old).await, "jti");
    let forever = json!({"neverExpires": true, "graceSeconds": 0});
    let (status, new) = house.try_rotate(&id, forever).await;
    assert_eq!(status, 201, "{new}");
    let after = async |time| {
        house.server.clock.advance(seconds(time));
        jeton::jobs::sweep::sweep(&house.server.app).await.unwrap();
        let family = house.server.write(|tx| {
            let token = PersonalToken::find(tx, text(&new, "id").parse().expect("an id"))?;
            let grant = token.expect("the new one").grant.id;
            let family = tokens::table.filter(tokens::grant_id.eq(grant));
            Ok(family.count().get_result::<i64>(&mut **tx)?)
        });
        (family, house.events("token.purged"))
    };
    assert_eq!(after(90 * DAY - 1).await, (2, 0));
    assert_eq!(after(1).await, (1, 1));
    assert!(house.works(&text(&new, "value")).await);
}

/// Of a family whose successor was made after an incident's moment, the old half alone ends; the other is listed, and stays.
#[actix_web::test]
async fn an_incident_ends_the_old_half_alone() {
    for everybody in [false, true] {
        let house = House::build().await;
        house.server.clock.advance(seconds(60));
        let moment = house.server.clock.now().whole_second().millis();
        house.server.clock.advance(seconds(60));
        let new = text(&house.rotate(&house.old_id).await, "value");
        let manager = house.server.manager("pats:revoke pats:read").await;
        let path = match everybody {
            true => "/api/tokens/revoke-all".to_owned(),
            false => format!("/api/users/{}/tokens/revoke-all", house.alice.id),
        };
        let mut body = json!({"issuedBefore": moment, "kinds": ["pat"]});
        if everybody {
            body["dryRun"] = json!(true);
            let (_, would) = manager.call("POST", &path, body.clone()).await;
            body =
                json!({"issuedBefore": moment, "kinds": ["pat"], "confirmCount": would["count"]});
        }
        let (status, ended) = manager.call("POST", &path, body).await;
        assert!((200..300).contains(&status), "{ended}");
        let cut = house
            .server
            .app
            .write(jeton::domain::tx::Caller::system(), |tx| {
                Ok::<_, jeton::db::Fault>(jeton::domain::cut_off::CutOff::write_rows(tx, 100)?)
            });
        cut.await.expect("the rows are written");
        assert!(!house.works(&house.old).await, "everybody: {everybody}");
        assert!(house.works(&new).await, "everybody: {everybody}");
        let (_, all) = manager
            .get("/api/personal-access-tokens?status=active")
            .await;
        assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all}");
    }
}
