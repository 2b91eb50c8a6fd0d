//! The resource servers that a personal access token is for: those of which it has a scope, and no others.

use serde_json::{Value, json};

use crate::support::{Browser, MINE, ResourceServer, Server};

const NOTES: &str = "https://notes.example";
const PHOTOS: &str = "https://photos.example";

/// Two resource servers, of which one knows a word of the other, and alice.
async fn scene() -> (Server, ResourceServer, ResourceServer, Browser) {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource(PHOTOS, &["photos:read", "notes:read"]);
    let alice = server.signed_in(&server.user("alice")).await;
    (server, notes, photos, alice)
}

async fn make(alice: &Browser, scopes: &[&str], audience: &[&str]) -> (u16, Value) {
    let body = json!({"name": "ci", "scopes": scopes, "audience": audience});
    alice.api("POST", MINE, Some(body)).await
}

/// A resource server of which the token has no scope would take it for nothing: it is not accepted as one of them.
#[actix_web::test]
async fn a_resource_without_a_scope_is_refused() {
    let (_server, notes, _, alice) = scene().await;
    for (scopes, audience, idle) in [
        (&["notes:write"][..], [NOTES, PHOTOS], PHOTOS),
        (&["photos:read"], [NOTES, PHOTOS], NOTES),
    ] {
        let (status, refused) = make(&alice, scopes, &audience).await;
        let code = &refused["code"];
        assert_eq!((status, code), (400, &json!("pat.audience_without_scope")));
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(idle), "{message}");
    }
    let (status, made) = make(&alice, &["notes:write"], &[NOTES]).await;
    assert_eq!(status, 201, "{made}");
    assert!(notes.accepts(made["value"].as_str().unwrap()).await);
}

/// The page says it at the permissions, and makes nothing.
#[actix_web::test]
async fn a_resource_without_a_scope_is_refused_at_the_permissions() {
    let (_server, _, _, alice) = scene().await;
    let csrf = alice.get("/settings/tokens/new").await.input("csrf");
    // No box of ours has this value: the form was changed.
    let elsewhere = format!("{PHOTOS} notes:write");
    let here = format!("{NOTES} notes:write");
    let fields = [
        ("name", "ci"),
        ("scope", here.as_str()),
        ("scope", &elsewhere),
        ("expires", "30d"),
    ];
    let page = alice.submit_with(&csrf, "/settings/tokens", &fields).await;
    assert_eq!(page.status, 422, "{}", page.text());
    let said = page.error("scope").unwrap_or_default();
    assert!(said.contains(PHOTOS), "{said}");
    let (_, mine) = alice.api("GET", MINE, None).await;
    assert_eq!(mine, json!([]));
}

/// A token that is narrowed has no business any more with a resource server none of whose scopes is left in it.
#[actix_web::test]
async fn narrowing_drops_the_resource_that_has_no_scope_left() {
    let (_server, notes, photos, alice) = scene().await;
    let all = ["notes:read", "notes:write", "photos:read"];
    let (status, made) = make(&alice, &all, &[NOTES, PHOTOS]).await;
    assert_eq!(status, 201, "{made}");
    let token = made["value"].as_str().unwrap();
    let path = format!("{MINE}/{}", made["id"].as_str().unwrap());
    let narrow = |scopes: Value| alice.api("PATCH", &path, Some(json!({"scopes": scopes})));

    // Both define notes:read.
    let (status, left) = narrow(json!(["notes:read", "notes:write"])).await;
    assert_eq!((status, &left["audience"]), (200, &json!([NOTES, PHOTOS])));
    assert_eq!(photos.introspect(token).await["scope"], "notes:read");

    let (status, left) = narrow(json!(["notes:write"])).await;
    assert_eq!((status, &left["audience"]), (200, &json!([NOTES])));
    assert_eq!(photos.introspect(token).await, json!({"active": false}));
    let told = notes.introspect(token).await;
    assert_eq!(
        (&told["scope"], &told["aud"]),
        (&json!("notes:write"), &json!([NOTES]))
    );
}
