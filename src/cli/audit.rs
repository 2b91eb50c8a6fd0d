//! `jeton audit`: who did what, why a token does not work, and whether the trail is whole.

use std::io::{self, Write};
use std::net::IpAddr;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Answer, Error, table, user};
use crate::app::App;
use crate::clock::{Timestamp, parse_duration};
use crate::db::Fault;
use crate::domain::audit::chain::{self, Head};
use crate::domain::audit::{Entry, Filter, What};
use crate::domain::id::Id;
use crate::domain::why::why;
use crate::jobs::sealing;

/// Events that an export has in memory at a time.
const BATCH: i64 = 500;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show events, newest first
    List {
        #[command(flatten)]
        which: Which,
        /// How many at most
        #[arg(long, value_name = "COUNT", default_value_t = 50,
              value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
    },
    /// Write all events as lines of JSON, newest first
    Export {
        #[command(flatten)]
        which: Which,
    },
    /// Say why a token does not work, and what would mend it
    Why {
        /// The token's id, as `token list` shows it and `jti` has it
        token: String,
    },
    /// See whether every event is as it was sealed, and none is missing; if not, the exit status is 1
    Verify {
        /// An end of the trail that was noted before: it has to have led through there
        #[arg(long, value_name = "HEAD")]
        head: Option<Head>,
    },
    /// Seal what is there, and print the end of the trail to be noted elsewhere
    Head,
}

/// Which events.
#[derive(Debug, Args)]
pub struct Which {
    /// Only this event, such as token.revoked
    #[arg(long, value_name = "NAME")]
    event: Option<String>,
    /// Only what this actor did: user:ID, client:ID, `command line`, system or anyone
    #[arg(long)]
    actor: Option<String>,
    /// Only what is about this person
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only what is about this token, by its id
    #[arg(long, value_name = "ID")]
    token: Option<Id>,
    /// Only what is about this client, by its id
    #[arg(long, value_name = "ID")]
    client: Option<String>,
    /// Only what came from this address
    #[arg(long)]
    address: Option<IpAddr>,
    /// Only from then on: 2027-01-31T00:00:00Z, or 7d for the last seven days
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only before then
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
}

impl Which {
    fn filter(self, app: &App) -> Result<Filter, Error> {
        let event = self.event.map(|name| {
            let known = What::parse(&name);
            known.ok_or_else(|| Error::refused(format!("there is no event {name:?}")))
        });
        let user = self.user.map(|name| {
            let named = app.read_blocking(|rx| user::named(rx, &name));
            named.map(|user| user.id)
        });
        Ok(Filter {
            event: event.transpose()?,
            actor: self.actor,
            user: user.transpose()?,
            client: self.client,
            grant: None,
            token: self.token,
            address: self.address.map(|address| address.to_string()),
            since: instant(app, self.since.as_deref())?,
            until: instant(app, self.until.as_deref())?,
        })
    }
}

/// An instant, or a length of time before now.
fn instant(app: &App, text: Option<&str>) -> Result<Option<Timestamp>, Error> {
    let Some(text) = text else { return Ok(None) };
    let ago = || parse_duration(text).map(|length| app.now() - length);
    let read = Timestamp::parse_rfc3339(text).or_else(ago);
    let bad = || {
        Error::refused(format!(
            "a time is 2027-01-31T00:00:00Z, or 7d for seven days ago, not {text:?}"
        ))
    };
    read.map(Some).ok_or_else(bad)
}

impl Command {
    /// The answer; none where all was written already.
    pub(super) fn run(self, app: &App) -> Result<Option<Answer>, Error> {
        match self {
            Command::List { which, limit } => list(app, &which.filter(app)?, limit),
            Command::Export { which } => return export(app, &which.filter(app)?).map(|()| None),
            Command::Why { token } => explain(app, &token),
            Command::Verify { head } => verify(app, head),
            Command::Head => head(app),
        }
        .map(Some)
    }
}

fn list(app: &App, filter: &Filter, limit: i64) -> Result<Answer, Error> {
    let page = app.read_blocking(|rx| Ok::<_, Fault>(Entry::page(rx, filter, None, limit)?))?;
    let row = |entry: &Entry| {
        let id = |id: Option<Id>| id.map(|id| id.to_string()).unwrap_or_default();
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            entry.at.to_rfc3339(),
            entry.event.clone(),
            entry.actor.clone(),
            id(entry.user_id),
            text(&entry.client_id),
            id(entry.token_id),
            text(&entry.address),
            text(&entry.detail),
        ]
    };
    let head = [
        "AT", "EVENT", "ACTOR", "USER", "CLIENT", "TOKEN", "ADDRESS", "DETAIL",
    ];
    Ok(Answer::new(&page, table(head, page.iter().map(row))))
}

fn export(app: &App, filter: &Filter) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let mut after = None;
    loop {
        let page =
            app.read_blocking(|rx| Ok::<_, Fault>(Entry::page(rx, filter, after, BATCH)?))?;
        let lines: String = page.iter().map(Entry::line).collect();
        match out.write_all(lines.as_bytes()).and_then(|()| out.flush()) {
            // Whoever read has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            written => written?,
        }
        match page.last() {
            Some(last) if page.len() as i64 == BATCH => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}

fn explain(app: &App, token: &str) -> Result<Answer, Error> {
    let unknown = || Error::refused(format!("nothing is known of a token {token}"));
    let id: Id = token.parse().map_err(|_| unknown())?;
    let sentences = app.read_blocking(|rx| Ok::<_, Fault>(why(rx, id)?))?;
    if sentences.is_empty() {
        return Err(unknown());
    }
    Ok(Answer::new(
        &json!({"token": id, "why": sentences}),
        sentences.join("\n"),
    ))
}

fn verify(app: &App, known: Option<Head>) -> Result<Answer, Error> {
    let verified = app
        .read_blocking(|rx| chain::verify(rx, known))
        .map_err(|flaw| match flaw {
            chain::Flaw::Fault(fault) => Error::Fault(fault),
            flaw => Error::refused(flaw.to_string()),
        })?;
    let chain::Verified {
        purged,
        head,
        unsealed,
    } = verified;
    let facts = json!({
        "first": purged.seq + 1,
        "last": head.seq,
        "head": head.to_string(),
        "unsealed": unsealed,
    });
    let text = match head.seq - purged.seq {
        0 => format!("There is no sealed event; {unsealed} are not sealed yet."),
        _ => format!(
            "All is as it was sealed, from event {} to event {}; {unsealed} are not sealed yet.\n{head}",
            purged.seq + 1,
            head.seq
        ),
    };
    Ok(Answer::new(&facts, text))
}

fn head(app: &App) -> Result<Answer, Error> {
    sealing::seal_blocking(app)?;
    let (head, unsealed) = app.read_blocking(|rx| Ok::<_, Fault>(chain::head(rx)?))?;
    let facts = json!({"head": head.to_string(), "unsealed": unsealed});
    Ok(Answer::new(&facts, head.to_string()))
}
