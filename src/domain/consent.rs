//! What people have allowed apps, and the apps connected by it.

use diesel::prelude::*;

use super::audit::{Event, What};
use super::authorization_details::AuthorizationDetails;
use super::authorization_request::AuthorizationRequest;
use super::client::Client;
use super::grant::{Because, Grant};
use super::id::Id;
use super::resource::Catalogue;
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{clients, consents, grants};
use crate::db::{self, Conn};

/// What a person has allowed one app at one resource.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = consents)]
pub struct Consent {
    pub user_id: Id,
    pub client_id: String,
    /// Its URI; empty where the app asked for none.
    pub resource: String,
    pub scope: Scope,
    pub created_at: Timestamp,
}

/// An app that somebody has let in, for the page that shows it.
#[derive(Debug, Clone)]
pub struct ConnectedApp {
    pub client: Client,
    /// One for each resource, the oldest first.
    pub consents: Vec<Consent>,
    /// Those of its live grants.
    pub details: Vec<AuthorizationDetails>,
    pub last_used_at: Option<Timestamp>,
}

impl Consent {
    /// Whether `user` has allowed `client` all of this before: at each resource what it defines of the scope.
    pub fn covers(
        conn: &mut Conn,
        user: Id,
        client: &str,
        scope: &Scope,
        audience: &Audience,
        catalogue: &Catalogue,
    ) -> QueryResult<bool> {
        let given = Self::given(conn, user, client)?;
        let allows = |resource: &str, scope: &Scope| {
            given
                .iter()
                .any(|consent| consent.resource == resource && consent.scope.covers(scope))
        };
        let parts = parts(scope, audience, catalogue);
        Ok(parts
            .iter()
            .all(|(resource, scope)| allows(resource, scope)))
    }

    /// Add to what `user` has allowed `client`. Details are allowed each time anew: only that they were is recorded.
    pub fn remember(
        tx: &mut Tx,
        user: Id,
        client: &str,
        scope: &Scope,
        audience: &Audience,
        details: Option<&AuthorizationDetails>,
        catalogue: &Catalogue,
    ) -> QueryResult<()> {
        db::hold_user(tx, user.as_bytes())?;
        let now = tx.now;
        let given = Self::given(tx, user, client)?;
        for (resource, scope) in parts(scope, audience, catalogue) {
            match given.iter().find(|consent| consent.resource == resource) {
                Some(before) => diesel::update(consents::table.find((user, client, resource)))
                    .set(consents::scope.eq(before.scope.joined_with(&scope)))
                    .execute(&mut **tx)?,
                None => diesel::insert_into(consents::table)
                    .values((
                        consents::user_id.eq(user),
                        consents::client_id.eq(client),
                        consents::resource.eq(resource),
                        consents::scope.eq(scope),
                        consents::created_at.eq(now),
                    ))
                    .execute(&mut **tx)?,
            };
        }
        let event = Event::new(What::AppAllowed).user(user).client(client);
        let allowed = match details {
            Some(details) => format!("{scope} at {audience}, with details of {}", details.types()),
            None => format!("{scope} at {audience}"),
        };
        tx.record(event.detail(allowed))
    }

    fn given(conn: &mut Conn, user: Id, client: &str) -> QueryResult<Vec<Consent>> {
        consents::table
            .filter(consents::user_id.eq(user))
            .filter(consents::client_id.eq(client))
            .select(Consent::as_select())
            .load(conn)
    }
}

/// What a scope comes to at each resource of an audience.
fn parts<'a>(
    scope: &Scope,
    audience: &'a Audience,
    catalogue: &Catalogue,
) -> Vec<(&'a str, Scope)> {
    if audience.is_empty() {
        return vec![("", scope.clone())];
    }
    audience
        .iter()
        .map(|uri| (uri, catalogue.scope_at(uri, scope)))
        .collect()
}

impl ConnectedApp {
    /// The apps that `user` has let in, by name.
    pub fn all_of(conn: &mut Conn, user: Id) -> QueryResult<Vec<ConnectedApp>> {
        let found: Vec<(Consent, Client)> = consents::table
            .inner_join(clients::table)
            .filter(consents::user_id.eq(user))
            .order((clients::name, clients::id, consents::created_at))
            .select((Consent::as_select(), Client::as_select()))
            .load(conn)?;
        let used: Vec<(String, Option<Timestamp>)> = grants::table
            .filter(grants::user_id.eq(user))
            .filter(grants::last_used_at.is_not_null())
            .select((grants::client_id, grants::last_used_at))
            .load(conn)?;
        let detailed: Vec<(String, Option<AuthorizationDetails>)> = grants::table
            .filter(grants::user_id.eq(user))
            .filter(grants::revoked_at.is_null())
            .filter(grants::authorization_details.is_not_null())
            .order(grants::id)
            .select((grants::client_id, grants::authorization_details))
            .load(conn)?;
        let details = |client: &str| {
            let theirs = detailed.iter().filter(|(id, _)| id == client);
            theirs.filter_map(|(_, details)| details.clone()).collect()
        };
        let last_used = |client: &str| {
            let theirs = used.iter().filter(|(id, _)| id == client);
            theirs.filter_map(|(_, at)| *at).max()
        };
        let mut apps: Vec<ConnectedApp> = vec![];
        for (consent, client) in found {
            match apps.last_mut() {
                Some(app) if app.client.id == client.id => app.consents.push(consent),
                _ => apps.push(ConnectedApp {
                    last_used_at: last_used(&client.id),
                    details: details(&client.id),
                    client,
                    consents: vec![consent],
                }),
            }
        }
        Ok(apps)
    }

    /// Disconnect every app of `user`.
    pub fn disconnect_all(tx: &mut Tx, user: Id, because: &Because) -> QueryResult<()> {
        db::hold_user(tx, user.as_bytes())?;
        diesel::delete(consents::table.filter(consents::user_id.eq(user))).execute(&mut **tx)?;
        AuthorizationRequest::forget_unredeemed(tx, user, None)?;
        Grant::revoke_apps_of(tx, user, because)
    }

    /// Take back all that `user` has allowed the app: it is asked again next time, and its tokens are dead now.
    pub fn disconnect(tx: &mut Tx, user: Id, client: &str) -> QueryResult<()> {
        db::hold_user(tx, user.as_bytes())?;
        let theirs = consents::table
            .filter(consents::user_id.eq(user))
            .filter(consents::client_id.eq(client));
        diesel::delete(theirs).execute(&mut **tx)?;
        AuthorizationRequest::forget_unredeemed(tx, user, Some(client))?;
        Grant::revoke_app(tx, user, client, &Because::Disconnected)
    }
}
