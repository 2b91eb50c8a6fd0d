//! Looking for the keys of GitHub's secret scanning, off the request path: at start, every hour, and soon when a key is
//! asked for that is not known.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::redirect::Policy;

use crate::app::App;
use crate::config::Source;
use crate::domain::public_keys::{PublicKeys, Unfit};

/// How often it is asked whether they are due.
const PERIOD: Duration = Duration::from_secs(1);
/// What takes longer to come has not come.
const WITHIN: Duration = Duration::from_secs(10);
/// What is larger, in bytes, is no list of keys.
const LARGEST: u64 = 256 * 1024;

/// Why there are no new keys.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    #[error("the file can't be read: {0}")]
    File(#[from] std::io::Error),
    #[error("they can't be fetched: {0}")]
    Fetch(#[from] reqwest::Error),
    #[error("they are answered with the status {0}")]
    Status(StatusCode),
    #[error("it is larger than {LARGEST} bytes")]
    TooLarge,
    #[error(transparent)]
    Unfit(#[from] Unfit),
}

/// Look for the keys if they are due. Where there are none, those that are known stay.
pub async fn refresh(app: &App) {
    let Some(source) = &app.config().github_keys else {
        return;
    };
    if !app.github_keys().are_due(app.now()) {
        return;
    }
    let read = match source {
        Source::File(path) => read(path),
        Source::Url(url) => fetch(url.clone()).await,
    };
    match read.and_then(|document| Ok(PublicKeys::read(&document)?)) {
        Ok(keys) => app.github_keys().learn(keys),
        Err(error) => {
            app.github_keys().want();
            tracing::warn!(%error, "the keys of GitHub's secret scanning are not to be had");
        }
    }
}

/// Before the server starts: a file is the operator's own and has to be good. What is elsewhere may be away for a while.
pub fn check(app: &App) -> Result<(), Missing> {
    if let Some(Source::File(path)) = &app.config().github_keys {
        app.github_keys().learn(PublicKeys::read(&read(path)?)?);
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>, Missing> {
    let mut document = vec![];
    let file = File::open(path)?;
    file.take(LARGEST + 1).read_to_end(&mut document)?;
    if document.len() as u64 > LARGEST {
        return Err(Missing::TooLarge);
    }
    Ok(document)
}

async fn fetch(url: reqwest::Url) -> Result<Vec<u8>, Missing> {
    let client = reqwest::Client::builder()
        .timeout(WITHIN)
        .redirect(Policy::none())
        // Without a name GitHub answers nobody.
        .user_agent(concat!("jeton/", env!("CARGO_PKG_VERSION")))
        .build()?;
    let mut answer = client.get(url).send().await?;
    if answer.status() != StatusCode::OK {
        return Err(Missing::Status(answer.status()));
    }
    let mut document = vec![];
    while let Some(piece) = answer.chunk().await? {
        if (document.len() + piece.len()) as u64 > LARGEST {
            return Err(Missing::TooLarge);
        }
        document.extend_from_slice(&piece);
    }
    Ok(document)
}

/// Refresh again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        refresh(&app).await;
        tokio::time::sleep(PERIOD).await;
    }
}
