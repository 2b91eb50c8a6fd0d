//! `jeton authorization-details-type`: what can be allowed about named things.

use std::collections::BTreeMap;
use std::io::Read;

use clap::Subcommand;

use super::{Answer, Error, table, write};
use crate::app::App;
use crate::domain::authorization_details::{Definition, DetailsType};
use crate::domain::resource::Catalogue;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register a type, or put it in the place of the one of its name
    Put {
        /// A file with its JSON: type, resource, description, actions and schema; - for standard input
        file: String,
    },
    /// Show all types
    List,
    /// Show a type as the JSON that registers it
    Show { name: String },
    /// Remove a type: nothing is allowed by it any more
    Delete { name: String },
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Put { file } => put(app, &file),
            Command::List => list(app),
            Command::Show { name } => show(app, &name),
            Command::Delete { name } => delete(app, &name),
        }
    }
}

fn put(app: &App, file: &str) -> Result<Answer, Error> {
    let unreadable = |error: &dyn std::fmt::Display| Error::refused(format!("{file}: {error}"));
    let mut text = String::new();
    match file {
        "-" => std::io::stdin().read_to_string(&mut text).map(drop),
        file => std::fs::read_to_string(file).map(|read| text = read),
    }
    .map_err(|error| unreadable(&error))?;
    let mut definition: Definition =
        serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    let is_new = write(app, |tx| Ok(definition.put(tx)?))?;
    let done = if is_new { "registered" } else { "changed" };
    let text = format!(
        "{} is {done}. It is for {}.",
        definition.name, definition.resource
    );
    Ok(Answer::new(&definition, text))
}

fn list(app: &App) -> Result<Answer, Error> {
    let catalogue = catalogue(app)?;
    let all: Vec<&Definition> = catalogue
        .details_types()
        .map(|each| &each.definition)
        .collect();
    let rows = all.iter().map(|each| {
        let actions: Vec<&str> = each.actions.keys().map(String::as_str).collect();
        [
            &each.name,
            &each.resource,
            &actions.join(" "),
            &each.description,
        ]
        .map(String::clone)
    });
    let head = ["TYPE", "RESOURCE", "ACTIONS", "DESCRIPTION"];
    Ok(Answer::new(&all, table(head, rows)))
}

fn show(app: &App, name: &str) -> Result<Answer, Error> {
    let catalogue = catalogue(app)?;
    let found = catalogue.details_type(name).ok_or_else(|| unknown(name))?;
    let text = serde_json::to_string_pretty(&found.definition);
    let text = text.expect("a definition can be written as JSON");
    Ok(Answer::new(&found.definition, text))
}

fn delete(app: &App, name: &str) -> Result<Answer, Error> {
    if !write(app, |tx| Ok(DetailsType::remove(tx, name)?))? {
        return Err(unknown(name));
    }
    let text = format!("Nothing is allowed by {name} any more.");
    Ok(Answer::new(&BTreeMap::from([("type", name)]), text))
}

fn catalogue(app: &App) -> Result<Catalogue, Error> {
    app.read_blocking(|rx| Ok(Catalogue::load(rx)?))
}

fn unknown(name: &str) -> Error {
    Error::refused(format!("there is no authorization details type {name}"))
}
