//! What the server can be watched by: its metrics, with what is under way just now, and its traces.

use super::App;
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
        let passwords = &self.metrics().passwords;
        passwords
            .threads_in_use
            .set(self.0.passwords.taken() as i64);
        passwords.waiting.set(self.0.passwords.waiting() as i64);
    }
}
