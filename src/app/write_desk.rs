//! The write desk: where SQLite, which has one writer at a time, does many changes with one commit.
//!
//! A thread takes all changes that wait, does each under a savepoint of its own, commits them together and only then
//! gives the answers. While one commit is on its way to the disk the next changes gather. What one of them refuses or
//! breaks touches no other.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tokio::sync::oneshot;

use super::{App, Shared};
use crate::db::{Change, Conn, Database, Fault, Refusal};
use crate::domain::deed::Deed;
use crate::domain::tx::{Caller, Tx};
use crate::metrics::Desk;

/// How many changes share a commit at most.
const BATCH: usize = 128;
/// How many may wait before the next is told to come back later.
const WAITING: usize = 1024;

/// Changes that are on their way to the desk.
pub(super) type Changes = SyncSender<Box<dyn Change>>;

/// A change that somebody waits for.
struct Request<T, E, W> {
    app: App,
    caller: Caller,
    work: Option<W>,
    outcome: Option<Result<T, E>>,
    done: Vec<Deed>,
    answer: oneshot::Sender<Result<T, E>>,
}

impl App {
    /// Have a change done together with others.
    pub(super) async fn write_together<T, E>(
        &self,
        caller: Caller,
        work: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Refusal + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let request = Request {
            app: self.clone(),
            caller,
            work: Some(work),
            outcome: None,
            done: vec![],
            answer,
        };
        let changes = self.0.changes.get_or_init(|| open(&self.0));
        let metrics = &self.metrics().desks.changes;
        metrics.came();
        if let Err(error) = changes.try_send(Box::new(request)) {
            metrics.went();
            return Err(match error {
                TrySendError::Full(_) => Fault::Busy,
                TrySendError::Disconnected(_) => Fault::Broken("nobody is at the write desk"),
            }
            .into());
        }
        let lost = |_| Err(Fault::Broken("a change was lost").into());
        answered.await.unwrap_or_else(lost)
    }
}

impl<T, E, W> Change for Request<T, E, W>
where
    T: Send,
    E: Refusal + Send,
    W: FnOnce(&mut Tx) -> Result<T, E> + Send,
{
    fn make(&mut self, conn: &mut Conn) -> bool {
        let Some(work) = self.work.take() else {
            return false;
        };
        let mut tx = Tx::new(conn, self.app.now(), self.app.policy(), &self.caller);
        // Whoever panics here takes none of the others with them.
        let outcome = catch_unwind(AssertUnwindSafe(|| work(&mut tx)));
        self.done = tx.done();
        let outcome = outcome.unwrap_or_else(|_| Err(Fault::Broken("the work panicked").into()));
        let stays = !outcome.as_ref().is_err_and(Refusal::is_fault);
        self.outcome = Some(outcome);
        stays
    }

    fn answer(self: Box<Self>, ended: Result<(), Fault>) {
        let outcome = match (ended, self.outcome) {
            // It had failed by itself, and says so itself.
            (_, Some(Err(error))) if error.is_fault() => Err(error),
            (Err(fault), _) => Err(fault.into()),
            (Ok(()), Some(outcome)) => {
                self.app.metrics().deeds.count(&self.done);
                outcome
            }
            (Ok(()), None) => Err(Fault::Broken("a change was not made").into()),
        };
        // Who has hung up meanwhile hears nothing.
        let _ = self.answer.send(outcome);
    }
}

/// Start the thread at the desk. It ends when nobody can send any more.
fn open(shared: &Shared) -> Changes {
    let (changes, incoming) = sync_channel(WAITING);
    let (database, metrics) = (
        shared.database.clone(),
        shared.metrics.desks.changes.clone(),
    );
    let thread = std::thread::Builder::new().name("changes".to_owned());
    let started = thread.spawn(move || while work(&database, &incoming, &metrics).is_some() {});
    started.expect("the system has a thread left");
    changes
}

/// Make all the changes there are, waiting for the first. `None` when there will be no more.
fn work(database: &Database, incoming: &Receiver<Box<dyn Change>>, metrics: &Desk) -> Option<()> {
    let mut changes = vec![incoming.recv().ok()?];
    changes.extend(incoming.try_iter().take(BATCH - 1));
    let timer = metrics.serves(changes.len());
    database.write_together(changes);
    timer.observe_duration();
    Some(())
}
