//! Telling administrators of tokens that wait for their approval.

use std::time::Duration;

use crate::app::App;
use crate::db::Fault;
use crate::domain::approval_digest;
use crate::domain::personal_token::PersonalToken;
use crate::domain::tx::Caller;

/// How often it is looked for what waits.
const PERIOD: Duration = Duration::from_secs(60);

/// Tell them now, if there is something new to tell; how many were told.
pub async fn tell(app: &App) -> Result<usize, Fault> {
    if !app.policy().mails {
        return Ok(0);
    }
    let now = app.now();
    let waiting = app.query(move |rx| PersonalToken::count_waiting(rx, now));
    if waiting.await? == 0 {
        return Ok(0);
    }
    app.write(Caller::system(), approval_digest::send).await
}

/// Tell them again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        tokio::time::sleep(PERIOD).await;
        if let Err(error) = tell(&app).await {
            tracing::warn!(%error, "administrators could not be told of what waits for them");
        }
    }
}
