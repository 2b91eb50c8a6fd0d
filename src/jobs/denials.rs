//! Tokens that were of no use to who was shown them: noted in memory on the request path, written into the audit trail in
//! batches off it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::denial::{Denied, Reason, Times};
use crate::domain::id::Id;
use crate::domain::tx::Caller;

/// How often the notes are looked through.
const PERIOD: Duration = Duration::from_secs(5);
/// The same is written at once when it happens first, and then at most this often.
const GRAIN: Duration = Duration::from_secs(10 * 60);
/// More than this are not noted between two writings: a note may be lost, memory may not.
const MOST: usize = 10_000;
/// Notes written in one transaction: others wait for its locks.
const BATCH: usize = 100;
/// Notes written in one period, so that noting never costs more than asking; the rest is due in the next.
const AT_ONCE: usize = 1_000;

/// The token, who was shown it, and why it was of no use.
type Key = (Id, String, Reason);

/// What was noted since it was last written.
#[derive(Default)]
pub struct Denials(Mutex<HashMap<Key, Note>>);

#[derive(Clone)]
struct Note {
    denied: Denied,
    /// What is not written yet; `None` if all is.
    times: Option<Times>,
    /// From where the token came the last time, as its resource server said, and in which request.
    address: Option<IpAddr>,
    request_id: Option<Id>,
    written: Option<Timestamp>,
}

impl Note {
    /// Whether there is something to write, and the last writing is long enough ago.
    fn is_due(&self, now: Timestamp, all: bool) -> bool {
        let waits = self.written.is_some_and(|at| now.since(at) < GRAIN);
        self.times.is_some() && (all || !waits)
    }
}

impl Denials {
    /// Note that a token was of no use, and from where it came.
    pub fn note(
        &self,
        denied: Denied,
        at: Timestamp,
        address: Option<IpAddr>,
        request_id: Option<Id>,
    ) {
        let key = (denied.token, denied.by.clone(), denied.reason);
        let mut notes = self.notes();
        if notes.len() >= MOST && !notes.contains_key(&key) {
            return;
        }
        let note = notes.entry(key).or_insert_with(|| Note {
            denied: denied.clone(),
            times: None,
            address,
            request_id,
            written: None,
        });
        let once = Times::once(at);
        note.times = Some(note.times.map_or(once, |times| times.and(once)));
        note.denied.lacks_too(&denied);
        (note.address, note.request_id) = (address, request_id);
    }

    /// The notes that are due; those that are written and old are dropped.
    fn due(&self, now: Timestamp, all: bool) -> Vec<(Key, Note)> {
        let mut notes = self.notes();
        notes.retain(|_, note| {
            note.times.is_some() || note.written.is_some_and(|at| now.since(at) < GRAIN)
        });
        let due = notes.iter().filter(|(_, note)| note.is_due(now, all));
        due.map(|(key, note)| (key.clone(), note.clone()))
            .take(if all { MOST } else { AT_ONCE })
            .collect()
    }

    /// Remember that these were written; what was noted meanwhile is still to be.
    fn written(&self, batch: &[(Key, Note)], now: Timestamp) {
        let mut notes = self.notes();
        for (key, written) in batch {
            let Some(note) = notes.get_mut(key) else {
                continue;
            };
            let before = written.times.map_or(0, |times| times.count);
            let since = note.times.filter(|times| times.count > before);
            note.times = since.map(|times| Times {
                count: times.count - before,
                first: written.times.map_or(times.first, |times| times.last),
                last: times.last,
            });
            note.written = Some(now);
        }
    }

    fn notes(&self) -> MutexGuard<'_, HashMap<Key, Note>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Write what is due; `all` of it at shutdown. Failing costs no request, and no note: it is due again.
pub async fn flush(app: &App, all: bool) -> Result<(), Fault> {
    let now = app.now();
    for batch in app.denials().due(now, all).chunks(BATCH) {
        let events: Vec<_> = batch
            .iter()
            .filter_map(|(_, note)| {
                let times = note.times?;
                Some(note.denied.event(&times, note.address, note.request_id))
            })
            .collect();
        app.write(Caller::system(), move |tx| {
            events
                .into_iter()
                .try_for_each(|event| Ok::<_, Fault>(tx.record(event)?))
        })
        .await?;
        app.denials().written(batch, now);
    }
    Ok(())
}

/// Flush again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = flush(&app, false).await {
            tracing::warn!(%error, "tokens that were of no use could not be written down");
        }
    }
}
