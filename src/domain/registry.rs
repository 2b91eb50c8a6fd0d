//! Who is registered here: clients with their secrets, resource servers with their scopes and types of authorization details,
//! forward-auth policies; and before when nothing that was issued counts any more. Every request needs some of them and they
//! rarely change, so they are kept in memory for as long as the database says that nothing has changed.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use subtle::ConstantTimeEq;

use super::client::Client;
use super::cut_off::CutOffs;
use super::forward_policy::ForwardPolicy;
use super::resource::Catalogue;
use super::secret::Digest;
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::{client_secrets, registry};

/// Clients kept in memory at most.
const MOST: usize = 4096;

/// A client with its secrets.
#[derive(Debug)]
pub struct Registered {
    pub client: Arc<Client>,
    secrets: Vec<(Digest, Option<Timestamp>)>,
}

impl Registered {
    /// Whether this is the digest of one of its secrets that is live at `now`.
    pub fn has_secret(&self, digest: &Digest, now: Timestamp) -> bool {
        self.secrets.iter().any(|(known, end)| {
            end.is_none_or(|end| now < end) && bool::from(known.as_bytes().ct_eq(digest.as_bytes()))
        })
    }
}

/// What of the registry was read over one connection. It belongs to that connection: another may lead to another
/// database, where the same version means something else.
#[derive(Default)]
pub struct Registry {
    version: Option<i64>,
    clients: HashMap<String, Arc<Registered>>,
    catalogue: Option<Arc<Catalogue>>,
    policies: Option<HashMap<String, Arc<ForwardPolicy>>>,
    cut_offs: Option<Arc<CutOffs>>,
}

impl Registry {
    /// Ask the database whether anything has changed, and if so forget all. What is read from here afterwards is as the
    /// database has it now, or newer.
    pub fn refresh(&mut self, conn: &mut Conn) -> QueryResult<()> {
        let version: i64 = either!(conn, |conn| registry::table
            .select(registry::version)
            .get_result(conn))?;
        self.is_at(version);
        Ok(())
    }

    /// The database was asked already, and has this version: forget all that belongs to another.
    pub fn is_at(&mut self, version: i64) {
        if self.version != Some(version) {
            *self = Self {
                version: Some(version),
                ..Self::default()
            };
        }
    }

    /// The client of this id, enabled or not.
    pub fn client(&mut self, conn: &mut Conn, id: &str) -> QueryResult<Option<Arc<Registered>>> {
        if let Some(known) = self.clients.get(id) {
            return Ok(Some(known.clone()));
        }
        let Some(client) = Client::find(conn, id)? else {
            return Ok(None);
        };
        let secrets = client_secrets::table
            .filter(client_secrets::client_id.eq(id))
            .select((client_secrets::hash, client_secrets::expires_at))
            .load(conn)?;
        let registered = Arc::new(Registered {
            client: Arc::new(client),
            secrets,
        });
        if self.clients.len() >= MOST {
            self.clients.clear();
        }
        self.clients.insert(id.to_owned(), registered.clone());
        Ok(Some(registered))
    }

    /// Every resource server with its scopes and types of authorization details.
    pub fn catalogue(&mut self, conn: &mut Conn) -> QueryResult<Arc<Catalogue>> {
        if let Some(known) = &self.catalogue {
            return Ok(known.clone());
        }
        let catalogue = Arc::new(Catalogue::load(conn)?);
        self.catalogue = Some(catalogue.clone());
        Ok(catalogue)
    }

    /// The forward-auth policy of this name. All are kept, so that a name that there is not costs nothing.
    pub fn forward_policy(
        &mut self,
        conn: &mut Conn,
        name: &str,
    ) -> QueryResult<Option<Arc<ForwardPolicy>>> {
        let policies = match &mut self.policies {
            Some(known) => known,
            unknown => {
                let all = ForwardPolicy::all(conn)?.into_iter();
                let named = all.map(|policy| (policy.name.clone(), Arc::new(policy)));
                unknown.insert(named.collect())
            }
        };
        Ok(policies.get(name).cloned())
    }

    /// Before when nothing was issued that still counts.
    pub fn cut_offs(&mut self, conn: &mut Conn) -> QueryResult<Arc<CutOffs>> {
        if let Some(known) = &self.cut_offs {
            return Ok(known.clone());
        }
        let cut_offs = Arc::new(CutOffs::load(conn)?);
        self.cut_offs = Some(cut_offs.clone());
        Ok(cut_offs)
    }
}
