//! What happened to a token, as its owner is told.

use crate::clock::Timestamp;
use crate::domain::audit::{Entry, What};
use crate::domain::denial::{Reason, Told};
use crate::domain::tx::Actor;
use crate::web::pages::When;
use crate::web::whose::Whose;

/// Events that a page shows at most.
pub const SHOWN: i64 = 50;

/// One thing that happened.
pub struct HistoryRow {
    pub at: When,
    /// "Revoked: no longer needed"
    pub what: String,
    /// "you", "an administrator", "the server", …
    pub by: String,
    pub from: Option<String>,
}

impl HistoryRow {
    /// An event of one of these tokens, as seen at `now`.
    pub fn of(entry: &Entry, whose: &Whose, now: Timestamp) -> Self {
        Self {
            at: When::of(entry.at, now),
            what: what(entry),
            by: match entry.actor.as_str() {
                actor if actor == Actor::System.to_string() => "the server".to_owned(),
                actor => whose.who(actor),
            },
            from: entry.address.clone(),
        }
    }
}

fn what(entry: &Entry) -> String {
    let detail = entry.detail.as_deref();
    let and = |begin: &str| match detail {
        Some(detail) => format!("{begin}: {detail}"),
        None => begin.to_owned(),
    };
    let Some(what) = What::parse(&entry.event) else {
        return entry.event.clone();
    };
    match what {
        What::TokenCreated => "Created".to_owned(),
        What::TokenFirstUsed => "Used for the first time".to_owned(),
        What::TokenNewNetwork => and("Used from a new network"),
        What::TokenChanged => "Changed".to_owned(),
        What::TokenRotated => "Replaced by a new secret".to_owned(),
        What::TokenOverlapEnded => "The secret before it stopped working".to_owned(),
        What::TokenReuseDetected => "A secret that was replaced was used again".to_owned(),
        What::TokenDenied => detail
            .and_then(Told::parse)
            .map_or_else(|| "Refused".to_owned(), |told| denied(&told)),
        What::TokenReminded => "You were reminded that it ends".to_owned(),
        What::TokenExpired => "Expired".to_owned(),
        What::TokenRevoked => and("Revoked"),
        What::TokenLeaked => and("Reported as leaked"),
        other => other.as_str().to_owned(),
    }
}

fn denied(told: &Told) -> String {
    let times = match told.times.count {
        1 => String::new(),
        count => format!(" {count} times"),
    };
    match told.reason {
        Reason::Audience => format!("Refused{times}: it is not for that API"),
        Reason::Refresh => format!("Refused{times}: it is not for APIs"),
        Reason::Scope => format!("Not enough{times}: it lacks {}", told.lacking),
        Reason::Network => format!("Refused{times}: it may not be used from there"),
    }
}
