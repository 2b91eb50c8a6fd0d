//! What questions and changes are made with: a connection, the time, and the policy.

use std::fmt;
use std::net::IpAddr;
use std::ops::{Deref, DerefMut};

use diesel::QueryResult;

use super::audit::Event;
use super::deed::Deed;
use super::id::Id;
use super::policy::{PersonalTokenPolicy, Policy};
use crate::clock::Timestamp;
use crate::db::{Conn, Fault};

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Nobody who has proven who they are.
    Anyone,
    /// A person who is signed in.
    User(Id),
    /// A client that has authenticated, or named itself if it is public.
    Client(String),
    /// The operator, on the machine itself.
    CommandLine,
    /// The server, by itself.
    System,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Actor::Anyone => f.write_str("anyone"),
            Actor::User(id) => write!(f, "user:{id}"),
            Actor::Client(id) => write!(f, "client:{id}"),
            Actor::CommandLine => f.write_str("command line"),
            Actor::System => f.write_str("system"),
        }
    }
}

/// Who asks for a change, from where, and in which request.
#[derive(Debug, Clone)]
pub struct Caller {
    pub actor: Actor,
    pub address: Option<IpAddr>,
    pub request_id: Option<Id>,
}

impl Caller {
    /// The operator, at the command line.
    pub fn command_line() -> Self {
        Self::of(Actor::CommandLine)
    }

    /// The server, by itself.
    pub fn system() -> Self {
        Self::of(Actor::System)
    }

    /// The server, that writes down what came from `address`.
    pub fn system_from(address: Option<IpAddr>) -> Self {
        Self {
            address,
            ..Self::system()
        }
    }

    fn of(actor: Actor) -> Self {
        Self {
            actor,
            address: None,
            request_id: None,
        }
    }

    /// The same request, now that it is known who makes it.
    pub fn acting_as(self, actor: Actor) -> Self {
        Self { actor, ..self }
    }
}

/// A question under way: a connection that the database keeps from writing, and what answers depend on besides it.
pub struct Rx<'a> {
    conn: &'a mut Conn,
    /// When the question began.
    pub now: Timestamp,
    pub policy: &'a Policy,
}

impl<'a> Rx<'a> {
    pub fn new(conn: &'a mut Conn, now: Timestamp, policy: &'a Policy) -> Self {
        Self { conn, now, policy }
    }

    /// The rules for personal access tokens that hold now.
    pub fn token_policy(&mut self) -> Result<PersonalTokenPolicy, Fault> {
        PersonalTokenPolicy::in_force(self.conn, self.policy)
    }
}

impl Deref for Rx<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl DerefMut for Rx<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn
    }
}

/// A write transaction under way. Verbs that change something take `&mut Tx`, so that whatever has to come with
/// a change (today its audit record) can't be left out by taking a bare connection.
pub struct Tx<'a> {
    conn: &'a mut Conn,
    pub now: Timestamp,
    pub policy: &'a Policy,
    pub caller: &'a Caller,
    done: Vec<Deed>,
}

impl<'a> Tx<'a> {
    pub fn new(conn: &'a mut Conn, now: Timestamp, policy: &'a Policy, caller: &'a Caller) -> Self {
        Self {
            conn,
            now,
            policy,
            caller,
            done: vec![],
        }
    }

    /// The rules for personal access tokens that hold now.
    pub fn token_policy(&mut self) -> Result<PersonalTokenPolicy, Fault> {
        PersonalTokenPolicy::in_force(self.conn, self.policy)
    }

    /// Write an event into the audit trail, in this transaction.
    pub fn record(&mut self, event: Event) -> QueryResult<()> {
        let recorded = Deed::Recorded(event.what);
        event.write(self)?;
        self.did(recorded);
        Ok(())
    }

    /// Write many events into the audit trail, in this transaction.
    pub fn record_all(&mut self, events: Vec<Event>) -> QueryResult<()> {
        let recorded: Vec<Deed> = events.iter().map(|e| Deed::Recorded(e.what)).collect();
        Event::write_all(events, self)?;
        self.done.extend(recorded);
        Ok(())
    }

    /// Remember that this was done. It counts once it is committed.
    pub fn did(&mut self, deed: Deed) {
        self.done.push(deed);
    }

    /// All that was done.
    pub fn done(self) -> Vec<Deed> {
        self.done
    }
}

impl Deref for Tx<'_> {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        self.conn
    }
}

impl DerefMut for Tx<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn
    }
}
