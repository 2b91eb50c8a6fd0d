//! The database: one connection type over SQLite and PostgreSQL, pools, and transactions.
//!
//! What the two have in common is written once, elsewhere, in plain diesel on [`Conn`].
//! What differs between them is in `dialect`, and nowhere else.

pub(crate) mod column;
mod dialect;
#[macro_use]
mod fault;
pub mod keys;
mod pool;
mod prepared;
pub mod schema;

use std::path::PathBuf;

use diesel::{Connection, PgConnection, SqliteConnection};

pub use dialect::{
    EventSeal, GrantUse, Purpose, TokenRow, connect, count_sign_in_failure, hold_client,
    hold_grants, hold_start, hold_user, in_one_moment, in_one_reading, insert_tokens, is_alone,
    is_far, is_personal, note_uses, seal_events, seals_alone, size,
};
pub use fault::{Fault, Refusal};
pub use pool::{Change, Database};
pub use prepared::Prepared;

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// What a question that is put together piece by piece is written for.
pub type Backend = <Conn as Connection>::Backend;

/// Say `$body` to the connection itself, whichever it is, and so in that database's own words. [`Conn`] says the same to
/// both, but by a detour that costs microseconds: this is for what every request asks, and for what diesel offers on each of
/// them alone.
macro_rules! either {
    ($conn:expr, |$inner:ident| $body:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite($inner) => $body,
            $crate::db::Conn::Postgres($inner) => $body,
        }
    };
}

/// Where the data lives, read from a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file, made if it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL connection URL, handed to libpq as it is (so `sslmode=verify-full` and its kin work).
    Postgres(String),
}

impl std::str::FromStr for Location {
    type Err = String;

    fn from_str(url: &str) -> Result<Self, String> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Location::Postgres(url.to_owned()));
        }
        match url.strip_prefix("sqlite:") {
            Some(rest) => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                // Each connection would have a memory of its own.
                if path.is_empty() || path == ":memory:" {
                    return Err(
                        "a sqlite URL needs the path of a file, such as sqlite://jeton.db"
                            .to_owned(),
                    );
                }
                Ok(Location::Sqlite(PathBuf::from(path)))
            }
            None => Err("a database URL begins with sqlite:// or postgres://".to_owned()),
        }
    }
}
