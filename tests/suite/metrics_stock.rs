//! What is told to Prometheus of what there is: connections, tokens, bytes, and what the sweeper took away.

use jeton::db::Fault;
use jeton::jobs::sweep::sweep;

use crate::support::{AppOptions, Exposition, Server, Watch, seconds};

/// A connection is idle until somebody uses it.
#[actix_web::test]
async fn the_pools_tell_who_uses_them() {
    let server = Server::start().await;
    let used = |purpose: &str| {
        let seen = Exposition::of(&server);
        let of = |name: &str| seen.value(&format!("{name}{{purpose=\"{purpose}\"}}"));
        of("jeton_database_connections") - of("jeton_database_connections_idle")
    };
    assert_eq!((used("read"), used("write")), (0.0, 0.0));
    let reading = server
        .app
        .read_blocking(|_| Ok::<_, Fault>((used("read"), used("write"))));
    assert_eq!(reading.unwrap(), (1.0, 0.0));
    let writing = server.write(|_| Ok((used("read"), used("write"))));
    assert_eq!(writing, (0.0, 1.0));
    let seen = Exposition::of(&server);
    assert!(seen.value("jeton_database_connections{purpose=\"read\"}") >= 1.0);
}

/// What the sweeper takes away is counted by its noun, and is no longer among the tokens.
#[actix_web::test]
async fn swept_rows_are_counted() {
    let server = Server::start().await;
    server.notes();
    let app = server.app(AppOptions::default());
    app.own_token("notes:read").await;
    server.clock.advance(seconds(3600 + 86_400 + 1));
    let mut watch = Watch::on(&server);
    for swept in [1.0, 0.0] {
        sweep(&server.app).await.unwrap();
        let moved = [("jeton_swept_rows_total{noun=\"tokens\"}", swept)];
        watch.saw("a sweep", if swept > 0.0 { &moved } else { &[] });
    }
}
