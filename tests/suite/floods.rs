//! Floods: whatever else a server is busy with, and however much of it, introspection goes on and its answers are right.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use actix_web::rt::task::JoinHandle;
use actix_web::rt::{spawn, time::timeout};
use diesel::prelude::*;
use futures_util::future::join_all;
use jeton::db::Fault;
use jeton::db::schema::tokens as all;
use jeton::domain::secret::SecretKind;
use jeton::domain::tx::Caller;
use jeton::jobs::sweep::sweep;

use crate::support::{
    App, AppOptions, Exposition, ResourceServer, Server, count, leave_expired, refused, seconds,
    tokens, until,
};

/// How many ask for tokens at once, each on a connection of its own.
const CONNECTIONS: usize = 64;

/// How often each of them asks at least.
const TIMES: usize = 32;

/// More changes than are under way and wait on any database.
const TOO_MANY: usize = 1200;

/// How many tokens the sweeper finds.
const EXPIRED: usize = 100_000;

/// While many ask for tokens, with what is good and with garbage, every question about a token is answered, and what was
/// revoked a moment ago is inactive.
#[actix_web::test]
async fn introspection_goes_on_under_a_flood_of_token_requests() {
    let server = Server::start().await;
    let (notes, app) = (server.notes(), server.app(AppOptions::default()));
    let mut held = vec![];
    for _ in 0..50 {
        held.push(app.own_token("notes:read").await.access);
    }
    let flood = Flood::on(&server, &app);
    let has_risen = |tally: Tally| tally.answers >= CONNECTIONS;
    flood.until("the flood", has_risen).await;
    join_all(held.chunks(10).map(async |some| {
        for token in some {
            for _ in 0..5 {
                assert_active(&notes, token, true).await;
            }
            assert_eq!(app.revoke(token).await.status(), 200);
            for _ in 0..5 {
                assert_active(&notes, token, false).await;
            }
        }
    }))
    .await;
    flood.end().await;
}

/// When too many changes wait already, a token request is refused for now; a question about a token is not.
#[actix_web::test]
async fn introspection_goes_on_while_token_requests_are_refused_for_now() {
    let server = Server::start().await;
    let (notes, app) = (server.notes(), server.app(AppOptions::default()));
    let token = app.own_token("notes:read").await.access;
    // Whatever is begun goes on until this is dropped.
    let (go, gone) = mpsc::channel::<()>();
    let gone = Arc::new(Mutex::new(gone));
    let begun = Arc::new(AtomicUsize::new(0));
    let turned_away = Rc::new(Cell::new(0));
    let change = |_| {
        let (app, gone, begun) = (server.app.clone(), gone.clone(), begun.clone());
        let turned_away = turned_away.clone();
        spawn(async move {
            let change = app.write(Caller::system(), move |_| {
                begun.fetch_add(1, Ordering::Relaxed);
                Ok::<_, Fault>(gone.lock().unwrap().recv().is_ok())
            });
            turned_away.set(turned_away.get() + usize::from(change.await.is_err()));
        })
    };
    // One has to be under way before the others wait: what is taken up later makes room.
    let first = change(0);
    until("one is made", async || begun.load(Ordering::Relaxed) > 0).await;
    let changes: Vec<_> = (1..TOO_MANY).map(change).collect();
    until("too many wait", async || turned_away.get() > 0).await;

    let flood = Flood::on(&server, &app);
    flood.until("refusals", |tally| tally.refusals > 0).await;
    for _ in 0..50 {
        assert_active(&notes, &token, true).await;
    }
    drop(go);
    flood.end().await;
    join_all(changes).await;
    first.await.expect("no panic");
    let next = app.own_token("notes:read").await;
    assert_active(&notes, &next.access, true).await;
}

/// While the sweeper removes very many expired tokens, batch by batch, others have their turn: what lives is active, what is
/// over is not, whether it is removed yet or not, and tokens are made. A hundred thousand stand for a million, whose sweep
/// takes minutes in a build for tests.
#[actix_web::test]
async fn introspection_goes_on_while_very_many_expired_tokens_are_swept() {
    let server = Server::start().await;
    let (notes, app) = (server.notes(), server.app(AppOptions::default()));
    let expired = app.own_token("notes:read").await.access;
    leave_expired(&server, EXPIRED);
    server.clock.advance(seconds(2 * 86_400));
    let mut live = vec![server.personal_token(&server.user("alice"), "notes:read")];
    let mut revoked = vec![];

    let swept = || {
        let series = "jeton_swept_rows_total{noun=\"tokens\"}";
        Exposition::of(&server).value(series) as usize
    };
    let sweeper = server.app.clone();
    let sweeping = spawn(async move { sweep(&sweeper).await });
    let mut midway = 0;
    while !sweeping.is_finished() {
        let has_begun = swept() > 0;
        assert_active(&notes, &live[0], true).await;
        assert_active(&notes, &expired, false).await;
        let made = app.own_token("notes:read").await.access;
        assert_active(&notes, &made, true).await;
        if live.len() > revoked.len() {
            assert_eq!(app.revoke(&made).await.status(), 200);
            assert_active(&notes, &made, false).await;
            revoked.push(made);
        } else {
            live.push(made);
        }
        midway += usize::from(has_begun && swept() < EXPIRED);
    }
    sweeping.await.expect("no panic").expect("no fault");

    assert!(midway >= 10, "only {midway} were made between batches");
    assert_eq!(swept(), EXPIRED + 1);
    let left = count!(server, all);
    assert_eq!(left as usize, live.len() + revoked.len());
    for token in &live {
        assert_active(&notes, token, true).await;
    }
    for token in revoked.iter().chain([&expired]) {
        assert_active(&notes, token, false).await;
    }
}

/// What a resource server is told of a token, by an answer that comes and is no refusal.
async fn assert_active(notes: &ResourceServer, token: &str, active: bool) {
    let answer = timeout(seconds(10), notes.accepts(token)).await;
    assert_eq!(answer.expect("an answer"), active, "{token}");
}

/// Clients that ask for tokens, over and over, until it is ended.
struct Flood {
    over: Rc<Cell<bool>>,
    tally: Rc<Cell<Tally>>,
    /// None ends before it is over, unless it was told something wrong.
    clients: Vec<JoinHandle<()>>,
}

/// What they were told so far.
#[derive(Clone, Copy, Default)]
struct Tally {
    answers: usize,
    /// Those of them that said: not now.
    refusals: usize,
}

impl Flood {
    fn on(server: &Server, app: &App) -> Self {
        let (over, tally) = (Rc::new(Cell::new(false)), Rc::<Cell<Tally>>::default());
        let stranger = server.app.policy().brands.mint(SecretKind::RefreshToken);
        let stranger = stranger.expose().to_owned();
        let client = |index: usize| {
            let (over, tally) = (over.clone(), tally.clone());
            let (app, stranger) = (app.clone(), stranger.clone());
            spawn(async move {
                let mut turn = 0;
                while turn < TIMES || !over.get() {
                    let answer = request(&app, &stranger, index + turn);
                    let answer = timeout(seconds(10), answer).await;
                    let is_refusal = !answer.expect("an answer");
                    let Tally { answers, refusals } = tally.get();
                    tally.set(Tally {
                        answers: answers + 1,
                        refusals: refusals + usize::from(is_refusal),
                    });
                    turn += 1;
                }
            })
        };
        let clients = (0..CONNECTIONS).map(client).collect();
        Self {
            over,
            tally,
            clients,
        }
    }

    /// Wait until this is true of what they were told.
    async fn until(&self, what: &str, come_about: impl Fn(Tally) -> bool) {
        until(what, async || {
            let dead = self.clients.iter().any(JoinHandle::is_finished);
            assert!(!dead, "a client was told something wrong, see above");
            come_about(self.tally.get())
        })
        .await;
    }

    /// End it, when every client has had its last answer.
    async fn end(self) {
        self.over.set(true);
        for client in self.clients {
            client.await.expect("no client was told something wrong");
        }
    }
}

/// One request of a kind that there is, and its answer, which has to be the one it deserves. `false` if it was refused for
/// now instead.
async fn request(app: &App, stranger: &str, kind: usize) -> bool {
    let own = [
        ("grant_type", "client_credentials"),
        ("scope", "notes:read"),
    ];
    let refresh = |token| [("grant_type", "refresh_token"), ("refresh_token", token)];
    let (answer, error) = match kind % 4 {
        0 => (app.token(&own).await, None),
        1 => (
            app.token(&refresh("garbage")).await,
            Some((400, "invalid_grant")),
        ),
        2 => (
            app.token(&refresh(stranger)).await,
            Some((400, "invalid_grant")),
        ),
        _ => (
            app.with_secret("garbage").token(&own).await,
            Some((401, "invalid_client")),
        ),
    };
    if answer.status() == 503 {
        assert_eq!(answer.headers()["retry-after"], "1");
        refused(answer, 503, "server_error", "a flood").await;
        return false;
    }
    match error {
        None => drop(tokens(answer).await),
        Some((status, error)) => drop(refused(answer, status, error, "a flood").await),
    }
    true
}
