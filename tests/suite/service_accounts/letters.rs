//! What keepers hear of the tokens of the service accounts they keep.

use diesel::prelude::*;
use futures_util::future::join_all;
use jeton::db::schema::mails;
use jeton::domain::letter::Letter;
use jeton::domain::mail;
use jeton::domain::personal_token::{End, PersonalToken};
use jeton::domain::user::User;
use jeton::jobs::remind::remind;
use serde_json::json;

use super::DAY;
use crate::support::{Server, seconds};

/// A server that has mails to send somewhere; alice and bob, with addresses, keep `ci-bot`.
async fn with_mails() -> (Server, [User; 2], User) {
    let nowhere = [
        ("smtp_url", "smtp://127.0.0.1:9"),
        ("mail_from", "jeton@auth.example"),
    ];
    let server = Server::with(&nowhere).await;
    server.notes();
    let keepers = ["alice", "bob"].map(|name| server.user_with_address(name));
    let silent = server.user("carol");
    let bot = server.service_account("ci-bot", &[&keepers[0], &keepers[1], &silent]);
    (server, keepers, bot)
}

/// The mails that were queued since this was asked last: to whom, of what, and what they say.
fn told(server: &Server) -> Vec<(String, String, String)> {
    server.write(|tx| {
        let told = mails::table
            .order(mails::recipient)
            .select((mails::recipient, mails::subject, mails::body))
            .load(&mut **tx)?;
        diesel::delete(mails::table).execute(&mut **tx)?;
        Ok(told)
    })
}

fn to(told: &[(String, String, String)]) -> Vec<(&str, &str)> {
    let told = told.iter();
    told.map(|(to, subject, _)| (to.as_str(), subject.as_str()))
        .collect()
}

fn a_token(server: &Server, owner: &User, days: u64) {
    let end = End::At(server.clock.now() + seconds(days * DAY));
    server.personal_token_until(owner, "notes:read", end);
}

/// All keepers with an address hear of a new token, and where it is.
#[actix_web::test]
async fn keepers_hear_of_a_new_token() {
    let (server, keepers, bot) = with_mails().await;
    a_token(&server, &bot, 90);
    let mails = told(&server);
    let subject = "New token: token 1 of ci-bot";
    assert_eq!(
        to(&mails),
        [
            ("alice@people.example", subject),
            ("bob@people.example", subject)
        ]
    );
    let id = server.write(|tx| Ok(PersonalToken::all_of(tx, bot.id)?))[0]
        .token
        .id;
    let home = format!("{}/settings/service-accounts/ci-bot/tokens", server.url);
    let body = &mails[0].2;
    assert!(
        body.contains("a token was made for the service account ci-bot at"),
        "{body}"
    );
    assert!(
        body.contains(&format!("Not expected? Revoke it:\n{home}/{id}/revoke")),
        "{body}"
    );
    assert!(
        body.ends_with(&format!(
            "because you keep the service account ci-bot.\nIts tokens: {home}"
        )),
        "{body}"
    );
    server.write(|tx| Ok(keepers[1].disable(tx)?));
    a_token(&server, &bot, 90);
    let subject = "New token: token 2 of ci-bot";
    assert_eq!(to(&told(&server)), [("alice@people.example", subject)]);
}

/// What a keeper did not do may have been another keeper's doing.
#[actix_web::test]
async fn keepers_are_asked_whether_they_expected_it() {
    let (server, _, bot) = with_mails().await;
    a_token(&server, &bot, 90);
    let token = &server.write(|tx| Ok(PersonalToken::all_of(tx, bot.id)?))[0];
    let home = format!("{}/settings/service-accounts/ci-bot/tokens", server.url);
    let revoke = format!("{home}/{}/revoke", token.token.id);
    let rotated = Letter::Rotated {
        token,
        old_until: None,
    };
    let network = "192.0.2.0/24";
    for letter in [rotated, Letter::NewNetwork { token, network }] {
        told(&server);
        server.write(|tx| mail::tell(tx, bot.id, &letter));
        for (_, _, body) in told(&server) {
            let asked = format!("Not expected? Revoke it:\n{revoke}");
            assert!(body.contains(&asked), "{body}");
        }
    }
}

/// Keepers who make tokens at the same moment write to each other, and neither waits for the other for ever.
#[actix_web::test]
async fn keepers_work_at_once() {
    let (server, keepers, bot) = with_mails().await;
    let path = format!("/api/my-account/service-accounts/{}/tokens", bot.id);
    let browsers = [
        server.signed_in(&keepers[0]).await,
        server.signed_in(&keepers[1]).await,
    ];
    let made = (0..40).map(|round| {
        let new = json!({"name": format!("ci {round}"), "scopes": ["notes:read"]});
        browsers[round % 2].api("POST", &path, Some(new))
    });
    for (status, made) in join_all(made).await {
        assert_eq!(status, 201, "{made}");
    }
    assert_eq!(told(&server).len(), 80);
}

/// One letter a day has a keeper's own tokens and those of the accounts they keep, which it names.
#[actix_web::test]
async fn a_keeper_is_reminded_of_all_in_one_letter() {
    let (server, keepers, bot) = with_mails().await;
    a_token(&server, &bot, 32);
    a_token(&server, &keepers[0], 32);
    told(&server);
    server.clock.advance(seconds(3 * DAY));
    remind(&server.app).await.unwrap();
    let mails = told(&server);
    assert_eq!(
        to(&mails),
        [
            ("alice@people.example", "2 tokens end"),
            ("bob@people.example", "token 1 of ci-bot ends in 29 days"),
        ]
    );
    let body = &mails[0].2;
    assert!(body.contains("token 1 of ci-bot (jeton_sat_"), "{body}");
    assert!(body.contains("token 1 (jeton_pat_"), "{body}");
    let foot = format!(
        "because it is about your personal access tokens and those of service accounts that you keep.\n\
         All of yours: {0}/settings/tokens\n\
         All of theirs: {0}/settings/service-accounts",
        server.url
    );
    assert!(body.ends_with(&foot), "{body}");
    remind(&server.app).await.unwrap();
    assert_eq!(to(&told(&server)), []);
}

/// Who had a letter today is told tomorrow of what another keeper was told today.
#[actix_web::test]
async fn each_keeper_is_told_on_a_day_of_their_own() {
    let (server, keepers, bot) = with_mails().await;
    a_token(&server, &keepers[0], 31);
    server.clock.advance(seconds(DAY + 3600));
    remind(&server.app).await.unwrap();
    told(&server);
    let end = End::At(server.clock.now() + seconds(25 * 3600));
    server.personal_token_until(&bot, "notes:read", end);
    told(&server);
    let readers = async |hours: u64| {
        server.clock.advance(seconds(hours * 3600));
        remind(&server.app).await.unwrap();
        let mails = told(&server);
        mails.into_iter().map(|(to, ..)| to).collect::<Vec<_>>()
    };
    assert_eq!(readers(2).await, ["bob@people.example"]);
    assert_eq!(readers(1).await, [""; 0]);
    assert_eq!(readers(21).await, ["alice@people.example"]);
    assert_eq!(readers(0).await, [""; 0]);
}
