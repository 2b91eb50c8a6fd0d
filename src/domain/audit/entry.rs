//! An entry of the trail as it is read, and which entries are asked for.

use diesel::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::What;
use super::chain::Hash;
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::audit_events;
use crate::domain::id::Id;

/// An entry, as the API and the command line say it. Its members, in this order, are what is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Queryable, Selectable, JsonSchema)]
#[diesel(table_name = audit_events)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "AuditEvent",
    description = "What happened, to whom and what."
)]
pub struct Entry {
    /// Its place in the chain; `None` until it is sealed.
    pub seq: Option<i64>,
    pub id: Id,
    pub at: Timestamp,
    #[schemars(extend("enum" = What::names()))]
    pub event: String,
    pub actor: String,
    pub user_id: Option<Id>,
    pub client_id: Option<String>,
    pub grant_id: Option<Id>,
    pub token_id: Option<Id>,
    pub detail: Option<String>,
    pub address: Option<String>,
    pub request_id: Option<String>,
    pub hash: Option<Hash>,
}

/// Which entries are asked for: those that are all of this.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub event: Option<What>,
    pub actor: Option<String>,
    pub user: Option<Id>,
    pub client: Option<String>,
    pub grant: Option<Id>,
    pub token: Option<Id>,
    pub address: Option<String>,
    /// From this instant on.
    pub since: Option<Timestamp>,
    /// Before this instant.
    pub until: Option<Timestamp>,
}

impl Entry {
    /// Up to `limit` entries, newest first: the first of all, or those that come after the one of the id `after`.
    pub fn page(
        conn: &mut Conn,
        filter: &Filter,
        after: Option<Id>,
        limit: i64,
    ) -> QueryResult<Vec<Entry>> {
        let mut query = audit_events::table
            .order(audit_events::id.desc())
            .limit(limit)
            .select(Entry::as_select())
            .into_boxed();
        if let Some(event) = filter.event {
            query = query.filter(audit_events::event.eq(event.as_str()));
        }
        if let Some(actor) = &filter.actor {
            query = query.filter(audit_events::actor.eq(actor));
        }
        if let Some(user) = filter.user {
            query = query.filter(audit_events::user_id.eq(user));
        }
        if let Some(client) = &filter.client {
            query = query.filter(audit_events::client_id.eq(client));
        }
        if let Some(grant) = filter.grant {
            query = query.filter(audit_events::grant_id.eq(grant));
        }
        if let Some(token) = filter.token {
            query = query.filter(audit_events::token_id.eq(token));
        }
        if let Some(address) = &filter.address {
            query = query.filter(audit_events::address.eq(address));
        }
        // Ids are in the order of time, and every index ends with them.
        if let Some(since) = filter.since {
            query = query.filter(audit_events::id.ge(Id::first_at(since)));
        }
        let until = filter.until.map(Id::first_at);
        if let Some(end) = after.into_iter().chain(until).min() {
            query = query.filter(audit_events::id.lt(end));
        }
        query.load(conn)
    }

    /// As a line of JSON.
    pub fn line(&self) -> String {
        let json = serde_json::to_string(self).expect("plain facts can be written as JSON");
        json + "\n"
    }

    /// The sealed entries after number `seq`, in the order of the chain, up to `limit`.
    pub(super) fn sealed_after(conn: &mut Conn, seq: i64, limit: i64) -> QueryResult<Vec<Entry>> {
        audit_events::table
            .filter(audit_events::seq.gt(seq))
            .order(audit_events::seq)
            .limit(limit)
            .select(Entry::as_select())
            .load(conn)
    }

    /// Up to `limit` entries that are not sealed yet. However late one is committed: it has no number, so it is found.
    pub(super) fn unsealed(conn: &mut Conn, limit: i64) -> QueryResult<Vec<Entry>> {
        audit_events::table
            .filter(audit_events::seq.is_null())
            .order(audit_events::id)
            .limit(limit)
            .select(Entry::as_select())
            .load(conn)
    }

    /// What is sealed of it: the name and the value of each member that it has, each behind its length in four bytes, the
    /// most significant first. Numbers are in decimal, ids as they are printed. A member that is added one day and that
    /// older entries have not changes nothing of theirs.
    pub(super) fn encoded(&self) -> Vec<u8> {
        let members = [
            ("seq", self.seq.map(|seq| seq.to_string())),
            ("id", Some(self.id.to_string())),
            ("at", Some(self.at.millis().to_string())),
            ("event", Some(self.event.clone())),
            ("actor", Some(self.actor.clone())),
            ("userId", self.user_id.map(|id| id.to_string())),
            ("clientId", self.client_id.clone()),
            ("grantId", self.grant_id.map(|id| id.to_string())),
            ("tokenId", self.token_id.map(|id| id.to_string())),
            ("detail", self.detail.clone()),
            ("address", self.address.clone()),
            ("requestId", self.request_id.clone()),
        ];
        let mut bytes = vec![];
        for (name, value) in &members {
            let Some(value) = value else { continue };
            for text in [*name, value] {
                bytes.extend((text.len() as u32).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
        bytes
    }
}
