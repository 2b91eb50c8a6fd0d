//! `/api/users/{userId}/personal-access-tokens`: Logto's paths, bodies and statuses, for managers.

use serde_json::{Value, json};

use crate::support::{START, Script, Server, seconds};

/// A manager with every right, and the path of a new person's tokens.
async fn furnished(server: &Server) -> (Script, String) {
    server.notes();
    let alice = server.user("alice");
    let manager = server.manager("pats:read pats:write pats:revoke").await;
    (
        manager,
        format!("/api/users/{}/personal-access-tokens", alice.id),
    )
}

fn named(name: &str) -> Value {
    json!({"name": name, "scopes": ["notes:read"]})
}

async fn make(manager: &Script, path: &str, name: &str) -> Value {
    let (status, made) = manager.call("POST", path, named(name)).await;
    assert_eq!(status, 201, "{made}");
    made
}

/// The state of each of the person's tokens, by name.
async fn states(manager: &Script, path: &str) -> Vec<(String, String)> {
    let (status, list) = manager.get(path).await;
    assert_eq!(status, 200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let states = list.as_array().unwrap().iter();
    let mut states: Vec<_> = states
        .map(|token| (text(&token["name"]), text(&token["status"])))
        .collect();
    states.sort();
    states
}

/// Refused, and nothing is there.
fn missing() -> (u16, Value) {
    (404, json!("entity.not_found"))
}

async fn status_and_code(manager: &Script, method: &str, path: &str, body: Value) -> (u16, Value) {
    let (status, answer) = manager.call(method, path, body).await;
    (status, answer["code"].clone())
}

/// `POST` makes a token: 201 with its place, and its `value` in this answer alone.
#[actix_web::test]
async fn post_makes_a_token_with_201() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    let body = json!({
        "name": "ci",
        "scopes": ["notes:read"],
        "expiresAt": (START + seconds(60)).millis(),
    });
    let answer = manager.send("POST", &path, Some(&body)).await;
    assert_eq!(answer.status(), 201);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let made: Value = answer.json().await.unwrap();
    assert_eq!(location, format!("{path}/{}", made["id"].as_str().unwrap()));
    assert_eq!(made["name"], "ci");
    assert_eq!(made["createdAt"], START.millis());
    assert_eq!(made["expiresAt"], (START + seconds(60)).millis());
    assert_eq!(path.split('/').nth(3), made["userId"].as_str());
    let secret = made["value"].as_str().unwrap();
    assert_eq!(server.script(secret).get(OWN).await.0, 200);
    for there in [path.as_str(), &location] {
        let (_, shown) = manager.get(there).await;
        assert!(!shown.to_string().contains(&secret[14..]));
        assert!(!shown.to_string().contains("\"value\""));
    }
}

const OWN: &str = "/api/personal-access-tokens/self";

/// `GET` lists them: 200 with an array, newest first.
#[actix_web::test]
async fn get_lists_the_tokens_with_200() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    assert_eq!(manager.get(&path).await, (200, json!([])));
    for name in ["first", "second"] {
        make(&manager, &path, name).await;
        server.clock.advance(seconds(1));
    }
    let (_, list) = manager.get(&path).await;
    let names: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|token| &token["name"])
        .collect();
    assert_eq!(names, ["second", "first"]);
}

/// A body that is wrong gets 400; a name that is taken 422 with Logto's code.
#[actix_web::test]
async fn post_refuses_with_400_and_422() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    make(&manager, &path, "ci").await;
    let mut past = named("past");
    past["expiresAt"] = json!(START.millis() - 1);
    for (body, status, code) in [
        (named(""), 400, "pat.name_invalid"),
        (past, 400, "pat.expires_in_the_past"),
        (named("ci"), 422, "user.personal_access_token_name_exists"),
    ] {
        let got = status_and_code(&manager, "POST", &path, body.clone()).await;
        assert_eq!(got, (status, json!(code)), "{body}");
    }
}

/// `PATCH` with `{currentName, name}` renames: 200, 400, 404, 422.
#[actix_web::test]
async fn patch_renames_by_name() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    make(&manager, &path, "ci").await;
    make(&manager, &path, "taken").await;
    let rename = |from: &str, to: &str| json!({"currentName": from, "name": to});
    for (body, status, code) in [
        (rename("unknown", "x"), 404, "entity.not_found"),
        (rename("ci", ""), 400, "pat.name_invalid"),
        (
            rename("ci", "taken"),
            422,
            "user.personal_access_token_name_exists",
        ),
        (json!({"name": "x"}), 400, "request.malformed"),
        (json!({"currentName": "ci"}), 400, "request.malformed"),
    ] {
        let got = status_and_code(&manager, "PATCH", &path, body.clone()).await;
        assert_eq!(got, (status, json!(code)), "{body}");
    }
    let (status, renamed) = manager.call("PATCH", &path, rename("ci", "nightly")).await;
    assert_eq!((status, &renamed["name"]), (200, &json!("nightly")));
    let old = rename("ci", "x");
    assert_eq!(
        status_and_code(&manager, "PATCH", &path, old).await,
        missing()
    );
}

/// `POST …/delete` with `{name}` revokes: 204, then 404, since no live token has that name any more.
#[actix_web::test]
async fn delete_by_name_answers_204() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    let secret = make(&manager, &path, "a/b c?").await["value"].clone();
    let delete = format!("{path}/delete");
    let body = json!({"name": "a/b c?"});
    let answer = manager.send("POST", &delete, Some(&body)).await;
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.text().await.unwrap(), "");
    let script = server.script(secret.as_str().unwrap());
    assert_eq!(script.get(OWN).await.0, 401);
    assert_eq!(
        status_and_code(&manager, "POST", &delete, body).await,
        missing()
    );
    let empty = status_and_code(&manager, "POST", &delete, json!({})).await;
    assert_eq!(empty, (400, json!("request.malformed")));
}

/// The legacy paths have the name in them, whatever its letters: `PATCH …/{name}` 200, `DELETE …/{name}` 204.
#[actix_web::test]
async fn a_name_may_stand_in_the_path() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    for (name, encoded) in [
        ("ci", "ci"),
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("../..", "%2E%2E%2F%2E%2E"),
        ("100%", "100%25"),
        ("a%2Fb", "a%252Fb"),
        ("a+b", "a+b"),
        ("ünïcödé ☃", "%C3%BCn%C3%AFc%C3%B6d%C3%A9%20%E2%98%83"),
        ("?x=1#y", "%3Fx=1%23y"),
        (
            "01890a5d-ac96-774b-bcce-b302099a8057",
            "01890a5d-ac96-774b-bcce-b302099a8057",
        ),
    ] {
        make(&manager, &path, name).await;
        let at = format!("{path}/{encoded}");
        let (status, shown) = manager.get(&at).await;
        assert_eq!((status, &shown["name"]), (200, &json!(name)));
        let described = json!({"description": "seen"});
        let (status, shown) = manager.call("PATCH", &at, described).await;
        assert_eq!((status, &shown["name"]), (200, &json!(name)));
        let (status, body) = manager.call("DELETE", &at, Value::Null).await;
        assert_eq!((status, body), (204, Value::Null), "{name}");
        let gone = status_and_code(&manager, "DELETE", &at, Value::Null).await;
        assert_eq!(gone, missing(), "{name}");
    }
}

/// A token may be named by its id too, and then it is found after its end.
#[actix_web::test]
async fn an_id_may_stand_in_the_path() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    let id = make(&manager, &path, "ci").await["id"].clone();
    let at = format!("{path}/{}", id.as_str().unwrap());
    for status in [204, 204] {
        assert_eq!(manager.call("DELETE", &at, Value::Null).await.0, status);
    }
    assert_eq!(manager.get(&at).await.1["status"], "revoked");
    let (status, _) = manager.call("PATCH", &at, json!({"name": "x"})).await;
    assert_eq!(status, 409);
}

/// A name is a name, even if it is another token's id: by its name the one is meant, and the other stays.
#[actix_web::test]
async fn a_name_that_is_another_tokens_id_is_a_name() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    let id = make(&manager, &path, "other").await["id"].clone();
    let name = id.as_str().unwrap();
    make(&manager, &path, name).await;
    let rename = json!({"currentName": name, "name": "renamed"});
    assert_eq!(manager.call("PATCH", &path, rename).await.0, 200);
    make(&manager, &path, name).await;
    let body = json!({"name": name});
    let (status, _) = manager.call("POST", &format!("{path}/delete"), body).await;
    assert_eq!(status, 204);
    let expected = [
        (name, "revoked"),
        ("other", "active"),
        ("renamed", "active"),
    ];
    let expected = expected.map(|(name, state)| (name.to_owned(), state.to_owned()));
    assert_eq!(states(&manager, &path).await, expected);
}

/// Of two tokens of one name, the live one is meant.
#[actix_web::test]
async fn a_name_means_the_live_token() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    for _ in 0..2 {
        make(&manager, &path, "ci").await;
        let at = format!("{path}/ci");
        assert_eq!(manager.call("DELETE", &at, Value::Null).await.0, 204);
        server.clock.advance(seconds(1));
    }
    let made = make(&manager, &path, "ci").await;
    let (_, shown) = manager.get(&format!("{path}/ci")).await;
    assert_eq!(shown["id"], made["id"]);
}

/// A person who is not there has no tokens: 404 on every path.
#[actix_web::test]
async fn a_person_who_is_not_there_has_no_tokens() {
    let server = Server::start().await;
    let (manager, _) = furnished(&server).await;
    let nil = "00000000-0000-0000-0000-000000000000";
    for user in [nil, "alice", "%00", "%ff", "1", "a%2Fb", "☃"] {
        let path = format!("/api/users/{user}/personal-access-tokens");
        let rename = json!({"currentName": "a", "name": "b"});
        for (method, path, body) in [
            ("GET", path.clone(), Value::Null),
            ("POST", path.clone(), named("ci")),
            ("PATCH", path.clone(), rename),
            ("POST", format!("{path}/delete"), json!({"name": "ci"})),
            ("GET", format!("{path}/ci"), Value::Null),
            ("PATCH", format!("{path}/ci"), json!({"name": "b"})),
            ("DELETE", format!("{path}/ci"), Value::Null),
        ] {
            let got = status_and_code(&manager, method, &path, body).await;
            assert_eq!(got, missing(), "{method} {path}");
        }
    }
}

/// A token is found under its owner alone.
#[actix_web::test]
async fn a_token_is_found_under_its_owner_alone() {
    let server = Server::start().await;
    let (manager, path) = furnished(&server).await;
    let made = make(&manager, &path, "ci").await;
    let bob = server.user("bob");
    let theirs = format!("/api/users/{}/personal-access-tokens", bob.id);
    for token in ["ci", made["id"].as_str().unwrap()] {
        let at = format!("{theirs}/{token}");
        for (method, body) in [
            ("GET", Value::Null),
            ("PATCH", json!({"name": "x"})),
            ("DELETE", Value::Null),
        ] {
            let got = status_and_code(&manager, method, &at, body).await;
            assert_eq!(got, missing(), "{method} {token}");
        }
    }
    let alive = [("ci".to_owned(), "active".to_owned())];
    assert_eq!(states(&manager, &path).await, alive);
}

/// Who made, changed and ended a token stands in it.
#[actix_web::test]
async fn a_token_says_who_made_and_ended_it() {
    let server = Server::start().await;
    let (_, path) = furnished(&server).await;
    let root = server.admin("root");
    let browser = server.signed_in(&root).await;
    let (_, made) = browser.api("POST", &path, Some(named("ci"))).await;
    assert_eq!(made["createdBy"], format!("user:{}", root.id));
    assert_eq!(made["createdVia"], "api");
    let at = format!("{path}/ci");
    let revoker = server.manager("pats:revoke").await;
    revoker.call("DELETE", &at, Value::Null).await;
    let (_, list) = browser.api("GET", &path, None).await;
    let by = list[0]["revokedBy"].as_str().unwrap();
    assert!(by.starts_with("client:"), "{by}");
    assert_eq!(list[0]["revokedAt"], START.millis());
}
