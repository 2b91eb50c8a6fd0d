//! What a spent refresh token is still good for, RFC 9700 §4.14.2: the same successor for a moment, and after that the
//! alarm.

use diesel::prelude::*;
use jeton::db::schema::audit_events;
use reqwest::Response;
use serde_json::json;

use crate::support::{
    App, AppOptions, Browser, PASSWORD, ResourceServer, Server, Tokens, refused, seconds, tokens,
};

const DAY: u64 = 86_400;

/// Two resource servers, and an app that alice lets in at both.
struct Scene {
    server: Server,
    notes: ResourceServer,
    photos: ResourceServer,
    app: App,
    alice: Browser,
}

impl Scene {
    async fn set() -> Self {
        Self::with(AppOptions::default()).await
    }

    async fn with(options: AppOptions) -> Self {
        let server = Server::start().await;
        Self {
            notes: server.notes(),
            photos: server.resource("https://photos.example", &["photos:read"]),
            app: server.app(AppOptions {
                scope: "notes:read photos:read",
                ..options
            }),
            alice: server.signed_in(&server.user("alice")).await,
            server,
        }
    }

    async fn let_in(&self) -> Tokens {
        self.app.let_in(&self.alice, "notes:read photos:read").await
    }

    /// A refresh that asks for a part of the grant.
    async fn ask(&self, refresh_token: &str, part: &[(&str, &str)]) -> Response {
        let mut form = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
        ];
        form.extend_from_slice(part);
        self.app.token(&form).await
    }

    async fn refreshed(&self, refresh_token: &str) -> Tokens {
        tokens(self.app.refresh(refresh_token).await).await
    }
}

/// A spent token that comes back after its own end is a replay like any other: the thief may have waited.
#[actix_web::test]
async fn s4_14_2_a_replay_after_its_end_ends_the_family() {
    let scene = Scene::set().await;
    let other = scene.let_in().await;
    let first = scene.let_in().await;
    scene.server.clock.advance(seconds(20 * DAY));
    let other = scene.refreshed(other.refresh()).await;
    let second = scene.refreshed(first.refresh()).await;
    scene.server.clock.advance(seconds(20 * DAY));
    let third = scene.refreshed(second.refresh()).await;

    let late = scene.app.refresh(first.refresh()).await;
    refused(late, 400, "invalid_grant", "ten days after its end").await;

    assert!(!scene.notes.accepts(&third.access).await);
    let after = scene.app.refresh(third.refresh()).await;
    refused(after, 400, "invalid_grant", "its successor").await;
    scene.refreshed(other.refresh()).await;
}

/// A token that merely expired was never spent: it ends nothing.
#[actix_web::test]
async fn s4_14_2_an_expired_token_is_no_replay() {
    let scene = Scene::set().await;
    let unused = scene.let_in().await;
    scene.server.clock.advance(seconds(31 * DAY));
    let alice = scene.server.browser();
    alice.sign_in("alice", PASSWORD).await;
    let late = scene.app.refresh(unused.refresh()).await;
    let told = refused(late, 400, "invalid_grant", "expired").await;
    let words = told["error_description"].as_str().unwrap();
    assert!(words.contains("expired"), "{words}");
    let apps = alice.get("/settings/apps").await;
    assert!(apps.says("Backup Tool"), "{}", apps.text());
    let replays = scene.server.write(|tx| {
        let replays = audit_events::table.filter(audit_events::event.eq("refresh_token.replayed"));
        Ok(replays.count().get_result::<i64>(&mut **tx)?)
    });
    assert_eq!(replays, 0);
}

/// Two threads of one app may refresh at once for different things: one rotation, and each has what it asked for.
#[actix_web::test]
async fn s4_14_2_a_second_refresh_may_ask_for_another_part_of_the_grant() {
    for (case, part, scope, audience) in [
        ("a scope", ("scope", "notes:read"), "notes:read", 2),
        (
            "a resource",
            ("resource", "https://notes.example"),
            "notes:read photos:read",
            1,
        ),
    ] {
        let scene = Scene::set().await;
        let first = scene.let_in().await;
        let whole = scene.refreshed(first.refresh()).await;
        let part = tokens(scene.ask(first.refresh(), &[part]).await).await;
        assert_eq!(part.refresh, whole.refresh, "{case}");
        assert_ne!(part.access, whole.access, "{case}");
        assert_eq!(part.answer["scope"], scope, "{case}");
        let told = scene.notes.introspect(&part.access).await;
        assert_eq!(told["aud"].as_array().unwrap().len(), audience, "{case}");
        assert_eq!(told["aud"][0], "https://notes.example", "{case}");
        let photos = scene.photos.accepts(&part.access).await;
        assert_eq!(photos, audience == 2, "{case}");

        let told = scene.photos.introspect(&whole.access).await;
        let both = json!(["https://notes.example", "https://photos.example"]);
        assert_eq!(told["aud"], both, "{case}: the first answer is as it was");
        let again = scene.refreshed(first.refresh()).await;
        assert_eq!(again.access, whole.access, "{case}: and is given again");
        let next = scene.refreshed(whole.refresh()).await;
        assert_eq!(next.answer["scope"], "notes:read photos:read", "{case}");
    }
}

/// The other way round too: the first asked for a part, the second for all.
#[actix_web::test]
async fn s4_14_2_a_second_refresh_may_ask_for_more_than_the_first() {
    let scene = Scene::set().await;
    let first = scene.let_in().await;
    let at_photos = [("resource", "https://photos.example")];
    let part = tokens(scene.ask(first.refresh(), &at_photos).await).await;
    let whole = scene.refreshed(first.refresh()).await;
    assert_eq!(part.refresh, whole.refresh);
    assert!(!scene.notes.accepts(&part.access).await);
    assert!(scene.notes.accepts(&whole.access).await);
    assert!(scene.photos.accepts(&whole.access).await);
}

/// Asking for what the grant does not have is refused, spent token or not, and ends nothing (RFC 8707 §2.2,
/// RFC 6749 §6).
#[actix_web::test]
async fn s4_14_2_a_second_refresh_beyond_the_grant_ends_nothing() {
    let scene = Scene::set().await;
    scene
        .server
        .resource("https://music.example", &["music:read"]);
    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    for (part, code) in [
        (("resource", "https://music.example"), "invalid_target"),
        (("resource", "https://nowhere.example"), "invalid_target"),
        (("scope", "notes:read notes:write"), "invalid_scope"),
    ] {
        let answer = scene.ask(first.refresh(), &[part]).await;
        refused(answer, 400, code, part.1).await;
        for access in [&first.access, &second.access] {
            assert!(scene.notes.accepts(access).await, "{part:?}");
        }
    }
    let again = scene.refreshed(first.refresh()).await;
    assert_eq!(again.refresh, second.refresh);
    scene.refreshed(second.refresh()).await;
}

/// An answer that is given again has an access token that works: if the first is revoked or has expired, a fresh one.
#[actix_web::test]
async fn s4_14_2_a_repeated_answer_has_a_good_access_token() {
    for case in ["revoked", "expired"] {
        let scene = Scene::with(AppOptions {
            access_token_ttl: Some(seconds(10)),
            ..AppOptions::default()
        })
        .await;
        let first = scene.let_in().await;
        let second = scene.refreshed(first.refresh()).await;
        match case {
            "revoked" => assert_eq!(scene.app.revoke(&second.access).await.status(), 200),
            _ => scene.server.clock.advance(seconds(10)),
        }
        assert!(!scene.notes.accepts(&second.access).await, "{case}");
        let again = scene.refreshed(first.refresh()).await;
        assert_eq!(again.refresh, second.refresh, "{case}");
        assert_ne!(again.access, second.access, "{case}");
        assert_eq!(again.answer["expires_in"], 10, "{case}");
        assert!(scene.notes.accepts(&again.access).await, "{case}");
        assert!(!scene.notes.accepts(&second.access).await, "{case}");
    }
}

/// A client that is switched off meanwhile gets nothing again, and nothing ends by its asking.
#[actix_web::test]
async fn s4_14_2_a_disabled_client_gets_no_answer_again() {
    let scene = Scene::set().await;
    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    scene.server.disable_client(&scene.app.client_id);
    let answer = scene.app.refresh(first.refresh()).await;
    refused(answer, 401, "invalid_client", "switched off").await;
    scene.server.enable_client(&scene.app.client_id);
    let again = scene.refreshed(first.refresh()).await;
    assert_eq!(again.access, second.access);
}
