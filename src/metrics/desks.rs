//! The desks: how many are served at once, how long that takes, and who waits.

use prometheus::{
    Histogram, HistogramTimer, HistogramVec, IntGauge, IntGaugeVec, Registry,
    register_histogram_vec_with_registry, register_int_gauge_vec_with_registry,
};

pub struct Desks {
    pub lookups: Desk,
    pub issues: Desk,
    pub changes: Desk,
}

/// One desk.
#[derive(Clone)]
pub struct Desk {
    sizes: Histogram,
    times: Histogram,
    waiting: IntGauge,
}

impl Desks {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let sizes = register_histogram_vec_with_registry!(
            "jeton_desk_batch_size",
            "Requests that were answered by one question to the database, or share one commit.",
            &["desk"],
            vec![1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0],
            registry
        )?;
        let times = register_histogram_vec_with_registry!(
            "jeton_desk_batch_seconds",
            "How long such a question or commit took.",
            &["desk"],
            vec![
                0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5
            ],
            registry
        )?;
        let waiting = register_int_gauge_vec_with_registry!(
            "jeton_desk_queue_length",
            "Requests that wait at a desk.",
            &["desk"],
            registry
        )?;
        let desk = |name| Desk::of(name, &sizes, &times, &waiting);
        Ok(Self {
            lookups: desk("lookup"),
            issues: desk("issue"),
            changes: desk("write"),
        })
    }
}

impl Desk {
    fn of(name: &str, sizes: &HistogramVec, times: &HistogramVec, waiting: &IntGaugeVec) -> Self {
        Self {
            sizes: sizes.with_label_values(&[name]),
            times: times.with_label_values(&[name]),
            waiting: waiting.with_label_values(&[name]),
        }
    }

    /// One more waits.
    pub fn came(&self) {
        self.waiting.inc();
    }

    /// One was told that too many do.
    pub fn went(&self) {
        self.waiting.dec();
    }

    /// So many wait no longer, but are served at once, for as long as the returned timer is held.
    pub fn serves(&self, count: usize) -> HistogramTimer {
        self.waiting.sub(count as i64);
        self.sizes.observe(count as f64);
        self.times.start_timer()
    }
}
