//! Recording that personal access tokens have come to their end, each once.

use crate::app::App;
use crate::db::{self, Fault};
use crate::domain::expiry;
use crate::domain::tx::Caller;

/// Tokens recorded in one transaction: others wait for its locks.
const BATCH: i64 = 200;

/// Record all that have ended since it was last looked.
pub async fn note(app: &App) -> Result<(), Fault> {
    loop {
        let more = app.write(Caller::system(), |tx| {
            // Another node may be at it.
            Ok::<_, Fault>(db::is_alone(tx)? && expiry::note(tx, BATCH)?)
        });
        if !more.await? {
            return Ok(());
        }
    }
}
