//! What is searched for among everybody's tokens: the words of a query, of a form, of a JSON object or of a command line,
//! which are the same everywhere.

use super::State;
use super::order::{By, Position, Sort};
use crate::clock::{Timestamp, parse_instant};
use crate::domain::id::Id;
use crate::domain::user::UserKind;

/// A page has at most so many rows.
pub const LIMIT_MAX: usize = 200;
const LIMIT: usize = 50;
/// So many can be named one by one.
pub const IDS_MAX: usize = 400;
/// A word to search for is not longer, in characters.
const TEXT_MAX: usize = 256;

/// What a token has to be. `before` is earlier than, `after` is not earlier than.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The tokens of these ids.
    pub ids: Option<Vec<Id>>,
    pub user: Option<Id>,
    /// Whose owner is such an account.
    pub owner_kind: Option<UserKind>,
    pub status: Option<State>,
    /// Whether it has to be one that works, or will: what there is left to revoke. No word of a search stands for this.
    pub live: bool,
    /// One of its scopes.
    pub scope: Option<String>,
    /// One of its resources.
    pub audience: Option<String>,
    pub created_before: Option<Timestamp>,
    pub created_after: Option<Timestamp>,
    pub expires_before: Option<Timestamp>,
    pub expires_after: Option<Timestamp>,
    pub never_expires: Option<bool>,
    /// Used, but not since then.
    pub last_used_before: Option<Timestamp>,
    pub never_used: Option<bool>,
    /// As the audit trail writes it: `user:ID`, `client:ID`, `command line`.
    pub created_by: Option<String>,
    /// In its name or its owner's.
    pub search: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    pub filter: Filter,
    pub sort: Sort,
    /// Where the page begins; `None` for the first.
    pub from: Option<Position>,
    pub limit: usize,
}

/// Why words are no search, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("There is no {0:?} here. There are: {all}.", all = .1.join(", "))]
    Unknown(String, &'static [&'static str]),
    #[error("{name} is {wanted}, not {got:?}.")]
    Value {
        name: &'static str,
        wanted: &'static str,
        got: String,
    },
}

/// All that can be said.
const NAMES: [&str; 17] = [
    "userId",
    "ownerKind",
    "status",
    "scope",
    "audience",
    "createdBefore",
    "createdAfter",
    "expiresBefore",
    "expiresAfter",
    "neverExpires",
    "lastUsedBefore",
    "neverUsed",
    "createdBy",
    "search",
    "sort",
    "cursor",
    "limit",
];

/// Those of them that say what a token has to be.
const FILTERS: &[&str] = NAMES.split_at(14).0;

const INSTANT: &str =
    "milliseconds since 1970, or a date such as 2027-01-31 or 2027-01-31T08:00:00Z";

impl Search {
    /// All that fits, in the order in which it is found fastest.
    pub fn of(filter: Filter, limit: usize) -> Self {
        Self {
            sort: filter.natural_sort(),
            filter,
            from: None,
            limit,
        }
    }

    /// Read the names and values of a search. Each comes once.
    pub fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Unreadable> {
        let mut search = Self::of(Filter::default(), LIMIT);
        let (mut sort, mut cursor) = (None, None);
        for (name, text) in pairs {
            let no = |name, wanted| Unreadable::value(name, wanted, text);
            match name {
                "sort" => {
                    let wanted = "created, expires or lastUsed, with a - before it for descending";
                    sort = Some(Sort::parse(text).ok_or_else(|| no("sort", wanted))?);
                }
                "cursor" => cursor = Some(text),
                "limit" => {
                    let limit = text.parse().ok().filter(|n| (1..=LIMIT_MAX).contains(n));
                    search.limit = limit.ok_or_else(|| no("limit", "a number from 1 to 200"))?;
                }
                _ => search.filter.set(name, text, &NAMES)?,
            }
        }
        search.sort = sort.unwrap_or_else(|| search.filter.natural_sort());
        if let Some(cursor) = cursor {
            let wanted = "what an answer in the same order gave as nextCursor";
            let from = search.sort.position(cursor);
            search.from = Some(from.ok_or_else(|| Unreadable::value("cursor", wanted, cursor))?);
        }
        Ok(search)
    }
}

impl Unreadable {
    fn value(name: &'static str, wanted: &'static str, text: &str) -> Self {
        Unreadable::Value {
            name,
            wanted,
            got: text.chars().take(64).collect(),
        }
    }
}

impl Filter {
    /// Read the names and values of a filter alone. Each comes once.
    pub fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Self, Unreadable> {
        let mut filter = Self::default();
        for (name, text) in pairs {
            filter.set(name, text, FILTERS)?;
        }
        Ok(filter)
    }

    fn set(
        &mut self,
        name: &str,
        text: &str,
        names: &'static [&'static str],
    ) -> Result<(), Unreadable> {
        let known = FILTERS.iter().find(|known| **known == name);
        let name = known.ok_or_else(|| Unreadable::Unknown(name.to_owned(), names))?;
        self.put(name, text)
            .map_err(|wanted| Unreadable::value(name, wanted, text))
    }

    /// Set what this name stands for; what it takes, if not this text.
    fn put(&mut self, name: &str, text: &str) -> Result<(), &'static str> {
        let instant = || parse_instant(text).map(Some).ok_or(INSTANT);
        let word = |wanted| {
            let fits = (1..=TEXT_MAX).contains(&text.chars().count());
            let fits = fits && !text.contains(char::is_control);
            fits.then(|| Some(text.to_owned())).ok_or(wanted)
        };
        let yes_or_no = || match text {
            "true" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err("true or false"),
        };
        match name {
            "userId" => self.user = Some(text.parse().map_err(|_| "the id of a user")?),
            "ownerKind" => {
                let mut kinds = UserKind::ALL.into_iter();
                let kind = kinds.find(|kind| kind.as_str() == text);
                self.owner_kind = Some(kind.ok_or("person or service")?);
            }
            "status" => {
                let mut states = State::SEARCHED.into_iter();
                let state = states.find(|state| state.as_str() == text);
                self.status = Some(state.ok_or("active, pending, expired or revoked")?);
            }
            "scope" => self.scope = word("one scope").and_then(|scope| one("one scope", scope))?,
            "audience" => {
                self.audience = word("the URI of one resource")
                    .and_then(|uri| one("the URI of one resource", uri))?;
            }
            "createdBefore" => self.created_before = instant()?,
            "createdAfter" => self.created_after = instant()?,
            "expiresBefore" => self.expires_before = instant()?,
            "expiresAfter" => self.expires_after = instant()?,
            "lastUsedBefore" => self.last_used_before = instant()?,
            "neverExpires" => self.never_expires = yes_or_no()?,
            "neverUsed" => self.never_used = yes_or_no()?,
            "createdBy" => self.created_by = word("a user:ID, a client:ID or the command line")?,
            _ => self.search = word("1 to 256 characters")?,
        }
        Ok(())
    }

    /// What it says, in the words in which [`Search::read`] reads it.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let time = |at: Option<Timestamp>| at.map(|at| at.millis().to_string());
        let flag = |flag: Option<bool>| flag.map(|flag| flag.to_string());
        let said = [
            ("userId", self.user.map(|id| id.to_string())),
            (
                "ownerKind",
                self.owner_kind.map(|kind| kind.as_str().to_owned()),
            ),
            ("status", self.status.map(|state| state.as_str().to_owned())),
            ("scope", self.scope.clone()),
            ("audience", self.audience.clone()),
            ("createdBefore", time(self.created_before)),
            ("createdAfter", time(self.created_after)),
            ("expiresBefore", time(self.expires_before)),
            ("expiresAfter", time(self.expires_after)),
            ("neverExpires", flag(self.never_expires)),
            ("lastUsedBefore", time(self.last_used_before)),
            ("neverUsed", flag(self.never_used)),
            ("createdBy", self.created_by.clone()),
            ("search", self.search.clone()),
        ];
        let said = said.into_iter();
        said.filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }

    fn natural_sort(&self) -> Sort {
        if self.expires_before.is_some() || self.expires_after.is_some() {
            return Sort {
                by: By::Expires,
                descending: false,
            };
        }
        Sort {
            by: By::Created,
            descending: true,
        }
    }
}

/// One word alone.
fn one(wanted: &'static str, words: Option<String>) -> Result<Option<String>, &'static str> {
    match &words {
        Some(text) if text.contains(' ') => Err(wanted),
        _ => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_filter_says_is_read_as_that_filter() {
        let pairs = [
            ("userId", "0190d3a4-8a1b-7c3d-9e5f-0123456789ab"),
            ("ownerKind", "service"),
            ("status", "expired"),
            ("scope", "notes:read"),
            ("audience", "https://notes.example"),
            ("createdBefore", "1800000000000"),
            ("createdAfter", "2026-01-31"),
            ("expiresBefore", "2027-01-31T08:00:00Z"),
            ("expiresAfter", "0"),
            ("neverExpires", "false"),
            ("lastUsedBefore", "-1"),
            ("neverUsed", "true"),
            ("createdBy", "command line"),
            ("search", "100%_\\"),
        ];
        let read = Search::read(pairs.into_iter()).unwrap();
        let said = read.filter.pairs();
        assert_eq!(said.len(), pairs.len());
        let said = said.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(Search::read(said).unwrap(), read);
    }
}
