//! The form for a new token.

use jeton::clock::Timestamp;
use jeton::domain::personal_token::PersonalToken;

use crate::support::{Browser, Page, START, Server, seconds};

pub const FORM: &str = "/settings/tokens/new";

/// The box of one permission.
fn tick<'a>(page: &'a Page, value: &str) -> &'a str {
    page.tag(&["name=\"scope\"", &format!("value=\"{value}\"")])
}

fn is_checked(tag: &str) -> bool {
    tag.contains(" checked")
}

/// The tile of one end.
fn tile<'a>(page: &'a Page, value: &str) -> &'a str {
    page.tag(&["name=\"expires\"", &format!("value=\"{value}\"")])
}

/// Fill in the form and send it.
pub async fn create(browser: &Browser, fields: &[(&str, &str)]) -> Page {
    let csrf = browser.get(FORM).await.input("csrf");
    browser.submit_with(&csrf, "/settings/tokens", fields).await
}

/// The form with one field other than it should be. `scope` in `changed` replaces all ticks.
fn with<'a>(changed: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("name", "backup"),
        ("description", "in the <cellar>"),
        ("scope", "https://notes.example notes:read"),
        ("expires", "30d"),
        ("expires_at", "2027-06-01T10:00"),
    ];
    fields.retain(|(name, _)| changed.iter().all(|(other, _)| name != other));
    fields.extend(changed.iter().filter(|field| **field != ("scope", "")));
    fields
}

/// Nothing is preselected but the usual end.
#[actix_web::test]
async fn the_form_begins_with_no_permission_and_90_days() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(FORM).await;
    assert_eq!(page.status, 200);
    for scope in ["notes:read", "notes:write", "notes:admin"] {
        let tick = tick(&page, &format!("https://notes.example {scope}"));
        assert!(!is_checked(tick), "{scope}");
    }
    for (end, checked) in [("30d", false), ("90d", true), ("never", false)] {
        assert_eq!(is_checked(tile(&page, end)), checked, "{end}");
    }
    let reserved = tick(&page, "https://notes.example notes:admin");
    assert!(reserved.contains(" disabled"), "{reserved}");
    assert!(
        page.says("Only administrators may hold this."),
        "{}",
        page.text()
    );
}

/// Each refusal stands at its field and at the top of the form, and the form keeps all that was entered.
#[actix_web::test]
async fn a_refused_form_says_why_at_the_field_and_keeps_everything() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    server.personal_token(&alice, "notes:read"); // token 1
    let browser = server.signed_in(&alice).await;
    let (long, longer) = ("x".repeat(65), "x".repeat(256));
    let cases = [
        ("name", "", "name", "needs a name of 1 to 64 characters"),
        ("name", "   ", "name", "needs a name of 1 to 64 characters"),
        (
            "name",
            long.as_str(),
            "name",
            "needs a name of 1 to 64 characters",
        ),
        ("name", "token 1", "name", "live token of that name"),
        (
            "description",
            longer.as_str(),
            "description",
            "at most 255 characters",
        ),
        ("scope", "", "scope", "at least one permission"),
        (
            "scope",
            "https://notes.example notes:admin",
            "scope",
            "notes:admin can't be given",
        ),
        (
            "scope",
            "https://notes.example nonsense",
            "scope",
            "nonsense",
        ),
        (
            "scope",
            "https://other.example notes:read",
            "scope",
            "no resource https://other.example",
        ),
        ("expires", "", "expires", "Choose when the token ends"),
        ("expires", "soon", "expires", "Choose when the token ends"),
        ("expires", "0d", "expires", "That moment has passed"),
    ];
    for (changed, value, field, sentence) in cases {
        let fields = with(&[(changed, value)]);
        let page = create(&browser, &fields).await;
        assert_eq!(page.status, 422, "{changed}={value}");
        let said = page.error(field).unwrap_or_default().replace("&#39;", "'");
        assert!(said.contains(sentence), "{changed}={value}: {said:?}");
        assert!(
            page.body.contains(&format!("href=\"#{field}\"")),
            "{changed}={value}"
        );
        kept(&page, &fields);
    }
    let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    assert_eq!(all.len(), 1, "no token was made");
}

/// The form shows these fields as they were sent.
fn kept(page: &Page, fields: &[(&str, &str)]) {
    for (name, value) in fields {
        match *name {
            "scope" if page.body.contains(&format!("value=\"{value}\"")) => {
                let tag = tick(page, value);
                assert!(is_checked(tag) || tag.contains(" disabled"), "{value}");
            }
            "scope" => {}
            "expires" if page.body.contains(&format!("value=\"{value}\"")) => {
                assert!(value.is_empty() || is_checked(tile(page, value)), "{value}");
            }
            "expires" => {}
            text => {
                let shown = page.input(text).replace("&#60;", "<").replace("&#62;", ">");
                assert_eq!(shown, *value, "{text}");
            }
        }
    }
}

/// A moment of one's own is read to the minute, in UTC, and must be to come.
#[actix_web::test]
async fn a_moment_of_ones_own_is_checked_like_a_preset() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    for (moment, sentence) in [
        ("", "Choose a day and a time."),
        ("tomorrow", "Choose a day and a time."),
        ("2027-01-15T08:00", "That moment has passed."),
    ] {
        let fields = with(&[("expires", "custom"), ("expires_at", moment)]);
        let page = create(&browser, &fields).await;
        assert_eq!(page.status, 422, "{moment:?}");
        assert_eq!(page.error("expires"), Some(sentence), "{moment:?}");
        kept(&page, &fields);
    }
    let fields = with(&[("expires", "custom"), ("expires_at", "2027-01-15T08:01")]);
    assert_eq!(create(&browser, &fields).await.status, 201);
}

/// What is missing is said together, not one thing after the other.
#[actix_web::test]
async fn all_that_is_missing_is_said_at_once() {
    let server = Server::start().await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = create(&browser, &[("expires", "custom")]).await;
    assert_eq!(page.status, 422);
    for field in ["name", "scope", "expires"] {
        assert!(page.error(field).is_some(), "{field}: {}", page.text());
    }
}

/// A link fills in the form, says that it did, and does nothing else.
#[actix_web::test]
async fn a_link_fills_in_the_form_and_makes_nothing() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let link = format!(
        "{FORM}?name=ci+%22main%22&description=d&scopes=notes:write,notes:admin&expires=14d\
         &resources=https://notes.example"
    );
    let page = browser.get(&link).await;
    assert_eq!(page.status, 200);
    assert!(page.says("A link filled in this form."), "{}", page.text());
    assert_eq!(page.input("name"), "ci \"main\"");
    assert_eq!(page.input("description"), "d");
    assert!(is_checked(tick(&page, "https://notes.example notes:write")));
    assert!(!is_checked(tick(&page, "https://notes.example notes:read")));
    assert!(!is_checked(tick(
        &page,
        "https://notes.example notes:admin"
    )));
    assert!(is_checked(tile(&page, "14d")), "a life that is no preset");
    assert!(!is_checked(tile(&page, "90d")));
    let elsewhere = format!("{FORM}?scopes=notes:read&resources=https://other.example");
    let page = browser.get(&elsewhere).await;
    assert!(!is_checked(tick(&page, "https://notes.example notes:read")));
    let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    assert_eq!(all.len(), 0, "no token was made");
}

/// A token holds a scope at each of its resources that defines it (RFC 8707 §2), so a box that stands empty must not be
/// implied by others.
#[actix_web::test]
async fn a_scope_of_two_resources_is_ticked_at_both_or_refused() {
    let server = Server::start().await;
    server.resource("https://a.example", &["read", "write"]);
    server.resource("https://b.example", &["read", "share"]);
    let browser = server.signed_in(&server.user("alice")).await;
    let half = [
        ("name", "half"),
        ("scope", "https://a.example read"),
        ("scope", "https://b.example share"),
        ("expires", "30d"),
    ];
    let page = create(&browser, &half).await;
    assert_eq!(page.status, 422);
    let said = page.error("scope").unwrap_or_default();
    assert!(
        said.contains("read is a permission of more than one"),
        "{said}"
    );
    assert!(said.contains("or make two tokens"), "{said}");
    assert!(
        !is_checked(tick(&page, "https://b.example read")),
        "nothing is ticked for them"
    );
    kept(&page, &half);
    let mut whole = half.to_vec();
    whole.push(("scope", "https://b.example read"));
    assert_eq!(create(&browser, &whole).await.status, 201);
}

/// Each preset says its day before it is chosen, and the token ends in that second.
#[actix_web::test]
async fn each_end_is_the_one_that_was_shown() {
    let server = Server::start().await;
    let notes = server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let now = START.seconds();
    let page = browser.get(FORM).await;
    for days in [7, 30, 60, 90, 180, 365] {
        let end = now + days * 86_400;
        let shown = Timestamp::from_millis(end * 1000).to_rfc3339();
        assert!(
            page.body.contains(&format!("datetime=\"{shown}\"")),
            "{days} days: {shown}"
        );
        let (name, choice) = (format!("{days} days"), format!("{days}d"));
        let made = create(&browser, &with(&[("name", &name), ("expires", &choice)])).await;
        assert_eq!(made.status, 201, "{days} days: {}", made.text());
        let token = super::reveal::secret(&made);
        assert_eq!(notes.introspect(&token).await["exp"], end, "{days} days");
    }
    let never = create(&browser, &with(&[("expires", "never")])).await;
    let answer = notes.introspect(&super::reveal::secret(&never)).await;
    assert_eq!(answer["active"], true);
    assert_eq!(answer.get("exp"), None);
}

/// A form that was left open too long asks for the password and comes back as it was, box by box; nothing is made
/// without it.
#[actix_web::test]
async fn a_form_that_waited_too_long_comes_back_filled_in() {
    let server = Server::start().await;
    server.resource("https://a.example", &["read", "write"]);
    server.resource("https://b.example", &["read", "share"]);
    let alice = server.user("alice");
    let browser = server.signed_in(&alice).await;
    let csrf = browser.get(FORM).await.input("csrf");
    let fields = [
        ("name", "backup & more"),
        ("description", "in the cellar"),
        ("scope", "https://a.example read"),
        ("scope", "https://b.example share"),
        ("expires", "custom"),
        ("expires_at", "2027-06-01T10:00"),
    ];
    server.clock.advance(seconds(600));
    let asked = browser
        .submit_with(&csrf, "/settings/tokens", &fields)
        .await;
    assert_eq!(asked.status, 303, "{}", asked.text());
    let step_up = browser.get(asked.location()).await;
    assert!(
        step_up.says("Enter your password again"),
        "{}",
        step_up.text()
    );
    let (csrf, next) = (step_up.input("csrf"), step_up.input("next"));
    let proof = [
        ("password", crate::support::PASSWORD),
        ("next", next.as_str()),
    ];
    let proven = browser.submit_with(&csrf, "/step-up", &proof).await;
    assert_eq!(proven.status, 303, "{}", proven.text());
    let page = browser.get(proven.location()).await;
    assert_eq!(page.input("name"), "backup & more");
    kept(&page, &fields[1..]);
    assert!(
        !is_checked(tick(&page, "https://b.example read")),
        "nothing is added"
    );
    let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    assert_eq!(all.len(), 0, "no token was made");
}

/// The form is for who entered the password in the last ten minutes, to the second.
#[actix_web::test]
async fn the_form_asks_for_the_password_after_ten_minutes() {
    let server = Server::start().await;
    let browser = server.signed_in(&server.user("alice")).await;
    server.clock.advance(seconds(599));
    assert_eq!(browser.get(FORM).await.status, 200);
    server.clock.advance(seconds(1));
    let page = browser.get(FORM).await;
    assert_eq!(page.status, 303);
    assert!(
        page.location().starts_with("/step-up?next="),
        "{}",
        page.location()
    );
}
