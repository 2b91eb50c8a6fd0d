//! What people have allowed apps, and the apps connected by it.

use diesel::prelude::*;

use super::audit::{Event, What};
use super::authorization_request::AuthorizationRequest;
use super::client::Client;
use super::grant::{Because, Grant};
use super::id::Id;
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{clients, consents, grants};
use crate::db::{self, Conn};

/// All that a person has allowed one app so far.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = consents)]
pub struct Consent {
    pub user_id: Id,
    pub client_id: String,
    pub scope: Scope,
    pub audience: Audience,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An app that somebody has let in, for the page that shows it.
#[derive(Debug, Clone)]
pub struct ConnectedApp {
    pub client: Client,
    pub consent: Consent,
    pub last_used_at: Option<Timestamp>,
}

impl Consent {
    pub fn find(conn: &mut Conn, user: Id, client: &str) -> QueryResult<Option<Consent>> {
        consents::table
            .find((user, client))
            .select(Consent::as_select())
            .get_result(conn)
            .optional()
    }

    pub fn covers(&self, scope: &Scope, audience: &Audience) -> bool {
        self.scope.covers(scope) && self.audience.covers(audience)
    }

    /// Add to what `user` has allowed `client`.
    pub fn remember(
        tx: &mut Tx,
        user: Id,
        client: &str,
        scope: &Scope,
        audience: &Audience,
    ) -> QueryResult<()> {
        db::hold_user(tx, user.as_bytes())?;
        let now = tx.now;
        match Consent::find(tx, user, client)? {
            Some(before) => diesel::update(consents::table.find((user, client)))
                .set((
                    consents::scope.eq(before.scope.joined_with(scope)),
                    consents::audience.eq(before.audience.joined_with(audience)),
                    consents::updated_at.eq(now),
                ))
                .execute(&mut **tx)?,
            None => diesel::insert_into(consents::table)
                .values((
                    consents::user_id.eq(user),
                    consents::client_id.eq(client),
                    consents::scope.eq(scope),
                    consents::audience.eq(audience),
                    consents::created_at.eq(now),
                    consents::updated_at.eq(now),
                ))
                .execute(&mut **tx)?,
        };
        tx.record(
            Event::new(What::AppAllowed)
                .user(user)
                .client(client)
                .detail(scope.as_str()),
        )
    }
}

impl ConnectedApp {
    /// The apps that `user` has let in, by name.
    pub fn all_of(conn: &mut Conn, user: Id) -> QueryResult<Vec<ConnectedApp>> {
        let found: Vec<(Consent, Client)> = consents::table
            .inner_join(clients::table)
            .filter(consents::user_id.eq(user))
            .order(clients::name)
            .select((Consent::as_select(), Client::as_select()))
            .load(conn)?;
        let used: Vec<(String, Option<Timestamp>)> = grants::table
            .filter(grants::user_id.eq(user))
            .filter(grants::last_used_at.is_not_null())
            .select((grants::client_id, grants::last_used_at))
            .load(conn)?;
        let last_used = |client: &str| {
            let theirs = used.iter().filter(|(id, _)| id == client);
            theirs.filter_map(|(_, at)| *at).max()
        };
        let apps = found.into_iter().map(|(consent, client)| ConnectedApp {
            last_used_at: last_used(&client.id),
            client,
            consent,
        });
        Ok(apps.collect())
    }

    /// Disconnect every app of `user`.
    pub fn disconnect_all(tx: &mut Tx, user: Id, because: Because) -> QueryResult<()> {
        diesel::delete(consents::table.filter(consents::user_id.eq(user))).execute(&mut **tx)?;
        AuthorizationRequest::forget_open(tx, user, None)?;
        Grant::revoke_apps_of(tx, user, because)
    }

    /// Take back all that `user` has allowed the app: it is asked again next time, and its tokens are dead now.
    pub fn disconnect(tx: &mut Tx, user: Id, client: &str) -> QueryResult<()> {
        diesel::delete(consents::table.find((user, client))).execute(&mut **tx)?;
        AuthorizationRequest::forget_open(tx, user, Some(client))?;
        Grant::revoke_app(tx, user, client, &Because::Disconnected)
    }
}
