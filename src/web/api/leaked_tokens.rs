//! `/api/leaked-tokens`: anybody who has found tokens may have them ended. Whoever holds a token could use it, so that this
//! gives nobody a power they had not.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use tokio::time::{MissedTickBehavior, interval, timeout};
use url::Url;

use super::{Code, Error, parse_secret};
use crate::app::App;
use crate::db::Fault;
use crate::domain::leak::{Leak, Whereabouts};
use crate::domain::secret::{Brands, Digest};
use crate::domain::tx::Caller;
use crate::web::doors::Reporter;
use crate::web::openapi::{Accepted, Operation};

/// How many tokens one report may have.
pub const MOST: usize = 1000;
/// How long the URL and the note may be, in characters.
const LONGEST: usize = 2000;
/// An answer leaves at a whole number of these after its report came: real and unknown tokens take the same time. What is
/// done for a report takes some milliseconds.
const PACE: Duration = Duration::from_millis(250);
/// Secrets that are ended in one transaction: others wait for its locks.
const BATCH: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Report {
    #[schemars(length(min = 1, max = MOST))]
    tokens: Vec<String>,
    /// Where they were found.
    #[schemars(url, length(max = LONGEST), example = &"https://git.example/commit/1")]
    url: Option<String>,
    #[schemars(length(max = LONGEST))]
    note: Option<String>,
}

pub const POST: Operation = Operation::new("reportLeakedTokens", "Have leaked tokens ended; the answer is the same for all, and when it is out they are inactive everywhere")
    .takes::<Report>()
    .refuses(&[Code::LeakTokenCount, Code::LeakUrlInvalid, Code::LeakNoteInvalid]);
/// End those of these tokens that are real. The answer is the same for all, and when it is out they are inactive everywhere.
pub async fn post(by: Reporter) -> Result<Accepted, Error> {
    let mut steps = interval(PACE);
    steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
    steps.tick().await;
    let Reporter { app, caller, body } = by;
    let report: Report = parse_secret(&body)?;
    drop(body);
    let leaks = report.leaks(&app.policy().brands)?;
    end(&app, caller, leaks).await?;
    // A step that was missed meanwhile is none to leave at.
    let _ = timeout(Duration::ZERO, steps.tick()).await;
    steps.tick().await;
    Ok(Accepted)
}

impl Report {
    fn leaks(self, brands: &Brands) -> Result<Vec<Leak>, Error> {
        let Report { tokens, url, note } = self;
        if tokens.is_empty() || tokens.len() > MOST {
            return Err(Error::new(
                Code::LeakTokenCount,
                format!("A report has 1 to {MOST} tokens."),
            ));
        }
        let fits = |url: &String| {
            let plain = url.chars().count() <= LONGEST && !url.contains(char::is_control);
            plain && Url::parse(url).is_ok()
        };
        if url.as_ref().is_some_and(|url| !fits(url)) {
            return Err(Error::new(
                Code::LeakUrlInvalid,
                format!("url is an absolute URL of at most {LONGEST} characters."),
            ));
        }
        let fits = |note: &String| note.chars().count() <= LONGEST && !note.contains('\0');
        if note.as_ref().is_some_and(|note| !fits(note)) {
            return Err(Error::new(
                Code::LeakNoteInvalid,
                format!("note has at most {LONGEST} characters, and no NUL."),
            ));
        }
        // What is no secret of ours to look at is not looked up.
        let secrets = tokens.iter().filter_map(|token| brands.read(token));
        let whereabouts = Whereabouts::of(url.as_deref(), note.as_deref());
        let leaks = secrets.map(|secret| Leak::of(&secret, &whereabouts));
        Ok(leaks.collect())
    }
}

/// End these where they are secrets of this server, and say which of them are. What is not is only looked for: a flood of
/// made-up tokens changes nothing.
pub(super) async fn end(
    app: &App,
    caller: Caller,
    leaks: Vec<Leak>,
) -> Result<HashSet<Digest>, Fault> {
    let mut known = HashSet::new();
    for batch in leaks.chunks(BATCH) {
        let digests: Vec<Digest> = batch.iter().map(|leak| leak.digest).collect();
        let here = app.query(move |rx| Leak::known(rx, &digests)).await?;
        if here.is_empty() {
            continue;
        }
        known.extend(here.iter().copied());
        let mut batch: HashMap<Digest, Leak> = batch
            .iter()
            .map(|leak| (leak.digest, leak.clone()))
            .collect();
        let real: Vec<Leak> = here.iter().filter_map(|hash| batch.remove(hash)).collect();
        app.write(caller.clone(), move |tx| {
            real.iter().try_for_each(|leak| leak.end(tx))
        })
        .await?;
    }
    Ok(known)
}
