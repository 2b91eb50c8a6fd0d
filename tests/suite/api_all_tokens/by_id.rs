//! One of everybody's tokens, by its id; and which scope opens which call.

use serde_json::{Value, json};

use super::{ALL, House};

/// A manager has each token by its id alone.
#[actix_web::test]
async fn one_token_is_shown_changed_and_ended_by_its_id() {
    let house = House::open().await;
    let list = house.list("search=soon").await;
    let one = format!("{ALL}/{}", list["items"][0]["id"].as_str().unwrap());
    let (status, shown) = house.manager.get(&one).await;
    assert_eq!((status, &shown["name"]), (200, &json!("soon")));
    assert_eq!(shown["userId"], house.alice.id.to_string());
    let (status, changed) = house
        .manager
        .call("PATCH", &one, json!({"name": "renamed"}))
        .await;
    assert_eq!((status, &changed["name"]), (200, &json!("renamed")));
    let (status, refused) = house
        .manager
        .call("PATCH", &one, json!({"scopes": ["notes:write"]}))
        .await;
    assert_eq!((status, &refused["code"]), (422, &json!("pat.widening")));
    for _ in 0..2 {
        let (status, _) = house.manager.call("DELETE", &one, Value::Null).await;
        assert_eq!(status, 204);
    }
    let (_, shown) = house.manager.get(&one).await;
    assert_eq!(shown["status"], "revoked");
    let nobody = format!("{ALL}/0190d3a4-8a1b-7c3d-9e5f-0123456789ab");
    for path in [nobody.as_str(), "/api/personal-access-tokens/soon"] {
        for (method, body) in [
            ("GET", Value::Null),
            ("PATCH", json!({})),
            ("DELETE", Value::Null),
        ] {
            let (status, answer) = house.manager.call(method, path, body).await;
            assert_eq!((status, &answer["code"]), (404, &json!("entity.not_found")));
        }
    }
    assert!(!house.notes.accepts("nothing").await);
}

/// Each scope opens its own calls, and a token that is only for reading changes nothing.
#[actix_web::test]
async fn each_scope_opens_its_own_calls() {
    let house = House::open().await;
    let list = house.list("search=soon").await;
    let one = format!("{ALL}/{}", list["items"][0]["id"].as_str().unwrap());
    let revoke = format!("{ALL}/revoke");
    let of_alice = format!("/api/users/{}/tokens/revoke-all", house.alice.id);
    let calls = [
        ("GET", ALL, "pats:read"),
        ("GET", &one, "pats:read"),
        ("PATCH", &one, "pats:write"),
        ("POST", &revoke, "pats:revoke"),
        ("POST", &of_alice, "pats:revoke"),
        ("POST", "/api/tokens/revoke-all", "pats:revoke"),
        ("DELETE", &one, "pats:revoke"),
    ];
    for scope in ["pats:read", "pats:write", "pats:revoke"] {
        let manager = house.server.manager(scope).await;
        for (method, path, needed) in calls {
            let body = if method == "GET" {
                Value::Null
            } else {
                json!({"surprise": 1})
            };
            let (status, answer) = manager.call(method, path, body).await;
            if scope == needed {
                assert!(
                    [200, 204, 400].contains(&status),
                    "{method} {path}: {answer}"
                );
            } else {
                let code = json!("auth.insufficient_scope");
                assert_eq!((status, &answer["code"]), (403, &code), "{method} {path}");
            }
        }
    }
}
