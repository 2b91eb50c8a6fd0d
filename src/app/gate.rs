//! A bounded number of places, and a bounded queue before them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::db::Fault;

/// Lets so many in at a time, and so many wait. Who finds the queue full hears so at once, not after a timeout.
pub(super) struct Gate {
    places: Arc<Semaphore>,
    /// One for each who is in or waits.
    known: Arc<Semaphore>,
    size: usize,
    most: usize,
}

/// A place taken, until it is dropped. It goes along with the work: who hangs up does not make room for another while
/// the work goes on.
pub(super) struct Pass {
    _place: OwnedSemaphorePermit,
    _known: OwnedSemaphorePermit,
}

impl Gate {
    pub fn new(size: usize, waiting: usize) -> Self {
        let most = size + waiting;
        Self {
            places: Arc::new(Semaphore::new(size)),
            known: Arc::new(Semaphore::new(most)),
            size,
            most,
        }
    }

    /// Wait for a place; [`Fault::Busy`] where too many do already.
    pub async fn enter(&self) -> Result<Pass, Fault> {
        let known = self.known.clone().try_acquire_owned();
        let known = known.map_err(|_| Fault::Busy)?;
        let place = self.places.clone().acquire_owned().await;
        Ok(Pass {
            _place: place.map_err(|_| Fault::Busy)?,
            _known: known,
        })
    }

    /// How many are in.
    pub fn taken(&self) -> usize {
        self.size - self.places.available_permits()
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        let known = self.most - self.known.available_permits();
        known.saturating_sub(self.taken())
    }
}
