//! When a token was last used: noted in memory on the request path, written in batches off it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
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
/// More grants than this are not noted between two writings: a note may be lost, memory may not.
const MOST: usize = 50_000;
/// Notes written in one transaction: others wait for its locks.
const BATCH: usize = 200;
/// Notes written in one period, so that noting uses never costs more than asking; the rest is due in the next.
const AT_ONCE: usize = 2_500;

/// The uses noted since they were last written.
#[derive(Default)]
pub struct LastUsed(Mutex<HashMap<Id, Use>>);

#[derive(Clone, Copy)]
struct Use {
    at: Timestamp,
    from: Option<IpAddr>,
    written: Option<Timestamp>,
}

impl Use {
    /// Whether it says more than was written, and the last writing is long enough ago.
    fn is_due(&self, now: Timestamp, all: bool) -> bool {
        match self.written {
            None => true,
            Some(written) => written < self.at && (all || now.since(written) >= GRAIN),
        }
    }
}

impl LastUsed {
    /// Note that a token of this grant was used.
    pub fn note(&self, grant: Id, at: Timestamp, from: Option<IpAddr>) {
        let mut notes = self.notes();
        if notes.len() >= MOST && !notes.contains_key(&grant) {
            return;
        }
        let note = notes.entry(grant).or_insert(Use {
            at,
            from,
            written: None,
        });
        // Requests under way at once come here in any order.
        if note.at <= at {
            (note.at, note.from) = (at, from);
        }
    }

    /// The notes that are due, in the order in which every node writes them; those that are written and old are dropped.
    fn due(&self, now: Timestamp, all: bool) -> Vec<(Id, Use)> {
        let mut notes = self.notes();
        notes.retain(|_, note| note.written != Some(note.at) || now.since(note.at) < GRAIN);
        let mut due: Vec<(Id, Use)> = notes
            .iter()
            .filter(|(_, note)| note.is_due(now, all))
            .map(|(grant, note)| (*grant, *note))
            .take(if all { MOST } else { AT_ONCE })
            .collect();
        due.sort_unstable_by_key(|(grant, _)| *grant);
        due
    }

    /// Remember how far these were written.
    fn written(&self, batch: &[(Id, Use)]) {
        let mut notes = self.notes();
        for (grant, written) in batch {
            if let Some(note) = notes.get_mut(grant) {
                note.written = Some(written.at);
            }
        }
    }

    fn notes(&self) -> MutexGuard<'_, HashMap<Id, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Write the uses that are due; `all` of them at shutdown. Failing costs no request, and no note: it is due again.
pub async fn flush(app: &App, all: bool) -> Result<(), Fault> {
    for batch in app.last_used().due(app.now(), all).chunks(BATCH) {
        let uses: Vec<_> = batch
            .iter()
            .map(|(grant, note)| (*grant, note.at, note.from))
            .collect();
        app.write(Caller::system(), move |tx| {
            Ok::<_, Fault>(Grant::note_uses(tx, &uses)?)
        })
        .await?;
        app.last_used().written(batch);
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn ids(due: &[(Id, Use)]) -> Vec<Id> {
        due.iter().map(|(grant, _)| *grant).collect()
    }

    #[test]
    fn notes_are_due_in_one_order_so_that_nodes_do_not_wait_for_each_other() {
        let mut grants: Vec<Id> = (0..500).map(|_| Id::new(NOW)).collect();
        let notes = LastUsed::default();
        for grant in grants.iter().rev() {
            notes.note(*grant, NOW, None);
        }
        grants.sort();
        assert_eq!(ids(&notes.due(NOW, false)), grants);
    }

    #[test]
    fn what_was_not_written_is_due_again_and_what_was_is_not() {
        let notes = LastUsed::default();
        for _ in 0..4 {
            notes.note(Id::new(NOW), NOW, None);
        }
        let due = notes.due(NOW, false);
        let (first, rest) = due.split_at(1);
        notes.written(first);
        assert_eq!(ids(&notes.due(NOW, false)), ids(rest));
        assert_eq!(ids(&notes.due(NOW, true)), ids(rest));
    }
}
