//! `jeton revoke`: ending all tokens of one person, or of everybody.

use clap::Args;
use serde::Serialize;

use super::{Answer, Error, user, write};
use crate::app::App;
use crate::clock::{Timestamp, parse_instant};
use crate::db::Fault;
use crate::domain::cut_off::{Affected, CutOff};
use crate::domain::incident::{Ended, OfUser};
use crate::domain::token::TokenKind;

/// End all tokens of one person, or of everybody
#[derive(Debug, Args)]
pub struct Command {
    /// Whose
    #[arg(long, value_name = "NAME", required_unless_present = "everybody")]
    user: Option<String>,
    /// All people's, apps' and services'
    #[arg(long, conflicts_with = "user", requires = "issued_before")]
    everybody: bool,
    /// Only what was issued before this moment: 2027-01-31T08:00:00Z, a day, or milliseconds since 1970
    #[arg(long, value_name = "INSTANT")]
    issued_before: Option<String>,
    /// Only tokens of this kind: pat, access or refresh (repeatable)
    #[arg(long, value_name = "KIND")]
    kind: Vec<String>,
    /// Why, in a few words that are kept with the tokens
    #[arg(long)]
    reason: Option<String>,
    /// Only count them
    #[arg(long)]
    dry_run: bool,
    /// Do it, if it is as many as this; for everybody it has to be said
    #[arg(long, value_name = "COUNT")]
    yes: Option<i64>,
}

#[derive(Serialize)]
struct OfOne {
    revoked: bool,
    count: i64,
    pat: usize,
    access: usize,
    refresh: usize,
}

#[derive(Serialize)]
struct OfAll {
    revoked: bool,
    count: i64,
    personal_access_tokens: i64,
    apps: i64,
    services: i64,
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        let before = self.issued_before.as_deref().map(instant).transpose()?;
        let kinds = self.kinds()?;
        if self
            .reason
            .as_ref()
            .is_some_and(|words| words.contains(char::is_control))
        {
            return Err(Error::refused("a reason is one line"));
        }
        match (&self.user, before) {
            (Some(name), before) => self.of_one(app, name, kinds, before),
            (None, Some(before)) => self.of_all(app, &kinds, before),
            (None, None) => Err(Error::refused("--everybody needs --issued-before")),
        }
    }

    fn of_one(
        &self,
        app: &App,
        name: &str,
        kinds: Vec<TokenKind>,
        issued_before: Option<Timestamp>,
    ) -> Result<Answer, Error> {
        let wanted = OfUser {
            kinds,
            issued_before,
            reason: self.reason.clone(),
        };
        let found = app.read_blocking(|rx| {
            let (person, now) = (user::named(rx, name)?, rx.now);
            Ok::<_, Error>(wanted.count(rx, person.id, now)?)
        })?;
        let Ended {
            personal,
            access,
            refresh,
        } = found;
        let count = (personal + access + refresh) as i64;
        if !self.dry_run {
            if self.yes.is_some_and(|said| said != count) {
                return Err(Error::refused(format!(
                    "it is {count} now; nothing was revoked"
                )));
            }
            write(app, |tx| {
                let person = user::named(tx, name)?;
                Ok(wanted.end(tx, person.id)?)
            })?;
        }
        let facts = OfOne {
            revoked: !self.dry_run,
            count,
            pat: personal,
            access,
            refresh,
        };
        let done = if self.dry_run { "has" } else { "had" };
        let text = format!(
            "{name} {done} {personal} personal access tokens, {access} access tokens and {refresh} refresh tokens{}.",
            if self.dry_run {
                ""
            } else {
                "; they are revoked"
            }
        );
        Ok(Answer::new(&facts, text))
    }

    fn of_all(
        &self,
        app: &App,
        kinds: &[TokenKind],
        issued_before: Timestamp,
    ) -> Result<Answer, Error> {
        if issued_before > app.now() {
            return Err(Error::refused("--issued-before can't be in the future"));
        }
        let affected =
            app.read_blocking(|rx| Ok::<_, Fault>(Affected::count(rx, kinds, issued_before)?))?;
        let count = affected.all();
        if !self.dry_run {
            match self.yes {
                Some(said) if said == count => {}
                said => {
                    let changed = if said.is_some() { " now" } else { "" };
                    return Err(Error::refused(format!(
                        "it is {count}{changed}: say --yes {count} to do it; nothing was revoked"
                    )));
                }
            }
            write(app, |tx| {
                let reason = self.reason.as_deref();
                Ok(CutOff::make(tx, kinds, issued_before, reason, affected)?)
            })?;
        }
        let facts = OfAll {
            revoked: !self.dry_run,
            count,
            personal_access_tokens: affected.personal,
            apps: affected.apps,
            services: affected.services,
        };
        let Affected {
            personal,
            apps,
            services,
        } = affected;
        let text = format!(
            "{count} grants from before {}: {personal} personal access tokens, {apps} connected apps, {services} services. {}",
            issued_before.to_rfc3339(),
            if self.dry_run {
                "Nothing was revoked."
            } else {
                "None of their tokens from before then is good any more."
            }
        );
        Ok(Answer::new(&facts, text))
    }

    fn kinds(&self) -> Result<Vec<TokenKind>, Error> {
        if self.kind.is_empty() {
            return Ok(TokenKind::OPENING.to_vec());
        }
        let read = self.kind.iter().map(|name| {
            let kind = TokenKind::OPENING
                .into_iter()
                .find(|kind| kind.as_str() == name);
            kind.ok_or_else(|| {
                Error::refused(format!("a kind is pat, access or refresh, not {name:?}"))
            })
        });
        let mut kinds: Vec<TokenKind> = read.collect::<Result<_, _>>()?;
        kinds.sort_unstable();
        kinds.dedup();
        Ok(kinds)
    }
}

fn instant(text: &str) -> Result<Timestamp, Error> {
    parse_instant(text).ok_or_else(|| {
        Error::refused(format!(
            "a moment is 2027-01-31T08:00:00Z, 2027-01-31 or milliseconds since 1970, not {text:?}"
        ))
    })
}
