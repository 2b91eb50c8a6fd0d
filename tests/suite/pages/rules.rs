//! The rules for personal access tokens, on the page for administrators.

use serde_json::{Value, json};

use crate::support::{Browser, MINE, PASSWORD, Page, Server, seconds};

const PAGE: &str = "/admin/policy";
const POLICY: &str = "/api/policies/personal-access-tokens";

struct House {
    server: Server,
    browser: Browser,
    root: Browser,
}

/// All that the form sends, but for the boxes that are not ticked.
const USUAL: [(&str, &str); 5] = [
    ("default_life", "90d"),
    ("never_expires", "yes"),
    ("per_user", "100"),
    ("creators", "everyone"),
    ("users", ""),
];

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        server.notes();
        let alice = server.user("alice");
        server.personal_token(&alice, "notes:read");
        Self {
            browser: server.signed_in(&alice).await,
            root: server.signed_in(&server.admin("root")).await,
            server,
        }
    }

    /// Send the form with these fields instead of the usual ones.
    async fn send(&self, act: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.root.get(PAGE).await.input("csrf");
        let usual = USUAL
            .iter()
            .filter(|(name, _)| fields.iter().all(|(other, _)| name != other));
        let all: Vec<(&str, &str)> = usual.chain(fields).copied().chain([("act", act)]).collect();
        self.root.submit_with(&csrf, PAGE, &all).await
    }

    async fn rules(&self) -> Value {
        self.root.api("GET", POLICY, None).await.1
    }
}

/// The page is for administrators alone, and shows the rules in force.
#[actix_web::test]
async fn the_rules_in_force_are_shown_to_administrators() {
    let house = House::open().await;
    let mut rules = house.rules().await;
    rules["maxLifeSeconds"] = json!(180 * 86_400);
    rules["creators"] = json!({"users": ["alice"]});
    rules["scopes"] =
        json!([{"scope": "notes:w*", "maxLifeSeconds": 43_200, "networksRequired": true}]);
    assert_eq!(house.root.api("PUT", POLICY, Some(rules)).await.0, 200);
    let page = house.root.get(PAGE).await;
    for (field, value) in [
        ("max_life", "180d"),
        ("default_life", "90d"),
        ("per_user", "100"),
        ("users", "alice"),
        ("scope_0", "notes:w*"),
        ("life_0", "12h"),
        ("scope_1", ""),
    ] {
        assert_eq!(page.input(field), value, "{field}");
    }
    for (tag, checked) in [
        (["name=\"creators\"", "value=\"users\""], true),
        (["name=\"creators\"", "value=\"everyone\""], false),
        (["name=\"never_expires\"", ""], true),
        (["name=\"networks\"", ""], false),
        (["name=\"networks_0\"", ""], true),
    ] {
        assert_eq!(page.tag(&tag).contains(" checked"), checked, "{tag:?}");
    }
    let list = house.root.get("/settings/tokens").await;
    assert!(list.body.contains("href=\"/admin/policy\""));
    assert_eq!(house.browser.get(PAGE).await.status, 403);
    assert!(
        !house
            .browser
            .get("/settings/tokens")
            .await
            .body
            .contains(PAGE)
    );
}

/// Before anything is decided, it is said which tokens break it. What is decided then is what was looked at.
#[actix_web::test]
async fn rules_are_decided_after_a_look_at_what_they_break() {
    let house = House::open().await;
    let before = house.rules().await;
    let fields = [
        ("max_life", "30d"),
        ("creators", "users"),
        ("users", "root, Alice"),
        ("approval", "yes"),
        ("scope_1", "notes:write"),
        ("life_1", "1d"),
        ("networks_1", "yes"),
    ];
    let look = house.send("preview", &fields).await;
    assert_eq!(look.status, 200);
    for words in [
        "1 token that lives breaks them. Nothing is shortened",
        "token 1 of alice",
        "was given a longer life",
        "At most 1d, only from networks",
    ] {
        assert!(look.says(words), "{words}: {}", look.text());
    }
    assert_eq!(house.rules().await, before, "a look decides nothing");

    let carried = hidden(&look);
    let carried: Vec<(&str, &str)> = carried
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let edit = [&carried[..], &[("act", "edit")]].concat();
    let form = house.root.post(PAGE, &edit).await;
    assert_eq!(
        (form.status, form.input("users")),
        (200, "root, Alice".to_owned())
    );
    assert_eq!(form.input("scope_0"), "notes:write");
    assert_eq!(house.rules().await, before);

    let decide = [&carried[..], &[("act", "decide")]].concat();
    let done = house.root.post(PAGE, &decide).await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/admin/policy?done=yes")
    );
    let rules = house.rules().await;
    assert_eq!(rules["maxLifeSeconds"], 30 * 86_400);
    assert_eq!(rules["approvalRequired"], true);
    assert_eq!(rules["neverExpiresAllowed"], true);
    assert_eq!(rules["networksRequired"], false);
    assert_eq!(rules["creators"]["users"].as_array().map(Vec::len), Some(2));
    let rule =
        json!([{"scope": "notes:write", "maxLifeSeconds": 86_400, "networksRequired": true}]);
    assert_eq!(rules["scopes"], rule);
    let body = json!({"name": "ci", "scopes": ["notes:read"]});
    let (_, refused) = house.browser.api("POST", MINE, Some(body)).await;
    assert_eq!(refused["code"], "pat.reason_required", "{refused}");
}

/// The names and values of the hidden fields, the CSRF token among them.
fn hidden(page: &Page) -> Vec<(String, String)> {
    let main = page.body.split("<main").nth(1).expect("a main");
    let tags = main.split("<input type=\"hidden\" name=\"").skip(1);
    tags.map(|tag| {
        let name = tag.split('"').next().unwrap();
        (
            name.to_owned(),
            crate::support::input(&format!("<input name=\"{}", tag), name).unwrap(),
        )
    })
    .collect()
}

/// What can't be a rule is said at its field, and the form is as it was filled.
#[actix_web::test]
async fn what_can_not_be_is_said_at_its_field() {
    let house = House::open().await;
    let before = house.rules().await;
    for (name, value, field) in [
        ("max_life", "soon", "max_life"),
        ("max_life", "0d", "max_life"),
        ("max_life", "200000d", "max_life"),
        ("default_life", "", "default_life"),
        ("default_life", "0s", "default_life"),
        ("per_user", "0", "per_user"),
        ("per_user", "many", "per_user"),
        ("per_user", "10001", "per_user"),
        ("scope_0", "a*b", "scope_0"),
        ("scope_0", "notes:read", "scope_0"),
        ("life_0", "1d", "scope_0"),
        ("life_0", "x", "life_0"),
    ] {
        for act in ["preview", "decide"] {
            let page = house.send(act, &[(name, value), ("networks", "yes")]).await;
            assert_eq!(page.status, 422, "{name}={value}");
            assert!(
                page.error(field).is_some(),
                "{name}={value}: {}",
                page.text()
            );
            assert_eq!(page.input(name), value, "{name}");
            assert!(page.tag(&["name=\"networks\""]).contains(" checked"));
        }
    }
    let wrong = [
        ("max_life", "x"),
        ("per_user", "0"),
        ("life_0", "x"),
        ("scope_1", "a*b"),
    ];
    let page = house.send("preview", &wrong).await;
    for (field, value) in wrong {
        assert!(page.error(field).is_some(), "{field}: {}", page.text());
        assert_eq!(page.input(field), value, "what is wrong is said at once");
    }
    for users in ["", "alice nobody"] {
        let fields = [("creators", "users"), ("users", users)];
        for act in ["preview", "decide"] {
            let page = house.send(act, &fields).await;
            assert_eq!(page.status, 422, "{users:?}");
            assert!(page.error("users").is_some(), "{users:?}: {}", page.text());
            assert_eq!(page.input("users"), users);
        }
    }
    assert_eq!(house.rules().await, before);
}

/// It takes the password, entered lately; the form is as it was filled after that.
#[actix_web::test]
async fn to_decide_takes_the_password() {
    let house = House::open().await;
    let before = house.rules().await;
    house.server.clock.advance(seconds(601));
    let fields = [
        ("max_life", "30d"),
        ("scope_0", "notes:*"),
        ("life_0", "7d"),
    ];
    for act in ["preview", "decide"] {
        let asked = house.send(act, &fields).await;
        assert!(asked.location().starts_with("/step-up?next="), "{act}");
    }
    let asked = house.send("decide", &fields).await;
    let step_up = house.root.get(asked.location()).await;
    let (csrf, next) = (step_up.input("csrf"), step_up.input("next"));
    let proof = [("next", next.as_str()), ("password", PASSWORD)];
    let proven = house.root.submit_with(&csrf, "/step-up", &proof).await;
    let page = house.root.get(proven.location()).await;
    for (field, value) in fields {
        assert_eq!(page.input(field), value);
    }
    assert_eq!(house.rules().await, before);
}

/// Who may make tokens is one of three; what is none of them opens nothing to everyone.
#[actix_web::test]
async fn who_may_make_tokens_is_chosen() {
    let house = House::open().await;
    let before = house.rules().await;
    for creators in ["", "nobody", "Everyone"] {
        let fields = [("creators", creators)];
        let refused = house.send("decide", &fields).await;
        assert_eq!(refused.status, 422, "{creators}");
        assert!(
            refused.says("Choose who may make tokens."),
            "{}",
            refused.text()
        );
    }
    assert_eq!(house.rules().await, before);
}
