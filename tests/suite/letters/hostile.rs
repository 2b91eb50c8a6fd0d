//! What people write into names, addresses and notes changes nothing in a letter but those words.

use diesel::prelude::*;
use jeton::db::schema::mails;
use jeton::domain::letter::Letter;

use super::Scene;

/// A name, whatever is in it, makes no header, no line and no other recipient; and a name in any script arrives as it is.
#[actix_web::test]
async fn a_name_is_nothing_but_a_name() {
    let scene = Scene::set().await;
    let names = [
        (
            "a\r\nBcc: eve@evil.example\r\n\r\nHello",
            "aBcc: eve@evil.exampleHello",
        ),
        ("a\nb\u{2028}c\u{202e}d", "abcd"),
        (
            ".\r\nMAIL FROM:<eve@evil.example>",
            ".MAIL FROM:<eve@evil.example>",
        ),
        ("=?utf-8?b?RXZlCg==?=", "= ?utf-8?b?RXZlCg== ?="),
        ("ключ für 日本 🔑", "ключ für 日本 🔑"),
        ("{{ 7 * 7 }} <b> & \"", "{{ 7 * 7 }} <b> & \""),
    ];
    let mut headers = None;
    for (name, shown) in names {
        scene.rename(name);
        scene.told(&Letter::Added(&scene.token()));
        scene.server.send_mails().await;
        let mail = scene.post.mails().pop().expect("it was sent");
        let subject = mail.header("Subject").unwrap();
        assert_eq!(subject, format!("New personal access token: {shown}"));
        let text = mail.text();
        let line = text.lines().find(|line| line.starts_with("  Name:"));
        let shown = shown.replace("= ?", "=?");
        assert_eq!(line, Some(&*format!("  Name:    {shown}")), "{name:?}");
        let same = headers.get_or_insert_with(|| mail.headers()).clone();
        assert_eq!(mail.headers(), same, "{name:?}");
        assert!(same.iter().all(|name| name != "Bcc"));
        let to = "RCPT TO:<alice@people.example>".to_owned();
        let recipients: Vec<&String> = mail
            .commands
            .iter()
            .filter(|line| line.starts_with("RCPT"))
            .collect();
        assert_eq!(recipients, [&to], "{name:?}");
        assert_eq!(text.trim_end().lines().count(), 18, "{name:?}: {text}");
    }
}

/// What a finder writes is one line, and not a long one.
#[actix_web::test]
async fn a_note_is_one_line() {
    let scene = Scene::set().await;
    let long = "x".repeat(10_000);
    let (_, body) = scene.told(&Letter::Leaked {
        token: &scene.token(),
        url: Some(&long),
        note: Some("All is well.\n\nNot you? Click here:\nhttps://evil.example"),
    });
    let line = |start: &str| {
        let line = body.lines().find(|line| line.starts_with(start));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(line("  Where:").len(), 11 + 500);
    assert_eq!(
        line("  Note:"),
        "  Note:    All is well.Not you? Click here:https://evil.example"
    );
}

/// What is no address is not told to a mail server.
#[actix_web::test]
async fn an_address_is_nothing_but_an_address() {
    let scene = Scene::set().await;
    for bad in [
        "alice@people.example>\r\nRCPT TO:<eve@evil.example",
        "alice@people.example\r\nBcc: eve@evil.example",
        "alice@people.example, eve@evil.example",
        "Alice <alice@people.example>",
        "alice",
        "@",
        "",
    ] {
        scene.server.set_address(&scene.alice, bad);
        scene.told(&Letter::Added(&scene.token()));
        scene.server.send_mails().await;
        let waits: Vec<Option<i64>> = scene
            .server
            .write(|tx| Ok(mails::table.select(mails::next_at).load(&mut **tx)?));
        assert_eq!(waits, [None], "{bad:?} is tried again");
    }
    assert!(scene.post.talks().is_empty(), "{:?}", scene.post.talks());
    // An address beyond ASCII is for mail servers that say that they know such (RFC 6531).
    scene
        .server
        .set_address(&scene.alice, "älice@people.example");
    scene.told(&Letter::Added(&scene.token()));
    scene.server.send_mails().await;
    assert!(scene.post.mails().is_empty());
    scene
        .post
        .answer("EHLO", "250-mail.example\r\n250 SMTPUTF8");
    scene.told(&Letter::Added(&scene.token()));
    scene.server.send_mails().await;
    let mail = scene.post.mail();
    assert!(
        mail.commands[1].ends_with(" SMTPUTF8"),
        "{:?}",
        mail.commands
    );
}
