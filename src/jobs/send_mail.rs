//! Handing mails over to a mail server, each by one node at a time.

mod post;

use std::time::Duration;

use crate::app::App;
use crate::db::Fault;
use crate::domain::mail::{Mail, Tried};
use crate::domain::tx::Caller;
use post::Post;

/// How often it is looked for mails that are due.
const PERIOD: Duration = Duration::from_secs(5);
/// Mails tried in one period.
const BATCH: i64 = 100;

/// Try the mails that are due. Where there is no mail server, the others wait as they are.
pub async fn send(app: &App) -> Result<(), Fault> {
    let Some(post) = Post::of(app) else {
        return Ok(());
    };
    for id in app.query(|rx| Mail::due(rx, BATCH)).await? {
        let taken = app
            .write(Caller::system(), move |tx| {
                Ok::<_, Fault>(Mail::take(tx, id)?)
            })
            .await?;
        // Another node has it.
        let Some(mail) = taken else {
            continue;
        };
        let how = post.hand_over(&mail).await;
        log(&mail, &how);
        let is_over = matches!(how, Tried::NoServer(_));
        app.write(Caller::system(), move |tx| {
            Ok::<_, Fault>(mail.tried(tx, how)?)
        })
        .await?;
        if is_over {
            break;
        }
    }
    Ok(())
}

/// Whom it is to is nobody's business here, unless the mail server says it.
fn log(mail: &Mail, how: &Tried) {
    let (id, letter, tries) = (mail.id, &mail.letter, mail.tries);
    match how {
        Tried::Sent => tracing::info!(mail = %id, letter, tries, "a mail was sent"),
        Tried::NoServer(why) | Tried::NotNow(why) => {
            tracing::warn!(mail = %id, letter, tries, why, "a mail could not be sent now");
        }
        Tried::Refused(why) => {
            tracing::warn!(mail = %id, letter, tries, why, "a mail was refused");
        }
    }
}

/// Send again and again, until the server ends.
pub async fn run(app: App) {
    loop {
        if let Err(error) = send(&app).await {
            tracing::warn!(%error, "mails could not be looked for");
        }
        tokio::time::sleep(PERIOD).await;
    }
}
