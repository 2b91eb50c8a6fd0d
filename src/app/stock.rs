//! What the server can be watched by: its metrics, with what is under way just now, and its traces.

use super::{App, PASSWORDS_WAITING};
use crate::db::Fault;
use crate::metrics::Metrics;
use crate::traces::Traces;

impl App {
    /// The counters and gauges of this server.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Where the spans of requests go.
    pub fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// All metrics, as they are now, in Prometheus' text format.
    pub fn metrics_text(&self) -> Result<String, Fault> {
        let metrics = self.metrics();
        self.count_passwords();
        for (purpose, pool) in self.0.database.usage() {
            let (all, idle) = (&metrics.stock.connections, &metrics.stock.connections_idle);
            all.with_label_values(&[purpose])
                .set(pool.connections.into());
            idle.with_label_values(&[purpose])
                .set(pool.idle_connections.into());
        }
        metrics
            .text()
            .map_err(|_| Fault::Broken("the metrics can't be written"))
    }

    fn count_passwords(&self) {
        let threads = self.config().password_threads;
        let in_use = threads.saturating_sub(self.0.password_threads.available_permits());
        let places = threads + PASSWORDS_WAITING;
        let taken = places.saturating_sub(self.0.password_queue.available_permits());
        let passwords = &self.metrics().passwords;
        passwords.threads_in_use.set(in_use as i64);
        passwords.waiting.set(taken.saturating_sub(in_use) as i64);
    }
}
