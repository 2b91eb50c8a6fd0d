//! One token's pages: changing it and revoking it.

use jeton::domain::personal_token::{PersonalToken, State};
use jeton::domain::user::User;

use crate::support::{Browser, ResourceServer, Server, seconds};

const DAY: u64 = 86_400;

/// Alice with one token for 90 days that may read and write notes.
struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    browser: Browser,
    secret: String,
    /// `/settings/tokens/…`
    path: String,
}

impl House {
    async fn build() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let alice = server.user("alice");
        let secret = server.personal_token(&alice, "notes:read notes:write");
        let browser = server.signed_in(&alice).await;
        let path = format!("/settings/tokens/{}", newest(&server, &alice).token.id);
        Self {
            server,
            notes,
            alice,
            browser,
            secret,
            path,
        }
    }

    fn token(&self) -> PersonalToken {
        newest(&self.server, &self.alice)
    }

    /// As the form shows the token's end.
    async fn end(&self) -> String {
        self.browser.get(&self.path).await.input("expires_at")
    }

    async fn use_it(&self) {
        assert!(self.notes.accepts(&self.secret).await);
        self.server.note_uses().await;
    }

    fn revoke_path(&self) -> String {
        format!("{}/revoke", self.path)
    }
}

fn newest(server: &Server, owner: &User) -> PersonalToken {
    let all = server.write(|tx| Ok(PersonalToken::all_of(tx, owner.id)?));
    all.into_iter().next().expect("there is a token")
}

/// A token is renamed, described, narrowed and shortened in place: the secret goes on working with what is left.
#[actix_web::test]
async fn a_token_is_changed_in_place() {
    let house = House::build().await;
    let fields = [
        ("name", "Nightly backup"),
        ("description", "in the cellar"),
        ("scope", "notes:read"),
        ("expires_at", "2027-02-01T12:00"),
    ];
    let done = house.browser.submit(&house.path, &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    let list = house.browser.get(done.location()).await;
    assert!(list.says("The token is changed."), "{}", list.text());
    assert!(list.says("Nightly backup"), "{}", list.text());
    assert!(list.says("in the cellar"), "{}", list.text());
    let answer = house.notes.introspect(&house.secret).await;
    assert_eq!(answer["scope"], "notes:read");
    assert_eq!(answer["exp"], 1_801_483_200);
}

/// Saving what the form shows changes nothing, although its field for the end has no seconds.
#[actix_web::test]
async fn saving_what_is_shown_keeps_the_end_to_the_millisecond() {
    let house = House::build().await;
    let before = house.token().token.expires_at;
    let end = house.end().await;
    let fields = [
        ("name", "token 1"),
        ("scope", "notes:read"),
        ("scope", "notes:write"),
        ("expires_at", end.as_str()),
    ];
    let done = house.browser.submit(&house.path, &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(house.token().token.expires_at, before);
}

/// What can't be is refused at its field; the form keeps what was entered and the token what it had.
#[actix_web::test]
async fn a_refused_change_is_said_at_its_field() {
    let house = House::build().await;
    house.server.personal_token(&house.alice, "notes:read"); // token 2
    let (long, end) = ("x".repeat(256), house.end().await);
    let cases: [(&str, &str, &str, &str); 8] = [
        ("name", "", "name", "needs a name"),
        ("name", "token 2", "name", "live token of that name"),
        (
            "description",
            &long,
            "description",
            "at most 255 characters",
        ),
        ("scope", "", "scope", "at least one permission"),
        (
            "scope",
            "notes:admin",
            "scope",
            "more than it has: notes:admin",
        ),
        (
            "expires_at",
            "2028-01-01T00:00",
            "expires_at",
            "shorter, not longer",
        ),
        ("expires_at", "2027-01-01T00:00", "expires_at", "has passed"),
        (
            "expires_at",
            "soon",
            "expires_at",
            "Choose a day and a time",
        ),
    ];
    for (changed, value, field, sentence) in cases {
        let mut fields = vec![("name", "token 1"), ("scope", "notes:read")];
        fields.extend([("description", "kept"), ("expires_at", end.as_str())]);
        fields.retain(|(name, _)| *name != changed);
        if (changed, value) != ("scope", "") {
            fields.push((changed, value));
        }
        let page = house.browser.submit(&house.path, &fields).await;
        assert_eq!(page.status, 422, "{changed}={value}");
        let said = page.error(field).unwrap_or_default().replace("&#39;", "'");
        assert!(said.contains(sentence), "{changed}={value}: {said}");
        for (name, value) in fields.iter().filter(|(name, _)| *name != "scope") {
            assert_eq!(page.input(name), *value, "{changed}: {name} is kept");
        }
        let write = page.tag(&["name=\"scope\"", "value=\"notes:write\""]);
        assert!(!write.contains("checked"), "{changed}: the tick stays off");
    }
    assert_eq!(
        house.notes.introspect(&house.secret).await["scope"],
        "notes:read notes:write"
    );
}

/// Revoking says what it would break, asks once, and is true at once.
#[actix_web::test]
async fn a_revoked_token_is_inactive_at_once() {
    let house = House::build().await;
    let page = house.browser.get(&house.revoke_path()).await;
    assert!(page.says("Revoke token 1 ?"), "{}", page.text());
    assert!(page.says("It has never been used"), "{}", page.text());
    assert!(!page.body.contains("name=\"confirm\""), "{}", page.body);
    assert!(house.notes.accepts(&house.secret).await);
    let done = house.browser.submit(&house.revoke_path(), &[]).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(!house.notes.accepts(&house.secret).await);
    let list = house.browser.get(done.location()).await;
    assert!(list.says("The token is revoked."), "{}", list.text());
}

/// A token that was used in the last 24 hours is revoked by who types its name.
#[actix_web::test]
async fn a_token_in_use_is_revoked_by_its_name() {
    let house = House::build().await;
    house.use_it().await;
    house.server.clock.advance(seconds(DAY - 1));
    let page = house.browser.get(&house.revoke_path()).await;
    assert!(page.says("Last used 23 hours ago"), "{}", page.text());
    assert!(
        page.says("To confirm, type its name: token 1"),
        "{}",
        page.text()
    );
    for typed in ["", "token", "Token 1", "token 2"] {
        let fields = [("confirm", typed), ("reason", "just so")];
        let page = house.browser.submit(&house.revoke_path(), &fields).await;
        assert_eq!(page.status, 422, "{typed:?}");
        assert!(page.error("confirm").is_some(), "{typed:?}");
        assert_eq!(house.token().state(house.server.clock.now()), State::Active);
    }
    let fields = [("confirm", "token 1")];
    let done = house.browser.submit(&house.revoke_path(), &fields).await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert!(!house.notes.accepts(&house.secret).await);
}

/// A day after its last use, a token's name need not be typed any more.
#[actix_web::test]
async fn a_token_that_rests_is_revoked_by_a_button() {
    let house = House::build().await;
    house.use_it().await;
    house.server.clock.advance(seconds(DAY));
    let done = house.browser.submit(&house.revoke_path(), &[]).await;
    assert_eq!(done.status, 303, "{}", done.text());
}

/// A form that is refused comes back as it was sent, the reason too.
#[actix_web::test]
async fn a_refused_revocation_keeps_what_was_entered() {
    let house = House::build().await;
    house.use_it().await;
    let fields = [("confirm", "tokn 1"), ("reason", "laptop \"lost\"")];
    let page = house.browser.submit(&house.revoke_path(), &fields).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.input("confirm"), "tokn 1");
    assert_eq!(page.input("reason"), "laptop \"lost\"");
}

/// Another person's token is not there, for an administrator neither; nor is one that never was.
#[actix_web::test]
async fn a_foreign_token_is_not_there() {
    let house = House::build().await;
    let never = "/settings/tokens/01900000-0000-7000-8000-000000000000".to_owned();
    let paths = [house.path.clone(), never, "/settings/tokens/1".to_owned()];
    for other in [house.server.user("bob"), house.server.admin("root")] {
        let browser = house.server.signed_in(&other).await;
        let csrf = browser.get("/settings/tokens").await.input("csrf");
        for path in &paths {
            let revoke = format!("{path}/revoke");
            let fields = [
                ("name", "mine"),
                ("scope", "notes:read"),
                ("confirm", "token 1"),
            ];
            for page in [
                browser.get(path).await,
                browser.get(&revoke).await,
                browser.submit_with(&csrf, path, &fields).await,
                browser.submit_with(&csrf, &revoke, &fields).await,
            ] {
                assert_eq!(page.status, 404, "{} {path}", other.username);
                assert!(!page.body.contains("token 1"), "{}", page.body);
            }
        }
    }
    assert!(house.notes.accepts(&house.secret).await);
    assert_eq!(house.token().name(), "token 1");
}
