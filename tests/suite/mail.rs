//! Mails: queued in the transaction of what they are about, and handed to a mail server by one node.

use diesel::prelude::*;
use jeton::db::schema::{audit_events, grants, mails};
use jeton::db::{Fault, Refusal};
use jeton::domain::grant::Via;
use jeton::domain::letter::Letter;
use jeton::domain::limits::Limits;
use jeton::domain::mail;
use jeton::domain::personal_token::{End, NewPersonalToken, PersonalToken, Problem};
use jeton::domain::tx::{Caller, Tx};
use jeton::domain::user::User;
use jeton::domain::words::{Audience, Scope};
use jeton::jobs::sweep::sweep;
use serde_json::json;

use crate::support::{Jeton, MINE, MailServer, Server, count, seconds};

const DAY: u64 = 86_400;

/// A token named `ci`, as nobody could refuse it.
fn make(tx: &mut Tx, owner: &User, scope: &str) -> Result<PersonalToken, Problem> {
    let new = NewPersonalToken {
        name: "ci".to_owned(),
        description: String::new(),
        scope: Scope::parse(scope).unwrap(),
        audience: Audience::of(["https://notes.example"]).unwrap(),
        authorization_details: None,
        end: End::Never,
        limits: Limits::default(),
        reason: String::new(),
    };
    Ok(PersonalToken::create(tx, owner, new, Via::CommandLine)?.0)
}

/// What the trail says of mails.
fn queued(server: &Server) -> Vec<(Option<String>, bool)> {
    server.write(|tx| {
        let events = audit_events::table
            .filter(audit_events::event.eq("mail.queued"))
            .order(audit_events::id)
            .select((audit_events::detail, audit_events::grant_id.is_not_null()));
        Ok(events.load(&mut **tx)?)
    })
}

/// The owner of a new token hears of it, by whatever door it was made and by whom: what it is, and how to end it.
#[actix_web::test]
async fn the_owner_of_a_new_token_is_told() {
    for door in ["page", "api", "administrator", "service", "command line"] {
        let post = MailServer::start();
        let server = Server::with_mail(&post, &[]).await;
        server.notes();
        let alice = server.user_with_address("alice");
        let body = json!({"name": "ci", "scopes": ["notes:read"]});
        let theirs = format!("/api/users/{}/personal-access-tokens", alice.id);
        let by = match door {
            "page" => {
                let browser = server.signed_in(&alice).await;
                let csrf = browser.get("/settings/tokens/new").await.input("csrf");
                let fields = [
                    ("name", "ci"),
                    ("scope", "https://notes.example notes:read"),
                    ("expires", "30d"),
                ];
                let page = browser.submit_with(&csrf, "/settings/tokens", &fields);
                assert_eq!(page.await.status, 201);
                "by you on its pages, from 127.0.0.1"
            }
            "api" => {
                let browser = server.signed_in(&alice).await;
                assert_eq!(browser.api("POST", MINE, Some(body)).await.0, 201);
                "by you through its API, from 127.0.0.1"
            }
            "administrator" => {
                let root = server.signed_in(&server.admin("root")).await;
                assert_eq!(root.api("POST", &theirs, Some(body)).await.0, 201);
                "by an administrator through its API, from 127.0.0.1"
            }
            "service" => {
                let manager = server.manager("pats:write").await;
                assert_eq!(manager.call("POST", &theirs, body).await.0, 201);
                "by an app through its API, from 127.0.0.1"
            }
            _ => {
                server.write(|tx| Ok(make(tx, &alice, "notes:read").expect("it is made")));
                "by the operator at its command line"
            }
        };
        let made = server.write(|tx| Ok(PersonalToken::all_of(tx, alice.id)?.remove(0)));
        assert_eq!(
            queued(&server),
            [(Some("token.added".into()), true)],
            "{door}"
        );
        assert!(post.talks().is_empty(), "{door}: it was not sent yet");
        server.send_mails().await;
        let mail = post.mail();
        let header = |name: &str| mail.header(name).unwrap_or_default();
        assert_eq!(header("To"), "alice@people.example", "{door}");
        assert_eq!(header("From"), "Jeton <jeton@auth.example>");
        assert_eq!(header("Subject"), "New personal access token: ci");
        assert_eq!(header("Auto-Submitted"), "auto-generated");
        assert_eq!(header("Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
        let text = mail.text();
        assert!(text.contains(by), "{door}: {text}");
        assert!(text.contains("notes:read"), "{door}: {text}");
        assert!(text.contains(&made.token.hint), "{door}: {text}");
        let link = format!("{}/settings/tokens/{}/revoke\n", server.url, made.token.id);
        assert!(text.contains(&link), "{door}: {text}");
    }
}

/// Our name and the sender's and recipient's addresses are what they should be, and the talk ends as it should.
#[actix_web::test]
async fn it_is_said_as_rfc_5321_wants_it() {
    let post = MailServer::start();
    let server = Server::with_mail(&post, &[]).await;
    server.notes();
    let alice = server.user_with_address("alice");
    server.personal_token(&alice, "notes:read");
    server.send_mails().await;
    assert_eq!(
        post.mail().commands,
        [
            "EHLO [127.0.0.1]",
            "MAIL FROM:<jeton@auth.example>",
            "RCPT TO:<alice@people.example>",
            "DATA",
            "QUIT"
        ]
    );
    server.send_mails().await;
    assert_eq!(post.talks().len(), 1, "it is sent once");
}

/// The mail has no secret in it: what is in the database cannot give the token away, and neither can who reads the mail.
#[actix_web::test]
async fn no_secret_is_in_it() {
    let post = MailServer::start();
    let server = Server::with_mail(&post, &[]).await;
    server.notes();
    let secret = server.personal_token(&server.user_with_address("alice"), "notes:read");
    server.send_mails().await;
    let content = String::from_utf8(post.mail().content).unwrap();
    assert!(!content.contains(&secret[..20]), "{content}");
    assert!(content.contains(&secret[..14]), "the hint is in it");
}

/// "A refusal is an outcome": a token that was refused, or whose making was undone, is told of to nobody.
#[actix_web::test]
async fn what_was_not_made_is_not_told_of() {
    let post = MailServer::start();
    let server = Server::with_mail(&post, &[]).await;
    server.notes();
    let alice = server.user_with_address("alice");
    let as_operator = Caller::command_line();
    let refused = server
        .app
        .write_blocking(&as_operator, |tx| make(tx, &alice, "notes:fly"));
    assert!(!refused.expect_err("there is no such scope").is_fault());
    let undone = server.app.write_blocking(&as_operator, |tx| {
        make(tx, &alice, "notes:read")?;
        Err::<(), _>(Problem::Fault(Fault::Broken("the disk is full")))
    });
    assert!(undone.is_err());
    server.send_mails().await;
    assert_eq!((count!(server, mails), post.talks().len()), (0, 0));
    server.personal_token(&alice, "notes:read");
    server.send_mails().await;
    assert_eq!(post.mails().len(), 1);
}

/// Nobody is told who has no address or whose account is disabled, and nobody at all where there is no mail server or no
/// sender.
#[actix_web::test]
async fn who_can_not_be_told_is_not() {
    for case in ["no address", "disabled", "no smtp_url", "no mail_from"] {
        let post = MailServer::start();
        let settings: Vec<(String, String)> = post
            .settings()
            .into_iter()
            .filter(|(name, _)| case != format!("no {name}"))
            .collect();
        let settings: Vec<(&str, &str)> = settings
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        let server = Server::with(&settings).await;
        server.notes();
        let alice = match case {
            "no address" => server.user("alice"),
            _ => server.user_with_address("alice"),
        };
        server.write(|tx| {
            let token = make(tx, &alice, "notes:read").expect("it is made");
            if case == "disabled" {
                diesel::delete(mails::table).execute(&mut **tx)?;
                alice.disable(tx)?;
                mail::tell(tx, alice.id, &Letter::ReuseDetected(&token))?;
            }
            Ok(())
        });
        server.send_mails().await;
        assert_eq!(count!(server, mails), 0, "{case}");
        assert!(post.talks().is_empty(), "{case}");
        assert_eq!(count!(server, grants), 1, "{case}: the token is made");
    }
}

/// However many nodes send, each mail is sent by one of them, once.
#[actix_web::test]
async fn of_two_nodes_one_sends_a_mail() {
    const MANY: usize = 30;
    let post = MailServer::start();
    let server = Server::with_mail(&post, &[]).await;
    server.notes();
    let alice = server.user_with_address("alice");
    for _ in 0..MANY {
        server.personal_token(&alice, "notes:read");
    }
    let other = server.another_node().await;
    let both = [server.app.clone(), other.app.clone()]
        .map(|app| actix_web::rt::spawn(async move { jeton::jobs::send_mail::send(&app).await }));
    for sent in both {
        sent.await.expect("no panic").expect("no fault");
    }
    let mut ids: Vec<String> = post
        .mails()
        .iter()
        .map(|mail| mail.header("Message-ID").expect("it has one"))
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), post.talks().len()), (MANY, MANY));
}

/// A mail that was sent is kept for a week, one that waits for as long as it waits.
#[actix_web::test]
async fn sent_mails_go_after_a_week() {
    let post = MailServer::start();
    let server = Server::with_mail(&post, &[]).await;
    server.notes();
    let alice = server.user_with_address("alice");
    server.personal_token(&alice, "notes:read");
    server.send_mails().await;
    server.personal_token(&alice, "notes:read");
    server.clock.advance(seconds(7 * DAY));
    sweep(&server.app).await.unwrap();
    assert_eq!(count!(server, mails), 2);
    server.clock.advance(seconds(1));
    sweep(&server.app).await.unwrap();
    assert_eq!(count!(server, mails), 1);
    server.send_mails().await;
    assert_eq!(post.mails().len(), 2);
}

/// The address is that of the account as the operator made it.
#[test]
fn an_address_comes_from_the_command_line() {
    let post = MailServer::start();
    let settings = post.settings();
    let settings: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let jeton = Jeton::with(&settings);
    let server = jeton.serve();
    jeton.notes(&server.url);
    jeton.json_with(
        &[
            "user",
            "create",
            "bob",
            "--email=bob@people.example",
            "--password-stdin",
        ],
        "correct horse battery staple\n",
    );
    jeton.token("bob", "laptop");
    server.errors.wait_for("a mail was sent");
    let mail = post.mail();
    assert_eq!(mail.header("To").as_deref(), Some("bob@people.example"));
    let log = server.errors.text();
    assert!(!log.contains("bob@people.example"), "{log}");
}
