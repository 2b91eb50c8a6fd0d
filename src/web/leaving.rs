//! The last moments of a node that was told to stop: it still answers, and sees to it that nobody comes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether this node is about to stop. Clones know it together.
#[derive(Debug, Clone, Default)]
pub struct Leaving(Arc<AtomicBool>);

impl Leaving {
    /// From now on `/readyz` says no, for balancers that ask, and every connection ends with its next answer, for clients
    /// that would keep theirs.
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
