//! A database that goes away under load, and comes back. Meanwhile every answer is 503, try again: that is what
//! [`Traffic`] holds each of them against. No client hears that a token is inactive because the database was away.
//!
//! SQLite's file does not go away: there these tests have nothing to do and return at once.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use crate::support::{BUSY, Jeton, Postgres, Running, TestDatabase, Traffic, Wire, postgres};

/// A refusal, too, comes before a client loses its patience.
const AT_MOST: Duration = Duration::from_secs(7);

/// The server works again by itself, this soon after its database does.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// The clients have good answers again, soon enough.
async fn is_back(traffic: &Traffic, server: &Running) {
    let began = Instant::now();
    traffic.answered(&server.url, 40).await;
    let took = began.elapsed();
    assert!(took < BACK_WITHIN, "it took {took:?} to come back");
}

/// What was true all the time: all were answered in time, and what they were told holds.
async fn all_was_well(mut traffic: Traffic, server: &Running) {
    traffic.end().await;
    let tally = traffic.at(&server.url);
    assert_eq!((tally.lost, tally.closed_doors), (0, 0), "{tally:?}");
    assert!(tally.slowest < AT_MOST, "{tally:?}");
    traffic.is_all_true(&server.url).await;
    let log = server.errors.text();
    assert!(!log.contains("panicked"), "{log}");
}

/// An orderly stop, and a crash.
#[actix_web::test]
async fn a_database_server_is_stopped_and_started() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let mut postgres = Postgres::start();
    let jeton = Jeton::on(TestDatabase::at(&postgres.url), &BUSY);
    let mut traffic = Traffic::new(&jeton);
    let server = jeton.serve();
    traffic.goes_to(&[&server.url]);
    for order in ["stop", "crash"] {
        traffic.answered(&server.url, 60).await;
        postgres.order(order).await;
        traffic.refused(&server.url, 6).await;
        assert_eq!(server.status("/readyz").await, 503);
        assert_eq!(server.status("/healthz").await, 200);
        postgres.order("start").await;
        is_back(&traffic, &server).await;
        assert_eq!(server.status("/readyz").await, 200);
    }
    all_was_well(traffic, &server).await;
}

/// The database ends all connections again and again, as in a failover; whoever connects anew is served.
#[actix_web::test]
async fn connections_are_ended_by_the_database() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let jeton = Jeton::with(&BUSY);
    let mut traffic = Traffic::new(&jeton);
    let server = jeton.serve();
    let mut operator = postgres(&jeton.database.url()).expect("it answers");
    traffic.goes_to(&[&server.url]);
    for _ in 0..20 {
        traffic.answered(&server.url, 20).await;
        let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
        operator.batch_execute(end_all).expect("they end");
    }
    is_back(&traffic, &server).await;
    all_was_well(traffic, &server).await;
}

/// The network is cut: connections end, and none can be made.
#[actix_web::test]
async fn the_way_to_the_database_is_cut() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let jeton = Jeton::with(&BUSY);
    let mut traffic = Traffic::new(&jeton);
    let wire = Wire::to(&jeton.database.url());
    let server = jeton.serve_with(&[("JETON_DATABASE_URL", &wire.url)]);
    traffic.goes_to(&[&server.url]);
    for _ in 0..2 {
        traffic.answered(&server.url, 60).await;
        wire.cut();
        traffic.refused(&server.url, 6).await;
        wire.mend();
        is_back(&traffic, &server).await;
    }
    all_was_well(traffic, &server).await;
}

/// The network, or the database's machine, falls silent: what is sent is never answered, and nobody is told why. No
/// request waits for that.
#[actix_web::test]
async fn the_database_falls_silent() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let jeton = Jeton::with(&BUSY);
    let mut traffic = Traffic::new(&jeton);
    let wire = Wire::to(&jeton.database.url());
    let server = jeton.serve_with(&[("JETON_DATABASE_URL", &wire.url)]);
    traffic.goes_to(&[&server.url]);
    traffic.answered(&server.url, 60).await;
    wire.fall_silent();
    traffic.refused(&server.url, 6).await;
    assert_eq!(server.status("/readyz").await, 503);
    assert_eq!(server.status("/healthz").await, 200);
    wire.mend();
    is_back(&traffic, &server).await;
    all_was_well(traffic, &server).await;
}
