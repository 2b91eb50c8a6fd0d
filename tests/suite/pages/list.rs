//! The list of one's own tokens.

use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::user::User;

use crate::support::{Page, Server, seconds};

const DAY: u64 = 86_400;

/// The names of the tokens that the list shows.
fn names(page: &Page) -> Vec<String> {
    let rows = page.body.split("<bdi class=\"name\">").skip(1);
    rows.map(|row| row.split('<').next().unwrap().to_owned())
        .collect()
}

fn until(server: &Server, owner: &User, days: u64) -> String {
    let end = End::At(server.clock.now() + seconds(days * DAY));
    server.personal_token_until(owner, "notes:read", end)
}

/// Each filter shows the live tokens it is about; what has ended is shown under "Ended" alone.
#[actix_web::test]
async fn each_filter_shows_its_own() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    until(&server, &alice, 1); // token 1 will have expired
    let revoked = until(&server, &alice, 90); // token 2
    server.clock.advance(seconds(2 * DAY));
    until(&server, &alice, 90); // token 3
    until(&server, &alice, 10); // token 4
    server.personal_token_until(&alice, "notes:read", End::Never); // token 5
    let used = until(&server, &alice, 90); // token 6
    assert!(notes.accepts(&used).await);
    server.note_uses().await;
    let given_back = server.post("/oauth/revoke", &[("token", &revoked)]).send();
    assert_eq!(given_back.await.unwrap().status(), 200);

    let browser = server.signed_in(&alice).await;
    let live = ["token 3", "token 4", "token 5", "token 6"];
    for (show, expected) in [
        ("active", &live[..]),
        ("expiring", &["token 4"]),
        ("never-used", &["token 3", "token 4", "token 5"]),
        ("no-expiry", &["token 5"]),
        ("ended", &["token 1", "token 2"]),
        ("nonsense", &live),
    ] {
        let page = browser.get(&format!("/settings/tokens?show={show}")).await;
        let mut shown = names(&page);
        shown.sort();
        assert_eq!(shown, expected, "{show}");
    }
}

/// A row tells a token from its like, and nothing that stands in the list could be used as one.
#[actix_web::test]
async fn a_row_says_what_the_token_is_and_never_its_secret() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let token = until(&server, &alice, 10);
    let form = [("token", token.as_str()), ("client_ip", "203.0.113.7")];
    assert_eq!(notes.ask(&form).await.status(), 200);
    server.note_uses().await;
    server.clock.advance(seconds(180));
    let page = server.signed_in(&alice).await.get("/settings/tokens").await;
    let hint = &token[..token.rfind('_').unwrap() + 5];
    for said in [
        "token 1",
        &format!("{hint}…"),
        "notes:read",
        "https://notes.example",
        "3 minutes ago from 203.0.113.7",
        "in 9 days",
        "by the operator through the command line",
    ] {
        assert!(page.says(said), "{said} is not in {}", page.text());
    }
    assert!(page.body.contains("class=\"expiry soon\""));
    assert!(!page.body.contains(&token[..hint.len() + 1]));
}

/// Nobody sees anybody else's tokens, an administrator neither.
#[actix_web::test]
async fn the_list_is_ones_own() {
    let server = Server::start().await;
    server.notes();
    until(&server, &server.user("alice"), 10);
    for other in [server.user("bob"), server.admin("root")] {
        let page = server.signed_in(&other).await.get("/settings/tokens").await;
        assert_eq!(names(&page), [""; 0], "{}", other.username);
        assert!(page.says("No tokens yet"), "{}", page.text());
    }
}

/// Ended tokens say how they ended and keep the end they were made with.
#[actix_web::test]
async fn an_ended_token_says_how_it_ended() {
    let server = Server::start().await;
    server.notes();
    let alice = server.user("alice");
    until(&server, &alice, 1);
    until(&server, &alice, 90);
    let browser = server.signed_in(&alice).await;
    let all = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?));
    let second = all.iter().find(|token| token.name() == "token 2").unwrap();
    let path = format!("/settings/tokens/{}/revoke", second.token.id);
    let done = browser.submit(&path, &[("reason", "laptop lost")]).await;
    assert_eq!(done.status, 303, "{}", done.body);
    server.clock.advance(seconds(3 * DAY));
    let page = browser.get("/settings/tokens?show=ended").await;
    assert!(page.says("token 1 expired"), "{}", page.text());
    assert!(page.says("2 days ago"), "{}", page.text());
    let how = "Revoked 3 days ago by you: laptop lost";
    assert!(page.says(how), "{}", page.text());
    assert!(page.says("in 3 months"), "{}", page.text());
    assert!(
        !page.body.contains("/revoke\""),
        "nothing is left to revoke"
    );
}
