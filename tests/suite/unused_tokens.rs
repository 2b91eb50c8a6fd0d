//! Tokens that end when they lie unused: their owners are warned, their end is recorded, and they are kept for a while.

use std::sync::{Arc, Mutex};

use diesel::connection::InstrumentationEvent;
use diesel::prelude::*;
use diesel::sql_types::Text;
use jeton::db::Conn;
use jeton::db::schema::{grants, mails, reminders, tokens};
use jeton::domain::expiry;
use jeton::domain::grant::Via;
use jeton::domain::limits::{Limits, Networks};
use jeton::domain::personal_token::{End, NewPersonalToken, PersonalToken};
use jeton::domain::reminder::{self, Due};
use jeton::domain::tx::Rx;
use jeton::domain::user::User;
use jeton::domain::words::{Audience, Scope};
use jeton::jobs::remind::remind;
use jeton::jobs::sweep::sweep;

use crate::support::{ResourceServer, Server, TestDatabase, count, seconds, trail};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

struct Scene {
    server: Server,
    notes: ResourceServer,
    alice: User,
}

impl Scene {
    /// The server has mails to send somewhere, and has looked for what ended.
    async fn set() -> Self {
        let nowhere = [
            ("smtp_url", "smtp://127.0.0.1:9"),
            ("mail_from", "jeton@auth.example"),
        ];
        let server = Server::with(&nowhere).await;
        let notes = server.notes();
        let alice = server.user_with_address("alice");
        sweep(&server.app).await.unwrap();
        Self {
            server,
            notes,
            alice,
        }
    }

    /// A token that may lie unused for so long; its secret.
    fn token(&self, name: &str, idle: u64, end: Option<u64>) -> String {
        let limits = Limits::new(Networks::default(), None, Some(seconds(idle)));
        self.limited(name, limits, end)
    }

    fn limited(&self, name: &str, limits: Limits, end: Option<u64>) -> String {
        self.made_for(&self.alice, name, limits, end)
    }

    fn made_for(&self, owner: &User, name: &str, limits: Limits, end: Option<u64>) -> String {
        let now = self.server.clock.now();
        let new = NewPersonalToken {
            name: name.to_owned(),
            description: String::new(),
            scope: Scope::parse("notes:read").unwrap(),
            audience: Audience::of(["https://notes.example"]).unwrap(),
            authorization_details: None,
            end: end.map_or(End::Never, |life| End::At(now + seconds(life))),
            limits,
            reason: String::new(),
        };
        let made = self.server.write(|tx| {
            let made = PersonalToken::create(tx, owner, new, Via::CommandLine);
            Ok(made.expect("the token is made").1)
        });
        made.expose().to_owned()
    }

    /// Whether alice's only token is live, of which an administrator is told the same.
    async fn is_live(&self) -> bool {
        let manager = self.server.manager("pats:read").await;
        let path = "/api/personal-access-tokens";
        let (_, all) = manager.get(path).await;
        let (_, live) = manager.get(&format!("{path}?status=active")).await;
        let says = all["items"][0]["status"] == "active";
        let count = live["items"].as_array().expect("a list").len();
        assert_eq!(says, count == 1, "{all} {live}");
        says
    }

    async fn use_it(&self, secret: &str) {
        assert!(self.notes.accepts(secret).await);
        self.server.note_uses().await;
    }

    /// What was said so many hours after each other: after how many hours, and what.
    async fn told(&self, hours: u64, step: u64) -> Vec<(u64, String)> {
        let mut all = vec![];
        for hour in (0..=hours).step_by(step as usize) {
            remind(&self.server.app).await.unwrap();
            let subjects: Vec<String> = self.server.write(|tx| {
                let subjects = mails::table
                    .filter(mails::letter.eq("tokens.expiring"))
                    .select(mails::subject)
                    .load(&mut **tx)?;
                diesel::delete(mails::table).execute(&mut **tx)?;
                Ok(subjects)
            });
            all.extend(subjects.into_iter().map(|said| (hour, said)));
            self.server.clock.advance(seconds(step * HOUR));
        }
        all
    }

    fn ends(&self) -> Vec<String> {
        let ends = trail(&self.server, "token.expired").into_iter();
        ends.map(|entry| entry.detail().to_owned()).collect()
    }
}

/// Seven days before it would end, or a quarter of its idle life if that is less, and once as long as it is not used.
#[actix_web::test]
async fn an_owner_is_warned_once_before_a_token_ends_unused() {
    for (idle, hour, said) in [
        (60 * DAY, 53 * 24, "ci ends in 7 days unless it is used"),
        (28 * DAY, 21 * 24, "ci ends in 7 days unless it is used"),
        (8 * DAY, 6 * 24, "ci ends in 2 days unless it is used"),
        (DAY, 18, "ci ends in 6 hours unless it is used"),
    ] {
        let scene = Scene::set().await;
        scene.token("ci", idle, None);
        let told = scene.told(idle / HOUR + 48, 3).await;
        assert_eq!(told, [(hour, said.to_owned())], "{idle}");
        let events = trail(&scene.server, "token.reminded");
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].detail(), "unused");
    }
}

/// Whoever uses it is warned again when it has lain unused for as long once more.
#[actix_web::test]
async fn a_use_begins_anew() {
    let scene = Scene::set().await;
    let secret = scene.token("ci", 8 * DAY, None);
    let said = |hour| vec![(hour, "ci ends in 2 days unless it is used".to_owned())];
    assert_eq!(scene.told(6 * 24, 6).await, said(6 * 24));
    scene.use_it(&secret).await;
    assert_eq!(scene.told(6 * 24, 6).await, said(6 * 24));
    assert_eq!(count!(scene.server, reminders), 1);
    assert_eq!(trail(&scene.server, "token.reminded").len(), 2);
}

/// Of a service account's token, its keepers are warned.
#[actix_web::test]
async fn a_keeper_is_warned_of_a_service_accounts() {
    let scene = Scene::set().await;
    let bot = scene.server.service_account("ci-bot", &[&scene.alice]);
    let idle = Limits::new(Networks::default(), None, Some(seconds(8 * DAY)));
    scene.made_for(&bot, "ci", idle, None);
    let told = scene.told(7 * 24, 6).await;
    let said = "ci of ci-bot ends in 2 days unless it is used".to_owned();
    assert_eq!(told, [(6 * 24, said)]);
}

/// A token that ends soon in two ways is told of once in a letter.
#[actix_web::test]
async fn what_is_due_in_two_ways_is_told_of_once() {
    let scene = Scene::set().await;
    scene.token("ci", 8 * DAY, Some(8 * DAY + HOUR));
    scene.server.clock.advance(seconds(7 * DAY + 2 * HOUR));
    let told = scene.told(0, 1).await;
    assert_eq!(
        told,
        [(0, "ci ends in 22 hours unless it is used".to_owned())]
    );
    assert_eq!(trail(&scene.server, "token.reminded").len(), 2);
}

/// Not told is of one that ends before by itself, waits for approval, was revoked, or is used.
#[actix_web::test]
async fn who_has_nothing_to_save_is_not_warned() {
    let scene = Scene::set().await;
    scene.token("short", 8 * DAY, Some(7 * DAY));
    let used = scene.token("used", 8 * DAY, None);
    for name in ["waits", "revoked"] {
        scene.token(name, 8 * DAY, None);
    }
    let now = scene.server.clock.now();
    scene.server.write(|tx| {
        let waits = diesel::update(grants::table.filter(grants::name.eq("waits")));
        waits
            .set(grants::pending_since.eq(now))
            .execute(&mut **tx)?;
        let revoked = diesel::update(grants::table.filter(grants::name.eq("revoked")));
        revoked.set(grants::revoked_at.eq(now)).execute(&mut **tx)?;
        Ok(())
    });
    scene.server.clock.advance(seconds(4 * DAY));
    scene.use_it(&used).await;
    scene.server.clock.advance(seconds(2 * DAY + HOUR));
    let told = scene.told(1, 1).await;
    assert_eq!(told, [(0, "short ends in 23 hours".to_owned())]);
}

/// The end is recorded once, for how long it was not used, and not again when its own end comes.
#[actix_web::test]
async fn an_end_for_lying_unused_is_recorded_once() {
    let scene = Scene::set().await;
    scene.token("ci", 8 * DAY, Some(20 * DAY));
    let used = scene.token("used", 8 * DAY, None);
    scene.server.clock.advance(seconds(4 * DAY));
    scene.use_it(&used).await;
    scene.server.clock.advance(seconds(4 * DAY - 1));
    sweep(&scene.server.app).await.unwrap();
    assert_eq!(scene.ends(), [""; 0]);
    scene.server.clock.advance(seconds(1));
    sweep(&scene.server.app).await.unwrap();
    for pause in [60, DAY, 3 * DAY, 13 * DAY] {
        scene.server.clock.advance(seconds(pause));
        sweep(&scene.server.app).await.unwrap();
    }
    let said = |name: &str| format!("{name}: not used for 8 days");
    assert_eq!(scene.ends(), [said("ci"), said("used")]);
}

/// It is shown for thirty days after that, and then goes.
#[actix_web::test]
async fn what_ended_unused_is_kept_for_thirty_days() {
    let scene = Scene::set().await;
    let used = scene.token("used", 8 * DAY, None);
    scene.token("endless", 3650 * DAY, None);
    scene.server.clock.advance(seconds(DAY));
    scene.use_it(&used).await;
    for (pause, left) in [(8 * DAY, 2), (30 * DAY - 60, 2), (120, 1), (300 * DAY, 1)] {
        scene.server.clock.advance(seconds(pause));
        sweep(&scene.server.app).await.unwrap();
        assert_eq!(count!(scene.server, tokens), left, "{pause}");
    }
    let gone = trail(&scene.server, "token.purged");
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].detail(), "used");
}

/// A use in the last moment is written a little later, and the token has not ended.
#[actix_web::test]
async fn a_use_in_the_last_moment_counts() {
    let scene = Scene::set().await;
    let secret = scene.token("ci", 8 * DAY, None);
    scene.server.clock.advance(seconds(8 * DAY - 1));
    assert!(scene.notes.accepts(&secret).await);
    scene.server.clock.advance(seconds(30));
    sweep(&scene.server.app).await.unwrap();
    scene.server.note_uses().await;
    for pause in [60, 60, 8 * DAY - 200] {
        scene.server.clock.advance(seconds(pause));
        sweep(&scene.server.app).await.unwrap();
        assert_eq!(scene.ends(), [""; 0], "{pause}");
        assert!(scene.is_live().await);
    }
    scene.server.clock.advance(seconds(300));
    sweep(&scene.server.app).await.unwrap();
    assert_eq!(scene.ends(), ["ci: not used for 8 days"]);
}

/// A token that can't be used yet does not lie unused: its idle life counts from its beginning.
#[actix_web::test]
async fn the_time_before_its_beginning_does_not_count() {
    let scene = Scene::set().await;
    let begins = scene.server.clock.now() + seconds(20 * DAY);
    let limits = Limits::new(Networks::default(), Some(begins), Some(seconds(8 * DAY)));
    let secret = scene.limited("ci", limits, None);
    let said = "ci ends in 2 days unless it is used".to_owned();
    assert_eq!(scene.told(26 * 24, 6).await, [(26 * 24, said)]);
    sweep(&scene.server.app).await.unwrap();
    assert_eq!(scene.ends(), [""; 0]);
    scene.server.clock.advance(seconds(2 * DAY - 6 * HOUR - 1));
    assert!(scene.is_live().await);
    assert!(scene.notes.accepts(&secret).await);
    scene.server.clock.advance(seconds(1));
    assert!(!scene.is_live().await);
    assert!(!scene.notes.accepts(&secret).await);
}

/// What was told of a token is kept for 90 days, each for itself: what was told later stays told.
#[actix_web::test]
async fn what_was_told_later_is_not_forgotten_with_what_was_told_before() {
    let scene = Scene::set().await;
    let secret = scene.token("ci", 28 * DAY, Some(125 * DAY));
    assert_eq!(scene.told(22 * 24, 6).await.len(), 1);
    for _ in 0..4 {
        scene.use_it(&secret).await;
        scene.server.clock.advance(seconds(20 * DAY));
    }
    scene.use_it(&secret).await;
    assert_eq!(scene.told(0, 1).await.len(), 1);
    // What was told of lying unused is 90 days old now, and what was told of the end is not.
    scene.server.clock.advance(seconds(10 * DAY));
    scene.use_it(&secret).await;
    sweep(&scene.server.app).await.unwrap();
    assert_eq!(count!(scene.server, reminders), 1);
    assert_eq!(scene.told(1, 1).await, []);
}

/// What is looked for every minute and every hour is found by an index, however many tokens there are. Where there are
/// few, PostgreSQL rightly reads them all: so it is only asked of SQLite.
#[actix_web::test]
async fn the_tokens_that_end_unused_are_found_by_an_index() {
    if TestDatabase::is_postgres() {
        return;
    }
    let scene = Scene::set().await;
    let asked = scene.server.write(|tx| {
        let asked = record_questions(tx);
        let (now, policy) = (tx.now, tx.policy);
        for due in Due::ALL {
            reminder::readers(&mut Rx::new(tx, now, policy), due, None, 10)?;
        }
        expiry::note(tx, 10)?;
        Ok(asked.lock().unwrap().split_off(0))
    });
    let asked = asked.iter().filter(|sql| sql.contains("idle_life` > "));
    let plans: Vec<String> = asked
        .map(|sql| scene.server.write(|tx| Ok(plan(tx, sql))))
        .collect();
    assert_eq!(plans.len(), 3);
    for plan in plans {
        assert!(
            plan.contains("SEARCH grants USING INDEX grants_ending_unused"),
            "{plan}"
        );
        assert!(!plan.contains("SCAN"), "{plan}");
    }
}

/// What this connection is asked from now on.
fn record_questions(conn: &mut Conn) -> Arc<Mutex<Vec<String>>> {
    let asked = Arc::new(Mutex::new(vec![]));
    let noted = asked.clone();
    conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let query = query.to_string();
            let sql = query.split(" -- binds").next().unwrap_or_default();
            noted.lock().unwrap().push(sql.to_owned());
        }
    });
    asked
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// How SQLite answers a question, a line a step.
fn plan(conn: &mut Conn, sql: &str) -> String {
    let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}"))
        .load(conn)
        .expect("a plan");
    let steps: Vec<String> = steps.into_iter().map(|step| step.detail).collect();
    steps.join("\n")
}
