//! Incidents: ending many tokens at once, those that a filter finds or all of one person.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, grants};
use jeton::domain::grant::Because;
use jeton::domain::id::Id;
use jeton::domain::incident;
use jeton::domain::personal_token::End;
use jeton::domain::user::User;
use serde_json::{Value, json};

use crate::support::{
    App, AppOptions, ResourceServer, Script, Server, Tokens, leave_personal, refused, seconds,
};

const REVOKE: &str = "/api/personal-access-tokens/revoke";

/// What the trail says of this event, in the order of its writing.
fn details(server: &Server, event: &str) -> Vec<Option<String>> {
    server.write(|tx| {
        let entries = audit_events::table
            .filter(audit_events::event.eq(event))
            .order(audit_events::id)
            .select(audit_events::detail);
        Ok(entries.load(&mut **tx)?)
    })
}

struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    bob: User,
    manager: Script,
    /// Two tokens of alice, one of them for writing, and one of bob.
    tokens: [String; 3],
}

impl House {
    async fn open() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let (alice, bob) = (server.user("alice"), server.user("bob"));
        let tokens = [
            (&alice, "notes:read"),
            (&alice, "notes:read notes:write"),
            (&bob, "notes:write"),
        ];
        let tokens = tokens.map(|(owner, scope)| {
            server.clock.advance(seconds(1));
            server.personal_token(owner, scope)
        });
        let manager = server.manager("pats:read pats:revoke").await;
        Self {
            server,
            notes,
            alice,
            bob,
            manager,
            tokens,
        }
    }

    async fn revoke(&self, body: Value) -> (u16, Value) {
        self.manager.call("POST", REVOKE, body).await
    }

    async fn accepted(&self) -> [bool; 3] {
        let mut accepted = [false; 3];
        for (is, token) in accepted.iter_mut().zip(&self.tokens) {
            *is = self.notes.accepts(token).await;
        }
        accepted
    }
}

/// A dry run counts and shows what would end, and ends nothing.
#[actix_web::test]
async fn a_dry_run_ends_nothing() {
    let house = House::open().await;
    let (status, told) = house
        .revoke(json!({"filter": {"scope": "notes:write"}, "dryRun": true}))
        .await;
    assert_eq!(status, 200, "{told}");
    assert_eq!(told["count"], 2);
    assert_eq!(told["ids"].as_array().unwrap().len(), 2);
    assert_eq!(told["sample"][0]["username"], "bob");
    assert_eq!(house.accepted().await, [true; 3]);
    assert_eq!(details(&house.server, "tokens.revoked_in_bulk"), []);
}

/// It ends what its filter finds and nothing else, if the count is right; the trail has the filter, the count, the reason
/// and each token.
#[actix_web::test]
async fn what_a_filter_finds_is_ended_if_the_count_is_confirmed() {
    let house = House::open().await;
    let filter = json!({"scope": "notes:write", "createdAfter": 0});
    for (confirm, status) in [(json!(1), 409), (json!(3), 409), (Value::Null, 400)] {
        let (got, told) = house
            .revoke(json!({"filter": filter, "confirmCount": confirm}))
            .await;
        assert_eq!(got, status, "{told}");
        if status == 409 {
            assert_eq!(told["code"], "revocation.count_differs");
            assert_eq!(told["details"]["count"], 2);
        }
        assert_eq!(house.accepted().await, [true; 3]);
    }
    let body = json!({"filter": filter, "confirmCount": 2, "reason": "  leaked laptop "});
    let (status, told) = house.revoke(body).await;
    assert_eq!((status, told), (200, json!({"count": 2, "revoked": 2})));
    assert_eq!(house.accepted().await, [true, false, false]);
    let said = "2 tokens with scope=notes:write createdAfter=0: leaked laptop";
    let bulk = details(&house.server, "tokens.revoked_in_bulk");
    assert_eq!(bulk, [Some(said.to_owned())]);
    let each = details(&house.server, "token.revoked");
    assert_eq!(each, vec![Some("leaked laptop".to_owned()); 2]);
    let (_, list) = house
        .manager
        .get("/api/personal-access-tokens?status=revoked")
        .await;
    let by = list["items"][0]["revokedBy"].as_str().unwrap();
    assert!(by.starts_with("client:"), "{by}");
    assert_eq!(list["items"][0]["revokeReason"], "leaked laptop");
}

/// Tokens are named one by one as well; what has ended already does not count.
#[actix_web::test]
async fn tokens_are_ended_by_their_ids() {
    let house = House::open().await;
    let (_, list) = house
        .manager
        .get("/api/personal-access-tokens?sort=created")
        .await;
    let ids: Vec<&Value> = (0..3).map(|n| &list["items"][n]["id"]).collect();
    let one = json!({"ids": [ids[0]], "confirmCount": 1});
    assert_eq!(house.revoke(one.clone()).await.0, 200);
    assert_eq!(house.accepted().await, [false, true, true]);
    let (status, told) = house.revoke(one).await;
    assert_eq!((status, &told["details"]["count"]), (409, &json!(0)));
    let (status, told) = house.revoke(json!({"ids": ids, "confirmCount": 2})).await;
    assert_eq!((status, &told["revoked"]), (200, &json!(2)));
    assert_eq!(house.accepted().await, [false; 3]);
}

#[actix_web::test]
async fn a_body_that_says_not_which_tokens_ends_none() {
    let house = House::open().await;
    let many = vec!["0190d3a4-8a1b-7c3d-9e5f-0123456789ab"; 401];
    for body in [
        json!({}),
        json!({"confirmCount": 3}),
        json!({"filter": {}, "ids": [], "confirmCount": 3}),
        json!({"filter": [], "confirmCount": 3}),
        json!({"filter": {"surprise": 1}, "confirmCount": 3}),
        json!({"filter": {"scope": ["notes:read"]}, "confirmCount": 2}),
        json!({"filter": {"limit": 1}, "confirmCount": 3}),
        json!({"filter": {"status": "revoked"}, "confirmCount": 0}),
        json!({"filter": {"search": ""}, "confirmCount": 3}),
        json!({"filter": {"search": "\u{0}"}, "confirmCount": 3}),
        json!({"ids": ["x"], "confirmCount": 1}),
        json!({"ids": many, "confirmCount": 0}),
        json!({"filter": {}, "confirmCount": "3"}),
        json!({"filter": {}, "confirmCount": 3, "reason": "a\nb"}),
        json!({"filter": {}, "confirmCount": 3, "reason": "x".repeat(256)}),
    ] {
        let (status, told) = house.revoke(body.clone()).await;
        assert_eq!(status, 400, "{body} {told}");
        assert_eq!(told["code"], "request.malformed", "{body}");
    }
    assert_eq!(house.accepted().await, [true; 3]);
}

/// Many are ended batch by batch. When that is cut short, what is ended stays so, and the same again goes on.
#[actix_web::test]
async fn many_are_ended_and_going_on_after_half_of_them_is_asking_again() {
    let house = House::open().await;
    let server = &house.server;
    server.clock.advance(seconds(60));
    leave_personal(server, &house.bob, 2_100);
    let filter = json!({"search": "many"});
    let half: Vec<Id> = server.write(|tx| {
        let some = grants::table.filter(grants::name.like("many %")).limit(700);
        Ok(some.select(grants::id).load(&mut **tx)?)
    });
    server.write(|tx| Ok(incident::end(tx, &half, &Because::Asked(None))?));
    let (_, dry) = house
        .revoke(json!({"filter": filter, "dryRun": true}))
        .await;
    assert_eq!(dry["count"], 1_400);
    assert_eq!(dry["ids"].as_array().unwrap().len(), 1_000);
    assert_eq!(dry["sample"].as_array().unwrap().len(), 10);
    let (status, told) = house
        .revoke(json!({"filter": filter, "confirmCount": 1_400}))
        .await;
    assert_eq!(
        (status, told),
        (200, json!({"count": 1_400, "revoked": 1_400}))
    );
    assert_eq!(details(server, "token.revoked").len(), 2_100);
    assert_eq!(house.accepted().await, [true; 3]);
    let (_, dry) = house
        .revoke(json!({"filter": filter, "dryRun": true}))
        .await;
    assert_eq!(dry["count"], 0);
}

/// Alice's tokens of every kind: of her own, and of an app that she let in.
struct Person {
    house: House,
    app: App,
    got: Tokens,
    path: String,
}

impl Person {
    async fn with_all() -> Self {
        let house = House::open().await;
        let app = house.server.app(AppOptions::default());
        let browser = house.server.signed_in(&house.alice).await;
        let got = app.let_in(&browser, "notes:read").await;
        let path = format!("/api/users/{}/tokens/revoke-all", house.alice.id);
        Self {
            house,
            app,
            got,
            path,
        }
    }

    async fn revoke(&self, body: Value) -> Value {
        let (status, told) = self.house.manager.call("POST", &self.path, body).await;
        assert_eq!(status, 200, "{told}");
        told
    }

    /// Whether a personal token, the access token and the refresh token are good.
    async fn good(&self) -> (bool, bool, bool) {
        let notes = &self.house.notes;
        let personal = notes.accepts(&self.house.tokens[0]).await;
        let access = notes.accepts(&self.got.access).await;
        let refresh = self.app.introspects(self.got.refresh()).await;
        (personal, access, refresh)
    }
}

impl App {
    /// Whether a token of this app is active.
    async fn introspects(&self, token: &str) -> bool {
        let answer = self.form("/oauth/introspect", &[("token", token)]);
        let answer = crate::support::json(answer.send().await.unwrap(), 200).await;
        answer["active"] == true
    }
}

#[actix_web::test]
async fn all_tokens_of_a_person_end_and_nobody_elses() {
    let person = Person::with_all().await;
    let all = json!({"count": 4, "pat": 2, "access": 1, "refresh": 1});
    assert_eq!(person.revoke(json!({"dryRun": true})).await, all);
    assert_eq!(person.good().await, (true, true, true));
    assert_eq!(person.revoke(json!({"reason": "stolen"})).await, all);
    assert_eq!(person.good().await, (false, false, false));
    assert_eq!(person.house.accepted().await, [false, false, true]);
    let refresh = person.app.refresh(person.got.refresh()).await;
    refused(refresh, 400, "invalid_grant", "after all ended").await;
    let said = details(&person.house.server, "tokens.of_user_revoked");
    let words = "2 personal, 1 access, 1 refresh tokens: stolen";
    assert_eq!(said, [Some(words.to_owned())]);
    let none = json!({"count": 0, "pat": 0, "access": 0, "refresh": 0});
    assert_eq!(person.revoke(json!({})).await, none);
}

#[actix_web::test]
async fn only_the_kinds_that_are_named_end() {
    for (kinds, left, count) in [
        (json!(["pat"]), (false, true, true), 2),
        (json!(["access"]), (true, false, true), 1),
        (json!(["refresh"]), (true, true, false), 1),
        (json!(["access", "refresh"]), (true, false, false), 2),
    ] {
        let person = Person::with_all().await;
        let told = person.revoke(json!({"kinds": kinds})).await;
        assert_eq!(told["count"], count, "{kinds}");
        assert_eq!(person.good().await, left, "{kinds}");
    }
}

/// With a moment, what was issued from then on stays, under the same grant too; a refresh token that was exchanged before
/// can't be exchanged again.
#[actix_web::test]
async fn only_what_was_issued_before_a_moment_ends() {
    let person = Person::with_all().await;
    let server = &person.house.server;
    server.clock.advance(seconds(5));
    let moment = server.clock.now().millis();
    let later = person.app.refresh(person.got.refresh()).await;
    let later = crate::support::tokens(later).await;
    let new = server.personal_token_until(&person.house.alice, "notes:read", End::Never);
    let told = person.revoke(json!({"issuedBefore": moment})).await;
    assert_eq!(
        told,
        json!({"count": 3, "pat": 2, "access": 1, "refresh": 0})
    );
    assert_eq!(person.good().await, (false, false, false));
    assert!(person.house.notes.accepts(&new).await);
    assert!(person.house.notes.accepts(&later.access).await);
    let again = person.app.refresh(person.got.refresh()).await;
    refused(again, 400, "invalid_grant", "exchanged before").await;
    assert_eq!(person.app.refresh(later.refresh()).await.status(), 200);
}

/// A code that was given to an app before becomes no token any more.
#[actix_web::test]
async fn a_code_that_was_given_before_is_worth_nothing() {
    let person = Person::with_all().await;
    let browser = person.house.server.signed_in(&person.house.alice).await;
    let flow = person.app.asks("notes:read");
    let code = person.app.code(&browser, &flow).await;
    person.revoke(json!({})).await;
    let redeemed = person.app.redeem(&flow, &code).await;
    refused(redeemed, 400, "invalid_grant", "given before").await;
}

#[actix_web::test]
async fn a_body_that_is_wrong_ends_nothing_of_anybody() {
    let person = Person::with_all().await;
    for body in [
        json!({"kinds": []}),
        json!({"kinds": ["session"]}),
        json!({"kinds": "pat"}),
        json!({"issuedBefore": "today"}),
        json!({"surprise": 1}),
        json!({"reason": "\u{0}"}),
    ] {
        let (status, told) = person
            .house
            .manager
            .call("POST", &person.path, body.clone())
            .await;
        assert_eq!(
            (status, &told["code"]),
            (400, &json!("request.malformed")),
            "{body}"
        );
    }
    let nobody = "/api/users/0190d3a4-8a1b-7c3d-9e5f-0123456789ab/tokens/revoke-all";
    let (status, _) = person.house.manager.call("POST", nobody, json!({})).await;
    assert_eq!(status, 404);
    assert_eq!(person.good().await, (true, true, true));
}
