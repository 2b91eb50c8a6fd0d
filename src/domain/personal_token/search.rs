//! Finding tokens among everybody's: what administrators list, export and revoke, by one filter.
//!
//! A list goes on after the last row that was shown, so that rows which come and go move no other. No question looks at
//! more than a window of rows at a time: where a filter fits few of a million tokens, a page may be short and still have a
//! next one.

use diesel::prelude::*;

use super::filter::Search;
use super::fitting::{Joined, next_second};
use super::order::{By, Position};
use super::{PersonalToken, State};
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens, users};
use crate::db::{Conn, Fault, keys};
use crate::domain::cut_off::CutOffs;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::token::Token;
use crate::domain::user::UserKind;

/// Rows that are looked at by one question.
const WINDOW: i64 = 5_000;
/// So many tokens are sorted by their last use, for which there is no index.
pub const SORTED: i64 = 50_000;

/// Why nothing was searched.
#[derive(Debug, thiserror::Error)]
pub enum NotSearched {
    #[error(
        "There are more than {SORTED} tokens: they can be sorted by last use for one user at a time."
    )]
    TooManyToSort,
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(NotSearched);

/// A token that fits, and whose it is.
#[derive(Debug, Clone)]
pub struct Found {
    pub token: PersonalToken,
    /// The owner's name.
    pub username: String,
    /// Whether they are a person.
    pub owner_kind: UserKind,
}

/// Some tokens that fit, in their order.
#[derive(Debug, Clone)]
pub struct Page {
    pub items: Vec<Found>,
    /// Where the next page begins, if there may be one.
    pub next: Option<Position>,
}

/// Go on from `$position` by `$key` and `$id`: with what comes strictly after it, or up to it.
macro_rules! beyond {
    ($query:expr, $search:expr, $position:expr, $key:expr, $id:expr) => {{
        let Position { key, id } = $position;
        if $search.sort.descending {
            $query
                .filter($key.le(key))
                .filter($key.lt(key).or($id.lt(id)))
        } else {
            $query
                .filter($key.ge(key))
                .filter($key.gt(key).or($id.gt(id)))
        }
    }};
}

macro_rules! up_to {
    ($query:expr, $search:expr, $position:expr, $key:expr, $id:expr) => {{
        let Position { key, id } = $position;
        if $search.sort.descending {
            $query
                .filter($key.ge(key))
                .filter($key.gt(key).or($id.ge(id)))
        } else {
            $query
                .filter($key.le(key))
                .filter($key.lt(key).or($id.le(id)))
        }
    }};
}

macro_rules! in_order {
    ($query:expr, $search:expr, $key:expr, $id:expr) => {
        if $search.sort.descending {
            $query.order(($key.desc(), $id.desc()))
        } else {
            $query.order(($key.asc(), $id.asc()))
        }
    };
}

impl Search {
    /// The next tokens that fit, of those in one window: perhaps none, although there are more.
    pub fn page(&self, conn: &mut Conn, now: Timestamp) -> Result<Page, NotSearched> {
        self.check_sortable(conn)?;
        let cut_offs = CutOffs::load(conn)?;
        let to = self.window(conn, self.from, now)?;
        let query = self.between(self.from, to, &cut_offs, now);
        let query = in_order!(query, self, self.sort.by.key(), self.sort.by.id());
        let rows: Vec<(Token, Grant, String, UserKind)> = query
            .limit(self.limit as i64 + 1)
            .select((
                Token::as_select(),
                Grant::as_select(),
                users::username,
                users::kind,
            ))
            .load(conn)?;
        let mut items: Vec<Found> = rows
            .into_iter()
            .map(|(token, grant, username, owner_kind)| {
                let mut token = PersonalToken { token, grant };
                cut_offs.show_in(&mut token);
                Found {
                    token,
                    username,
                    owner_kind,
                }
            })
            .collect();
        if items.len() <= self.limit {
            return Ok(Page { items, next: to });
        }
        items.truncate(self.limit);
        let last = items.last();
        let next = last.map(|found| self.sort.by.position(&found.token));
        Ok(Page { items, next })
    }

    /// How many fit among the next rows after `from`, and where to go on, if there are more.
    pub fn count(
        &self,
        conn: &mut Conn,
        from: Option<Position>,
        now: Timestamp,
    ) -> QueryResult<(i64, Option<Position>)> {
        let cut_offs = CutOffs::load(conn)?;
        let to = self.window(conn, from, now)?;
        let count = self
            .between(from, to, &cut_offs, now)
            .count()
            .get_result(conn)?;
        Ok((count, to))
    }

    fn check_sortable(&self, conn: &mut Conn) -> Result<(), NotSearched> {
        if self.sort.by != By::LastUsed || self.filter.is_narrow() {
            return Ok(());
        }
        let one_more: Option<Id> = grants::table
            .filter(grants::name.is_not_null())
            .order(grants::created_at)
            .select(grants::id)
            .offset(SORTED)
            .first(conn)
            .optional()?;
        match one_more {
            Some(_) => Err(NotSearched::TooManyToSort),
            None => Ok(()),
        }
    }

    /// The last row of the window that begins after `from`; `None` if it has no end because there is nothing after it, or
    /// because all that could fit is no more than a window anyway.
    fn window(
        &self,
        conn: &mut Conn,
        from: Option<Position>,
        now: Timestamp,
    ) -> QueryResult<Option<Position>> {
        if self.filter.is_narrow() {
            return Ok(None);
        }
        let (first, last) = self.range(now);
        let end: Option<(i64, Id)> = match self.sort.by {
            By::LastUsed => None,
            By::Created => {
                let (key, id) = (keys::made, keys::grant);
                let mut rows = grants::table
                    .filter(grants::name.is_not_null())
                    .filter(key().ge(first))
                    .filter(key().le(last))
                    .select((key(), id()))
                    .into_boxed();
                if let Some(from) = from {
                    rows = beyond!(rows, self, from, key(), id());
                }
                let rows = in_order!(rows, self, key(), id());
                rows.offset(WINDOW - 1).first(conn).optional()?
            }
            By::Expires => {
                let (key, id) = (keys::end, keys::token);
                let mut rows = tokens::table
                    .filter(keys::is_personal())
                    .filter(key().ge(first))
                    .filter(key().le(last))
                    .select((key(), id()))
                    .into_boxed();
                if let Some(from) = from {
                    rows = beyond!(rows, self, from, key(), id());
                }
                let rows = in_order!(rows, self, key(), id());
                rows.offset(WINDOW - 1).first(conn).optional()?
            }
        };
        Ok(end.map(|(key, id)| Position { key, id }))
    }

    /// Wherever the filter fits, what it is sorted by is one of these or between them.
    fn range(&self, now: Timestamp) -> (i64, i64) {
        let filter = &self.filter;
        let millis = |time: Option<Timestamp>| time.map(Timestamp::millis);
        let (first, end) = match (self.sort.by, filter.status) {
            (By::LastUsed, _) => (None, None),
            (By::Created, _) => (millis(filter.created_after), millis(filter.created_before)),
            (By::Expires, status) => {
                let (after, before) = (millis(filter.expires_after), millis(filter.expires_before));
                match status {
                    Some(State::Active | State::Pending | State::Rotating | State::Rotated) => {
                        (after.max(Some(next_second(now))), before)
                    }
                    // Those that lay unused for too long may have an end of whatever time.
                    _ => (after, before),
                }
            }
        };
        let last = end.map_or(i64::MAX, |end| end.saturating_sub(1));
        (first.unwrap_or(i64::MIN), last)
    }

    /// What fits of the rows after `from`, up to `to`.
    fn between(
        &self,
        from: Option<Position>,
        to: Option<Position>,
        cut_offs: &CutOffs,
        now: Timestamp,
    ) -> Joined {
        let mut query = self.filter.fitting(cut_offs, now);
        let (key, id) = (self.sort.by.key(), self.sort.by.id());
        if let Some(from) = from {
            query = beyond!(query, self, from, key.clone(), id.clone());
        }
        if let Some(to) = to {
            query = up_to!(query, self, to, key.clone(), id.clone());
        }
        if self.sort.by != By::Created {
            // Else tokens of every other kind would be looked through too.
            query = query.filter(keys::is_personal());
        }
        query
    }
}
