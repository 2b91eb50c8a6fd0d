//! What limits a personal access token besides its rights: networks, a beginning, and how long it may lie unused.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, grant_networks};
use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{Browser, MINE, ResourceServer, START, Server, count, json, seconds};

const DAY: u64 = 86_400;

struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    browser: Browser,
}

/// A token of alice's.
struct Token {
    id: String,
    value: String,
}

impl House {
    async fn build() -> Self {
        let server = Server::with(&[("trusted_proxies", "127.0.0.1")]).await;
        let notes = server.notes();
        let alice = server.user("alice");
        let browser = server.signed_in(&alice).await;
        Self {
            server,
            notes,
            alice,
            browser,
        }
    }

    async fn try_token(&self, limits: Value) -> (u16, Value) {
        let mut body = json!({"name": "ci", "scopes": ["notes:read"], "neverExpires": true});
        let members = limits.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(members);
        self.browser.api("POST", MINE, Some(body)).await
    }

    async fn token(&self, limits: Value) -> Token {
        let (status, made) = self.try_token(limits).await;
        assert_eq!(status, 201, "{made}");
        let text = |member: &str| made[member].as_str().expect("a text").to_owned();
        Token {
            id: text("id"),
            value: text("value"),
        }
    }

    /// Whether the token is active for a resource server to which it came from this address.
    async fn works_from(&self, token: &Token, address: &str) -> bool {
        let form = [("token", token.value.as_str()), ("client_ip", address)];
        let answer = json(self.notes.ask(&form).await, 200).await;
        let active = answer["active"].as_bool().expect("yes or no");
        assert!(active || answer == json!({"active": false}), "{answer}");
        active
    }

    async fn works(&self, token: &Token) -> bool {
        self.notes.accepts(&token.value).await
    }

    async fn change(&self, browser: &Browser, token: &Token, changes: Value) -> (u16, Value) {
        let path = format!("{MINE}/{}", token.id);
        browser.api("PATCH", &path, Some(changes)).await
    }
}

/// A token with networks works from these alone, in IPv4 and IPv6, and not where its resource server does not say from where
/// it came: what is not known is refused.
#[actix_web::test]
async fn a_token_works_from_its_networks_alone() {
    let house = House::build().await;
    let token = house
        .token(json!({"allowedCidrs": ["192.0.2.9/24", "2001:db8::/32", "203.0.113.7"]}))
        .await;
    for inside in [
        "192.0.2.1",
        "::ffff:192.0.2.1",
        "2001:db8:1::1",
        "203.0.113.7",
    ] {
        assert!(house.works_from(&token, inside).await, "{inside}");
    }
    for outside in ["192.0.3.1", "203.0.113.8", "2001:db9::1", "::1"] {
        assert!(!house.works_from(&token, outside).await, "{outside}");
    }
    assert!(!house.works(&token).await, "from where is not known");
    let (_, shown) = house
        .browser
        .api("GET", &format!("{MINE}/{}", token.id), None)
        .await;
    let kept = json!(["192.0.2.0/24", "2001:db8::/32", "203.0.113.7/32"]);
    assert_eq!(shown["allowedCidrs"], kept);
}

/// At our own API the address is that of the connection, or what a trusted proxy says of it.
#[actix_web::test]
async fn our_own_api_sees_from_where_a_token_comes() {
    let house = House::build().await;
    let token = house.token(json!({"allowedCidrs": ["192.0.2.0/24"]})).await;
    for (address, status) in [("192.0.2.1", 200), ("198.51.100.1", 401)] {
        let answer = house
            .server
            .get("/api/personal-access-tokens/self")
            .bearer_auth(&token.value)
            .header("X-Forwarded-For", address)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), status, "{address}");
    }
    let answer = house.server.script(&token.value);
    assert_eq!(answer.get("/api/personal-access-tokens/self").await.0, 401);
}

/// Before its beginning a token is inactive; from that second on it works, and introspection says since when (`nbf`).
#[actix_web::test]
async fn a_token_begins_when_it_was_said() {
    let house = House::build().await;
    let begin = (START + seconds(3600)).whole_second();
    let token = house.token(json!({"notBefore": begin.millis()})).await;
    house.server.clock.advance(seconds(3599));
    assert!(!house.works(&token).await);
    house.server.clock.advance(seconds(1));
    let answer = house.notes.introspect(&token.value).await;
    assert_eq!(
        (&answer["active"], &answer["nbf"]),
        (&json!(true), &json!(begin.seconds()))
    );
}

/// A token that lies unused for too long ends; each use begins the time anew.
#[actix_web::test]
async fn a_token_ends_when_it_lies_unused() {
    let house = House::build().await;
    let token = house.token(json!({"idleSeconds": 30 * DAY})).await;
    house.server.clock.advance(seconds(30 * DAY - 1));
    assert!(house.works(&token).await);
    house.server.note_uses().await;
    house.server.clock.advance(seconds(30 * DAY - 1));
    assert!(
        house.works(&token).await,
        "by its last use, not by its making"
    );
    house.server.clock.advance(seconds(1));
    assert!(!house.works(&token).await);

    let browser = house.server.signed_in(&house.alice).await;
    let path = format!("{MINE}/{}", token.id);
    let (_, shown) = browser.api("GET", &path, None).await;
    assert_eq!(
        (&shown["status"], &shown["idleSeconds"]),
        (&json!("expired"), &json!(30 * DAY))
    );
    assert_eq!(
        house.change(&browser, &token, json!({"name": "x"})).await.0,
        409
    );
    let (status, renewed) = browser.api("POST", &format!("{path}/rotate"), None).await;
    assert_eq!(status, 201, "{renewed}");
    let renewed = renewed["value"].as_str().expect("a secret");
    assert!(house.notes.accepts(renewed).await, "its time begins anew");
    house.server.clock.advance(seconds(30 * DAY));
    assert!(!house.notes.accepts(renewed).await);
}

/// A successor has the limits of its predecessor.
#[actix_web::test]
async fn a_successor_has_the_same_limits() {
    let house = House::build().await;
    let limits = json!({"allowedCidrs": ["192.0.2.0/24"], "idleSeconds": DAY});
    let token = house.token(limits).await;
    let path = format!("{MINE}/{}/rotate", token.id);
    let (_, new) = house.browser.api("POST", &path, None).await;
    assert_eq!(new["allowedCidrs"], json!(["192.0.2.0/24"]));
    assert_eq!(new["idleSeconds"], DAY);
    let new = Token {
        id: String::new(),
        value: new["value"].as_str().expect("a secret").to_owned(),
    };
    assert!(house.works_from(&new, "192.0.2.1").await);
    assert!(!house.works_from(&new, "192.0.3.1").await);
}

/// The networks of a token can be changed, by who has entered their password lately. Nothing else of it changes then.
#[actix_web::test]
async fn networks_are_changed_with_a_fresh_password() {
    let house = House::build().await;
    let token = house.token(json!({"idleSeconds": DAY})).await;
    let fence = json!({"allowedCidrs": ["192.0.2.0/24"]});
    let (status, changed) = house.change(&house.browser, &token, fence.clone()).await;
    assert_eq!(
        (status, &changed["allowedCidrs"]),
        (200, &fence["allowedCidrs"])
    );
    assert_eq!(changed["idleSeconds"], DAY);
    assert!(!house.works(&token).await);
    house.server.clock.advance(seconds(601));
    let anywhere = json!({"allowedCidrs": []});
    let (status, refused) = house.change(&house.browser, &token, anywhere.clone()).await;
    assert_eq!(
        (status, &refused["code"]),
        (403, &json!("auth.step_up_required"))
    );
    let renamed = house
        .change(&house.browser, &token, json!({"name": "other"}))
        .await;
    assert_eq!(
        (renamed.0, &renamed.1["allowedCidrs"]),
        (200, &fence["allowedCidrs"])
    );
    let browser = house.server.signed_in(&house.alice).await;
    assert_eq!(house.change(&browser, &token, anywhere).await.0, 200);
    assert!(house.works(&token).await);
}

/// Limits that make no sense are refused, and no token is made.
#[actix_web::test]
async fn limits_that_make_no_sense_are_refused() {
    let house = House::build().await;
    let many: Vec<String> = (0..21).map(|n| format!("10.{n}.0.0/16")).collect();
    let soon = (START + seconds(60)).millis();
    for (limits, code) in [
        (
            json!({"allowedCidrs": ["10.0.0.0/33"]}),
            "pat.network_invalid",
        ),
        (
            json!({"allowedCidrs": ["example.com"]}),
            "pat.network_invalid",
        ),
        (json!({"allowedCidrs": [""]}), "pat.network_invalid"),
        (json!({"allowedCidrs": many}), "pat.too_many_networks"),
        (json!({"idleSeconds": DAY - 1}), "pat.idle_life_invalid"),
        (json!({"idleSeconds": 3651 * DAY}), "pat.idle_life_invalid"),
        (json!({"idleSeconds": -1}), "request.malformed"),
        (json!({"idleSeconds": u64::MAX}), "pat.idle_life_invalid"),
        (json!({"notBefore": i64::MAX}), "pat.ends_before_it_begins"),
        (
            json!({"neverExpires": false, "expiresAt": soon, "notBefore": soon}),
            "pat.ends_before_it_begins",
        ),
    ] {
        let (status, refused) = house.try_token(limits.clone()).await;
        assert_eq!((status, &refused["code"]), (400, &json!(code)), "{limits}");
    }
    let (_, list) = house.browser.api("GET", MINE, None).await;
    assert_eq!(list, json!([]));
}

/// A use from a network it never was used from is recorded and shown, once; the first of all is none.
#[actix_web::test]
async fn a_new_network_is_noticed() {
    let house = House::build().await;
    let token = house.token(json!({})).await;
    let news = async || {
        house.server.note_uses().await;
        house.server.clock.advance(seconds(61));
        let list = house.browser.get("/settings/tokens").await;
        let badges = list.body.matches("new network").count();
        let events: Vec<Option<String>> = house.server.write(|tx| {
            let of_networks = audit_events::event.eq("token.new_network");
            let events = audit_events::table
                .filter(of_networks)
                .order(audit_events::id);
            Ok(events.select(audit_events::detail).load(&mut **tx)?)
        });
        (badges, events.into_iter().flatten().collect::<Vec<_>>())
    };
    assert!(house.works_from(&token, "192.0.2.1").await);
    assert!(house.works_from(&token, "192.0.2.200").await);
    assert_eq!(news().await, (0, vec![]));
    // All that come in one period are seen, not the last alone.
    for address in ["198.51.100.1", "192.0.2.3"] {
        assert!(house.works_from(&token, address).await);
    }
    let one = vec!["198.51.100.0/24".to_owned()];
    assert_eq!(news().await, (1, one.clone()));
    assert!(house.works_from(&token, "198.51.100.77").await);
    assert_eq!(news().await, (1, one));

    let (_, shown) = house
        .browser
        .api("GET", &format!("{MINE}/{}", token.id), None)
        .await;
    assert_eq!(shown["lastUsedIps"], json!(["198.51.100.77", "192.0.2.3"]));
    let page = house
        .browser
        .get(&format!("/settings/tokens/{}", token.id))
        .await;
    assert!(
        page.says("198.51.100.77") && page.says("192.0.2.3"),
        "{}",
        page.text()
    );
    house.server.clock.advance(seconds(7 * DAY));
    let browser = house.server.signed_in(&house.alice).await;
    let list = browser.get("/settings/tokens").await;
    assert!(!list.body.contains("new network"), "it is known by now");
}

/// However many networks a token is used from, what is kept of them is bounded: the last fifty.
#[actix_web::test]
async fn only_the_last_networks_are_kept() {
    let house = House::build().await;
    let token = house.token(json!({})).await;
    for n in 0..55 {
        house.server.clock.advance(seconds(61));
        assert!(house.works_from(&token, &format!("10.0.{n}.1")).await);
        house.server.note_uses().await;
    }
    assert_eq!(count!(house.server, grant_networks), 50);
    let first: String = house.server.write(|tx| {
        let networks = grant_networks::table.order(grant_networks::last_used_at);
        Ok(networks.select(grant_networks::network).first(&mut **tx)?)
    });
    assert_eq!(first, "10.0.5.0/24");
}

/// The form asks for the limits too; what is wrong is said at its field, in the open part of the form.
#[actix_web::test]
async fn the_form_takes_limits() {
    let house = House::build().await;
    let scope = "https://notes.example notes:read";
    let form = |networks, idle, begin| {
        [
            ("name", "ci"),
            ("scope", scope),
            ("expires", "90d"),
            ("networks", networks),
            ("idle", idle),
            ("not_before", begin),
        ]
    };
    let csrf = house
        .browser
        .get("/settings/tokens/new")
        .await
        .input("csrf");
    let post = async |fields: [(&'static str, &'static str); 6]| {
        let fields = [&[("csrf", csrf.as_str())], &fields[..]].concat();
        house.browser.post("/settings/tokens", &fields).await
    };
    for (fields, field) in [
        (form("10.0.0.0/8 home", "", ""), "networks"),
        (form("", "1h", ""), "idle"),
        (form("", "soon", ""), "idle"),
        (form("", "", "soon"), "not_before"),
        (form("", "", "2099-01-01T00:00"), "not_before"),
    ] {
        let page = post(fields).await;
        assert_eq!(page.status, 422, "{field}");
        assert!(page.error(field).is_some(), "{field}: {}", page.text());
        assert!(page.tag(&["details", "open"]).contains("card"));
    }
    let made = post(form("10.0.0.0/8, 192.0.2.1", "60d", "2027-01-16T08:00")).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let list = house.browser.get("/settings/tokens").await;
    for words in [
        "Only from 10.0.0.0/8, 192.0.2.1/32",
        "Begins Sat 16 Jan 2027, 08:00 UTC",
        "Ends when unused for 60 days",
    ] {
        assert!(list.says(words), "{}", list.text());
    }
}
