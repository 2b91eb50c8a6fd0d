//! `jeton client`: the apps and services that get tokens.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use diesel::QueryResult;
use serde::Serialize;

use super::{Answer, Error, display_name, once, scope, table, write};
use crate::app::App;
use crate::clock::parse_duration;
use crate::db::Conn;
use crate::domain::authorization_details::Unfit;
use crate::domain::client::{AuthMethod, Client, GrantType, NewClient};
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Catalogue;
use crate::domain::secret::Secret;
use crate::domain::tx::Tx;
use crate::domain::words::DetailsTypes;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register an app or a service
    Create(Create),
    /// Show all clients
    List,
    /// Switch a client off: it gets no tokens, and none of its tokens is active any more
    Disable { id: String },
    /// Switch a client on again
    Enable { id: String },
    /// Make a new secret; the one before goes on working for a while
    RotateSecret { id: String },
}

#[derive(Debug, Args)]
pub struct Create {
    /// What people read when the app asks for their consent
    #[arg(long)]
    name: String,
    /// Where people are sent back to, exactly (repeatable)
    #[arg(long, value_name = "URI")]
    redirect_uri: Vec<String>,
    /// How it may get tokens (repeatable); unless given, what fits the redirect URIs or their absence
    #[arg(long, value_name = "GRANT", value_parser = grant_type())]
    grant: Vec<GrantType>,
    /// What it may ask for: one scope or several with spaces between them (repeatable)
    #[arg(long)]
    scope: Vec<String>,
    /// It can't keep a secret: an app in a browser, on a phone or on a desk
    #[arg(long)]
    public: bool,
    /// The one way it has to send its secret; unless given, either will do
    #[arg(long, value_name = "METHOD", value_parser = secret_method())]
    auth_method: Option<AuthMethod>,
    /// It may ask about every token, whomever it is for (off unless given; a resource server does not need it)
    #[arg(long)]
    introspect_any: bool,
    /// A type of authorization details that it may ask for (repeatable; none unless given)
    #[arg(long, value_name = "TYPE")]
    details_type: Vec<String>,
    /// How long its access tokens live, such as 15m or 1h; unless given, as the server's settings say
    #[arg(long, value_name = "TIME")]
    access_token_ttl: Option<String>,
}

fn grant_type() -> impl TypedValueParser<Value = GrantType> {
    PossibleValuesParser::new(GrantType::ALL.map(GrantType::as_str))
        .map(|text| GrantType::parse(&text).expect("clap lets only these pass"))
}

fn secret_method() -> impl TypedValueParser<Value = AuthMethod> {
    PossibleValuesParser::new(["client_secret_basic", "client_secret_post"])
        .map(|text| AuthMethod::parse(&text).expect("clap lets only these pass"))
}

/// A client as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_works_until: Option<String>,
    name: &'a str,
    public: bool,
    auth_method: &'static str,
    redirect_uris: Vec<String>,
    grants: Vec<&'a str>,
    scopes: Vec<&'a str>,
    authorization_details_types: Vec<&'a str>,
    access_token_ttl: Option<u64>,
    disabled: bool,
    /// When a secret that still works was reported as leaked.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret_leaked_at: Option<String>,
}

impl<'a> Shown<'a> {
    fn of(client: &'a Client) -> Self {
        Self {
            client_id: &client.id,
            client_secret: None,
            old_secret_works_until: None,
            name: &client.name,
            public: client.is_public(),
            auth_method: client.auth_method.as_str(),
            redirect_uris: client
                .redirect_uris()
                .map(|uri| uri.as_str().to_owned())
                .collect(),
            grants: client.grant_types().split_whitespace().collect(),
            scopes: client.scope.iter().collect(),
            authorization_details_types: client.authorization_details_types.iter().collect(),
            access_token_ttl: client.access_token_ttl().map(|ttl| ttl.as_secs()),
            disabled: !client.is_enabled(),
            secret_leaked_at: None,
        }
    }

    fn row(&self) -> [String; 6] {
        let kind = if self.public {
            "public"
        } else {
            "confidential"
        };
        let state = match (self.disabled, &self.secret_leaked_at) {
            (true, _) => "disabled",
            (false, Some(_)) => "secret leaked",
            (false, None) => "enabled",
        };
        let (grants, scopes) = (self.grants.join(" "), self.scopes.join(" "));
        [self.client_id, self.name, kind, state, &grants, &scopes].map(str::to_owned)
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Create(create) => create.run(app),
            Command::List => list(app),
            Command::Disable { id } => change(app, &id, Client::disable, "is disabled"),
            Command::Enable { id } => change(app, &id, Client::enable, "is enabled"),
            Command::RotateSecret { id } => rotate_secret(app, &id),
        }
    }
}

impl Create {
    fn run(self, app: &App) -> Result<Answer, Error> {
        let new = self.checked()?;
        let (client, secret) = write(app, |tx| {
            let catalogue = Catalogue::load(tx)?;
            if let Some(unknown) = new.scope.iter().find(|word| !catalogue.defines(word)) {
                return Err(Error::refused(format!(
                    "no resource defines the scope {unknown}"
                )));
            }
            let types = &new.authorization_details_types;
            let is_unknown = |name: &&str| catalogue.details_type(name).is_none();
            if let Some(unknown) = types.iter().find(is_unknown) {
                return Err(Error::refused(format!(
                    "there is no authorization details type {unknown}"
                )));
            }
            Ok(Client::create(tx, new)?)
        })?;
        let registered = format!(
            "{} is registered. It is the client\n{}",
            client.name, client.id
        );
        let text = match &secret {
            Some(secret) => format!("{registered}\n{}", once("the client's secret", secret)),
            None => registered,
        };
        let shown = Shown {
            client_secret: secret.as_ref().map(Secret::expose),
            ..Shown::of(&client)
        };
        Ok(Answer::new(&shown, text))
    }

    /// What was asked for, if it goes together.
    fn checked(&self) -> Result<NewClient, Error> {
        let grants = self.grants();
        let has = |grant| grants.contains(&grant);
        let refused = |sentence: &str| Err(Error::refused(sentence));
        if has(GrantType::AuthorizationCode) && self.redirect_uri.is_empty() {
            return refused(
                "authorization_code needs at least one --redirect-uri to send people back to",
            );
        }
        if has(GrantType::RefreshToken) && !has(GrantType::AuthorizationCode) {
            return refused(
                "refresh_token comes with authorization_code and is of no use without it",
            );
        }
        if self.public && has(GrantType::ClientCredentials) {
            return refused(
                "a public client can't use client_credentials (RFC 6749 §4.4): give it a --redirect-uri",
            );
        }
        if self.public && self.auth_method.is_some() {
            return refused("a public client has no secret, and so no --auth-method");
        }
        let redirect_uris = self
            .redirect_uri
            .iter()
            .map(|uri| RedirectUri::register(uri));
        let secret_method = self.auth_method.unwrap_or(AuthMethod::ClientSecret);
        Ok(NewClient {
            name: display_name(&self.name)?.to_owned(),
            auth_method: if self.public {
                AuthMethod::None
            } else {
                secret_method
            },
            scope: scope(&self.scope)?,
            redirect_uris: redirect_uris.collect::<Result<_, _>>()?,
            access_token_ttl: self.access_token_ttl.as_deref().map(ttl).transpose()?,
            grant_types: grants,
            introspect_any: self.introspect_any,
            authorization_details_types: details_types(&self.details_type)?,
        })
    }

    /// The grants that were named, each once, or those that go with the redirect URIs or their absence.
    fn grants(&self) -> Vec<GrantType> {
        let default: &[GrantType] = match self.redirect_uri.as_slice() {
            [] => &[GrantType::ClientCredentials],
            _ => &[GrantType::AuthorizationCode, GrantType::RefreshToken],
        };
        let meant = if self.grant.is_empty() {
            default
        } else {
            &self.grant
        };
        GrantType::ALL
            .into_iter()
            .filter(|grant| meant.contains(grant))
            .collect()
    }
}

fn details_types(names: &[String]) -> Result<DetailsTypes, Error> {
    let types = DetailsTypes::of(names.iter().map(String::as_str));
    types.map_err(|name| Error::DetailsType(Unfit::Name(name)))
}

fn ttl(text: &str) -> Result<Duration, Error> {
    let positive = parse_duration(text).filter(|ttl| !ttl.is_zero());
    positive.ok_or_else(|| {
        Error::refused(format!(
            "{text:?} is not a length of time, such as 15m or 1h"
        ))
    })
}

fn find(conn: &mut Conn, id: &str) -> Result<Client, Error> {
    Client::find(conn, id)?.ok_or_else(|| Error::refused(format!("there is no client {id}")))
}

fn list(app: &App) -> Result<Answer, Error> {
    let (clients, leaked) =
        app.read_blocking(|rx| Ok::<_, Error>((Client::all(rx)?, Client::leaked(rx)?)))?;
    let shown = clients.iter().map(|client| {
        let leak = leaked.iter().find(|(id, _)| *id == client.id);
        Shown {
            secret_leaked_at: leak.map(|(_, at)| at.to_rfc3339()),
            ..Shown::of(client)
        }
    });
    let shown: Vec<Shown> = shown.collect();
    let head = ["CLIENT", "NAME", "KIND", "STATE", "GRANTS", "SCOPES"];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

fn change(
    app: &App,
    id: &str,
    verb: fn(&Client, &mut Tx) -> QueryResult<()>,
    done: &str,
) -> Result<Answer, Error> {
    let client = write(app, |tx| {
        verb(&find(tx, id)?, tx)?;
        find(tx, id)
    })?;
    let text = format!("{} {done}.", client.name);
    Ok(Answer::new(&Shown::of(&client), text))
}

fn rotate_secret(app: &App, id: &str) -> Result<Answer, Error> {
    let (client, secret, until) = write(app, |tx| {
        let client = find(tx, id)?;
        if client.is_public() {
            return Err(Error::refused(format!(
                "{id} is a public client, which has no secret"
            )));
        }
        let (secret, until) = client.rotate_secret(tx)?;
        Ok((client, secret, until))
    })?;
    let text = format!(
        "{} has a new secret; the one before works until {}.\n{}",
        client.name,
        until.to_rfc3339(),
        once("the new secret", &secret),
    );
    let shown = Shown {
        client_secret: Some(secret.expose()),
        old_secret_works_until: Some(until.to_rfc3339()),
        ..Shown::of(&client)
    };
    Ok(Answer::new(&shown, text))
}
