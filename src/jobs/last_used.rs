//! What presenting a token leaves behind: noted in memory on the request path, written in batches off it.
//!
//! That is when and from where a token was last used, that a personal one was used for the first time, and that one came
//! back after its successor had taken over.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::bearer::{Bearer, Sighting};
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::domain::seen_network::{SeenNetwork, network_of};
use crate::domain::token::TokenKind;
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

/// What was noted since it was last written.
#[derive(Default)]
pub struct LastUsed {
    notes: Mutex<Notes>,
    /// Rung for what can't wait for the next period.
    urgent: Notify,
}

#[derive(Default)]
struct Notes {
    /// By grant.
    uses: HashMap<Id, Use>,
    /// By token.
    reuses: HashMap<Id, Use>,
}

#[derive(Debug, Clone)]
struct Use {
    at: Timestamp,
    from: Option<IpAddr>,
    written: Option<Timestamp>,
    first: Option<FirstUse>,
    /// From where else a personal access token was used since, one address a network.
    places: Vec<(IpAddr, Timestamp)>,
}

/// Places noted of one token between two writings; those beyond are noted when they come again.
const PLACES: usize = 8;

/// A personal access token that was used for the first time, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FirstUse {
    token: Id,
    at: Timestamp,
    from: Option<IpAddr>,
    /// Whether another token's days are numbered by it.
    succeeds: bool,
}

/// Which notes are to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    /// Those that another token's end depends on.
    Urgent,
    Some,
    All,
}

impl Use {
    fn new(at: Timestamp, from: Option<IpAddr>) -> Self {
        Self {
            at,
            from,
            written: None,
            first: None,
            places: vec![],
        }
    }

    /// Whether it says more than was written, and the last writing is long enough ago.
    fn is_due(&self, now: Timestamp, due: Due) -> bool {
        match (due, self.first) {
            (Due::Urgent, first) => first.is_some_and(|first| first.succeeds),
            (_, Some(_)) => true,
            (_, None) => match self.written {
                None => true,
                Some(written) => {
                    written < self.at && (due == Due::All || now.since(written) >= GRAIN)
                }
            },
        }
    }
}

impl LastUsed {
    /// Note that the token of this bearer was presented at `at`, and from where if that is known.
    pub fn note(&self, bearer: &Bearer, at: Timestamp, from: Option<IpAddr>) {
        let (grant, token) = (bearer.grant.id, bearer.token.id);
        let personal = bearer.token.kind == TokenKind::Personal;
        match bearer.sighting(at, from) {
            Some(Sighting::Used) => self.used(grant, at, from),
            Some(Sighting::FirstUsed { succeeds }) => {
                self.used(grant, at, from);
                let first = FirstUse {
                    token,
                    at,
                    from,
                    succeeds,
                };
                self.first_used(grant, first);
            }
            Some(Sighting::Reused) => return self.reused(token, at, from),
            None => return,
        }
        if let (true, Some(from)) = (personal, from) {
            self.used_from(grant, from, at);
        }
    }

    fn used_from(&self, grant: Id, from: IpAddr, at: Timestamp) {
        let network = network_of(from);
        let mut notes = self.notes();
        let Some(note) = notes.uses.get_mut(&grant) else {
            return;
        };
        let mut new = false;
        let known = note
            .places
            .iter_mut()
            .find(|(place, _)| network.contains(place));
        match known {
            Some(place) if place.1 <= at => *place = (from, at),
            Some(_) => {}
            None => new = true,
        }
        if new && note.places.len() < PLACES {
            note.places.push((from, at));
        }
    }

    /// Note that a token of this grant was used.
    pub fn used(&self, grant: Id, at: Timestamp, from: Option<IpAddr>) {
        let mut notes = self.notes();
        if notes.uses.len() >= MOST && !notes.uses.contains_key(&grant) {
            return;
        }
        let note = notes.uses.entry(grant).or_insert(Use::new(at, from));
        // Requests under way at once come here in any order.
        if note.at <= at {
            (note.at, note.from) = (at, from);
        }
    }

    fn first_used(&self, grant: Id, first: FirstUse) {
        let mut notes = self.notes();
        let note = notes.uses.get_mut(&grant);
        if let Some(note) = note.filter(|note| note.first.is_none()) {
            note.first = Some(first);
            if first.succeeds {
                self.urgent.notify_one();
            }
        }
    }

    fn reused(&self, token: Id, at: Timestamp, from: Option<IpAddr>) {
        let mut notes = self.notes();
        if notes.reuses.len() >= MOST || notes.reuses.contains_key(&token) {
            return;
        }
        notes.reuses.insert(token, Use::new(at, from));
        self.urgent.notify_one();
    }

    /// The notes that are due, in the order in which every node writes them; those that are written and old are dropped.
    fn due(&self, now: Timestamp, due: Due) -> Vec<(Id, Use)> {
        let mut notes = self.notes();
        let uses = &mut notes.uses;
        uses.retain(|_, note| {
            note.written != Some(note.at) || note.first.is_some() || now.since(note.at) < GRAIN
        });
        let found = uses
            .iter()
            .filter(|(_, note)| note.is_due(now, due))
            .map(|(grant, note)| (*grant, note.clone()))
            .take(if due == Due::All { MOST } else { AT_ONCE });
        let mut found: Vec<(Id, Use)> = found.collect();
        found.sort_unstable_by_key(|(grant, _)| *grant);
        found
    }

    /// Remember how far these were written.
    fn written(&self, batch: &[(Id, Use)]) {
        let mut notes = self.notes();
        for (grant, written) in batch {
            if let Some(note) = notes.uses.get_mut(grant) {
                note.written = Some(written.at);
                note.places.retain(|place| !written.places.contains(place));
                if note.first == written.first {
                    note.first = None;
                }
            }
        }
    }

    /// The reuses that are not written yet; those that are written and old are dropped.
    fn reuses(&self, now: Timestamp) -> Vec<(Id, Use)> {
        let mut notes = self.notes();
        let reuses = &mut notes.reuses;
        reuses.retain(|_, note| note.written.is_none() || now.since(note.at) < GRAIN);
        let unwritten = reuses.iter().filter(|(_, note)| note.written.is_none());
        unwritten
            .map(|(token, note)| (*token, note.clone()))
            .collect()
    }

    fn reuse_written(&self, token: Id) {
        if let Some(note) = self.notes().reuses.get_mut(&token) {
            note.written = Some(note.at);
        }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Write what is due; `all` of it at shutdown. Failing costs no request, and no note: it is due again.
pub async fn flush(app: &App, all: bool) -> Result<(), Fault> {
    write(app, if all { Due::All } else { Due::Some }).await
}

async fn write(app: &App, due: Due) -> Result<(), Fault> {
    for batch in app.last_used().due(app.now(), due).chunks(BATCH) {
        let noted = batch.to_vec();
        app.write(Caller::system(), move |tx| {
            let uses: Vec<_> = noted
                .iter()
                .map(|(grant, note)| (*grant, note.at, note.from))
                .collect();
            Grant::note_uses(tx, &uses)?;
            for (grant, note) in &noted {
                for (from, at) in &note.places {
                    SeenNetwork::note(tx, *grant, *from, *at)?;
                }
            }
            for first in noted.iter().filter_map(|(_, note)| note.first) {
                PersonalToken::note_first_use(tx, first.token, first.at, first.from)?;
            }
            Ok::<_, Fault>(())
        })
        .await?;
        app.last_used().written(batch);
    }
    for (token, reuse) in app.last_used().reuses(app.now()) {
        app.write(Caller::system(), move |tx| {
            PersonalToken::note_reuse(tx, token, reuse.at, reuse.from)
        })
        .await?;
        app.last_used().reuse_written(token);
    }
    Ok(())
}

/// Write what is due again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        warn(write(&app, Due::Some).await);
    }
}

/// Write what can't wait as soon as it is noted, until the server ends. What fails is due with the rest.
pub async fn run_urgent(app: App) {
    loop {
        app.last_used().urgent.notified().await;
        warn(write(&app, Due::Urgent).await);
    }
}

fn warn(written: Result<(), Fault>) {
    if let Err(error) = written {
        tracing::warn!(%error, "the last uses of tokens could not be written");
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
            notes.used(*grant, NOW, None);
        }
        grants.sort();
        assert_eq!(ids(&notes.due(NOW, Due::Some)), grants);
    }

    #[test]
    fn what_was_not_written_is_due_again_and_what_was_is_not() {
        let notes = LastUsed::default();
        for _ in 0..4 {
            notes.used(Id::new(NOW), NOW, None);
        }
        let due = notes.due(NOW, Due::Some);
        let (first, rest) = due.split_at(1);
        notes.written(first);
        assert_eq!(ids(&notes.due(NOW, Due::Some)), ids(rest));
        assert_eq!(ids(&notes.due(NOW, Due::All)), ids(rest));
    }
}
