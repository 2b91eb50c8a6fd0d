//! Tokens that wait for an administrator's approval: which they are, and what is decided about them.

use diesel::prelude::*;

use super::filter::Filter;
use super::fitting::Joined;
use super::order::Position;
use super::rules::{Problem, checked_words};
use super::search::{Found, Page};
use super::{PersonalToken, State};
use crate::clock::Timestamp;
use crate::db::schema::{grants, users};
use crate::db::{self, Conn};
use crate::domain::audit::{Event, What};
use crate::domain::cut_off::CutOffs;
use crate::domain::grant::{Because, Grant};
use crate::domain::letter::Letter;
use crate::domain::mail;
use crate::domain::token::Token;
use crate::domain::tx::Tx;
use crate::domain::user::UserKind;

impl PersonalToken {
    /// Let a token work that waits for approval. Its owner is told, with these words if there are any.
    pub fn approve(&self, tx: &mut Tx, words: &str) -> Result<PersonalToken, Problem> {
        let words = checked_words(words)?;
        let mut token = self.held_waiting(tx)?;
        let pending = grants::table
            .find(token.grant.id)
            .filter(grants::revoked_at.is_null());
        let approved = diesel::update(pending).set((
            grants::pending_since.eq(None::<Timestamp>),
            grants::approved_at.eq(tx.now),
        ));
        if approved.execute(&mut **tx)? == 0 {
            return Err(Problem::NotPending);
        }
        token.grant.pending_since = None;
        token.grant.approved_at = Some(tx.now);
        let said = words.as_deref().map(|words| format!(": {words}"));
        let detail = format!("{}{}", token.name(), said.unwrap_or_default());
        tx.record(
            Event::new(What::TokenApproved)
                .grant(&token.grant)
                .token(token.token.id)
                .detail(detail),
        )?;
        let letter = Letter::Approved {
            token: &token,
            words: words.as_deref(),
        };
        mail::tell(tx, token.owner()?, &letter)?;
        Ok(token)
    }

    /// End a token that waits for approval. Its owner is told why, and reads it with the token.
    pub fn refuse(&self, tx: &mut Tx, words: &str) -> Result<PersonalToken, Problem> {
        let words = checked_words(words)?.ok_or(Problem::Words)?;
        let token = self.held_waiting(tx)?;
        let because = Because::Asked(Some(format!("not approved: {words}")));
        if !token.grant.end(tx, &because)? {
            return Err(Problem::NotPending);
        }
        let letter = Letter::Refused {
            token: &token,
            words: &words,
        };
        mail::tell(tx, token.owner()?, &letter)?;
        Ok(Self::find(tx, token.token.id)?.unwrap_or(token))
    }

    /// The token as it is now that nobody else decides about it, if it waits.
    fn held_waiting(&self, tx: &mut Tx) -> Result<PersonalToken, Problem> {
        db::hold_user(tx, self.owner()?.as_bytes())?;
        let now = tx.now;
        let found = Self::find(tx, self.token.id)?;
        found
            .filter(|token| token.state(now) == State::Pending)
            .ok_or(Problem::NotPending)
    }

    /// The tokens that wait at `now`, after this place: those that have waited longest first, at most `limit`.
    pub fn waiting(
        conn: &mut Conn,
        from: Option<Position>,
        limit: usize,
        now: Timestamp,
    ) -> QueryResult<Page> {
        let mut query = Self::all_waiting(&CutOffs::load(conn)?, now);
        if let Some(Position { key, id }) = from {
            let since = Timestamp::from_millis(key);
            let later = grants::pending_since.gt(since);
            let beside = grants::pending_since.eq(since).and(grants::id.gt(id));
            query = query.filter(later.or(beside));
        }
        let rows: Vec<(Token, Grant, String, UserKind)> = query
            .order((grants::pending_since, grants::id))
            .limit(limit as i64 + 1)
            .select((
                Token::as_select(),
                Grant::as_select(),
                users::username,
                users::kind,
            ))
            .load(conn)?;
        let is_all = rows.len() <= limit;
        let items: Vec<Found> = rows
            .into_iter()
            .take(limit)
            .map(|(token, grant, username, owner_kind)| Found {
                token: PersonalToken { token, grant },
                username,
                owner_kind,
            })
            .collect();
        let last = items.last().filter(|_| !is_all);
        let next = last.and_then(|found| {
            let grant = &found.token.grant;
            Some(Position {
                key: grant.pending_since?.millis(),
                id: grant.id,
            })
        });
        Ok(Page { items, next })
    }

    /// How many wait at `now`.
    pub fn count_waiting(conn: &mut Conn, now: Timestamp) -> QueryResult<i64> {
        let waiting = Self::all_waiting(&CutOffs::load(conn)?, now);
        waiting.count().get_result(conn)
    }

    /// All that wait, to ask more of.
    pub(in crate::domain) fn all_waiting(cut_offs: &CutOffs, now: Timestamp) -> Joined {
        let pending = Filter {
            status: Some(State::Pending),
            ..Filter::default()
        };
        pending.fitting(cut_offs, now)
    }
}
