//! Many are answered by one question, and changed by one commit: each as if it were alone.

use actix_web::rt::time::timeout;
use futures_util::future::join_all;
use jeton::db::Fault;
use jeton::domain::tx::{Caller, Rx};
use jeton::domain::user::{Unfit, User};

use crate::support::{AppOptions, ResourceServer, Server, refused, seconds};

/// Of two hundred questions at once, by two callers, about good, ended, foreign and unknown tokens, some of them about the
/// same, each gets the answer to its own.
#[actix_web::test]
async fn each_question_of_many_gets_its_own_answer() {
    let server = Server::start().await;
    let notes = server.notes();
    let photos = server.resource("https://photos.example", &["photos:read"]);
    let people: Vec<User> = (0..20)
        .map(|n| server.user(&format!("person{n}")))
        .collect();
    let tokens: Vec<String> = people
        .iter()
        .map(|person| server.personal_token(person, "notes:read"))
        .collect();
    for person in people.iter().step_by(4) {
        server.write(|tx| Ok(person.disable(tx)?));
    }
    let ask = |number: usize| {
        let (caller, whose): (&ResourceServer, usize) = match number % 5 {
            4 => (&photos, number % 20),
            _ => (&notes, number % 20),
        };
        let (tokens, caller) = (&tokens, caller.clone());
        async move {
            let told = caller.introspect(&tokens[whose]).await;
            let expected = number % 5 != 4 && whose % 4 != 0;
            assert_eq!(told["active"], expected, "question {number}");
            if expected {
                assert_eq!(
                    told["username"],
                    format!("person{whose}"),
                    "question {number}"
                );
            }
        }
    };
    join_all((0..200).map(ask)).await;
}

/// Of many changes that share a commit, what one refuses or breaks touches no other; what was written with a refusal
/// stays, what was written before a fault or a panic does not.
#[actix_web::test]
async fn each_change_of_many_ends_in_its_own_way() {
    let server = Server::start().await;
    let change = |number: usize| {
        server.app.write(Caller::system(), move |tx| {
            let user = User::create(tx, &format!("person{number}"), None, false, None)?;
            match number % 4 {
                1 => Err(Unfit::Taken(user.username)),
                2 => Err(Fault::Broken("a fault").into()),
                3 => panic!("a panic that is meant"),
                _ => Ok(()),
            }
        })
    };
    let outcomes = join_all((0..40).map(change)).await;
    for (number, outcome) in outcomes.iter().enumerate() {
        let (fits, stays) = match number % 4 {
            0 => (outcome.is_ok(), true),
            1 => (matches!(outcome, Err(Unfit::Taken(_))), true),
            _ => (matches!(outcome, Err(Unfit::Fault(_))), false),
        };
        assert!(fits, "change {number}: {outcome:?}");
        let name = format!("person{number}");
        let found = server.write(|tx| Ok(User::named(tx, &name)?.is_some()));
        assert_eq!(found, stays, "change {number}");
    }
}

/// Introspection has threads, connections and queues of its own: while all others are taken it goes on.
#[actix_web::test]
async fn introspection_goes_on_while_everything_else_waits() {
    let server = Server::with(&[("password_threads", "1")]).await;
    let notes = server.notes();
    let token = server.personal_token(&server.user("alice"), "notes:read");
    let held = Held::all_of(&server);
    for _ in 0..20 {
        let answer = timeout(seconds(3), notes.accepts(&token)).await;
        assert!(answer.expect("an answer while all is held"));
    }
    held.let_go().await;
}

/// People whose password is still to be checked share one connection, however many they are: who is signed in is not kept
/// waiting.
#[actix_web::test]
async fn passwords_to_be_checked_take_one_connection() {
    let server = Server::with(&[("database_connections", "2")]).await;
    let browser = server.signed_in(&server.user("alice")).await;
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let held = std::sync::Arc::new(held);
    let guesses = (0..2).map(|_| {
        let (app, held) = (server.app.clone(), held.clone());
        actix_web::rt::spawn(async move {
            let ask = move |_: &mut Rx| {
                let _ = held.lock().map(|held| held.recv());
                Ok(())
            };
            app.query_for_sign_in(ask).await
        })
    });
    let guesses: Vec<_> = guesses.collect();
    actix_web::rt::time::sleep(std::time::Duration::from_millis(200)).await;

    let page = timeout(seconds(3), browser.get("/settings/tokens")).await;
    assert_eq!(page.expect("a page while they wait").status, 200);
    drop(let_go);
    for guess in guesses {
        assert!(guess.await.is_ok_and(|answer| answer.is_ok()));
    }
}

/// What can't be good is refused without a turn among the changes: garbage at the token endpoint keeps nobody waiting.
#[actix_web::test]
async fn what_can_not_be_good_takes_no_turn() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    let held = Held::all_of(&server);
    for (form, error) in [
        (
            [("grant_type", "magic"), ("a", "b")],
            "unsupported_grant_type",
        ),
        (
            [("grant_type", "authorization_code"), ("code", "garbage")],
            "invalid_grant",
        ),
        (
            [
                ("grant_type", "refresh_token"),
                ("refresh_token", "garbage"),
            ],
            "invalid_grant",
        ),
    ] {
        let answer = timeout(seconds(3), app.token(&form)).await;
        refused(
            answer.expect("an answer while all is held"),
            400,
            error,
            error,
        )
        .await;
    }
    held.let_go().await;
}

/// More than a full queue is told so at once, by 503 and when to come back; who waits is served in the end.
#[actix_web::test]
async fn a_full_queue_is_told_at_once() {
    let server = Server::with(&[("password_threads", "1")]).await;
    let mut held = Held::nothing();
    held.password(&server);
    let waiting: Vec<_> = (0..70)
        .map(|_| actix_web::rt::spawn(hash(server.app.clone())))
        .collect();
    actix_web::rt::task::yield_now().await;
    let answer = timeout(seconds(1), server.browser().sign_in("alice", "a wrong one")).await;
    assert_eq!(answer.expect("an answer at once").status, 503);
    held.let_go().await;
    let mut busy = 0;
    for outcome in join_all(waiting).await {
        match outcome.expect("no panic") {
            Ok(()) => {}
            Err(Fault::Busy) => busy += 1,
            Err(fault) => panic!("{fault}"),
        }
    }
    assert_eq!(busy, 70 - 64, "64 may wait");
}

/// Who hangs up makes no room for another while the work goes on: else a flood of sign-ins that are given up would have
/// any number of hashes computed at once.
#[actix_web::test]
async fn who_hangs_up_keeps_the_place_until_the_work_ends() {
    let server = Server::with(&[("password_threads", "1")]).await;
    let (go, gone) = std::sync::mpsc::channel::<()>();
    let (begun, began) = tokio::sync::oneshot::channel();
    let app = server.app.clone();
    let work = actix_web::rt::spawn(async move {
        app.with_password(move || {
            let _ = begun.send(());
            let _ = gone.recv();
            Ok::<_, Fault>(())
        })
        .await
    });
    began.await.expect("it has begun");
    work.abort();
    assert!(work.await.is_err(), "given up");
    let next = actix_web::rt::spawn(hash(server.app.clone()));
    let early = timeout(std::time::Duration::from_millis(200), next);
    let early = early.await;
    assert!(early.is_err(), "the next may not begin yet");
    drop(go);
    hash(server.app.clone()).await.expect("room again");
}

async fn hash(app: jeton::app::App) -> Result<(), Fault> {
    app.with_password(|| Ok(())).await
}

/// Everything a server does beside introspection, taken until it is let go.
struct Held {
    going: Vec<std::sync::mpsc::Sender<()>>,
    work: Vec<actix_web::rt::task::JoinHandle<()>>,
}

impl Held {
    fn all_of(server: &Server) -> Self {
        let mut held = Held::nothing();
        for _ in 0..8 {
            let (app, gone) = (server.app.clone(), held.one());
            held.work.push(actix_web::rt::spawn(async move {
                let _ = app
                    .write(Caller::system(), move |_| {
                        Ok::<_, Fault>(gone.recv().is_ok())
                    })
                    .await;
            }));
            let (app, gone) = (server.app.clone(), held.one());
            held.work.push(actix_web::rt::spawn(async move {
                let _ = app.query(move |_| Ok(gone.recv().is_ok())).await;
            }));
        }
        held.password(server);
        held
    }

    fn nothing() -> Self {
        Held {
            going: vec![],
            work: vec![],
        }
    }

    fn password(&mut self, server: &Server) {
        let (app, gone) = (server.app.clone(), self.one());
        self.work.push(actix_web::rt::spawn(async move {
            let _ = app
                .with_password(move || Ok::<_, Fault>(gone.recv().is_ok()))
                .await;
        }));
    }

    fn one(&mut self) -> std::sync::mpsc::Receiver<()> {
        let (go, gone) = std::sync::mpsc::channel();
        self.going.push(go);
        gone
    }

    async fn let_go(self) {
        drop(self.going);
        join_all(self.work).await;
    }
}
