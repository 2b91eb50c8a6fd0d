//! The keys by which GitHub's secret scanning is known: kept in memory, and looked for by a job.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::public_keys::PublicKeys;

/// How often the keys are looked for again, so that a new one is known before it is used.
const PERIOD: Duration = Duration::from_secs(60 * 60);
/// And how often at most, whatever keys are asked for.
const PAUSE: Duration = Duration::from_secs(60);

/// The keys that are known.
#[derive(Default)]
pub struct GithubKeys(Mutex<State>);

#[derive(Default)]
struct State {
    keys: Option<Arc<PublicKeys>>,
    /// Somebody has asked for a key that is not known.
    wanted: bool,
    /// When they were last looked for.
    asked_at: Option<Timestamp>,
}

impl GithubKeys {
    /// All of them; none until they were read once.
    pub fn known(&self) -> Option<Arc<PublicKeys>> {
        self.state().keys.clone()
    }

    /// A key that is not known was asked for: there may be new ones.
    pub fn want(&self) {
        self.state().wanted = true;
    }

    /// Whether they are to be looked for at `now`. Whoever is told so has to do it.
    pub fn are_due(&self, now: Timestamp) -> bool {
        let mut state = self.state();
        let pause = match (state.wanted, &state.keys) {
            (false, Some(_)) => PERIOD,
            _ => PAUSE,
        };
        let due = state.asked_at.is_none_or(|last| last + pause <= now);
        if due {
            state.wanted = false;
            state.asked_at = Some(now);
        }
        due
    }

    /// These were found.
    pub fn learn(&self, keys: PublicKeys) {
        self.state().keys = Some(Arc::new(keys));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
