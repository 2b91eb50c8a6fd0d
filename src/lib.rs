//! Jeton: an OAuth 2.0 authorization server in which a personal access token is a token like any other.
//!
//! The stack, and its one direction (a test holds it):
//!
//! ```text
//! cli  jobs
//!    ╲  ╲
//!     web ──▶ oauth ──▶ domain ──▶ db
//! ```
//!
//! - [`web`] turns HTTP into values and values into HTTP.
//! - [`oauth`] knows the RFCs' words: it takes a parsed request and a transaction, and gives an answer or a refusal.
//! - [`domain`] knows what is true of users, clients, grants and tokens.
//! - [`db`] is one connection type over SQLite and PostgreSQL.
//!
//! Start reading at [`web::routes`], which has every URL; follow one request down. `ARCHITECTURE.md` walks two of them.

// First, for its macros.
#[macro_use]
pub mod db;

pub mod app;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod jobs;
pub mod metrics;
pub mod oauth;
pub mod traces;
pub mod web;
