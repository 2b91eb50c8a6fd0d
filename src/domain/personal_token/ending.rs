//! How personal access tokens end, and how long they are shown after that.

use std::time::Duration;

use diesel::prelude::*;

use super::PersonalToken;
use super::rules::days;
use crate::db::schema::{grants, tokens};
use crate::domain::audit::{Event, What};
use crate::domain::client::PERSONAL_ACCESS_TOKEN;
use crate::domain::grant::{Because, Grant};
use crate::domain::id::Id;
use crate::domain::limits::lain_unused;
use crate::domain::tx::Tx;

/// How long an expired token is shown to its owner.
const EXPIRED_SHOWN: Duration = days(30);
/// How long a revoked one is.
pub(super) const REVOKED_SHOWN: Duration = days(90);

impl PersonalToken {
    /// End the token and whatever works beside it, at once and for ever. A second time changes nothing.
    pub fn revoke(&self, tx: &mut Tx, because: &Because) -> QueryResult<()> {
        self.grant.revoke(tx, because)
    }

    /// Remove up to `limit` tokens that ended long ago, with a record of each: expired ones and those that lay unused too long are
    /// shown for 30 days, revoked ones for 90.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let expired = tokens::expires_at.lt(tx.now - EXPIRED_SHOWN);
        let unused = lain_unused!(1000, tx.now - EXPIRED_SHOWN);
        let revoked = grants::revoked_at.lt(tx.now - REVOKED_SHOWN);
        let over: Vec<(Id, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .filter(tokens::spent_at.is_null())
            .filter(revoked.or(grants::revoked_at.is_null().and(expired.or(unused))))
            .order(grants::id)
            .limit(limit)
            .select((tokens::id, Grant::as_select()))
            .load(&mut **tx)?;
        for (token, grant) in &over {
            let name = grant.name.clone().unwrap_or_default();
            let gone = Event::new(What::TokenPurged).grant(grant).token(*token);
            tx.record(gone.detail(name))?;
        }
        let ids: Vec<Id> = over.iter().map(|(_, grant)| grant.id).collect();
        // Its tokens go with it.
        diesel::delete(grants::table.filter(grants::id.eq_any(ids))).execute(&mut **tx)
    }

    /// End all live tokens of `owner`; how many there were.
    pub fn revoke_all_of(tx: &mut Tx, owner: Id, because: &Because) -> QueryResult<usize> {
        let now = tx.now;
        let live = Self::live_of(tx, owner, now)?;
        live.iter()
            .try_for_each(|token| token.revoke(tx, because))?;
        Ok(live.len())
    }
}
