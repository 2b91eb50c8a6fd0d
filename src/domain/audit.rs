//! The audit trail: who did what, to which grant and token, from where. Written in the transaction that did it, and sealed
//! a moment later.

pub mod chain;
mod entry;
mod what;

use diesel::prelude::*;

use super::grant::Grant;
use super::id::Id;
use super::tx::{Caller, Tx};
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
        let caller = self.by.as_ref().unwrap_or(tx.caller);
        let now = tx.now;
        let row = (
            audit_events::id.eq(Id::new(now)),
            audit_events::at.eq(now),
            audit_events::event.eq(self.what.as_str()),
            audit_events::actor.eq(caller.actor.to_string()),
            audit_events::user_id.eq(self.user_id),
            audit_events::client_id.eq(self.client_id),
            audit_events::grant_id.eq(self.grant_id),
            audit_events::detail.eq(self.detail),
            audit_events::address.eq(caller.address.map(|a| a.to_string())),
            audit_events::request_id.eq(caller.request_id.map(|id| id.to_string())),
            audit_events::token_id.eq(self.token_id),
        );
        diesel::insert_into(audit_events::table)
            .values(row)
            .execute(&mut **tx)
            .map(drop)
    }
}
