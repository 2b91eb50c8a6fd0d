//! Rotation without downtime: the old token works until the new one has been used, or until the deadline.

mod ending;
mod reuse;

use diesel::prelude::*;
use jeton::db::schema::{audit_events, tokens};
use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{Browser, MINE, ResourceServer, START, Script, Server, count, seconds};

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
