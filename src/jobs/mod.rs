//! What the server does by itself, beside answering: one job a file, each idempotent.

pub mod approvals;
pub mod census;
pub mod cut_offs;
pub mod denials;
pub mod expiries;
pub mod github_keys;
pub mod last_used;
pub mod remind;
pub mod sealing;
pub mod send_mail;
pub mod sweep;
