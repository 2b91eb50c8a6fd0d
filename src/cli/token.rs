//! `jeton token`: people's personal access tokens.

use clap::{Args, Subcommand};
use serde::Serialize;

use super::token_list::List;
use super::{Answer, Error, once, scope, user, write};
use crate::app::App;
use crate::clock::{Timestamp, parse_duration};
use crate::domain::grant::{Because, Via};
use crate::domain::id::Id;
use crate::domain::personal_token::{End, NewPersonalToken, PersonalToken};
use crate::domain::words::Audience;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a personal access token for somebody
    Create(Create),
    /// Show somebody's tokens or everybody's, ended ones too
    List(Box<List>),
    /// End a token, at once and for ever
    Revoke {
        /// Its id, as `token list` shows it
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
    #[arg(long, required = true)]
    scope: Vec<String>,
    /// Where it may do it: the URI of an API (repeatable)
    #[arg(long, value_name = "URI", required = true)]
    resource: Vec<String>,
    /// When it ends: 30s, 12h, 90d, 2027-01-31T00:00:00Z or never; unless given, as the server's settings say
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
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    state: &'static str,
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
            created_at: token.created_at.to_rfc3339(),
            expires_at: token.expires_at.map(Timestamp::to_rfc3339),
            last_used_at: grant.last_used_at.map(Timestamp::to_rfc3339),
            state: found.state(now).as_str(),
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
            Command::Revoke { id } => revoke(app, &id),
        }
    }
}

impl Create {
    fn run(self, app: &App) -> Result<Answer, Error> {
        let new = NewPersonalToken {
            name: self.name,
            description: String::new(),
            scope: scope(&self.scope)?,
            audience: Audience::of(self.resource.iter().map(String::as_str)).map_err(|uri| {
                Error::refused(format!(
                    "a resource is named by its absolute URI, not {uri:?}"
                ))
            })?,
            end: end(app, self.expires.as_deref())?,
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

/// When a token that is made now ends, by the `--expires` option.
fn end(app: &App, expires: Option<&str>) -> Result<End, Error> {
    let after = |life| End::At(app.now().whole_second() + life);
    let Some(text) = expires else {
        return Ok(End::At(app.policy().personal.default_end(app.now())));
    };
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

fn revoke(app: &App, id: &str) -> Result<Answer, Error> {
    let unknown = || Error::refused(format!("there is no personal access token {id}"));
    let id: Id = id.parse().map_err(|_| unknown())?;
    let token = write(app, |tx| {
        let token = PersonalToken::find(tx, id)?.ok_or_else(unknown)?;
        token.revoke(tx, &Because::Asked(None))?;
        PersonalToken::find(tx, id)?.ok_or_else(unknown)
    })?;
    Ok(Answer::new(
        &Shown::of(&token, app.now()),
        format!("The token {:?} is revoked.", token.name()),
    ))
}
