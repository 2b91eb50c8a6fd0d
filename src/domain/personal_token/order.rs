//! The orders of a list of tokens, and the places in it.

use std::fmt;

use diesel::expression::SqlLiteral;
use diesel::sql_types::{BigInt, Binary};

use super::PersonalToken;
use crate::clock::Timestamp;
use crate::db::keys;
use crate::domain::id::Id;

/// What a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Created,
    Expires,
    LastUsed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub by: By,
    pub descending: bool,
}

/// A place in a list: just after the row with this key and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub key: i64,
    pub id: Id,
}

impl Sort {
    /// `created`, or `-created` for the newest first.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix('-').unwrap_or(text);
        let all = [By::Created, By::Expires, By::LastUsed];
        let by = all.into_iter().find(|by| by.as_str() == name)?;
        Some(Self {
            by,
            descending: name != text,
        })
    }

    /// The cursor of a position in this order.
    pub fn cursor(self, at: Position) -> String {
        format!("{self}.{}.{}", at.key, at.id)
    }

    /// The position of a cursor, if it was given in this order.
    pub(super) fn position(self, cursor: &str) -> Option<Position> {
        let (order, rest) = cursor.split_once('.')?;
        let (key, id) = rest.split_once('.')?;
        if order != self.to_string() {
            return None;
        }
        Some(Position {
            key: key.parse().ok()?,
            id: id.parse().ok()?,
        })
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.descending { "-" } else { "" };
        write!(f, "{sign}{}", self.by.as_str())
    }
}

impl By {
    fn as_str(self) -> &'static str {
        match self {
            By::Created => "created",
            By::Expires => "expires",
            By::LastUsed => "lastUsed",
        }
    }

    pub(super) fn key(self) -> SqlLiteral<BigInt> {
        match self {
            By::Created => keys::made(),
            By::Expires => keys::end(),
            By::LastUsed => keys::used(),
        }
    }

    pub(super) fn id(self) -> SqlLiteral<Binary> {
        match self {
            By::Expires => keys::token(),
            By::Created | By::LastUsed => keys::grant(),
        }
    }

    /// Where a token stands in this order: what [`By::key`] and [`By::id`] say of its row.
    pub(super) fn position(self, found: &PersonalToken) -> Position {
        let PersonalToken { token, grant } = found;
        let or = |at: Option<Timestamp>, never| at.map_or(never, Timestamp::millis);
        match self {
            By::Created => Position {
                key: grant.created_at.millis(),
                id: grant.id,
            },
            By::Expires => Position {
                key: or(token.expires_at, i64::MAX),
                id: token.id,
            },
            By::LastUsed => Position {
                key: or(grant.last_used_at, -1),
                id: grant.id,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_in_the_order_it_was_given_in() {
        let at = Position {
            key: -1,
            id: Id::fixed(7),
        };
        let newest = Sort::parse("-created").unwrap();
        let cursor = newest.cursor(at);
        assert_eq!(newest.position(&cursor), Some(at));
        let other = Sort::parse("created").unwrap();
        assert_eq!(other.position(&cursor), None);
    }
}
