//! One token in each state, and what finds it among everybody's.

use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{Browser, MINE, Script, Server, seconds};

const DAY: u64 = 86_400;
const ALL: &str = "/api/personal-access-tokens";
const POLICY: &str = "/api/policies/personal-access-tokens";

struct House {
    server: Server,
    alice: User,
    browser: Browser,
    manager: Script,
}

impl House {
    /// Two days ago alice made tokens that are named after what has become of them since.
    async fn build() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let alice = server.user("alice");
        let rights = "pats:read pats:revoke policies:read policies:write";
        let mut house = Self {
            browser: server.signed_in(&alice).await,
            manager: server.manager(rights).await,
            server,
            alice,
        };
        house.make("cut off", json!({})).await;
        house.server.clock.advance(seconds(60));
        let now = house.server.clock.now().millis();
        let all = json!({"issuedBefore": now, "kinds": ["pat"], "confirmCount": 1});
        let (status, done) = house
            .manager
            .call("POST", "/api/tokens/revoke-all", all)
            .await;
        assert_eq!(status, 200, "{done}");

        house.make_each("").await;
        let later = now + 30 * DAY as i64 * 1000;
        let ahead = json!({"notBefore": later, "idleSeconds": DAY});
        house.make("not begun", ahead).await;
        let rotated = house.make("rotated", json!({})).await;
        let rotate = format!("{MINE}/{}/rotate", rotated["id"].as_str().unwrap());
        assert_eq!(house.browser.api("POST", &rotate, None).await.0, 201);
        let used = house.make("used", json!({"idleSeconds": 2 * DAY})).await;

        let (_, mut policy) = house.manager.get(POLICY).await;
        policy["approvalRequired"] = json!(true);
        let (status, decided) = house.manager.call("PUT", POLICY, policy).await;
        assert_eq!(status, 200, "{decided}");
        house.make_each("waiting, ").await;

        house.server.clock.advance(seconds(DAY));
        assert!(notes.accepts(used["value"].as_str().unwrap()).await);
        house.server.note_uses().await;
        house.server.clock.advance(seconds(DAY));
        house.manager = house.server.manager(rights).await;
        house
    }

    /// A token that lives, one that ends, one that lies unused for too long unless it waits, and one that is revoked.
    async fn make_each(&self, how: &str) {
        let now = self.server.clock.now().millis();
        self.make(&format!("{how}live"), json!({})).await;
        let end = now + DAY as i64 * 1000;
        self.make(&format!("{how}ended"), json!({"expiresAt": end}))
            .await;
        // It would end just when it has lain unused for so long, which is just now.
        self.make(&format!("{how}unused"), json!({"idleSeconds": 2 * DAY}))
            .await;
        let revoked = self.make(&format!("{how}revoked"), json!({})).await;
        let path = format!("{MINE}/{}", revoked["id"].as_str().unwrap());
        assert_eq!(self.browser.api("DELETE", &path, None).await.0, 204);
    }

    async fn make(&self, name: &str, with: Value) -> Value {
        let mut body = json!({"name": name, "scopes": ["notes:read"], "reason": "a test"});
        let with = with.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(with);
        let (status, made) = self.browser.api("POST", MINE, Some(body)).await;
        assert_eq!(status, 201, "{name}: {made}");
        made
    }

    /// Name and state of all that this query finds.
    async fn found(&self, query: &str) -> Vec<(String, String)> {
        let (status, list) = self.manager.get(&format!("{ALL}?{query}")).await;
        assert_eq!(status, 200, "{query}: {list}");
        let text = |item: &Value, key: &str| item[key].as_str().expect("a text").to_owned();
        let items = list["items"].as_array().expect("a list").iter();
        let mut found: Vec<_> = items
            .map(|item| (text(item, "name"), text(item, "status")))
            .collect();
        assert_eq!(list["total"], found.len(), "{query}");
        found.sort();
        found
    }
}

/// A state finds just the tokens that are shown in that state, in every order.
#[actix_web::test]
async fn a_state_finds_the_tokens_that_are_in_it() {
    let house = House::build().await;
    let all = house.found("").await;
    for (state, expected) in [
        ("active", vec!["live", "not begun", "rotated", "used"]),
        ("pending", vec!["waiting, live", "waiting, unused"]),
        ("expired", vec!["ended", "unused", "waiting, ended"]),
        ("revoked", vec!["cut off", "revoked", "waiting, revoked"]),
    ] {
        let shown: Vec<_> = all.iter().filter(|(_, shown)| shown == state).collect();
        let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, expected, "shown as {state}");
        for order in ["", "created", "-created", "expires", "-expires", "lastUsed"] {
            let sort = match order {
                "" => String::new(),
                order => format!("&sort={order}"),
            };
            let found = house.found(&format!("status={state}{sort}")).await;
            assert_eq!(found.iter().collect::<Vec<_>>(), shown, "{state} {order}");
        }
        let hers = format!("status={state}&userId={}", house.alice.id);
        let found = house.found(&hers).await;
        assert_eq!(found.iter().collect::<Vec<_>>(), shown, "{state} of alice");
    }
    let shown = all.iter().map(|(_, state)| state.as_str());
    let known = ["active", "pending", "expired", "revoked"];
    assert!(shown.into_iter().all(|state| known.contains(&state)));
}

/// What works and what waits for approval is revoked by a filter; what has ended is not touched.
#[actix_web::test]
async fn many_are_revoked_that_work_or_wait() {
    let house = House::build().await;
    let path = format!("{ALL}/revoke");
    for (filter, count) in [
        (json!({}), 6),
        (json!({"status": "active"}), 4),
        (json!({"status": "pending"}), 2),
    ] {
        let body = json!({"filter": filter, "dryRun": true});
        let (status, dry) = house.manager.call("POST", &path, body).await;
        assert_eq!((status, &dry["count"]), (200, &json!(count)), "{filter}");
    }
    for state in ["expired", "revoked"] {
        let body = json!({"filter": {"status": state}, "dryRun": true});
        assert_eq!(house.manager.call("POST", &path, body).await.0, 400);
    }
    let body = json!({"filter": {}, "confirmCount": 6});
    let (_, done) = house.manager.call("POST", &path, body).await;
    assert_eq!(done["revoked"], 6, "{done}");
    assert_eq!(house.found("status=active").await, []);
    assert_eq!(house.found("status=pending").await, []);
    assert_eq!(house.found("status=expired").await.len(), 3);
}
