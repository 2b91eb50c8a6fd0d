//! Tokens that wait for approval, on the page for administrators.

use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{
    ACME, Browser, MINE, PASSWORD, Page, ResourceServer, Server, json as json_of, repository,
    seconds,
};

const PAGE: &str = "/admin/approvals";
const POLICY: &str = "/api/policies/personal-access-tokens";

struct House {
    server: Server,
    notes: ResourceServer,
    browser: Browser,
    root: Browser,
}

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let root = server.signed_in(&server.admin("root")).await;
        let (_, mut policy) = root.api("GET", POLICY, None).await;
        policy["approvalRequired"] = json!(true);
        assert_eq!(root.api("PUT", POLICY, Some(policy)).await.0, 200);
        Self {
            browser: server.signed_in(&server.user("alice")).await,
            server,
            notes,
            root,
        }
    }

    /// A token that waits, made a second after the one before: its id and its secret.
    async fn waiting(&self, name: &str) -> (String, String) {
        self.server.clock.advance(seconds(1));
        let body = json!({"name": name, "scopes": ["notes:read"], "reason": "<the> nightly build",
            "allowedCidrs": ["192.0.2.0/24"]});
        let (status, made) = self.browser.api("POST", MINE, Some(body)).await;
        assert_eq!(status, 201, "{made}");
        let text = |key: &str| made[key].as_str().expect("a text").to_owned();
        (text("id"), text("value"))
    }

    /// Whether a token is good where it may be used.
    async fn works(&self, secret: &str) -> bool {
        let question = [("token", secret), ("client_ip", "192.0.2.1")];
        let answer = json_of(self.notes.ask(&question).await, 200).await;
        answer["active"].as_bool().expect("active is there")
    }

    async fn decide(&self, id: &str, act: &str, words: &str) -> Page {
        let csrf = self.root.get(PAGE).await.input("csrf");
        let fields = [("act", act), ("words", words)];
        self.root
            .submit_with(&csrf, &format!("{PAGE}/{id}"), &fields)
            .await
    }
}

/// Each token is shown with what an administrator has to know, the oldest first; their number stands in the navigation.
#[actix_web::test]
async fn what_waits_is_shown_to_administrators() {
    let house = House::open().await;
    let page = house.root.get(PAGE).await;
    assert!(page.says("No token waits."), "{}", page.text());
    assert!(!page.body.contains(" waiting</span>"), "{}", page.body);
    house.waiting("second-hand").await;
    let (_, secret) = house.waiting("ci").await;
    let page = house.root.get(PAGE).await;
    for words in [
        "second-hand of alice",
        "<the> nightly build",
        "notes:read",
        "https://notes.example",
        "Only from 192.0.2.0/24",
        "Thu 15 Apr 2027",
    ] {
        assert!(page.says(words), "{words}: {}", page.text());
    }
    assert!(page.body.find("second-hand") < page.body.find("<bdi>ci</bdi>"));
    assert!(!page.body.contains(&secret));
    let list = house.root.get("/settings/tokens").await;
    let link = "Approvals <span class=\"badge warn\">2<span class=\"sr\"> waiting</span>";
    assert!(list.body.contains(link), "{}", list.body);

    let hers = house.browser.get("/settings/tokens").await;
    assert!(!hers.body.contains(PAGE), "{}", hers.body);
    assert_eq!(house.browser.get(PAGE).await.status, 403);
    assert_eq!(house.server.browser().get(PAGE).await.status, 303);
}

/// Who decides sees all that the token may do, and whether a person or a machine will have it.
#[actix_web::test]
async fn what_it_may_do_with_named_things_and_whose_it_is_are_shown() {
    let house = House::open().await;
    let server = &house.server;
    server.details_type(repository());
    let alice = server
        .write(|tx| Ok(User::named(tx, "alice")?))
        .expect("she is there");
    let bot = server.service_account("ci-bot", &[&alice]).id;
    let details: Value = serde_json::from_str(ACME).unwrap();
    let body = json!({"name": "deploy", "authorizationDetails": details, "reason": "to deploy"});
    let tokens = format!("/api/my-account/service-accounts/{bot}/tokens");
    let made = house.browser.api("POST", &tokens, Some(body)).await;
    assert_eq!(made.0, 201, "{}", made.1);
    let page = house.root.get(PAGE).await;
    for words in [
        "repository: read; identifier acme/site",
        "deploy of ci-bot service account",
    ] {
        assert!(page.says(words), "{words}: {}", page.text());
    }
}

/// Approved, it works and is off the page; refused, it has ended. What was decided meanwhile is said.
#[actix_web::test]
async fn a_token_is_approved_or_refused() {
    let house = House::open().await;
    let (first, secret) = house.waiting("first").await;
    let (second, other) = house.waiting("second").await;
    let done = house.decide(&first, "approve", "").await;
    assert_eq!(
        (done.status, done.location()),
        (303, "/admin/approvals?done=approved")
    );
    let page = house.root.get(done.location()).await;
    assert!(page.says("The token is approved, and works."));
    assert!(!page.says("first of alice"), "{}", page.text());
    assert!(house.works(&secret).await);

    let refused = house.decide(&second, "refuse", "  ").await;
    assert_eq!(refused.status, 422);
    let field = format!("why_{second}");
    assert!(refused.error(&field).is_some(), "{}", refused.text());
    let long = "y".repeat(256);
    let refused = house.decide(&second, "refuse", &long).await;
    assert!(refused.error(&field).is_some(), "{}", refused.text());
    assert!(refused.body.contains(&long), "what was written stays");
    assert_eq!(house.decide(&second, "refuse", "ask Bob").await.status, 303);
    assert!(!house.works(&other).await);
    let list = house.browser.get("/settings/tokens?show=ended").await;
    assert!(list.says("not approved: ask Bob"), "{}", list.text());

    let csrf = house.root.get("/settings/password").await.input("csrf");
    for id in [&first, &second] {
        let path = format!("{PAGE}/{id}");
        let late = house
            .root
            .submit_with(&csrf, &path, &[("act", "refuse"), ("words", "x")]);
        let late = late.await;
        assert_eq!(late.status, 422);
        assert!(late.says("This token does not wait for approval."));
    }
    let nowhere = house
        .root
        .submit_with(&csrf, "/admin/approvals/x", &[("act", "approve")]);
    assert_eq!(nowhere.await.status, 404);
}

/// To approve takes the password, entered lately; what was written is there again after that. To refuse takes none.
#[actix_web::test]
async fn to_approve_takes_the_password() {
    let house = House::open().await;
    let (id, secret) = house.waiting("ci").await;
    let (other, _) = house.waiting("other").await;
    house.server.clock.advance(seconds(601));
    let asked = house.decide(&id, "approve", "for \"you\"").await;
    assert!(asked.location().starts_with("/step-up?next="));
    let step_up = house.root.get(asked.location()).await;
    let (csrf, next) = (step_up.input("csrf"), step_up.input("next"));
    let proof = [("next", next.as_str()), ("password", PASSWORD)];
    let proven = house.root.submit_with(&csrf, "/step-up", &proof).await;
    let page = house.root.get(proven.location()).await;
    let field = page.tag(&[&format!("id=\"words_{id}\"")]);
    assert!(field.contains("for &#34;you&#34;"), "{field}");
    assert!(!house.works(&secret).await);
    house.server.clock.advance(seconds(601));
    let refused = house.decide(&other, "refuse", "no").await;
    assert_eq!(refused.location(), "/admin/approvals?done=refused");
}

/// Until it is decided its owner is offered no successor and no other networks for it.
#[actix_web::test]
async fn what_waits_is_not_offered_to_be_changed() {
    let house = House::open().await;
    let (id, _) = house.waiting("ci").await;
    let rotate = format!("/settings/tokens/{id}/rotate");
    let one = format!("/settings/tokens/{id}");
    for path in ["/settings/tokens", &one] {
        assert!(!house.browser.get(path).await.body.contains(&rotate));
    }
    let page = house.browser.get(&one).await;
    assert!(page.tag(&["name=\"networks\""]).contains("readonly"));
    assert_eq!(house.decide(&id, "approve", "").await.status, 303);
    for path in ["/settings/tokens", &one] {
        assert!(house.browser.get(path).await.body.contains(&rotate));
    }
    let page = house.browser.get(&one).await;
    assert!(!page.tag(&["name=\"networks\""]).contains("readonly"));
}

/// Twenty stand on a page.
#[actix_web::test]
async fn many_wait_on_several_pages() {
    let house = House::open().await;
    for count in 0..21 {
        house.waiting(&format!("t{count}")).await;
    }
    let page = house.root.get(PAGE).await;
    assert_eq!(page.body.matches("</bdi> of <bdi>alice").count(), 20);
    assert!(!page.says("t20 of alice"));
    let link = page
        .body
        .split("href=\"/admin/approvals?after=")
        .nth(1)
        .expect("a next page");
    let cursor = link.split('"').next().unwrap();
    let next = house.root.get(&format!("{PAGE}?after={cursor}")).await;
    assert_eq!(next.body.matches("</bdi> of <bdi>alice").count(), 1);
    assert!(next.says("t20 of alice"), "{}", next.text());

    // What is refused and what is decided leads back to the page it was on; where nothing is left there, to the first.
    let csrf = next.input("csrf");
    let after = next.input("after");
    assert_eq!(after, cursor);
    let last = next.body.split("action=\"/admin/approvals/").nth(1);
    let last = format!("{PAGE}/{}", last.unwrap().split('"').next().unwrap());
    let last = last.as_str();
    let refuse = |words| {
        [
            ("after", after.as_str()),
            ("act", "refuse"),
            ("words", words),
        ]
    };
    let wrong = house.root.submit_with(&csrf, last, &refuse("")).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.says("t20 of alice"), "{}", wrong.text());
    let done = house.root.submit_with(&csrf, last, &refuse("no")).await;
    let back = format!("{PAGE}?done=refused&after={cursor}");
    assert_eq!(done.location(), back);
    let first = house.root.get(&back).await;
    assert_eq!(first.body.matches("</bdi> of <bdi>alice").count(), 20);

    house.server.clock.advance(seconds(601));
    let approve = [("after", after.as_str()), ("act", "approve")];
    let asked = house.root.submit_with(&csrf, last, &approve).await;
    assert!(asked.location().ends_with(&format!("%26after%3D{cursor}")));
    assert_eq!(house.root.get(&format!("{PAGE}?after=x")).await.status, 200);
}
