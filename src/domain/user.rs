//! People, and the service accounts that are among them by name.

use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::prelude::*;
use diesel::sql_types::Text;

use super::audit::{Event, What};
use super::consent::ConnectedApp;
use super::grant::Because;
use super::id::Id;
use super::secret::SecretKind;
use super::session::Session;
use super::sign_in::Attempts;
use super::tx::Tx;
use crate::clock::Timestamp;
use crate::db::column::column;
use crate::db::schema::users;
use crate::db::{self, Conn, Fault};

/// Who an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Text)]
pub enum UserKind {
    Person,
    /// A service account: nobody signs in as it, and its keepers manage its tokens.
    Service,
}

impl UserKind {
    pub const ALL: [UserKind; 2] = [UserKind::Person, UserKind::Service];

    pub fn as_str(self) -> &'static str {
        match self {
            UserKind::Person => "person",
            UserKind::Service => "service",
        }
    }
}

column!(UserKind: Text, str as String, |kind| kind.as_str(), |text| {
    UserKind::ALL
        .into_iter()
        .find(|kind| kind.as_str() == text)
        .ok_or_else(|| format!("unknown kind of user {text}").into())
});

/// An account here: a person's, or a service account.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct User {
    pub id: Id,
    /// Small letters; what they sign in with.
    pub username: String,
    pub email: Option<String>,
    pub password_hash: Option<String>,
    pub is_admin: bool,
    pub created_at: Timestamp,
    pub disabled_at: Option<Timestamp>,
    pub kind: UserKind,
    /// What a service account is for.
    pub description: Option<String>,
}

/// What a new account begins with.
#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
pub(super) struct NewUser<'a> {
    pub username: &'a str,
    pub email: Option<&'a str>,
    pub password_hash: Option<&'a str>,
    pub is_admin: bool,
    pub kind: UserKind,
    pub description: Option<&'a str>,
}

/// Why an account can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("a username is 1 to 64 letters, digits or . _ - @ +, not {0:?}")]
    Username(String),
    #[error("there is a user named {0} already")]
    Taken(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

/// A username as it is stored and looked up, or `None` if it can't be one.
pub fn username(text: &str) -> Option<String> {
    let fits = (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-@+".contains(&b));
    fits.then(|| text.to_ascii_lowercase())
}

impl User {
    /// Whether the account is not disabled.
    pub fn is_enabled(&self) -> bool {
        self.disabled_at.is_none()
    }

    pub fn is_service(&self) -> bool {
        self.kind == UserKind::Service
    }

    /// Whether somebody may sign in with this account, if they know its password.
    pub fn may_sign_in(&self) -> bool {
        self.is_enabled() && !self.is_service()
    }

    /// What the secrets of its own tokens say they are.
    pub fn token_secret(&self) -> SecretKind {
        match self.kind {
            UserKind::Person => SecretKind::PersonalAccessToken,
            UserKind::Service => SecretKind::ServiceAccountToken,
        }
    }

    /// The account of this id, enabled or not.
    pub fn find(conn: &mut Conn, id: Id) -> QueryResult<Option<User>> {
        users::table
            .find(id)
            .select(User::as_select())
            .get_result(conn)
            .optional()
    }

    /// The account of this name, in whatever letters.
    pub fn named(conn: &mut Conn, name: &str) -> QueryResult<Option<User>> {
        let Some(name) = username(name) else {
            return Ok(None);
        };
        users::table
            .filter(users::username.eq(name))
            .select(User::as_select())
            .get_result(conn)
            .optional()
    }

    /// The account that is meant by an id or, if it is none, by a name.
    pub fn meant(conn: &mut Conn, word: &str) -> QueryResult<Option<User>> {
        match word.parse::<Id>() {
            Ok(id) => Self::find(conn, id),
            Err(_) => Self::named(conn, word),
        }
    }

    /// The names of these accounts.
    pub fn names(conn: &mut Conn, ids: &[Id]) -> QueryResult<Vec<(Id, String)>> {
        users::table
            .filter(users::id.eq_any(ids))
            .select((users::id, users::username))
            .load(conn)
    }

    /// All accounts, by name.
    pub fn all(conn: &mut Conn) -> QueryResult<Vec<User>> {
        users::table
            .order(users::username)
            .select(User::as_select())
            .load(conn)
    }

    /// The administrators who can be written to.
    pub fn administrators_with_address(conn: &mut Conn) -> QueryResult<Vec<User>> {
        users::table
            .filter(users::is_admin)
            .filter(users::email.is_not_null())
            .filter(users::disabled_at.is_null())
            .order(users::username)
            .select(User::as_select())
            .load(conn)
    }

    /// Whether there is any account at all.
    pub fn is_anyone_here(conn: &mut Conn) -> QueryResult<bool> {
        diesel::select(diesel::dsl::exists(users::table.select(users::id))).get_result(conn)
    }

    /// Make a person's account. `password_hash` comes from [`super::password::Password::hash`].
    pub fn create(
        tx: &mut Tx,
        name: &str,
        email: Option<&str>,
        is_admin: bool,
        password_hash: Option<&str>,
    ) -> Result<User, Unfit> {
        let name = username(name).ok_or_else(|| Unfit::Username(name.to_owned()))?;
        let new = NewUser {
            username: &name,
            email,
            password_hash,
            is_admin,
            kind: UserKind::Person,
            description: None,
        };
        let Some(made) = Self::insert(tx, new)? else {
            return Err(Unfit::Taken(name));
        };
        tx.record(Event::new(What::UserCreated).user(made.id).detail(name))?;
        Ok(made)
    }

    /// Insert an account; `None` if its name is another's. Of two that are inserted at once under one name, one is.
    pub(super) fn insert(tx: &mut Tx, new: NewUser) -> QueryResult<Option<User>> {
        let id = Id::new(tx.now);
        let row = (users::id.eq(id), users::created_at.eq(tx.now), new);
        either!(&mut **tx, |conn| diesel::insert_into(users::table)
            .values(row)
            .on_conflict(users::username)
            .do_nothing()
            .execute(conn))?;
        Self::find(tx, id)
    }

    /// Change the address at which a person hears of their tokens. The trail does not have it, since nothing is ever
    /// taken out of it.
    pub fn set_email(&self, tx: &mut Tx, address: Option<&str>) -> QueryResult<()> {
        let user = users::table.find(self.id);
        diesel::update(user)
            .set(users::email.eq(address))
            .execute(&mut **tx)?;
        let how = if address.is_some() { "set" } else { "removed" };
        tx.record(Event::new(What::EmailChanged).user(self.id).detail(how))
    }

    /// Give a person a new password. Every session of theirs ends, and every app they allowed is disconnected
    /// (RFC 9700 §4.14.2); their personal access tokens go on working unless they are revoked too.
    pub fn set_password(&self, tx: &mut Tx, hash: &str) -> QueryResult<()> {
        db::hold_user(tx, self.id.as_bytes())?;
        diesel::update(users::table.find(self.id))
            .set(users::password_hash.eq(hash))
            .execute(&mut **tx)?;
        Session::end_all_of(tx, self.id)?;
        ConnectedApp::disconnect_all(tx, self.id, &Because::PasswordChanged)?;
        Attempts::forget(tx, &self.username)?;
        tx.record(Event::new(What::PasswordChanged).user(self.id))
    }

    /// Close an account: sessions end, and nothing they own is active any more. No token row is touched.
    pub fn disable(&self, tx: &mut Tx) -> QueryResult<()> {
        let now = tx.now;
        let open = users::table
            .find(self.id)
            .filter(users::disabled_at.is_null());
        if diesel::update(open)
            .set(users::disabled_at.eq(now))
            .execute(&mut **tx)?
            == 0
        {
            return Ok(());
        }
        Session::end_all_of(tx, self.id)?;
        tx.record(Event::new(What::UserDisabled).user(self.id))
    }

    /// Open a closed account again; what was not revoked meanwhile is active again.
    pub fn enable(&self, tx: &mut Tx) -> QueryResult<()> {
        let closed = users::table
            .find(self.id)
            .filter(users::disabled_at.is_not_null());
        let open = users::disabled_at.eq(None::<Timestamp>);
        match diesel::update(closed).set(open).execute(&mut **tx)? {
            0 => Ok(()),
            _ => tx.record(Event::new(What::UserEnabled).user(self.id)),
        }
    }
}
