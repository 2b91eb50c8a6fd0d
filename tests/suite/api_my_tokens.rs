//! `/api/my-account/personal-access-tokens`: a person's own tokens, from their browser.

use serde_json::{Value, json};

use crate::support::{AppOptions, Browser, MINE, PASSWORD, START, Server, seconds};

fn ci() -> Value {
    json!({"name": "ci", "scopes": ["notes:read"]})
}

/// The path of a token that is made at this browser.
async fn made(browser: &Browser) -> String {
    let (status, made) = browser.api("POST", MINE, Some(ci())).await;
    assert_eq!(status, 201, "{made}");
    format!("{MINE}/{}", made["id"].as_str().unwrap())
}

/// A call with this browser's cookies and any headers, and nothing that a page of ours would add.
async fn bare(
    server: &Server,
    browser: &Browser,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> (u16, Value) {
    let mut request = server.request(method, path).json(&ci());
    request = request.header("Cookie", browser.cookies());
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

/// The options say all that a form needs: what may be granted, for how long, and the token against forgery.
#[actix_web::test]
async fn the_options_are_what_this_person_may_choose() {
    let server = Server::with(&[("pat_max_life", "30d")]).await;
    server.notes();
    server.resource("https://vault.example", &["!vault:open"]);
    let alice = server.signed_in(&server.user("alice")).await;
    let (_, mut options) = alice.api("GET", &format!("{MINE}/options"), None).await;
    let csrf = options.as_object_mut().unwrap().remove("csrfToken");
    assert_eq!(csrf.unwrap().as_str().unwrap().len(), 64);
    assert_eq!(
        options,
        json!({
            "networksRequired": false,
            "approvalRequired": false,
            "scopeRules": [],
            "resources": [{
                "uri": format!("{}/api", server.url),
                "name": "Jeton",
                "authorizationDetailsTypes": [],
                "scopes": [{
                    "name": "pat:rotate_self",
                    "description": "Rotate itself: get a successor, which takes over from it",
                }],
            }, {
                "uri": "https://notes.example",
                "name": "Notes",
                "authorizationDetailsTypes": [],
                "scopes": [
                    {"name": "notes:read", "description": "Do what notes:read is for"},
                    {"name": "notes:write", "description": "Do what notes:write is for"},
                ],
            }],
            "expiryPresetDays": [7, 30, 60, 90, 180, 365],
            "defaultExpiresAt": (START + seconds(30 * 86_400)).millis() - 500,
            "maxExpiresAt": (START + seconds(30 * 86_400)).millis(),
            "neverExpiresAllowed": false,
            "mayCreate": true,
        })
    );
}

/// An administrator is offered the reserved scopes too, but none that no token may hold.
#[actix_web::test]
async fn an_administrator_is_offered_the_reserved_scopes() {
    let server = Server::start().await;
    server.notes();
    let root = server.signed_in(&server.admin("root")).await;
    let (_, options) = root.api("GET", &format!("{MINE}/options"), None).await;
    let resources = options["resources"].as_array().unwrap();
    let mut names: Vec<&str> = resources
        .iter()
        .flat_map(|resource| resource["scopes"].as_array().unwrap())
        .map(|scope| scope["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    let all = [
        "audit:read",
        "notes:admin",
        "notes:read",
        "notes:write",
        "pat:rotate_self",
        "pats:read",
        "pats:revoke",
        "policies:read",
    ];
    assert_eq!(names, all);
}

/// A token is made with 201, its place and its secret, in an answer that nobody keeps.
#[actix_web::test]
async fn a_token_is_made_with_its_place_and_its_secret() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let (_, options) = browser.api("GET", &format!("{MINE}/options"), None).await;
    let csrf = options["csrfToken"].as_str().unwrap();
    let answer = server
        .request("POST", MINE)
        .header("Cookie", browser.cookies())
        .header("X-CSRF-Token", csrf)
        .json(&json!({"name": "ci", "description": "d", "scopes": ["notes:read"]}))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let mut made: Value = answer.json().await.unwrap();
    let object = made.as_object_mut().unwrap();
    let (id, value) = (object.remove("id"), object.remove("value"));
    let (id, value) = (id.unwrap(), value.unwrap());
    let (id, value) = (id.as_str().unwrap(), value.as_str().unwrap());
    assert_eq!(location, format!("{MINE}/{id}"));
    assert!(notes.accepts(value).await);
    assert_eq!(
        made,
        json!({
            "allowedCidrs": [],
            "authorizationDetails": [],
            "idleSeconds": null,
            "notBefore": null,
            "pendingSince": null,
            "requestReason": null,
            "rotation": {"predecessorId": null, "overlapUntil": null},
            "kind": "pat",
            "userId": alice.id.to_string(),
            "name": "ci",
            "description": "d",
            "hint": value[..14],
            "status": "active",
            "scopes": ["notes:read"],
            "audience": ["https://notes.example"],
            "createdAt": START.millis(),
            "createdBy": format!("user:{}", alice.id),
            "createdVia": "api",
            "createdFrom": "127.0.0.1",
            "expiresAt": (START + seconds(90 * 86_400)).millis() - 500,
            "lastUsedAt": null,
            "lastUsedFrom": null,
            "revokedAt": null,
            "revokedBy": null,
            "revokeReason": null,
        })
    );
}

/// The secret is in the answer that makes the token, and in no other.
#[actix_web::test]
async fn the_secret_is_told_once() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let (_, made) = browser.api("POST", MINE, Some(ci())).await;
    let path = format!("{MINE}/{}", made["id"].as_str().unwrap());
    let secret = made["value"].as_str().unwrap();
    let rename = json!({"name": "nightly"});
    for (method, path, body) in [
        ("GET", MINE, None),
        ("GET", &path, None),
        ("PATCH", &path, Some(rename)),
        ("DELETE", &path, None),
        ("GET", &path, None),
    ] {
        let (status, answer) = browser.api(method, path, body).await;
        assert!(status < 300, "{method} {path}: {status}");
        let answer = answer.to_string();
        assert!(!answer.contains("\"value\""), "{method} {path}");
        // All but the hint is gone.
        assert!(!answer.contains(&secret[14..]), "{method} {path}");
    }
}

/// To make a token the password must have been entered within the last ten minutes; to look, change less or revoke, not.
#[actix_web::test]
async fn making_a_token_takes_a_password_entered_lately() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    server.clock.advance(seconds(599));
    let path = made(&browser).await;
    server.clock.advance(seconds(1));
    let another = json!({"name": "another", "scopes": ["notes:read"]});
    let (status, answer) = browser.api("POST", MINE, Some(another.clone())).await;
    assert_eq!(status, 403);
    assert_eq!(answer["code"], "auth.step_up_required");
    assert_eq!(browser.api("GET", MINE, None).await.0, 200);
    let rename = json!({"name": "nightly"});
    assert_eq!(browser.api("PATCH", &path, Some(rename)).await.0, 200);
    assert_eq!(browser.api("DELETE", &path, None).await.0, 204);
    let page = browser.submit("/step-up", &[("password", PASSWORD)]).await;
    assert_eq!(page.status, 303);
    assert_eq!(browser.api("POST", MINE, Some(another)).await.0, 201);
}

/// What changes something carries the session's own token against forgery: a form of another site can't have it.
#[actix_web::test]
async fn a_change_needs_the_csrf_header_of_this_session() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let others = server.signed_in(&server.user("bob")).await;
    let path = made(&browser).await;
    let (_, theirs) = others.api("GET", &format!("{MINE}/options"), None).await;
    let theirs = theirs["csrfToken"].as_str().unwrap();
    for headers in [
        vec![],
        vec![("X-CSRF-Token", "")],
        vec![("X-CSRF-Token", "0")],
        vec![("X-CSRF-Token", theirs)],
    ] {
        for (method, path) in [("POST", MINE), ("PATCH", &path), ("DELETE", &path)] {
            let (status, answer) = bare(&server, &browser, method, path, &headers).await;
            let got = (status, &answer["code"]);
            assert_eq!(got, (403, &json!("auth.csrf")), "{method} {headers:?}");
        }
    }
    let (_, shown) = browser.api("GET", &path, None).await;
    assert_eq!(shown["status"], "active");
}

/// A token does not get in, whosever and whatever it is, with a person's cookies or without.
#[actix_web::test]
async fn a_token_is_no_person() {
    let server = Server::start().await;
    server.notes();
    let root = server.admin("root");
    let browser = server.signed_in(&root).await;
    let path = made(&browser).await;
    let app = server.app(AppOptions {
        scope: "pats:read pats:write pats:revoke",
        ..AppOptions::default()
    });
    let pat = server.personal_token(&root, "pats:read pats:revoke");
    let service = app.own_token("pats:write").await.access;
    let stranger = server.browser();
    let (_, options) = browser.api("GET", &format!("{MINE}/options"), None).await;
    let csrf = options["csrfToken"].as_str().unwrap();
    for token in [pat.as_str(), &service, "garbage"] {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("X-CSRF-Token", csrf)];
        for who in [&browser, &stranger] {
            for (method, path) in [
                ("GET", MINE),
                ("GET", &format!("{MINE}/options")),
                ("POST", MINE),
                ("GET", &path),
                ("PATCH", &path),
                ("DELETE", &path),
            ] {
                let (status, answer) = bare(&server, who, method, path, &headers).await;
                let code = json!("pat.cannot_manage_tokens");
                assert_eq!((status, &answer["code"]), (403, &code), "{method} {path}");
            }
        }
    }
}

/// Who is not signed in is told how to get in.
#[actix_web::test]
async fn a_stranger_is_told_to_sign_in() {
    let server = Server::start().await;
    for (method, path) in [
        ("GET", MINE),
        ("POST", MINE),
        ("DELETE", &format!("{MINE}/x")),
    ] {
        let answer = server.request(method, path).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{method} {path}");
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.starts_with("Bearer "), "{method} {path}");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["code"], "auth.required", "{method} {path}");
    }
}

/// The tokens of others are not there, by whatever name they are asked for.
#[actix_web::test]
async fn the_tokens_of_others_are_not_there() {
    let server = Server::start().await;
    let notes = server.notes();
    let bob = server.user("bob");
    let theirs = server.personal_token(&bob, "notes:read");
    let id = notes.introspect(&theirs).await["jti"].clone();
    let browser = server.signed_in(&server.user("alice")).await;
    let root = server.signed_in(&server.admin("root")).await;
    let nil = "00000000-0000-0000-0000-000000000000";
    for id in [
        id.as_str().unwrap(),
        nil,
        "token%201",
        "options%00",
        "%ff",
        "-1",
    ] {
        for (method, body) in [
            ("GET", None),
            ("PATCH", Some(json!({"name": "mine"}))),
            ("DELETE", None),
        ] {
            for who in [&browser, &root] {
                let (status, answer) = who.api(method, &format!("{MINE}/{id}"), body.clone()).await;
                let got = (status, &answer["code"]);
                assert_eq!(got, (404, &json!("entity.not_found")), "{method} {id}");
            }
        }
    }
    assert_eq!(browser.api("GET", MINE, None).await.1, json!([]));
    assert!(notes.accepts(&theirs).await);
}
