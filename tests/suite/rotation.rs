//! Rotation without downtime: the old token works until the new one has been used, or until the deadline.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, tokens};
use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{Browser, MINE, ResourceServer, START, Script, Server, count, json, seconds};

const DAY: u64 = 86_400;
const MINUTE: u64 = 60;

/// Alice with a token for 90 days, which has been used.
struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    browser: Browser,
    old: String,
    old_id: String,
}

impl House {
    async fn build() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let server = Server::with(settings).await;
        let notes = server.notes();
        let alice = server.user("alice");
        let old = server.personal_token(&alice, "notes:read pat:rotate_self");
        let browser = server.signed_in(&alice).await;
        let house = Self {
            old_id: text(&notes.introspect(&old).await, "jti"),
            server,
            notes,
            alice,
            browser,
            old,
        };
        house.uses(&house.old).await;
        house
    }

    /// Rotate `id`; status and answer.
    async fn try_rotate(&self, id: &str, body: Value) -> (u16, Value) {
        let path = format!("{MINE}/{id}/rotate");
        self.browser.api("POST", &path, Some(body)).await
    }

    async fn rotate(&self, id: &str) -> Value {
        let (status, rotated) = self.try_rotate(id, json!({})).await;
        assert_eq!(status, 201, "{rotated}");
        rotated
    }

    async fn post(&self, path: &str) -> (u16, Value) {
        let path = format!("{MINE}/{path}");
        self.browser.api("POST", &path, Some(json!({}))).await
    }

    async fn works(&self, token: &str) -> bool {
        self.notes.accepts(token).await
    }

    /// Use a token and have it written down.
    async fn uses(&self, token: &str) {
        assert!(self.works(token).await);
        self.server.note_uses().await;
    }

    fn events(&self, event: &str) -> i64 {
        self.server.write(|tx| {
            let of_event = audit_events::table.filter(audit_events::event.eq(event));
            Ok(of_event.count().get_result(&mut **tx)?)
        })
    }

    fn script(&self, token: &str) -> Script {
        self.server.script(token)
    }
}

fn text(document: &Value, member: &str) -> String {
    let text = document[member].as_str();
    text.unwrap_or_else(|| panic!("no {member} in {document}"))
        .to_owned()
}

/// A successor has the name, the scopes, the audience and the life of its predecessor, and a secret of its own.
#[actix_web::test]
async fn a_successor_is_what_its_predecessor_was() {
    let house = House::build().await;
    house.server.clock.advance(seconds(30 * DAY));
    let browser = house.server.signed_in(&house.alice).await;
    let path = format!("{MINE}/{}/rotate", house.old_id);
    let (status, mut rotated) = browser.api("POST", &path, None).await;
    assert_eq!(status, 201, "{rotated}");
    let (_, old) = browser
        .api("GET", &format!("{MINE}/{}", house.old_id), None)
        .await;
    let new = text(&rotated, "value");
    let (_, shown) = browser
        .api("GET", &format!("{MINE}/{}", text(&rotated, "id")), None)
        .await;
    for member in ["name", "scopes", "audience", "userId", "kind", "createdBy"] {
        assert_eq!(shown[member], old[member], "{member}");
    }
    let day = DAY as i64 * 1000;
    let life = rotated["expiresAt"].as_i64().unwrap() - START.whole_second().millis();
    assert_eq!(life, 120 * day);
    assert_eq!(rotated["rotation"]["predecessorId"], house.old_id);
    let until = START.whole_second().millis() + 31 * day;
    assert_eq!(
        rotated["predecessor"],
        json!({"id": house.old_id, "overlapUntil": until})
    );
    assert_eq!(
        (&old["status"], &shown["status"]),
        (&json!("rotating"), &json!("active"))
    );
    rotated["lastUsedIps"] = json!([]);
    rotated
        .as_object_mut()
        .unwrap()
        .retain(|member, _| member != "value" && member != "predecessor");
    assert_eq!(shown, rotated);
    assert_ne!(house.notes.introspect(&new).await["jti"], house.old_id);
}

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

/// An answer that was lost does no harm: rotating again before the successor was used replaces it, by either id.
#[actix_web::test]
async fn an_unused_successor_is_replaced() {
    let house = House::build().await;
    let lost = house.rotate(&house.old_id).await;
    let lost_too = house.rotate(&house.old_id).await;
    let kept = house.rotate(&text(&lost_too, "id")).await;
    for gone in [lost, lost_too] {
        assert!(!house.works(&text(&gone, "value")).await);
    }
    assert_eq!(kept["predecessor"]["id"], house.old_id);
    assert!(house.works(&house.old).await);
    house.uses(&text(&kept, "value")).await;
    house.server.clock.advance(seconds(15 * MINUTE));
    assert!(!house.works(&house.old).await);
}

/// Once the successor is in use, it is the one to rotate.
#[actix_web::test]
async fn a_used_successor_is_not_replaced() {
    let house = House::build().await;
    let new = house.rotate(&house.old_id).await;
    house.uses(&text(&new, "value")).await;
    let (status, refused) = house.try_rotate(&house.old_id, json!({})).await;
    assert_eq!(
        (status, &refused["code"]),
        (409, &json!("pat.already_rotated"))
    );
    let next = house.rotate(&text(&new, "id")).await;
    assert_eq!(next["predecessor"]["id"], new["id"]);
    for token in [&house.old, &text(&new, "value"), &text(&next, "value")] {
        assert!(house.works(token).await);
    }
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

/// A token with the scope for it rotates itself; one without, or for another audience alone, does not.
#[actix_web::test]
async fn a_token_rotates_itself_with_the_scope_for_it() {
    const SELF: &str = "/api/personal-access-tokens/self/rotate";
    let house = House::build().await;
    let plain = house.server.personal_token(&house.alice, "notes:read");
    let (status, refused) = house.script(&plain).call("POST", SELF, Value::Null).await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("auth.insufficient_scope"))
    );

    let (status, new) = house
        .script(&house.old)
        .call("POST", SELF, Value::Null)
        .await;
    assert_eq!(status, 201, "{new}");
    let new = text(&new, "value");
    // That was the new one's first use: it is rotated, not replaced.
    let (status, next) = house
        .script(&new)
        .call("POST", SELF, json!({"graceSeconds": 60}))
        .await;
    assert_eq!(status, 201, "{next}");
    assert!(house.works(&new).await);
    let next = text(&next, "value");
    let finish = format!("{SELF}/finish");
    let answer = house.script(&next).send("POST", &finish, None).await;
    assert_eq!(answer.status(), 204);
    for gone in [&house.old, &new] {
        assert!(!house.works(gone).await);
    }
    assert!(house.works(&next).await);
}

/// A manager rotates anybody's token; a personal access token that may manage does not.
#[actix_web::test]
async fn a_manager_rotates_anybodys_token() {
    let house = House::build().await;
    let path = format!("/api/personal-access-tokens/{}/rotate", house.old_id);
    let reader = house.server.manager("pats:read").await;
    assert_eq!(reader.call("POST", &path, Value::Null).await.0, 403);
    let manager = house.server.manager("pats:write").await;
    let (status, new) = manager.call("POST", &path, Value::Null).await;
    assert_eq!(status, 201, "{new}");
    assert!(house.works(&text(&new, "value")).await);
    let answer = manager.send("POST", &format!("{path}/cancel"), None).await;
    assert_eq!(answer.status(), 204);
    assert!(!house.works(&text(&new, "value")).await);
    assert_eq!(manager.call("POST", &path, Value::Null).await.0, 201);
    let answer = manager.send("POST", &format!("{path}/finish"), None).await;
    assert_eq!(answer.status(), 204);
    assert!(!house.works(&house.old).await);
    let unknown = path.replace(&house.old_id, "nothing");
    assert_eq!(manager.call("POST", &unknown, Value::Null).await.0, 404);
}

/// Today's rules hold for a successor: the longest life, who may make tokens, and what its owner may still grant.
#[actix_web::test]
async fn a_successor_has_to_keep_todays_rules() {
    let house = House::with(&[("pat_max_life", "90d")]).await;
    let code = |answer: &Value| text(answer, "code");
    let long = json!({"expiresAt": (START + seconds(91 * DAY)).millis()});
    let (status, refused) = house.try_rotate(&house.old_id, long).await;
    assert_eq!(
        (status, code(&refused).as_str()),
        (422, "pat.expiry_beyond_policy")
    );
    let shorter = json!({"expiresAt": (START + seconds(DAY)).millis()});
    assert_eq!(house.try_rotate(&house.old_id, shorter).await.0, 201);

    let house = House::build().await;
    let root = house.server.admin("root");
    let high = house.server.personal_token(&root, "notes:admin");
    let id = text(&house.notes.introspect(&high).await, "jti");
    house.server.set_admin(&root, false);
    let manager = house.server.manager("pats:write").await;
    let path = format!("/api/personal-access-tokens/{id}/rotate");
    let (status, refused) = manager.call("POST", &path, Value::Null).await;
    assert_eq!(
        (status, code(&refused).as_str()),
        (403, "pat.scope_not_grantable")
    );
    house.server.disable_client("personal-access-token");
    let (status, refused) = house.try_rotate(&house.old_id, json!({})).await;
    assert_eq!(
        (status, code(&refused).as_str()),
        (403, "pat.creation_not_allowed")
    );
}

/// "A token can't begin after its end", nor can a successor, which begins when its predecessor was to.
#[actix_web::test]
async fn a_successor_does_not_end_before_it_begins() {
    let house = House::build().await;
    let day = |days| json!((START + seconds(days * DAY)).millis());
    let later = json!({"name": "later", "scopes": ["notes:read"], "notBefore": day(3)});
    let (status, later) = house.browser.api("POST", MINE, Some(later)).await;
    assert_eq!(status, 201, "{later}");
    let id = text(&later, "id");
    let (status, refused) = house.try_rotate(&id, json!({"expiresAt": day(1)})).await;
    let code = text(&refused, "code");
    assert_eq!((status, code.as_str()), (400, "pat.ends_before_it_begins"));
    let (status, made) = house.try_rotate(&id, json!({"expiresAt": day(4)})).await;
    assert_eq!(status, 201, "{made}");
}

/// An expired token can be renewed as long as nobody has its name: the successor works, the old one stays expired.
#[actix_web::test]
async fn an_expired_token_is_renewed() {
    let house = House::build().await;
    house.server.clock.advance(seconds(100 * DAY));
    let browser = house.server.signed_in(&house.alice).await;
    let path = format!("{MINE}/{}/rotate", house.old_id);
    let taken = json!({"name": "token 1", "scopes": ["notes:read"]});
    let (_, other) = browser.api("POST", MINE, Some(taken)).await;
    let (status, refused) = browser.api("POST", &path, None).await;
    let exists = json!("user.personal_access_token_name_exists");
    assert_eq!((status, &refused["code"]), (422, &exists));
    browser
        .api("DELETE", &format!("{MINE}/{}", text(&other, "id")), None)
        .await;
    let (status, new) = browser.api("POST", &path, None).await;
    assert_eq!(status, 201, "{new}");
    assert!(!house.works(&house.old).await);
    assert!(house.works(&text(&new, "value")).await);
}

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

/// Of fifty rotations at once on two nodes, each leaves one current token, and the last secret handed out works.
#[actix_web::test]
async fn many_rotations_at_once_leave_one_current_token() {
    let house = House::build().await;
    let elsewhere = house.server.another_node().await;
    const SELF: &str = "/api/personal-access-tokens/self/rotate";
    let scripts = [house.script(&house.old), elsewhere.script(&house.old)];
    let calls = (0..50).map(|n| scripts[n % 2].call("POST", SELF, Value::Null));
    let answers = futures_util::future::join_all(calls).await;
    let mut working = 0;
    for (status, answer) in answers {
        assert_eq!(status, 201, "{answer}");
        working += u32::from(house.works(&text(&answer, "value")).await);
    }
    assert_eq!(working, 1);
    let current: i64 = house.server.write(|tx| {
        let current = tokens::table.filter(tokens::spent_at.is_null());
        Ok(current.count().get_result(&mut **tx)?)
    });
    assert_eq!(current, 1);
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

/// A body that asks for what can't be is refused, and nothing is rotated.
#[actix_web::test]
async fn a_bad_body_rotates_nothing() {
    let house = House::build().await;
    for body in [
        json!({"graceSeconds": -1}),
        json!({"graceSeconds": "1d"}),
        json!({"grace": 1}),
        json!({"expiresAt": START.millis(), "neverExpires": true}),
        json!({"expiresAt": START.millis()}),
        json!([]),
    ] {
        let (status, refused) = house.try_rotate(&house.old_id, body.clone()).await;
        assert_eq!(status, 400, "{body}: {refused}");
    }
    assert_eq!(count!(house.server, tokens), 1);
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
