//! The pages of service accounts, and of their tokens.

use jeton::domain::service_account::ServiceAccount;
use jeton::domain::tx::Caller;
use jeton::domain::user::User;

use crate::support::{Browser, Page, ResourceServer, Server, seconds};

const ACCOUNTS: &str = "/settings/service-accounts";
const TOKENS: &str = "/settings/service-accounts/ci-bot/tokens";

/// Alice keeps `ci-bot`.
struct House {
    server: Server,
    notes: ResourceServer,
    alice: User,
    bot: User,
    browser: Browser,
}

impl House {
    async fn build() -> Self {
        let server = Server::start().await;
        let notes = server.notes();
        let alice = server.user("alice");
        Self {
            bot: server.service_account("ci-bot", &[&alice]),
            browser: server.signed_in(&alice).await,
            notes,
            alice,
            server,
        }
    }

    async fn make(&self) -> Page {
        let csrf = self.browser.get(TOKENS).await.input("csrf");
        let fields = [
            ("name", "ci"),
            ("scope", "https://notes.example notes:read"),
            ("expires", "30d"),
        ];
        self.browser.submit_with(&csrf, TOKENS, &fields).await
    }

    fn account(&self) -> ServiceAccount {
        let found = self
            .server
            .write(|tx| Ok(ServiceAccount::find(tx, self.bot.id)?));
        found.expect("it is there")
    }

    fn keepers(&self) -> Vec<String> {
        let keepers = self.account().keepers;
        keepers.into_iter().map(|keeper| keeper.username).collect()
    }
}

fn secret(page: &Page) -> String {
    let (_, rest) = page
        .body
        .split_once("<code id=\"secret\">")
        .expect("a secret");
    rest.split('<').next().expect("its end").to_owned()
}

/// The link is there for who has something behind it.
#[actix_web::test]
async fn the_way_there_is_shown_to_keepers_and_administrators() {
    let house = House::build().await;
    let link = "href=\"/settings/service-accounts\"";
    let shown = async |user: &User| {
        let browser = house.server.signed_in(user).await;
        browser.get("/settings/tokens").await.body.contains(link)
    };
    assert!(shown(&house.alice).await);
    assert!(shown(&house.server.admin("root")).await);
    assert!(!shown(&house.server.user("bob")).await);
}

/// All that is done with one's own tokens is done here by the same pages, which lead to each other.
#[actix_web::test]
async fn a_keeper_makes_edits_rotates_and_revokes() {
    let house = House::build().await;
    let browser = &house.browser;
    let empty = browser.get(TOKENS).await;
    assert!(empty.says("Tokens of ci-bot") && empty.says("No tokens yet"));
    let form = browser.get(&format!("{TOKENS}/new")).await;
    assert!(form.says("New token for ci-bot"));
    assert!(form.body.contains(&format!("action=\"{TOKENS}\"")));
    let made = house.make().await;
    assert_eq!(made.status, 201, "{}", made.body);
    let token = secret(&made);
    assert!(token.starts_with("jeton_sat_") && house.notes.accepts(&token).await);
    assert!(made.says("act as ci-bot"));
    let list = browser.get(TOKENS).await;
    assert!(list.says("by you at"), "{}", list.text());
    let tag = list.tag(&["href", "/revoke"]);
    let path = tag
        .split('"')
        .find(|part| part.starts_with(TOKENS))
        .expect("a path");
    let path = path.trim_end_matches("/revoke").to_owned();
    let fields = [("name", "cd"), ("scope", "notes:read")];
    let edit = browser.get(&path).await;
    let end = edit.input("expires_at");
    let fields = [&fields[..], &[("expires_at", end.as_str())]].concat();
    let changed = browser.submit(&path, &fields).await;
    assert_eq!(changed.location(), format!("{TOKENS}?done=changed"));
    let fields = [("overlap", "86400s"), ("expires", "30d")];
    let rotated = browser.submit(&format!("{path}/rotate"), &fields).await;
    assert_eq!(rotated.status, 201, "{}", rotated.body);
    let list = browser.get(TOKENS).await;
    let finish = list.tag(&["action", "/rotate/finish"]);
    let finish = finish
        .split('"')
        .find(|part| part.starts_with(TOKENS))
        .expect("a path");
    let csrf = list.input("csrf");
    let finished = browser.submit_with(&csrf, finish, &[]).await;
    assert_eq!(finished.location(), format!("{TOKENS}?done=finished"));
    assert!(!house.notes.accepts(&token).await);
    let revoked = browser
        .submit(&format!("{path}/revoke"), &[("confirm", "cd")])
        .await;
    assert_eq!(revoked.location(), format!("{TOKENS}?done=revoked"));
    assert!(!house.notes.accepts(&secret(&rotated)).await);
    assert!(browser.get("/settings/tokens").await.says("No tokens yet"));
}

/// The password is asked for again as with one's own, and then the form is as it was.
#[actix_web::test]
async fn an_old_session_is_asked_for_the_password() {
    let house = House::build().await;
    let csrf = house.browser.get(TOKENS).await.input("csrf");
    house.server.clock.advance(seconds(3600));
    let fields = [("name", "ci"), ("expires", "30d")];
    let asked = house.browser.submit_with(&csrf, TOKENS, &fields).await;
    assert_eq!(asked.status, 303);
    let next = format!(
        "next={}",
        "%2Fsettings%2Fservice-accounts%2Fci-bot%2Ftokens%2Fnew%3Fname%3Dci"
    );
    assert!(asked.location().contains(&next), "{}", asked.location());
    let keepers = format!("{ACCOUNTS}/ci-bot/keepers");
    let asked = house
        .browser
        .submit_with(&csrf, &keepers, &[("keepers", "bob")])
        .await;
    let next = "next=%2Fsettings%2Fservice-accounts%2Fci-bot%3Fkeepers%3Dbob";
    assert!(asked.location().contains(next), "{}", asked.location());
    let leave = format!("{keepers}/{}/remove", house.alice.id);
    let asked = house.browser.submit_with(&csrf, &leave, &[]).await;
    let next = "next=%2Fsettings%2Fservice-accounts%2Fci-bot";
    assert!(asked.location().ends_with(next), "{}", asked.location());
    assert_eq!(house.keepers(), ["alice"]);
}

/// So is an administrator's, before they make an account or disable one.
#[actix_web::test]
async fn an_administrators_old_session_is_asked_too() {
    let house = House::build().await;
    let root = house.server.signed_in(&house.server.admin("root")).await;
    let csrf = root.get(ACCOUNTS).await.input("csrf");
    house.server.clock.advance(seconds(3600));
    let fields = [("name", "ship-bot"), ("keepers", "alice")];
    let asked = root.submit_with(&csrf, ACCOUNTS, &fields).await;
    let next = "next=%2Fsettings%2Fservice-accounts%3Fname%3Dship-bot";
    assert!(asked.location().contains(next), "{}", asked.location());
    let all = house.server.write(|tx| Ok(ServiceAccount::all(tx)?));
    assert_eq!(all.len(), 1);
    let disable = format!("{ACCOUNTS}/ci-bot/disable");
    let asked = root.submit_with(&csrf, &disable, &[]).await;
    let next = "next=%2Fsettings%2Fservice-accounts%2Fci-bot";
    assert!(asked.location().contains(next), "{}", asked.location());
    assert!(house.account().user.is_enabled());
}

/// Who does not keep it finds nothing there; an administrator finds its keepers, and not its tokens.
#[actix_web::test]
async fn a_stranger_finds_nothing() {
    let house = House::build().await;
    let bob = house.server.signed_in(&house.server.user("bob")).await;
    let root = house.server.signed_in(&house.server.admin("root")).await;
    let account = format!("{ACCOUNTS}/ci-bot");
    assert_eq!(bob.get(&account).await.status, 404);
    assert_eq!(root.get(&account).await.status, 200);
    for path in [TOKENS.to_owned(), format!("{TOKENS}/new")] {
        assert_eq!(bob.get(&path).await.status, 404);
        assert_eq!(root.get(&path).await.status, 404);
    }
    let csrf = bob.get("/settings/password").await.input("csrf");
    let made = bob.submit_with(&csrf, TOKENS, &[("name", "ci")]).await;
    assert_eq!(made.status, 404);
    let added = bob
        .submit_with(&csrf, &format!("{account}/keepers"), &[("keepers", "bob")])
        .await;
    assert_eq!(added.status, 404);
    assert_eq!(house.keepers(), ["alice"]);
}

/// A keeper adds another, and may leave then, but not before.
#[actix_web::test]
async fn a_keeper_hands_over() {
    let house = House::build().await;
    let bob = house.server.user("bob");
    let path = format!("{ACCOUNTS}/ci-bot");
    let csrf = house.browser.get(&path).await.input("csrf");
    let leave = format!("{path}/keepers/{}/remove", house.alice.id);
    let refused = house.browser.submit_with(&csrf, &leave, &[]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.says("alice is its last keeper"));
    let wrong = [("keepers", "nobody")];
    let refused = house
        .browser
        .submit_with(&csrf, &format!("{path}/keepers"), &wrong)
        .await;
    assert_eq!(
        (refused.status, refused.input("keepers")),
        (422, "nobody".to_owned())
    );
    let added = house
        .browser
        .submit_with(&csrf, &format!("{path}/keepers"), &[("keepers", "Bob")])
        .await;
    assert_eq!(added.location(), format!("{path}?done=added"));
    let left = house.browser.submit_with(&csrf, &leave, &[]).await;
    assert_eq!(left.location(), format!("{ACCOUNTS}?done=left"));
    assert_eq!(house.keepers(), ["bob"]);
    assert_eq!(house.browser.get(TOKENS).await.status, 404);
    assert_eq!(
        house.server.signed_in(&bob).await.get(TOKENS).await.status,
        200
    );
}

/// The last keeper, who may not leave, is removed by an administrator.
#[actix_web::test]
async fn an_administrator_removes_the_last_keeper() {
    let house = House::build().await;
    let root = house.server.signed_in(&house.server.admin("root")).await;
    let path = format!("{ACCOUNTS}/ci-bot");
    let csrf = root.get(&path).await.input("csrf");
    let remove = format!("{path}/keepers/{}/remove", house.alice.id);
    let removed = root.submit_with(&csrf, &remove, &[]).await;
    assert_eq!(removed.location(), format!("{path}?done=removed"));
    assert!(house.keepers().is_empty());
}

/// An administrator switches all of its tokens off, and on again; its keepers don't.
#[actix_web::test]
async fn an_administrator_disables_it_and_enables_it_again() {
    let house = House::build().await;
    let token = secret(&house.make().await);
    let notes = &house.notes;
    let root = house.server.signed_in(&house.server.admin("root")).await;
    let path = format!("{ACCOUNTS}/ci-bot");
    for (act, shown, says, works) in [
        (
            "disable",
            "Disable ci-bot",
            "None of its tokens works",
            false,
        ),
        ("enable", "Enable ci-bot", "Its tokens work again", true),
    ] {
        let page = root.get(&path).await;
        assert!(page.says(shown), "{}", page.text());
        let keepers = house.browser.get(&path).await;
        assert!(!keepers.says(shown), "{}", keepers.text());
        let csrf = keepers.input("csrf");
        let switch = format!("{path}/{act}");
        let refused = house.browser.submit_with(&csrf, &switch, &[]).await;
        assert_eq!(refused.status, 403);
        assert_eq!(notes.accepts(&token).await, !works);
        for _ in 0..2 {
            let done = root.submit_with(&page.input("csrf"), &switch, &[]).await;
            assert_eq!(done.location(), format!("{path}?done={act}d"));
            assert_eq!(notes.accepts(&token).await, works);
        }
        let after = root.get(&format!("{path}?done={act}d")).await;
        assert!(after.says(says), "{}", after.text());
    }
}

/// Who is removed while their own change is under way changes nothing: they are asked again where it is written.
#[actix_web::test]
async fn a_keeper_who_is_being_removed_neither_adds_nor_removes() {
    let house = House::build().await;
    let bob = house.server.user("bob");
    house.server.user("carol");
    let path = format!("{ACCOUNTS}/ci-bot");
    let csrf = house.browser.get(&path).await.input("csrf");
    let add = format!("{path}/keepers");
    let remove = format!("{path}/keepers/{}/remove", bob.id);
    for (change, fields) in [(&add, vec![("keepers", "carol")]), (&remove, vec![])] {
        let app = house.server.app.clone();
        let account = house.account();
        let (alice, bob) = (house.alice.clone(), bob.clone());
        house.server.write(|tx| {
            for keeper in [&alice, &bob] {
                account.add_keeper(tx, keeper).expect("they keep it");
            }
            Ok(())
        });
        let (tell, removed) = std::sync::mpsc::channel();
        let removal = std::thread::spawn(move || {
            let done = app.write_blocking(&Caller::command_line(), |tx| {
                let done = account.remove_keeper(tx, &alice, false);
                tell.send(()).expect("the test waits");
                // Until this ends, alice is found to be a keeper, and her change waits.
                std::thread::sleep(std::time::Duration::from_millis(500));
                done
            });
            done.expect("alice is removed");
        });
        removed.recv().expect("alice is removed");
        let refused = house.browser.submit_with(&csrf, change, &fields).await;
        assert_eq!(refused.status, 404, "{change}: {}", refused.body);
        removal.join().expect("alice is removed");
        assert_eq!(house.keepers(), ["bob"]);
    }
}

/// An administrator makes one by a form, which comes back as it was filled in.
#[actix_web::test]
async fn an_administrator_makes_one() {
    let house = House::build().await;
    let root = house.server.signed_in(&house.server.admin("root")).await;
    let fields = [
        ("name", "ci-bot"),
        ("description", "Ships"),
        ("keepers", "alice"),
    ];
    let refused = root.submit(ACCOUNTS, &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.error("name").is_some());
    assert_eq!(refused.input("description"), "Ships");
    assert_eq!(refused.input("keepers"), "alice");
    let fields = [
        ("name", "ship-bot"),
        ("description", "Ships"),
        ("keepers", "alice, root"),
    ];
    let made = root.submit(ACCOUNTS, &fields).await;
    assert_eq!(made.location(), format!("{ACCOUNTS}/ship-bot?done=created"));
    let list = root.get(ACCOUNTS).await;
    assert!(list.says("Kept by alice, root"), "{}", list.text());
    let csrf = house.browser.get(TOKENS).await.input("csrf");
    let not_hers = house.browser.submit_with(&csrf, ACCOUNTS, &fields).await;
    assert_eq!(not_hers.status, 403);
}

/// In everybody's list it is told from people.
#[actix_web::test]
async fn administrators_see_whose_token_is_no_persons() {
    let house = House::build().await;
    house.make().await;
    let root = house.server.signed_in(&house.server.admin("root")).await;
    let list = root.get("/admin/tokens").await;
    assert!(list.says("ci-bot service account"), "{}", list.text());
    let csv = root.get("/admin/tokens.csv").await;
    assert!(
        csv.body.contains("\"owner\",\"user id\",\"owner kind\""),
        "{}",
        csv.body
    );
    assert!(
        csv.body
            .contains(&format!("\"ci-bot\",\"{}\",\"service\"", house.bot.id)),
        "{}",
        csv.body
    );
    assert!(
        csv.body.contains(&format!("\"user:{}\"", house.alice.id)),
        "{}",
        csv.body
    );
}
