//! The server itself and its mails: killed before it could send them, told to stop in the middle of it, and with TLS.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Jeton, MAIL_FROM, MailServer, Running, until};

/// A server with alice and an API, whose mails go to this URL.
fn furnished(smtp_url: &str) -> Jeton {
    let jeton = Jeton::with(&[("smtp_url", smtp_url), ("mail_from", MAIL_FROM)]);
    jeton.notes("http://nobody.asks.example");
    jeton.json_with(
        &[
            "user",
            "create",
            "alice",
            "--email=alice@people.example",
            "--password-stdin",
        ],
        "correct horse battery staple\n",
    );
    jeton
}

/// What was committed is sent, even if the server was killed before it could be.
#[actix_web::test]
async fn what_was_queued_is_sent_after_a_crash() {
    let post = MailServer::start();
    post.fall_silent("RCPT");
    let jeton = furnished(&post.url());
    let mut server = jeton.serve();
    jeton.token("alice", "first");
    until("a talk", async || !post.talks().is_empty()).await;
    // The server is busy with the first: this one it can't have sent.
    jeton.token("alice", "second");
    server.kill();
    assert!(post.mails().is_empty());
    post.be_kind();
    let _server = jeton.serve();
    until("the second mail", async || {
        let mails = post.mails();
        let subjects: Vec<_> = mails.iter().map(|mail| mail.header("Subject")).collect();
        subjects.contains(&Some("New personal access token: second".to_owned()))
    })
    .await;
}

/// One of the two settings without the other sends nothing, and the operator is told so.
#[test]
fn half_of_the_settings_is_warned_of() {
    for half in [("smtp_url", "smtp://localhost"), ("mail_from", MAIL_FROM)] {
        let server = Jeton::with(&[half]).serve();
        server.errors.wait_for("only one is set");
    }
    let mut neither = Jeton::new().serve();
    neither.stop();
    let log = neither.errors.text();
    assert!(!log.contains("mail"), "{log}");
}

/// A server that is told to stop does not wait for a mail server that says nothing.
#[actix_web::test]
async fn stopping_waits_for_no_mail_server() {
    let post = MailServer::start();
    post.fall_silent("hello");
    let jeton = furnished(&post.url());
    let mut server = jeton.serve();
    jeton.token("alice", "ci");
    until("a talk", async || !post.talks().is_empty()).await;
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(20));
}

fn serve(jeton: &Jeton, trusted: &Path) -> Running {
    let file = trusted.join("crt").display().to_string();
    jeton.serve_with(&[("SSL_CERT_FILE", &file)])
}

/// To another machine mails go by TLS, from the first byte or after STARTTLS, and so do name and password.
#[actix_web::test]
async fn mails_go_by_tls() {
    for wraps in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let post = MailServer::with_tls(folder.path(), wraps);
        post.demand("jeton", "hunter2");
        let port = post.address.port();
        let jeton = furnished(&match wraps {
            true => format!("smtps://jeton:hunter2@localhost:{port}"),
            false => format!("smtp://jeton:hunter2@localhost:{port}?tls=required"),
        });
        let server = serve(&jeton, folder.path());
        jeton.token("alice", "ci");
        server.errors.wait_for("a mail was sent");
        let mail = post.mail();
        assert!(mail.is_covered && mail.is_signed_in, "{mail:?}");
    }
}

/// Nothing is said to a mail server that is not who it should be, or that offers no STARTTLS.
#[actix_web::test]
async fn nothing_is_said_without_tls() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    drop(MailServer::with_tls(other.path(), true));
    for case in ["another certificate", "no STARTTLS"] {
        let post = match case {
            "no STARTTLS" => MailServer::start(),
            _ => MailServer::with_tls(folder.path(), false),
        };
        post.demand("j", "hunter2");
        let port = post.address.port();
        let jeton = furnished(&format!("smtp://j:hunter2@localhost:{port}?tls=required"));
        let server = serve(&jeton, other.path());
        jeton.token("alice", "ci");
        server.errors.wait_for("a mail could not be sent now");
        let talk = post.talks().remove(0);
        let said: Vec<&str> = talk.commands.iter().map(|line| &line[..4]).collect();
        let only_hello = said
            .iter()
            .all(|verb| ["EHLO", "STAR", "QUIT"].contains(verb));
        assert!(only_hello && !talk.is_signed_in, "{case}: {talk:?}");
    }
}
