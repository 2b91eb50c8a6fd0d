//! Reminders: 30, 7 and 1 days before a token ends, and when it has ended, its owner is told: once each, in one letter a day.

use diesel::prelude::*;
use jeton::clock::Timestamp;
use jeton::db::schema::{audit_events, mails, reminders, tokens, users};
use jeton::domain::grant::Because;
use jeton::domain::personal_token::{Changes, End, PersonalToken};
use jeton::domain::user::User;
use jeton::jobs::remind::remind;
use jeton::jobs::sweep::sweep;

use crate::support::{MailServer, PASSWORD, START, Server, count, seconds};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// A server that has mails to send somewhere, and alice with an address.
async fn scene() -> (Server, User) {
    let nowhere = [
        ("smtp_url", "smtp://127.0.0.1:9"),
        ("mail_from", "jeton@auth.example"),
    ];
    let server = Server::with(&nowhere).await;
    server.notes();
    let alice = server.user_with_address("alice");
    (server, alice)
}

/// A token that ends so long after now. It is called `token 1`, `token 2` and so on.
fn token(server: &Server, owner: &User, life: u64) {
    let end = End::At(server.clock.now() + seconds(life));
    server.personal_token_until(owner, "notes:read", end);
}

/// What the reminders said that were queued since this was asked last.
async fn reminded(server: &Server) -> Vec<String> {
    remind(&server.app).await.expect("the database answers");
    server.write(|tx| {
        let subjects = mails::table
            .filter(mails::letter.eq("tokens.expiring"))
            .order(mails::id)
            .select(mails::subject)
            .load(&mut **tx)?;
        diesel::delete(mails::table).execute(&mut **tx)?;
        Ok(subjects)
    })
}

/// All reminders of so many days, an hour after the other: after how many hours, and what they said.
async fn hour_by_hour(server: &Server, days: u64) -> Vec<(u64, String)> {
    let mut all = vec![];
    for hour in 0..=days * 24 {
        all.extend(reminded(server).await.into_iter().map(|said| (hour, said)));
        server.clock.advance(seconds(HOUR));
    }
    all
}

fn said(all: &[(u64, &str)]) -> Vec<(u64, String)> {
    let all = all.iter();
    all.map(|(hour, said)| (*hour, (*said).to_owned()))
        .collect()
}

/// What the trail says of ends.
fn trail(server: &Server) -> Vec<(String, Option<String>)> {
    server.write(|tx| {
        let events = audit_events::table
            .filter(audit_events::event.eq("token.reminded"))
            .order(audit_events::id)
            .select((audit_events::event, audit_events::detail));
        Ok(events.load(&mut **tx)?)
    })
}

/// Each stage is told once, and is in the trail.
#[actix_web::test]
async fn each_stage_is_told_once() {
    let (server, alice) = scene().await;
    token(&server, &alice, 32 * DAY);
    assert_eq!(
        hour_by_hour(&server, 34).await,
        said(&[
            (2 * 24, "token 1 ends in 30 days"),
            (25 * 24, "token 1 ends in 7 days"),
            (31 * 24, "token 1 ends in 24 hours"),
            (32 * 24, "token 1 has ended"),
        ])
    );
    let days = |days: u64| ("token.reminded".to_owned(), Some(format!("{days} days")));
    let ended = ("token.reminded".to_owned(), Some("ended".to_owned()));
    assert_eq!(trail(&server), [days(30), days(7), days(1), ended]);
    assert_eq!(count!(server, reminders), 4);
}

/// A token that does not live longer than a stage is not told of it: nobody wants to hear of a token that they have just made
/// that it ends in 7 days.
#[actix_web::test]
async fn only_stages_that_are_shorter_than_its_life() {
    for (life, stages) in [
        (30 * DAY, vec![23 * 24, 29 * 24, 30 * 24]),
        (7 * DAY, vec![6 * 24, 7 * 24]),
        (DAY, vec![24]),
        (HOUR, vec![1]),
    ] {
        let (server, alice) = scene().await;
        token(&server, &alice, life);
        let told = hour_by_hour(&server, life / DAY + 1).await;
        let hours: Vec<u64> = told.iter().map(|(hour, _)| *hour).collect();
        assert_eq!(hours, stages, "{life}: {told:?}");
    }
    let (server, alice) = scene().await;
    server.personal_token_until(&alice, "notes:read", End::Never);
    server.clock.advance(seconds(3650 * DAY));
    assert_eq!(reminded(&server).await, [""; 0]);
}

/// After a standstill only the most urgent stage is told, and of what ended long ago nothing.
#[actix_web::test]
async fn what_was_missed_is_not_made_up_for() {
    let (server, alice) = scene().await;
    token(&server, &alice, 90 * DAY);
    server.clock.advance(seconds(85 * DAY));
    assert_eq!(reminded(&server).await, ["token 1 ends in 5 days"]);
    server.clock.advance(seconds(5 * DAY + 12 * HOUR));
    assert_eq!(reminded(&server).await, ["token 1 has ended"]);
    for _ in 0..10 {
        server.clock.advance(seconds(DAY));
        assert_eq!(reminded(&server).await, [""; 0]);
    }
    let (server, alice) = scene().await;
    token(&server, &alice, 90 * DAY);
    server.clock.advance(seconds(97 * DAY));
    assert_eq!(reminded(&server).await, [""; 0]);
}

/// An owner gets one letter a day, in which is everything that would be due before the next one; everybody has their own.
#[actix_web::test]
async fn an_owner_gets_one_letter_a_day() {
    let post = MailServer::start();
    let server = Server::with_mail(&post, &[]).await;
    server.notes();
    let (alice, bob) = (
        server.user_with_address("alice"),
        server.user_with_address("bob"),
    );
    // Of alice's, one is at its mark, one will be in twenty hours, one has ended, one has time, and one ends within a day.
    let nearly_a_day = DAY - 1;
    for life in [
        37 * DAY,
        37 * DAY + 20 * HOUR,
        30 * DAY,
        70 * DAY,
        30 * DAY + nearly_a_day,
    ] {
        token(&server, &alice, life);
    }
    token(&server, &bob, 37 * DAY);
    server.clock.advance(seconds(10 * DAY));
    assert_eq!(remind(&server.app).await.unwrap(), 4, "of 30 days");
    server.write(|tx| Ok(diesel::delete(mails::table).execute(&mut **tx)?));
    server.clock.advance(seconds(20 * DAY));
    assert_eq!(remind(&server.app).await.unwrap(), 5);
    server.send_mails().await;
    let mails = post.mails();
    assert_eq!(mails.len(), 2, "{mails:?}");
    let of = |name: &str| {
        let to = format!("{name}@people.example");
        let mail = mails
            .iter()
            .find(|mail| mail.header("To").as_deref() == Some(&*to));
        mail.expect("a mail").text()
    };
    let order: Vec<usize> = ["token 3 (", "token 5 (", "token 1 (", "token 2 ("]
        .iter()
        .map(|name| {
            of("alice")
                .find(name)
                .unwrap_or_else(|| panic!("{name}: {}", of("alice")))
        })
        .collect();
    assert!(order.is_sorted(), "the first to end comes first: {order:?}");
    assert!(!of("alice").contains("token 4"), "{}", of("alice"));
    assert!(of("alice").contains("ends in 8 days: "), "{}", of("alice"));
    assert!(of("bob").contains("token 1 (") && !of("bob").contains("token 2"));
    // The fifth ends a second before she may have another letter.
    for (pause, letters) in [(DAY - 1, 2), (1, 3), (DAY, 3)] {
        server.clock.advance(seconds(pause));
        remind(&server.app).await.unwrap();
        server.send_mails().await;
        assert_eq!(post.mails().len(), letters, "{pause}");
    }
    let subject = post.mails()[2].header("Subject");
    assert_eq!(subject.as_deref(), Some("token 5 has ended"));
}

/// Nothing is told of tokens that were revoked or replaced, nor to who may not come in any more; if they may again, they
/// are told then.
#[actix_web::test]
async fn ends_that_concern_nobody_are_not_told() {
    let (server, alice) = scene().await;
    for _ in 0..3 {
        token(&server, &alice, 10 * DAY);
    }
    server.write(|tx| {
        let revoked = PersonalToken::named(tx, alice.id, "token 2", START)?;
        let revoked = revoked.expect("it lives");
        revoked.revoke(tx, &Because::Asked(None))?;
        let replaced = PersonalToken::named(tx, alice.id, "token 3", START)?;
        let replaced = tokens::table.find(replaced.expect("it lives").token.hash);
        diesel::update(replaced)
            .set(tokens::spent_at.eq(tx.now))
            .execute(&mut **tx)?;
        Ok(alice.disable(tx)?)
    });
    server.clock.advance(seconds(9 * DAY));
    assert_eq!(reminded(&server).await, [""; 0]);
    assert_eq!(count!(server, reminders), 0);
    server.write(|tx| Ok(alice.enable(tx)?));
    assert_eq!(reminded(&server).await, ["token 1 ends in 24 hours"]);
    assert_eq!(count!(server, reminders), 1);
}

/// Who has no address is not told, but the trail has it, and it is not made up for later.
#[actix_web::test]
async fn without_an_address_it_is_in_the_trail_alone() {
    let (server, alice) = scene().await;
    let none = None::<String>;
    server.write(|tx| {
        let forget = diesel::update(users::table.find(alice.id)).set(users::email.eq(none));
        Ok(forget.execute(&mut **tx)?)
    });
    token(&server, &alice, 10 * DAY);
    server.clock.advance(seconds(4 * DAY));
    assert_eq!(reminded(&server).await, [""; 0]);
    assert_eq!(trail(&server).len(), 1);
    server.set_address(&alice, "alice@people.example");
    server.clock.advance(seconds(DAY));
    assert_eq!(reminded(&server).await, [""; 0]);
}

/// A token whose life was shortened is told of by its new end.
#[actix_web::test]
async fn a_shortened_life_is_told_of() {
    let (server, alice) = scene().await;
    token(&server, &alice, 90 * DAY);
    server.clock.advance(seconds(61 * DAY));
    assert_eq!(reminded(&server).await, ["token 1 ends in 29 days"]);
    let end: Timestamp = server.clock.now() + seconds(2 * DAY);
    server.write(|tx| {
        let token = PersonalToken::all_of(tx, alice.id)?.remove(0);
        let changes = Changes {
            end: Some(end),
            ..Changes::default()
        };
        Ok(token.change(tx, changes).expect("it may be shortened"))
    });
    server.clock.advance(seconds(DAY));
    assert_eq!(reminded(&server).await, ["token 1 ends in 24 hours"]);
}

/// So many people with a token each, which ends in 7 days.
async fn crowd(many: usize) -> Server {
    let (server, _) = scene().await;
    for number in 0..many {
        let name = format!("person{number}");
        let person = server.write(|tx| {
            let address = format!("{name}@people.example");
            Ok(User::create(tx, &name, Some(&address), false, None).expect("a new name"))
        });
        token(&server, &person, 10 * DAY);
    }
    server.write(|tx| Ok(diesel::delete(mails::table).execute(&mut **tx)?));
    server.clock.advance(seconds(3 * DAY));
    server
}

/// However many are to be reminded, all are, each in a mail of their own.
#[actix_web::test]
async fn all_of_many_are_reminded() {
    let server = crowd(205).await;
    assert_eq!(remind(&server.app).await.unwrap(), 205);
    assert_eq!(count!(server, mails), 205);
}

/// However many nodes remind, each is reminded by one of them, once.
#[actix_web::test]
async fn of_two_nodes_one_reminds_each() {
    const MANY: usize = 30;
    let server = crowd(MANY).await;
    let other = server.another_node().await;
    let both = [server.app.clone(), other.app.clone()]
        .map(|app| actix_web::rt::spawn(async move { remind(&app).await }));
    let mut told = 0;
    for reminded in both {
        told += reminded.await.expect("no panic").expect("no fault");
    }
    assert_eq!(told, MANY);
    assert_eq!(count!(server, mails), MANY as i64);
    assert_eq!(count!(server, reminders), MANY as i64);
}

/// The link in the letter leads its owner to the token, signed in or not, while it lives and when it has ended.
#[actix_web::test]
async fn the_link_leads_to_the_token() {
    let (server, alice) = scene().await;
    token(&server, &alice, 10 * DAY);
    for pause in [4 * DAY, 6 * DAY] {
        server.clock.advance(seconds(pause));
        remind(&server.app).await.unwrap();
        let body: String = server.write(|tx| {
            let last = mails::table.order(mails::id.desc()).select(mails::body);
            Ok(last.first(&mut **tx)?)
        });
        let mut lines = body.lines().map(str::trim);
        let link = lines.find(|line| line.starts_with("http")).unwrap();
        let browser = server.browser();
        let door = browser.get(link).await;
        assert_eq!(door.status, 303);
        let form = browser.get(door.location()).await;
        let fields = [
            ("csrf", &*form.input("csrf")),
            ("next", &*form.input("next")),
            ("username", "alice"),
            ("password", PASSWORD),
        ];
        let signed_in = browser.post("/sign-in", &fields).await;
        assert_eq!(signed_in.status, 303, "{}", signed_in.text());
        let page = browser.get(signed_in.location()).await;
        assert_eq!(page.status, 200, "{}", page.text());
        assert!(page.says("token 1"), "{}", page.text());
    }
}

/// What was told is forgotten when it can't be told again.
#[actix_web::test]
async fn what_was_told_is_forgotten_some_day() {
    let (server, alice) = scene().await;
    token(&server, &alice, 32 * DAY);
    server.clock.advance(seconds(2 * DAY));
    assert_eq!(reminded(&server).await.len(), 1);
    server.clock.advance(seconds(90 * DAY));
    sweep(&server.app).await.unwrap();
    assert_eq!(count!(server, reminders), 1);
    server.clock.advance(seconds(1));
    sweep(&server.app).await.unwrap();
    assert_eq!(count!(server, reminders), 0);
}
