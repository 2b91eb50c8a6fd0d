//! Everybody's live tokens, some at a time.

use diesel::prelude::*;

use super::PersonalToken;
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::db::schema::{grants, tokens};
use crate::domain::client::PERSONAL_ACCESS_TOKEN;
use crate::domain::cut_off::CutOffs;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::token::Token;

/// Some of everybody's tokens.
#[derive(Debug)]
pub struct Batch {
    pub live: Vec<PersonalToken>,
    /// Where the next ones begin; `None` if there are no more.
    pub last: Option<Id>,
}

impl PersonalToken {
    /// Of the next `limit` families after that of the grant `after`: the tokens that have not ended, whosever they are, and the
    /// last grant.
    pub fn live_after(
        conn: &mut Conn,
        after: Option<Id>,
        now: Timestamp,
        limit: i64,
    ) -> QueryResult<Batch> {
        let found: Vec<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .filter(grants::id.gt(after.unwrap_or(Id::fixed(0))))
            .filter(grants::revoked_at.is_null())
            .filter(tokens::spent_at.is_null())
            .order(grants::id)
            .limit(limit)
            .select((Token::as_select(), Grant::as_select()))
            .load(conn)?;
        let mut live = CutOffs::shown(conn, found)?;
        let last = live.last().map(|token| token.grant.id);
        live.retain(|token| token.is_live(now));
        Ok(Batch { live, last })
    }
}
