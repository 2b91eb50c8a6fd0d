//! How many tokens there are. Counting millions takes seconds, so of many a sample is counted.

use std::collections::BTreeMap;

use diesel::prelude::*;

use super::cut_off::CutOffs;
use super::secret::Digest;
use super::token::TokenKind;
use super::tx::Rx;
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens};

/// What a token in the database is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Live,
    Expired,
    /// A refresh token that became its successor.
    Spent,
    /// Itself, or its grant.
    Revoked,
}

impl State {
    pub const ALL: [State; 4] = [State::Live, State::Expired, State::Spent, State::Revoked];

    pub fn as_str(self) -> &'static str {
        match self {
            State::Live => "live",
            State::Expired => "expired",
            State::Spent => "spent",
            State::Revoked => "revoked",
        }
    }
}

/// So many rows tell the rest to a few percent.
const ENOUGH: usize = 1000;

/// How many tokens there are of each kind in each state.
pub type Census = BTreeMap<(TokenKind, State), i64>;

/// Count the tokens, reading some thousands of them at most.
pub fn census(rx: &mut Rx) -> QueryResult<Census> {
    census_of(rx, ENOUGH)
}

/// Digests are as good as drawn by lot, so those that begin with some zero bits are a fair sample: a first one of a few
/// rows is made sixteen times as large until there are `enough` in it, or all.
pub fn census_of(rx: &mut Rx, enough: usize) -> QueryResult<Census> {
    let mut bits = 16;
    loop {
        let sample = sample(rx, Digest::last_with_zeros(bits))?;
        if bits > 0 && sample.len() < enough {
            bits -= 4;
            continue;
        }
        let kinds = TokenKind::ALL.into_iter();
        let cells = kinds.flat_map(|kind| State::ALL.map(|state| ((kind, state), 0)));
        let mut census: Census = cells.collect();
        for cell in sample {
            *census.entry(cell).or_default() += 1 << bits;
        }
        return Ok(census);
    }
}

/// Kind and state of all tokens whose digest is not after this one.
fn sample(rx: &mut Rx, last: Digest) -> QueryResult<Vec<(TokenKind, State)>> {
    let now = rx.now;
    let cut_offs = CutOffs::load(rx)?;
    let revoked = tokens::revoked_at.is_not_null();
    let over = tokens::overlap_until
        .is_null()
        .or(tokens::overlap_until.le(now).assume_not_null());
    let rows: Vec<(TokenKind, Timestamp, bool, bool, Option<bool>)> = tokens::table
        .inner_join(grants::table)
        .filter(tokens::hash.le(last))
        .select((
            tokens::kind,
            tokens::created_at,
            revoked.or(grants::revoked_at.is_not_null()),
            tokens::spent_at.is_not_null().and(over),
            tokens::expires_at.le(now).nullable(),
        ))
        .load(&mut **rx)?;
    let cells = rows
        .into_iter()
        .map(|(kind, made, revoked, spent, expired)| {
            let state = match (revoked || cut_offs.end(kind, made), spent, expired) {
                (true, ..) => State::Revoked,
                (_, true, _) => State::Spent,
                (.., Some(true)) => State::Expired,
                _ => State::Live,
            };
            (kind, state)
        });
    Ok(cells.collect())
}
