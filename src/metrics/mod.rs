//! What the server tells Prometheus of itself.
//!
//! Every metric is registered in this folder, with its name and its help, and moved through a handle that is held
//! where the thing happens: no name is looked up on the way of a request. Labels are words of ours: nothing that
//! anybody sends becomes one, so that what is told stays short and has no secret in it.

mod deeds;
mod desks;
mod forward_auths;
mod http;
mod introspections;
mod passwords;
mod stock;

use prometheus::{Registry, TextEncoder, register_int_gauge_vec_with_registry};

pub use deeds::Deeds;
pub use desks::{Desk, Desks};
pub use forward_auths::ForwardAuths;
pub use http::{Endpoint, Http, method_word};
pub use introspections::Introspections;
pub use passwords::{PasswordCheck, Passwords};
pub use stock::Stock;

/// Prometheus' text format, as [`Metrics::text`] writes it.
pub const TEXT_FORMAT: &str = prometheus::TEXT_FORMAT;

/// All metrics of one server.
pub struct Metrics {
    registry: Registry,
    pub http: Http,
    pub introspections: Introspections,
    pub forward_auths: ForwardAuths,
    pub passwords: Passwords,
    pub deeds: Deeds,
    pub desks: Desks,
    pub stock: Stock,
}

impl Metrics {
    /// Register them all. It fails only if one of them is misnamed or there twice.
    pub fn new() -> prometheus::Result<Self> {
        let registry = Registry::new();
        let build = register_int_gauge_vec_with_registry!(
            "jeton_build_info",
            "Always 1; its label says which version of Jeton this is.",
            &["version"],
            registry
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        #[cfg(target_os = "linux")]
        registry.register(Box::new(
            prometheus::process_collector::ProcessCollector::for_self(),
        ))?;
        Ok(Self {
            http: Http::register(&registry)?,
            introspections: Introspections::register(&registry)?,
            forward_auths: ForwardAuths::register(&registry)?,
            passwords: Passwords::register(&registry)?,
            deeds: Deeds::register(&registry)?,
            desks: Desks::register(&registry)?,
            stock: Stock::register(&registry)?,
            registry,
        })
    }

    /// All of them, in Prometheus' text format.
    pub fn text(&self) -> prometheus::Result<String> {
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
