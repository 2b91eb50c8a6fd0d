//! `jeton import`: tokens of another system, as JSON lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use clap::Args;
use serde::Serialize;

use super::{Answer, Error, write};
use crate::app::App;
use crate::db::{Fault, Refusal};
use crate::domain::import::{Adopted, Exported, Unfit};
use crate::domain::resource::Catalogue;
use crate::domain::tx::{Caller, Tx};

/// Lines imported in one transaction.
const BATCH: usize = 500;
/// A line longer than this is no token.
const LINE: u64 = 64 * 1024;
/// Problems that are named; the others are counted.
const NAMED: usize = 100;

#[derive(Debug, Args)]
pub struct Import {
    /// A file of JSON lines, or - for standard input:
    /// {"sha256" or "plaintext", "owner", "name", "expiresAt", "scopes", "audience"}
    #[arg(value_name = "FILE")]
    file: String,
    /// Say what would be imported, and import nothing
    #[arg(long)]
    dry_run: bool,
}

/// What came of it.
#[derive(Debug, Default, Serialize)]
struct Tally {
    imported: usize,
    known: usize,
    expired: usize,
    refused: usize,
    problems: Vec<Refused>,
}

/// A line that can't be imported.
#[derive(Debug, Serialize)]
struct Refused {
    line: usize,
    problem: String,
}

impl Import {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        let mut input: Box<dyn BufRead> = match self.file.as_str() {
            "-" => Box::new(BufReader::new(io::stdin())),
            path => {
                let opened = File::open(path).map_err(|error| {
                    Error::refused(format!("the file {path} can't be read: {error}"))
                })?;
                Box::new(BufReader::new(opened))
            }
        };
        let (mut tally, mut number) = (Tally::default(), 0);
        loop {
            let mut batch = vec![];
            while batch.len() < BATCH {
                match next_line(&mut input)? {
                    Some(line) => {
                        number += 1;
                        batch.push((number, line));
                    }
                    None => break,
                }
            }
            if batch.is_empty() {
                break;
            }
            self.import(app, batch, &mut tally)?;
        }
        let text = tally.said(self.dry_run);
        let answer = Answer::new(&tally, text);
        Ok(if tally.refused > 0 {
            answer.failed()
        } else {
            answer
        })
    }

    /// Import some lines together, each for itself: one that is refused leaves nothing of its own behind.
    fn import(
        &self,
        app: &App,
        batch: Vec<(usize, Vec<u8>)>,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let outcomes = |tx: &mut Tx| {
            let catalogue = Catalogue::load(tx)?;
            let mut outcomes = vec![];
            for (number, line) in &batch {
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                let outcome = match serde_json::from_slice::<Exported>(line) {
                    Ok(exported) => exported.adopt(tx, &catalogue),
                    Err(error) => {
                        outcomes.push((*number, Err(said(&error))));
                        continue;
                    }
                };
                let outcome = match outcome {
                    Err(Unfit::Fault(fault)) => return Err(fault.into()),
                    outcome => outcome.map_err(|unfit| unfit.to_string()),
                };
                outcomes.push((*number, outcome));
            }
            Ok(outcomes)
        };
        let outcomes = match self.dry_run {
            false => write(app, outcomes)?,
            true => undone(app, outcomes)?,
        };
        for (line, outcome) in outcomes {
            match outcome {
                Ok(Adopted::Imported) => tally.imported += 1,
                Ok(Adopted::Known) => tally.known += 1,
                Ok(Adopted::Expired) => tally.expired += 1,
                Err(problem) => {
                    tally.refused += 1;
                    if tally.problems.len() < NAMED {
                        tally.problems.push(Refused { line, problem });
                    }
                }
            }
        }
        Ok(())
    }
}

impl Tally {
    fn said(&self, dry_run: bool) -> String {
        let would = if dry_run { "would be " } else { "" };
        let mut lines = vec![format!(
            "{} {would}imported, {} here already, {} ended, {} refused.",
            self.imported, self.known, self.expired, self.refused
        )];
        let named = self.problems.iter();
        lines.extend(named.map(|refused| format!("line {}: {}", refused.line, refused.problem)));
        let rest = self.refused - self.problems.len();
        if rest > 0 {
            lines.push(format!("and {rest} more"));
        }
        lines.join("\n")
    }
}

/// What can't be read, without what it says: that may be a token.
fn said(error: &serde_json::Error) -> String {
    match error.classify() {
        serde_json::error::Category::Data => {
            let message = error.to_string();
            // A member that is not known is named; a value is not.
            match message.split_once(", expected") {
                Some((unknown, _)) if unknown.starts_with("unknown field") => {
                    format!("{unknown}: only plain tokens and plain SHA-256 can be imported")
                }
                _ if message.starts_with("missing field") => message,
                _ => "a member is not of its type".to_owned(),
            }
        }
        _ => "this is no JSON object".to_owned(),
    }
}

/// The next line without its end; `None` when there are no more.
fn next_line(input: &mut impl BufRead) -> Result<Option<Vec<u8>>, Error> {
    let mut line = vec![];
    let read = input.by_ref().take(LINE).read_until(b'\n', &mut line)?;
    match read {
        0 => Ok(None),
        read if read as u64 == LINE && line.last() != Some(&b'\n') => Err(Error::refused(
            "a line is longer than 64 KiB: is this a file of JSON lines?",
        )),
        _ => Ok(Some(line)),
    }
}

/// What a change would come to, undone.
struct Undone<T>(Result<T, Error>);

impl<T> From<Fault> for Undone<T> {
    fn from(fault: Fault) -> Self {
        Self(Err(fault.into()))
    }
}

impl<T> Refusal for Undone<T> {
    fn is_fault(&self) -> bool {
        true
    }
}

fn undone<T>(app: &App, work: impl FnOnce(&mut Tx) -> Result<T, Error>) -> Result<T, Error> {
    let undo = |tx: &mut Tx| Err::<(), _>(Undone(work(tx)));
    match app.write_blocking(&Caller::command_line(), undo) {
        Err(Undone(outcome)) => outcome,
        Ok(()) => Err(Fault::Broken("a trial was not undone").into()),
    }
}
