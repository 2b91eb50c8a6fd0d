//! A disk without room. It is SQLite's fault to meet: PostgreSQL's disk is another machine's, and there these tests return
//! at once.

use std::process::Command;

use jeton::db::Location;

use crate::support::{BUSY, Jeton, Running, TestDatabase, Traffic};

/// What still fits when the disk is said to be full: a few commits, so that it fills up in the middle of something.
const LEFT: u64 = 32 * 1024;

/// The server under a shell that turns off the signal by which a file limit would end it: what is left is a write that
/// fails, as on a full disk.
fn serve(jeton: &Jeton) -> Running {
    let mut command = Command::new("sh");
    command
        .env_clear()
        .envs(jeton.environment())
        .args(["-c", "trap '' XFSZ; exec \"$0\" serve"])
        .arg(Jeton::program());
    Running::serving(command)
}

/// No file of the server grows beyond this many bytes, or any file to any length.
fn limit(server: &Running, bytes: Option<u64>) {
    let limit = bytes.map_or("unlimited".to_owned(), |bytes| bytes.to_string());
    let set = Command::new("prlimit")
        .args(["--pid", &server.id().to_string()])
        // The soft limit alone: it may be lifted again.
        .arg(format!("--fsize={limit}:"))
        .status();
    assert!(set.expect("util-linux has prlimit").success());
}

/// The length of the longer one of the database's two files.
fn length(jeton: &Jeton) -> u64 {
    let Location::Sqlite(file) = jeton.database.location() else {
        panic!("a file");
    };
    let log = file.with_extension("db-wal");
    let length = |path| std::fs::metadata(path).map_or(0, |file| file.len());
    length(file).max(length(log))
}

/// Without room nothing is given out and nothing is taken back, and the answer is 503; every question about a token is
/// answered as ever. With room it works again by itself, and all that was ever acknowledged outlives the process.
#[actix_web::test]
async fn a_full_disk_costs_what_would_be_written_and_nothing_else() {
    if TestDatabase::is_postgres() {
        return;
    }
    let jeton = Jeton::with(&BUSY);
    let mut traffic = Traffic::new(&jeton);
    let mut server = serve(&jeton);
    traffic.goes_to(&[&server.url]);
    for round in 0..3 {
        traffic.answered(&server.url, 100).await;
        // First the log grows into the limit; later it is written anew from its beginning, and does not get far.
        let long = if round == 0 { length(&jeton) } else { 0 };
        limit(&server, Some(long + LEFT));
        traffic.refused(&server.url, 30).await;
        traffic.answered(&server.url, 30).await;
        assert_eq!(server.status("/healthz").await, 200);
        limit(&server, None);
        traffic.answered(&server.url, 100).await;
    }
    traffic.end().await;
    let tally = traffic.at(&server.url);
    assert_eq!((tally.unknown, tally.lost), (0, 0), "{tally:?}");
    let log = server.errors.text();
    assert!(!log.contains("panicked"), "{log}");
    server.kill();
    let server = jeton.serve();
    traffic.is_all_true(&server.url).await;
    traffic.goes_to(&[&server.url]);
    traffic.answered(&server.url, 50).await;
    traffic.end().await;
    assert_eq!(traffic.at(&server.url).refusals, 0);
}
