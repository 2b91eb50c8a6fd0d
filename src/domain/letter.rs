//! What people are told by mail: a letter for each thing that happens, with its template below `templates/mail`.
//!
//! Much of it was written by somebody else (names of tokens, a finder's note). It comes into a letter on one line and without
//! what could turn or hide text, and no letter has a secret in it.

use std::time::Duration;

use askama::Template;

use super::id::Id;
use super::personal_token::PersonalToken;
use super::plain::plain;
use super::tx::{Actor, Tx};
use super::user::User;
use crate::clock::Timestamp;
use crate::db::Fault;

/// More of what a stranger wrote is not passed on.
const STRANGE_MAX: usize = 500;

/// Something to tell the owner of a token.
#[derive(Debug, Clone, Copy)]
pub enum Letter<'a> {
    /// It was made just now, by whatever door.
    Added(&'a PersonalToken),
    /// These end soon, or have ended.
    Expiring(&'a [PersonalToken]),
    /// Its secret was found where others can read it, and so it was revoked. Where, and what else the finder wrote.
    Leaked {
        token: &'a PersonalToken,
        url: Option<&'a str>,
        note: Option<&'a str>,
    },
    /// It was used from a network from which it had not been used before.
    NewNetwork {
        token: &'a PersonalToken,
        network: &'a str,
    },
    /// A secret of it came again after it had been replaced and had ended.
    ReuseDetected(&'a PersonalToken),
    /// It has a new secret; the old one works until then, or not any more.
    Rotated {
        token: &'a PersonalToken,
        old_until: Option<Timestamp>,
    },
}

/// A letter that is written.
pub struct Text {
    pub subject: String,
    pub body: String,
}

impl<'a> Letter<'a> {
    /// Its word in the audit trail.
    pub fn word(&self) -> &'static str {
        match self {
            Letter::Added(_) => "token.added",
            Letter::Expiring(_) => "tokens.expiring",
            Letter::Leaked { .. } => "token.leaked",
            Letter::NewNetwork { .. } => "token.new_network",
            Letter::ReuseDetected(_) => "token.reuse_detected",
            Letter::Rotated { .. } => "token.rotated",
        }
    }

    /// The token that it is about, if it is about one.
    pub fn about(&self) -> Option<&'a PersonalToken> {
        match *self {
            Letter::Expiring(tokens) => match tokens {
                [token] => Some(token),
                _ => None,
            },
            Letter::Added(token)
            | Letter::ReuseDetected(token)
            | Letter::Leaked { token, .. }
            | Letter::NewNetwork { token, .. }
            | Letter::Rotated { token, .. } => Some(token),
        }
    }

    /// Write it to `user`, as of now and as from whoever caused it.
    pub fn write(&self, user: &User, tx: &Tx) -> Result<Text, Fault> {
        let body = self.body(user, tx).render();
        let body = body.map_err(|_| Fault::Broken("a letter could not be written"))?;
        // Some mail programs would read a name as an encoded word (RFC 2047 §2).
        let subject = self.subject(tx.now).replace("=?", "= ?");
        Ok(Text { subject, body })
    }

    fn subject(&self, now: Timestamp) -> String {
        let name = |token: &PersonalToken| plain(token.name());
        match self {
            Letter::Added(token) => format!("New personal access token: {}", name(token)),
            Letter::Expiring([token]) => format!("{} {}", name(token), fate(token, now)),
            Letter::Expiring(tokens) => format!("{} personal access tokens end", tokens.len()),
            Letter::Leaked { token, .. } => {
                format!("{} was found in public and is revoked", name(token))
            }
            Letter::NewNetwork { token, .. } => {
                format!("{} was used from a new network", name(token))
            }
            Letter::ReuseDetected(token) => format!("An old secret of {} was used", name(token)),
            Letter::Rotated { token, .. } => format!("{} has a new secret", name(token)),
        }
    }

    fn body(&self, user: &User, tx: &'a Tx) -> Body<'a> {
        let (issuer, now) = (tx.policy.issuer.as_str(), tx.now);
        let card = |token| Card::of(token, issuer, now);
        let frame = Frame {
            username: user.username.clone(),
            issuer,
        };
        match *self {
            Letter::Added(token) => Body::Added {
                frame,
                card: card(token),
                made: made(token, user.id, tx),
            },
            Letter::Expiring(tokens) => Body::Expiring {
                frame,
                cards: tokens.iter().map(card).collect(),
            },
            Letter::Leaked { token, url, note } => Body::Leaked {
                frame,
                card: card(token),
                url: url.map(strange),
                note: note.map(strange),
            },
            Letter::NewNetwork { token, network } => Body::NewNetwork {
                frame,
                card: card(token),
                network: strange(network),
                at: moment(now),
            },
            Letter::ReuseDetected(token) => Body::ReuseDetected {
                frame,
                card: card(token),
                at: moment(now),
            },
            Letter::Rotated { token, old_until } => Body::Rotated {
                frame,
                card: card(token),
                at: moment(now),
                old_until: old_until.map(moment),
            },
        }
    }
}

/// What every letter begins and ends with.
struct Frame<'a> {
    username: String,
    issuer: &'a str,
}

/// A token, as letters describe it.
struct Card {
    name: String,
    /// "jeton_pat_3AHO"
    hint: String,
    scope: String,
    /// "1 scope", "3 scopes"
    scopes: String,
    /// "ends in 7 days", "has ended", "has no end"
    fate: String,
    /// "Fri 15 Jan 2027, 08:00:00 UTC", or "never"
    end: String,
    /// "last used Thu 14 Jan 2027, 23:12:05 UTC", or "never used"
    used: String,
    /// Its page, for whoever is signed in.
    link: String,
}

impl Card {
    fn of(token: &PersonalToken, issuer: &str, now: Timestamp) -> Self {
        let scopes = token.grant.scope.iter().count();
        let used = token.grant.last_used_at;
        Self {
            name: plain(token.name()),
            hint: token.token.hint.clone(),
            scope: token.grant.scope.to_string(),
            scopes: counted(scopes as u64, "scope"),
            fate: fate(token, now),
            end: token.token.expires_at.map_or("never".to_owned(), moment),
            used: used.map_or("never used".to_owned(), |at| {
                format!("last used {}", moment(at))
            }),
            link: format!("{issuer}/settings/tokens/{}", token.token.id),
        }
    }
}

#[derive(Template)]
enum Body<'a> {
    #[template(path = "mail/added.txt")]
    Added {
        frame: Frame<'a>,
        card: Card,
        made: String,
    },
    #[template(path = "mail/expiring.txt")]
    Expiring { frame: Frame<'a>, cards: Vec<Card> },
    #[template(path = "mail/leaked.txt")]
    Leaked {
        frame: Frame<'a>,
        card: Card,
        url: Option<String>,
        note: Option<String>,
    },
    #[template(path = "mail/new_network.txt")]
    NewNetwork {
        frame: Frame<'a>,
        card: Card,
        network: String,
        at: String,
    },
    #[template(path = "mail/reuse_detected.txt")]
    ReuseDetected {
        frame: Frame<'a>,
        card: Card,
        at: String,
    },
    #[template(path = "mail/rotated.txt")]
    Rotated {
        frame: Frame<'a>,
        card: Card,
        at: String,
        old_until: Option<String>,
    },
}

/// When, by whom, by which door and from where a token was made, as its owner would say it.
fn made(token: &PersonalToken, owner: Id, tx: &Tx) -> String {
    let who = match &tx.caller.actor {
        Actor::User(id) if *id == owner => "you",
        Actor::User(_) => "an administrator",
        Actor::Client(_) => "an app",
        Actor::CommandLine => "the operator",
        Actor::Anyone | Actor::System => "the server",
    };
    let door = match token.grant.created_via.as_str() {
        "page" => " on its pages",
        "api" => " through its API",
        "cli" => " at its command line",
        _ => "",
    };
    let from = tx.caller.address.map(|address| format!(", from {address}"));
    let from = from.unwrap_or_default();
    format!("{}, by {who}{door}{from}", moment(tx.now))
}

/// What becomes of a token, seen from `now`.
fn fate(token: &PersonalToken, now: Timestamp) -> String {
    match token.token.expires_at {
        None => "has no end".to_owned(),
        Some(_) if token.token.is_expired(now) => "has ended".to_owned(),
        Some(end) => format!("ends in {}", length(end.since(now))),
    }
}

/// A length of time, to the nearest hour, and from two days on to the nearest day: who is told in the hour after its mark is
/// told of 7 days, not of 6.
fn length(of: Duration) -> String {
    match (of.as_secs() + 1800) / 3600 {
        0 => "less than an hour".to_owned(),
        hours @ 1..48 => counted(hours, "hour"),
        hours => counted((hours + 12) / 24, "day"),
    }
}

fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// A moment to the second, in UTC.
fn moment(at: Timestamp) -> String {
    let said = at
        .to_utc()
        .map(|at| at.format("%a %d %b %Y, %H:%M:%S UTC").to_string());
    said.unwrap_or_default()
}

/// What a stranger wrote.
fn strange(text: &str) -> String {
    plain(text).chars().take(STRANGE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_said_as_people_say_it() {
        let said =
            |hours: u64, minutes: u64| length(Duration::from_secs(hours * 3600 + minutes * 60));
        assert_eq!(said(0, 10), "less than an hour");
        assert_eq!(said(1, 29), "1 hour");
        assert_eq!(said(23, 40), "24 hours");
        assert_eq!(said(47, 40), "2 days");
        assert_eq!(said(7 * 24 - 1, 10), "7 days");
        assert_eq!(said(30 * 24 - 1, 0), "30 days");
    }
}
