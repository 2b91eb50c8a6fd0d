//! Removing what is over, so that the database stays as small as what is alive: in small batches, off the request path.

use std::time::Duration;

use super::expiries;
use crate::app::App;
use crate::db::{self, Fault};
use crate::domain::audit::chain;
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::Client;
use crate::domain::mail::Mail;
use crate::domain::personal_token::PersonalToken;
use crate::domain::reminder;
use crate::domain::session::Session;
use crate::domain::sign_in::Attempts;
use crate::domain::token::Token;
use crate::domain::tx::{Caller, Tx};

/// How often it is looked for what is over.
const PERIOD: Duration = Duration::from_secs(60);
/// Rows removed in one transaction: others wait for its locks.
const BATCH: i64 = 500;

/// What one noun removes: up to so many rows that are over, in its own way, at `tx.now`; how many there were.
type Purge = fn(&mut Tx, i64) -> diesel::QueryResult<usize>;

const PURGES: [(&str, Purge); 10] = [
    ("personal_access_tokens", PersonalToken::purge),
    ("rotated_tokens", PersonalToken::purge_rotated),
    ("tokens", Token::purge),
    ("authorization_requests", AuthorizationRequest::purge),
    ("sessions", Session::purge),
    ("sign_in_failures", Attempts::purge),
    ("client_secrets", Client::purge_secrets),
    ("audit_events", chain::purge),
    ("mails", Mail::purge),
    ("reminders", reminder::purge),
];

/// Remove all that is over now, batch by batch.
pub async fn sweep(app: &App) -> Result<(), Fault> {
    // What is gone can't be recorded any more.
    expiries::note(app).await?;
    for (noun, purge) in PURGES {
        let mut removed = 0;
        loop {
            let batch = app
                .write(Caller::system(), move |tx| {
                    // Another node may be at it.
                    let removed = if db::is_alone(tx)? {
                        purge(tx, BATCH)?
                    } else {
                        0
                    };
                    Ok::<_, Fault>(removed)
                })
                .await?;
            app.metrics().stock.swept(noun, batch);
            removed += batch;
            if batch < BATCH as usize {
                break;
            }
        }
        if removed > 0 {
            tracing::info!(removed, noun, "swept");
        }
    }
    Ok(())
}

/// Sweep again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = sweep(&app).await {
            tracing::warn!(%error, "what is over could not be swept");
        }
    }
}
