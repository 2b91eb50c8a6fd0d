//! Tokens that were good, and of no use to who was shown them: who said no, why, and how often. What is told to a resource
//! server never says so; this is for the operator who is asked why.

use std::fmt;
use std::net::IpAddr;

use super::audit::{Event, What};
use super::bearer::Bearer;
use super::id::Id;
use super::resource::Catalogue;
use super::tx::{Actor, Caller};
use super::words::Scope;
use crate::clock::Timestamp;

/// Words of scope that one denial tells of at most: resource servers may ask for anything.
const WORDS: usize = 8;

/// What is told of a scope that no API defines: it may be anything, a secret in the wrong place too.
pub const UNDEFINED: &str = "(undefined)";

/// Why a token was of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// It is not for the resource server that was shown it.
    Audience,
    /// It is a refresh token, which is for its own app alone.
    Refresh,
    /// It lacks a scope that the resource server asked for.
    Scope,
    /// It came from a network that it may not be used from.
    Network,
}

impl Reason {
    const ALL: [Reason; 4] = [
        Reason::Audience,
        Reason::Refresh,
        Reason::Scope,
        Reason::Network,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Audience => "audience",
            Reason::Refresh => "refresh_token",
            Reason::Scope => "scope",
            Reason::Network => "network",
        }
    }
}

/// A token, who was shown it, and why it was of no use there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied {
    /// The public id of the token.
    pub token: Id,
    grant: Id,
    owner: Option<Id>,
    client: String,
    /// The client that asked.
    pub by: String,
    pub reason: Reason,
    /// What of the scope that was asked for it lacks.
    lacking: Scope,
}

impl Denied {
    /// `bearer` was of no use to the client `by`.
    pub fn new(bearer: &Bearer, by: &str, reason: Reason) -> Self {
        Self {
            token: bearer.token.id,
            grant: bearer.grant.id,
            owner: bearer.grant.user_id,
            client: bearer.grant.client_id.clone(),
            by: by.to_owned(),
            reason,
            lacking: Scope::default(),
        }
    }

    /// `bearer` lacks this scope, which the client `by` asked for.
    pub fn lacking(bearer: &Bearer, by: &str, lacking: &Scope, catalogue: &Catalogue) -> Self {
        let told = |word| {
            if catalogue.defines(word) {
                word
            } else {
                UNDEFINED
            }
        };
        Self {
            lacking: lacking.iter().map(told).take(WORDS).collect(),
            ..Self::new(bearer, by, Reason::Scope)
        }
    }

    /// Add what the same token lacks besides.
    pub fn lacks_too(&mut self, other: &Self) {
        let all = self.lacking.joined_with(&other.lacking);
        self.lacking = all.iter().take(WORDS).collect();
    }

    /// The entry of the trail for all the `times` that this happened, of which the last came from `address`.
    pub fn event(&self, times: &Times, address: Option<IpAddr>, request_id: Option<Id>) -> Event {
        let told = Told {
            reason: self.reason,
            lacking: self.lacking.clone(),
            times: *times,
        };
        Event::new(What::TokenDenied)
            .of_grant(self.grant, self.owner, &self.client)
            .token(self.token)
            .detail(told.to_string())
            .by(Caller {
                actor: Actor::Client(self.by.clone()),
                address,
                request_id,
            })
    }
}

/// How often something happened, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    pub count: u64,
    pub first: Timestamp,
    pub last: Timestamp,
}

impl Times {
    pub fn once(at: Timestamp) -> Self {
        Self {
            count: 1,
            first: at,
            last: at,
        }
    }

    /// These times and those.
    pub fn and(self, other: Times) -> Self {
        Self {
            count: self.count + other.count,
            first: self.first.min(other.first),
            last: self.last.max(other.last),
        }
    }

    /// "once, at 2027-01-15T08:00:00Z", "3 times, first at … and last at …"
    pub fn in_words(&self) -> String {
        let (first, last) = (self.first.to_rfc3339(), self.last.to_rfc3339());
        match self.count {
            1 => format!("once, at {last}"),
            count => format!("{count} times, first at {first} and last at {last}"),
        }
    }
}

/// What the detail of a denial in the trail says, such as
/// `reason=scope count=3 first=2027-01-15T08:00:00Z last=2027-01-15T08:05:00Z lacking=notes:write`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub reason: Reason,
    pub lacking: Scope,
    pub times: Times,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Times { count, first, last } = self.times;
        let (first, last) = (first.to_rfc3339(), last.to_rfc3339());
        write!(
            f,
            "reason={} count={count} first={first} last={last}",
            self.reason.as_str()
        )?;
        self.lacking
            .iter()
            .try_for_each(|word| write!(f, " lacking={word}"))
    }
}

impl Told {
    /// Read such a detail.
    pub fn parse(detail: &str) -> Option<Self> {
        let members: Vec<(&str, &str)> = detail
            .split(' ')
            .filter_map(|member| member.split_once('='))
            .collect();
        let all = |name: &'static str| {
            let named = members.iter().filter(move |(each, _)| *each == name);
            named.map(|(_, value)| *value)
        };
        let reason = all("reason").next()?;
        let at = |name| Timestamp::parse_rfc3339(all(name).next()?);
        Some(Self {
            reason: Reason::ALL
                .into_iter()
                .find(|each| each.as_str() == reason)?,
            lacking: Scope::of(all("lacking")).ok()?,
            times: Times {
                count: all("count").next()?.parse().ok()?,
                first: at("first")?,
                last: at("last")?,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_can_be_read_again() {
        let told = Told {
            reason: Reason::Scope,
            lacking: Scope::parse("a=b notes:write").unwrap(),
            times: Times {
                count: 3,
                first: Timestamp::from_millis(1_800_000_000_000),
                last: Timestamp::from_millis(1_800_000_005_000),
            },
        };
        assert_eq!(Told::parse(&told.to_string()), Some(told));
    }
}
