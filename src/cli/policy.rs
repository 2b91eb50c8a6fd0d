//! `jeton policy`: the rules for personal access tokens, as the API has them in JSON.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Answer, Error, table, write};
use crate::app::App;
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::domain::token_policy::{Breach, Decision};
use crate::domain::user::User;

/// More than this is no policy.
const LARGEST: u64 = 256 * 1024;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the rules in force, as `set` takes them
    Show,
    /// Say which live tokens would break these rules; nothing changes
    Preview {
        /// A JSON file as `show` writes it, or - for standard input
        file: String,
    },
    /// Put these rules in force, for tokens that are made from now on
    Set(Set),
}

#[derive(Debug, Args)]
pub struct Set {
    /// A JSON file as `show` writes it, or - for standard input
    file: String,
    /// Only say which live tokens would break them
    #[arg(long)]
    dry_run: bool,
    /// Do it although so many live tokens break them, which go on as they are
    #[arg(long, value_name = "COUNT")]
    yes: Option<usize>,
}

/// What rules would break.
#[derive(Serialize)]
struct Preview {
    count: usize,
    tokens: Vec<Breaking>,
}

/// A live token that breaks them.
#[derive(Serialize)]
struct Breaking {
    id: String,
    user: String,
    name: String,
    breach: Breach,
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Show => show(app),
            Command::Preview { file } => Ok(preview(app, read(&file)?)?.answer()),
            Command::Set(set) => set.run(app),
        }
    }
}

impl Set {
    fn run(self, app: &App) -> Result<Answer, Error> {
        let decision = read(&self.file)?;
        let preview = preview(app, decision.clone())?;
        if self.dry_run {
            return Ok(preview.answer());
        }
        let count = preview.count;
        if self.yes.unwrap_or(0) != count {
            return Err(Error::refused(format!(
                "{} these rules, see --dry-run; nothing was decided. --yes {count} decides them, and shortens nothing",
                breaks(count)
            )));
        }
        let decided = write(app, |tx| Ok(decision.decide(tx)?))?;
        let text = format!("The rules are in force. {} them.", breaks(count));
        Ok(Answer::new(&decided, text))
    }
}

impl Preview {
    fn answer(self) -> Answer {
        let said = format!("{} these rules.", breaks(self.count));
        if self.count == 0 {
            return Answer::new(&self, said);
        }
        let rows = self.tokens.iter().map(|token| {
            let breach = match token.breach {
                Breach::NeverExpires => "never ends",
                Breach::LivesTooLong => "lives too long",
                Breach::NoNetworks => "can be used from anywhere",
            };
            [&token.user, &token.id, &token.name, breach].map(str::to_owned)
        });
        let text = format!("{}\n{said}", table(["USER", "ID", "NAME", "BREACH"], rows));
        Answer::new(&self, text)
    }
}

fn show(app: &App) -> Result<Answer, Error> {
    let policy = app.read_blocking(|rx| Ok::<_, Error>(rx.token_policy()?))?;
    let decision = Decision::of(&policy);
    let text = serde_json::to_string_pretty(&decision).unwrap_or_default();
    Ok(Answer::new(&decision, text))
}

fn preview(app: &App, decision: Decision) -> Result<Preview, Error> {
    app.read_blocking(|rx| {
        let (count, some) = decision.preview(rx)?;
        let owner = |token: &PersonalToken| token.grant.user_id;
        let owners: Vec<Id> = some.iter().filter_map(|(token, _)| owner(token)).collect();
        let names: HashMap<Id, String> = User::names(rx, &owners)?.into_iter().collect();
        let tokens = some.iter().map(|(token, breach)| Breaking {
            id: token.token.id.to_string(),
            user: owner(token)
                .and_then(|id| names.get(&id).cloned())
                .unwrap_or_default(),
            name: token.name().to_owned(),
            breach: *breach,
        });
        Ok::<_, Error>(Preview {
            count,
            tokens: tokens.collect(),
        })
    })
}

/// Read the rules that a file has, or standard input.
fn read(file: &str) -> Result<Decision, Error> {
    let mut text = String::new();
    let read = match file {
        "-" => io::stdin().lock().take(LARGEST).read_to_string(&mut text),
        path => File::open(path).and_then(|file| file.take(LARGEST).read_to_string(&mut text)),
    };
    read.map_err(|error| Error::refused(format!("{file} can't be read: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| Error::refused(format!("this is no policy: {error}")))
}

fn breaks(count: usize) -> String {
    match count {
        0 => "No live token breaks".to_owned(),
        1 => "1 live token breaks".to_owned(),
        count => format!("{count} live tokens break"),
    }
}
