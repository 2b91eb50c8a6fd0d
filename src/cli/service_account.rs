//! `jeton service-account`: accounts that nobody signs in as, and the people who keep them.

use clap::Subcommand;
use serde::Serialize;

use super::{Answer, Error, table, write};
use crate::app::App;
use crate::db::Conn;
use crate::domain::service_account::ServiceAccount;
use crate::domain::tx::Tx;
use crate::domain::user::User;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a service account
    Create {
        /// Its name, which no user has: letters, digits or . _ - @ +
        name: String,
        /// What it is for, in a few words
        #[arg(long, default_value = "")]
        description: String,
        /// A person who manages its tokens (repeatable)
        #[arg(long, value_name = "USER", required = true)]
        keeper: Vec<String>,
    },
    /// Show all service accounts
    List,
    /// Who manages its tokens
    #[command(subcommand)]
    Keeper(Keeper),
    /// Disable a service account: none of its tokens is active any more
    Disable { name: String },
    /// Enable a service account again
    Enable { name: String },
}

#[derive(Debug, Subcommand)]
pub enum Keeper {
    /// Let one more person manage its tokens
    Add { name: String, user: String },
    /// Let a person manage its tokens no longer; the tokens go on working
    Remove {
        name: String,
        user: String,
        /// Even if nobody is left to manage them
        #[arg(long)]
        force: bool,
    },
}

/// A service account as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    name: &'a str,
    description: &'a str,
    keepers: Vec<&'a str>,
    has_keeper: bool,
    created_at: String,
    disabled: bool,
}

impl<'a> Shown<'a> {
    fn of(account: &'a ServiceAccount) -> Self {
        let user = &account.user;
        let keepers = account.keepers.iter();
        Self {
            id: user.id.to_string(),
            name: &user.username,
            description: user.description.as_deref().unwrap_or_default(),
            keepers: keepers.map(|keeper| keeper.username.as_str()).collect(),
            has_keeper: account.has_keeper(),
            created_at: user.created_at.to_rfc3339(),
            disabled: !user.is_enabled(),
        }
    }

    fn row(&self) -> [String; 5] {
        let state = match (self.disabled, self.has_keeper) {
            (true, _) => "disabled",
            (false, true) => "enabled",
            (false, false) => "no keeper",
        };
        let keepers = self.keepers.join(" ");
        [
            self.name,
            state,
            &keepers,
            self.description,
            &self.created_at,
        ]
        .map(str::to_owned)
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Create {
                name,
                description,
                keeper,
            } => create(app, &name, &description, &keeper),
            Command::List => list(app),
            Command::Keeper(Keeper::Add { name, user }) => {
                let done = format!("has {user} among its keepers");
                change(app, &name, &done, |account, tx| {
                    let keeper = ServiceAccount::keeper(tx, &user)?;
                    Ok(account.add_keeper(tx, &keeper)?)
                })
            }
            Command::Keeper(Keeper::Remove { name, user, force }) => {
                let done = format!("is kept by {user} no longer; its tokens work as before");
                change(app, &name, &done, |account, tx| {
                    let kept = User::meant(tx, &user)?.filter(|user| account.is_kept_by(user.id));
                    let keeper = kept.ok_or_else(|| {
                        Error::refused(format!("{user} does not keep {}", account.user.username))
                    })?;
                    Ok(account.remove_keeper(tx, &keeper, force)?)
                })
            }
            Command::Disable { name } => change(app, &name, "is disabled", |account, tx| {
                Ok(account.user.disable(tx)?)
            }),
            Command::Enable { name } => change(app, &name, "is enabled", |account, tx| {
                Ok(account.user.enable(tx)?)
            }),
        }
    }
}

fn create(app: &App, name: &str, description: &str, named: &[String]) -> Result<Answer, Error> {
    let made = write(app, |tx| {
        let keepers = named.iter().map(|name| ServiceAccount::keeper(tx, name));
        let keepers = keepers.collect::<Result<Vec<_>, _>>()?;
        Ok(ServiceAccount::create(tx, name, description, &keepers)?)
    })?;
    let shown = Shown::of(&made);
    let text = format!(
        "{} is there, kept by {}. Its id is\n{}",
        shown.name,
        shown.keepers.join(" and "),
        shown.id
    );
    Ok(Answer::new(&shown, text))
}

fn list(app: &App) -> Result<Answer, Error> {
    let all = app.read_blocking(|rx| Ok::<_, Error>(ServiceAccount::all(rx)?))?;
    let shown: Vec<Shown> = all.iter().map(Shown::of).collect();
    let head = ["NAME", "STATE", "KEEPERS", "DESCRIPTION", "CREATED"];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

/// Change one, and answer what it is now.
fn change(
    app: &App,
    name: &str,
    done: &str,
    verb: impl FnOnce(&ServiceAccount, &mut Tx) -> Result<(), Error>,
) -> Result<Answer, Error> {
    let account = write(app, |tx| {
        verb(&named(tx, name)?, tx)?;
        named(tx, name)
    })?;
    let shown = Shown::of(&account);
    let text = format!("{} {done}.", shown.name);
    Ok(Answer::new(&shown, text))
}

fn named(conn: &mut Conn, name: &str) -> Result<ServiceAccount, Error> {
    let found = ServiceAccount::meant(conn, name)?;
    found.ok_or_else(|| Error::refused(format!("there is no service account {name}")))
}
