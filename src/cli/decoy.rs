//! `jeton token decoy`: tokens that open nothing and raise an alarm when they are used.

use serde::Serialize;

use super::{Answer, Error, once, table, write};
use crate::app::App;
use crate::clock::Timestamp;
use crate::domain::decoy::Decoy;
use crate::domain::grant::Via;
use crate::domain::id::Id;

/// A decoy as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    hint: &'a str,
    created_at: String,
    last_used_at: Option<String>,
    last_used_from: Option<&'a str>,
}

impl<'a> Shown<'a> {
    fn of(decoy: &'a Decoy) -> Self {
        Self {
            id: decoy.token.id.to_string(),
            name: decoy.name(),
            token: None,
            hint: &decoy.token.hint,
            created_at: decoy.grant.created_at.to_rfc3339(),
            last_used_at: decoy.grant.last_used_at.map(Timestamp::to_rfc3339),
            last_used_from: decoy.grant.last_used_from.as_deref(),
        }
    }

    fn row(&self) -> [String; 6] {
        let used = self.last_used_at.as_deref().unwrap_or_default();
        let from = self.last_used_from.unwrap_or_default();
        [&self.id, self.name, self.hint, &self.created_at, used, from].map(str::to_owned)
    }
}

pub(super) fn create(app: &App, name: &str) -> Result<Answer, Error> {
    let (decoy, secret) = write(app, |tx| Ok(Decoy::create(tx, name, Via::CommandLine)?))?;
    let shown = Shown {
        token: Some(secret.expose()),
        ..Shown::of(&decoy)
    };
    let text = format!(
        "The decoy {:?} opens nothing, and raises an alarm when it is used. Its id is\n{}\n{}",
        shown.name,
        shown.id,
        once("the decoy", &secret),
    );
    Ok(Answer::new(&shown, text))
}

pub(super) fn list(app: &App) -> Result<Answer, Error> {
    let decoys = app.read_blocking(|rx| Ok::<_, Error>(Decoy::all(rx)?))?;
    let shown: Vec<Shown> = decoys.iter().map(Shown::of).collect();
    let head = ["ID", "NAME", "HINT", "CREATED", "LAST USED", "FROM"];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

pub(super) fn remove(app: &App, id: &str) -> Result<Answer, Error> {
    let unknown = || Error::refused(format!("there is no decoy {id}"));
    let id: Id = id.parse().map_err(|_| unknown())?;
    let decoy = write(app, |tx| {
        let decoy = Decoy::find(tx, id)?.ok_or_else(unknown)?;
        decoy.remove(tx)?;
        Ok(decoy)
    })?;
    let text = format!("The decoy {:?} is removed.", decoy.name());
    Ok(Answer::new(&Shown::of(&decoy), text))
}
