//! The life of a personal access token, as the trail and its owner's page have it: each event once, with the token's id.

use jeton::domain::audit::{Entry, Filter, What};
use jeton::domain::grant::Because;
use jeton::domain::id::Id;
use jeton::domain::personal_token::{Changes, End, PersonalToken};
use jeton::domain::user::User;
use jeton::jobs::expiries;
use jeton::jobs::sweep::sweep;

use crate::support::{START, Server, seconds};

const DAY: u64 = 86_400;

struct Scene {
    server: Server,
    alice: User,
}

impl Scene {
    async fn set() -> Self {
        let server = Server::start().await;
        server.notes();
        let alice = server.user("alice");
        Self { server, alice }
    }

    fn token(&self, name: &str) -> PersonalToken {
        let all = self
            .server
            .write(|tx| Ok(PersonalToken::all_of(tx, self.alice.id)?));
        let named = all.into_iter().find(|token| token.name() == name);
        named.expect("it is there")
    }

    /// A token that ends after so many seconds.
    fn until(&self, end: u64) -> PersonalToken {
        let end = End::At(self.server.clock.now() + seconds(end));
        self.server
            .personal_token_until(&self.alice, "notes:read", end);
        let all = self
            .server
            .write(|tx| Ok(PersonalToken::all_of(tx, self.alice.id)?));
        self.token(&format!("token {}", all.len()))
    }

    /// The events of this name, oldest first.
    fn trail(&self, event: What) -> Vec<Entry> {
        let filter = Filter {
            event: Some(event),
            ..Filter::default()
        };
        let mut found = self
            .server
            .write(|tx| Ok(Entry::page(tx, &filter, None, 1000)?));
        found.reverse();
        found
    }

    fn tokens(&self, event: What) -> Vec<Option<Id>> {
        let found = self.trail(event).into_iter();
        found.map(|entry| entry.token_id).collect()
    }

    async fn look(&self) {
        expiries::note(&self.server.app)
            .await
            .expect("they are noted");
    }
}

/// Created, changed, revoked, purged: one entry each, which says which token of whom it is about.
#[actix_web::test]
async fn each_step_names_the_token() {
    let scene = Scene::set().await;
    scene.until(90 * DAY);
    let token = scene.token("token 1");
    let changes = Changes {
        name: Some("backup".to_owned()),
        ..Changes::default()
    };
    scene.server.write(|tx| {
        token.change(tx, changes).expect("it is changed");
        for _ in 0..2 {
            token.revoke(tx, &Because::Asked(Some("lost".to_owned())))?;
        }
        Ok(())
    });
    scene.server.clock.advance(seconds(91 * DAY));
    sweep(&scene.server.app).await.unwrap();
    for (what, detail, actor) in [
        (What::TokenCreated, "token 1", "command line"),
        (What::TokenChanged, "backup", "command line"),
        (What::TokenRevoked, "lost", "command line"),
        (What::TokenPurged, "backup", "system"),
    ] {
        let found = scene.trail(what);
        let [entry] = found.as_slice() else {
            panic!("{what:?}: {found:?}");
        };
        assert_eq!(entry.token_id, Some(token.token.id), "{what:?}");
        assert_eq!(entry.grant_id, Some(token.grant.id), "{what:?}");
        assert_eq!(entry.user_id, Some(scene.alice.id), "{what:?}");
        assert_eq!(entry.detail.as_deref(), Some(detail), "{what:?}");
        assert_eq!(entry.actor, actor, "{what:?}");
    }
    assert_eq!(scene.trail(What::GrantCreated), []);
    assert_eq!(scene.trail(What::GrantRevoked), []);
    assert_eq!(scene.trail(What::TokenExpired), [], "it was revoked before");
}

/// That a token came to its end is recorded once, in the second of `exp`, however often and on however many nodes it is
/// looked.
#[actix_web::test]
async fn the_end_of_a_token_is_recorded_once() {
    let scene = Scene::set().await;
    scene.look().await;
    let [first, second, revoked] = [100, 200, 100].map(|end| scene.until(end));
    scene.until(5000);
    scene
        .server
        .write(|tx| Ok(revoked.revoke(tx, &Because::Asked(None))?));
    scene.server.clock.advance(seconds(99));
    scene.look().await;
    assert_eq!(scene.tokens(What::TokenExpired), []);
    scene.server.clock.advance(seconds(1));
    let other = scene.server.another_node().await;
    for _ in 0..3 {
        scene.look().await;
        expiries::note(&other.app).await.unwrap();
        assert_eq!(scene.tokens(What::TokenExpired), [Some(first.token.id)]);
    }
    let entry = scene.trail(What::TokenExpired).remove(0);
    assert_eq!(entry.detail.as_deref(), Some("token 1"));
    assert_eq!(entry.actor, "system");
    let browser = scene.server.signed_in(&scene.alice).await;
    let path = format!("/settings/tokens/{}", first.token.id);
    let page = browser.get(&path).await;
    let said = "Expired Fri 15 Jan 2027, 08:01 UTC , by the server Created";
    assert!(page.says(said), "{}", page.text());
    // Nobody looked for half a day.
    scene.server.clock.advance(seconds(DAY / 2));
    scene.look().await;
    let ended = scene.tokens(What::TokenExpired);
    assert_eq!(ended.len(), 3, "{ended:?}");
    assert!(ended.contains(&Some(second.token.id)), "{ended:?}");
}

/// A life that was shortened ends when it was said, and one that ended long before anybody looked ended unseen.
#[actix_web::test]
async fn a_shortened_life_ends_when_it_was_said() {
    let scene = Scene::set().await;
    scene.until(10);
    scene.server.clock.advance(seconds(3600));
    scene.look().await;
    let token = scene.until(5000);
    let changes = Changes {
        end: Some(scene.server.clock.now() + seconds(30)),
        ..Changes::default()
    };
    scene.server.write(|tx| {
        token.change(tx, changes).expect("it is shortened");
        Ok(())
    });
    scene.server.clock.advance(seconds(30));
    scene.look().await;
    assert_eq!(scene.tokens(What::TokenExpired), [Some(token.token.id)]);
}

/// However many end at once, each is recorded; the sweeper looks before it takes away.
#[actix_web::test]
async fn many_that_end_at_once_are_all_recorded() {
    let server = Server::with(&[("pat_per_user", "1000")]).await;
    server.notes();
    let alice = server.user("alice");
    let scene = Scene { server, alice };
    scene.look().await;
    for _ in 0..250 {
        scene
            .server
            .personal_token_until(&scene.alice, "notes:read", End::At(START + seconds(60)));
    }
    scene.server.clock.advance(seconds(40 * DAY));
    sweep(&scene.server.app).await.unwrap();
    assert_eq!(scene.trail(What::TokenExpired).len(), 250);
    assert_eq!(scene.trail(What::TokenPurged).len(), 250);
}

/// The owner sees on the token's page what happened, when, by whom and from where, the newest first.
#[actix_web::test]
async fn a_page_tells_the_history_of_its_token() {
    let scene = Scene::set().await;
    let other = scene.until(90 * DAY);
    let token = scene.until(90 * DAY);
    let browser = scene.server.signed_in(&scene.alice).await;
    scene.server.clock.advance(seconds(60));
    let path = format!("/settings/tokens/{}", token.token.id);
    let fields = [
        ("name", "<b>backup</b>"),
        ("scope", "notes:read"),
        ("expires_at", "2027-04-15T08:00"),
    ];
    let done = browser.submit(&path, &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    scene.server.clock.advance(seconds(60));
    let files = scene
        .server
        .resource("https://files.example", &["files:read"]);
    let secret = scene.server.personal_token(&scene.alice, "notes:read");
    assert!(!files.accepts(&secret).await);
    jeton::jobs::denials::flush(&scene.server.app, false)
        .await
        .unwrap();
    let page = browser.get(&path).await;
    let (_, history) = page.text().split_once("History").map_or_else(
        || panic!("{}", page.text()),
        |(before, after)| (before.to_owned(), after.to_owned()),
    );
    assert_eq!(
        history.trim().trim_end_matches(" Times are in UTC."),
        "Changed Fri 15 Jan 2027, 08:01 UTC , by you, from 127.0.0.1 \
         Created Fri 15 Jan 2027, 08:00 UTC , by the operator"
    );
    let denied = scene.token("token 3");
    let page = browser
        .get(&format!("/settings/tokens/{}", denied.token.id))
        .await;
    assert!(
        page.says("Refused: it is not for that API"),
        "{}",
        page.text()
    );
    assert!(page.says("by an app"), "{}", page.text());
    let page = browser
        .get(&format!("/settings/tokens/{}", other.token.id))
        .await;
    assert!(!page.says("Changed"), "{}", page.text());
}

/// A page shows the last fifty events, and no more.
#[actix_web::test]
async fn a_page_shows_the_last_fifty() {
    let scene = Scene::set().await;
    let token = scene.until(90 * DAY);
    for _ in 0..60 {
        scene.server.clock.advance(seconds(1));
        scene.server.write(|tx| {
            token.change(tx, Changes::default()).expect("nothing new");
            Ok(())
        });
    }
    let browser = scene.server.signed_in(&scene.alice).await;
    let page = browser
        .get(&format!("/settings/tokens/{}", token.token.id))
        .await;
    assert_eq!(page.text().matches("Changed").count(), 50);
}
