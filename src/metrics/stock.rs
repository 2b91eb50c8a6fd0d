//! What there is: tokens, bytes, connections, and what the sweeper took away.

use prometheus::{
    IntCounterVec, IntGauge, IntGaugeVec, Registry, register_int_counter_vec_with_registry,
    register_int_gauge_vec_with_registry, register_int_gauge_with_registry,
};

pub struct Stock {
    /// By kind and state.
    pub tokens: IntGaugeVec,
    pub database_bytes: IntGauge,
    /// The number of the last sealed event of the audit trail, and how many wait for that.
    pub audit_sealed: IntGauge,
    pub audit_unsealed: IntGauge,
    /// Those of the pools, by purpose: all that are open, and those that nobody uses.
    pub connections: IntGaugeVec,
    pub connections_idle: IntGaugeVec,
    swept: IntCounterVec,
}

impl Stock {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            tokens: register_int_gauge_vec_with_registry!(
                "jeton_tokens",
                "Tokens in the database, by kind and state, counted once a minute. Of many it is an estimate from a \
                 fair sample, good to a few percent.",
                &["kind", "state"],
                registry
            )?,
            database_bytes: register_int_gauge_with_registry!(
                "jeton_database_size_bytes",
                "Size of the database, without its write-ahead log, looked up once a minute.",
                registry
            )?,
            audit_sealed: register_int_gauge_with_registry!(
                "jeton_audit_sealed_seq",
                "Number of the last event of the audit trail that is sealed, looked up once a minute. It never falls.",
                registry
            )?,
            audit_unsealed: register_int_gauge_with_registry!(
                "jeton_audit_unsealed_events",
                "Events of the audit trail that are not sealed yet, looked up once a minute. Some seconds' worth.",
                registry
            )?,
            connections: register_int_gauge_vec_with_registry!(
                "jeton_database_connections",
                "Open connections of the pools to the database, by purpose. Looking up tokens has connections of its own, \
                 which are not counted.",
                &["purpose"],
                registry
            )?,
            connections_idle: register_int_gauge_vec_with_registry!(
                "jeton_database_connections_idle",
                "Open connections of the pools to the database that nobody uses now, by purpose.",
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
