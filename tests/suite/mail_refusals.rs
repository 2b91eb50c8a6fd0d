//! A mail server that does not want our mail, now or ever, and one that says nothing.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use jeton::config::Config;
use jeton::db::schema::{audit_events, mails};
use jeton::domain::mail::{Mail, Tried};

use crate::support::{Log, MailServer, Server, seconds};

const HOUR: u64 = 3600;

/// A server with a mail to alice that waits.
async fn with_a_mail(post: &MailServer, settings: &[(&str, &str)]) -> Server {
    let server = Server::with_mail(post, settings).await;
    server.notes();
    let alice = server.user_with_address("alice");
    server.personal_token(&alice, "notes:read");
    server
}

/// How often each mail was tried, and whether it still waits.
fn tries(server: &Server) -> Vec<(i32, bool)> {
    server.write(|tx| {
        let all = mails::table
            .order((mails::next_at, mails::id))
            .select((mails::tries, mails::next_at.is_not_null()));
        Ok(all.load(&mut **tx)?)
    })
}

/// What was given up, as the trail has it.
fn given_up(server: &Server) -> Vec<String> {
    server.write(|tx| {
        let events = audit_events::table
            .filter(audit_events::event.eq("mail.given_up"))
            .filter(audit_events::user_id.is_not_null())
            .select(audit_events::detail.assume_not_null());
        Ok(events.load(&mut **tx)?)
    })
}

/// "451 Requested action aborted: local error in processing" (RFC 5321 §4.2.3): it is tried again after a minute, after two
/// more, and so on. It stays the same mail, under the same Message-ID.
#[actix_web::test]
async fn a_mail_is_tried_again_after_a_451() {
    let post = MailServer::start();
    let server = with_a_mail(&post, &[]).await;
    post.answer(".", "451 4.3.0 try again");
    for (pause, talks) in [(0, 1), (59, 1), (1, 2), (119, 2), (1, 3)] {
        server.clock.advance(seconds(pause));
        server.send_mails().await;
        assert_eq!(post.talks().len(), talks);
    }
    post.be_kind();
    server.clock.advance(seconds(240));
    server.send_mails().await;
    let taken = post.mail();
    for refused in &post.talks()[..3] {
        assert_eq!(refused.content, taken.content);
    }
    let id = taken.header("Message-ID").expect("it has one");
    assert!(id.ends_with("@auth.example>"), "{id}");
    assert_eq!(tries(&server), [(4, false)]);
    assert_eq!(given_up(&server), [""; 0]);
}

/// A recipient that the mail server does not have is not tried again, and the trail says so.
#[actix_web::test]
async fn a_refused_recipient_is_given_up() {
    let post = MailServer::start();
    let server = with_a_mail(&post, &[]).await;
    post.answer("RCPT", "550 5.1.1 no such user here");
    server.send_mails().await;
    assert_eq!(tries(&server), [(1, false)]);
    let why = given_up(&server).remove(0);
    assert!(why.starts_with("token.added: "), "{why}");
    assert!(why.contains("550") && why.contains("no such user"), "{why}");
    post.be_kind();
    server.clock.advance(seconds(48 * HOUR));
    server.send_mails().await;
    assert_eq!(post.talks().len(), 1);
}

/// What is never taken is given up a day after it was tried first.
#[actix_web::test]
async fn a_mail_is_given_up_after_a_day() {
    let post = MailServer::start();
    let server = with_a_mail(&post, &[]).await;
    post.answer("RCPT", "450 4.2.0 greylisted");
    let mut minutes = 0;
    while given_up(&server).is_empty() {
        assert!(minutes < 30 * 60, "it is tried for ever");
        server.clock.advance(seconds(60));
        server.send_mails().await;
        minutes += 1;
    }
    assert_eq!(minutes / 60, 24);
    assert_eq!(given_up(&server).len(), 1);
    let tried = post.talks().len();
    server.clock.advance(seconds(48 * HOUR));
    server.send_mails().await;
    assert_eq!(post.talks().len(), tried);
}

/// A sender that is refused is the operator's to mend: the mail waits, and others are not tried in vain.
#[actix_web::test]
async fn a_refused_sender_costs_no_mail() {
    let post = MailServer::start();
    let server = with_a_mail(&post, &[]).await;
    server.personal_token(&server.user_with_address("bob"), "notes:read");
    post.answer("MAIL", "550 5.7.1 not from you");
    server.send_mails().await;
    assert_eq!(tries(&server), [(0, true), (1, true)]);
    assert_eq!(given_up(&server), [""; 0]);
    post.be_kind();
    server.clock.advance(seconds(60));
    server.send_mails().await;
    assert_eq!(post.mails().len(), 2);
}

/// Where nobody listens one mail is tried, and the others wait as they are.
#[actix_web::test]
async fn where_there_is_no_mail_server_mails_wait() {
    let post = MailServer::start();
    let gone = MailServer::start().url();
    let server = Server::with(&[("smtp_url", &gone), ("mail_from", "jeton@auth.example")]).await;
    server.notes();
    let alice = server.user_with_address("alice");
    for _ in 0..3 {
        server.personal_token(&alice, "notes:read");
    }
    server.send_mails().await;
    assert_eq!(tries(&server), [(0, true), (0, true), (1, true)]);
    assert!(post.talks().is_empty());
}

/// A mail server that stops talking costs half a minute, and no mail.
#[actix_web::test]
async fn silence_hangs_nothing() {
    let silences = ["hello", "RCPT", "."].map(async |command| {
        let post = MailServer::start();
        let server = with_a_mail(&post, &[]).await;
        post.fall_silent(command);
        let began = Instant::now();
        server.send_mails().await;
        let took = began.elapsed();
        assert!(took < Duration::from_secs(40), "{command}: {took:?}");
        assert_eq!(tries(&server), [(1, true)], "{command}");
        post.be_kind();
        server.clock.advance(seconds(60));
        server.send_mails().await;
        assert_eq!(post.mails().len(), 1, "{command}");
    });
    futures_util::future::join_all(silences).await;
}

/// Whoever says no goodbye has the mail all the same.
#[actix_web::test]
async fn a_missing_goodbye_sends_nothing_twice() {
    let post = MailServer::start();
    let server = with_a_mail(&post, &[]).await;
    post.fall_silent("QUIT");
    server.send_mails().await;
    assert_eq!(tries(&server), [(1, false)]);
    server.clock.advance(seconds(HOUR));
    server.send_mails().await;
    assert_eq!(post.mails().len(), 1);
}

/// A node that took a mail and was never heard of again leaves it to the others, after a minute; and what it has to say
/// later changes nothing.
#[actix_web::test]
async fn a_mail_outlives_the_node_that_took_it() {
    let post = MailServer::start();
    let server = with_a_mail(&post, &[]).await;
    let dead = server.write(|tx| {
        let id = mails::table.select(mails::id).first(&mut **tx)?;
        let mail = Mail::take(tx, id)?.expect("it is due");
        assert!(Mail::take(tx, id)?.is_none(), "it was taken twice");
        Ok(mail)
    });
    server.clock.advance(seconds(59));
    server.send_mails().await;
    assert!(post.talks().is_empty());
    server.clock.advance(seconds(1));
    server.send_mails().await;
    assert_eq!(post.mails().len(), 1);
    let late = Tried::Refused("no such user".to_owned());
    server.write(|tx| Ok(dead.tried(tx, late)?));
    assert_eq!(given_up(&server), [""; 0]);
}

/// A mail server that wants to know who we are is told. If it does not believe us the mail waits, and the password is in no
/// log, whatever the mail server says.
#[actix_web::test]
async fn it_signs_in_where_it_has_to() {
    let log = Log::listen();
    let post = MailServer::start();
    post.demand("jeton", "hunter2/hunter2");
    let wrong = post.url().replace("://", "://jeton:hunter3@");
    let right = post.url().replace("://", "://jeton:hunter2%2Fhunter2@");
    for (url, is_taken) in [(post.url(), false), (wrong, false), (right, true)] {
        let settings = [("smtp_url", &*url), ("mail_from", "jeton@auth.example")];
        let server = Server::with(&settings).await;
        server.notes();
        server.personal_token(&server.user_with_address("alice"), "notes:read");
        server.send_mails().await;
        assert_eq!(tries(&server), [(1, !is_taken)], "{url}");
        assert_eq!(post.mails().len(), usize::from(is_taken), "{url}");
    }
    assert!(post.mail().is_signed_in);
    let log = log.text();
    // As it is, and as it is sent: "\0jeton\0hunter3" in base64.
    for secret in ["hunter", "AGpldG9uAGh1bnRlcjM="] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(log.contains("it does not take our user name and password (535)"));
}

/// The settings print no password either.
#[test]
fn settings_print_no_password() {
    let url = "smtps://jeton:hunter2@mail.example";
    let config = Config::read(None, |name| {
        (name == "JETON_SMTP_URL").then(|| url.to_owned())
    });
    let printed = format!("{:?}", config.expect("the URL is good"));
    assert!(printed.contains("mail.example"), "{printed}");
    assert!(!printed.contains("hunter2"), "{printed}");
}
