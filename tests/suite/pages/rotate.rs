//! The pages of a rotation.

use jeton::domain::personal_token::PersonalToken;
use jeton::domain::user::User;

use crate::support::{Browser, PASSWORD, Page, ResourceServer, Server, seconds};

const DAY: u64 = 86_400;

/// Alice with a token for 90 days, which has been used.
struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    browser: Browser,
    old: String,
    /// `/settings/tokens/…`
    path: String,
}

impl House {
    async fn build() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let alice = server.user("alice");
        let old = server.personal_token(&alice, "notes:read");
        assert!(notes.accepts(&old).await);
        server.note_uses().await;
        let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
        Self {
            browser: server.signed_in(&alice).await,
            path: format!("/settings/tokens/{}", all[0].token.id),
            server,
            notes,
            alice,
            old,
        }
    }

    /// Send the form with the tiles that are ticked, but for these fields.
    async fn rotate(&self, fields: &[(&str, &str)]) -> Page {
        let path = format!("{}/rotate", self.path);
        let usual = [("overlap", "86400s"), ("expires", "90d")];
        let kept = usual
            .iter()
            .filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
        let fields: Vec<(&str, &str)> = kept.chain(fields).copied().collect();
        self.browser.submit(&path, &fields).await
    }

    async fn press(&self, step: &str) -> Page {
        let list = self.browser.get("/settings/tokens").await;
        let current = list.body.split("/settings/tokens/").find_map(|rest| {
            let (id, rest) = rest.split_once('/')?;
            rest.starts_with(&format!("rotate/{step}\"")).then_some(id)
        });
        let path = format!(
            "/settings/tokens/{}/rotate/{step}",
            current.expect("a button")
        );
        let csrf = list.input("csrf");
        self.browser.post(&path, &[("csrf", &csrf)]).await
    }

    async fn list(&self) -> Page {
        self.browser.get("/settings/tokens").await
    }
}

fn secret(page: &Page) -> String {
    let (_, rest) = page
        .body
        .split_once("<code id=\"secret\">")
        .expect("a secret");
    rest.split('<').next().expect("it ends").to_owned()
}

/// The form says until when both work, and offers the life that the token had; the answer shows the new secret, once.
#[actix_web::test]
async fn a_token_is_rotated_on_its_page() {
    let house = House::build().await;
    let form = house.browser.get(&format!("{}/rotate", house.path)).await;
    assert!(form.says("until the new one is used for the first time, and 15 minutes longer"));
    for (name, value) in [("overlap", "86400s"), ("expires", "90d")] {
        let tile = form.tag(&[&format!("name=\"{name}\""), "checked"]);
        assert!(tile.contains(&format!("value=\"{value}\"")), "{tile}");
    }
    let made = house.rotate(&[]).await;
    assert_eq!(made.status, 201, "{}", made.text());
    assert!(
        made.says("at the latest until Sat 16 Jan 2027, 08:00 UTC"),
        "{}",
        made.text()
    );
    assert_eq!(made.header("cache-control"), "no-store");
    let new = secret(&made);
    assert!(house.notes.accepts(&new).await && house.notes.accepts(&house.old).await);
    let list = house.list().await;
    assert!(
        list.says("The new one has not been used yet."),
        "{}",
        list.text()
    );
    assert!(!list.body.contains(&new));
    house.server.note_uses().await;
    let list = house.list().await;
    assert!(
        list.says("The new one was first used just now"),
        "{}",
        list.text()
    );
    assert!(!list.body.contains("rotate/cancel"));
}

/// The old one can be ended at once, with the rotation or after it.
#[actix_web::test]
async fn the_old_token_is_ended_at_will() {
    let house = House::build().await;
    let made = house.rotate(&[("overlap", "0s")]).await;
    assert!(
        made.says("has ended. Nothing can use it any more."),
        "{}",
        made.text()
    );
    assert!(!house.notes.accepts(&house.old).await);
    assert!(!house.list().await.says("rotating"));

    let house = House::build().await;
    let new = secret(&house.rotate(&[]).await);
    let done = house.press("finish").await;
    let list = house.browser.get(done.location()).await;
    assert!(list.says("The old token has ended."), "{}", list.text());
    assert!(!house.notes.accepts(&house.old).await);
    assert!(house.notes.accepts(&new).await);
}

/// A rotation can be undone as long as nobody has used the new token, and the page says so if somebody just has.
#[actix_web::test]
async fn a_rotation_is_undone() {
    let house = House::build().await;
    let new = secret(&house.rotate(&[]).await);
    let done = house.press("cancel").await;
    let list = house.browser.get(done.location()).await;
    assert!(list.says("The old one works as before."), "{}", list.text());
    assert!(!house.notes.accepts(&new).await);
    assert!(house.notes.accepts(&house.old).await);

    let new = secret(&house.rotate(&[]).await);
    let (list, path) = (house.list().await, format!("{}/rotate/cancel", house.path));
    assert!(house.notes.accepts(&new).await);
    house.server.note_uses().await;
    let csrf = list.input("csrf");
    let done = house.browser.post(&path, &[("csrf", &csrf)]).await;
    let list = house.browser.get(done.location()).await;
    assert!(
        list.says("the new token has been used already"),
        "{}",
        list.text()
    );
    assert!(house.notes.accepts(&new).await);
}

/// What can't be is refused at its field, with the form as it was, and nothing is rotated.
#[actix_web::test]
async fn a_refused_rotation_is_said_at_its_field() {
    let house = House::build().await;
    for (field, value, says) in [
        (
            "overlap",
            "",
            "Choose how long the old token goes on working.",
        ),
        ("overlap", "8d", "at most 7 days"),
        ("expires", "", "Choose when the token ends."),
        ("expires", "custom", "Choose a day and a time."),
    ] {
        let page = house.rotate(&[(field, value)]).await;
        assert_eq!(page.status, 422, "{field}={value}");
        assert!(
            page.error(field).unwrap_or_default().contains(says),
            "{field}: {}",
            page.text()
        );
    }
    assert!(!house.list().await.says("rotating"));
    let posted = house
        .browser
        .post(&format!("{}/rotate", house.path), &[("overlap", "0s")])
        .await;
    assert_eq!(posted.status, 403, "no form of ours");
    assert!(house.notes.accepts(&house.old).await);
}

/// Links to a token that was rotated lead to its successor; an expired one is renewed, and asks for no overlap.
#[actix_web::test]
async fn a_link_to_an_old_token_stays_good() {
    let house = House::build().await;
    house.rotate(&[]).await;
    let all = house
        .server
        .write(|tx| Ok(PersonalToken::all_of(tx, house.alice.id)?));
    let new = all
        .iter()
        .find(|token| token.token.spent_at.is_none())
        .expect("the new one");
    let page = house.browser.get(&house.path).await;
    assert!(page.says(&new.token.hint), "{}", page.text());
    house.server.clock.advance(seconds(91 * DAY));
    house.browser.sign_in("alice", PASSWORD).await;
    let list = house.browser.get("/settings/tokens?show=ended").await;
    assert!(list.says("Renew"), "{}", list.text());
    let form = house.browser.get(&format!("{}/rotate", house.path)).await;
    assert!(form.says("Renew token 1") && !form.says("how long does the old one work"));
    let made = house.rotate(&[("overlap", "0s")]).await;
    assert!(house.notes.accepts(&secret(&made)).await);
}

/// Another's token can't be rotated, and to get a new secret needs a password that was entered lately.
#[actix_web::test]
async fn rotating_is_for_the_owner_with_a_fresh_password() {
    let house = House::build().await;
    let bob = house.server.signed_in(&house.server.user("bob")).await;
    let path = format!("{}/rotate", house.path);
    assert_eq!(bob.get(&path).await.status, 404);
    let csrf = house.list().await.input("csrf");
    house.server.clock.advance(seconds(601));
    let asked = house.browser.get(&path).await;
    assert_eq!(
        (asked.status, asked.location().starts_with("/step-up?next=")),
        (303, true)
    );
    let fields = [
        ("csrf", csrf.as_str()),
        ("overlap", "0s"),
        ("expires", "90d"),
    ];
    let asked = house.browser.post(&path, &fields).await;
    assert_eq!(
        (asked.status, asked.location().starts_with("/step-up?next=")),
        (303, true)
    );
    assert!(house.notes.accepts(&house.old).await);
}
