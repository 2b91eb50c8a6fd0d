//! Resource servers and the scopes they define.

use std::sync::Arc;

use diesel::prelude::*;

use super::audit::{Event, What};
use super::authorization_details::{AuthorizationDetails, DetailsType};
use super::client::{AuthMethod, Client, NewClient};
use super::id::Id;
use super::secret::Secret;
use super::tx::Tx;
use super::words::{Audience, DetailsTypes, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{resources, scopes};
use crate::db::{self, Conn, Fault};

/// Jeton's own management API is a resource like any other; this is its id on every server.
const OURS: Id = Id::fixed(0x6a65_746f_6e00_7000_8000_0000_0000_0001);

/// What the management API defines: the scope, what it allows, and whether only administrators may hold it.
#[rustfmt::skip]
const OUR_SCOPES: [(&str, &str, bool); 8] = [
    ("introspection", "Ask whether tokens are good, as the app's own resource server", true),
    ("pats:read", "See everybody's personal access tokens", true),
    ("pats:write", "Make and change personal access tokens for anybody", true),
    ("pats:revoke", "Revoke anybody's personal access tokens", true),
    ("policies:read", "See the rules of this server", true),
    ("policies:write", "Decide the rules of this server", true),
    ("audit:read", "Read the audit trail", true),
    (ROTATE_SELF, "Rotate itself: get a successor, which takes over from it", false),
];

/// The scope with which a personal access token may rotate itself.
pub const ROTATE_SELF: &str = "pat:rotate_self";

/// A resource server: an API that takes tokens. Its URI is what stands in a token's audience (RFC 8707).
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = resources)]
pub struct Resource {
    pub id: Id,
    pub uri: String,
    pub name: String,
    /// The confidential client with which it introspects.
    pub client_id: Option<String>,
    pub created_at: Timestamp,
}

/// A scope that a resource server defines, with a sentence a person understands.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = scopes)]
pub struct ScopeDefinition {
    pub resource_id: Id,
    pub name: String,
    pub description: String,
    /// Only administrators may hold it.
    pub reserved: bool,
}

/// Why a resource server can't be registered.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("a resource is named by an absolute URI without a fragment, not {0:?}")]
    Uri(String),
    #[error("there is a resource {0} already")]
    Taken(String),
    #[error("a scope is printable ASCII without spaces, quotes and backslashes, not {0:?}")]
    Scope(String),
    #[error("the scope {0} is there twice")]
    ScopeTwice(String),
    #[error("the scope {0} needs one line that says what it allows")]
    NoSentence(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

/// A scope as it is to be defined.
#[derive(Debug, Clone)]
pub struct NewScope {
    pub name: String,
    pub description: String,
    pub reserved: bool,
}

impl Resource {
    /// Register a resource server with its scopes, and a client bound to it, with which it introspects.
    pub fn create(
        tx: &mut Tx,
        uri: &str,
        name: &str,
        definitions: &[NewScope],
    ) -> Result<(Resource, Client, Secret), Unfit> {
        if Audience::of([uri]).is_err() {
            return Err(Unfit::Uri(uri.to_owned()));
        }
        if let Some(alike) = Catalogue::load(tx)?.resource(uri) {
            return Err(Unfit::Taken(alike.uri.clone()));
        }
        for (index, definition) in definitions.iter().enumerate() {
            let (name, sentence) = (&definition.name, definition.description.trim());
            Scope::of([name.as_str()]).map_err(Unfit::Scope)?;
            if definitions[..index]
                .iter()
                .any(|earlier| earlier.name == *name)
            {
                return Err(Unfit::ScopeTwice(name.clone()));
            }
            if sentence.is_empty() || sentence.contains(char::is_control) {
                return Err(Unfit::NoSentence(name.clone()));
            }
        }
        let (client, secret) = Client::create(
            tx,
            NewClient {
                name: name.to_owned(),
                auth_method: AuthMethod::ClientSecret,
                grant_types: vec![],
                scope: Scope::default(),
                redirect_uris: vec![],
                access_token_ttl: None,
                introspect_any: false,
                authorization_details_types: DetailsTypes::default(),
            },
        )?;
        let secret = secret.ok_or(Fault::Broken("a confidential client has no secret"))?;
        let resource = Resource {
            id: Id::new(tx.now),
            uri: uri.to_owned(),
            name: name.to_owned(),
            client_id: Some(client.id.clone()),
            created_at: tx.now,
        };
        resource.insert(tx)?;
        for definition in definitions {
            resource.define(tx, definition)?;
        }
        tx.record(
            Event::new(What::ResourceCreated)
                .client(&client.id)
                .detail(uri),
        )?;
        Ok((resource, client, secret))
    }

    /// Make sure that the management API of this server is there as a resource, at `uri` if it is new, with all its scopes:
    /// a server that was upgraded has more of them than before.
    pub fn ensure_ours(tx: &mut Tx, uri: &str) -> Result<(), Unfit> {
        db::hold_start(tx)?;
        let ours = Resource {
            id: OURS,
            uri: uri.to_owned(),
            name: "Jeton".to_owned(),
            client_id: None,
            created_at: tx.now,
        };
        let there: i64 = resources::table.find(OURS).count().get_result(&mut **tx)?;
        if there == 0 {
            if Self::at(tx, uri)?.is_some() {
                return Err(Unfit::Taken(uri.to_owned()));
            }
            ours.insert(tx)?;
        }
        let known: Vec<String> = scopes::table
            .filter(scopes::resource_id.eq(OURS))
            .select(scopes::name)
            .load(&mut **tx)?;
        for (name, description, reserved) in OUR_SCOPES {
            if !known.iter().any(|known| known == name) {
                let definition = NewScope {
                    name: name.to_owned(),
                    description: description.to_owned(),
                    reserved,
                };
                ours.define(tx, &definition)?;
            }
        }
        Ok(())
    }

    /// The server is reached at another address now, and so is its management API.
    pub fn move_ours(tx: &mut Tx, uri: &str) -> Result<(), Unfit> {
        match Self::at(tx, uri)? {
            Some(resource) if resource.id == OURS => Ok(()),
            Some(_) => Err(Unfit::Taken(uri.to_owned())),
            None => {
                let ours = diesel::update(resources::table.find(OURS));
                ours.set(resources::uri.eq(uri)).execute(&mut **tx)?;
                Ok(())
            }
        }
    }

    /// Whether this is the management API of this server.
    pub fn is_ours(&self) -> bool {
        self.id == OURS
    }

    /// The resource server of just this URI.
    pub fn at(conn: &mut Conn, uri: &str) -> QueryResult<Option<Resource>> {
        resources::table
            .filter(resources::uri.eq(uri))
            .select(Resource::as_select())
            .get_result(conn)
            .optional()
    }

    fn insert(&self, tx: &mut Tx) -> QueryResult<()> {
        diesel::insert_into(resources::table)
            .values((
                resources::id.eq(self.id),
                resources::uri.eq(&self.uri),
                resources::name.eq(&self.name),
                resources::client_id.eq(self.client_id.as_deref()),
                resources::created_at.eq(self.created_at),
            ))
            .execute(&mut **tx)
            .map(drop)
    }

    fn define(&self, tx: &mut Tx, scope: &NewScope) -> QueryResult<()> {
        diesel::insert_into(scopes::table)
            .values((
                scopes::resource_id.eq(self.id),
                scopes::name.eq(&scope.name),
                scopes::description.eq(scope.description.trim()),
                scopes::reserved.eq(scope.reserved),
            ))
            .execute(&mut **tx)
            .map(drop)
    }
}

/// Resource servers with their scopes and types of authorization details: what these mean, and to whom. A part of it is cheap
/// to take.
#[derive(Debug, Clone, Default)]
pub struct Catalogue(Vec<Arc<Entry>>);

#[derive(Debug)]
struct Entry {
    resource: Resource,
    scopes: Vec<ScopeDefinition>,
    details_types: Vec<DetailsType>,
}

impl Catalogue {
    /// Every resource server, by name.
    pub fn load(conn: &mut Conn) -> QueryResult<Self> {
        let found: Vec<(Resource, Option<ScopeDefinition>)> = resources::table
            .left_join(scopes::table)
            .order((resources::name, resources::id, scopes::name))
            .select((
                Resource::as_select(),
                Option::<ScopeDefinition>::as_select(),
            ))
            .load(conn)?;
        let mut catalogue: Vec<Entry> = vec![];
        for (resource, scope) in found {
            match catalogue.last_mut() {
                Some(last) if last.resource.id == resource.id => last.scopes.extend(scope),
                _ => catalogue.push(Entry {
                    resource,
                    scopes: scope.into_iter().collect(),
                    details_types: vec![],
                }),
            }
        }
        for (resource_id, details_type) in DetailsType::all(conn)? {
            let theirs = |entry: &&mut Entry| entry.resource.id == resource_id;
            if let Some(entry) = catalogue.iter_mut().find(theirs) {
                entry.details_types.push(details_type);
            }
        }
        Ok(Self(catalogue.into_iter().map(Arc::new).collect()))
    }

    /// Each resource server with its scopes, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, &[ScopeDefinition])> {
        self.0
            .iter()
            .map(|entry| (&entry.resource, entry.scopes.as_slice()))
    }

    /// Every type of authorization details, by resource server.
    pub fn details_types(&self) -> impl Iterator<Item = &DetailsType> {
        self.0.iter().flat_map(|entry| &entry.details_types)
    }

    /// The type of authorization details of this name.
    pub fn details_type(&self, name: &str) -> Option<&DetailsType> {
        self.details_types().find(|each| each.name() == name)
    }

    /// Whether there is no resource server in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Only the resource servers that introspect with this client.
    pub fn of_client(&self, client_id: &str) -> Self {
        let theirs = self
            .0
            .iter()
            .filter(|entry| entry.resource.client_id.as_deref() == Some(client_id));
        Self(theirs.cloned().collect())
    }

    /// Only the resource servers in `audience`.
    pub fn within(&self, audience: &Audience) -> Self {
        let inside = self
            .0
            .iter()
            .filter(|entry| audience.contains(&entry.resource.uri));
        Self(inside.cloned().collect())
    }

    /// The URIs of all resource servers in it.
    pub fn audience(&self) -> Audience {
        self.0
            .iter()
            .map(|entry| entry.resource.uri.as_str())
            .collect()
    }

    /// The resource server a client means by `asked`: its URI, or the same with or without a final slash,
    /// which clients add and drop (the MCP clients among them).
    pub fn resource(&self, asked: &str) -> Option<&Resource> {
        let bare = asked.trim_end_matches('/');
        let exact = self.0.iter().find(|entry| entry.resource.uri == asked);
        let alike = || {
            self.0
                .iter()
                .find(|entry| entry.resource.uri.trim_end_matches('/') == bare)
        };
        exact.or_else(alike).map(|entry| &entry.resource)
    }

    /// Whether any server here defines `scope`.
    pub fn defines(&self, scope: &str) -> bool {
        self.definitions(scope).next().is_some()
    }

    /// What a scope allows, in words.
    pub fn sentence<'a>(&'a self, scope: &'a str) -> Option<&'a str> {
        self.definitions(scope)
            .next()
            .map(|definition| definition.description.as_str())
    }

    /// Whether any server here keeps `scope` for administrators.
    pub fn reserves(&self, scope: &str) -> bool {
        self.definitions(scope)
            .any(|definition| definition.reserved)
    }

    fn definitions<'a>(&'a self, scope: &'a str) -> impl Iterator<Item = &'a ScopeDefinition> {
        self.0
            .iter()
            .flat_map(|entry| &entry.scopes)
            .filter(move |definition| definition.name == scope)
    }

    /// What of a scope the server at `uri` defines.
    pub fn scope_at(&self, uri: &str, scope: &Scope) -> Scope {
        let defined = self.0.iter().filter(|entry| entry.resource.uri == uri);
        let words = defined
            .flat_map(|entry| &entry.scopes)
            .map(|definition| definition.name.as_str());
        words.filter(|word| scope.contains(word)).collect()
    }

    /// The servers that define at least one word of `scope`: whom a token is for when nobody was named.
    pub fn audience_of(&self, scope: &Scope) -> Audience {
        let defines = |scopes: &[ScopeDefinition]| scopes.iter().any(|d| scope.contains(&d.name));
        let meant = self.0.iter().filter(|entry| defines(&entry.scopes));
        meant.map(|entry| entry.resource.uri.as_str()).collect()
    }

    /// The servers that `scope` and `details` are about: whom a personal access token is for when nobody was named.
    pub fn audience_of_all(
        &self,
        scope: &Scope,
        details: Option<&AuthorizationDetails>,
    ) -> Audience {
        let of_details = details.map(|details| details.audience(self));
        self.audience_of(scope)
            .joined_with(&of_details.unwrap_or_default())
    }
}
