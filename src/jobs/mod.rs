//! What the server does by itself, beside answering: one job a file, each idempotent.

pub mod census;
pub mod cut_offs;
pub mod last_used;
pub mod sweep;
