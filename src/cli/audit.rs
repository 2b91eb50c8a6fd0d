//! `jeton audit`: whether the trail is whole.

use clap::Subcommand;
use serde_json::json;

use super::{Answer, Error};
use crate::app::App;
use crate::db::Fault;
use crate::domain::audit::chain::{self, Head};
use crate::jobs::sealing;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// See whether every event is as it was sealed, and none is missing; if not, the exit status is 1
    Verify {
        /// An end of the trail that was noted before: it has to have led through there
        #[arg(long, value_name = "HEAD")]
        head: Option<Head>,
    },
    /// Seal what is there, and print the end of the trail to be noted elsewhere
    Head,
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Verify { head } => verify(app, head),
            Command::Head => head(app),
        }
    }
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
