//! The lookup desk: where a request asks who a client is and what a token is worth, and gets it from the database, not from
//! a cache.
//!
//! All that ask on one worker in one turn are answered by one question. It is put after their requests arrived: no answer
//! is older than its question.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::App;
use super::gathering::Gathering;
use crate::db::{Conn, Fault, Location, Purpose, connect};
use crate::domain::lookup::{Found, Lookup, look_up};
use crate::domain::registry::Registry;

/// How many are answered by one question at most: on SQLite a worker does nothing else meanwhile.
const BATCH: usize = 64;
/// How long an answer of a database that has gone silent is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many connections a node asks with, where answers take a journey.
const THREADS: usize = 2;

/// One worker's place at the desk, cheap to clone.
#[derive(Clone)]
pub struct LookupDesk(Rc<Place>);

struct Place {
    gathering: Gathering<Lookup, Found>,
    source: Source,
}

/// Who has the answers.
enum Source {
    /// This very thread: SQLite reads in microseconds, and nobody waits for a lock.
    Here(Box<RefCell<Clerk>>),
    /// Threads that wait for the database, so that the worker need not.
    There(Sender<Errand>),
}

/// Lookups, and where their answers are waited for.
pub(super) struct Errand(Vec<Lookup>, oneshot::Sender<Result<Vec<Found>, Arc<Fault>>>);

impl App {
    /// A place at the lookup desk, for the worker that this is called on.
    pub fn lookup_desk(&self) -> LookupDesk {
        let location = &self.0.config.database;
        let source = if location.is_far() {
            let errands = self.0.errands.get_or_init(|| hire(location));
            Source::There(errands.clone())
        } else {
            Source::Here(Box::new(RefCell::new(Clerk::new(location.clone()))))
        };
        LookupDesk(Rc::new(Place {
            gathering: Gathering::new(BATCH, 1, self.metrics().desks.lookups.clone()),
            source,
        }))
    }
}

impl LookupDesk {
    /// Ask, and wait for the answer. Where too many wait already it is [`Fault::Busy`] at once.
    pub async fn look_up(&self, lookup: Lookup) -> Result<Found, Fault> {
        let work = || drop(actix_web::rt::spawn(self.clone().work()));
        self.0.gathering.ask(lookup, work).await
    }

    async fn work(self) {
        let answers = async |lookups| self.ask(lookups).await;
        self.0.gathering.serve(answers).await;
    }

    async fn ask(&self, lookups: Vec<Lookup>) -> Result<Vec<Found>, Arc<Fault>> {
        match &self.0.source {
            Source::Here(clerk) => clerk.borrow_mut().answer(&lookups).map_err(Arc::new),
            Source::There(errands) => {
                let (answer, answered) = oneshot::channel();
                let sent = errands.send(Errand(lookups, answer));
                sent.map_err(|_| Fault::Broken("nobody is at the lookup desk"))?;
                let answered = tokio::time::timeout(PATIENCE, answered).await;
                let answered = answered.map_err(|_| Fault::Busy)?;
                answered.unwrap_or_else(|_| Err(Arc::new(Fault::Broken("a lookup panicked"))))
            }
        }
    }
}

/// Start the threads that run errands to the database. They end when nobody can send any more.
fn hire(location: &Location) -> Sender<Errand> {
    let (errands, incoming) = channel();
    let incoming = Arc::new(Mutex::new(incoming));
    for _ in 0..THREADS {
        let (incoming, location) = (incoming.clone(), location.clone());
        let thread = std::thread::Builder::new().name("lookups".to_owned());
        let started = thread.spawn(move || {
            // A panic costs those whose errand it was, not those who come after.
            let shift = || Clerk::new(location.clone()).work(&incoming);
            while catch_unwind(AssertUnwindSafe(shift)).is_err() {}
        });
        started.expect("the system has a thread left");
    }
    errands
}

/// One connection, and what is known over it.
struct Clerk {
    location: Location,
    open: Option<(Conn, Registry)>,
}

impl Clerk {
    fn new(location: Location) -> Self {
        Self {
            location,
            open: None,
        }
    }

    /// Run errands until there will be no more.
    fn work(&mut self, incoming: &Mutex<Receiver<Errand>>) {
        while self.run(incoming).is_some() {}
    }

    /// Run all the errands there are as one, waiting for the first. `None` when there will be no more.
    fn run(&mut self, incoming: &Mutex<Receiver<Errand>>) -> Option<()> {
        let mut lookups = vec![];
        let mut asking = vec![];
        {
            let incoming = incoming.lock().unwrap_or_else(PoisonError::into_inner);
            let mut next = Some(incoming.recv().ok()?);
            while let Some(Errand(more, answer)) = next {
                // Nobody waits for it any more where the database was silent for long.
                if !answer.is_closed() {
                    asking.push((more.len(), answer));
                    lookups.extend(more);
                }
                next = incoming.try_recv().ok();
            }
        }
        match self.answer(&lookups) {
            Ok(found) => {
                let mut found = found.into_iter();
                for (count, answer) in asking {
                    let _ = answer.send(Ok(found.by_ref().take(count).collect()));
                }
            }
            Err(fault) => {
                let fault = Arc::new(fault);
                for (_, answer) in asking {
                    let _ = answer.send(Err(fault.clone()));
                }
            }
        }
        Some(())
    }

    /// Answer from the database. A connection that was lost since it was last used is made anew, once.
    fn answer(&mut self, lookups: &[Lookup]) -> Result<Vec<Found>, Fault> {
        if let Some((conn, registry)) = &mut self.open {
            match look_up(conn, registry, lookups) {
                Ok(found) => return Ok(found),
                Err(error) => tracing::warn!(%error, "a lookup failed, and is tried again"),
            }
            self.open = None;
        }
        let mut conn = connect(&self.location, Purpose::LookUp)?;
        let mut registry = Registry::default();
        let found = look_up(&mut conn, &mut registry, lookups)?;
        self.open = Some((conn, registry));
        Ok(found)
    }
}
