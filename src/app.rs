//! The server's shared parts, and the only bridge between async handlers and the database: inside the closures of
//! [`App::read`] and [`App::write`] nothing is async, outside them nothing touches the database.

mod alarm;
mod brake;
mod gate;
mod gathering;
mod github_keys;
mod issue_desk;
mod lookup_desk;
mod stock;
mod write_desk;

use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::db::{Database, Fault, Refusal};
use crate::domain::password::Password;
use crate::domain::policy::Policy;
use crate::domain::resource::{self, Resource};
use crate::domain::tx::{Caller, Rx, Tx};
use crate::jobs::denials::Denials;
use crate::jobs::last_used::LastUsed;
use crate::metrics::Metrics;
use crate::traces::Traces;
use alarm::Alarms;
pub use brake::Brake;
use diesel::QueryResult;
use gate::Gate;
pub use github_keys::GithubKeys;
pub use issue_desk::IssueDesk;
use lookup_desk::Errand;
pub use lookup_desk::LookupDesk;
use write_desk::Changes;

/// How many sign-ins may wait for a thread before the next is told to come back later.
const PASSWORDS_WAITING: usize = 64;
/// How many are asked about at a time whose password is still to be checked.
const SIGN_INS: usize = 1;
/// How many of these may wait, how many for a connection to read with, and how many for one to write with, before the next
/// is told so.
const WAITING: usize = 1024;

/// How many reports of leaked tokens one network may send in a minute.
const LEAK_REPORTS: u32 = 60;

/// How long a request waits for a place and for what is done there: longer than any of it takes, unless the database has
/// gone silent.
const PATIENCE: Duration = Duration::from_secs(5);

/// The running server, cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    config: Config,
    clock: Clock,
    database: Arc<Database>,
    passwords: Gate,
    reads: Gate,
    sign_ins: Gate,
    writes: Gate,
    last_used: LastUsed,
    denials: Denials,
    errands: OnceLock<Sender<Errand>>,
    changes: OnceLock<Changes>,
    metrics: Metrics,
    traces: Traces,
    alarms: Alarms,
    leak_reports: Brake,
    github_keys: GithubKeys,
}

impl App {
    /// Open the database, bring its tables up to date and see that what every server has is there.
    pub fn open(config: Config, clock: Clock) -> Result<App, resource::Unfit> {
        let database = Database::open(&config.database, config.database_connections)?;
        let migrations = database.migrate()?;
        if migrations > 0 {
            tracing::info!(migrations, "the tables are up to date");
        }
        let mut config = config;
        config.policy.issuer = config.issuer();
        config.policy.mails = config.mail().is_some();
        let app = App(Arc::new(Shared {
            passwords: Gate::new(config.password_threads, PASSWORDS_WAITING),
            reads: Gate::new(config.database_connections as usize, WAITING),
            sign_ins: Gate::new(SIGN_INS, WAITING),
            writes: Gate::new(config.database_connections as usize, WAITING),
            last_used: LastUsed::default(),
            denials: Denials::default(),
            errands: OnceLock::new(),
            changes: OnceLock::new(),
            metrics: Metrics::new().map_err(|_| Fault::Broken("a metric is misnamed"))?,
            traces: Traces::default(),
            alarms: Alarms::default(),
            leak_reports: Brake::new(LEAK_REPORTS),
            github_keys: GithubKeys::default(),
            config,
            clock,
            database: Arc::new(database),
        }));
        let api = app.policy().api_resource();
        app.write_blocking(&Caller::system(), |tx| Resource::ensure_ours(tx, &api))?;
        Ok(app)
    }

    /// Take up service at the issuer of the settings: only the server knows for sure where it is reached.
    pub fn take_address(&self) -> Result<(), resource::Unfit> {
        let api = self.policy().api_resource();
        self.write_blocking(&Caller::system(), |tx| Resource::move_ours(tx, &api))
    }

    /// The settings this server was started with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// What the operator has decided.
    pub fn policy(&self) -> &Policy {
        &self.0.config.policy
    }

    /// The issuer identifier (RFC 8414 §2).
    pub fn issuer(&self) -> &str {
        &self.policy().issuer
    }

    /// The time, by this server's clock.
    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    /// The uses of tokens that are noted and not written yet.
    pub fn last_used(&self) -> &LastUsed {
        &self.0.last_used
    }

    /// The tokens that were of no use where they were shown, noted and not written yet.
    pub fn denials(&self) -> &Denials {
        &self.0.denials
    }

    /// The brake on strangers' reports of leaked tokens.
    pub fn leak_reports(&self) -> &Brake {
        &self.0.leak_reports
    }

    /// The keys by which GitHub's secret scanning is known.
    pub fn github_keys(&self) -> &GithubKeys {
        &self.0.github_keys
    }

    /// Ask the database something, off the async threads.
    pub async fn read<T, E>(
        &self,
        question: impl FnOnce(&mut Rx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        let app = self.clone();
        aside(&self.0.reads, move || app.read_blocking(question)).await
    }

    /// [`App::read`] for a question that only the database can fail to answer.
    pub async fn query<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Rx) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Fault> {
        self.read(move |rx| Ok(question(rx)?)).await
    }

    /// [`App::query`] about somebody whose password is still to be checked. One is asked at a time, so that a flood of
    /// guesses costs nobody else much of the database.
    pub async fn query_for_sign_in<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Rx) -> QueryResult<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let app = self.clone();
        let ask = move || app.read_blocking(|rx| Ok::<_, Fault>(question(rx)?));
        aside(&self.0.sign_ins, ask).await
    }

    /// Change something, in one transaction, off the async threads. A refusal keeps what was written with it, a
    /// fault undoes everything.
    pub async fn write<T, E>(
        &self,
        caller: Caller,
        work: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: Refusal + Send + 'static,
    {
        if !self.config().database.is_far() {
            return self.write_together(caller, work).await;
        }
        let app = self.clone();
        aside(&self.0.writes, move || app.write_blocking(&caller, work)).await
    }

    /// [`App::read`] for the command line, where nobody else waits.
    pub fn read_blocking<T, E: From<Fault>>(
        &self,
        question: impl FnOnce(&mut Rx) -> Result<T, E>,
    ) -> Result<T, E> {
        self.0
            .database
            .read(|conn| question(&mut Rx::new(conn, self.now(), self.policy())))
    }

    /// [`App::write`] for the command line, where nobody else waits.
    pub fn write_blocking<T, E: Refusal>(
        &self,
        caller: &Caller,
        work: impl FnOnce(&mut Tx) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut done = vec![];
        let outcome = self.0.database.write(|conn| {
            let mut tx = Tx::new(conn, self.now(), self.policy(), caller);
            let outcome = work(&mut tx);
            done = tx.done();
            outcome
        });
        if !outcome.as_ref().is_err_and(Refusal::is_fault) {
            self.metrics().deeds.count(&done);
        }
        outcome
    }

    /// Do slow password work on one of the few threads it may have. When too many wait already, the answer is
    /// [`Fault::Busy`] at once, so that a flood of sign-ins costs nobody else anything.
    pub async fn with_password<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Fault> + Send + 'static,
    {
        aside(&self.0.passwords, work).await
    }

    /// Hash a new password.
    pub async fn hash_password(&self, password: Password) -> Result<String, Fault> {
        self.with_password(move || Ok(password.hash())).await
    }
}

/// Run blocking work beside the async threads, once there is a place for it. It runs to its end even if nobody waits for
/// the answer any more, and keeps its place until then.
async fn aside<T, E>(
    gate: &Gate,
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Fault> + Send + 'static,
{
    let answer = async {
        let pass = gate.enter().await?;
        let work = move || {
            let _pass = pass;
            work()
        };
        let panicked = |_| Err(Fault::Broken("the work panicked").into());
        actix_web::web::block(work).await.unwrap_or_else(panicked)
    };
    let answer = tokio::time::timeout(PATIENCE, answer).await;
    answer.unwrap_or_else(|_| Err(Fault::Busy.into()))
}
