//! When a token was last used: noted in memory on the request path, written in batches off it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::tx::Caller;

/// How often the notes are looked through.
const PERIOD: Duration = Duration::from_secs(5);
/// A token's use is written at most this often.
const GRAIN: Duration = Duration::from_secs(60);
/// More notes than this are not kept between two writings: the oldest use of a busy minute may be lost, memory may not.
const MOST: usize = 100_000;

/// The uses noted since they were last written.
#[derive(Default)]
pub struct LastUsed(Mutex<HashMap<Id, Use>>);

#[derive(Clone, Copy)]
struct Use {
    at: Timestamp,
    from: Option<IpAddr>,
    written: Option<Timestamp>,
}

impl LastUsed {
    /// Note that a token of this grant was used.
    pub fn note(&self, grant: Id, at: Timestamp, from: Option<IpAddr>) {
        let mut notes = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let room = notes.len() < MOST;
        match notes.get_mut(&grant) {
            Some(note) => {
                note.at = at;
                note.from = from.or(note.from);
            }
            None if room => {
                notes.insert(
                    grant,
                    Use {
                        at,
                        from,
                        written: None,
                    },
                );
            }
            None => {}
        }
    }

    /// Take the notes that are due: all of them at the end, else those not written within the last minute.
    fn due(&self, now: Timestamp, all: bool) -> Vec<(Id, Use)> {
        let mut notes = self
            .0
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        notes.retain(|_, note| note.written != Some(note.at) || now.since(note.at) < GRAIN);
        let mut due = vec![];
        for (id, note) in notes.iter_mut() {
            let unwritten = note.written.is_none_or(|written| written < note.at);
            let rested = note
                .written
                .is_none_or(|written| now.since(written) >= GRAIN);
            if unwritten && (all || rested) {
                note.written = Some(note.at);
                due.push((*id, *note));
            }
        }
        due
    }
}

/// Write the uses that are due; `all` of them at shutdown. Failing costs a note, never a request.
pub async fn flush(app: &App, all: bool) -> Result<(), Fault> {
    let due = app.last_used().due(app.now(), all);
    if due.is_empty() {
        return Ok(());
    }
    app.write(Caller::system(), move |tx| {
        for (id, note) in due {
            Grant::note_use(tx, id, note.at, note.from)?;
        }
        Ok(())
    })
    .await
}

/// Flush again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = flush(&app, false).await {
            tracing::warn!(%error, "the last uses of tokens could not be written");
        }
    }
}
