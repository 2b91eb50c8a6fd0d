//! `jeton user`: people's accounts.

use std::io::{self, BufRead, Read};

use clap::Subcommand;
use diesel::QueryResult;
use serde::Serialize;

use super::{Answer, Error, table, write};
use crate::app::App;
use crate::db::Conn;
use crate::domain::password::Password;
use crate::domain::tx::Tx;
use crate::domain::user::User;

/// More of standard input is not read for a password. Far beyond what a password may have.
const LINE_MAX: u64 = 64 * 1024;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make an account
    Create {
        /// What the person signs in with: letters, digits or . _ - @ +
        name: String,
        /// Their e-mail address
        #[arg(long)]
        email: Option<String>,
        /// Let them administer this server
        #[arg(long)]
        admin: bool,
        /// Read the password from standard input, one line
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Show all accounts
    List,
    /// Disable an account: sessions end, and none of its tokens is active any more
    Disable { name: String },
    /// Open a closed account again
    Enable { name: String },
    /// Set the address at which a person hears of their tokens
    SetEmail {
        name: String,
        /// Their e-mail address
        #[arg(required_unless_present = "none")]
        address: Option<String>,
        /// Let them have none
        #[arg(long, conflicts_with = "address")]
        none: bool,
    },
    /// Give a person a new password: sessions end, and apps have to be allowed again
    SetPassword {
        name: String,
        /// Read the password from standard input, one line
        #[arg(long, required = true)]
        password_stdin: bool,
    },
}

/// An account as it is shown.
#[derive(Serialize)]
struct Shown<'a> {
    id: String,
    username: &'a str,
    email: Option<&'a str>,
    kind: &'static str,
    admin: bool,
    created_at: String,
    disabled: bool,
}

impl<'a> Shown<'a> {
    fn of(user: &'a User) -> Self {
        Self {
            id: user.id.to_string(),
            username: &user.username,
            email: user.email.as_deref(),
            kind: user.kind.as_str(),
            admin: user.is_admin,
            created_at: user.created_at.to_rfc3339(),
            disabled: !user.is_enabled(),
        }
    }

    fn row(&self) -> [String; 5] {
        [
            self.username.to_owned(),
            self.email.unwrap_or_default().to_owned(),
            match (self.kind, self.admin) {
                ("service", _) => "service account",
                (_, true) => "administrator",
                (_, false) => "person",
            }
            .to_owned(),
            if self.disabled { "disabled" } else { "enabled" }.to_owned(),
            self.created_at.clone(),
        ]
    }
}

impl Command {
    pub(super) fn run(self, app: &App) -> Result<Answer, Error> {
        match self {
            Command::Create {
                name, email, admin, ..
            } => create(app, &name, email.as_deref(), admin),
            Command::List => list(app),
            Command::Disable { name } => change(app, &name, "is disabled", User::disable),
            Command::Enable { name } => change(app, &name, "is enabled", User::enable),
            Command::SetEmail { name, address, .. } => {
                let address = address.as_deref().map(checked_email).transpose()?;
                app.read_blocking(|rx| is_a_person(rx, &name))?;
                let done = match address {
                    Some(_) => "has a new e-mail address",
                    None => "has no e-mail address any more",
                };
                change(app, &name, done, |user, tx| user.set_email(tx, address))
            }
            Command::SetPassword { name, .. } => {
                app.read_blocking(|rx| is_a_person(rx, &name))?;
                let hash = new_password()?.hash();
                let done =
                    "has a new password; sessions have ended, and apps have to be allowed again";
                change(app, &name, done, |user, tx| user.set_password(tx, &hash))
            }
        }
    }
}

/// An address as a person's, if it could be one: what a mail server says of it is seen when a mail is sent.
fn checked_email(address: &str) -> Result<&str, Error> {
    match address.contains('@') && !address.contains(char::is_whitespace) {
        true => Ok(address),
        false => Err(Error::refused(format!(
            "{address:?} is not an e-mail address"
        ))),
    }
}

/// The person of this name.
pub(super) fn named(conn: &mut Conn, name: &str) -> Result<User, Error> {
    User::named(conn, name)?.ok_or_else(|| Error::refused(format!("there is no user {name}")))
}

/// Refuse what is only for those who sign in.
fn is_a_person(conn: &mut Conn, name: &str) -> Result<(), Error> {
    match named(conn, name)?.is_service() {
        true => Err(Error::refused(format!(
            "{name} is a service account: nobody signs in as it, and its keepers get its mails"
        ))),
        false => Ok(()),
    }
}

fn create(app: &App, name: &str, email: Option<&str>, admin: bool) -> Result<Answer, Error> {
    let email = email.map(checked_email).transpose()?;
    let hash = new_password()?.hash();
    let user = write(app, |tx| {
        Ok(User::create(tx, name, email, admin, Some(&hash))?)
    })?;
    let role = if admin { " as an administrator" } else { "" };
    Ok(Answer::new(
        &Shown::of(&user),
        format!("{} can sign in{role}.", user.username),
    ))
}

fn list(app: &App) -> Result<Answer, Error> {
    let users = app.read_blocking(|rx| Ok::<_, Error>(User::all(rx)?))?;
    let shown: Vec<Shown> = users.iter().map(Shown::of).collect();
    let head = ["USERNAME", "E-MAIL", "ROLE", "STATE", "CREATED"];
    Ok(Answer::new(
        &shown,
        table(head, shown.iter().map(Shown::row)),
    ))
}

/// Change an account, and answer what it is now.
fn change(
    app: &App,
    name: &str,
    done: &str,
    verb: impl FnOnce(&User, &mut Tx) -> QueryResult<()>,
) -> Result<Answer, Error> {
    let user = write(app, |tx| {
        verb(&named(tx, name)?, tx)?;
        named(tx, name)
    })?;
    Ok(Answer::new(
        &Shown::of(&user),
        format!("{} {done}.", user.username),
    ))
}

/// Read a new password from standard input: one line, without its end. Never from the arguments, which everybody
/// on the machine can see.
fn new_password() -> Result<Password, Error> {
    let mut line = Vec::with_capacity(4096);
    io::stdin()
        .lock()
        .take(LINE_MAX)
        .read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
        if line.last() == Some(&b'\r') {
            line.pop();
        }
    }
    let text =
        String::from_utf8(line).map_err(|_| Error::refused("the password is not UTF-8 text"))?;
    let password = Password::new(text);
    match password.problem() {
        Some(problem) => Err(Error::Refused(problem)),
        None => Ok(password),
    }
}
