//! What people are told by mail: a letter for each thing that happens, with its template below `templates/mail`.
//!
//! Much of it was written by somebody else (names of tokens, a finder's note). It comes into a letter on one line and without
//! what could turn or hide text, and no letter has a secret in it.

mod card;

use askama::Template;

pub(super) use card::length;
use card::{Card, Request, ending, moment, strange};

use super::personal_token::PersonalToken;
use super::personal_token::search::Found;
use super::plain::plain;
use super::tx::{Actor, Tx};
use super::user::User;
use crate::clock::Timestamp;
use crate::db::Fault;

/// Something to tell the owner of a token, or an administrator.
#[derive(Debug, Clone, Copy)]
pub enum Letter<'a> {
    /// It was made just now, by whatever door.
    Added(&'a PersonalToken),
    /// An administrator has approved it, with these words.
    Approved {
        token: &'a PersonalToken,
        words: Option<&'a str>,
    },
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
    /// An administrator has not approved it, and why.
    Refused {
        token: &'a PersonalToken,
        words: &'a str,
    },
    /// It has a new secret; the old one works until then, or not any more.
    Rotated {
        token: &'a PersonalToken,
        old_until: Option<Timestamp>,
    },
    /// To an administrator: so many wait for approval, and these have waited longest.
    Waiting { first: &'a [Found], count: i64 },
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
            Letter::Approved { .. } => "token.approved",
            Letter::Expiring(_) => "tokens.expiring",
            Letter::Leaked { .. } => "token.leaked",
            Letter::NewNetwork { .. } => "token.new_network",
            Letter::ReuseDetected(_) => "token.reuse_detected",
            Letter::Refused { .. } => "token.refused",
            Letter::Rotated { .. } => "token.rotated",
            Letter::Waiting { .. } => "tokens.waiting",
        }
    }

    /// The token that it is about, if it is about one.
    pub fn about(&self) -> Option<&'a PersonalToken> {
        match *self {
            Letter::Expiring(tokens) => match tokens {
                [token] => Some(token),
                _ => None,
            },
            Letter::Waiting { .. } => None,
            Letter::Added(token)
            | Letter::Approved { token, .. }
            | Letter::Refused { token, .. }
            | Letter::ReuseDetected(token)
            | Letter::Leaked { token, .. }
            | Letter::NewNetwork { token, .. }
            | Letter::Rotated { token, .. } => Some(token),
        }
    }

    /// Whether some of several tokens are the reader's own, and of none of `services`.
    fn has_own(&self, services: &[User]) -> bool {
        let own = |token: &PersonalToken| service(token, services).is_none();
        matches!(self, Letter::Expiring(tokens) if tokens.iter().any(own))
    }

    /// Write it to `reader`, as of now and as from whoever caused it. Those of its tokens that are no tokens of theirs are of
    /// `services`, which they keep.
    pub fn write(&self, reader: &User, services: &[User], tx: &Tx) -> Result<Text, Fault> {
        let body = self.body(reader, services, tx).render();
        let body = body.map_err(|_| Fault::Broken("a letter could not be written"))?;
        // Some mail programs would read a name as an encoded word (RFC 2047 §2).
        let subject = self.subject(services, tx.now).replace("=?", "= ?");
        Ok(Text { subject, body })
    }

    fn subject(&self, services: &[User], now: Timestamp) -> String {
        let name = |token: &PersonalToken| {
            let name = plain(token.name());
            match service(token, services) {
                Some(service) => format!("{name} of {}", service.username),
                None => name,
            }
        };
        let kind = match services {
            [] => "personal access token",
            _ => "token",
        };
        match self {
            Letter::Added(token) => format!("New {kind}: {}", name(token)),
            Letter::Approved { token, .. } => format!("{} is approved", name(token)),
            Letter::Expiring([token]) => format!("{} {}", name(token), ending(token, now).0),
            Letter::Expiring(tokens) => format!("{} {kind}s end", tokens.len()),
            Letter::Leaked { token, .. } => {
                format!("{} was found in public and is revoked", name(token))
            }
            Letter::NewNetwork { token, .. } => {
                format!("{} was used from a new network", name(token))
            }
            Letter::ReuseDetected(token) => format!("An old secret of {} was used", name(token)),
            Letter::Refused { token, .. } => format!("{} is not approved", name(token)),
            Letter::Rotated { token, .. } => format!("{} has a new secret", name(token)),
            Letter::Waiting { count: 1, .. } => "1 token waits for your approval".to_owned(),
            Letter::Waiting { count, .. } => format!("{count} tokens wait for your approval"),
        }
    }

    fn body(&self, reader: &User, services: &[User], tx: &'a Tx) -> Body<'a> {
        let (issuer, now) = (tx.policy.issuer.as_str(), tx.now);
        let card = |token| Card::of(token, service(token, services), issuer, now);
        let frame = Frame::of(reader, self, services, issuer);
        match *self {
            Letter::Added(token) => Body::Added {
                frame,
                card: card(token),
                made: made(token, reader, services, tx),
            },
            Letter::Approved { token, words } => Body::Approved {
                frame,
                card: card(token),
                words: words.map(strange),
            },
            Letter::Expiring(tokens) => Body::Expiring {
                frame,
                keeps: !services.is_empty(),
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
            Letter::Refused { token, words } => Body::Refused {
                frame,
                card: card(token),
                words: strange(words),
            },
            Letter::Waiting { first, count } => Body::Waiting {
                frame,
                more: count - first.len() as i64,
                requests: first.iter().map(|found| Request::of(found, now)).collect(),
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
    /// "it is about your personal access tokens"
    because: String,
    /// "All of them: https://…"
    tokens: String,
}

impl<'a> Frame<'a> {
    /// Of a letter to `reader` about one token or several, theirs or those of `services`.
    fn of(reader: &User, letter: &Letter, services: &[User], issuer: &'a str) -> Self {
        let (because, tokens) = match (letter.about(), services) {
            (Some(_), [User { username, .. }, ..]) => (
                format!("you keep the service account {username}"),
                format!("Its tokens: {issuer}/settings/service-accounts/{username}/tokens"),
            ),
            (None, [_, ..]) if letter.has_own(services) => (
                "it is about your personal access tokens and those of service accounts that you keep"
                    .to_owned(),
                format!(
                    "All of yours: {issuer}/settings/tokens\n\
                     All of theirs: {issuer}/settings/service-accounts"
                ),
            ),
            (None, [_, ..]) => (
                "you keep service accounts".to_owned(),
                format!("All of them: {issuer}/settings/service-accounts"),
            ),
            (_, []) => (
                "it is about your personal access tokens".to_owned(),
                format!("All of them: {issuer}/settings/tokens"),
            ),
        };
        Self {
            username: reader.username.clone(),
            issuer,
            because,
            tokens,
        }
    }
}

/// Which of `services` a token is of.
fn service<'a>(token: &PersonalToken, services: &'a [User]) -> Option<&'a User> {
    let owner = token.grant.user_id;
    services.iter().find(|service| Some(service.id) == owner)
}

#[derive(Template)]
enum Body<'a> {
    #[template(path = "mail/added.txt")]
    Added {
        frame: Frame<'a>,
        card: Card,
        made: String,
    },
    #[template(path = "mail/approved.txt")]
    Approved {
        frame: Frame<'a>,
        card: Card,
        words: Option<String>,
    },
    #[template(path = "mail/expiring.txt")]
    Expiring {
        frame: Frame<'a>,
        /// Whether some are of service accounts.
        keeps: bool,
        cards: Vec<Card>,
    },
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
    #[template(path = "mail/refused.txt")]
    Refused {
        frame: Frame<'a>,
        card: Card,
        words: String,
    },
    #[template(path = "mail/waiting.txt")]
    Waiting {
        frame: Frame<'a>,
        requests: Vec<Request>,
        more: i64,
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
fn made(token: &PersonalToken, reader: &User, services: &[User], tx: &Tx) -> String {
    let who = match &tx.caller.actor {
        Actor::User(id) if *id == reader.id => "you",
        Actor::User(_) if !services.is_empty() => "another keeper or an administrator",
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
