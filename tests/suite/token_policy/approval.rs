//! Where administrators approve tokens: who waits, who does not, and what the form asks.

use serde_json::{Value, json};

use super::House;
use crate::support::MINE;

/// Where tokens need approval, one that somebody makes for themselves is inactive until an administrator approves it, and
/// says what it is for.
#[actix_web::test]
async fn a_token_waits_for_approval() {
    let house = House::build().await;
    house.decide(json!({"approvalRequired": true})).await;
    for reason in ["", "  "] {
        let (status, code) = house.token(json!({"reason": reason})).await;
        assert_eq!((status, code.as_str()), (400, "pat.reason_required"));
    }
    let (status, made) = house
        .try_token(json!({"reason": "the nightly build"}))
        .await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(
        (&made["status"], &made["requestReason"]),
        (&json!("pending"), &json!("the nightly build"))
    );
    let value = made["value"].as_str().unwrap();
    assert!(!house.notes.accepts(value).await);
    let own = house
        .server
        .script(value)
        .get("/api/personal-access-tokens/self")
        .await;
    assert_eq!(own.0, 401);
    let taken = json!({"name": made["name"], "reason": "again"});
    assert_eq!(
        house.token(taken).await.1,
        "user.personal_access_token_name_exists"
    );
    let list = house.browser.get("/settings/tokens").await;
    assert!(
        list.says("An administrator has to approve it"),
        "{}",
        list.text()
    );

    let approve = format!(
        "/api/personal-access-tokens/{}/approve",
        made["id"].as_str().unwrap()
    );
    let (status, approved) = house.decider.call("POST", &approve, Value::Null).await;
    assert_eq!((status, &approved["status"]), (200, &json!("active")));
    assert!(house.notes.accepts(value).await);
    let (status, again) = house.decider.call("POST", &approve, Value::Null).await;
    assert_eq!((status, &again["code"]), (409, &json!("pat.not_pending")));
}

/// Approval is for those who make tokens for themselves: managers, administrators and the operator need none. What was
/// denied stays denied.
#[actix_web::test]
async fn who_may_approve_needs_no_approval() {
    let house = House::build().await;
    house.decide(json!({"approvalRequired": true})).await;
    let root = house.server.admin("root");
    let browser = house.server.signed_in(&root).await;
    let body = json!({"name": "ci", "scopes": ["notes:read"]});
    let (_, made) = browser.api("POST", MINE, Some(body.clone())).await;
    assert_eq!(made["status"], "active");
    let path = format!("/api/users/{}/personal-access-tokens", root.id);
    let (_, made) = house
        .decider
        .call(
            "POST",
            &path,
            json!({"name": "other", "scopes": ["notes:read"]}),
        )
        .await;
    assert_eq!(made["status"], "active");

    let (_, made) = house.try_token(json!({"reason": "x"})).await;
    let id = made["id"].as_str().unwrap();
    house
        .browser
        .api("DELETE", &format!("{MINE}/{id}"), None)
        .await;
    let approve = format!("/api/personal-access-tokens/{id}/approve");
    assert_eq!(
        house.decider.call("POST", &approve, Value::Null).await.0,
        409
    );
    assert!(!house.notes.accepts(made["value"].as_str().unwrap()).await);
    let unknown = "/api/personal-access-tokens/x/approve";
    assert_eq!(
        house.decider.call("POST", unknown, Value::Null).await.0,
        404
    );
}

/// The form asks what a token is for where that is needed, and the page of the new token says that it does not work yet.
#[actix_web::test]
async fn the_form_asks_what_it_is_for() {
    let house = House::build().await;
    let form = house.browser.get("/settings/tokens/new").await;
    assert!(!form.body.contains("name=\"reason\""));
    house.decide(json!({"approvalRequired": true})).await;
    let form = house.browser.get("/settings/tokens/new").await;
    let csrf = form.input("csrf");
    let post = async |reason: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("name", "ci"),
            ("scope", "https://notes.example notes:read"),
            ("expires", "90d"),
            ("reason", reason),
        ];
        house.browser.post("/settings/tokens", &fields).await
    };
    let refused = post("").await;
    assert_eq!(refused.status, 422);
    assert!(refused.error("reason").is_some(), "{}", refused.text());
    let made = post("the nightly build").await;
    assert!(
        made.says("an administrator has to approve it"),
        "{}",
        made.text()
    );
}
