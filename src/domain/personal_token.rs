//! Personal access tokens: what people make for their own scripts. A grant of its owner to itself, with a name.

pub mod filter;
mod fitting;
mod rules;
pub mod search;

use std::time::Duration;

use diesel::prelude::*;

use super::audit::{Event, What};
use super::client::{Client, PERSONAL_ACCESS_TOKEN};
use super::cut_off::CutOffs;
use super::deed::Deed;
use super::grant::{Because, Grant, NewGrant, Origin, Via};
use super::id::Id;
use super::policy::PersonalTokenPolicy;
use super::resource::Catalogue;
use super::secret::{Secret, SecretKind};
use super::token::{NewToken, Token, TokenKind};
use super::tx::Tx;
use super::user::User;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens};
use crate::db::{self, Conn, Fault};

use rules::{LAST_MOMENT, check_scope, checked_description, checked_name};
pub use rules::{PRESETS, Problem, days, grantable};

/// How long an expired token is shown to its owner.
const EXPIRED_SHOWN: Duration = days(30);
/// How long a revoked one is.
const REVOKED_SHOWN: Duration = days(90);

/// A personal access token with its grant.
#[derive(Debug, Clone)]
pub struct PersonalToken {
    pub token: Token,
    pub grant: Grant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    Expired,
    Revoked,
}

impl State {
    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Expired => "expired",
            State::Revoked => "revoked",
        }
    }
}

/// When a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    At(Timestamp),
    Never,
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewPersonalToken {
    pub name: String,
    pub description: String,
    pub scope: Scope,
    pub audience: Audience,
    pub end: End,
}

/// What of a token is to change; `None` leaves it as it is.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub name: Option<String>,
    pub description: Option<String>,
    pub scope: Option<Scope>,
    pub end: Option<Timestamp>,
}

impl PersonalToken {
    /// What has become of it at `now`, as its owner is told. A disabled owner is not looked at.
    pub fn state(&self, now: Timestamp) -> State {
        if self.grant.revoked_at.is_some() {
            State::Revoked
        } else if self.token.is_expired(now) {
            State::Expired
        } else {
            State::Active
        }
    }

    /// What its owner calls it.
    pub fn name(&self) -> &str {
        self.grant.name.as_deref().unwrap_or_default()
    }

    /// All tokens of `owner`, ended ones too, newest first.
    pub fn all_of(conn: &mut Conn, owner: Id) -> QueryResult<Vec<PersonalToken>> {
        let found: Vec<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(grants::user_id.eq(owner))
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .order((grants::created_at.desc(), tokens::id.desc()))
            .select((Token::as_select(), Grant::as_select()))
            .load(conn)?;
        CutOffs::shown(conn, found)
    }

    /// The token of this public id, if it is `owner`'s.
    pub fn owned_by(conn: &mut Conn, owner: Id, id: Id) -> QueryResult<Option<PersonalToken>> {
        Ok(Self::find(conn, id)?.filter(|found| found.grant.user_id == Some(owner)))
    }

    /// The token of this public id, whosever it is.
    pub fn find(conn: &mut Conn, id: Id) -> QueryResult<Option<PersonalToken>> {
        let found: Option<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(tokens::id.eq(id))
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .select((Token::as_select(), Grant::as_select()))
            .get_result(conn)
            .optional()?;
        Ok(CutOffs::shown(conn, Vec::from_iter(found))?.pop())
    }

    /// `owner`'s live token of this name.
    pub fn named(
        conn: &mut Conn,
        owner: Id,
        name: &str,
        now: Timestamp,
    ) -> QueryResult<Option<PersonalToken>> {
        let live = Self::live_of(conn, owner, now)?;
        Ok(live.into_iter().find(|token| token.name() == name.trim()))
    }

    /// Make a token for `owner`. The secret is in this answer and nowhere else.
    pub fn create(
        tx: &mut Tx,
        owner: &User,
        new: NewPersonalToken,
        via: Via,
    ) -> Result<(PersonalToken, Secret), Problem> {
        let policy = &tx.policy.personal;
        Self::check_may_create(tx, policy, owner)?;
        let name = checked_name(&new.name)?;
        let description = checked_description(&new.description)?;
        let catalogue = Catalogue::load(tx)?;
        check_scope(&catalogue, owner, &new.scope, &new.audience)?;
        policy.check_end(new.end, tx.now)?;
        db::hold_user(tx, owner.id.as_bytes())?;
        let now = tx.now;
        let live = Self::live_of(tx, owner.id, now)?;
        check_name_free(&live, &name)?;
        if live.len() >= policy.per_user {
            return Err(Problem::LimitReached(policy.per_user));
        }

        let grant = Grant::create(
            tx,
            NewGrant {
                user_id: Some(owner.id),
                client_id: PERSONAL_ACCESS_TOKEN,
                origin: Origin::Personal,
                scope: &new.scope,
                audience: &new.audience,
                name: Some(&name),
                description: Some(&description),
                via,
                auth_time: None,
            },
        )?;
        let secret = tx.policy.brands.mint(SecretKind::PersonalAccessToken);
        let token = Token::issue(
            tx,
            NewToken {
                secret: &secret,
                grant_id: grant.id,
                kind: TokenKind::Personal,
                expires_at: match new.end {
                    End::At(end) => Some(end),
                    End::Never => None,
                },
                scope: None,
                audience: None,
            },
        )?;
        tx.did(Deed::Issued(TokenKind::Personal, None));
        Ok((PersonalToken { token, grant }, secret))
    }

    /// Rename, describe, narrow, shorten, in place. More scope or a longer life needs a new token.
    pub fn change(&self, tx: &mut Tx, changes: Changes) -> Result<PersonalToken, Problem> {
        let owner = self
            .grant
            .user_id
            .ok_or(Fault::Broken("a personal token has no owner"))?;
        db::hold_user(tx, owner.as_bytes())?;
        // As it is now that nobody else can change it: of two that narrow at once, the second must not widen again.
        let current = Self::find(tx, self.token.id)?.ok_or(Problem::NotLive)?;
        if current.state(tx.now) != State::Active {
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
        current.check_narrower(&scope, changes.end, tx.now)?;
        if name != current.name() {
            let now = tx.now;
            check_name_free(&Self::live_of(tx, owner, now)?, &name)?;
        }

        // A resource server of whose scopes none is left has no business with the token any more.
        let meant = Catalogue::load(tx)?.audience_of(&scope);
        let audience = current.grant.audience.shared_with(&meant);
        diesel::update(grants::table.find(self.grant.id))
            .set((
                grants::name.eq(&name),
                grants::description.eq(&description),
                grants::scope.eq(&scope),
                grants::audience.eq(&audience),
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
                .detail(&name),
        )?;
        Ok(Self::find(tx, self.token.id)?.ok_or(Fault::Broken("the changed token is gone"))?)
    }

    fn check_narrower(
        &self,
        scope: &Scope,
        end: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        if scope.is_empty() {
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

    /// End the token, at once and for ever. A second time changes nothing.
    pub fn revoke(&self, tx: &mut Tx, because: &Because) -> QueryResult<()> {
        self.grant.revoke(tx, because)
    }

    /// Remove up to `limit` tokens that ended long ago, with a record of each: expired ones are shown for 30 days, revoked
    /// ones for 90.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let expired = tokens::expires_at.lt(tx.now - EXPIRED_SHOWN);
        let revoked = grants::revoked_at.lt(tx.now - REVOKED_SHOWN);
        let over: Vec<Grant> = tokens::table
            .inner_join(grants::table)
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .filter(revoked.or(grants::revoked_at.is_null().and(expired)))
            .order(grants::id)
            .limit(limit)
            .select(Grant::as_select())
            .load(&mut **tx)?;
        for grant in &over {
            let name = grant.name.clone().unwrap_or_default();
            tx.record(Event::new(What::TokenPurged).grant(grant).detail(name))?;
        }
        let ids: Vec<Id> = over.iter().map(|grant| grant.id).collect();
        // Its token goes with it.
        diesel::delete(grants::table.filter(grants::id.eq_any(ids))).execute(&mut **tx)
    }

    /// End all live tokens of `owner`; how many there were.
    pub fn revoke_all_of(tx: &mut Tx, owner: Id, because: &Because) -> QueryResult<usize> {
        let now = tx.now;
        let live = Self::live_of(tx, owner, now)?;
        live.iter()
            .try_for_each(|token| token.revoke(tx, because))?;
        Ok(live.len())
    }

    /// The tokens of `owner` that have not ended.
    fn live_of(conn: &mut Conn, owner: Id, now: Timestamp) -> QueryResult<Vec<PersonalToken>> {
        let unrevoked: Vec<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(grants::user_id.eq(owner))
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .filter(grants::revoked_at.is_null())
            .select((Token::as_select(), Grant::as_select()))
            .load(conn)?;
        let mut live = CutOffs::shown(conn, unrevoked)?;
        live.retain(|token| token.state(now) == State::Active);
        Ok(live)
    }

    /// Whether `owner` may make tokens at all; why not, if not.
    pub fn check_may_create(
        conn: &mut Conn,
        policy: &PersonalTokenPolicy,
        owner: &User,
    ) -> Result<(), Problem> {
        if !owner.is_enabled() {
            return Err(Problem::OwnerDisabled);
        }
        policy.check_creator(owner)?;
        match Client::find(conn, PERSONAL_ACCESS_TOKEN)?.filter(Client::is_enabled) {
            Some(_) => Ok(()),
            None => Err(Problem::SwitchedOff),
        }
    }
}

impl From<(Token, Grant)> for PersonalToken {
    fn from((token, grant): (Token, Grant)) -> Self {
        Self { token, grant }
    }
}

/// A name is one live token's at a time.
fn check_name_free(live: &[PersonalToken], name: &str) -> Result<(), Problem> {
    if live.iter().any(|token| token.name() == name) {
        return Err(Problem::NameTaken);
    }
    Ok(())
}
