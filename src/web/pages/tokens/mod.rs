//! A person's own tokens, and those of service accounts they keep.

mod created;
mod details;
pub mod edit;
pub(super) mod expiry;
mod history;
pub mod list;
pub mod new;
pub mod revoke;
pub mod rotate;
mod wish;

use super::{Error, Errors, When};
use crate::clock::Timestamp;
use crate::domain::id::Id;
use crate::domain::personal_token::{PersonalToken, Problem, State, days};
use crate::web::doors::SignedIn;
use crate::web::whose::{Meant, Whose};
use expiry::exactly;

/// One token in a list.
pub struct TokenRow {
    pub id: String,
    pub name: String,
    pub description: String,
    /// "jeton_pat_3AHO"
    pub hint: String,
    pub scopes: Vec<String>,
    pub resources: Vec<String>,
    /// What it may do with named things: "repository: read; identifier acme/site"
    pub details: Vec<String>,
    pub created: When,
    /// "you at 203.0.113.7", "an administrator", …
    pub created_by: String,
    /// "these pages", "the API", "the command line"
    pub created_via: String,
    pub expires: Option<When>,
    /// "calm", "soon" (under 14 days), "urgent" (under 3), "never" or "ended"
    pub urgency: &'static str,
    pub last_used: Option<When>,
    pub last_used_ip: Option<String>,
    /// "Only from 192.0.2.0/24", "Ends when unused for 60 days", …
    pub limits: Vec<String>,
    /// "active", "pending", "expired" or "revoked"
    pub state: &'static str,
    /// "Revoked 3 days ago by you: no longer needed", or empty.
    pub state_note: String,
    /// A network that it was used from lately and never before.
    pub new_network: Option<String>,
    /// The token that still works beside this one, its successor.
    pub predecessor: Option<Predecessor>,
}

/// The old one of two tokens that work at the same time.
pub struct Predecessor {
    /// "jeton_pat_3AHO"
    pub hint: String,
    pub until: When,
    /// When the new one was first used, if it was.
    pub taken_over: Option<When>,
}

impl TokenRow {
    /// Whether it works, or will once it is approved.
    pub(super) fn is_live(&self) -> bool {
        matches!(self.state, "active" | "pending")
    }

    fn of(token: &PersonalToken, whose: &Whose, now: Timestamp) -> Self {
        Self::told(token, now, |actor| whose.who(actor))
    }

    /// The token, with everybody who did something to it by the name that `who` has for them.
    pub(super) fn told(
        token: &PersonalToken,
        now: Timestamp,
        who: impl Fn(&str) -> String,
    ) -> Self {
        let grant = &token.grant;
        let words = |text: &str| {
            text.split(' ')
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        Self {
            id: token.token.id.to_string(),
            name: token.name().to_owned(),
            description: grant.description.clone().unwrap_or_default(),
            hint: token.token.hint.clone(),
            scopes: words(grant.scope.as_str()),
            resources: words(grant.audience.as_str()),
            details: grant.details_in_lines(),
            created: When::of(grant.created_at, now),
            created_by: match &grant.created_from {
                Some(address) => format!("{} at {address}", who(&grant.created_by)),
                None => who(&grant.created_by),
            },
            created_via: match grant.created_via.as_str() {
                "page" => "these pages",
                "cli" => "the command line",
                "import" => "an import",
                _ => "the API",
            }
            .to_owned(),
            expires: token.token.expires_at.map(|end| When::of(end, now)),
            urgency: urgency(token, now),
            last_used: grant.last_used_at.map(|at| When::of(at, now)),
            last_used_ip: grant.last_used_from.clone(),
            limits: limits(token, now),
            state: token.state(now).as_str(),
            state_note: state_note(token, now, &who),
            new_network: None,
            predecessor: None,
        }
    }

    /// With the token that still works beside it, if `others` has it.
    fn beside(self, token: &PersonalToken, others: &[PersonalToken], now: Timestamp) -> Self {
        let same = |other: &&PersonalToken| other.grant.id == token.grant.id;
        let mut old = others.iter().filter(same);
        let old = old.find(|other| other.state(now) == State::Rotating);
        let predecessor = old.map(|old| Predecessor {
            hint: old.token.hint.clone(),
            until: When::of(old.token.overlap_until.unwrap_or(now), now),
            taken_over: token.token.first_used_at.map(|at| When::of(at, now)),
        });
        Self {
            predecessor,
            ..self
        }
    }
}

/// What limits a token besides its rights, in words.
fn limits(token: &PersonalToken, now: Timestamp) -> Vec<String> {
    let limits = &token.grant.limits;
    let networks = limits.networks.as_ref();
    let networks = networks.map(|networks| {
        let list: Vec<&str> = networks.iter().collect();
        format!("Only from {}", list.join(", "))
    });
    let begin = limits.not_before.filter(|begin| *begin > now);
    let begin = begin.map(|begin| format!("Begins {}", When::of(begin, now).exact));
    let idle = limits.idle_life().map(|life| {
        let verb = if token.is_idle(now) {
            "Ended, as it was"
        } else {
            "Ends when"
        };
        format!("{verb} unused for {}", exactly(life))
    });
    networks.into_iter().chain(begin).chain(idle).collect()
}

fn urgency(token: &PersonalToken, now: Timestamp) -> &'static str {
    match (token.state(now), token.token.expires_at) {
        (State::Active | State::Pending, None) => "never",
        (State::Active, Some(end)) if end.since(now) < days(3) => "urgent",
        (State::Active, Some(end)) if end.since(now) < days(14) => "soon",
        (State::Active | State::Pending, Some(_)) => "calm",
        _ => "ended",
    }
}

fn state_note(token: &PersonalToken, now: Timestamp, who: impl Fn(&str) -> String) -> String {
    if token.state(now) == State::Pending {
        return "An administrator has to approve it before it works.".to_owned();
    }
    let Some(at) = token.grant.revoked_at else {
        return String::new();
    };
    let by = token
        .grant
        .revoked_by
        .as_deref()
        .map(who)
        .unwrap_or_default();
    let reason = token
        .grant
        .revoke_reason
        .as_deref()
        .map(|reason| format!(": {reason}"));
    format!(
        "Revoked {} by {by}{}",
        When::of(at, now).relative,
        reason.unwrap_or_default()
    )
}

/// Whose token is named in the path, and the token, or its successor if it was rotated: links to it stay good.
async fn own(person: &SignedIn, meant: &Meant) -> Result<(Whose, PersonalToken), Error> {
    let whose = Whose::of(person, meant).await?;
    let id: Id = meant.token().parse().map_err(|_| Error::NotFound)?;
    let owner = whose.owner.id;
    let found = person
        .app
        .query(move |rx| match PersonalToken::owned_by(rx, owner, id)? {
            Some(found) => found.current(rx),
            None => Ok(None),
        })
        .await?;
    Ok((whose, found.ok_or(Error::NotFound)?))
}

/// Put a problem at the field it is about; `end` is what the page calls the token's end.
fn at_field(problem: Problem, end: &'static str) -> Result<Errors, Error> {
    let message = match &problem {
        Problem::EndBeyondPolicy(latest) => {
            format!(
                "Tokens live at most until {} here.",
                When::of(*latest, *latest).exact
            )
        }
        problem => problem.to_string(),
    };
    let field = match problem {
        Problem::Fault(fault) => return Err(fault.into()),
        Problem::Name | Problem::NameTaken => "name",
        Problem::Description => "description",
        Problem::NoScope
        | Problem::UnknownScope(_)
        | Problem::ScopeNotGrantable(_)
        | Problem::NoAudience
        | Problem::UnknownResource(_)
        | Problem::ScopeOutsideAudience(_)
        | Problem::ResourceWithoutScope(_)
        | Problem::Details(_)
        | Problem::DetailsOutsideAudience(_)
        | Problem::Widening(_)
        | Problem::WideningDetails(_) => "scope",
        Problem::EndPassed
        | Problem::EndBeyondPolicy(_)
        | Problem::NeverNotAllowed
        | Problem::Lengthening => end,
        Problem::LimitReached(_)
        | Problem::SwitchedOff
        | Problem::CreatorNotAllowed
        | Problem::CreatorNotNamed
        | Problem::OwnerDisabled
        | Problem::NotLive
        | Problem::NotPending
        | Problem::Pending
        | Problem::AlreadyRotated
        | Problem::NotRotating
        | Problem::SuccessorUsed => "form",
        Problem::OverlapTooLong => "overlap",
        Problem::Network(_) | Problem::TooManyNetworks | Problem::NetworksRequired => "networks",
        Problem::ReasonRequired | Problem::Words => "reason",
        Problem::EndsBeforeItBegins => "not_before",
        Problem::IdleLife => "idle",
    };
    Ok(Errors::one(field, message))
}
