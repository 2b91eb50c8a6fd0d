//! Sealing the audit trail: a moment after events are committed, so that no change ever waits for another's.

use std::time::Duration;

use crate::app::App;
use crate::db::Fault;
use crate::domain::audit::chain::{self, Head};
use crate::domain::tx::{Caller, Tx};

/// How often it is looked for events that are not sealed.
const PERIOD: Duration = Duration::from_secs(5);
/// How long it is not tried after it failed: where the database is silent, each try keeps a writer's place until its
/// connection is given up, and requests have a better use for it.
const REST: Duration = Duration::from_secs(20);
/// Events sealed in one transaction: others wait for it on SQLite.
const BATCH: i64 = 200;

/// Seal all there is. The head is logged: a log that is kept elsewhere holds the trail to it.
pub async fn seal(app: &App) -> Result<(), Fault> {
    loop {
        let seal = |tx: &mut Tx| chain::seal(tx, BATCH);
        let sealed = app.write(Caller::system(), seal).await?;
        if !goes_on(sealed) {
            return Ok(());
        }
    }
}

/// [`seal`] for the command line, where nobody else waits.
pub fn seal_blocking(app: &App) -> Result<(), Fault> {
    while goes_on(app.write_blocking(&Caller::system(), |tx| chain::seal(tx, BATCH))?) {}
    Ok(())
}

/// Log what was sealed; whether there may be more.
fn goes_on((count, head): (usize, Head)) -> bool {
    if count > 0 {
        tracing::info!(count, %head, "the audit trail is sealed");
    }
    count as i64 == BATCH
}

/// Seal again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = seal(&app).await {
            tracing::warn!(%error, "the audit trail could not be sealed");
            tokio::time::sleep(REST).await;
        }
    }
}
