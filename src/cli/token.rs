//! `jeton token`: people's personal access tokens.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde::Serialize;

use super::token_list::List;
use super::{Answer, Error, decoy, once, scope, user, write};
use crate::app::App;
use crate::clock::{Timestamp, parse_duration};
use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::grant::{Because, Via};
use crate::domain::id::Id;
use crate::domain::limits::{Limits, Networks};
use crate::domain::personal_token::{
    End, NewPersonalToken, PersonalToken, Problem, Rotation, State,
};
use crate::domain::policy::PersonalTokenPolicy;
use crate::domain::resource::Catalogue;
use crate::domain::tx::Tx;
use crate::domain::words::Audience;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a personal access token for somebody
    Create(Create),
    /// Show somebody's tokens or everybody's, ended ones too
    List(Box<List>),
    /// Give a token a successor, which takes over from it without downtime
    Rotate(Rotate),
    /// End the old one of two tokens that work beside each other, now
    FinishRotation {
        /// The id of either
        id: String,
    },
    /// Drop a successor that nobody has used; the old token goes on
    CancelRotation {
        /// The id of either
        id: String,
    },
    /// End a token, at once and for ever
    Revoke {
        /// Its id, as `token list` shows it
        id: String,
    },
    /// Make a decoy: it looks like a personal access token, opens nothing, and raises an alarm when it is used
    Decoy {
        /// What it is told from others by, such as where it is laid out
        #[arg(long)]
        name: String,
    },
    /// Show all decoys, and when each last raised an alarm
    Decoys,
    /// Remove a decoy: from now on nobody knows it
    RemoveDecoy {
        /// Its id, as `token decoys` shows it
        id: String,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    /// Whose token it is to be
    #[arg(long, value_name = "NAME")]
    user: String,
    /// What it is for, in a few words
    #[arg(long)]
    name: String,
    /// What it may do: one scope or several with spaces between them (repeatable)
    #[arg(long, required_unless_present = "details")]
    scope: Vec<String>,
    /// What it may do with named things: authorization details, as a JSON array or a file that has one
    #[arg(long, value_name = "JSON|FILE")]
    details: Option<String>,
    /// Where it may do it: the URI of an API (repeatable)
    #[arg(long, value_name = "URI", required = true)]
    resource: Vec<String>,
    /// When it ends: 30s, 12h, 90d, 2027-01-31T00:00:00Z or never; unless given, as the server's settings say
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// A network that it may be used from, such as 192.0.2.0/24 (repeatable); unless given, anywhere
    #[arg(long, value_name = "CIDR")]
    network: Vec<String>,
    /// How long it may lie unused, such as 60d; unless given, however long
    #[arg(long, value_name = "TIME")]
    idle: Option<String>,
    /// When it begins, such as 2027-01-31T00:00:00Z; unless given, at once
    #[arg(long, value_name = "WHEN")]
    not_before: Option<String>,
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// Its id, as `token list` shows it
    id: String,
    /// How long the old token works if the new one is not used, at most 7d; 0s to stop it now; unless given, as the
    /// server's settings say
    #[arg(long, value_name = "TIME")]
    overlap: Option<String>,
    /// When the new one ends: 30s, 12h, 90d, 2027-01-31T00:00:00Z or never; unless given, it lives as long as the old
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

/// A token as it is shown.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    hint: &'a str,
    scopes: Vec<&'a str>,
    resources: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_details: Option<&'a AuthorizationDetails>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    overlap_until: Option<String>,
}

impl<'a> Shown<'a> {
    pub(super) fn of(found: &'a PersonalToken, now: Timestamp) -> Self {
        let PersonalToken { token, grant } = found;
        Self {
            id: token.id.to_string(),
            name: found.name(),
            token: None,
            hint: &token.hint,
            scopes: grant.scope.iter().collect(),
            resources: grant.audience.iter().collect(),
            authorization_details: grant.authorization_details.as_ref(),
            created_at: token.created_at.to_rfc3339(),
            expires_at: token.expires_at.map(Timestamp::to_rfc3339),
            last_used_at: grant.last_used_at.map(Timestamp::to_rfc3339),
            state: found.state(now).as_str(),
            overlap_until: token.overlap_until.map(Timestamp::to_rfc3339),
        }
    }

    pub(super) fn row(&self) -> [String; 8] {
        let (scopes, resources) = (self.scopes.join(" "), self.resources.join(" "));
        let expires = self.expires_at.as_deref().unwrap_or("never");
        let used = self.last_used_at.as_deref().unwrap_or_default();
        [
            &self.id, self.name, self.hint, self.state, expires, used, &scopes, &resources,
        ]
        .map(str::to_owned)
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Create(create) => create.run(app),
            Command::List(list) => list.run(app),
            Command::Rotate(rotate) => rotate.run(app),
            Command::FinishRotation { id } => finish_rotation(app, &id),
            Command::CancelRotation { id } => cancel_rotation(app, &id),
            Command::Revoke { id } => revoke(app, &id),
            Command::Decoy { name } => decoy::create(app, &name),
            Command::Decoys => decoy::list(app),
            Command::RemoveDecoy { id } => decoy::remove(app, &id),
        }
    }
}

impl Create {
    fn limits(&self) -> Result<Limits, Error> {
        let networks = Networks::read(self.network.iter().map(String::as_str));
        let idle = self.idle.as_deref().map(time).transpose()?;
        let begin = self.not_before.as_deref().map(|text| {
            let wrong = || format!("a token begins at 2027-01-31T00:00:00Z or so, not {text:?}");
            Timestamp::parse_rfc3339(text).ok_or_else(|| Error::refused(wrong()))
        });
        let networks = networks.map_err(Problem::Network)?;
        Ok(Limits::new(networks, begin.transpose()?, idle))
    }

    fn run(self, app: &App) -> Result<Answer, Error> {
        let new = NewPersonalToken {
            limits: self.limits()?,
            reason: String::new(),
            name: self.name,
            description: String::new(),
            scope: scope(&self.scope)?,
            audience: Audience::of(self.resource.iter().map(String::as_str)).map_err(|uri| {
                Error::refused(format!(
                    "a resource is named by its absolute URI, not {uri:?}"
                ))
            })?,
            authorization_details: self
                .details
                .as_deref()
                .map(|given| details(app, given))
                .transpose()?,
            end: match &self.expires {
                Some(text) => end(app, text)?,
                None => End::At(policy(app)?.default_end(app.now())),
            },
        };
        let (owner, made, secret) = write(app, |tx| {
            let owner = user::named(tx, &self.user)?;
            let (made, secret) = PersonalToken::create(tx, &owner, new, Via::CommandLine)?;
            Ok((owner, made, secret))
        })?;
        let shown = Shown {
            token: Some(secret.expose()),
            ..Shown::of(&made, app.now())
        };
        let life = match &shown.expires_at {
            Some(end) => format!("ends at {end}"),
            None => "has no end".to_owned(),
        };
        let text = format!(
            "{} has a token {:?}, which {life}. Its id is\n{}\n{}",
            owner.username,
            shown.name,
            shown.id,
            once("the token", &secret),
        );
        Ok(Answer::new(&shown, text))
    }
}

impl Rotate {
    fn run(self, app: &App) -> Result<Answer, Error> {
        let overlap = self.overlap.as_deref().map(time);
        let end = self.expires.as_deref().map(|text| end(app, text));
        let rotation = Rotation {
            overlap: overlap.transpose()?,
            end: end.transpose()?,
            by_itself: false,
        };
        let rotated = write(app, |tx| Ok(found(tx, &self.id)?.rotate(tx, rotation)?))?;
        let (new, old) = (&rotated.successor, &rotated.predecessor);
        let shown = Shown {
            token: Some(rotated.secret.expose()),
            ..Shown::of(new, app.now())
        };
        let until = match old.state(app.now()) {
            State::Rotating => {
                let end = old.token.overlap_until.map(Timestamp::to_rfc3339);
                format!(
                    "works until the new one is used, at the latest until {}",
                    end.unwrap_or_default()
                )
            }
            _ => "has ended".to_owned(),
        };
        let text = format!(
            "The token {:?} has a successor; the old one {until}. The new id is\n{}\n{}",
            shown.name,
            shown.id,
            once("the new token", &rotated.secret),
        );
        Ok(Answer::new(&shown, text))
    }
}

fn finish_rotation(app: &App, id: &str) -> Result<Answer, Error> {
    let token = write(app, |tx| {
        let token = found(tx, id)?;
        token.finish_rotation(tx)?;
        Ok(token.current(tx)?.ok_or(Problem::NotLive)?)
    })?;
    let text = format!("Only the new token of {:?} works now.", token.name());
    Ok(Answer::new(&Shown::of(&token, app.now()), text))
}

fn cancel_rotation(app: &App, id: &str) -> Result<Answer, Error> {
    let token = write(app, |tx| Ok(found(tx, id)?.cancel_rotation(tx)?))?;
    let text = format!("The old token of {:?} is the only one again.", token.name());
    Ok(Answer::new(&Shown::of(&token, app.now()), text))
}

/// Authorization details as the `--details` option gives them: what begins like JSON is no file's name.
fn details(app: &App, given: &str) -> Result<AuthorizationDetails, Error> {
    let text = match given.trim_start().starts_with('[') {
        true => given.to_owned(),
        false => std::fs::read_to_string(given)
            .map_err(|error| Error::refused(format!("{given}: {error}")))?,
    };
    let objects = AuthorizationDetails::read(&text).map_err(Problem::from)?;
    let catalogue = app.read_blocking(|rx| Ok::<_, Error>(Catalogue::load(rx)?))?;
    Ok(AuthorizationDetails::check(&objects, &catalogue).map_err(Problem::from)?)
}

/// The rules that hold now.
fn policy(app: &App) -> Result<PersonalTokenPolicy, Error> {
    app.read_blocking(|rx| Ok(rx.token_policy()?))
}

/// A length of time as the options take it.
fn time(text: &str) -> Result<Duration, Error> {
    let wrong = || Error::refused(format!("a time is 0s, 15m, 12h or 7d, not {text:?}"));
    parse_duration(text).ok_or_else(wrong)
}

/// When a token that is made now ends, by the `--expires` option.
fn end(app: &App, text: &str) -> Result<End, Error> {
    let after = |life| End::At(app.now().whole_second() + life);
    if text == "never" {
        return Ok(End::Never);
    }
    let instant = || Timestamp::parse_rfc3339(text).map(|end| End::At(end.whole_second()));
    parse_duration(text)
        .map(after)
        .or_else(instant)
        .ok_or_else(|| {
            Error::refused(format!(
                "a token ends after 30s, 12h or 90d, at 2027-01-31T00:00:00Z or never, not {text:?}"
            ))
        })
}

/// The token of this id.
fn found(tx: &mut Tx, id: &str) -> Result<PersonalToken, Error> {
    let found = match id.parse::<Id>() {
        Ok(id) => PersonalToken::find(tx, id)?,
        Err(_) => None,
    };
    found.ok_or_else(|| Error::refused(format!("there is no personal access token {id}")))
}

fn revoke(app: &App, id: &str) -> Result<Answer, Error> {
    let token = write(app, |tx| {
        found(tx, id)?.revoke(tx, &Because::Asked(None))?;
        found(tx, id)
    })?;
    Ok(Answer::new(
        &Shown::of(&token, app.now()),
        format!("The token {:?} is revoked.", token.name()),
    ))
}
