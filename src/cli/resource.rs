//! `jeton resource`: the APIs that take tokens.

use clap::{ArgGroup, Subcommand};
use serde::Serialize;

use super::{Answer, Error, display_name, once, table, write};
use crate::app::App;
use crate::db::Fault;
use crate::domain::resource::{Catalogue, NewScope, Resource, ScopeDefinition};

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register an API, and print the credentials with which it introspects
    #[command(group = ArgGroup::new("scopes").args(["scope", "admin_scope"]).required(true).multiple(true))]
    Create {
        /// The API's URI, as it is to stand in a token's audience
        uri: String,
        /// What people read
        #[arg(long)]
        name: String,
        /// A scope and what it allows: 'notes:read=Read your notes' (repeatable)
        #[arg(long, value_name = "NAME=SENTENCE")]
        scope: Vec<String>,
        /// A scope that only administrators may hold: 'notes:admin=Manage all notes' (repeatable)
        #[arg(long, value_name = "NAME=SENTENCE")]
        admin_scope: Vec<String>,
    },
    /// Show all APIs and their scopes, this server's own too
    List,
}

/// An API as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    uri: &'a str,
    name: &'a str,
    scopes: Vec<ShownScope<'a>>,
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
}

#[derive(Serialize)]
struct ShownScope<'a> {
    name: &'a str,
    description: &'a str,
    reserved: bool,
}

impl<'a> Shown<'a> {
    fn of(resource: &'a Resource, definitions: &'a [ScopeDefinition]) -> Self {
        let scopes = definitions.iter().map(|definition| ShownScope {
            name: &definition.name,
            description: &definition.description,
            reserved: definition.reserved,
        });
        Self {
            uri: &resource.uri,
            name: &resource.name,
            scopes: scopes.collect(),
            client_id: resource.client_id.as_deref(),
            client_secret: None,
        }
    }

    fn row(&self) -> [String; 4] {
        let scopes: Vec<&str> = self.scopes.iter().map(|scope| scope.name).collect();
        let client_id = self.client_id.unwrap_or_default();
        [self.uri, self.name, client_id, &scopes.join(" ")].map(str::to_owned)
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Create {
                uri,
                name,
                scope,
                admin_scope,
            } => create(
                app,
                &uri,
                display_name(&name)?,
                &definitions(&scope, &admin_scope)?,
            ),
            Command::List => list(app),
        }
    }
}

fn create(app: &App, uri: &str, name: &str, scopes: &[NewScope]) -> Result<Answer, Error> {
    let (catalogue, client, secret) = write(app, |tx| {
        let (_, client, secret) = Resource::create(tx, uri, name, scopes)?;
        Ok((Catalogue::load(tx)?.of_client(&client.id), client, secret))
    })?;
    let (resource, definitions) = catalogue
        .iter()
        .next()
        .ok_or(Fault::Broken("the new resource is not there"))?;
    let shown = Shown {
        client_secret: Some(secret.expose()),
        ..Shown::of(resource, definitions)
    };
    let text = format!(
        "{name} is registered at {uri}. It introspects as the client\n{}\n{}",
        client.id,
        once("the client's secret", &secret),
    );
    Ok(Answer::new(&shown, text))
}

fn list(app: &App) -> Result<Answer, Error> {
    let catalogue = app.read_blocking(|rx| Ok::<_, Error>(Catalogue::load(rx)?))?;
    let shown: Vec<Shown> = catalogue
        .iter()
        .map(|(resource, scopes)| Shown::of(resource, scopes))
        .collect();
    let head = ["URI", "NAME", "INTROSPECTS AS", "SCOPES"];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

/// Read the `--scope` and `--admin-scope` options.
fn definitions(open: &[String], reserved: &[String]) -> Result<Vec<NewScope>, Error> {
    let open = open.iter().map(|option| definition(option, false));
    let reserved = reserved.iter().map(|option| definition(option, true));
    let all = open
        .chain(reserved)
        .collect::<Result<Vec<NewScope>, Error>>()?;
    for (index, scope) in all.iter().enumerate() {
        if all[..index]
            .iter()
            .any(|earlier| earlier.name == scope.name)
        {
            return Err(Error::refused(format!(
                "the scope {} is defined twice",
                scope.name
            )));
        }
    }
    Ok(all)
}

fn definition(option: &str, reserved: bool) -> Result<NewScope, Error> {
    let (name, description) = option.split_once('=').ok_or_else(|| {
        Error::refused(format!(
            "a scope is written 'notes:read=Read your notes', not {option:?}"
        ))
    })?;
    Ok(NewScope {
        name: name.trim().to_owned(),
        description: description.to_owned(),
        reserved,
    })
}
