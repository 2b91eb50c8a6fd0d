//! What the audit trail says.

use diesel::prelude::*;
use jeton::db::schema::audit_events;
use jeton::domain::id::Id;

use super::Server;

/// An entry of the trail: who, whose, whose client, a few words more, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = audit_events)]
pub struct Entry {
    pub actor: String,
    pub user_id: Option<Id>,
    pub client_id: Option<String>,
    pub grant_id: Option<Id>,
    pub detail: Option<String>,
    pub address: Option<String>,
}

impl Entry {
    pub fn detail(&self) -> &str {
        self.detail.as_deref().unwrap_or_default()
    }
}

/// The entries of this event, the earlier before the later; those of one moment in any order.
pub fn trail(server: &Server, event: &str) -> Vec<Entry> {
    server.write(|tx| {
        let entries = audit_events::table
            .filter(audit_events::event.eq(event))
            .order(audit_events::id)
            .select(Entry::as_select());
        Ok(entries.load(&mut **tx)?)
    })
}
