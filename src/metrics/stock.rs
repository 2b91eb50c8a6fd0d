//! What there is: connections, and what the sweeper took away.

use prometheus::{
    IntCounterVec, IntGaugeVec, Registry, register_int_counter_vec_with_registry,
    register_int_gauge_vec_with_registry,
};

pub struct Stock {
    /// By purpose: all that are open, and those that nobody uses.
    pub connections: IntGaugeVec,
    pub connections_idle: IntGaugeVec,
    swept: IntCounterVec,
}

impl Stock {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            connections: register_int_gauge_vec_with_registry!(
                "jeton_database_connections",
                "Open connections to the database, by purpose.",
                &["purpose"],
                registry
            )?,
            connections_idle: register_int_gauge_vec_with_registry!(
                "jeton_database_connections_idle",
                "Open connections to the database that nobody uses now, by purpose.",
                &["purpose"],
                registry
            )?,
            swept: register_int_counter_vec_with_registry!(
                "jeton_swept_rows_total",
                "Rows removed because they were over.",
                &["noun"],
                registry
            )?,
        })
    }

    /// Count rows of a noun that the sweeper has removed.
    pub fn swept(&self, noun: &str, rows: usize) {
        self.swept.with_label_values(&[noun]).inc_by(rows as u64);
    }
}
