//! Tokens of service accounts: the account is who acts, its keepers are who manage.

mod rules;

use jeton::domain::service_account::ServiceAccount;
use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{Browser, MINE, ResourceServer, Server, policy, trail};

const DAY: u64 = 86_400;

/// Alice keeps `ci-bot`; bob does not, nor does root, who administers.
struct House {
    server: Server,
    notes: ResourceServer,
    root: User,
    bot: User,
    alice: User,
    browser: Browser,
    /// Where the tokens of `ci-bot` are for its keepers.
    path: String,
}

impl House {
    async fn build() -> Self {
        Self::with(&[]).await
    }

    async fn with(settings: &[(&str, &str)]) -> Self {
        let server = Server::with(settings).await;
        let notes = server.notes();
        let alice = server.user("alice");
        let bot = server.service_account("ci-bot", &[&alice]);
        Self {
            notes,
            root: server.admin("root"),
            browser: server.signed_in(&alice).await,
            path: tokens_of(&bot),
            bot,
            alice,
            server,
        }
    }

    /// A token that alice makes for the service account: its id and its secret.
    async fn made(&self) -> (String, String) {
        let (status, made) = self.browser.api("POST", &self.path, Some(ci())).await;
        assert_eq!(status, 201, "{made}");
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        (text("id"), text("value"))
    }

    /// Let the rules for tokens be as they are, but for these.
    async fn decide(&self, changes: Value) {
        let rules = "/api/policies/personal-access-tokens";
        let root = self.server.signed_in(&self.root).await;
        let (_, mut policy) = root.api("GET", rules, None).await;
        let changes = changes.as_object().expect("an object").clone();
        policy.as_object_mut().expect("an object").extend(changes);
        let (status, decided) = root.api("PUT", rules, Some(policy)).await;
        assert_eq!(status, 200, "{decided}");
    }

    fn account(&self) -> ServiceAccount {
        let found = self
            .server
            .write(|tx| Ok(ServiceAccount::find(tx, self.bot.id)?));
        found.expect("the service account")
    }

    fn dismiss(&self, keeper: &User) {
        let account = self.account();
        self.server.write(|tx| {
            let removed = account.remove_keeper(tx, keeper, true);
            removed.expect("the keeper is removed");
            Ok(())
        });
    }
}

fn tokens_of(bot: &User) -> String {
    format!("/api/my-account/service-accounts/{}/tokens", bot.id)
}

fn ci() -> Value {
    json!({"name": "ci", "scopes": ["notes:read"]})
}

/// "username: Human-readable identifier for the resource owner who authorized this token" (RFC 7662 §2.2): the account itself
/// is who acts, and the token says what it is.
#[actix_web::test]
async fn introspection_tells_of_the_account_and_not_of_its_keeper() {
    let house = House::build().await;
    let (id, secret) = house.made().await;
    assert!(secret.starts_with("jeton_sat_"), "{secret}");
    let told = house.notes.introspect(&secret).await;
    assert_eq!(told["active"], true);
    assert_eq!(told["sub"], house.bot.id.to_string());
    assert_eq!(told["username"], "ci-bot");
    assert_eq!(told["token_kind"], "service");
    assert_eq!(told["client_id"], "personal-access-token");
    assert_eq!(told["jti"], id);
    let own = house.server.personal_token(&house.alice, "notes:read");
    assert_eq!(house.notes.introspect(&own).await["token_kind"], "pat");
}

/// A proxy's service deals with the account too.
#[actix_web::test]
async fn a_proxy_is_told_of_the_account() {
    let house = House::build().await;
    house
        .server
        .put_policy(policy(&["GET /notes/* notes:read"]));
    let (_, secret) = house.made().await;
    let asked = house.server.asks("GET", "/notes/1").bearer_auth(&secret);
    let answer = asked.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["x-auth-username"], "ci-bot");
    assert_eq!(answer.headers()["x-auth-subject"], house.bot.id.to_string());
}

/// Who acts and whose it is are two facts, in the answer and in the trail.
#[actix_web::test]
async fn a_token_is_the_accounts_and_was_made_by_its_keeper() {
    let house = House::build().await;
    let (id, _) = house.made().await;
    let path = format!("{}/{id}", house.path);
    let (_, shown) = house.browser.api("GET", &path, None).await;
    let keeper = format!("user:{}", house.alice.id);
    assert_eq!(shown["userId"], house.bot.id.to_string());
    assert_eq!(shown["createdBy"], keeper);
    let made = trail(&house.server, "token.created");
    assert_eq!(made.len(), 1);
    assert_eq!(
        (&made[0].actor, made[0].user_id),
        (&keeper, Some(house.bot.id))
    );
    let manager = house.server.manager("pats:read").await;
    let (_, all) = manager.get("/api/personal-access-tokens").await;
    let item = &all["items"][0];
    assert_eq!(item["username"], "ci-bot");
    assert_eq!(item["ownerKind"], "service");
    assert_eq!(item["createdBy"], keeper);
}

/// An administrator finds the tokens of accounts among everybody's, and those of people without them.
#[actix_web::test]
async fn a_list_of_everybodys_is_of_people_or_of_accounts() {
    let house = House::build().await;
    let (bots, _) = house.made().await;
    let manager = house.server.manager("pats:read pats:write").await;
    let (_, people) = house
        .browser
        .api(
            "POST",
            MINE,
            Some(json!({"name": "own", "scopes": ["notes:read"]})),
        )
        .await;
    for (kind, token) in [("service", json!(bots)), ("person", people["id"].clone())] {
        let path = format!("/api/personal-access-tokens?ownerKind={kind}");
        let (status, list) = manager.get(&path).await;
        assert_eq!(status, 200, "{list}");
        assert_eq!(list["total"], 1, "{kind}");
        assert_eq!(list["items"][0]["id"], token, "{kind}");
        assert_eq!(list["items"][0]["ownerKind"], kind);
    }
}

/// A keeper does with its tokens what an owner does with their own.
#[actix_web::test]
async fn a_keeper_lists_changes_rotates_and_revokes() {
    let house = House::build().await;
    let (id, old) = house.made().await;
    let browser = &house.browser;
    let path = format!("{}/{id}", house.path);
    let (_, all) = browser.api("GET", &house.path, None).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
    let (_, own) = browser.api("GET", MINE, None).await;
    assert_eq!(own, json!([]));
    let (status, changed) = browser
        .api("PATCH", &path, Some(json!({"name": "cd"})))
        .await;
    assert_eq!((status, &changed["name"]), (200, &json!("cd")));
    let (status, rotated) = browser
        .api("POST", &format!("{path}/rotate"), Some(json!({})))
        .await;
    assert_eq!(status, 201, "{rotated}");
    let new = rotated["value"].as_str().unwrap();
    assert!(new.starts_with("jeton_sat_"), "{new}");
    let next = format!("{}/{}", house.path, rotated["id"].as_str().unwrap());
    let (status, _) = browser
        .api("POST", &format!("{next}/rotate/cancel"), None)
        .await;
    assert_eq!(status, 204);
    assert!(house.notes.accepts(&old).await && !house.notes.accepts(new).await);
    let (status, events) = browser.api("GET", &format!("{path}/events"), None).await;
    assert_eq!(status, 200, "{events}");
    let (status, _) = browser.api("DELETE", &path, None).await;
    assert_eq!(status, 204);
    assert!(!house.notes.accepts(&old).await);
}

/// The account is found by its name too.
#[actix_web::test]
async fn the_account_is_known_by_its_name() {
    let house = House::build().await;
    let path = "/api/my-account/service-accounts/ci-bot/tokens";
    let (status, made) = house.browser.api("POST", path, Some(ci())).await;
    assert_eq!(status, 201, "{made}");
    let (status, _) = house
        .browser
        .api("GET", &format!("{path}/options"), None)
        .await;
    assert_eq!(status, 200);
}

/// For who does not keep it, there is no such account, administrators too.
#[actix_web::test]
async fn for_a_stranger_there_is_no_such_account() {
    let house = House::build().await;
    let (id, secret) = house.made().await;
    for stranger in [&house.server.user("bob"), &house.root] {
        let browser = house.server.signed_in(stranger).await;
        let token = format!("{}/{id}", house.path);
        for (method, path, body) in [
            ("GET", house.path.clone(), None),
            ("GET", format!("{}/options", house.path), None),
            ("POST", house.path.clone(), Some(ci())),
            ("GET", token.clone(), None),
            ("PATCH", token.clone(), Some(json!({"name": "mine"}))),
            ("DELETE", token.clone(), None),
            ("POST", format!("{token}/rotate"), Some(json!({}))),
            ("POST", format!("{token}/rotate/finish"), None),
            ("POST", format!("{token}/rotate/cancel"), None),
            ("GET", format!("{token}/events"), None),
        ] {
            let (status, answer) = browser.api(method, &path, body).await;
            assert_eq!(
                (status, &answer["code"]),
                (404, &json!("entity.not_found")),
                "{path}"
            );
        }
        let own = format!("{MINE}/{id}");
        assert_eq!(browser.api("GET", &own, None).await.0, 404);
    }
    assert!(house.notes.accepts(&secret).await);
}

/// A person's id is no service account's: nobody comes by another's tokens this way.
#[actix_web::test]
async fn a_person_is_no_service_account() {
    let house = House::build().await;
    let (status, _) = house
        .browser
        .api("GET", &tokens_of(&house.alice), None)
        .await;
    assert_eq!(status, 404);
}

/// What a keeper made goes on working when they leave, and they can manage it no longer.
#[actix_web::test]
async fn a_token_outlives_its_keeper() {
    let house = House::build().await;
    let (_, secret) = house.made().await;
    house.dismiss(&house.alice);
    let (status, _) = house.browser.api("POST", &house.path, Some(ci())).await;
    assert_eq!(status, 404);
    assert!(house.notes.accepts(&secret).await);
    house.server.write(|tx| Ok(house.alice.disable(tx)?));
    assert!(house.notes.accepts(&secret).await);
}

/// Once the account is disabled, its tokens are inactive at once, on every node.
#[actix_web::test]
async fn a_disabled_account_is_known_everywhere_at_once() {
    let house = House::build().await;
    let node = house.server.another_node().await;
    let elsewhere = house.notes.at(&node);
    let (_, secret) = house.made().await;
    assert!(elsewhere.accepts(&secret).await);
    house.server.write(|tx| Ok(house.bot.disable(tx)?));
    assert!(!elsewhere.accepts(&secret).await);
    let (status, refused) = house.browser.api("POST", &house.path, Some(ci())).await;
    assert_eq!((status, &refused["code"]), (403, &json!("user.disabled")));
    house.server.write(|tx| Ok(house.bot.enable(tx)?));
    assert!(elsewhere.accepts(&secret).await);
}

/// Whoever holds it may look at it, rotate it if it may, and give it back.
#[actix_web::test]
async fn the_token_manages_itself() {
    let house = House::build().await;
    let api = format!("{}/api", house.server.url);
    let wish = json!({"name": "ci", "scopes": ["notes:read", "pat:rotate_self"], "audience": ["https://notes.example", api]});
    let (_, made) = house.browser.api("POST", &house.path, Some(wish)).await;
    let script = house.server.script(made["value"].as_str().unwrap());
    let (status, shown) = script.get("/api/personal-access-tokens/self").await;
    assert_eq!(
        (status, &shown["userId"]),
        (200, &json!(house.bot.id.to_string()))
    );
    let (status, next) = script
        .call("POST", "/api/personal-access-tokens/self/rotate", json!({}))
        .await;
    assert_eq!(status, 201, "{next}");
    let next = next["value"].as_str().unwrap();
    assert!(next.starts_with("jeton_sat_"), "{next}");
    let rotated = trail(&house.server, "token.rotated");
    assert_eq!(rotated[0].actor, format!("user:{}", house.bot.id));
    let given_back = house.server.post(
        "/oauth/revoke",
        &[("token", next), ("client_id", "personal-access-token")],
    );
    assert_eq!(given_back.send().await.unwrap().status(), 200);
    assert!(!house.notes.accepts(next).await);
}

/// A leaked one ends like any other, and a manager is told what it is.
#[actix_web::test]
async fn a_leaked_one_ends() {
    let house = House::build().await;
    let (_, secret) = house.made().await;
    let manager = house.server.manager("pats:read").await;
    let (_, told) = manager
        .call("POST", "/api/tokens/identify", json!({"token": secret}))
        .await;
    assert_eq!(
        (&told["kind"], &told["owner"]["username"]),
        (&json!("service"), &json!("ci-bot"))
    );
    let report = json!({"tokens": [secret], "url": "https://paste.example/1"});
    let report = house
        .server
        .request("POST", "/api/leaked-tokens")
        .json(&report);
    assert_eq!(report.send().await.unwrap().status(), 202);
    assert!(!house.notes.accepts(&secret).await);
}
