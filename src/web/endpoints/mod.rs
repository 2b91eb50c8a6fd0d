//! For programs that speak OAuth: one file an endpoint, named after it. Parse, one call, answer.

pub mod authorize;
pub mod forward_auth;
pub mod health;
pub mod introspect;
pub mod metadata;
pub mod revoke;
pub mod secret_scanning;
pub mod token;
