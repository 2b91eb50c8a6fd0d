//! Changing a token in place: less of everything, another name, other networks.

use diesel::prelude::*;

use super::rules::{LAST_MOMENT, Problem, check_limits, checked_description, checked_name};
use super::{End, PersonalToken, check_name_free};
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens};
use crate::db::{self, Fault};
use crate::domain::audit::{Event, What};
use crate::domain::authorization_details::{AuthorizationDetails, Detail};
use crate::domain::limits::Networks;
use crate::domain::resource::Catalogue;
use crate::domain::tx::Tx;
use crate::domain::words::{Audience, Scope};

/// What of a token is to change; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub description: Option<String>,
    pub scope: Option<Scope>,
    /// What of its authorization details stays: some of the objects, each with all of its actions or some.
    pub authorization_details: Option<Vec<Detail>>,
    pub end: Option<Timestamp>,
    /// From where it may be used; empty for anywhere.
    pub networks: Option<Networks>,
}

impl PersonalToken {
    /// Rename, describe, narrow, shorten, in place. More scope or a longer life needs a new token.
    pub fn change(&self, tx: &mut Tx, changes: Changes) -> Result<PersonalToken, Problem> {
        let owner = self.owner()?;
        db::hold_user(tx, owner.as_bytes())?;
        // As it is now that nobody else can change it: of two that narrow at once, the second must not widen again.
        let current = Self::find(tx, self.token.id)?.ok_or(Problem::NotLive)?;
        if !current.is_live(tx.now) {
            return Err(Problem::NotLive);
        }
        let name = match &changes.name {
            Some(name) => checked_name(name)?,
            None => current.name().to_owned(),
        };
        let description = match &changes.description {
            Some(description) => checked_description(description)?,
            None => current.grant.description.clone().unwrap_or_default(),
        };
        let scope = changes.scope.unwrap_or_else(|| current.grant.scope.clone());
        let own = current.grant.authorization_details.as_ref();
        let details = match &changes.authorization_details {
            Some(objects) => {
                AuthorizationDetails::narrowed(own, objects).map_err(Problem::WideningDetails)?
            }
            None => own.cloned(),
        };
        current.check_narrower(&scope, details.as_ref(), changes.end, tx.now)?;
        let mut limits = current.grant.limits.clone();
        if let Some(networks) = changes.networks {
            limits.confine_to(networks);
        }
        if limits != current.grant.limits {
            current.check_decided()?;
        }
        check_limits(&limits, current.end())?;
        if limits.networks.is_none() && current.grant.limits.networks.is_some() {
            tx.token_policy()?.check_networks(&limits, &scope)?;
        }
        if name != current.name() {
            let now = tx.now;
            check_name_free(&Self::live_of(tx, owner, now)?, &name)?;
        }

        let audience = current.audience_left(&scope, details.as_ref(), &Catalogue::load(tx)?);
        diesel::update(grants::table.find(self.grant.id))
            .set((
                grants::name.eq(&name),
                grants::description.eq(&description),
                grants::scope.eq(&scope),
                grants::audience.eq(&audience),
                grants::authorization_details.eq(&details),
                &limits,
            ))
            .execute(&mut **tx)?;
        if let Some(end) = changes.end {
            diesel::update(tokens::table.find(self.token.hash))
                .set(tokens::expires_at.eq(end))
                .execute(&mut **tx)?;
        }
        tx.record(
            Event::new(What::TokenChanged)
                .grant(&self.grant)
                .token(self.token.id)
                .detail(&name),
        )?;
        Ok(Self::find(tx, self.token.id)?.ok_or(Fault::Broken("the changed token is gone"))?)
    }

    /// What an administrator decides about is what they see.
    pub(super) fn check_decided(&self) -> Result<(), Problem> {
        match self.grant.pending_since {
            Some(_) => Err(Problem::Pending),
            None => Ok(()),
        }
    }

    fn end(&self) -> End {
        self.token.expires_at.map_or(End::Never, End::At)
    }

    /// Where it is good with this much left of it: a resource server of whose scopes and details none is left has no business
    /// with it any more. Details whose type is gone may be of any of them, and of the same again if it comes back.
    fn audience_left(
        &self,
        scope: &Scope,
        details: Option<&AuthorizationDetails>,
        catalogue: &Catalogue,
    ) -> Audience {
        let before = self.grant.authorization_details.as_ref();
        let had = catalogue.audience_of_all(&self.grant.scope, before);
        let needed = catalogue.audience_of_all(scope, details);
        let types = details.map(AuthorizationDetails::types);
        let is_clear = types.is_none_or(|types| {
            types
                .iter()
                .all(|name| catalogue.details_type(name).is_some())
        });
        let is_needed = |uri: &str| !is_clear || needed.contains(uri) || !had.contains(uri);
        self.grant.audience.only(is_needed)
    }

    fn check_narrower(
        &self,
        scope: &Scope,
        details: Option<&AuthorizationDetails>,
        end: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if scope.is_empty() && details.is_none() {
            return Err(Problem::NoScope);
        }
        if !self.grant.scope.covers(scope) {
            let wider = scope.only(|word| !self.grant.scope.contains(word));
            return Err(Problem::Widening(wider.to_string()));
        }
        match (end, self.token.expires_at) {
            (Some(end), _) if end.seconds() <= now.seconds() => Err(Problem::EndPassed),
            (Some(end), _) if end > LAST_MOMENT => Err(Problem::EndBeyondPolicy(LAST_MOMENT)),
            (Some(end), Some(current)) if end > current => Err(Problem::Lengthening),
            _ => Ok(()),
        }
    }
}
