//! What a personal access token may be: its name, its scopes, its end, how many there are and who makes them.

use jeton::domain::personal_token::{PersonalToken, days};
use serde_json::{Value, json};

use crate::support::{Browser, MINE, START, Server, seconds};

/// Ask for a token with these members besides a name, a scope and an end of their own.
async fn ask(browser: &Browser, members: Value) -> (u16, Value) {
    let mut body = json!({"name": "ci", "scopes": ["notes:read"]});
    for (name, value) in members.as_object().unwrap() {
        body[name] = value.clone();
    }
    browser.api("POST", MINE, Some(body)).await
}

/// The status and the code of a refusal, or the status and nothing.
async fn refusal(browser: &Browser, members: Value) -> (u16, String) {
    let (status, answer) = ask(browser, members).await;
    (status, answer["code"].as_str().unwrap_or("").to_owned())
}

fn expect(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Milliseconds so many days after the start of a test.
fn in_days(count: u64) -> i64 {
    (START + days(count)).millis()
}

/// A name has 1 to 64 characters, of any script, counted as people count.
#[actix_web::test]
async fn a_name_has_1_to_64_characters() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    for name in ["é".repeat(65), String::new(), "   ".into(), "a\nb".into()] {
        assert_eq!(
            refusal(&browser, json!({"name": name})).await,
            expect(400, "pat.name_invalid"),
            "{name:?}"
        );
    }
    for name in [
        "x".to_owned(),
        "é".repeat(64),
        "☃ 日本/..%2F?#'\"<b>".into(),
    ] {
        let (status, made) = ask(&browser, json!({"name": name})).await;
        assert_eq!((status, &made["name"]), (201, &json!(name)));
    }
    let (_, made) = ask(&browser, json!({"name": "  trimmed "})).await;
    assert_eq!(made["name"], "trimmed");
}

/// A name is used once among a person's live tokens; another person has names of their own.
#[actix_web::test]
async fn a_name_is_unique_among_the_owners_live_tokens() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let others = server.signed_in(&server.user("bob")).await;
    let taken = expect(422, "user.personal_access_token_name_exists");
    assert_eq!(ask(&browser, json!({})).await.0, 201);
    assert_eq!(refusal(&browser, json!({})).await, taken);
    assert_eq!(refusal(&browser, json!({"name": " ci "})).await, taken);
    assert_eq!(ask(&browser, json!({"name": "CI"})).await.0, 201);
    assert_eq!(ask(&others, json!({})).await.0, 201);
}

/// The name of a token that has ended is free again.
#[actix_web::test]
async fn a_name_is_free_again_after_its_token_has_ended() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let end = json!({"expiresAt": (START + seconds(60)).millis()});
    assert_eq!(ask(&browser, end).await.0, 201);
    assert_eq!(ask(&browser, json!({})).await.0, 422);
    server.clock.advance(seconds(60));
    let (status, second) = ask(&browser, json!({})).await;
    assert_eq!(status, 201);
    let path = format!("{MINE}/{}", second["id"].as_str().unwrap());
    assert_eq!(browser.api("DELETE", &path, None).await.0, 204);
    assert_eq!(ask(&browser, json!({})).await.0, 201);
}

/// Twenty requests for one name at once make one token, on two nodes too.
#[actix_web::test]
async fn of_twenty_tokens_of_one_name_at_once_one_is_made() {
    let server = Server::start().await;
    server.notes();
    let node = server.another_node().await;
    let alice = server.user("alice");
    let path = format!("/api/users/{}/personal-access-tokens", alice.id);
    let manager = server.manager("pats:write").await;
    let at_node = node.script(manager.token());
    // A race is not lost every time: it is run several times.
    for round in 0..6 {
        let body = json!({"name": format!("ci {round}"), "scopes": ["notes:read"]});
        let calls = (0..20).map(|index| {
            let script = if index % 2 == 0 { &manager } else { &at_node };
            let (script, path, body) = (script.clone(), path.clone(), body.clone());
            actix_web::rt::spawn(async move { script.call("POST", &path, body).await.0 })
        });
        let calls: Vec<_> = calls.collect();
        let mut statuses = vec![];
        for call in calls {
            statuses.push(call.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(
            (statuses[0], &statuses[1..]),
            (201, &[422; 19][..]),
            "{round}"
        );
    }
}

/// A description has at most 255 characters.
#[actix_web::test]
async fn a_description_has_at_most_255_characters() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let fits = "é".repeat(255);
    let (status, made) = ask(&browser, json!({"description": fits})).await;
    assert_eq!((status, &made["description"]), (201, &json!(fits)));
    for text in ["é".repeat(256), "a\0b".to_owned()] {
        assert_eq!(
            refusal(&browser, json!({"name": "b", "description": text})).await,
            expect(400, "pat.description_invalid")
        );
    }
}

/// A token has at least one scope, each defined by a resource that it is for.
#[actix_web::test]
async fn a_token_has_scopes_of_the_resources_it_is_for() {
    let server = Server::start().await;
    server.notes();
    server.resource("https://photos.example", &["photos:read"]);
    let browser = server.signed_in(&server.user("alice")).await;
    let notes = "https://notes.example";
    for (members, code) in [
        (json!({"scopes": []}), "pat.scope_required"),
        (
            json!({"scopes": [], "audience": [notes]}),
            "pat.scope_required",
        ),
        (json!({"scopes": ["notes:fly"]}), "pat.audience_required"),
        (
            json!({"scopes": ["notes:read", "notes:fly"]}),
            "pat.scope_unknown",
        ),
        (
            json!({"scopes": ["notes:read notes:write"]}),
            "pat.scope_unknown",
        ),
        (json!({"scopes": ["\"", "é"]}), "pat.scope_unknown"),
        (json!({"scopes": [""]}), "pat.scope_unknown"),
        (
            json!({"scopes": ["photos:read"], "audience": [notes]}),
            "pat.scope_outside_audience",
        ),
        (
            json!({"audience": ["https://unknown.example"]}),
            "pat.audience_unknown",
        ),
        (
            json!({"audience": [notes, "https://unknown.example"]}),
            "pat.audience_unknown",
        ),
        (json!({"audience": ["notes"]}), "pat.audience_unknown"),
        (
            json!({"audience": ["https://notes.example#x"]}),
            "pat.audience_unknown",
        ),
    ] {
        let got = refusal(&browser, members.clone()).await;
        assert_eq!(got, expect(400, code), "{members}");
    }
    let (status, made) = ask(&browser, json!({"scopes": ["notes:read", "photos:read"]})).await;
    assert_eq!(status, 201);
    assert_eq!(made["audience"], json!([notes, "https://photos.example"]));
}

/// A person grants what they have themselves: reserved scopes take an administrator.
#[actix_web::test]
async fn reserved_scopes_take_an_administrator() {
    let server = Server::start().await;
    server.notes();
    let alice = server.signed_in(&server.user("alice")).await;
    let root = server.signed_in(&server.admin("root")).await;
    for scope in ["notes:admin", "pats:read", "pats:revoke"] {
        let members = json!({"name": scope, "scopes": [scope]});
        assert_eq!(
            refusal(&alice, members.clone()).await,
            expect(403, "pat.scope_not_grantable"),
            "{scope}"
        );
        assert_eq!(ask(&root, members).await.0, 201, "{scope}");
    }
}

/// What makes tokens, and what asks about them, is never in a personal access token, even an administrator's.
#[actix_web::test]
async fn no_token_may_make_tokens_or_ask_about_them() {
    let server = Server::start().await;
    server.notes();
    let root = server.signed_in(&server.admin("root")).await;
    for scope in ["pats:write", "introspection"] {
        let members = json!({"scopes": ["notes:read", scope]});
        assert_eq!(
            refusal(&root, members).await,
            expect(403, "pat.scope_not_grantable"),
            "{scope}"
        );
    }
}

/// A token ends in the future, and within what can be stored; it can't both end and never do so.
#[actix_web::test]
async fn an_end_lies_ahead() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let now = START.millis();
    for (end, code) in [
        (json!(now), "pat.expires_in_the_past"),
        (json!(now - 1), "pat.expires_in_the_past"),
        // In this second it would have ended already.
        (json!(now + 499), "pat.expires_in_the_past"),
        (json!(0), "pat.expires_in_the_past"),
        (json!(-1), "pat.expires_in_the_past"),
        (json!(i64::MIN), "pat.expires_in_the_past"),
        (json!(1e300), "request.malformed"),
        (json!(u64::MAX), "request.malformed"),
        (json!("soon"), "request.malformed"),
        (json!(now as f64 + 0.5), "request.malformed"),
    ] {
        let got = refusal(&browser, json!({"expiresAt": end})).await;
        assert_eq!(got, expect(400, code), "{end}");
    }
    let both = json!({"expiresAt": in_days(1), "neverExpires": true});
    assert_eq!(
        refusal(&browser, both).await,
        expect(400, "request.malformed")
    );
    let (status, made) = ask(&browser, json!({"expiresAt": now + 500})).await;
    assert_eq!((status, &made["status"]), (201, &json!("active")));
    assert!(notes.accepts(made["value"].as_str().unwrap()).await);
}

/// The last second of the year 9999 can be asked for, and shown; calendars and clients' numbers end soon after.
#[actix_web::test]
async fn the_end_of_the_calendar_is_the_last_end() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let last: i64 = 253_402_300_799_000;
    let (status, made) = ask(&browser, json!({"expiresAt": last})).await;
    assert_eq!((status, &made["expiresAt"]), (201, &json!(last)));
    let told = notes.introspect(made["value"].as_str().unwrap()).await;
    assert_eq!(told["exp"], last / 1000);
    assert_eq!(browser.get("/settings/tokens").await.status, 200);
    let edit = format!("/settings/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(browser.get(&edit).await.status, 200);
    for beyond in [last + 1, i64::MAX] {
        let got = refusal(&browser, json!({"expiresAt": beyond})).await;
        assert_eq!(got, expect(422, "pat.expiry_beyond_policy"), "{beyond}");
    }
}

/// Unless an end is named, a token has the policy's, cut to the longest life.
#[actix_web::test]
async fn without_an_end_a_token_gets_the_default_life() {
    for (settings, life) in [
        (&[][..], 90),
        (&[("pat_default_life", "7d")], 7),
        (&[("pat_max_life", "30d")], 30),
    ] {
        let server = Server::with(settings).await;
        server.notes();
        let browser = server.signed_in(&server.user("alice")).await;
        let (_, made) = ask(&browser, json!({})).await;
        // A default is in whole seconds, and so never ends later than a person was told.
        assert_eq!(made["expiresAt"], in_days(life) - 500, "{settings:?}");
    }
}

/// The policy says how long a token may live, and whether it has to end at all.
#[actix_web::test]
async fn the_policy_limits_the_life() {
    let never = json!({"neverExpires": true});
    let year = json!({"expiresAt": in_days(365)});
    let beyond = json!({"expiresAt": in_days(30) + 1});
    let (ends, within) = ("pat.expiry_required", "pat.expiry_beyond_policy");
    for (settings, members, status, code) in [
        (&[][..], &never, 201, ""),
        (&[], &year, 201, ""),
        (&[("pat_may_never_expire", "false")], &never, 422, ends),
        (&[("pat_may_never_expire", "false")], &year, 201, ""),
        (&[("pat_max_life", "30d")], &never, 422, within),
        (&[("pat_max_life", "30d")], &beyond, 422, within),
        (&[("pat_max_life", "365d")], &year, 201, ""),
    ] {
        let server = Server::with(settings).await;
        server.notes();
        let browser = server.signed_in(&server.user("alice")).await;
        let got = refusal(&browser, members.clone()).await;
        assert_eq!(got, expect(status, code), "{settings:?} {members}");
    }
}

/// A person has so many live tokens and no more; ended ones do not count, and others have their own count.
#[actix_web::test]
async fn a_person_has_so_many_live_tokens_at_most() {
    let server = Server::with(&[("pat_per_user", "2")]).await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let others = server.signed_in(&server.user("bob")).await;
    let (_, first) = ask(&browser, json!({"name": "a"})).await;
    assert_eq!(ask(&browser, json!({"name": "b"})).await.0, 201);
    let (status, third) = ask(&browser, json!({"name": "c"})).await;
    assert_eq!((status, &third["code"]), (422, &json!("pat.limit_reached")));
    assert_eq!(third["details"], json!({"limit": 2}));
    assert_eq!(ask(&others, json!({"name": "a"})).await.0, 201);
    let path = format!("{MINE}/{}", first["id"].as_str().unwrap());
    browser.api("DELETE", &path, None).await;
    assert_eq!(ask(&browser, json!({"name": "c"})).await.0, 201);
}

/// The policy says who may make tokens; what was made before lives on.
#[actix_web::test]
async fn the_policy_says_who_may_make_tokens() {
    let server = Server::with(&[("pat_creators", "administrators")]).await;
    server.notes();
    let alice = server.signed_in(&server.user("alice")).await;
    let root = server.signed_in(&server.admin("root")).await;
    let refused = expect(403, "pat.creation_not_allowed");
    assert_eq!(refusal(&alice, json!({})).await, refused);
    assert_eq!(ask(&root, json!({})).await.0, 201);
}

/// Nobody makes a token for a closed account.
#[actix_web::test]
async fn a_closed_account_gets_no_token() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    server.write(|tx| Ok(alice.disable(tx)?));
    let path = format!("/api/users/{}/personal-access-tokens", alice.id);
    let manager = server.manager("pats:write").await;
    let body = json!({"name": "ci", "scopes": ["notes:read"]});
    let (status, answer) = manager.call("POST", &path, body).await;
    assert_eq!((status, &answer["code"]), (403, &json!("user.disabled")));
    let tokens = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    assert!(tokens.is_empty());
}
