//! Telling people that their tokens end.

use std::time::Duration;

use crate::app::App;
use crate::db::Fault;
use crate::domain::reminder::{self, Due};
use crate::domain::tx::Caller;

/// How often it is looked for what ends,
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// and how soon again when that failed.
const AGAIN: Duration = Duration::from_secs(60);
/// People looked up at a time.
const BATCH: i64 = 200;

/// Remind everybody who is to be reminded now; of how many tokens. One who is told of a token's end is told of everything
/// else in the same letter.
pub async fn remind(app: &App) -> Result<usize, Fault> {
    let mut told = 0;
    for due in Due::ALL {
        let mut last = None;
        loop {
            let readers = app
                .query(move |rx| reminder::readers(rx, due, last, BATCH))
                .await?;
            for reader in &readers {
                let reader = *reader;
                told += app
                    .write(Caller::system(), move |tx| reminder::remind(tx, reader))
                    .await?;
            }
            match readers.last() {
                Some(reader) => last = Some(*reader),
                None => break,
            }
        }
    }
    Ok(told)
}

/// Remind again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        let pause = match remind(&app).await {
            Ok(_) => PERIOD,
            Err(error) => {
                tracing::warn!(%error, "people could not be reminded of their tokens");
                AGAIN
            }
        };
        tokio::time::sleep(pause).await;
    }
}
