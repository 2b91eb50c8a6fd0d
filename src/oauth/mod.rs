//! The RFCs' words: parsed requests in, answers or refusals out. Nothing here knows HTTP; only `engine` knows oxide-auth.

pub mod authorization;
mod authorization_details;
pub mod client_auth;
mod engine;
pub mod error;
pub mod forward_auth;
pub mod grant_types;
pub mod introspection;
pub mod params;
pub mod resource_indicators;
pub mod revocation;

pub use error::Error;
pub use params::Params;
