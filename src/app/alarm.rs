//! The alarm that a decoy token raises.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::App;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::decoy::{Decoy, QUIET};
use crate::domain::id::Id;
use crate::domain::tx::{Caller, Tx};

/// When this node last saw each decoy used: a flood of uses is no flood of changes.
#[derive(Default)]
pub(super) struct Alarms(Mutex<HashMap<Id, Timestamp>>);

impl Alarms {
    fn seen(&self) -> MutexGuard<'_, HashMap<Id, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this use may be the first in a while.
    fn is_due(&self, decoy: Id, now: Timestamp) -> bool {
        let mut seen = self.seen();
        let due = seen.get(&decoy).is_none_or(|last| *last + QUIET <= now);
        if due {
            seen.retain(|_, last| now < *last + QUIET);
            seen.insert(decoy, now);
        }
        due
    }
}

impl App {
    /// `caller` has presented the decoy under this grant at `place`. The alarm is raised beside the request: its answer must
    /// not tell a decoy from another token by taking longer.
    pub fn alarm(&self, decoy: Id, caller: Caller, place: &'static str) {
        if !self.0.alarms.is_due(decoy, self.now()) {
            return;
        }
        let app = self.clone();
        actix_web::rt::spawn(async move {
            let raise = move |tx: &mut Tx| Ok::<_, Fault>(Decoy::used(tx, decoy, place)?);
            if let Err(fault) = app.write(caller, raise).await {
                tracing::error!(%decoy, place, %fault, "a decoy was used, and the audit trail can't be told");
                app.0.alarms.seen().remove(&decoy);
            }
        });
    }
}
