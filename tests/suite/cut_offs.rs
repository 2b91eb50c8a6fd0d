//! Everybody's tokens, ended by one word: nothing that was issued before a moment counts any more, on any node, for
//! whoever asks afterwards.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, cut_offs, grants, registry, tokens};
use jeton::domain::user::User;
use jeton::jobs::{census, cut_offs as job};
use serde_json::{Value, json};

use crate::support::{
    App, AppOptions, Browser, ResourceServer, Script, Server, Tokens, count, leave_personal,
    refused, seconds,
};

const CUT: &str = "/api/tokens/revoke-all";

/// Two nodes; tokens of every kind, that the second has just called active.
struct House {
    server: Server,
    _elsewhere: Server,
    notes: ResourceServer,
    alice: User,
    browser: Browser,
    app: App,
    manager: Script,
    personal: String,
    service: String,
    got: Tokens,
}

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        let elsewhere = server.another_node().await;
        let notes = server.notes().at(&elsewhere);
        let alice = server.user("alice");
        let browser = server.signed_in(&alice).await;
        let app = server.app(AppOptions::default());
        let house = Self {
            personal: server.personal_token(&alice, "notes:read"),
            service: app.own_token("notes:read").await.access,
            got: app.let_in(&browser, "notes:read").await,
            manager: server.manager("pats:revoke").await,
            server,
            _elsewhere: elsewhere,
            notes,
            alice,
            browser,
            app,
        };
        assert_eq!(house.good().await, [true; 3]);
        house.server.clock.advance(seconds(10));
        house
    }

    async fn good(&self) -> [bool; 3] {
        let tokens = [&self.personal, &self.service, &self.got.access];
        let mut good = [false; 3];
        for (is, token) in good.iter_mut().zip(tokens) {
            *is = self.notes.accepts(token).await;
        }
        good
    }

    async fn cut(&self, body: Value) -> (u16, Value) {
        self.manager.call("POST", CUT, body).await
    }

    /// All that was issued until now.
    async fn cut_all(&self) -> Value {
        let now = self.server.clock.now().millis();
        let (_, dry) = self.cut(json!({"issuedBefore": now, "dryRun": true})).await;
        let body = json!({"issuedBefore": now, "confirmCount": dry["count"], "reason": "a leak"});
        let (status, told) = self.cut(body).await;
        assert_eq!(status, 200, "{told}");
        told
    }

    fn trail(&self, event: &str) -> Vec<(String, Option<String>)> {
        self.server.write(|tx| {
            let entries = audit_events::table
                .filter(audit_events::event.eq(event))
                .order(audit_events::id)
                .select((audit_events::actor, audit_events::detail));
            Ok(entries.load(&mut **tx)?)
        })
    }
}

/// Every kind, of people and of services, on the other node too and at once; what is issued from then on is good.
#[actix_web::test]
async fn nothing_that_was_issued_before_is_good_anywhere() {
    let house = House::open().await;
    let told = house.cut_all().await;
    let all = json!({"count": 4, "personalAccessTokens": 1, "apps": 1, "services": 2});
    assert_eq!(told, all);
    assert_eq!(house.good().await, [false; 3]);
    let refresh = house.app.refresh(house.got.refresh()).await;
    refused(refresh, 400, "invalid_grant", "refresh").await;
    // Who has said it was a service, and its own token was issued before.
    assert_eq!(house.cut(json!({"issuedBefore": 0})).await.0, 401);

    let new = house.server.personal_token(&house.alice, "notes:read");
    assert!(house.notes.accepts(&new).await);
    let own = house.app.own_token("notes:read").await.access;
    assert!(house.notes.accepts(&own).await);
    let got = house.app.let_in(&house.browser, "notes:read").await;
    assert!(house.notes.accepts(&got.access).await);
    assert_eq!(house.app.refresh(got.refresh()).await.status(), 200);
}

/// It wants to be confirmed, and can't reach into the future.
#[actix_web::test]
async fn it_is_confirmed_by_the_count_and_not_in_the_future() {
    let house = House::open().await;
    let now = house.server.clock.now().millis();
    for (body, status) in [
        (json!({}), 400),
        (json!({"confirmCount": 4}), 400),
        (json!({"issuedBefore": now}), 400),
        (json!({"issuedBefore": now, "confirmCount": 3}), 409),
        (json!({"issuedBefore": now + 1, "confirmCount": 4}), 400),
        (
            json!({"issuedBefore": now, "confirmCount": 4, "kinds": ["code"]}),
            400,
        ),
        (json!({"issuedBefore": now, "dryRun": true}), 200),
        (
            json!({"issuedBefore": now - 10_000, "confirmCount": 0}),
            200,
        ),
    ] {
        let (got, told) = house.cut(body.clone()).await;
        assert_eq!(got, status, "{body} {told}");
        assert_eq!(house.good().await, [true; 3], "{body}");
    }
}

/// Only the kinds that are named.
#[actix_web::test]
async fn a_kind_that_is_not_named_stays() {
    for (kinds, count, left, refresh) in [
        (json!(["pat"]), 1, [false, true, true], 200),
        (json!(["access"]), 3, [true, false, false], 200),
        (json!(["refresh"]), 3, [true; 3], 400),
    ] {
        let house = House::open().await;
        let now = house.server.clock.now().millis();
        let body = json!({"issuedBefore": now, "kinds": kinds, "confirmCount": count});
        let (status, told) = house.cut(body).await;
        assert_eq!(status, 200, "{kinds} {told}");
        assert_eq!(house.good().await, left, "{kinds}");
        let refreshed = house.app.refresh(house.got.refresh()).await;
        assert_eq!(refreshed.status(), refresh, "{kinds}");
    }
}

/// A refresh token that was exchanged before can't be exchanged once more, and a code that was given before becomes
/// nothing.
#[actix_web::test]
async fn nothing_leads_around_it() {
    let house = House::open().await;
    let spent = house.got.refresh();
    assert_eq!(house.app.refresh(spent).await.status(), 200);
    let flow = house.app.asks("notes:read");
    let code = house.app.code(&house.browser, &flow).await;
    house.server.clock.advance(seconds(1));
    house.cut_all().await;
    refused(
        house.app.refresh(spent).await,
        400,
        "invalid_grant",
        "spent",
    )
    .await;
    let redeemed = house.app.redeem(&flow, &code).await;
    refused(redeemed, 400, "invalid_grant", "code").await;
}

/// People see it in their lists at once. The rows are written afterwards, each with its record, and nothing changes.
#[actix_web::test]
async fn lists_know_it_before_the_rows_do() {
    let house = House::open().await;
    leave_personal(&house.server, &house.alice, 1_200);
    house.server.clock.advance(seconds(1));
    house.cut_all().await;
    let root = house.server.admin("root");
    let admin = house.server.signed_in(&root).await;
    let mine = "/api/my-account/personal-access-tokens";
    let mut before = None;
    for written in [false, true] {
        if written {
            job::write(&house.server.app).await.unwrap();
        }
        let (_, list) = house.browser.api("GET", mine, None).await;
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), 1_201);
        assert!(
            list.iter().all(|token| token["status"] == "revoked"),
            "{written}"
        );
        let reason = "everything issued before 2027-01-15T08:00:11Z was revoked: a leak";
        assert_eq!(list[0]["revokeReason"], reason);
        for (status, total) in [("active", 0), ("revoked", 1_201), ("expired", 0)] {
            let path = format!("/api/personal-access-tokens?limit=1&status={status}");
            let (_, all) = admin.api("GET", &path, None).await;
            assert_eq!(all["total"], total, "{status} {written}");
        }
        let (mut first, revoked) = (list[0].clone(), grants::revoked_at.is_not_null());
        let rows: i64 = house.server.write(|tx| {
            let rows = grants::table.filter(revoked).count();
            Ok(rows.get_result(&mut **tx)?)
        });
        assert_eq!(rows, if written { 1_201 } else { 0 });
        assert_eq!(house.trail("token.revoked").len(), rows as usize);
        first["revokedAt"] = Value::Null;
        assert_eq!(*before.get_or_insert(first.clone()), first);
    }
    let open: i64 = house.server.write(|tx| {
        let open = cut_offs::table.filter(cut_offs::finished_at.is_null());
        Ok(open.count().get_result(&mut **tx)?)
    });
    assert_eq!(open, 0);
    let said = house.trail("tokens.cut_off");
    assert!(said[0].0.starts_with("client:"), "{said:?}");
    let words = "access refresh pat issued before 2027-01-15T08:00:11Z, of 1204 grants: a leak";
    assert_eq!(said[0].1.as_deref(), Some(words));
}

/// The name of a token that was cut off is free, and there is room for another.
#[actix_web::test]
async fn what_was_cut_off_does_not_count_against_its_owner() {
    let house = House::open().await;
    house.cut_all().await;
    let body = json!({"name": "token 1", "scopes": ["notes:read"]});
    let mine = "/api/my-account/personal-access-tokens";
    let (status, made) = house.browser.api("POST", mine, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    assert!(house.notes.accepts(made["value"].as_str().unwrap()).await);
    job::write(&house.server.app).await.unwrap();
    assert!(house.notes.accepts(made["value"].as_str().unwrap()).await);
}

/// What nodes keep in memory is read anew once, not with every row that is written.
#[actix_web::test]
async fn writing_the_rows_moves_nothing_that_nodes_keep() {
    let house = House::open().await;
    let version = || {
        house.server.write(|tx| {
            let version = registry::table.select(registry::version);
            Ok(version.get_result::<i64>(&mut **tx)?)
        })
    };
    let before = version();
    house.cut_all().await;
    let after = version();
    assert!(after > before);
    job::write(&house.server.app).await.unwrap();
    assert_eq!(version(), after);
}

/// Whoever watches the server sees why, and counts them with what was revoked.
#[actix_web::test]
async fn it_is_counted_as_what_it_is() {
    let house = House::open().await;
    let notes = house
        .server
        .resource("https://photos.example", &["photos:read"]);
    house.cut_all().await;
    assert!(!notes.accepts(&house.personal).await);
    census::count(&house.server.app).await.unwrap();
    let text = house.server.app.metrics_text().unwrap();
    for line in [
        "jeton_introspections_total{kind=\"pat\",outcome=\"inactive\",reason=\"cut_off\"} 1",
        "jeton_tokens{kind=\"pat\",state=\"revoked\"} 1",
        "jeton_tokens{kind=\"pat\",state=\"live\"} 0",
        "jeton_tokens{kind=\"access\",state=\"live\"} 0",
        "jeton_tokens{kind=\"refresh\",state=\"live\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert_eq!(count!(house.server, tokens), 5);
}
