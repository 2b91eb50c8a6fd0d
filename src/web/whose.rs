//! Whose tokens a request is about: those of the person who makes it, or those of a service account that they keep. Pages and
//! API ask this once, and are the same for both from there on.

use serde::Deserialize;

use super::doors::SignedIn;
use super::pages::Error;
use super::routes;
use crate::db::{Fault, Refusal};
use crate::domain::id::Id;
use crate::domain::service_account::ServiceAccount;
use crate::domain::tx::{Actor, Tx};
use crate::domain::user::User;

/// What a path names.
#[derive(Default, Deserialize)]
pub struct Meant {
    /// A service account, by its name or its id; without it, the person's own tokens are meant.
    account: Option<String>,
    token: Option<String>,
}

/// Whose tokens these are, as proven to whoever manages them.
pub struct Whose {
    pub owner: User,
    /// Where the pages about them begin: "/settings/tokens".
    pub home: String,
    /// Their entry of the navigation.
    pub here: &'static str,
    /// The owner's keepers, if it is a service account.
    keepers: Vec<User>,
    /// Who manages them now.
    person: Id,
}

/// The service account of this name or id, for its keepers, and for this person if they `may_anyway`; for all others there is
/// none.
pub async fn service_account(
    person: &SignedIn,
    name: &str,
    may_anyway: bool,
) -> Result<ServiceAccount, Error> {
    let name = name.to_owned();
    let meant = person.app.query(move |rx| ServiceAccount::meant(rx, &name));
    let theirs = |account: &ServiceAccount| may_anyway || account.is_kept_by(person.user.id);
    meant.await?.filter(theirs).ok_or(Error::NotFound)
}

/// Change something, if the person still is signed in, and still keeps `kept`, where it takes a keeper, when it comes to that.
pub async fn write_as_keeper<T, E>(
    person: &SignedIn,
    kept: Option<Id>,
    work: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
) -> Result<Result<T, E>, Error>
where
    T: Send + 'static,
    E: Refusal + Send + 'static,
{
    let keeper = person.user.id;
    let outcome = person.write(move |tx| {
        if let Some(account) = kept
            && !ServiceAccount::hold_for(tx, account, keeper).map_err(Fault::from)?
        {
            return Ok(None);
        }
        work(tx).map(Some)
    });
    outcome.await?.transpose().ok_or(Error::NotFound)
}

impl Meant {
    /// The token's id, as it was written; empty where none is named.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }
}

impl Whose {
    /// Find out whose tokens are meant. For who does not keep it, there is no such service account.
    pub async fn of(person: &SignedIn, meant: &Meant) -> Result<Self, Error> {
        let keeper = person.user.id;
        let Some(account) = &meant.account else {
            return Ok(Self {
                owner: person.user.clone(),
                home: routes::TOKENS.to_owned(),
                here: "tokens",
                keepers: vec![],
                person: keeper,
            });
        };
        let ServiceAccount { user, keepers } = service_account(person, account, false).await?;
        Ok(Self {
            home: format!("{}/{}/tokens", routes::SERVICE_ACCOUNTS, user.username),
            here: "service-accounts",
            owner: user,
            keepers,
            person: keeper,
        })
    }

    /// The service account's name, if they are none of the person's own.
    pub fn service(&self) -> Option<&str> {
        let service = Some(&self.owner).filter(|owner| owner.is_service());
        service.map(|owner| owner.username.as_str())
    }

    /// What the service account is for, if anybody has said so.
    pub fn description(&self) -> Option<&str> {
        let description = self.owner.description.as_deref();
        description.filter(|text| !text.is_empty())
    }

    /// Change something about these tokens, if the person still is signed in, and still a keeper, when it comes to that.
    pub async fn write<T, E>(
        &self,
        person: &SignedIn,
        work: impl FnOnce(&mut Tx) -> Result<T, E> + Send + 'static,
    ) -> Result<Result<T, E>, Error>
    where
        T: Send + 'static,
        E: Refusal + Send + 'static,
    {
        let kept = self.owner.is_service().then_some(self.owner.id);
        write_as_keeper(person, kept, work).await
    }

    /// Who did something to one of these tokens, as the person would say it.
    pub fn who(&self, actor: &str) -> String {
        let did = |id: Id| actor == Actor::User(id).to_string();
        if let Some(keeper) = self.keepers.iter().find(|keeper| did(keeper.id))
            && keeper.id != self.person
        {
            return keeper.username.clone();
        }
        if did(self.person) {
            "you"
        } else if did(self.owner.id) {
            "the service account itself"
        } else if actor.starts_with("user:") && self.service().is_some() {
            "an administrator or a former keeper"
        } else if actor.starts_with("user:") {
            "an administrator"
        } else if actor.starts_with("client:") {
            "an app"
        } else if actor == Actor::CommandLine.to_string() {
            "the operator"
        } else {
            "whoever held it"
        }
        .to_owned()
    }
}
