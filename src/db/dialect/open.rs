//! A connection, as each database is best opened for what it is to do.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::db::{Conn, Fault, Location};

/// How long one statement waits for another process's lock before it fails.
pub(super) const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How long one statement may take in all. Nothing here takes long but making the tables.
pub(super) const STATEMENT_WAIT: Duration = Duration::from_secs(10);

/// What libpq is told unless the URL says otherwise: a server that has gone silent is given up, not waited for.
const IMPATIENCE: [(&str, &str); 5] = [
    ("connect_timeout", "5"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "2"),
    ("tcp_user_timeout", "15000"),
];

/// How long to wait before the switch to write-ahead logging is tried again.
const WAL_RETRY: Duration = Duration::from_millis(20);

/// How much of a SQLite file, in bytes, a connection that looks up sees in memory without copying: as much as there may
/// be. Copying the page in which a token lies takes longer than finding it there. The price: where the disk fails to read,
/// the process ends, and an answer is not given either way.
const MAPPED: u64 = 1 << 40;

/// What a connection is for. The database itself keeps a reader from writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Read,
    /// To read one row here and one there, of all there are.
    LookUp,
    Write,
}

/// A new connection, set up for its purpose.
pub fn connect(location: &Location, purpose: Purpose) -> Result<Conn, Fault> {
    let lost = |error: &dyn std::fmt::Display| Fault::Connection(error.to_string());
    match location {
        Location::Sqlite(path) => {
            let path = path
                .to_str()
                .ok_or_else(|| lost(&"the path is not UTF-8"))?;
            for_us_alone(path)?;
            let mut conn = SqliteConnection::establish(path).map_err(|e| lost(&e))?;
            // FULL: a commit that was acknowledged outlives a power cut.
            conn.batch_execute(&format!(
                "PRAGMA busy_timeout = {}; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
                LOCK_WAIT.as_millis(),
            ))?;
            match purpose {
                Purpose::Write => {
                    write_ahead(&mut conn)?;
                    // What a savepoint may have to undo is a few pages: no file is made for it.
                    conn.batch_execute("PRAGMA temp_store = MEMORY")?;
                }
                Purpose::Read => conn.batch_execute("PRAGMA query_only = ON")?,
                Purpose::LookUp => conn.batch_execute(&format!(
                    "PRAGMA query_only = ON; PRAGMA mmap_size = {MAPPED}"
                ))?,
            }
            Ok(Conn::Sqlite(conn))
        }
        Location::Postgres(url) => {
            // Once, before libpq does it on some pool's thread: OpenSSL cleans up at exit, and a thread that is just
            // then in its first connection would crash the process.
            openssl_sys::init();
            let mut conn = PgConnection::establish(&impatient(url)).map_err(|e| lost(&e))?;
            conn.batch_execute(&format!(
                "SET lock_timeout = {}; SET statement_timeout = {}; \
                 SET default_transaction_read_only = {};",
                LOCK_WAIT.as_millis(),
                STATEMENT_WAIT.as_millis(),
                if purpose == Purpose::Write {
                    "off"
                } else {
                    "on"
                },
            ))?;
            if purpose == Purpose::LookUp {
                // Else it is planned anew for each list of tokens, which takes longer than to find them.
                conn.batch_execute("SET plan_cache_mode = force_generic_plan")?;
            }
            Ok(Conn::Postgres(conn))
        }
    }
}

/// The URL with an end to every wait that it does not set itself.
fn impatient(url: &str) -> String {
    let mut url = url.to_owned();
    for (name, value) in IMPATIENCE {
        if !url.contains(&format!("{name}=")) {
            let joint = if url.contains('?') { '&' } else { '?' };
            url.push_str(&format!("{joint}{name}={value}"));
        }
    }
    url
}

/// Make a new database file one that only its owner can read; SQLite makes its `-wal` alike. One that is there is left
/// as it is.
fn for_us_alone(path: &str) -> Result<(), Fault> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    match options.write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(Fault::Connection(format!("{path}: {error}")))
        }
        _ => Ok(()),
    }
}

/// Switch a file to write-ahead logging, in which readers never wait. It stays so; the first switch is refused at once
/// while another process makes the same new file, whatever the busy timeout says.
fn write_ahead(conn: &mut SqliteConnection) -> QueryResult<()> {
    let mut tries = LOCK_WAIT.as_millis() / WAL_RETRY.as_millis();
    loop {
        match conn.batch_execute("PRAGMA journal_mode = WAL") {
            Err(_) if tries > 0 => std::thread::sleep(WAL_RETRY),
            outcome => return outcome,
        }
        tries -= 1;
    }
}
