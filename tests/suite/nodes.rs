//! Three nodes on one database: one is killed, all are replaced in turn. On SQLite they are three processes on one file.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use actix_web::rt::task::spawn_blocking;
use actix_web::rt::time::sleep;

use diesel::prelude::*;
use jeton::db::schema::tokens;
use jeton::db::{self, Database, Fault, Location};
use jeton::jobs::sweep::sweep;

use crate::support::{
    AppOptions, BUSY, Jeton, Running, Server, TestDatabase, Traffic, Wire, seconds, until,
};

fn urls(nodes: &[Running]) -> Vec<&str> {
    nodes.iter().map(|node| node.url.as_str()).collect()
}

/// Whoever asks the other two notices nothing: no error, no wrong answer, and what the killed node had said is true. What
/// a node does for itself, such as writing down the uses of tokens, goes on.
#[actix_web::test]
async fn of_three_nodes_one_is_killed() {
    let jeton = Jeton::with(&BUSY);
    let mut traffic = Traffic::new(&jeton);
    let mut nodes = [jeton.serve(), jeton.serve(), jeton.serve()];
    traffic.goes_to(&urls(&nodes));
    for node in &nodes {
        traffic.answered(&node.url, 30).await;
    }
    nodes[0].kill();
    for node in &nodes[1..] {
        traffic.answered(&node.url, 60).await;
    }
    traffic.end().await;
    for node in &nodes[1..] {
        let tally = traffic.at(&node.url);
        let well = (tally.refusals, tally.closed_doors, tally.lost) == (0, 0, 0);
        assert!(well, "{tally:?}");
    }
    assert!(traffic.at(&nodes[0].url).closed_doors > 0, "it was missed");
    traffic.is_all_true(&nodes[1].url).await;
    traffic.is_all_true(&nodes[2].url).await;
    until("a last use", async || {
        let listed = jeton.json(&["token", "list", "--user=person0"]);
        let tokens = listed.as_array().expect("a list").iter();
        tokens
            .clone()
            .any(|token| token["last_used_at"].is_string())
    })
    .await;
}

/// The sweep is done by one node for all. If that one dies in the middle of it, another goes on at once: there is nothing
/// that somebody would have to clear up. (On SQLite whoever writes is alone, and there is no other lock to be left.)
#[actix_web::test]
async fn the_node_that_sweeps_is_killed() {
    if !TestDatabase::is_postgres() {
        return;
    }
    let server = Server::start().await;
    server.notes();
    server
        .app(AppOptions::default())
        .own_token("notes:read")
        .await;
    let left = || server.write(|tx| Ok(tokens::table.count().get_result::<i64>(&mut **tx)?));
    server.clock.advance(seconds(30 * 86_400));

    let wire = Wire::to(&server.database_url());
    let dying = Database::open(&Location::Postgres(wire.url.clone()), 1).expect("it opens");
    let (held, is_held) = std::sync::mpsc::channel();
    let (die, is_to_die) = std::sync::mpsc::channel();
    let dying = spawn_blocking(move || {
        dying.write(|conn| {
            assert!(db::is_alone(conn)?, "nobody else sweeps");
            diesel::delete(tokens::table).execute(conn)?;
            held.send(()).expect("the test waits");
            is_to_die.recv().expect("the test says when");
            Ok::<_, Fault>(())
        })
    });
    is_held.recv().expect("it sweeps");
    sweep(&server.app)
        .await
        .expect("it leaves that to the other");
    assert_eq!(left(), 1);
    wire.cut();
    until("the sweep", async || {
        sweep(&server.app).await.expect("nothing is in its way");
        left() == 0
    })
    .await;
    die.send(()).expect("it still believes that it sweeps");
    assert!(dying.await.expect("it did not panic").is_err());
}

/// When our balancer has sent its last request to a node that is not ready any more.
const NOTICES_WITHIN: Duration = Duration::from_millis(300);

/// Each node is told to stop once a new one is there. A balancer that asks `/readyz` now and then, and tries another node
/// when a connection is refused, loses no request.
#[actix_web::test]
async fn nodes_are_replaced_in_turn_and_no_request_is_lost() {
    let jeton = Jeton::with(&[BUSY[0], BUSY[1], ("stop_delay", "1s")]);
    let mut traffic = Traffic::new(&jeton);
    let mut nodes = vec![jeton.serve(), jeton.serve(), jeton.serve()];
    let mut all: Vec<String> = vec![];
    for _ in 0..3 {
        nodes.push(jeton.serve());
        traffic.goes_to(&urls(&nodes));
        for node in &nodes {
            traffic.answered(&node.url, 10).await;
        }
        let mut old = nodes.remove(0);
        all.push(old.url.clone());
        old.terminate();
        until("not ready", async || old.status("/readyz").await == 503).await;
        sleep(NOTICES_WITHIN).await;
        traffic.goes_to(&urls(&nodes));
        let ended = spawn_blocking(move || old.wait().code());
        assert_eq!(ended.await.expect("it is waited for"), Some(0));
    }
    traffic.end().await;
    all.extend(urls(&nodes).iter().map(|url| (*url).to_owned()));
    for url in &all {
        let tally = traffic.at(url);
        let well = (tally.refusals, tally.lost) == (0, 0);
        assert!(well && tally.answers >= 10, "{tally:?}");
    }
    traffic.is_all_true(&nodes[0].url).await;
}

/// A client that keeps its connection, and asks nobody whether the node is ready, is told to make a new one.
#[test]
fn a_kept_connection_ends_with_an_answer() {
    let jeton = Jeton::with(&[("stop_delay", "60s")]);
    let mut node = jeton.serve();
    let address = node.url.strip_prefix("http://").expect("http").to_owned();
    let mut kept = TcpStream::connect(&address).expect("it is let in");
    let question = b"GET /healthz HTTP/1.1\r\nHost: jeton\r\n\r\n";
    kept.write_all(question).expect("it is open");
    let mut first = [0; 4096];
    let length = kept.read(&mut first).expect("an answer");
    let first = String::from_utf8_lossy(&first[..length]).to_lowercase();
    assert!(first.starts_with("http/1.1 200 ok\r\n"), "{first}");
    assert!(!first.contains("connection: close"), "{first}");

    node.terminate();
    node.errors.wait_for("told to stop");
    kept.write_all(question).expect("it is still open");
    let mut last = String::new();
    kept.read_to_string(&mut last)
        .expect("an answer, and an end");
    let last = last.to_lowercase();
    assert!(last.starts_with("http/1.1 200 ok\r\n"), "{last}");
    assert!(last.contains("connection: close\r\n"), "{last}");
    assert!(last.ends_with("\r\n\r\nok\n"), "{last}");

    // Who is in a hurry says it twice.
    node.stop();
    assert!(TcpStream::connect(&address).is_err(), "nobody is let in");
}
