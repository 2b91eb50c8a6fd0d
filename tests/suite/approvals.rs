//! Tokens that wait for approval: who hears of them, what is decided, and who hears of that.

use jeton::domain::personal_token::End;
use jeton::domain::user::User;
use jeton::jobs::approvals::tell;
use jeton::jobs::remind::remind;
use serde_json::{Value, json};

use crate::support::{MINE, MailServer, ResourceServer, Script, Server, seconds, trail};

const POLICY: &str = "/api/policies/personal-access-tokens";
const HOUR: u64 = 3600;

struct House {
    post: MailServer,
    server: Server,
    notes: ResourceServer,
    alice: User,
    manager: Script,
}

impl House {
    /// Every token needs approval; alice and one of two administrators have an address.
    async fn build() -> Self {
        let post = MailServer::start();
        let server = Server::with_mail(&post, &[]).await;
        let notes = server.notes();
        let alice = server.user_with_address("alice");
        let root = server.admin("root");
        server.set_address(&root, "root@people.example");
        server.admin("nowhere");
        let manager = server
            .manager("pats:read pats:write policies:read policies:write")
            .await;
        let (_, mut policy) = manager.get(POLICY).await;
        policy["approvalRequired"] = json!(true);
        assert_eq!(manager.call("PUT", POLICY, policy).await.0, 200);
        Self {
            post,
            server,
            notes,
            alice,
            manager,
        }
    }

    /// A token of alice's that waits: its id and its secret.
    async fn waiting(&self, name: &str) -> (String, String) {
        let body = json!({"name": name, "scopes": ["notes:read"], "reason": format!("for {name}")});
        let browser = self.server.signed_in(&self.alice).await;
        let (status, made) = browser.api("POST", MINE, Some(body)).await;
        assert_eq!((status, &made["status"]), (201, &json!("pending")));
        let text = |key: &str| made[key].as_str().expect("a text").to_owned();
        (text("id"), text("value"))
    }

    async fn decide(&self, id: &str, verb: &str, body: Value) -> (u16, Value) {
        let path = format!("/api/personal-access-tokens/{id}/{verb}");
        self.manager.call("POST", &path, body).await
    }

    /// Subjects and texts of the mails to somebody, but for those about new tokens.
    async fn mails(&self, name: &str) -> Vec<(String, String)> {
        self.server.send_mails().await;
        let to = format!("{name}@people.example");
        let mails = self.post.mails().into_iter();
        let mails = mails.filter(|mail| mail.header("To").as_deref() == Some(&*to));
        let mails = mails.map(|mail| (mail.header("Subject").unwrap_or_default(), mail.text()));
        mails
            .filter(|(subject, _)| !subject.starts_with("New personal"))
            .collect()
    }
}

/// That administrators hear of a token of hers that waits keeps no letter about ends from alice.
#[actix_web::test]
async fn what_administrators_hear_holds_back_nothing() {
    let house = House::build().await;
    let end = house.server.clock.now() + seconds(5 * 24 * HOUR);
    let scope = "notes:read";
    house
        .server
        .personal_token_until(&house.alice, scope, End::At(end));
    house.server.clock.advance(seconds(4 * 24 * HOUR));
    house.waiting("ci").await;
    tell(&house.server.app).await.expect("the database answers");
    assert_eq!(house.mails("root").await.len(), 1);
    remind(&house.server.app)
        .await
        .expect("the database answers");
    let mails = house.mails("alice").await;
    assert!(
        mails
            .iter()
            .any(|(subject, _)| subject.ends_with("ends in 24 hours")),
        "{mails:?}"
    );
}

/// A refused token ends and never worked. Its owner reads why, in a mail and with the token; it is decided once.
#[actix_web::test]
async fn a_refused_token_ends_and_its_owner_reads_why() {
    let house = House::build().await;
    let (id, secret) = house.waiting("ci").await;
    for (body, status) in [
        (json!({"reason": ""}), 400),
        (json!({"reason": "  "}), 400),
        (json!({"reason": "x".repeat(256)}), 400),
        (json!({"reason": "two\nlines"}), 400),
        (json!({"words": "no"}), 400),
        (Value::Null, 400),
    ] {
        let (got, refused) = house.decide(&id, "refuse", body.clone()).await;
        assert_eq!(got, status, "{body}: {refused}");
    }
    let reason = json!({"reason": " use the team's token "});
    let (status, refused) = house.decide(&id, "refuse", reason.clone()).await;
    assert_eq!((status, &refused["status"]), (200, &json!("revoked")));
    let kept = json!("not approved: use the team's token");
    assert_eq!(refused["revokeReason"], kept);
    assert!(!house.notes.accepts(&secret).await);
    let mails = house.mails("alice").await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].0, "ci is not approved");
    assert!(
        mails[0].1.contains("use the team's token"),
        "{}",
        mails[0].1
    );

    for verb in ["refuse", "approve"] {
        let (status, again) = house.decide(&id, verb, reason.clone()).await;
        assert_eq!((status, &again["code"]), (409, &json!("pat.not_pending")));
    }
    assert_eq!(house.mails("alice").await.len(), 1);
    assert_eq!(trail(&house.server, "token.revoked").len(), 1);
    assert_eq!(house.decide("x", "refuse", reason).await.0, 404);
}

/// An approved token works, and can't be refused any more. Its owner is told, with the words if there are any.
#[actix_web::test]
async fn an_approved_token_works_and_its_owner_is_told() {
    let house = House::build().await;
    let (id, secret) = house.waiting("ci").await;
    let words = json!({"reason": "until the migration is done"});
    let (status, approved) = house.decide(&id, "approve", words.clone()).await;
    assert_eq!((status, &approved["status"]), (200, &json!("active")));
    assert!(house.notes.accepts(&secret).await);
    assert_eq!(house.decide(&id, "refuse", words).await.0, 409);
    assert!(house.notes.accepts(&secret).await);
    house.server.clock.advance(seconds(1));
    let (other, _) = house.waiting("backup").await;
    assert_eq!(house.decide(&other, "approve", Value::Null).await.0, 200);
    let mails = house.mails("alice").await;
    let subjects: Vec<&str> = mails.iter().map(|(subject, _)| &**subject).collect();
    assert_eq!(subjects, ["ci is approved", "backup is approved"]);
    assert!(
        mails[0]
            .1
            .contains("They wrote:\n\n  until the migration is done\n")
    );
    assert!(!mails[1].1.contains("They wrote"), "{}", mails[1].1);
    let details: Vec<String> = trail(&house.server, "token.approved")
        .iter()
        .map(|entry| entry.detail().to_owned())
        .collect();
    assert_eq!(details, ["ci: until the migration is done", "backup"]);
}

/// What ended while it waited can't be approved any more.
#[actix_web::test]
async fn what_ended_while_it_waited_is_not_approved() {
    let house = House::build().await;
    let (id, _) = house.waiting("ci").await;
    house.server.clock.advance(seconds(91 * 24 * HOUR));
    let manager = house.server.manager("pats:write").await;
    let path = format!("/api/personal-access-tokens/{id}/approve");
    assert_eq!(manager.call("POST", &path, Value::Null).await.0, 409);
    assert_eq!(tell(&house.server.app).await.unwrap(), 0);
}

/// Administrators with an address hear of each token that waits once: at most one letter an hour, in which are all.
#[actix_web::test]
async fn administrators_hear_of_what_waits_at_most_once_an_hour() {
    let house = House::build().await;
    let app = &house.server.app;
    assert_eq!(tell(app).await.unwrap(), 0, "nothing waits");
    house.waiting("first").await;
    assert_eq!(tell(app).await.unwrap(), 1);
    house.server.clock.advance(seconds(HOUR / 2));
    let (second, _) = house.waiting("second").await;
    house.waiting("third").await;
    for (pause, letters) in [(0, 1), (HOUR / 2 - 1, 1), (1, 2), (HOUR, 2), (24 * HOUR, 2)] {
        house.server.clock.advance(seconds(pause));
        tell(app).await.unwrap();
        let elsewhere = house.server.another_node().await;
        tell(&elsewhere.app).await.unwrap();
        assert_eq!(house.mails("root").await.len(), letters, "{pause}");
    }
    let mails = house.mails("root").await;
    assert_eq!(mails[0].0, "1 token waits for your approval");
    assert_eq!(mails[1].0, "3 tokens wait for your approval");
    for part in [
        "first of alice\n  notes:read\n  for: for first\n  has waited 1 hour\n",
        "second of alice",
        "third of alice",
        "/admin/approvals\n",
        "because you administer it",
    ] {
        assert!(mails[1].1.contains(part), "{part}: {}", mails[1].1);
    }
    // Who decided needs not be told; the next one is told at once, since the last letter was long ago.
    let manager = house.server.manager("pats:write").await;
    let path = format!("/api/personal-access-tokens/{second}/approve");
    assert_eq!(manager.call("POST", &path, Value::Null).await.0, 200);
    house.waiting("fourth").await;
    tell(app).await.unwrap();
    let mails = house.mails("root").await;
    assert_eq!(mails[2].0, "3 tokens wait for your approval");
    assert!(!mails[2].1.contains("second of"), "{}", mails[2].1);
}

/// A letter names twenty; while nobody can be told, nothing counts as told.
#[actix_web::test]
async fn a_letter_names_some_and_waits_for_somebody_to_tell() {
    let house = House::build().await;
    let root = house
        .server
        .write(|tx| Ok(User::named(tx, "root")?.expect("root")));
    for count in 0..22 {
        house.waiting(&format!("t{count}")).await;
    }
    let off = root.clone();
    house.server.write(move |tx| Ok(off.disable(tx)?));
    assert_eq!(tell(&house.server.app).await.unwrap(), 0);
    house.server.write(move |tx| Ok(root.enable(tx)?));
    assert_eq!(tell(&house.server.app).await.unwrap(), 1);
    let mails = house.mails("root").await;
    assert_eq!(mails[0].0, "22 tokens wait for your approval");
    assert_eq!(mails[0].1.matches(" of alice").count(), 20);
    assert!(mails[0].1.contains("and 2 more."), "{}", mails[0].1);
}

/// What an administrator decides about is what they see: until then its networks stay, and it has no successor.
#[actix_web::test]
async fn a_token_that_waits_stays_as_it_is() {
    let house = House::build().await;
    let (id, _) = house.waiting("ci").await;
    let browser = house.server.signed_in(&house.alice).await;
    let one = format!("{MINE}/{id}");
    let networks = json!({"allowedCidrs": ["192.0.2.0/24"]});
    let (status, refused) = browser.api("PATCH", &one, Some(networks.clone())).await;
    assert_eq!((status, &refused["code"]), (409, &json!("pat.pending")));
    let rotate = format!("{one}/rotate");
    let (status, refused) = browser.api("POST", &rotate, Some(json!({}))).await;
    assert_eq!((status, &refused["code"]), (409, &json!("pat.pending")));
    let same = json!({"name": "deploy", "allowedCidrs": []});
    assert_eq!(browser.api("PATCH", &one, Some(same)).await.0, 200);
    assert_eq!(house.decide(&id, "approve", json!({})).await.0, 200);
    assert_eq!(browser.api("PATCH", &one, Some(networks)).await.0, 200);
    assert_eq!(browser.api("POST", &rotate, Some(json!({}))).await.0, 201);
}

/// While it waits it does not lie unused: its idle life counts from the approval.
#[actix_web::test]
async fn the_idle_life_counts_from_the_approval() {
    let house = House::build().await;
    let body = json!({
        "name": "ci", "scopes": ["notes:read"], "reason": "for ci",
        "idleSeconds": 24 * HOUR, "neverExpires": true,
    });
    let browser = house.server.signed_in(&house.alice).await;
    let (status, made) = browser.api("POST", MINE, Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let (id, secret) = (
        made["id"].as_str().unwrap(),
        made["value"].as_str().unwrap(),
    );
    house.server.clock.advance(seconds(10 * 24 * HOUR));
    let manager = house.server.manager("pats:read pats:write").await;
    let path = "/api/personal-access-tokens";
    let (_, waiting) = manager.get(&format!("{path}?status=pending")).await;
    assert_eq!(waiting["items"][0]["id"], id, "{waiting}");
    let approve = format!("{path}/{id}/approve");
    assert_eq!(manager.call("POST", &approve, json!({})).await.0, 200);
    house.server.clock.advance(seconds(24 * HOUR - 1));
    assert!(house.notes.accepts(secret).await);
    house.server.clock.advance(seconds(1));
    assert!(!house.notes.accepts(secret).await);
}
