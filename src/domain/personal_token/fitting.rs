//! A filter as the database is asked it.

use diesel::dsl::{InnerJoin, IntoBoxed, not};
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::State;
use super::filter::Filter;
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens, users};
use crate::db::{Backend, keys};
use crate::domain::cut_off::CutOffs;
use crate::domain::limits::lain_unused;
use crate::domain::token::TokenKind;

diesel::define_sql_function! {
    /// `text` with every `part` of it replaced: on both databases by its very letters.
    fn replace(text: Text, part: Text, by: Text) -> Text;
}

diesel::define_sql_function! {
    fn lower(text: Text) -> Text;
}

/// Whether a text has this part, to the letter. (What LIKE means by a letter differs between the databases.)
macro_rules! has {
    ($text:expr, $part:expr) => {
        replace($text, $part, "").ne($text)
    };
}

/// Whether a column of words has this one.
macro_rules! has_word {
    ($words:expr, $word:expr) => {{
        let words = " ".into_sql::<Text>().concat($words).concat(" ");
        has!(words, format!(" {} ", $word))
    }};
}

/// Tokens with their grants and their owners, of which some are left out.
pub(in crate::domain) type Joined =
    IntoBoxed<'static, InnerJoin<tokens::table, InnerJoin<grants::table, users::table>>, Backend>;

impl Filter {
    /// Whether it names whose tokens, or which: then there is no need to look at them window by window.
    pub(super) fn is_narrow(&self) -> bool {
        self.user.is_some() || self.ids.is_some()
    }

    /// The tokens that fit.
    pub(super) fn fitting(&self, cut_offs: &CutOffs, now: Timestamp) -> Joined {
        let mut query: Joined = tokens::table
            .inner_join(grants::table.inner_join(users::table))
            .into_boxed();
        query = query.filter(grants::name.is_not_null());
        // Each family by its current token.
        query = query.filter(tokens::spent_at.is_null());
        if let Some(ids) = self.ids.clone() {
            query = query.filter(tokens::id.eq_any(ids));
        }
        if let Some(user) = self.user {
            query = query.filter(grants::user_id.eq(user));
        }
        if let Some(kind) = self.owner_kind {
            query = query.filter(users::kind.eq(kind));
        }
        let cut_off = cut_offs.of(TokenKind::Personal);
        if let Some(status) = self.status {
            query = in_state(query, status, cut_off, now);
        }
        if self.live {
            query = live(query, cut_off, now);
        }
        if let Some(scope) = &self.scope {
            query = query.filter(has_word!(grants::scope, scope));
        }
        if let Some(audience) = &self.audience {
            query = query.filter(has_word!(grants::audience, audience));
        }
        if let Some(actor) = self.created_by.clone() {
            query = query.filter(grants::created_by.eq(actor));
        }
        if let Some(words) = &self.search {
            let part = || lower(words.clone());
            let name = lower(grants::name.assume_not_null());
            let owner = lower(users::username);
            query = query.filter(has!(name, part()).or(has!(owner, part())));
        }
        self.in_time(query)
    }

    fn in_time(&self, mut query: Joined) -> Joined {
        if let Some(before) = self.created_before {
            query = query.filter(grants::created_at.lt(before));
        }
        if let Some(after) = self.created_after {
            query = query.filter(grants::created_at.ge(after));
        }
        // By the words of the index, which they may use.
        if let Some(before) = self.expires_before {
            let ends = keys::end().lt(before.millis());
            query = query.filter(ends).filter(tokens::expires_at.is_not_null());
        }
        if let Some(after) = self.expires_after {
            let ends = keys::end().ge(after.millis());
            query = query.filter(ends).filter(tokens::expires_at.is_not_null());
        }
        match self.never_expires {
            Some(true) => query = query.filter(tokens::expires_at.is_null()),
            Some(false) => query = query.filter(tokens::expires_at.is_not_null()),
            None => {}
        }
        if let Some(before) = self.last_used_before {
            query = query.filter(grants::last_used_at.lt(before));
        }
        match self.never_used {
            Some(true) => query.filter(grants::last_used_at.is_null()),
            Some(false) => query.filter(grants::last_used_at.is_not_null()),
            None => query,
        }
    }
}

/// As [`super::PersonalToken::state`] has it, and what is cut off counts as revoked.
fn in_state(query: Joined, state: State, cut_off: Option<Timestamp>, now: Timestamp) -> Joined {
    match state {
        State::Revoked => {
            let revoked = grants::revoked_at.is_not_null();
            query.filter(revoked.or(tokens::created_at.lt(or_never(cut_off))))
        }
        State::Expired => {
            let ended = keys::end().lt(next_second(now));
            unrevoked(query, cut_off).filter(ended.or(lain_unused!(1000, now)))
        }
        State::Pending => live(query, cut_off, now).filter(grants::pending_since.is_not_null()),
        // Rotated ones are not looked at: each family is found by its current token.
        State::Active | State::Rotating | State::Rotated => {
            live(query, cut_off, now).filter(grants::pending_since.is_null())
        }
    }
}

/// As [`super::PersonalToken::is_live`] has it.
fn live(query: Joined, cut_off: Option<Timestamp>, now: Timestamp) -> Joined {
    unrevoked(query, cut_off)
        .filter(keys::end().ge(next_second(now)))
        .filter(grants::idle_life.is_null().or(not(lain_unused!(1000, now))))
}

fn unrevoked(query: Joined, cut_off: Option<Timestamp>) -> Joined {
    query
        .filter(grants::revoked_at.is_null())
        .filter(tokens::created_at.ge(or_never(cut_off)))
}

fn or_never(cut_off: Option<Timestamp>) -> Timestamp {
    cut_off.unwrap_or(Timestamp::from_millis(i64::MIN))
}

/// What ends before then has ended: ends are compared by whole seconds.
pub(super) fn next_second(now: Timestamp) -> i64 {
    (now.seconds() + 1) * 1000
}
