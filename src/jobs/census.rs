//! Looking up what there is to tell of the database: how many tokens, how many bytes.

use std::time::Duration;

use crate::app::App;
use crate::db::{self, Fault};
use crate::domain::audit::chain::{self, Head};
use crate::domain::census::{Census, census};

/// How often it is counted.
const PERIOD: Duration = Duration::from_secs(60);

/// Count what there is now.
pub async fn count(app: &App) -> Result<(), Fault> {
    let (tokens, bytes): (Census, i64) = app.query(|rx| Ok((census(rx)?, db::size(rx)?))).await?;
    let (head, unsealed): (Head, i64) = app.query(|rx| chain::head(rx)).await?;
    let stock = &app.metrics().stock;
    for ((kind, state), count) in tokens {
        let labels = [kind.as_str(), state.as_str()];
        stock.tokens.with_label_values(&labels).set(count);
    }
    stock.database_bytes.set(bytes);
    stock.audit_sealed.set(head.seq);
    stock.audit_unsealed.set(unsealed);
    Ok(())
}

/// Count again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        if let Err(error) = count(&app).await {
            tracing::warn!(%error, "what there is could not be counted");
        }
        tokio::time::sleep(PERIOD).await;
    }
}
