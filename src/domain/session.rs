//! Sessions of people at a browser. A session is a row: ending it is deleting it.

use std::time::Duration;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::id::Id;
use super::secret::Digest;
use super::tx::Tx;
use super::user::User;
use crate::clock::Timestamp;
use crate::db::schema::{service_account_keepers as keepers, sessions, users};
use crate::db::{self, Conn};

/// A browser in which somebody has signed in. Known by the digest of a random id that only the browser has.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    pub hash: Digest,
    pub user_id: Id,
    /// When the password was last entered in it.
    pub authenticated_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Session {
    /// Begin a session for `user`, who has just proven who they are, under a fresh random id.
    pub fn begin(tx: &mut Tx, hash: Digest, user: &User) -> QueryResult<()> {
        let (now, life) = (tx.now, tx.policy.lifetimes.session);
        diesel::insert_into(sessions::table)
            .values((
                sessions::hash.eq(hash),
                sessions::user_id.eq(user.id),
                sessions::authenticated_at.eq(now),
                sessions::expires_at.eq(now + life),
            ))
            .execute(&mut **tx)
            .map(drop)
    }

    /// The live session of this id and its person, unless the account is closed; and whether they keep a service account.
    pub fn find(
        conn: &mut Conn,
        hash: Digest,
        now: Timestamp,
    ) -> QueryResult<Option<(Session, User, bool)>> {
        let keeps = exists(keepers::table.filter(keepers::user_id.eq(users::id)));
        sessions::table
            .inner_join(users::table)
            .filter(sessions::hash.eq(hash))
            .filter(sessions::expires_at.gt(now))
            .filter(users::disabled_at.is_null())
            .select((Session::as_select(), User::as_select(), keeps))
            .get_result(conn)
            .optional()
    }

    /// Whether the password was entered here within `limit`.
    pub fn is_fresh(&self, now: Timestamp, limit: Duration) -> bool {
        now.since(self.authenticated_at) < limit
    }

    /// Hold the person of this session until the transaction ends, and see that both still are as they were: a session
    /// that a change of password has just ended must not make anything any more.
    pub fn hold(&self, tx: &mut Tx) -> QueryResult<bool> {
        db::hold_user(tx, self.user_id.as_bytes())?;
        let now = tx.now;
        Ok(Session::find(tx, self.hash, now)?.is_some())
    }

    /// Remove up to `limit` sessions that have run out.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<Digest> = sessions::table
            .filter(sessions::expires_at.le(tx.now))
            .order(sessions::hash)
            .limit(limit)
            .select(sessions::hash)
            .load(&mut **tx)?;
        diesel::delete(sessions::table.filter(sessions::hash.eq_any(over))).execute(&mut **tx)
    }

    /// Sign one browser out.
    pub fn end(tx: &mut Tx, hash: Digest) -> QueryResult<()> {
        diesel::delete(sessions::table.find(hash))
            .execute(&mut **tx)
            .map(drop)
    }

    /// Sign a person out everywhere.
    pub fn end_all_of(tx: &mut Tx, user: Id) -> QueryResult<()> {
        diesel::delete(sessions::table.filter(sessions::user_id.eq(user)))
            .execute(&mut **tx)
            .map(drop)
    }
}
