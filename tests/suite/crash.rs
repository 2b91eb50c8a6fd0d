//! A server that is killed in the middle of its work: what it had said stays true.

use crate::support::{BUSY, Jeton, Traffic, chance};

/// How often it is killed.
const ROUNDS: usize = 20;

/// An answer leaves after its commit: every token that was handed over works after `kill -9`, and every one whose
/// revocation was acknowledged is dead, whatever else was under way at that moment.
#[actix_web::test]
async fn nothing_that_was_acknowledged_is_lost_when_the_server_is_killed() {
    let jeton = Jeton::with(&BUSY);
    let mut traffic = Traffic::new(&jeton);
    let mut checked = 0;
    for _ in 0..ROUNDS {
        let mut server = jeton.serve();
        checked += traffic.is_all_true(&server.url).await;
        traffic.goes_to(&[&server.url]);
        traffic.answered(&server.url, 10 + chance(120)).await;
        server.kill();
        traffic.end().await;
    }
    let server = jeton.serve();
    checked += traffic.is_all_true(&server.url).await;
    assert!(checked > 10 * ROUNDS, "only {checked} were checked");
}
