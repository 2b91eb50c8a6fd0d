//! `jeton approvals`: tokens that wait for an administrator's approval.

use clap::Subcommand;
use serde::Serialize;

use super::token::Shown;
use super::{Answer, Error, table, write};
use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::id::Id;
use crate::domain::personal_token::search::Found;
use crate::domain::personal_token::{PersonalToken, Problem};
use crate::domain::tx::Tx;

/// Tokens read at a time.
const BATCH: usize = 500;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show all that wait, those first that have waited longest
    List,
    /// Let a token work
    Approve {
        /// The token's id
        id: String,
        /// A few words to its owner
        #[arg(long, value_name = "WORDS", default_value = "")]
        reason: String,
    },
    /// End a token that waits
    Refuse {
        /// The token's id
        id: String,
        /// Why, to its owner
        #[arg(long, value_name = "WORDS")]
        reason: String,
    },
}

/// A token that waits, and whose it is.
#[derive(Serialize)]
struct Waiting<'a> {
    user: &'a str,
    #[serde(flatten)]
    token: Shown<'a>,
    waiting_since: Option<String>,
    #[serde(skip)]
    details: Vec<String>,
    networks: Vec<&'a str>,
    request_reason: &'a str,
}

impl<'a> Waiting<'a> {
    fn of(found: &'a Found, now: Timestamp) -> Self {
        let grant = &found.token.grant;
        let networks = grant.limits.networks.iter();
        Self {
            user: &found.username,
            token: Shown::of(&found.token, now),
            waiting_since: grant.pending_since.map(Timestamp::to_rfc3339),
            details: grant.details_in_lines(),
            networks: networks.flat_map(|networks| networks.iter()).collect(),
            request_reason: grant.request_reason.as_deref().unwrap_or_default(),
        }
    }

    fn row(&self) -> [String; 10] {
        let [id, name, _, _, expires, _, scopes, resources] = self.token.row();
        let since = self.waiting_since.clone().unwrap_or_default();
        let (details, networks) = (self.details.join(". "), self.networks.join(" "));
        let (user, reason) = (self.user.to_owned(), self.request_reason.to_owned());
        [
            user, id, name, since, expires, scopes, details, resources, networks, reason,
        ]
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::List => list(app),
            Command::Approve { id, reason } => decide(app, &id, "works now", |token, tx| {
                token.approve(tx, &reason)
            }),
            Command::Refuse { id, reason } => {
                decide(app, &id, "is refused, and has ended", |token, tx| {
                    token.refuse(tx, &reason)
                })
            }
        }
    }
}

fn list(app: &App) -> Result<Answer, Error> {
    let (now, mut from, mut found) = (app.now(), None, vec![]);
    loop {
        let page =
            app.read_blocking(|rx| Ok::<_, Error>(PersonalToken::waiting(rx, from, BATCH, now)?))?;
        found.extend(page.items);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    let waiting: Vec<Waiting> = found.iter().map(|found| Waiting::of(found, now)).collect();
    let head = [
        "USER",
        "ID",
        "NAME",
        "WAITING SINCE",
        "EXPIRES",
        "SCOPES",
        "DETAILS",
        "RESOURCES",
        "NETWORKS",
        "REASON",
    ];
    Ok(Answer::new(
        &waiting,
        table(head, waiting.iter().map(Waiting::row)),
    ))
}

fn decide(
    app: &App,
    id: &str,
    done: &str,
    verb: impl FnOnce(&PersonalToken, &mut Tx) -> Result<PersonalToken, Problem>,
) -> Result<Answer, Error> {
    let unknown = || Error::refused(format!("there is no token {id}"));
    let parsed: Id = id.parse().map_err(|_| unknown())?;
    let token = write(app, |tx| {
        let token = PersonalToken::find(tx, parsed)?.ok_or_else(unknown)?;
        Ok(verb(&token, tx)?)
    })?;
    let text = format!("The token {} {done}.", token.name());
    Ok(Answer::new(&Shown::of(&token, app.now()), text))
}
