//! Every difference between SQLite and PostgreSQL: one function each, one arm a database, and why.

mod many;
mod open;

use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::expression::SqlLiteral;
use diesel::prelude::*;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::schema::{clients, grants, users};
use super::{Conn, Fault, Location};
use crate::clock::Timestamp;
pub use many::{EventSeal, GrantUse, TokenRow, insert_tokens, note_uses, seal_events};
use open::{LOCK_WAIT, STATEMENT_WAIT};
pub use open::{Purpose, connect};

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The lock that nodes take in turn while they make the tables and what belongs in them: two that start at once must
/// both live.
const MIGRATION_LOCK: i64 = 0x6a65_746f_6e00;

/// The lock of the node that does a job for all.
const JOB_LOCK: i64 = 0x6a65_746f_6e01;

/// The lock of the node that seals the audit trail.
const SEAL_LOCK: i64 = 0x6a65_746f_6e02;

/// Ask the smallest question, to see whether a pooled connection still lives.
pub fn ping(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        // A file does not hang up.
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => conn.batch_execute("SELECT 1"),
    }
}

/// Open a write transaction. SQLite takes its write lock at once: a transaction that read first and wants
/// to write later can be refused for what another did in between.
pub fn begin_write(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")
        }
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
    }
}

/// Begin a part of the transaction that can be undone alone, by [`roll_back`], or kept, by [`commit`].
pub fn begin_savepoint(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
    }
}

/// Undo all that is not committed, as far as that can be done. A connection on which it can't is not used again.
pub fn abandon(conn: &mut Conn) {
    while in_transaction(conn) && roll_back(conn).is_ok() {}
}

/// Make what was written since [`begin_write`] or [`begin_savepoint`] last.
pub fn commit(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::commit_transaction(conn),
    }
}

/// Undo what was written since [`begin_write`].
pub fn roll_back(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::rollback_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::rollback_transaction(conn),
    }
}

/// Whether a transaction is still open here, or cannot be told to be closed.
pub fn in_transaction(conn: &mut Conn) -> bool {
    let status = match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::transaction_manager_status_mut(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::transaction_manager_status_mut(conn),
    };
    !matches!(status.transaction_depth(), Ok(None))
}

/// Whether each question takes a journey, so that many are better asked as one. SQLite answers in place, and there a
/// statement that is always the same is kept ready, where one for so many values would be made anew each time.
pub fn is_far(conn: &Conn) -> bool {
    match conn {
        Conn::Sqlite(_) => false,
        Conn::Postgres(_) => true,
    }
}

impl Location {
    /// Whether each question to it takes a journey. What is far is asked by threads that wait for it; what is here is asked in
    /// place, and has one writer at a time, who does best to do many changes with one commit.
    pub fn is_far(&self) -> bool {
        match self {
            Location::Sqlite(_) => false,
            Location::Postgres(_) => true,
        }
    }
}

/// Ask several questions where beginning to read would cost as much as the answers: on SQLite they share one transaction.
/// On PostgreSQL that would be two more journeys; each statement stands for itself.
pub fn in_one_reading<T>(
    conn: &mut Conn,
    questions: impl FnOnce(&mut Conn) -> QueryResult<T>,
) -> QueryResult<T> {
    match conn {
        Conn::Sqlite(_) => conn.transaction(questions),
        Conn::Postgres(_) => questions(conn),
    }
}

/// Ask questions that are all answered as of one moment. On SQLite that is any transaction; PostgreSQL has to be told.
pub fn in_one_moment<T, E: From<diesel::result::Error>>(
    conn: &mut Conn,
    questions: impl FnOnce(&mut Conn) -> Result<T, E>,
) -> Result<T, E> {
    conn.transaction(|conn| {
        if let Conn::Postgres(conn) = conn {
            conn.batch_execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")?;
        }
        questions(conn)
    })
}

/// Make one person's changes wait for each other, so that a rule over several rows (a name used once, a
/// limit on how many) holds between transactions. On SQLite they already do: there is one writer. Rows that refer to the
/// person, such as a mail to them, need not wait.
pub fn hold_user(conn: &mut Conn, id: &[u8]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => users::table
            .filter(users::id.eq(id))
            .select(users::id)
            .for_no_key_update()
            .execute(conn)
            .map(drop),
    }
}

/// Make one client's changes wait for each other, as [`hold_user`] does a person's.
pub fn hold_client(conn: &mut Conn, id: &str) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => clients::table
            .filter(clients::id.eq(id))
            .select(clients::id)
            .for_no_key_update()
            .execute(conn)
            .map(drop),
    }
}

/// Hold these grants in the order in which everybody holds several, so that what is asked of them now is so until the
/// transaction ends.
pub fn hold_grants(conn: &mut Conn, ids: &[&[u8]]) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => grants::table
            .filter(grants::id.eq_any(ids))
            .order(grants::id)
            .select(grants::id)
            .for_no_key_update()
            .execute(conn)
            .map(drop),
    }
}

/// Make nodes that start together wait for each other until this transaction ends, so that what every server has is made
/// once. On SQLite they already do: there is one writer.
pub fn hold_start(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => {
            conn.batch_execute(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        }
    }
}

/// Whether this transaction alone does the work that one node does for all. On SQLite there is one writer, and so it is.
pub fn is_alone(conn: &mut Conn) -> QueryResult<bool> {
    is_first(conn, JOB_LOCK)
}

/// Whether this transaction alone seals the audit trail. What one commits, the next one finds.
pub fn seals_alone(conn: &mut Conn) -> QueryResult<bool> {
    is_first(conn, SEAL_LOCK)
}

fn is_first(conn: &mut Conn, lock: i64) -> QueryResult<bool> {
    match conn {
        Conn::Sqlite(_) => Ok(true),
        Conn::Postgres(conn) => diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(
            &format!("pg_try_advisory_xact_lock({lock})"),
        ))
        .get_result(conn),
    }
}

/// Whether a token is a personal one, in letters that both planners recognise: the index of their ends has those alone, and a
/// value that is bound could be any.
pub fn is_personal() -> SqlLiteral<diesel::sql_types::Bool> {
    diesel::dsl::sql("tokens.kind = 'pat'")
}

/// How many bytes the database has. A SQLite file that shrank inside keeps its pages, and they count.
pub fn size(conn: &mut Conn) -> QueryResult<i64> {
    let bytes = match conn {
        Conn::Sqlite(_) => {
            "(SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size())"
        }
        Conn::Postgres(_) => "pg_database_size(current_database())",
    };
    diesel::select(diesel::dsl::sql::<diesel::sql_types::BigInt>(bytes)).get_result(conn)
}

/// One more failed sign-in of `subject`, or its first. The two databases agree on `ON CONFLICT`, but diesel offers
/// it only on each of them: two first failures at once must not end in an error.
pub fn count_sign_in_failure(conn: &mut Conn, subject: &str, now: Timestamp) -> QueryResult<()> {
    use super::schema::sign_in_failures::dsl;
    macro_rules! upsert {
        ($conn:expr) => {
            diesel::insert_into(dsl::sign_in_failures)
                .values((
                    dsl::subject.eq(subject),
                    dsl::failures.eq(1),
                    dsl::last_at.eq(now),
                ))
                .on_conflict(dsl::subject)
                .do_update()
                .set((dsl::failures.eq(dsl::failures + 1), dsl::last_at.eq(now)))
                .execute($conn)
                .map(drop)
        };
    }
    match conn {
        Conn::Sqlite(conn) => upsert!(conn),
        Conn::Postgres(conn) => upsert!(conn),
    }
}

/// Bring the tables up to date; how many migrations were run.
pub fn migrate(conn: &mut Conn) -> Result<usize, Fault> {
    match conn {
        Conn::Sqlite(conn) => {
            // Another process may be making the same tables: whoever comes second waits, however long it takes, and finds
            // them made. To sort what an index is made of needs more room than memory may have.
            let hour = Duration::from_secs(60 * 60).as_millis();
            conn.batch_execute(&format!(
                "PRAGMA busy_timeout = {hour}; PRAGMA temp_store = DEFAULT"
            ))?;
            let ran = conn.immediate_transaction(|conn| run(conn, SQLITE));
            conn.batch_execute(&format!(
                "PRAGMA busy_timeout = {}; PRAGMA temp_store = MEMORY",
                LOCK_WAIT.as_millis()
            ))?;
            ran
        }
        Conn::Postgres(conn) => {
            // Another node's migrations, and our own, may take long: lift this connection's timeouts.
            conn.batch_execute(&format!(
                "SET lock_timeout = 0; SET statement_timeout = 0; \
                 SELECT pg_advisory_lock({MIGRATION_LOCK})"
            ))?;
            let ran = run(conn, POSTGRES);
            conn.batch_execute(&format!(
                "SELECT pg_advisory_unlock({MIGRATION_LOCK}); SET lock_timeout = {}; \
                 SET statement_timeout = {}",
                LOCK_WAIT.as_millis(),
                STATEMENT_WAIT.as_millis()
            ))?;
            ran
        }
    }
}

fn run<DB: diesel::backend::Backend>(
    conn: &mut impl MigrationHarness<DB>,
    migrations: EmbeddedMigrations,
) -> Result<usize, Fault> {
    conn.run_pending_migrations(migrations)
        .map(|versions| versions.len())
        .map_err(|error| Fault::Migration(error.to_string()))
}
