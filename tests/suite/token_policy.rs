//! The rules that administrators decide for people's own tokens, over the settings.

mod approval;

use serde_json::{Value, json};

use crate::support::{Browser, MINE, ResourceServer, START, Script, Server, seconds};

const DAY: u64 = 86_400;

const POLICY: &str = "/api/policies/personal-access-tokens";

struct House {
    server: Server,
    notes: ResourceServer,
    browser: Browser,
    decider: Script,
}

impl House {
    async fn build() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let alice = server.user("alice");
        Self {
            browser: server.signed_in(&alice).await,
            decider: server
                .manager("policies:read policies:write pats:write")
                .await,
            server,
            notes,
        }
    }

    /// The rules as they are, but for these.
    async fn with(&self, changes: Value) -> Value {
        let (_, mut policy) = self.decider.get(POLICY).await;
        let changes = changes.as_object().expect("an object").clone();
        policy.as_object_mut().expect("an object").extend(changes);
        policy
    }

    async fn decide(&self, changes: Value) {
        let policy = self.with(changes).await;
        let (status, decided) = self.decider.call("PUT", POLICY, policy).await;
        assert_eq!(status, 200, "{decided}");
    }

    /// Make a token for 90 days at the browser: status and code, or secret.
    async fn token(&self, changes: Value) -> (u16, String) {
        let (status, answer) = self.try_token(changes).await;
        let word = answer.get("value").or(answer.get("code"));
        (
            status,
            word.and_then(Value::as_str).expect("a word").to_owned(),
        )
    }

    async fn try_token(&self, changes: Value) -> (u16, Value) {
        let name = format!("token {}", self.count().await);
        let end = (START + seconds(90 * DAY)).whole_second().millis();
        let mut body = json!({"name": name, "scopes": ["notes:read"], "expiresAt": end});
        let changes = changes.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(changes);
        self.browser.api("POST", MINE, Some(body)).await
    }

    async fn count(&self) -> usize {
        let (_, list) = self.browser.api("GET", MINE, None).await;
        list.as_array().expect("a list").len()
    }
}

/// Unless somebody decided otherwise, the settings hold; a decision holds on every node at once, and is recorded.
#[actix_web::test]
async fn a_decision_holds_over_the_settings_on_every_node() {
    let house = House::build().await;
    let (_, policy) = house.decider.get(POLICY).await;
    assert_eq!(
        policy,
        json!({
            "maxLifeSeconds": null,
            "defaultLifeSeconds": 90 * DAY,
            "neverExpiresAllowed": true,
            "perUser": 100,
            "creators": "everyone",
            "networksRequired": false,
            "approvalRequired": false,
            "scopes": [],
        })
    );
    let elsewhere = house.server.another_node().await;
    let decided = house.with(json!({"maxLifeSeconds": 30 * DAY})).await;
    let there = elsewhere.script(house.decider.token());
    assert_eq!(there.call("PUT", POLICY, decided.clone()).await.0, 200);
    assert_eq!(house.decider.get(POLICY).await.1, decided);
    let (status, code) = house.token(json!({})).await;
    assert_eq!((status, code.as_str()), (422, "pat.expiry_beyond_policy"));
    let form = house.browser.get("/settings/tokens/new").await;
    assert!(
        form.says("Tokens live at most 30 days here"),
        "{}",
        form.text()
    );
    house.decide(json!({"creators": "administrators"})).await;
    assert_eq!(house.token(json!({})).await.1, "pat.creation_not_allowed");
}

/// The strictest rule for any of a token's scopes holds for it.
#[actix_web::test]
async fn a_scope_can_have_stricter_rules() {
    let house = House::build().await;
    let rules = json!([
        {"scope": "notes:w*", "maxLifeSeconds": 30 * DAY},
        {"scope": "notes:write", "networksRequired": true},
    ]);
    house.decide(json!({"scopes": rules})).await;
    assert_eq!(house.token(json!({})).await.0, 201);
    let both = json!(["notes:read", "notes:write"]);
    let soon = (START + seconds(DAY)).millis();
    for (changes, code) in [
        (json!({"scopes": both}), "pat.expiry_beyond_policy"),
        (
            json!({"scopes": both, "expiresAt": soon}),
            "pat.networks_required",
        ),
    ] {
        assert_eq!(house.token(changes).await, (422, code.to_owned()));
    }
    let kept = json!({"scopes": both, "expiresAt": soon, "allowedCidrs": ["192.0.2.0/24"]});
    let (status, made) = house.try_token(kept).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("{MINE}/{}", made["id"].as_str().unwrap());
    let (status, refused) = house
        .browser
        .api("PATCH", &path, Some(json!({"allowedCidrs": []})))
        .await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("pat.networks_required"))
    );
    let form = house.browser.get("/settings/tokens/new").await;
    assert!(
        form.says("With notes:w*: at most 30 days"),
        "{}",
        form.text()
    );
    assert!(
        form.says("With notes:write: only from named networks"),
        "{}",
        form.text()
    );
}

/// A new rule shortens nothing that lives: a preview says what it would break, and only a new or rotated token has to keep it.
#[actix_web::test]
async fn nothing_that_lives_is_shortened() {
    let house = House::build().await;
    let (_, old) = house.try_token(json!({})).await;
    let forever =
        json!({"neverExpires": true, "expiresAt": null, "allowedCidrs": ["192.0.2.0/24"]});
    house.try_token(forever).await;
    let stricter = house
        .with(json!({"maxLifeSeconds": 90 * DAY - 1, "networksRequired": true}))
        .await;
    let preview = format!("{POLICY}/preview");
    let (status, would) = house.decider.call("POST", &preview, stricter.clone()).await;
    assert_eq!((status, &would["count"]), (200, &json!(2)), "{would}");
    let mut breaches: Vec<&str> = would["tokens"]
        .as_array()
        .unwrap()
        .iter()
        .map(|token| token["breach"].as_str().unwrap())
        .collect();
    breaches.sort_unstable();
    assert_eq!(breaches, ["livesTooLong", "neverExpires"]);
    let networks = house.with(json!({"networksRequired": true})).await;
    let (_, would) = house.decider.call("POST", &preview, networks).await;
    assert_eq!(
        (&would["count"], &would["tokens"][0]["breach"]),
        (&json!(1), &json!("noNetworks"))
    );
    assert_eq!(would["tokens"][0]["id"], old["id"]);
    let for_a_scope = json!([{"scope": "notes:*", "maxLifeSeconds": 30 * DAY}]);
    let for_a_scope = house.with(json!({"scopes": for_a_scope})).await;
    let (_, would) = house.decider.call("POST", &preview, for_a_scope).await;
    assert_eq!(would["count"], 2, "a rule for some scopes is broken too");
    let same = house
        .with(json!({"maxLifeSeconds": 90 * DAY, "neverExpiresAllowed": false}))
        .await;
    let (_, would) = house.decider.call("POST", &preview, same).await;
    assert_eq!(
        would["count"], 1,
        "what lives just as long as it may is no breach"
    );

    house.decide(stricter).await;
    let value = old["value"].as_str().unwrap();
    let answer = house.notes.introspect(value).await;
    assert_eq!(
        answer["exp"].as_i64().unwrap() * 1000,
        old["expiresAt"].as_i64().unwrap()
    );
    let rotate = format!("{MINE}/{}/rotate", old["id"].as_str().unwrap());
    let (status, refused) = house.browser.api("POST", &rotate, None).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("pat.expiry_beyond_policy"))
    );
}

/// Where some people are named, only they make and rotate tokens, whoever else is an administrator. They are named by id or
/// by name, and kept by id; what others have goes on.
#[actix_web::test]
async fn only_named_people_may_make_tokens() {
    let house = House::build().await;
    let (root, bob) = (house.server.admin("root"), house.server.user("bob"));
    let (status, old) = house.try_token(json!({})).await;
    assert_eq!(status, 201);
    let policy = house
        .with(json!({"creators": {"users": ["Bob", root.id.to_string(), "bob"]}}))
        .await;
    let preview = format!("{POLICY}/preview");
    let (_, would) = house.decider.call("POST", &preview, policy.clone()).await;
    assert_eq!(would["count"], 0, "{would}");
    let (status, decided) = house.decider.call("PUT", POLICY, policy).await;
    assert_eq!(status, 200, "{decided}");
    let mut ids = [root.id.to_string(), bob.id.to_string()];
    ids.sort();
    assert_eq!(decided["creators"], json!({"users": ids}));
    assert_eq!(house.decider.get(POLICY).await.1, decided);

    let refused = (403, "pat.creation_not_allowed".to_owned());
    assert_eq!(house.token(json!({})).await, refused);
    let rotate = format!("{MINE}/{}/rotate", old["id"].as_str().unwrap());
    let (status, answer) = house.browser.api("POST", &rotate, None).await;
    assert_eq!((status, &answer["code"]), (403, &json!(refused.1)));
    assert!(house.notes.accepts(old["value"].as_str().unwrap()).await);
    let list = house.browser.get("/settings/tokens").await;
    let said = "Only people whom an administrator has named may make tokens here.";
    assert!(list.says(said), "{}", list.text());
    let other = house.server.admin("other");
    for (person, status) in [(&bob, 201), (&root, 201), (&other, 403)] {
        let browser = house.server.signed_in(person).await;
        let body = json!({"name": "ci", "scopes": ["notes:read"]});
        let (got, made) = browser.api("POST", MINE, Some(body)).await;
        assert_eq!(got, status, "{}: {made}", person.username);
    }
}

/// What makes no sense is refused with what is wrong, and nothing is decided.
#[actix_web::test]
async fn a_policy_that_makes_no_sense_is_refused() {
    let house = House::build().await;
    let carol = house.server.user("carol");
    house.server.service_account("ci-bot", &[&carol]);
    let (_, before) = house.decider.get(POLICY).await;
    for (changes, status) in [
        (json!({"maxLifeSeconds": 0}), 422),
        (json!({"maxLifeSeconds": u64::MAX}), 422),
        (json!({"maxLifeSeconds": -1}), 400),
        (json!({"defaultLifeSeconds": 0}), 422),
        (json!({"perUser": 0}), 422),
        (json!({"perUser": 10_001}), 422),
        (json!({"creators": "nobody"}), 400),
        (json!({"creators": {"users": []}}), 422),
        (json!({"creators": {"users": ["nobody"]}}), 422),
        (json!({"creators": {"users": ["\u{0}"]}}), 422),
        (json!({"creators": {"users": ["alice", "ci-bot"]}}), 422),
        (json!({"creators": {"users": vec!["alice"; 201]}}), 422),
        (
            json!({"scopes": [{"scope": "a*b", "maxLifeSeconds": 1}]}),
            422,
        ),
        (json!({"scopes": [{"scope": "a"}]}), 422),
        (json!({"scopes": [{"scope": "a", "maxLife": 1}]}), 400),
        (json!({"maxLife": 1}), 400),
    ] {
        let policy = house.with(changes.clone()).await;
        for (method, path) in [
            ("PUT", POLICY.to_owned()),
            ("POST", format!("{POLICY}/preview")),
        ] {
            let (got, refused) = house.decider.call(method, &path, policy.clone()).await;
            assert_eq!(got, status, "{changes}: {refused}");
        }
    }
    assert_eq!(house.decider.get(POLICY).await.1, before);
}

/// Deciding takes its own scope, which no personal access token may hold.
#[actix_web::test]
async fn deciding_takes_its_own_scope() {
    let house = House::build().await;
    let policy = house.with(json!({})).await;
    let reader = house.server.manager("policies:read").await;
    assert_eq!(reader.call("PUT", POLICY, policy.clone()).await.0, 403);
    let writer = house.server.manager("policies:write").await;
    assert_eq!(writer.get(POLICY).await.0, 403);
    let root = house.server.admin("root");
    let token = house.server.personal_token(&root, "policies:read");
    assert_eq!(house.server.script(&token).get(POLICY).await.0, 200);
    assert_eq!(
        house
            .server
            .script(&token)
            .call("PUT", POLICY, policy.clone())
            .await
            .0,
        403
    );
    assert_eq!(house.browser.api("GET", POLICY, None).await.0, 403);
    let browser = house.server.signed_in(&root).await;
    assert_eq!(browser.api("PUT", POLICY, Some(policy)).await.0, 200);
}
