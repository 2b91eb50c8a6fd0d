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
        let Some(account) = meant.account.clone() else {
            return Ok(Self {
                owner: person.user.clone(),
                home: routes::TOKENS.to_owned(),
                here: "tokens",
                keepers: vec![],
                person: keeper,
            });
        };
        let found = person
            .app
            .query(move |rx| ServiceAccount::meant(rx, &account))
            .await?;
        let kept = found.filter(|account| account.is_kept_by(keeper));
        let ServiceAccount { user, keepers } = kept.ok_or(Error::NotFound)?;
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
        let (owner, keeper) = (self.owner.id, self.person);
        let outcome = person.write(move |tx| {
            let held = owner == keeper
                || ServiceAccount::hold_for(tx, owner, keeper).map_err(Fault::from)?;
            match held {
                true => work(tx).map(Some),
                false => Ok(None),
            }
        });
        outcome.await?.transpose().ok_or(Error::NotFound)
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
