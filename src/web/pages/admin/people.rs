//! Who did something to tokens, by name.

use std::collections::HashMap;

use diesel::QueryResult;

use super::{AdminRow, plain};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::client::Client;
use crate::domain::id::Id;
use crate::domain::personal_token::search::Found;
use crate::domain::user::{User, UserKind};
use crate::web::pages::tokens::TokenRow;

/// The names of all who made or revoked some tokens, as the audit trail writes them.
pub(super) struct People(HashMap<String, String>);

impl People {
    /// Look up who did something to these.
    pub fn of(conn: &mut Conn, found: &[Found]) -> QueryResult<Self> {
        let grants = found.iter().map(|found| &found.token.grant);
        let actors = grants.flat_map(|grant| {
            let revoked_by = grant.revoked_by.as_deref();
            [Some(grant.created_by.as_str()), revoked_by]
                .into_iter()
                .flatten()
        });
        let (mut users, mut clients): (Vec<Id>, Vec<String>) = (vec![], vec![]);
        for actor in actors {
            match actor.split_once(':') {
                Some(("user", id)) => users.extend(id.parse::<Id>().ok()),
                Some(("client", id)) => clients.push(id.to_owned()),
                _ => {}
            }
        }
        let users = User::names(conn, &users)?.into_iter();
        let users = users.map(|(id, name)| (format!("user:{id}"), name));
        let clients = Client::names(conn, &clients)?.into_iter();
        let clients = clients.map(|(id, name)| (format!("client:{id}"), plain(&name)));
        Ok(Self(users.chain(clients).collect()))
    }

    pub fn row(&self, found: &Found, now: Timestamp) -> AdminRow {
        AdminRow {
            owner: found.username.clone(),
            of_service: found.owner_kind == UserKind::Service,
            token: TokenRow::told(&found.token, now, |actor| self.name(actor)),
        }
    }

    fn name(&self, actor: &str) -> String {
        let known = self.0.get(actor).cloned();
        known.unwrap_or_else(|| {
            match actor {
                "command line" => "the operator",
                "anyone" => "whoever held it",
                "system" => "this server",
                other => other,
            }
            .to_owned()
        })
    }
}
