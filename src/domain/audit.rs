//! The audit trail: who did what, to which grant and token, from where. Written in the transaction that did it, and sealed
//! a moment later.

pub mod chain;
mod entry;
mod what;

use diesel::prelude::*;

use super::grant::Grant;
use super::id::Id;
use super::tx::{Caller, Tx};
use crate::clock::Timestamp;
use crate::db::schema::audit_events;

pub use entry::{Entry, Filter};
pub use what::What;

/// One entry of the trail that is to be: what happened, and to whom and what.
#[derive(Debug, Clone)]
pub struct Event {
    pub(super) what: What,
    user_id: Option<Id>,
    client_id: Option<String>,
    grant_id: Option<Id>,
    token_id: Option<Id>,
    detail: Option<String>,
    by: Option<Caller>,
}

impl Event {
    pub fn new(what: What) -> Self {
        Self {
            what,
            user_id: None,
            client_id: None,
            grant_id: None,
            token_id: None,
            detail: None,
            by: None,
        }
    }

    pub fn user(mut self, id: Id) -> Self {
        self.user_id = Some(id);
        self
    }

    pub fn client(mut self, id: &str) -> Self {
        self.client_id = Some(id.to_owned());
        self
    }

    /// About this grant, its owner and its client.
    pub fn grant(self, grant: &Grant) -> Self {
        self.of_grant(grant.id, grant.user_id, &grant.client_id)
    }

    /// About a grant of which only this is known.
    pub fn of_grant(mut self, id: Id, owner: Option<Id>, client: &str) -> Self {
        self.grant_id = Some(id);
        self.user_id = owner;
        self.client_id = Some(client.to_owned());
        self
    }

    /// About the token of this public id.
    pub fn token(mut self, id: Id) -> Self {
        self.token_id = Some(id);
        self
    }

    /// A few words more. Never a secret.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Done by somebody else than who writes it down.
    pub fn by(mut self, caller: Caller) -> Self {
        self.by = Some(caller);
        self
    }

    pub(super) fn write(self, tx: &mut Tx) -> QueryResult<()> {
        let row = self.row(tx);
        either!(&mut **tx, |conn| diesel::insert_into(audit_events::table)
            .values(&row)
            .execute(conn)
            .map(drop))
    }

    /// Write many entries by one statement.
    pub(super) fn write_all(events: Vec<Event>, tx: &mut Tx) -> QueryResult<()> {
        let rows: Vec<Row> = events.into_iter().map(|event| event.row(tx)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        either!(&mut **tx, |conn| diesel::insert_into(audit_events::table)
            .values(&rows)
            .execute(conn)
            .map(drop))
    }

    fn row(self, tx: &Tx) -> Row {
        let caller = self.by.as_ref().unwrap_or(tx.caller);
        Row {
            id: Id::new(tx.now),
            at: tx.now,
            event: self.what.as_str(),
            actor: caller.actor.to_string(),
            user_id: self.user_id,
            client_id: self.client_id,
            grant_id: self.grant_id,
            detail: self.detail,
            address: caller.address.map(|address| address.to_string()),
            request_id: caller.request_id.map(|id| id.to_string()),
            token_id: self.token_id,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = audit_events, treat_none_as_default_value = false)]
struct Row {
    id: Id,
    at: Timestamp,
    event: &'static str,
    actor: String,
    user_id: Option<Id>,
    client_id: Option<String>,
    grant_id: Option<Id>,
    detail: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    token_id: Option<Id>,
}
