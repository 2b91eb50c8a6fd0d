//! Refresh tokens, RFC 6749 §6 and RFC 9700 §4.14: rotation that forgives a lost answer and catches a thief.

use jeton::domain::client::Client;
use jeton::domain::consent::ConnectedApp;
use jeton::domain::user::User;
use serde_json::json;

use crate::support::{
    App, AppOptions, Browser, ResourceServer, Server, Tokens, refused, seconds, tokens,
};

/// A server, the resource server, and an app that alice has let in.
struct Scene {
    server: Server,
    notes: ResourceServer,
    app: App,
    alice: Browser,
}

impl Scene {
    async fn set() -> Self {
        Self::with(AppOptions::default()).await
    }

    async fn with(options: AppOptions) -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let app = server.app(options);
        let alice = server.signed_in(&server.user("alice")).await;
        Self {
            server,
            notes,
            app,
            alice,
        }
    }

    async fn let_in(&self) -> Tokens {
        self.app.let_in(&self.alice, "notes:read notes:write").await
    }

    /// The tokens for a refresh token that has to be good.
    async fn refreshed(&self, refresh_token: &str) -> Tokens {
        tokens(self.app.refresh(refresh_token).await).await
    }

    /// `refresh_token` is refused, and all these are worthless after it.
    async fn ends(&self, refresh_token: &str, family: &[&Tokens], case: &str) {
        refused(
            self.app.refresh(refresh_token).await,
            400,
            "invalid_grant",
            case,
        )
        .await;
        for each in family {
            assert!(
                !self.notes.accepts(&each.access).await,
                "{case}: an access token"
            );
            let again = self.app.refresh(each.refresh()).await;
            refused(again, 400, "invalid_grant", case).await;
        }
    }
}

/// "the authorization server issues a new refresh token with every access token refresh response" (RFC 9700 §4.14.2),
/// and the new one works as the old one did.
#[actix_web::test]
async fn s4_14_2_a_refresh_token_is_rotated() {
    for options in [AppOptions::default(), AppOptions::public()] {
        let scene = Scene::with(options).await;
        let first = scene.let_in().await;
        let second = scene.refreshed(first.refresh()).await;
        let third = scene.refreshed(second.refresh()).await;
        assert_ne!(first.refresh, second.refresh);
        assert_ne!(second.refresh, third.refresh);
        assert_eq!(third.answer["scope"], "notes:read notes:write");
        for access in [&first.access, &second.access, &third.access] {
            assert!(scene.notes.accepts(access).await);
        }
    }
}

/// Whoever lost the answer asks again and gets the same tokens, within the grace and while nobody has used them.
#[actix_web::test]
async fn s4_14_2_a_lost_answer_is_given_again() {
    let scene = Scene::set().await;
    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    for wait in [0, 10, 19] {
        scene.server.clock.advance(seconds(wait));
        let again = scene.refreshed(first.refresh()).await;
        assert_eq!(again.refresh, second.refresh, "after {wait} s more");
        assert_eq!(again.access, second.access, "after {wait} s more");
    }
    scene.refreshed(second.refresh()).await;
}

/// What is left of an access token's life is told when it is given again (RFC 6749 §5.1).
#[actix_web::test]
async fn s4_14_2_a_repeated_answer_tells_the_time_that_is_left() {
    let scene = Scene::set().await;
    let first = scene.let_in().await;
    scene.refreshed(first.refresh()).await;
    scene.server.clock.advance(seconds(20));
    let again = scene.refreshed(first.refresh()).await;
    assert_eq!(again.answer["expires_in"], 3580);
}

/// "If a refresh token is compromised and subsequently used by both the attacker and the legitimate client, one of them
/// will present an invalidated refresh token, which will inform the authorization server of the breach." (§4.14.2)
#[actix_web::test]
async fn s4_14_2_a_replay_ends_the_family() {
    let scene = Scene::set().await;

    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    scene.server.clock.advance(seconds(30));
    scene
        .ends(first.refresh(), &[&first, &second], "after the grace")
        .await;

    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    let third = scene.refreshed(second.refresh()).await;
    let family = [&first, &second, &third];
    scene
        .ends(first.refresh(), &family, "after its successor was used")
        .await;
}

/// A family is one app's leave from one person, given once: another leave goes on.
#[actix_web::test]
async fn s4_14_2_a_replay_ends_nothing_else() {
    let scene = Scene::set().await;
    let other = scene.let_in().await;
    let first = scene.let_in().await;
    scene.refreshed(first.refresh()).await;
    scene.server.clock.advance(seconds(30));
    scene
        .ends(first.refresh(), &[&first], "after the grace")
        .await;
    assert!(scene.notes.accepts(&other.access).await);
    scene.refreshed(other.refresh()).await;
}

/// The grace forgives a lost answer; it brings nothing back that was ended on purpose.
#[actix_web::test]
async fn s4_14_2_the_grace_outlives_no_revocation() {
    let scene = Scene::set().await;
    let alice = scene.server.write(|tx| {
        let alice = User::named(tx, "alice")?;
        Ok(alice.expect("alice has an account"))
    });

    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    assert_eq!(scene.app.revoke(second.refresh()).await.status(), 200);
    scene
        .ends(first.refresh(), &[&first, &second], "revoked by the app")
        .await;

    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    scene.server.write(|tx| {
        Ok(ConnectedApp::disconnect(
            tx,
            alice.id,
            &scene.app.client_id,
        )?)
    });
    scene
        .ends(first.refresh(), &[&first, &second], "disconnected")
        .await;

    let first = scene.let_in().await;
    let second = scene.refreshed(first.refresh()).await;
    scene.server.write(|tx| Ok(alice.disable(tx)?));
    scene
        .ends(first.refresh(), &[&first, &second], "the account closed")
        .await;
}

/// The person behind a grant can end it: by closing the account, withdrawing consent, or changing the password
/// (RFC 9700 §4.14.2).
#[actix_web::test]
async fn s4_14_2_what_a_person_takes_back_is_not_refreshed() {
    for case in ["account closed", "consent withdrawn", "password changed"] {
        let scene = Scene::set().await;
        let got = scene.let_in().await;
        scene.server.write(|tx| {
            let alice = User::named(tx, "alice")?.expect("an account");
            match case {
                "account closed" => alice.disable(tx)?,
                "consent withdrawn" => {
                    ConnectedApp::disconnect(tx, alice.id, &scene.app.client_id)?;
                }
                _ => alice.set_password(tx, "another hash")?,
            }
            Ok(())
        });
        scene.ends(got.refresh(), &[&got], case).await;
    }
}

/// A client that is switched off cannot even authenticate; switched on again, its refresh token is as it was.
#[actix_web::test]
async fn s6_a_disabled_client_refreshes_nothing() {
    for options in [AppOptions::default(), AppOptions::public()] {
        let scene = Scene::with(options).await;
        let got = scene.let_in().await;
        let client = scene.server.write(|tx| {
            let client = Client::find(tx, &scene.app.client_id)?.expect("it is registered");
            client.disable(tx)?;
            Ok(client)
        });
        refused(
            scene.app.refresh(got.refresh()).await,
            401,
            "invalid_client",
            "switched off",
        )
        .await;
        assert!(!scene.notes.accepts(&got.access).await);
        scene.server.write(|tx| Ok(client.enable(tx)?));
        scene.refreshed(got.refresh()).await;
    }
}

/// "The requested scope MUST NOT include any scope not originally granted by the resource owner" (RFC 6749 §6). Being
/// refused costs nothing.
#[actix_web::test]
async fn rfc6749_s6_a_wider_scope_is_refused() {
    let scene = Scene::set().await;
    let got = scene.app.let_in(&scene.alice, "notes:read").await;
    for scope in [
        "notes:write",
        "notes:read notes:write",
        "notes:read notes:admin",
        "notes:réad",
    ] {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", got.refresh()),
            ("scope", scope),
        ];
        refused(scene.app.token(&form).await, 400, "invalid_scope", scope).await;
    }
    scene.server.clock.advance(seconds(60));
    scene.refreshed(got.refresh()).await;
}

/// A narrower scope is for one access token; "the refresh token scope MUST be identical to that of the refresh token
/// included by the client in the request" (RFC 6749 §6).
#[actix_web::test]
async fn rfc6749_s6_a_narrower_scope_narrows_one_access_token() {
    let scene = Scene::set().await;
    let got = scene.let_in().await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", got.refresh()),
        ("scope", "notes:read"),
    ];
    let narrow = tokens(scene.app.token(&form).await).await;
    assert_eq!(narrow.answer["scope"], "notes:read");
    let told = scene.notes.introspect(&narrow.access).await;
    assert_eq!(told["scope"], "notes:read");
    let whole = scene.refreshed(narrow.refresh()).await;
    assert_eq!(whole.answer["scope"], "notes:read notes:write");
    let told = scene.notes.introspect(&whole.access).await;
    assert_eq!(told["scope"], "notes:read notes:write");
}

/// `resource` at a refresh narrows the audience of one access token, and never widens it (RFC 8707 §2.2).
#[actix_web::test]
async fn rfc8707_s2_2_a_resource_narrows_one_access_token() {
    let scene = Scene::with(AppOptions {
        scope: "notes:read photos:read",
        ..AppOptions::default()
    })
    .await;
    let photos = scene
        .server
        .resource("https://photos.example", &["photos:read"]);
    let music = scene
        .server
        .resource("https://music.example", &["music:read"]);
    let got = scene
        .app
        .let_in(&scene.alice, "notes:read photos:read")
        .await;
    let at = |resource| {
        [
            ("grant_type", "refresh_token"),
            ("refresh_token", got.refresh()),
            ("resource", resource),
        ]
    };
    for beyond in [music.uri.as_str(), "https://unknown.example", "photos"] {
        refused(
            scene.app.token(&at(beyond)).await,
            400,
            "invalid_target",
            beyond,
        )
        .await;
    }
    let narrow = tokens(scene.app.token(&at(&photos.uri)).await).await;
    assert_eq!(
        photos.introspect(&narrow.access).await["aud"],
        json!([photos.uri])
    );
    assert!(!scene.notes.accepts(&narrow.access).await);
    let whole = scene.refreshed(narrow.refresh()).await;
    assert!(photos.accepts(&whole.access).await && scene.notes.accepts(&whole.access).await);
}

/// "the refresh token is bound to the client to which it was issued" (RFC 6749 §6): with another client it is refused,
/// and neither used up nor taken for a replay.
#[actix_web::test]
async fn rfc6749_s6_a_refresh_token_is_its_clients_alone() {
    let scene = Scene::set().await;
    let got = scene.let_in().await;
    for thief in [AppOptions::default(), AppOptions::public()] {
        let thief = scene.server.app(thief);
        refused(
            thief.refresh(got.refresh()).await,
            400,
            "invalid_grant",
            "unused",
        )
        .await;
    }
    let next = scene.refreshed(got.refresh()).await;
    scene.server.clock.advance(seconds(60));
    let thief = scene.server.app(AppOptions::default());
    refused(
        thief.refresh(got.refresh()).await,
        400,
        "invalid_grant",
        "spent",
    )
    .await;
    scene.refreshed(next.refresh()).await;
}

/// "If the client type is confidential or the client was issued client credentials ..., the client MUST authenticate"
/// (RFC 6749 §6)
#[actix_web::test]
async fn rfc6749_s6_a_confidential_client_authenticates() {
    let scene = Scene::set().await;
    let got = scene.let_in().await;
    let form = [
        ("grant_type", "refresh_token"),
        ("refresh_token", got.refresh()),
        ("client_id", &scene.app.client_id),
    ];
    for (case, form) in [("its name alone", &form[..]), ("nothing", &form[..2])] {
        let answer = scene
            .server
            .post("/oauth/token", form)
            .send()
            .await
            .unwrap();
        refused(answer, 401, "invalid_client", case).await;
    }
    scene.server.clock.advance(seconds(60));
    scene.refreshed(got.refresh()).await;
}

/// A refresh token that is not used for its lifetime expires (RFC 9700 §4.14.2); each rotation counts anew.
#[actix_web::test]
async fn s4_14_2_an_unused_refresh_token_expires() {
    let scene = Scene::set().await;
    let day = 86_400;
    let first = scene.let_in().await;
    scene.server.clock.advance(seconds(29 * day));
    let second = scene.refreshed(first.refresh()).await;
    scene.server.clock.advance(seconds(29 * day));
    let third = scene.refreshed(second.refresh()).await;
    scene.server.clock.advance(seconds(30 * day));
    refused(
        scene.app.refresh(third.refresh()).await,
        400,
        "invalid_grant",
        "expired",
    )
    .await;
}
