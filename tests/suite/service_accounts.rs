//! Service accounts: nobody signs in as one, its keepers hear of its tokens, and administrators decide who they are.

mod letters;

use std::collections::BTreeSet;

use actix_web::FromRequest;
use actix_web::test::TestRequest;
use actix_web::web::Path;
use diesel::prelude::*;
use jeton::db::Fault;
use jeton::db::schema::users;
use jeton::domain::service_account::{ServiceAccount, Unfit};
use jeton::domain::tx::Caller;
use jeton::web::doors::SignedIn;
use jeton::web::pages::Error;
use jeton::web::whose::{Meant, Whose};
use serde_json::{Value, json};

use crate::support::{Jeton, PASSWORD, Server, trail};

const ACCOUNTS: &str = "/api/service-accounts";

const DAY: u64 = 86_400;

/// Nobody has a password for it, and even the right words in its row would not let them in.
#[actix_web::test]
async fn nobody_signs_in_as_one() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let bot = server.service_account("ci-bot", &[&alice]);
    for password in ["", PASSWORD] {
        let browser = server.browser();
        let page = browser.sign_in("ci-bot", password).await;
        assert_eq!(page.status, 401, "{}", page.body);
    }
    assert!(!bot.may_sign_in() && bot.is_enabled() && !bot.is_admin);
}

/// Whatever tries it: the database itself takes no password, no address and no role for one.
#[actix_web::test]
async fn the_database_keeps_it_from_being_a_person() {
    let server = Server::start().await;
    let bot = server.service_account("ci-bot", &[&server.user("alice")]);
    let changed = |change: &dyn Fn(&mut jeton::db::Conn) -> QueryResult<usize>| {
        let changed = server
            .app
            .write_blocking(&Caller::command_line(), |tx| Ok::<_, Fault>(change(tx)?));
        changed.is_ok()
    };
    let row = || users::table.find(bot.id);
    assert!(!changed(&|conn| diesel::update(row())
        .set(users::password_hash.eq("x"))
        .execute(conn)));
    assert!(!changed(&|conn| diesel::update(row())
        .set(users::email.eq("a@b"))
        .execute(conn)));
    assert!(!changed(&|conn| diesel::update(row())
        .set(users::is_admin.eq(true))
        .execute(conn)));
    assert!(!changed(&|conn| diesel::update(row())
        .set(users::kind.eq("robot"))
        .execute(conn)));
    assert!(changed(&|conn| diesel::update(row())
        .set(users::description.eq("x"))
        .execute(conn)));
}

/// Its name is one that nobody else has, and a step in a path is none.
#[actix_web::test]
async fn a_name_is_one_accounts() {
    let server = Server::start().await;
    let root = server.signed_in(&server.admin("root")).await;
    server.service_account("ci-bot", &[&server.user("alice")]);
    let make = async |name: &str| {
        let new = json!({"name": name, "keepers": ["alice"]});
        let (status, answer) = root.api("POST", ACCOUNTS, Some(new)).await;
        (
            status,
            answer["code"].as_str().unwrap_or_default().to_owned(),
        )
    };
    let taken = (422, "service_account.name_exists".to_owned());
    assert_eq!(make("alice").await, taken);
    assert_eq!(make("CI-Bot").await, taken);
    for bad in ["", "..", "a b", "a/b", &"a".repeat(65)] {
        assert_eq!(
            make(bad).await,
            (400, "service_account.name_invalid".to_owned())
        );
    }
    assert_eq!(make("deploy.bot").await.0, 201);
}

/// An administrator makes one, describes it, decides who keeps it, disables it and enables it again.
#[actix_web::test]
async fn an_administrator_manages_it() {
    let server = Server::start().await;
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    let root = server.signed_in(&server.admin("root")).await;
    let new = json!({"name": "ci-bot", "description": "Deploys", "keepers": ["alice", bob.id.to_string()]});
    let (status, made) = root.api("POST", ACCOUNTS, Some(new)).await;
    assert_eq!(status, 201, "{made}");
    let path = format!("{ACCOUNTS}/{}", made["id"].as_str().unwrap());
    let keepers = |account: &Value| -> Vec<String> {
        let keepers = account["keepers"].as_array().expect("keepers").iter();
        keepers
            .map(|k| k["username"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(keepers(&made), ["alice", "bob"]);
    assert_eq!(root.api("GET", ACCOUNTS, None).await.1, json!([made]));
    assert_eq!(root.api("GET", &path, None).await.1, made);
    let (_, told) = root
        .api("PATCH", &path, Some(json!({"description": "Ships"})))
        .await;
    assert_eq!(told["description"], "Ships");
    let only = json!({"keepers": ["bob"]});
    let (_, told) = root
        .api("PUT", &format!("{path}/keepers"), Some(only))
        .await;
    assert_eq!(keepers(&told), ["bob"]);
    assert_eq!(root.api("DELETE", &path, None).await.0, 204);
    assert!(root.api("GET", &path, None).await.1["disabledAt"].is_number());
    let (_, told) = root
        .api("PATCH", &path, Some(json!({"disabled": false})))
        .await;
    assert_eq!(told["disabledAt"], Value::Null);
    let events = |what: &str| -> BTreeSet<String> {
        let events = trail(&server, what);
        events
            .iter()
            .map(|event| event.detail().to_owned())
            .collect()
    };
    assert_eq!(events("service_account.created"), set(&["ci-bot"]));
    assert_eq!(
        events("service_account.keeper_added"),
        set(&["alice", "bob"])
    );
    assert_eq!(events("service_account.keeper_removed"), set(&["alice"]));
    assert!(
        !server
            .write(|tx| Ok(ServiceAccount::kept_by(tx, bob.id)?))
            .is_empty()
    );
    assert!(
        server
            .write(|tx| Ok(ServiceAccount::kept_by(tx, alice.id)?))
            .is_empty()
    );
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// A description is one line, and no longer than it may be.
#[actix_web::test]
async fn a_description_is_one_short_line() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let bot = server.service_account("ci-bot", &[&alice]);
    let root = server.signed_in(&server.admin("root")).await;
    let path = format!("{ACCOUNTS}/{}", bot.id);
    let invalid = json!("service_account.description_invalid");
    for bad in ["two\nlines", &"é".repeat(256)] {
        let new = json!({"name": "other", "description": bad, "keepers": ["alice"]});
        let (status, refused) = root.api("POST", ACCOUNTS, Some(new)).await;
        assert_eq!((status, &refused["code"]), (400, &invalid), "{refused}");
        let changes = json!({"description": bad, "disabled": true});
        let (status, refused) = root.api("PATCH", &path, Some(changes)).await;
        assert_eq!((status, &refused["code"]), (400, &invalid), "{refused}");
    }
    let longest = "é".repeat(255);
    let changes = json!({"description": format!(" {longest} ")});
    let (_, told) = root.api("PATCH", &path, Some(changes)).await;
    assert_eq!(
        (&told["description"], &told["disabledAt"]),
        (&json!(longest), &Value::Null)
    );
}

/// It needs a keeper, and keepers are people who can sign in.
#[actix_web::test]
async fn a_keeper_is_a_person() {
    let server = Server::start().await;
    let root = server.signed_in(&server.admin("root")).await;
    let gone = server.user("gone");
    server.write(|tx| Ok(gone.disable(tx)?));
    server.service_account("other-bot", &[&server.user("alice")]);
    for (keepers, code) in [
        (json!([]), "service_account.keeper_required"),
        (json!(["nobody"]), "service_account.keeper_unknown"),
        (json!(["other-bot"]), "service_account.keeper_unknown"),
        (json!(["alice", "gone"]), "service_account.keeper_unknown"),
    ] {
        let new = json!({"name": "ci-bot", "keepers": keepers});
        let (status, refused) = root.api("POST", ACCOUNTS, Some(new)).await;
        assert_eq!((status, refused["code"].as_str()), (422, Some(code)));
    }
    let (_, all) = root.api("GET", ACCOUNTS, None).await;
    assert_eq!(all.as_array().map(Vec::len), Some(1));
}

/// What is shown can be put back: who keeps it already stays, if their account is disabled too.
#[actix_web::test]
async fn the_keepers_shown_can_be_put_back() {
    let server = Server::start().await;
    let (alice, gone) = (server.user("alice"), server.user("gone"));
    let bot = server.service_account("ci-bot", &[&alice, &gone]);
    let other = server.service_account("other-bot", &[&server.user("bob")]);
    server.write(|tx| Ok(gone.disable(tx)?));
    let root = server.signed_in(&server.admin("root")).await;
    let path = format!("{ACCOUNTS}/{}", bot.id);
    let (_, shown) = root.api("GET", &path, None).await;
    let put = json!({"keepers": ["alice", gone.id.to_string()]});
    let (status, told) = root
        .api("PUT", &format!("{path}/keepers"), Some(put.clone()))
        .await;
    assert_eq!((status, &told), (200, &shown));
    let path = format!("{ACCOUNTS}/{}", other.id);
    let (status, refused) = root.api("PUT", &format!("{path}/keepers"), Some(put)).await;
    assert_eq!(
        (status, &refused["code"]),
        (422, &json!("service_account.keeper_unknown"))
    );
    let (_, unchanged) = root.api("GET", &path, None).await;
    let keepers = unchanged["keepers"].as_array().expect("keepers");
    assert_eq!((keepers.len(), &keepers[0]["username"]), (1, &json!("bob")));
}

/// One that nobody can manage goes on, and is shown to administrators as such.
#[actix_web::test]
async fn one_without_a_keeper_goes_on() {
    let server = Server::start().await;
    let notes = server.notes();
    let alice = server.user("alice");
    let bot = server.service_account("ci-bot", &[&alice]);
    let token = server.personal_token(&bot, "notes:read");
    let root = server.signed_in(&server.admin("root")).await;
    let path = format!("{ACCOUNTS}/{}", bot.id);
    assert_eq!(root.api("GET", &path, None).await.1["hasKeeper"], true);
    server.write(|tx| Ok(alice.disable(tx)?));
    assert_eq!(root.api("GET", &path, None).await.1["hasKeeper"], false);
    let nobody = json!({"keepers": []});
    let (status, told) = root
        .api("PUT", &format!("{path}/keepers"), Some(nobody))
        .await;
    assert_eq!((status, &told["keepers"]), (200, &json!([])));
    assert!(notes.accepts(&token).await);
}

/// The last one who can sign in does not just leave.
#[actix_web::test]
async fn the_last_keeper_stays() {
    let server = Server::start().await;
    let (alice, gone) = (server.user("alice"), server.user("gone"));
    let bot = server.service_account("ci-bot", &[&alice, &gone]);
    server.write(|tx| Ok(gone.disable(tx)?));
    let remove = |may_be_last| {
        server.app.write_blocking(&Caller::command_line(), |tx| {
            let account = ServiceAccount::find(tx, bot.id)?.expect("it is there");
            account.remove_keeper(tx, &alice, may_be_last)
        })
    };
    assert!(matches!(remove(false), Err(Unfit::LastKeeper(name)) if name == "alice"));
    assert!(remove(true).is_ok());
}

/// Those that I keep are told to me and to nobody else.
#[actix_web::test]
async fn a_keeper_sees_theirs() {
    let server = Server::start().await;
    let (alice, bob) = (server.user("alice"), server.user("bob"));
    server.service_account("ci-bot", &[&alice]);
    let path = "/api/my-account/service-accounts";
    let (_, hers) = server.signed_in(&alice).await.api("GET", path, None).await;
    assert_eq!(hers[0]["name"], "ci-bot");
    let (_, his) = server.signed_in(&bob).await.api("GET", path, None).await;
    assert_eq!(his, json!([]));
}

/// Who is removed between the question and the change makes nothing any more: it is asked again where it is written.
#[actix_web::test]
async fn a_keeper_who_was_just_removed_changes_nothing() {
    let server = Server::start().await;
    let alice = server.user("alice");
    let bot = server.service_account("ci-bot", &[&alice, &server.user("bob")]);
    let browser = server.signed_in(&alice).await;
    let request = TestRequest::default()
        .app_data(server.app.clone())
        .insert_header(("cookie", browser.cookies()))
        .param("account", "ci-bot")
        .to_http_request();
    let person = SignedIn::extract(&request)
        .await
        .expect("alice is signed in");
    let meant = Path::<Meant>::extract(&request).await.expect("a path");
    let whose = Whose::of(&person, &meant).await.expect("alice keeps it");
    assert!(whose.write(&person, |_| Ok::<_, Fault>(())).await.is_ok());
    server.write(|tx| {
        let account = ServiceAccount::find(tx, bot.id)?.expect("it is there");
        account
            .remove_keeper(tx, &alice, false)
            .expect("bob is left");
        Ok(())
    });
    let refused = whose.write(&person, |_| Ok::<_, Fault>(())).await;
    assert!(matches!(refused, Err(Error::NotFound)));
    let page = browser.get("/settings/tokens").await;
    assert_eq!(page.status, 200, "she is signed in as before");
}

/// The command line makes, lists, hands over, disables and enables; and gives no password.
#[test]
fn the_command_line_manages_it() {
    let jeton = Jeton::new();
    jeton.user("alice", PASSWORD);
    jeton.user("bob", PASSWORD);
    let made = jeton.json(&[
        "service-account",
        "create",
        "ci-bot",
        "--keeper=alice",
        "--description=Deploys",
    ]);
    assert_eq!(
        (&made["name"], &made["keepers"]),
        (&json!("ci-bot"), &json!(["alice"]))
    );
    let taken = jeton.run(&["user", "create", "ci-bot", "--password-stdin"]);
    assert_ne!(taken.code, 0);
    let last = jeton.run(&["service-account", "keeper", "remove", "ci-bot", "alice"]);
    assert_eq!(last.code, 1);
    assert!(last.stderr.contains("last keeper"), "{}", last.stderr);
    let remove = ["service-account", "keeper", "remove", "ci-bot"];
    for nobody in ["bob", "carol"] {
        let refused = jeton.run(&[&remove[..], &[nobody]].concat());
        let said = format!("{nobody} does not keep ci-bot");
        assert!(refused.stderr.contains(&said), "{}", refused.stderr);
    }
    let added = jeton.json(&["service-account", "keeper", "add", "ci-bot", "bob"]);
    assert_eq!(added["keepers"], json!(["alice", "bob"]));
    let people = jeton.json(&["user", "list"]);
    let mut people = people.as_array().expect("a list").iter();
    let alice = people.find(|person| person["username"] == "alice");
    let alice = alice.expect("alice")["id"].as_str().expect("an id");
    let left = jeton.json(&["service-account", "keeper", "remove", "ci-bot", alice]);
    assert_eq!(left["keepers"], json!(["bob"]));
    let none = jeton.json(&[
        "service-account",
        "keeper",
        "remove",
        "ci-bot",
        "bob",
        "--force",
    ]);
    assert_eq!(
        (&none["keepers"], &none["has_keeper"]),
        (&json!([]), &json!(false))
    );
    assert_eq!(
        jeton.json(&["service-account", "disable", "ci-bot"])["disabled"],
        true
    );
    let on = jeton.json(&["service-account", "enable", "ci-bot"]);
    assert_eq!(jeton.json(&["service-account", "list"]), json!([on]));
    for of_a_person in [
        ["user", "set-password", "ci-bot", "--password-stdin"],
        ["user", "set-email", "ci-bot", "bot@example.com"],
    ] {
        let refused = jeton.run_with(&of_a_person, PASSWORD);
        assert_eq!(refused.code, 1, "{of_a_person:?}");
        let said = "nobody signs in as it";
        assert!(refused.stderr.contains(said), "{}", refused.stderr);
    }
    let long = format!("--description={}", "a".repeat(256));
    let described = jeton.run(&["service-account", "create", "other", "--keeper=bob", &long]);
    let said = "at most 255 characters";
    assert!(described.stderr.contains(said), "{}", described.stderr);
    let person = jeton.run(&["service-account", "disable", "alice"]);
    assert!(
        person.stderr.contains("no service account alice"),
        "{}",
        person.stderr
    );
}
