//! Writing what was cut off into the rows of people's tokens, so that their lists and the clean-up know it without asking.
//! No token waits for this to be inactive.

use std::time::Duration;

use crate::app::App;
use crate::db::{self, Fault};
use crate::domain::cut_off::CutOff;
use crate::domain::tx::Caller;

/// How often it is looked for something to write.
const PERIOD: Duration = Duration::from_secs(10);
/// Rows written in one transaction: others wait for its locks.
const BATCH: i64 = 500;

/// Write all that there is to write now, batch by batch. What is cut short goes on where it was.
pub async fn write(app: &App) -> Result<(), Fault> {
    loop {
        let written = app.write(Caller::system(), |tx| {
            // Another node may be at it.
            if !db::is_alone(tx)? {
                return Ok(0);
            }
            Ok::<_, Fault>(CutOff::write_rows(tx, BATCH)?)
        });
        let written = written.await?;
        if written == 0 {
            return Ok(());
        }
        tracing::info!(written, "looked at tokens that were cut off");
    }
}

/// Write again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = write(&app).await {
            tracing::warn!(%error, "what was cut off could not be written");
        }
    }
}
