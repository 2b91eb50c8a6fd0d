//! What the operator has decided is seen before a form is sent, and holds when one is.

use super::new_token::{FORM, create};
use crate::support::{Page, Server};

fn tile<'a>(page: &'a Page, value: &str) -> &'a str {
    page.tag(&["name=\"expires\"", &format!("value=\"{value}\"")])
}

fn fields(expires: &'static str) -> [(&'static str, &'static str); 4] {
    [
        ("name", expires),
        ("scope", "https://notes.example notes:read"),
        ("expires", expires),
        ("expires_at", "2027-06-01T10:00"),
    ]
}

/// Ends beyond the longest life are shown, off, with the reason; and refused if they are sent all the same.
#[actix_web::test]
async fn ends_beyond_the_longest_life_are_off() {
    let server = Server::with(&[("pat_max_life", "100d")]).await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(FORM).await;
    let note = "Tokens live at most 100 days here (set by your administrator).";
    assert!(page.says(note), "{}", page.text());
    let reason = "Longer than tokens may live here (set by your administrator).";
    assert_eq!(page.text().matches(reason).count(), 2, "{}", page.text());
    for (end, off) in [
        ("90d", false),
        ("180d", true),
        ("365d", true),
        ("never", true),
    ] {
        let tile = tile(&page, end);
        assert_eq!(tile.contains(" disabled"), off, "{tile}");
        let answer = create(&browser, &fields(end)).await;
        assert_eq!(answer.status, if off { 422 } else { 201 }, "{end}");
        let said = answer.error("expires").is_some();
        assert_eq!(said, off, "{end}");
    }
    let beyond = create(&browser, &fields("custom")).await;
    let said = "Tokens live at most until Sun 25 Apr 2027, 08:00 UTC here.";
    assert_eq!(beyond.error("expires"), Some(said));
}

/// The preselected end is one that can be had: the usual life, or the longest if that is shorter.
#[actix_web::test]
async fn the_preselected_end_can_be_had() {
    for (settings, end) in [
        (vec![("pat_default_life", "45d")], "45d"),
        (vec![("pat_max_life", "60d")], "60d"),
        (vec![("pat_max_life", "12h")], "12h"),
    ] {
        let server = Server::with(&settings).await;
        server.notes();
        let browser = server.signed_in(&server.user("alice")).await;
        let page = browser.get(FORM).await;
        let tile = tile(&page, end);
        assert!(tile.contains(" checked"), "{settings:?}: {tile}");
        assert!(!tile.contains(" disabled"), "{settings:?}: {tile}");
        let checked = page.body.matches(" checked").count();
        assert_eq!(checked, 1, "{settings:?}");
        let made = create(&browser, &fields(end)).await;
        assert_eq!(made.status, 201, "{settings:?}: {}", made.text());
    }
}

/// Where every token must end, "No expiry" is off and says so.
#[actix_web::test]
async fn no_expiry_can_be_forbidden() {
    let server = Server::with(&[("pat_may_never_expire", "false")]).await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let page = browser.get(FORM).await;
    assert!(tile(&page, "never").contains(" disabled"));
    let reason = "Every token ends here (set by your administrator).";
    assert!(page.says(reason), "{}", page.text());
    let answer = create(&browser, &fields("never")).await;
    assert_eq!(answer.status, 422);
    let said = "Tokens without an end are not allowed here.";
    assert_eq!(answer.error("expires"), Some(said));
}

/// Where only administrators make tokens, others are told so and are shown no button.
#[actix_web::test]
async fn who_may_not_make_tokens_is_told_so() {
    let server = Server::with(&[("pat_creators", "administrators")]).await;
    server.notes();
    let browser = server.signed_in(&server.user("alice")).await;
    let list = browser.get("/settings/tokens").await;
    let said = "You can't make a token now. Only administrators may make tokens here.";
    assert!(list.says(said), "{}", list.text());
    assert!(!list.body.contains(FORM), "{}", list.body);
    let answer = create(&browser, &fields("30d")).await;
    assert_eq!(answer.status, 422);
    assert!(
        answer.says("Only administrators may make tokens here."),
        "{}",
        answer.text()
    );
    let browser = server.signed_in(&server.admin("root")).await;
    assert!(browser.get("/settings/tokens").await.body.contains(FORM));
    assert_eq!(create(&browser, &fields("30d")).await.status, 201);
}

/// Who has as many tokens as one may have is told at the top of the form.
#[actix_web::test]
async fn the_most_tokens_is_a_sentence() {
    let server = Server::with(&[("pat_per_user", "1")]).await;
    server.notes();
    let alice = server.user("alice");
    server.personal_token(&alice, "notes:read");
    let browser = server.signed_in(&alice).await;
    let answer = create(&browser, &fields("30d")).await;
    assert_eq!(answer.status, 422);
    let said = "The most live tokens one account may have here is 1. Revoke one first.";
    assert!(answer.says(said), "{}", answer.text());
}
