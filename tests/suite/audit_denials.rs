//! Why a token does not work: what a resource server is told never says, and the operator can find out.

use diesel::prelude::*;
use jeton::db::schema::audit_events;
use jeton::domain::audit::{Entry, Filter, What};
use jeton::domain::bearer::Bearer;
use jeton::domain::denial::{Denied, Reason};
use jeton::domain::grant::Because;
use jeton::domain::id::Id;
use jeton::domain::personal_token::PersonalToken;
use jeton::domain::user::User;
use jeton::domain::why::why;
use jeton::jobs::denials::flush;
use serde_json::{Value, json};

use crate::support::{AppOptions, ResourceServer, START, Server, count, json as answered, seconds};

struct Scene {
    server: Server,
    notes: ResourceServer,
    files: ResourceServer,
    alice: User,
    secret: String,
    token: PersonalToken,
}

impl Scene {
    /// Alice has a token to read notes with; there is another API.
    async fn set() -> Self {
        let server = Server::start().await;
        let (notes, files) = (
            server.notes(),
            server.resource("https://files.example", &["files:read"]),
        );
        let alice = server.user("alice");
        let secret = server.personal_token(&alice, "notes:read");
        let mine = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
        let token = mine.into_iter().next().expect("it is there");
        Self {
            server,
            notes,
            files,
            alice,
            secret,
            token,
        }
    }

    fn id(&self) -> Id {
        self.token.token.id
    }

    async fn write(&self) {
        flush(&self.server.app, false)
            .await
            .expect("they are written");
    }

    /// What the trail says of denials, newest first.
    fn denials(&self) -> Vec<Entry> {
        let filter = Filter {
            event: Some(What::TokenDenied),
            ..Filter::default()
        };
        self.server
            .write(|tx| Ok(Entry::page(tx, &filter, None, 100)?))
    }

    fn details(&self) -> Vec<String> {
        let denials = self.denials().into_iter();
        denials.map(|entry| entry.detail.expect("one")).collect()
    }

    fn why(&self) -> Vec<String> {
        let id = self.id();
        let why = self
            .server
            .app
            .read_blocking(|rx| Ok::<_, jeton::db::Fault>(why(rx, id)?));
        why.expect("it is read")
    }
}

/// What `asker` is told of the token, with these parameters besides.
async fn told(asker: &ResourceServer, token: &str, besides: &[(&str, &str)]) -> Value {
    let form = [&[("token", token)], besides].concat();
    answered(asker.ask(&form).await, 200).await
}

/// A token that is not for who asks is inactive to them, and the trail says who was told so, from where, and why.
#[actix_web::test]
async fn a_token_for_another_audience_is_noted() {
    let scene = Scene::set().await;
    let before = count!(scene.server, audit_events);
    let from = [("client_ip", "192.0.2.7")];
    let answer = told(&scene.files, &scene.secret, &from).await;
    assert_eq!(answer, json!({"active": false}));
    assert_eq!(count!(scene.server, audit_events), before, "not on the way");
    scene.write().await;
    let entry = scene.denials().remove(0);
    assert_eq!(entry.token_id, Some(scene.id()));
    assert_eq!(entry.grant_id, Some(scene.token.grant.id));
    assert_eq!(entry.user_id, Some(scene.alice.id));
    assert_eq!(entry.client_id.as_deref(), Some("personal-access-token"));
    assert_eq!(entry.actor, format!("client:{}", scene.files.client_id));
    assert_eq!(entry.address.as_deref(), Some("192.0.2.7"));
    assert!(entry.request_id.is_some_and(|id| id.parse::<Id>().is_ok()));
    let detail = "reason=audience count=1 first=2027-01-15T08:00:00Z last=2027-01-15T08:00:00Z";
    assert_eq!(entry.detail.as_deref(), Some(detail));
}

/// `required_scope` changes nothing in the answer; what of it is lacking is noted.
#[actix_web::test]
async fn a_scope_that_is_lacking_is_noted() {
    let scene = Scene::set().await;
    let plain = told(&scene.notes, &scene.secret, &[]).await;
    for (required, lacking) in [
        ("", None),
        ("notes:read", None),
        ("notes:read  notes:write", Some("lacking=notes:write")),
        (
            "notes:admin notes:write",
            Some("lacking=notes:admin lacking=notes:write"),
        ),
        // It may be a secret in the wrong place.
        ("jeton_pat_0 notes:fly", Some("Z lacking=(undefined)")),
    ] {
        let scene = Scene::set().await;
        let required = [("required_scope", required)];
        let answer = told(&scene.notes, &scene.secret, &required).await;
        assert_eq!(answer["active"], true, "{required:?}");
        assert_eq!(answer["scope"], plain["scope"], "{required:?}");
        scene.write().await;
        let found = scene.details();
        assert_eq!(found.len(), usize::from(lacking.is_some()), "{found:?}");
        if let Some(lacking) = lacking {
            assert!(found[0].starts_with("reason=scope count=1 "), "{found:?}");
            assert!(found[0].ends_with(lacking), "{found:?}");
        }
    }
    for bad in ["é", "a\"b", "a\\b"] {
        let form = [("token", scene.secret.as_str()), ("required_scope", bad)];
        let refused = answered(scene.notes.ask(&form).await, 400).await;
        assert_eq!(refused["error"], "invalid_request", "{bad}");
    }
}

/// What is inactive for everybody is no denial: the trail says elsewhere why it ended.
#[actix_web::test]
async fn a_token_that_is_over_is_not_noted() {
    let scene = Scene::set().await;
    let token = scene.token.clone();
    scene
        .server
        .write(|tx| Ok(token.revoke(tx, &Because::Asked(None))?));
    let required = [("required_scope", "notes:write")];
    for asker in [&scene.notes, &scene.files] {
        told(asker, &scene.secret, &required).await;
        told(asker, "jeton_pat_nothing", &required).await;
    }
    scene.write().await;
    assert_eq!(scene.details(), [""; 0]);
}

/// The first time is written at once; what follows is gathered for ten minutes, and written as one.
#[actix_web::test]
async fn the_same_again_is_gathered() {
    let scene = Scene::set().await;
    for _ in 0..3 {
        told(&scene.files, &scene.secret, &[]).await;
        scene.write().await;
        scene.server.clock.advance(seconds(60));
    }
    assert_eq!(scene.details().len(), 1);
    scene.server.clock.advance(seconds(420));
    scene.write().await;
    let gathered = "reason=audience count=2 ";
    let found = scene.details();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with(gathered), "{found:?}");
    scene.server.clock.advance(seconds(3600));
    scene.write().await;
    assert_eq!(scene.details().len(), 2, "nothing is written twice");
    // Another resource server, another reason, another token: each is told by itself.
    told(&scene.notes, &scene.secret, &[("required_scope", "x")]).await;
    told(&scene.files, &scene.secret, &[]).await;
    let other = scene.server.personal_token(&scene.alice, "notes:read");
    told(&scene.files, &other, &[]).await;
    scene.write().await;
    assert_eq!(scene.details().len(), 5);
}

/// A database that can't be written to costs no answer and no note; what is left at the end is written then.
#[actix_web::test]
async fn a_failed_writing_loses_nothing() {
    let scene = Scene::set().await;
    scene.server.rename_table("audit_events", "elsewhere");
    for _ in 0..2 {
        let answer = told(&scene.files, &scene.secret, &[]).await;
        assert_eq!(answer, json!({"active": false}));
        assert!(flush(&scene.server.app, false).await.is_err());
    }
    scene.server.rename_table("elsewhere", "audit_events");
    scene.write().await;
    told(&scene.files, &scene.secret, &[]).await;
    scene.write().await;
    flush(&scene.server.app, true).await.unwrap();
    let found = scene.details();
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found.iter().filter(|it| it.contains("count=2")).count(), 1);
    assert_eq!(found.iter().filter(|it| it.contains("count=1")).count(), 1);
}

/// A resource server that asks for ever more scopes fills neither memory nor the trail.
#[actix_web::test]
async fn what_is_noted_is_bounded() {
    let scene = Scene::set().await;
    for round in 0..50 {
        let long = format!("{round}{}", "x".repeat(5000));
        told(&scene.notes, &scene.secret, &[("required_scope", &long)]).await;
    }
    scene.write().await;
    let found = scene.details();
    assert_eq!(found.len(), 1);
    assert!(found[0].contains("count=50 "), "{found:?}");
    assert!(found[0].ends_with("Z lacking=(undefined)"), "{found:?}");
}

/// Memory is bounded whoever asks, and what is noted beyond that is lost rather than an answer.
#[actix_web::test]
async fn no_more_is_noted_than_memory_may_have() {
    let scene = Scene::set().await;
    let app = &scene.server.app;
    let hash = scene.token.token.hash;
    let bearer = scene.server.write(|tx| Ok(Bearer::find(tx, hash)?));
    let denied = Denied::new(&bearer.expect("it is there"), "", Reason::Audience);
    for number in 0..10_100 {
        let mut denied = denied.clone();
        denied.by = number.to_string();
        app.denials().note(denied, START, None, None);
    }
    let before = count!(scene.server, audit_events);
    flush(app, true).await.unwrap();
    assert_eq!(count!(scene.server, audit_events), before + 10_000);
}

/// An operator hears in a sentence each what was refused to whom, and what would mend it.
#[actix_web::test]
async fn why_is_said_in_plain_words() {
    let scene = Scene::set().await;
    assert_eq!(scene.why(), ["It is active."]);
    told(&scene.files, &scene.secret, &[]).await;
    scene.server.clock.advance(seconds(1));
    for _ in 0..2 {
        let required = [("required_scope", "notes:write")];
        told(&scene.notes, &scene.secret, &required).await;
    }
    scene.write().await;
    let (notes, files) = (&scene.notes.client_id, &scene.files.client_id);
    assert_eq!(
        scene.why(),
        [
            "It is active.".to_owned(),
            format!(
                "Notes (client {notes}) found too little in it 2 times, first at \
                 2027-01-15T08:00:01Z and last at 2027-01-15T08:00:01Z: it lacks notes:write. A \
                 new token with notes:write will do; what a token may do can't be widened."
            ),
            format!(
                "Notes (client {files}) was told that it is inactive once, at \
                 2027-01-15T08:00:00Z: it is not for https://files.example, but for \
                 https://notes.example. A token that is for https://files.example will do."
            ),
        ]
    );
}

/// First of all it is said how the token stands.
#[actix_web::test]
async fn why_begins_with_how_the_token_stands() {
    let scene = Scene::set().await;
    let first = |scene: &Scene| scene.why().remove(0);
    let (alice, token) = (scene.alice.clone(), scene.token.clone());
    scene.server.write(|tx| Ok(alice.disable(tx)?));
    assert_eq!(
        first(&scene),
        "Its owner alice is disabled. `jeton user enable alice` makes it work again."
    );
    scene.server.write(|tx| Ok(alice.enable(tx)?));
    scene.server.disable_client("personal-access-token");
    assert_eq!(
        first(&scene),
        "Its client personal-access-token is disabled. `jeton client enable \
         personal-access-token` makes it work again."
    );
    scene.server.enable_client("personal-access-token");
    scene.server.clock.advance(seconds(91 * 86_400));
    let expired = "It expired at 2027-04-15T08:00:00Z. Only a new one helps.";
    assert_eq!(first(&scene), expired);
    let lost = Because::Asked(Some("lost".to_owned()));
    scene.server.write(|tx| Ok(token.revoke(tx, &lost)?));
    assert_eq!(
        first(&scene),
        "It was revoked at 2027-04-16T08:00:00Z by command line (lost). Only a new one helps."
    );
}

/// A client that stands for no API, a refresh token, a right that its owner has lost: each has a sentence of its own.
#[actix_web::test]
async fn why_knows_the_stranger_cases() {
    let scene = Scene::set().await;
    let Scene { server, notes, .. } = &scene;
    let app = server.app(AppOptions::default());
    let stray = ResourceServer::new(
        &server.url,
        String::new(),
        app.client_id.clone(),
        app.client_secret.as_deref().expect("a secret"),
    );
    told(&stray, &scene.secret, &[]).await;
    scene.write().await;
    assert!(
        scene.why()[1].contains("stands for no API"),
        "{:?}",
        scene.why()
    );

    let browser = server.signed_in(&scene.alice).await;
    let got = app.let_in(&browser, "notes:read").await;
    told(notes, got.refresh(), &[]).await;
    scene.write().await;
    let refresh = "reason=refresh_token";
    assert!(
        scene
            .details()
            .iter()
            .any(|detail| detail.starts_with(refresh))
    );

    let root = server.admin("root");
    let token = server.personal_token(&root, "notes:admin notes:read");
    server.set_admin(&root, false);
    let required = [("required_scope", "notes:admin")];
    assert_eq!(told(notes, &token, &required).await["scope"], "notes:read");
    scene.write().await;
    let entries = scene.denials();
    let by_root = entries.iter().find(|entry| entry.user_id == Some(root.id));
    let id = by_root
        .and_then(|entry| entry.token_id)
        .expect("it is noted");
    let why = server
        .app
        .read_blocking(|rx| Ok::<_, jeton::db::Fault>(why(rx, id)?));
    let why = why.unwrap().join("\n");
    assert!(
        why.contains("make the owner an administrator again"),
        "{why}"
    );
}
