//! The command line: one file a command. Each command gives an answer, printed for people or for programs.

mod approvals;
mod audit;
mod authorization_details_type;
mod client;
mod decoy;
mod demo;
mod forward_auth;
mod import;
mod leak_check;
mod migrate;
mod openapi;
mod policy;
mod resource;
mod revoke;
mod serve;
mod service_account;
mod token;
mod token_list;
mod user;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use serde::Serialize;

use crate::app::App;
use crate::clock::Clock;
use crate::config::{Config, Misconfigured};
use crate::db::{Fault, Refusal};
use crate::domain::personal_token::search::NotSearched;
use crate::domain::secret::Secret;
use crate::domain::tx::{Caller, Tx};
use crate::domain::words::Scope;
use crate::domain::{
    authorization_details, forward_policy, personal_token, redirect_uri,
    resource as resource_domain, service_account as service_account_domain, token_policy,
    user as user_domain,
};

/// An OAuth 2.0 authorization server in which a personal access token is a token like any other.
///
/// Settings come from the environment (`JETON_DATABASE_URL`, …) and from a TOML file.
#[derive(Debug, Parser)]
#[command(name = "jeton", version)]
pub struct Cli {
    /// Answer with one JSON document
    #[arg(long, global = true)]
    json: bool,
    /// Read settings from this TOML file
    #[arg(long, global = true, env = "JETON_CONFIG", value_name = "FILE")]
    config: Option<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    Serve,
    /// Run a server with made-up people and apps, to look around in
    Demo,
    /// Bring the database's tables up to date (every command does)
    Migrate,
    /// People with an account
    #[command(subcommand)]
    User(user::Command),
    /// Accounts for teams and machines, whose tokens people keep
    #[command(subcommand)]
    ServiceAccount(service_account::Command),
    /// APIs that take tokens, and the scopes they define
    #[command(subcommand)]
    Resource(resource::Command),
    /// Apps and services that get tokens
    #[command(subcommand)]
    Client(client::Command),
    /// What can be allowed about named things, such as one repository (RFC 9396)
    #[command(subcommand)]
    AuthorizationDetailsType(authorization_details_type::Command),
    /// Personal access tokens
    #[command(subcommand)]
    Token(token::Command),
    /// The rules for personal access tokens
    #[command(subcommand)]
    Policy(policy::Command),
    /// Personal access tokens that wait for an administrator's approval
    #[command(subcommand)]
    Approvals(approvals::Command),
    /// Let tokens of another system go on working here
    Import(import::Import),
    /// What proxies may let through to services that know nothing of tokens
    #[command(subcommand)]
    ForwardAuth(forward_auth::Command),
    /// Who did what, and whether the record of it is whole
    #[command(subcommand)]
    Audit(audit::Command),
    /// Look for leaked secrets of any Jeton in files and folders; needs no server and no settings
    LeakCheck(leak_check::LeakCheck),
    /// End all tokens of one person, or of everybody
    Revoke(revoke::Command),
    /// Print what the JSON API takes and answers (OpenAPI 3.1); needs no server and no settings
    Openapi,
}

impl Cli {
    /// Do what is asked. Success is exit code 0, but for a command that looks for something and says by it what it found.
    pub fn run(self) -> Result<ExitCode, Error> {
        let config = || Config::load(self.config.as_deref());
        let open = || Ok::<_, Error>(App::open(config()?, Clock::System)?);
        let done = |()| ExitCode::SUCCESS;
        let answer = match self.command {
            Command::LeakCheck(check) => return Ok(check.run(self.json)),
            Command::Openapi => Ok(openapi::run()),
            Command::Serve => return serve::run(config()?).map(done),
            Command::Demo => return demo::run(config()?).map(done),
            Command::Migrate => migrate::run(config()?),
            Command::User(command) => command.run(&open()?),
            Command::ServiceAccount(command) => command.run(&open()?),
            Command::Resource(command) => command.run(&open()?),
            Command::Client(command) => command.run(&open()?),
            Command::AuthorizationDetailsType(command) => command.run(&open()?),
            Command::Token(command) => command.run(&open()?),
            Command::Policy(command) => command.run(&open()?),
            Command::Approvals(command) => command.run(&open()?),
            Command::Import(command) => command.run(&open()?),
            Command::ForwardAuth(command) => command.run(&open()?),
            Command::Revoke(command) => command.run(&open()?),
            Command::Audit(command) => match command.run(&open()?)? {
                Some(answer) => Ok(answer),
                None => return Ok(ExitCode::SUCCESS),
            },
        };
        answer?.give(self.json).map(done)
    }
}

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0}")]
    Refused(String),
    #[error(transparent)]
    Settings(#[from] Misconfigured),
    #[error(transparent)]
    User(#[from] user_domain::Unfit),
    #[error(transparent)]
    ServiceAccount(#[from] service_account_domain::Unfit),
    #[error(transparent)]
    Resource(#[from] resource_domain::Unfit),
    #[error(transparent)]
    Token(#[from] personal_token::Problem),
    #[error(transparent)]
    TokenPolicy(#[from] token_policy::Unfit),
    #[error(transparent)]
    ForwardPolicy(#[from] forward_policy::Unfit),
    #[error(transparent)]
    DetailsType(#[from] authorization_details::Unfit),
    #[error(transparent)]
    Search(#[from] NotSearched),
    #[error("invalid_redirect_uri: {0}")]
    RedirectUri(#[from] redirect_uri::InvalidRedirectUri),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Error::Fault(error.into())
    }
}

impl Refusal for Error {
    fn is_fault(&self) -> bool {
        match self {
            Error::User(error) => error.is_fault(),
            Error::ServiceAccount(error) => error.is_fault(),
            Error::Resource(error) => error.is_fault(),
            Error::Token(error) => error.is_fault(),
            Error::TokenPolicy(error) => error.is_fault(),
            Error::ForwardPolicy(error) => error.is_fault(),
            Error::DetailsType(error) => error.is_fault(),
            Error::Search(error) => error.is_fault(),
            Error::Fault(_) | Error::Io(_) => true,
            Error::Refused(_) | Error::Settings(_) | Error::RedirectUri(_) => false,
        }
    }
}

impl Error {
    fn refused(sentence: impl Into<String>) -> Self {
        Error::Refused(sentence.into())
    }

    /// The error on one line: databases and file formats tell theirs on several.
    pub fn one_line(&self) -> String {
        self.to_string()
            .lines()
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// What a command has to say: the same for programs and for people.
struct Answer {
    json: String,
    text: String,
    /// Whether not all was done that was asked for.
    failed: bool,
}

impl Answer {
    fn new(facts: &impl Serialize, text: impl Into<String>) -> Self {
        let json = serde_json::to_string(facts).expect("plain facts can be written as JSON");
        let text = text.into();
        let failed = false;
        Self { json, text, failed }
    }

    /// With an exit code that says that not all was done.
    fn failed(self) -> Self {
        Self {
            failed: true,
            ..self
        }
    }

    fn give(self, as_json: bool) -> Result<(), Error> {
        self.print(as_json)?;
        match self.failed {
            true => Err(Error::refused("not all of it was done")),
            false => Ok(()),
        }
    }

    fn print(&self, as_json: bool) -> Result<(), Error> {
        let document = if as_json { &self.json } else { &self.text };
        let mut out = io::stdout().lock();
        match writeln!(out, "{document}").and_then(|()| out.flush()) {
            // Whoever read has seen enough, as in `jeton user list | head -n 1`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => Ok(written?),
        }
    }
}

/// A secret for people to copy, alone on the last line.
fn once(what: &str, secret: &Secret) -> String {
    format!(
        "Keep {what} now. It is shown this once:\n{}",
        secret.expose()
    )
}

/// Columns, each as wide as its widest cell. An empty cell is a dash.
fn table<const N: usize>(head: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let mut rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned))
        .chain(rows)
        .collect();
    rows.iter_mut()
        .flatten()
        .filter(|cell| cell.is_empty())
        .for_each(|cell| cell.push('-'));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or(0));
    let line = |row: &[String; N]| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Change something as the operator.
fn write<T>(app: &App, work: impl FnOnce(&mut Tx) -> Result<T, Error>) -> Result<T, Error> {
    app.write_blocking(&Caller::command_line(), work)
}

/// Read `--scope` options, each one word or several.
fn scope(options: &[String]) -> Result<Scope, Error> {
    Scope::parse(&options.join(" ")).map_err(|word| resource_domain::Unfit::Scope(word).into())
}

/// Check the name of an app or an API, which people read on pages and in lists.
fn display_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if name.is_empty() || name.contains(char::is_control) {
        return Err(Error::refused(
            "a name has at least one character and no control characters",
        ));
    }
    Ok(name)
}
