//! What requests ask before anything else: who a client is, what a presented token is worth, and what a proxy may let
//! through. Many are answered in one reading.

use std::sync::Arc;

use diesel::QueryResult;

use super::bearer::Bearer;
use super::forward_policy::ForwardPolicy;
use super::id::Id;
use super::registry::{Registered, Registry};
use super::resource::Catalogue;
use super::secret::Digest;
use super::token::TokenKind;
use crate::db::{self, Conn};

/// One question.
#[derive(Debug, Clone, Default)]
pub struct Lookup {
    /// The id of a client.
    pub client: Option<String>,
    /// The digest of a token.
    pub token: Option<Digest>,
    /// The name of a forward-auth policy.
    pub policy: Option<String>,
}

/// The answer: what the database held at some moment after the question was put.
#[derive(Debug, Clone)]
pub struct Found {
    pub client: Option<Arc<Registered>>,
    pub bearer: Option<Arc<Bearer>>,
    pub catalogue: Arc<Catalogue>,
    pub policy: Option<Arc<ForwardPolicy>>,
}

impl Found {
    /// The grant of the decoy that was presented, if it was one.
    pub fn decoy(&self) -> Option<Id> {
        let bearer = self.bearer.as_ref()?;
        (bearer.token.kind == TokenKind::Decoy).then_some(bearer.grant.id)
    }
}

/// Answer all of these, in their order. No answer is older than this call.
pub fn look_up(
    conn: &mut Conn,
    registry: &mut Registry,
    lookups: &[Lookup],
) -> QueryResult<Vec<Found>> {
    db::in_one_reading(conn, |conn| {
        let hashes: Vec<Digest> = lookups.iter().filter_map(|lookup| lookup.token).collect();
        let bearers = Bearer::find_all(conn, registry, &hashes)?;
        let catalogue = registry.catalogue(conn)?;
        let found = lookups.iter().map(|lookup| {
            let client = match &lookup.client {
                Some(id) => registry.client(conn, id)?,
                None => None,
            };
            let policy = match &lookup.policy {
                Some(name) => registry.forward_policy(conn, name)?,
                None => None,
            };
            let bearer = lookup.token.and_then(|token| bearers.get(&token).cloned());
            Ok(Found {
                client,
                bearer,
                catalogue: catalogue.clone(),
                policy,
            })
        });
        found.collect()
    })
}
