//! Pools of connections, and the transaction around every write.

use std::time::Duration;

use r2d2::{ManageConnection, Pool, PooledConnection};

use super::dialect::{self, Purpose};
use super::{Conn, Fault, Location, Refusal};

/// How long a request waits for a connection before it is told that the server is busy.
const PATIENCE: Duration = Duration::from_secs(3);

/// The open database: connections that may only read, and connections that write.
///
/// SQLite has one writer at a time anyway, so its writing pool holds one connection and nobody meets a
/// lock; PostgreSQL has as many of each as it is given.
pub struct Database {
    readers: Pool<Manager>,
    writers: Pool<Manager>,
}

impl Database {
    /// Open the database with up to `connections` of each purpose. Nothing is read or made yet.
    pub fn open(location: &Location, connections: u32) -> Result<Self, Fault> {
        let writers = match location {
            Location::Sqlite(_) => 1,
            Location::Postgres(_) => connections,
        };
        // Made here, so that a wrong URL is told in its own words at once, and a new SQLite file is made. All others are made
        // when they are needed: to shake hands takes PostgreSQL some twenty milliseconds.
        dialect::connect(location, Purpose::Write)?;
        Ok(Self {
            readers: pool(location, Purpose::Read, connections),
            writers: pool(location, Purpose::Write, writers),
        })
    }

    /// Bring the tables up to date; how many migrations were run.
    pub fn migrate(&self) -> Result<usize, Fault> {
        dialect::migrate(&mut *borrow(&self.writers)?)
    }

    /// Its pools as they are now, by their purpose.
    pub fn usage(&self) -> [(&'static str, r2d2::State); 2] {
        [
            ("read", self.readers.state()),
            ("write", self.writers.state()),
        ]
    }

    /// Run `question` on a connection that the database keeps from writing.
    pub fn read<T, E: From<Fault>>(
        &self,
        question: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        question(&mut *borrow(&self.readers)?)
    }

    /// Run `work` in a transaction of its own. A refusal is committed with all that was written before it;
    /// a fault undoes everything.
    pub fn write<T, E: Refusal>(
        &self,
        work: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let conn = &mut *borrow(&self.writers)?;
        dialect::begin_write(conn).map_err(Fault::from)?;
        let outcome = work(conn);
        match &outcome {
            Err(error) if error.is_fault() => {
                if let Err(error) = dialect::roll_back(conn) {
                    tracing::warn!(%error, "a transaction could not be rolled back");
                }
            }
            _ => dialect::commit(conn).map_err(Fault::from)?,
        }
        outcome
    }

    /// Make changes that share one commit; each is answered after it. One that is not to stay is undone alone; where the
    /// commit fails, all are.
    pub fn write_together(&self, mut changes: Vec<Box<dyn Change>>) {
        let made = borrow(&self.writers).and_then(|mut conn| {
            let made = make_all(&mut conn, &mut changes);
            if made.is_err() {
                dialect::abandon(&mut conn);
            }
            made
        });
        for change in changes {
            change.answer(match &made {
                Ok(()) => Ok(()),
                Err(fault) => Err(fault.again()),
            });
        }
    }
}

/// One of several changes that share a transaction.
pub trait Change: Send {
    /// Make it; whether what it wrote is to stay.
    fn make(&mut self, conn: &mut Conn) -> bool;

    /// Say how it ended: that the transaction is committed, or what became of it instead.
    fn answer(self: Box<Self>, ended: Result<(), Fault>);
}

/// Make changes in one transaction, each of them under a savepoint, and commit.
fn make_all(conn: &mut Conn, changes: &mut [Box<dyn Change>]) -> Result<(), Fault> {
    dialect::begin_write(conn)?;
    for change in changes {
        dialect::begin_savepoint(conn)?;
        if change.make(conn) {
            dialect::commit(conn)?;
        } else {
            // This fails where the database itself has given up the whole transaction, such as on a full disk.
            dialect::roll_back(conn)?;
        }
    }
    Ok(dialect::commit(conn)?)
}

fn borrow(pool: &Pool<Manager>) -> Result<PooledConnection<Manager>, Fault> {
    pool.get()
        .map_err(|error| Fault::Connection(error.to_string()))
}

fn pool(location: &Location, purpose: Purpose, size: u32) -> Pool<Manager> {
    Pool::builder()
        .max_size(size)
        .min_idle(Some(0))
        .connection_timeout(PATIENCE)
        .error_handler(Box::new(LogErrors))
        .build_unchecked(Manager {
            location: location.clone(),
            purpose,
        })
}

#[derive(Debug)]
struct LogErrors;

impl r2d2::HandleError<Fault> for LogErrors {
    fn handle_error(&self, error: Fault) {
        tracing::warn!(%error, "a database connection could not be made");
    }
}

struct Manager {
    location: Location,
    purpose: Purpose,
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = Fault;

    fn connect(&self) -> Result<Conn, Fault> {
        dialect::connect(&self.location, self.purpose)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Fault> {
        Ok(dialect::ping(conn)?)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        // A panic or a lost server can leave a transaction open: such a connection is not used again.
        std::thread::panicking() || dialect::in_transaction(conn)
    }
}
