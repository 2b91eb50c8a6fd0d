//! The life of a personal access token: changed, used, revoked, switched off, and remembered.

use jeton::domain::id::Id;
use jeton::domain::personal_token::{Changes, End, PersonalToken, days};
use jeton::domain::user::User;
use jeton::domain::words::Scope;
use jeton::jobs::last_used;
use serde_json::{Value, json};

use crate::support::{Browser, MINE, START, Server, seconds};

/// A token that its owner makes at their browser: its path in the API, and its secret.
async fn made(browser: &Browser, body: Value) -> (String, String) {
    let (status, made) = browser.api("POST", MINE, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (format!("{MINE}/{}", text("id")), text("value"))
}

fn both_scopes() -> Value {
    json!({"name": "ci", "scopes": ["notes:read", "notes:write"]})
}

/// When and from where the only token of `owner` was last used, as it is stored.
fn last_use(server: &Server, owner: &User) -> (Option<i64>, Option<String>) {
    let tokens = server.write(|tx| Ok(PersonalToken::all_of(tx, owner.id)?));
    let grant = &tokens[0].grant;
    (
        grant.last_used_at.map(|at| at.millis() - START.millis()),
        grant.last_used_from.clone(),
    )
}

/// A token is renamed, described, narrowed and shortened in place; its secret stays.
#[actix_web::test]
async fn a_token_is_changed_in_place() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let (path, secret) = made(&browser, both_scopes()).await;
    let sooner = (START + days(1)).millis();
    let changes = json!({
        "name": "nightly",
        "description": "copies the notes",
        "scopes": ["notes:read"],
        "expiresAt": sooner,
    });
    let (status, changed) = browser.api("PATCH", &path, Some(changes.clone())).await;
    assert_eq!(status, 200);
    let (_, shown) = browser.api("GET", &path, None).await;
    for (member, value) in changes.as_object().unwrap() {
        assert_eq!((&changed[member], &shown[member]), (value, value));
    }
    let told = notes.introspect(&secret).await;
    assert_eq!(told["scope"], "notes:read");
    assert_eq!(told["exp"], sooner / 1000);
}

/// A change of one thing leaves the others as they are.
#[actix_web::test]
async fn what_is_not_named_stays() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let (path, _) = made(&browser, both_scopes()).await;
    let (_, before) = browser.api("GET", &path, None).await;
    for body in [json!({}), json!({"name": "ci"}), json!({"expiresAt": null})] {
        let (status, after) = browser.api("PATCH", &path, Some(body)).await;
        assert_eq!((status, &after), (200, &before));
    }
}

/// A token is never given more than it has, and a refused change changes nothing.
#[actix_web::test]
async fn a_token_is_not_given_more() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let one_scope = json!({"name": "ci", "scopes": ["notes:read"]});
    let (path, _) = made(&browser, one_scope).await;
    made(&browser, json!({"name": "taken", "scopes": ["notes:read"]})).await;
    let (_, before) = browser.api("GET", &path, None).await;
    let end = before["expiresAt"].as_i64().unwrap();
    for (changes, status, code) in [
        (
            json!({"scopes": ["notes:read", "notes:write"]}),
            422,
            "pat.widening",
        ),
        (json!({"scopes": ["notes:write"]}), 422, "pat.widening"),
        (json!({"scopes": []}), 400, "pat.scope_required"),
        (json!({"expiresAt": end + 1}), 422, "pat.lengthening"),
        (
            json!({"expiresAt": START.millis()}),
            400,
            "pat.expires_in_the_past",
        ),
        (json!({"name": ""}), 400, "pat.name_invalid"),
        (
            json!({"name": "taken"}),
            422,
            "user.personal_access_token_name_exists",
        ),
        (
            json!({"description": "x".repeat(256)}),
            400,
            "pat.description_invalid",
        ),
        (
            json!({"name": "renamed", "scopes": ["notes:write"]}),
            422,
            "pat.widening",
        ),
        (json!({"neverExpires": true}), 400, "request.malformed"),
        (json!({"audience": []}), 400, "request.malformed"),
    ] {
        let (got, answer) = browser.api("PATCH", &path, Some(changes.clone())).await;
        assert_eq!((got, &answer["code"]), (status, &json!(code)), "{changes}");
        assert_eq!(browser.api("GET", &path, None).await.1, before, "{changes}");
    }
}

/// A token without an end may be given one.
#[actix_web::test]
async fn a_token_without_an_end_is_shortened_too() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let never = json!({"name": "ci", "scopes": ["notes:read"], "neverExpires": true});
    let (path, secret) = made(&browser, never).await;
    let end = json!({"expiresAt": (START + seconds(60)).millis()});
    assert_eq!(browser.api("PATCH", &path, Some(end)).await.0, 200);
    server.clock.advance(seconds(60));
    assert!(!notes.accepts(&secret).await);
}

/// Of two changes that were begun on the same state, the later one does not give back what the earlier one took away.
#[actix_web::test]
async fn a_rename_that_waited_for_a_narrowing_does_not_undo_it() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let secret = server.personal_token(&alice, "notes:read notes:write");
    let as_it_was = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?.remove(0)));
    let narrower = Changes {
        scope: Some(Scope::parse("notes:read").unwrap()),
        ..Changes::default()
    };
    let renamed = Changes {
        name: Some("nightly".to_owned()),
        ..Changes::default()
    };
    for changes in [narrower, renamed] {
        server.write(|tx| {
            as_it_was.change(tx, changes).unwrap();
            Ok(())
        });
    }
    assert_eq!(notes.introspect(&secret).await["scope"], "notes:read");
}

/// A token that has ended stays in the list, with who ended it, when and why.
#[actix_web::test]
async fn an_ended_token_stays_visible() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let soon = End::At(server.clock.now() + seconds(30));
    server.personal_token_until(&alice, "notes:read", soon);
    let given_back = server.personal_token(&alice, "notes:read");
    server.clock.advance(seconds(60));
    let browser = server.signed_in(&alice).await;
    let (path, _) = made(&browser, both_scopes()).await;
    browser.api("DELETE", &path, None).await;
    let holder = server.post("/oauth/revoke", &[("token", &given_back)]);
    holder.send().await.unwrap();
    assert!(!notes.accepts(&given_back).await);

    let (_, list) = browser.api("GET", MINE, None).await;
    let ended: Vec<Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|token| {
            let member = |name: &str| token[name].clone();
            json!([
                member("name"),
                member("status"),
                member("revokedAt"),
                member("revokedBy"),
                member("revokeReason"),
            ])
        })
        .collect();
    let at = (START + seconds(60)).millis();
    let by_alice = format!("user:{}", alice.id);
    for expected in [
        json!(["ci", "revoked", at, by_alice, null]),
        json!(["token 2", "revoked", at, "anyone", "revoked by its holder"]),
        json!(["token 1", "expired", null, null, null]),
    ] {
        assert!(ended.contains(&expected), "{expected} is not in {ended:?}");
    }
}

/// Revoking twice is revoking once: the first time stays.
#[actix_web::test]
async fn revoking_a_second_time_changes_nothing() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let (path, _) = made(&browser, both_scopes()).await;
    assert_eq!(browser.api("DELETE", &path, None).await.0, 204);
    let (_, first) = browser.api("GET", &path, None).await;
    server.clock.advance(seconds(60));
    assert_eq!(browser.api("DELETE", &path, None).await.0, 204);
    assert_eq!(browser.api("GET", &path, None).await.1, first);
}

/// A token that has ended is changed no more.
#[actix_web::test]
async fn an_ended_token_is_not_changed() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let (revoked, _) = made(&browser, both_scopes()).await;
    browser.api("DELETE", &revoked, None).await;
    let end = (START + seconds(60)).millis();
    let short = json!({"name": "short", "scopes": ["notes:read"], "expiresAt": end});
    let (expired, _) = made(&browser, short).await;
    server.clock.advance(seconds(60));
    for path in [revoked, expired] {
        let changes = json!({"name": "renamed"});
        let (status, answer) = browser.api("PATCH", &path, Some(changes)).await;
        assert_eq!((status, &answer["code"]), (409, &json!("pat.not_live")));
    }
}

/// Disabling the client `personal-access-token` switches all personal tokens off, and enabling it on again.
#[actix_web::test]
async fn all_personal_tokens_can_be_switched_off() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let (_, secret) = made(&browser, both_scopes()).await;
    server.disable_client("personal-access-token");
    assert!(!notes.accepts(&secret).await);
    assert_eq!(server.script(&secret).get(OWN).await.0, 401);
    let body = json!({"name": "more", "scopes": ["notes:read"]});
    let (status, answer) = browser.api("POST", MINE, Some(body)).await;
    assert_eq!(status, 403);
    assert_eq!(answer["code"], "pat.creation_not_allowed");
    server.enable_client("personal-access-token");
    assert!(notes.accepts(&secret).await);
}

const OWN: &str = "/api/personal-access-tokens/self";

/// A use is noted when a resource server asks, with the address it saw, and written off the request path.
#[actix_web::test]
async fn an_introspection_is_a_use() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    server.clock.advance(seconds(5));
    notes
        .ask(&[("token", &token), ("client_ip", "192.0.2.7")])
        .await;
    assert_eq!(last_use(&server, &alice), (None, None));
    last_used::flush(&server.app, false).await.unwrap();
    let used = (Some(5000), Some("192.0.2.7".to_owned()));
    assert_eq!(last_use(&server, &alice), used);
}

/// Only a token that was found good was used.
#[actix_web::test]
async fn a_refused_token_was_not_used() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let alice = server.user("alice");
    let soon = End::At(server.clock.now() + seconds(60));
    let token = server.personal_token_until(&alice, "notes:read", soon);
    photos.introspect(&token).await;
    server.clock.advance(seconds(60));
    notes.introspect(&token).await;
    last_used::flush(&server.app, true).await.unwrap();
    assert_eq!(last_use(&server, &alice), (None, None));
}

/// A busy token is written at most once a minute; all that is noted is written at the end.
#[actix_web::test]
async fn a_busy_token_is_written_once_a_minute() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    let mut written = vec![];
    for _ in 0..7 {
        notes.introspect(&token).await;
        last_used::flush(&server.app, false).await.unwrap();
        written.push(last_use(&server, &alice).0.unwrap());
        server.clock.advance(seconds(20));
    }
    assert_eq!(written, [0, 0, 0, 60_000, 60_000, 60_000, 120_000]);
    notes.introspect(&token).await;
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(last_use(&server, &alice).0, Some(120_000));
    last_used::flush(&server.app, true).await.unwrap();
    assert_eq!(last_use(&server, &alice).0, Some(140_000));
}

/// A node that writes its notes late does not turn a later use back.
#[actix_web::test]
async fn the_last_use_is_the_last_at_any_node() {
    let server = Server::start().await;
    let node = server.another_node().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = server.personal_token(&alice, "notes:read");
    notes.introspect(&token).await;
    server.clock.advance(seconds(30));
    notes.at(&node).introspect(&token).await;
    last_used::flush(&node.app, false).await.unwrap();
    last_used::flush(&server.app, false).await.unwrap();
    assert_eq!(last_use(&server, &alice).0, Some(30_000));
}

/// Many tokens are used at once, and none is lost on the way.
#[actix_web::test]
async fn every_token_of_a_batch_is_written() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let used: Vec<String> = (0..10)
        .map(|_| server.personal_token(&alice, "notes:read"))
        .collect();
    let mut ids: Vec<Id> = vec![];
    for token in &used {
        let told = notes.introspect(token).await;
        ids.push(told["jti"].as_str().unwrap().parse().unwrap());
    }
    last_used::flush(&server.app, false).await.unwrap();
    for id in ids {
        let token = server.write(|tx| Ok(PersonalToken::find(tx, id)?.unwrap()));
        assert_eq!(token.grant.last_used_at, Some(START));
    }
}
