//! Service accounts: for what a team or a machine does, and no person. Nobody signs in as one. Its keepers, who are people,
//! manage its tokens, and these go on working when a keeper leaves.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::audit::{Event, What};
use super::id::Id;
use super::tx::Tx;
use super::user::{NewUser, User, UserKind, username};
use crate::db::schema::{service_account_keepers as keepers, users};
use crate::db::{self, Conn, Fault};

const DESCRIPTION_MAX: usize = 255;

/// A service account and its keepers.
#[derive(Debug, Clone)]
pub struct ServiceAccount {
    pub user: User,
    /// By name; those too whose accounts are disabled, and who can manage nothing meanwhile.
    pub keepers: Vec<User>,
}

/// Why a service account can't be made or changed so.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error(
        "A name is 1 to 64 letters, digits or . _ - @ +, and one of them is a letter or a digit."
    )]
    Name,
    #[error("There is a user or a service account of that name already.")]
    Taken,
    #[error("A description is one line of at most {DESCRIPTION_MAX} characters.")]
    Description,
    #[error("A service account needs a keeper: a person who manages its tokens.")]
    NoKeeper,
    #[error("There is no person {0:?} who could keep it.")]
    Keeper(String),
    #[error("{0} is its last keeper. Add another one first, or ask an administrator.")]
    LastKeeper(String),
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Unfit);

impl ServiceAccount {
    /// Make a service account. Its name is one that no user has.
    pub fn create(
        tx: &mut Tx,
        name: &str,
        description: &str,
        keepers: &[User],
    ) -> Result<Self, Unfit> {
        // One of dots alone would be a step in a path.
        let name = username(name.trim()).filter(|name| name.contains(char::is_alphanumeric));
        let name = name.ok_or(Unfit::Name)?;
        let description = checked(description)?;
        if keepers.is_empty() {
            return Err(Unfit::NoKeeper);
        }
        check_all_sign_in(keepers.iter())?;
        let new = NewUser {
            username: &name,
            email: None,
            password_hash: None,
            is_admin: false,
            kind: UserKind::Service,
            description: Some(&description),
        };
        let user = User::insert(tx, new)?.ok_or(Unfit::Taken)?;
        let made = Event::new(What::ServiceAccountCreated).user(user.id);
        tx.record(made.detail(&name))?;
        let made = Self {
            user,
            keepers: vec![],
        };
        made.admit_all(tx, keepers)?;
        Ok(made.held(tx)?)
    }

    /// The service account of this id, enabled or not.
    pub fn find(conn: &mut Conn, id: Id) -> QueryResult<Option<Self>> {
        let user = User::find(conn, id)?;
        Self::of(conn, user)
    }

    /// The service account of this id, or else of this name.
    pub fn meant(conn: &mut Conn, text: &str) -> QueryResult<Option<Self>> {
        if let Ok(id) = text.parse::<Id>()
            && let Some(found) = Self::find(conn, id)?
        {
            return Ok(Some(found));
        }
        let named = User::named(conn, text)?;
        Self::of(conn, named)
    }

    /// All of them, by name.
    pub fn all(conn: &mut Conn) -> QueryResult<Vec<Self>> {
        let all = users::table
            .filter(users::kind.eq(UserKind::Service))
            .order(users::username)
            .select(User::as_select())
            .load(conn)?;
        Self::with_keepers(conn, all)
    }

    /// Those that this person keeps, by name.
    pub fn kept_by(conn: &mut Conn, person: Id) -> QueryResult<Vec<Self>> {
        let kept = users::table
            .inner_join(keepers::table)
            .filter(keepers::user_id.eq(person))
            .order(users::username)
            .select(User::as_select())
            .load(conn)?;
        Self::with_keepers(conn, kept)
    }

    /// This user with their keepers, if it is a service account.
    pub(super) fn of(conn: &mut Conn, user: Option<User>) -> QueryResult<Option<Self>> {
        let service = user.filter(User::is_service);
        Ok(Self::with_keepers(conn, Vec::from_iter(service))?.pop())
    }

    fn with_keepers(conn: &mut Conn, accounts: Vec<User>) -> QueryResult<Vec<Self>> {
        if accounts.is_empty() {
            return Ok(vec![]);
        }
        let ids: Vec<Id> = accounts.iter().map(|user| user.id).collect();
        let found: Vec<(Id, User)> = users::table
            .inner_join(keepers::table.on(keepers::user_id.eq(users::id)))
            .filter(keepers::service_account_id.eq_any(ids))
            .order(users::username)
            .select((keepers::service_account_id, User::as_select()))
            .load(conn)?;
        let mut kept: HashMap<Id, Vec<User>> = HashMap::new();
        for (account, keeper) in found {
            kept.entry(account).or_default().push(keeper);
        }
        let with = |user: User| Self {
            keepers: kept.remove(&user.id).unwrap_or_default(),
            user,
        };
        Ok(accounts.into_iter().map(with).collect())
    }

    /// Whether this person is one of its keepers.
    pub fn is_kept_by(&self, person: Id) -> bool {
        self.keepers.iter().any(|keeper| keeper.id == person)
    }

    /// Whether anybody can manage its tokens but administrators.
    pub fn has_keeper(&self) -> bool {
        self.keepers.iter().any(User::is_enabled)
    }

    /// Hold a service account until the transaction ends, and see that this person still is one of its keepers: who has just been
    /// removed must not make anything any more.
    pub fn hold_for(tx: &mut Tx, id: Id, keeper: Id) -> QueryResult<bool> {
        db::hold_user(tx, id.as_bytes())?;
        let kept = keepers::table.find((id, keeper));
        diesel::select(diesel::dsl::exists(kept)).get_result(&mut **tx)
    }

    /// It as it is now, held until the transaction ends.
    fn held(&self, tx: &mut Tx) -> Result<Self, Fault> {
        db::hold_user(tx, self.user.id.as_bytes())?;
        Self::find(tx, self.user.id)?.ok_or(Fault::Broken("a service account is gone"))
    }

    /// The person of this name or id. Who is to become a keeper has to be able to sign in besides.
    pub fn keeper(conn: &mut Conn, named: &str) -> Result<User, Unfit> {
        let named = named.trim();
        let person = User::meant(conn, named)?.filter(|user| !user.is_service());
        person.ok_or_else(|| Unfit::Keeper(named.to_owned()))
    }

    /// Say what it is for.
    pub fn describe(&self, tx: &mut Tx, description: &str) -> Result<(), Unfit> {
        let description = checked(description)?;
        diesel::update(users::table.find(self.user.id))
            .set(users::description.eq(&description))
            .execute(&mut **tx)?;
        let changed = Event::new(What::ServiceAccountChanged).user(self.user.id);
        Ok(tx.record(changed.detail(description))?)
    }

    /// Let a person manage its tokens. A second time changes nothing.
    pub fn add_keeper(&self, tx: &mut Tx, person: &User) -> Result<(), Unfit> {
        self.held(tx)?.admit_all(tx, std::slice::from_ref(person))
    }

    /// Let a person manage its tokens no longer, which end none of them. Only where `may_be_last` is this done to the last
    /// one who can sign in.
    pub fn remove_keeper(
        &self,
        tx: &mut Tx,
        keeper: &User,
        may_be_last: bool,
    ) -> Result<(), Unfit> {
        let now = self.held(tx)?;
        if !now.is_kept_by(keeper.id) {
            return Ok(());
        }
        let mut others = now.keepers.iter().filter(|other| other.id != keeper.id);
        if !may_be_last && !others.any(User::is_enabled) {
            return Err(Unfit::LastKeeper(keeper.username.clone()));
        }
        Ok(now.dismiss(tx, keeper)?)
    }

    /// Let just these people manage its tokens.
    pub fn set_keepers(&self, tx: &mut Tx, wanted: &[User]) -> Result<(), Unfit> {
        let now = self.held(tx)?;
        now.admit_all(tx, wanted)?;
        let gone = |keeper: &&User| wanted.iter().all(|other| other.id != keeper.id);
        for keeper in now.keepers.iter().filter(gone) {
            now.dismiss(tx, keeper)?;
        }
        Ok(())
    }

    /// Make keepers of those of these people who are none yet. Its row is held.
    fn admit_all(&self, tx: &mut Tx, people: &[User]) -> Result<(), Unfit> {
        let mut keeping: HashSet<Id> = self.keepers.iter().map(|keeper| keeper.id).collect();
        let new = people.iter().filter(|person| keeping.insert(person.id));
        let new: Vec<&User> = new.collect();
        check_all_sign_in(new.iter().copied())?;
        for person in new {
            diesel::insert_into(keepers::table)
                .values((
                    keepers::service_account_id.eq(self.user.id),
                    keepers::user_id.eq(person.id),
                    keepers::added_at.eq(tx.now),
                    keepers::added_by.eq(tx.caller.actor.to_string()),
                ))
                .execute(&mut **tx)?;
            let added = Event::new(What::KeeperAdded).user(self.user.id);
            tx.record(added.detail(&person.username))?;
        }
        Ok(())
    }

    /// Make one of its keepers one no longer. Its row is held.
    fn dismiss(&self, tx: &mut Tx, keeper: &User) -> QueryResult<()> {
        let kept = keepers::table.find((self.user.id, keeper.id));
        diesel::delete(kept).execute(&mut **tx)?;
        let removed = Event::new(What::KeeperRemoved).user(self.user.id);
        tx.record(removed.detail(&keeper.username))
    }
}

/// Whether all of these people can sign in, and so may become keepers.
fn check_all_sign_in<'a>(mut people: impl Iterator<Item = &'a User>) -> Result<(), Unfit> {
    match people.find(|person| !person.may_sign_in()) {
        Some(person) => Err(Unfit::Keeper(person.username.clone())),
        None => Ok(()),
    }
}

fn checked(description: &str) -> Result<String, Unfit> {
    let description = description.trim();
    let fits =
        description.chars().count() <= DESCRIPTION_MAX && !description.contains(char::is_control);
    fits.then(|| description.to_owned())
        .ok_or(Unfit::Description)
}
