//! A request of an app to be let in, from the consent page to the redeemed code (RFC 6749 §4.1).

use std::time::Duration;

use diesel::prelude::*;

use super::authorization_details::AuthorizationDetails;
use super::id::Id;
use super::secret::Digest;
use super::tx::Tx;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::authorization_requests as requests;

/// How long a person may look at the consent page.
const PATIENCE: Duration = Duration::from_secs(30 * 60);
/// How long a request is kept: so long a code that comes twice is known for a replay.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// What an app asked for, kept here so that the consent form has to carry nothing but its id.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = requests)]
pub struct AuthorizationRequest {
    pub id: Id,
    pub client_id: String,
    /// Who was asked.
    pub user_id: Id,
    /// As it was sent, or the client's only one.
    pub redirect_uri: String,
    /// Whether it was sent: then the token request has to repeat it (RFC 6749 §4.1.3).
    pub redirect_uri_sent: bool,
    pub scope: Scope,
    pub audience: Audience,
    pub state: Option<String>,
    /// S256 (RFC 7636 §4.2).
    pub code_challenge: String,
    pub auth_time: Timestamp,
    pub created_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    pub code_hash: Option<Digest>,
    pub code_expires_at: Option<Timestamp>,
    pub redeemed_at: Option<Timestamp>,
    pub grant_id: Option<Id>,
    pub authorization_details: Option<AuthorizationDetails>,
}

/// A request that has been checked.
#[derive(Debug, Clone)]
pub struct NewRequest<'a> {
    pub client_id: &'a str,
    pub user_id: Id,
    pub redirect_uri: &'a str,
    pub redirect_uri_sent: bool,
    pub scope: &'a Scope,
    pub audience: &'a Audience,
    pub authorization_details: Option<&'a AuthorizationDetails>,
    pub state: Option<&'a str>,
    pub code_challenge: &'a str,
    pub auth_time: Timestamp,
}

impl AuthorizationRequest {
    /// Keep a request that was checked, for the person to answer.
    pub fn create(tx: &mut Tx, new: NewRequest) -> QueryResult<AuthorizationRequest> {
        let id = Id::new(tx.now);
        let now = tx.now;
        diesel::insert_into(requests::table)
            .values((
                requests::id.eq(id),
                requests::client_id.eq(new.client_id),
                requests::user_id.eq(new.user_id),
                requests::redirect_uri.eq(new.redirect_uri),
                requests::redirect_uri_sent.eq(new.redirect_uri_sent),
                requests::scope.eq(new.scope),
                requests::audience.eq(new.audience),
                requests::authorization_details.eq(new.authorization_details),
                requests::state.eq(new.state),
                requests::code_challenge.eq(new.code_challenge),
                requests::auth_time.eq(new.auth_time),
                requests::created_at.eq(now),
            ))
            .execute(&mut **tx)?;
        requests::table
            .find(id)
            .select(Self::as_select())
            .get_result(&mut **tx)
    }

    /// The request of this id that `user` was asked about and has not answered, if it is not too old.
    pub fn open_for(
        conn: &mut Conn,
        id: Id,
        user: Id,
        now: Timestamp,
    ) -> QueryResult<Option<AuthorizationRequest>> {
        requests::table
            .find(id)
            .filter(requests::user_id.eq(user))
            .filter(requests::decided_at.is_null())
            .filter(requests::created_at.gt(now - PATIENCE))
            .select(Self::as_select())
            .get_result(conn)
            .optional()
    }

    /// The request whose code this is, redeemed or not.
    pub fn of_code(conn: &mut Conn, code: Digest) -> QueryResult<Option<AuthorizationRequest>> {
        requests::table
            .filter(requests::code_hash.eq(code))
            .select(Self::as_select())
            .get_result(conn)
            .optional()
    }

    /// The person said yes, to this much: from now on `code` stands for it. `false` if they had answered before.
    pub fn allow(
        &self,
        tx: &mut Tx,
        scope: &Scope,
        audience: &Audience,
        details: Option<&AuthorizationDetails>,
        code: Digest,
    ) -> QueryResult<bool> {
        let (now, life) = (tx.now, tx.policy.lifetimes.authorization_code);
        diesel::update(
            requests::table
                .find(self.id)
                .filter(requests::decided_at.is_null()),
        )
        .set((
            requests::decided_at.eq(now),
            requests::scope.eq(scope),
            requests::audience.eq(audience),
            requests::authorization_details.eq(details),
            requests::code_hash.eq(code),
            requests::code_expires_at.eq(now + life),
        ))
        .execute(&mut **tx)
        .map(|rows| rows == 1)
    }

    /// Forget what `user` was asked or has allowed and no app has redeemed yet: of one client, or of all.
    pub fn forget_unredeemed(tx: &mut Tx, user: Id, client: Option<&str>) -> QueryResult<()> {
        let open = requests::table
            .filter(requests::user_id.eq(user))
            .filter(requests::redeemed_at.is_null());
        match client {
            Some(client) => {
                diesel::delete(open.filter(requests::client_id.eq(client))).execute(&mut **tx)
            }
            None => diesel::delete(open).execute(&mut **tx),
        }
        .map(drop)
    }

    /// Forget what anybody was asked or has allowed before then and no app has redeemed yet.
    pub fn forget_all_unredeemed(tx: &mut Tx, before: Timestamp) -> QueryResult<()> {
        let open = requests::table
            .filter(requests::redeemed_at.is_null())
            .filter(requests::created_at.lt(before));
        diesel::delete(open).execute(&mut **tx).map(drop)
    }

    /// Remove up to `limit` requests of yesterday: nobody can answer or redeem them any more.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<Id> = requests::table
            .filter(requests::created_at.lt(tx.now - KEPT))
            .order(requests::id)
            .limit(limit)
            .select(requests::id)
            .load(&mut **tx)?;
        diesel::delete(requests::table.filter(requests::id.eq_any(over))).execute(&mut **tx)
    }

    /// The person said no. `false` if they had answered before.
    pub fn deny(&self, tx: &mut Tx) -> QueryResult<bool> {
        let now = tx.now;
        diesel::update(
            requests::table
                .find(self.id)
                .filter(requests::decided_at.is_null()),
        )
        .set(requests::decided_at.eq(now))
        .execute(&mut **tx)
        .map(|rows| rows == 1)
    }

    /// Redeem the code. Of any number that try at once, one changes the row (RFC 6749 §4.1.2).
    pub fn redeem(&self, tx: &mut Tx) -> QueryResult<bool> {
        let now = tx.now;
        diesel::update(
            requests::table
                .find(self.id)
                .filter(requests::redeemed_at.is_null()),
        )
        .set(requests::redeemed_at.eq(now))
        .execute(&mut **tx)
        .map(|rows| rows == 1)
    }

    /// Remember what the redeemed code became, so that a replay can end it.
    pub fn became(&self, tx: &mut Tx, grant: Id) -> QueryResult<()> {
        diesel::update(requests::table.find(self.id))
            .set(requests::grant_id.eq(grant))
            .execute(&mut **tx)
            .map(drop)
    }

    /// The grant that the code has become, as it stands now.
    pub fn outcome(&self, conn: &mut Conn) -> QueryResult<Option<Id>> {
        requests::table
            .find(self.id)
            .select(requests::grant_id)
            .get_result(conn)
            .optional()
            .map(Option::flatten)
    }
}
