//! Reading the trail: pages, filters, an export, and what happened to one token.

use std::collections::BTreeSet;

use diesel::prelude::*;

use jeton::db::schema::audit_events;
use jeton::domain::audit::{Event, What};
use jeton::domain::id::Id;
use jeton::domain::personal_token::PersonalToken;
use jeton::domain::tx::{Actor, Caller};
use serde_json::{Value, json};

use crate::support::{AppOptions, MINE, START, Script, Server, count, seconds};

/// Record so many events, a second apart.
fn record(server: &Server, events: usize) {
    for number in 0..events {
        server.clock.advance(seconds(1));
        server.write(|tx| {
            let event = Event::new(What::ResourceCreated);
            Ok(tx.record(event.detail(number.to_string()))?)
        });
    }
}

async fn reader(server: &Server) -> Script {
    server.manager("audit:read").await
}

async fn events(script: &Script, query: &str) -> Vec<Value> {
    let (status, answer) = script.get(&format!("/api/audit{query}")).await;
    assert_eq!(status, 200, "{query}: {answer}");
    answer["events"].as_array().expect("events").clone()
}

fn all(events: &[Value], member: &str) -> Vec<String> {
    let texts = events.iter().map(|event| event[member].as_str());
    texts.map(|text| text.expect("a text").to_owned()).collect()
}

/// An event is told with all that is known of it.
#[actix_web::test]
async fn an_event_has_all_its_members() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let body = json!({"name": "ci", "scopes": ["notes:read"]});
    let (_, made) = browser.api("POST", MINE, Some(body)).await;
    let found = events(&reader(&server).await, "?event=token.created").await;
    let [event] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(event["at"], START.millis());
    assert_eq!(event["event"], "token.created");
    assert_eq!(event["actor"], format!("user:{}", alice.id));
    assert_eq!(event["userId"], alice.id.to_string());
    assert_eq!(event["clientId"], "personal-access-token");
    assert_eq!(event["tokenId"], made["id"]);
    assert_eq!(event["detail"], "ci");
    assert_eq!(event["address"], "127.0.0.1");
    for member in ["id", "grantId", "requestId"] {
        let text = event[member].as_str().expect("a text");
        assert!(text.parse::<Id>().is_ok(), "{member}: {text}");
    }
    assert_eq!(
        (&event["seq"], &event["hash"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(event.as_object().unwrap().len(), 13);
}

/// Pages are newest first, and what happens meanwhile moves nothing from one to another.
#[actix_web::test]
async fn pages_follow_each_other() {
    let server = Server::start().await;
    let script = reader(&server).await;
    record(&server, 7);
    let mut seen = vec![];
    let mut cursor = String::new();
    for page in [3, 3, 1] {
        let path = format!("/api/audit?event=resource.created&limit=3{cursor}");
        let (_, answer) = script.get(&path).await;
        let events = answer["events"].as_array().unwrap();
        assert_eq!(events.len(), page);
        seen.extend(all(events, "detail"));
        match answer["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => assert_eq!(page, 1),
        }
        record(&server, 1);
    }
    assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"]);
    let (_, answer) = script.get("/api/audit").await;
    assert_eq!(answer["events"].as_array().unwrap().len(), 12);
    record(&server, 60);
    assert_eq!(events(&script, "").await.len(), 50);
    assert_eq!(events(&script, "?limit=500").await.len(), 72);
}

/// Each filter keeps what it names and drops everything else; several keep what is all of it.
#[actix_web::test]
async fn filters_keep_what_they_name() {
    let server = Server::start().await;
    let script = reader(&server).await;
    let [one, two] = [server.user("one"), server.user("two")];
    let client = server.app(AppOptions::default()).client_id;
    let (token, address) = (Id::new(START), "2001:db8::7");
    record(&server, 2);
    server.clock.advance(seconds(10));
    let caller = Caller {
        actor: Actor::User(one.id),
        address: address.parse().ok(),
        request_id: None,
    };
    server.write(|tx| {
        let mine = Event::new(What::TokenChanged).user(one.id).token(token);
        tx.record(mine.by(caller.clone()))?;
        tx.record(Event::new(What::SignedIn).user(two.id).by(caller))?;
        Ok(tx.record(Event::new(What::ClientDisabled).client(&client))?)
    });
    let then = (START + seconds(12)).millis();
    for (query, count) in [
        ("event=token.changed".to_owned(), 1),
        (format!("user={}", one.id), 2),
        (format!("user={}&event=token.changed", one.id), 1),
        (format!("user={}&event=user.signed_in", one.id), 0),
        (format!("token={token}"), 1),
        (format!("client={client}"), 2),
        (format!("actor=user:{}", one.id), 2),
        (format!("address={address}"), 2),
        ("address=2001:DB8:0::7".to_owned(), 2),
        (format!("address={address}&token={token}"), 1),
        ("actor=command%20line&event=resource.created".to_owned(), 2),
        (format!("since={then}"), 3),
        (format!("since={}", then + 1), 0),
        (format!("since={then}&until={}", then + 1), 3),
        (format!("since={then}&until={then}"), 0),
        (format!("until={then}&event=resource.created"), 2),
        (format!("until={}", START.millis()), 0),
        ("since=-5&event=token.changed".to_owned(), 1),
        (format!("until={}&event=token.changed", i64::MAX), 1),
        ("client=nobody".to_owned(), 0),
    ] {
        let found = events(&script, &format!("?{query}")).await;
        assert_eq!(found.len(), count, "{query}: {found:#?}");
    }
}

/// A filter that is not understood is refused: it would show too much or too little.
#[actix_web::test]
async fn a_query_that_is_not_understood_is_refused() {
    let server = Server::start().await;
    let script = reader(&server).await;
    for query in [
        "event=token.flown",
        "user=alice",
        "token=1",
        "address=home",
        "since=yesterday",
        "until=1.5",
        "limit=0",
        "limit=501",
        "limit=many",
        "cursor=2",
        "events=token.changed",
        "event=token.changed&event=token.revoked",
        "actor=%00",
        "actor=%ff",
    ] {
        for path in ["/api/audit", "/api/audit/export"] {
            let (status, answer) = script.get(&format!("{path}?{query}")).await;
            assert_eq!(status, 400, "{path} {query}: {answer}");
            assert_eq!(answer["code"], "request.malformed", "{query}");
        }
    }
}

/// The trail is for the scope `audit:read`, which is kept for administrators, and for administrators at a browser.
#[actix_web::test]
async fn the_trail_is_for_administrators() {
    let server = Server::start().await;
    let others = server.manager("pats:read pats:write pats:revoke").await;
    let root = server.admin("root");
    let browser = server.signed_in(&root).await;
    let personal = server.script(&server.personal_token(&root, "audit:read"));
    for path in ["/api/audit", "/api/audit/export"] {
        let (status, answer) = others.get(path).await;
        assert_eq!(status, 403, "{answer}");
        assert_eq!(answer["code"], "auth.insufficient_scope");
        assert_eq!(browser.get(path).await.status, 200);
        server.set_admin(&root, true);
        assert_eq!(personal.get(path).await.0, 200);
        server.set_admin(&root, false);
        assert_eq!(personal.get(path).await.0, 403, "one no longer");
        assert_eq!(browser.get(path).await.status, 403);
        server.set_admin(&root, true);
    }
}

/// An export has every event once, as lines of JSON, however many there are; filters hold there too.
#[actix_web::test]
async fn an_export_has_every_event_once() {
    let server = Server::start().await;
    let script = reader(&server).await;
    server.write(|tx| {
        for number in 0..1300 {
            let event = Event::new(What::ResourceCreated);
            tx.record(event.detail(number.to_string()))?;
        }
        Ok(())
    });
    let before = count!(server, audit_events) as usize;
    let export = async |query: &str| {
        let path = format!("/api/audit/export{query}");
        let answer = script.send("GET", &path, None).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "application/x-ndjson");
        let body = answer.text().await.expect("it comes to its end");
        let lines = body
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"));
        lines.collect::<Vec<Value>>()
    };
    let lines = export("").await;
    let ids: BTreeSet<String> = all(&lines, "id").into_iter().collect();
    assert_eq!((lines.len(), ids.len()), (before, before));
    assert!(all(&lines, "id").is_sorted_by(|one, next| one > next));
    assert_eq!(export("?event=resource.created").await.len(), 1300);
    assert_eq!(export("?event=token.leaked").await.len(), 0);
    let page = events(&script, "?limit=10").await;
    assert_eq!(page[..], lines[..10]);
}

/// What happened to a token is told to its owner and to managers, and to nobody else.
#[actix_web::test]
async fn a_token_has_its_own_events() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    server.personal_token(&alice, "notes:read");
    server.personal_token(&alice, "notes:write");
    let id = server.write(|tx| {
        let token = PersonalToken::named(tx, alice.id, "token 1", START)?;
        Ok(token.expect("the first").token.id)
    });
    let browser = server.signed_in(&alice).await;
    server.clock.advance(seconds(5));
    let rename = json!({"name": "backup"});
    let mine = format!("{MINE}/{id}");
    assert_eq!(browser.api("PATCH", &mine, Some(rename)).await.0, 200);
    server.clock.advance(seconds(5));
    assert_eq!(browser.api("DELETE", &mine, None).await.0, 204);
    let manager = server.manager("pats:read").await;
    let (_, by_owner) = browser.api("GET", &format!("{mine}/events"), None).await;
    let path = format!("/api/personal-access-tokens/{id}/events");
    let (_, by_manager) = manager.get(&path).await;
    assert_eq!(by_owner, by_manager);
    let found = by_owner["events"].as_array().expect("events");
    assert_eq!(
        all(found, "event"),
        ["token.revoked", "token.changed", "token.created"]
    );
    assert!(found.iter().all(|event| event["tokenId"] == id.to_string()));
    let (_, first) = manager.get(&format!("{path}?limit=1")).await;
    let next = first["nextCursor"].as_str().expect("there are more");
    let (_, rest) = manager.get(&format!("{path}?cursor={next}")).await;
    assert_eq!(rest["events"].as_array().unwrap().len(), 2);
    assert_eq!(
        manager.get(&format!("{path}?user={}", alice.id)).await.0,
        400
    );

    let bob = server.signed_in(&server.user("bob")).await;
    let theirs = format!("{mine}/events");
    assert_eq!(bob.api("GET", &theirs, None).await.0, 404);
    for nothing in [Id::new(START).to_string(), "1".to_owned()] {
        let path = format!("/api/personal-access-tokens/{nothing}/events");
        assert_eq!(manager.get(&path).await.0, 404);
        let path = format!("{MINE}/{nothing}/events");
        assert_eq!(browser.api("GET", &path, None).await.0, 404);
    }
}
