//! Personal access tokens: what people make for their own scripts. A grant of its owner to itself, with a name.

mod approval;
mod batch;
mod changes;
mod ending;
pub mod filter;
mod fitting;
mod maker;
pub mod order;
mod rotation;
mod rules;
pub mod search;
mod state;

use std::time::Duration;

use diesel::prelude::*;

use super::audit::{Event, What};
use super::authorization_details::AuthorizationDetails;
use super::client::PERSONAL_ACCESS_TOKEN;
use super::cut_off::CutOffs;
use super::deed::Deed;
use super::grant::{Grant, NewGrant, Origin, Via};
use super::id::Id;
use super::letter::Letter;
use super::limits::Limits;
use super::mail;
use super::resource::Catalogue;
use super::secret::Secret;
use super::token::{NewToken, Token, TokenKind};
use super::tx::Tx;
use super::user::User;
use super::words::{Audience, Scope};
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens};
use crate::db::{self, Conn, Fault};

pub use batch::Batch;
pub use changes::Changes;
pub use rotation::{LONGEST_OVERLAP, Rotated, Rotation, same_life};
pub(super) use rules::checked_name;
pub use rules::{PRESETS, Problem, days, grantable};
use rules::{Rights, check_limits, checked_description, checked_reason};
pub use state::State;

/// A personal access token with its grant.
#[derive(Debug, Clone)]
pub struct PersonalToken {
    pub token: Token,
    pub grant: Grant,
}

/// When a token ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    At(Timestamp),
    Never,
}

impl End {
    /// The moment, if there is one.
    pub fn at(self) -> Option<Timestamp> {
        match self {
            End::At(end) => Some(end),
            End::Never => None,
        }
    }

    /// How long that is from `now` on; `None` for ever.
    pub fn life(self, now: Timestamp) -> Option<Duration> {
        self.at().map(|end| end.since(now.whole_second()))
    }
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewPersonalToken {
    pub name: String,
    pub description: String,
    pub scope: Scope,
    pub audience: Audience,
    pub authorization_details: Option<AuthorizationDetails>,
    pub end: End,
    pub limits: Limits,
    /// What it is for, in words to the administrator who approves it, where that is needed.
    pub reason: String,
}

impl PersonalToken {
    fn owner(&self) -> Result<Id, Fault> {
        let owner = self.grant.user_id;
        owner.ok_or(Fault::Broken("a personal token has no owner"))
    }

    /// When it will have lain unused for as long as it may, as far as it may be used at all; `None` for never.
    pub fn idle_end(&self) -> Option<Timestamp> {
        let grant = &self.grant;
        if grant.pending_since.is_some() {
            return None;
        }
        let made = Some(self.token.created_at);
        grant
            .limits
            .idle_end([made, grant.approved_at, grant.last_used_at])
    }

    /// Whether it has lain unused for that long.
    pub fn is_idle(&self, now: Timestamp) -> bool {
        self.idle_end().is_some_and(|end| end <= now)
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

    /// [`PersonalToken::all_of`], but for those whose successors have taken over by `now`.
    pub fn shown_of(conn: &mut Conn, owner: Id, now: Timestamp) -> QueryResult<Vec<PersonalToken>> {
        let mut tokens = Self::all_of(conn, owner)?;
        tokens.retain(|token| token.state(now) != State::Rotated);
        Ok(tokens)
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

    /// The token of this one's family that has no successor: itself, unless it was rotated.
    pub fn current(self, conn: &mut Conn) -> QueryResult<Option<PersonalToken>> {
        if self.token.spent_at.is_none() {
            return Ok(Some(self));
        }
        Self::of_grant(conn, self.grant)
    }

    /// The token under this grant that has no successor.
    pub fn of_grant(conn: &mut Conn, grant: Grant) -> QueryResult<Option<PersonalToken>> {
        let current: Option<Token> = tokens::table
            .filter(tokens::grant_id.eq(grant.id))
            .filter(tokens::spent_at.is_null())
            .select(Token::as_select())
            .get_result(conn)
            .optional()?;
        let found = current.map(|token| (token, grant));
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

    /// Make a token for `owner`, as they are now. The secret is in this answer and nowhere else.
    pub fn create(
        tx: &mut Tx,
        owner: &User,
        new: NewPersonalToken,
        via: Via,
    ) -> Result<(PersonalToken, Secret), Problem> {
        let policy = &tx.token_policy()?;
        db::hold_user(tx, owner.id.as_bytes())?;
        let owner = &User::find(tx, owner.id)?.ok_or(Fault::Broken("an owner is gone"))?;
        let maker = Self::maker(tx, owner)?;
        Self::check_may_create(tx, policy, owner, maker.as_ref())?;
        let name = checked_name(&new.name)?;
        let description = checked_description(&new.description)?;
        let catalogue = Catalogue::load(tx)?;
        let rights = Rights {
            scope: &new.scope,
            audience: &new.audience,
            details: new.authorization_details.as_ref(),
        };
        rights.check(&catalogue, owner)?;
        policy.check_end(new.end, &new.scope, tx.now)?;
        policy.check_networks(&new.limits, &new.scope)?;
        check_limits(&new.limits, new.end)?;
        let reason = match policy.holds_back(maker.as_ref(), &tx.caller.actor) {
            true => Some(checked_reason(&new.reason)?),
            false => None,
        };
        Self::check_room(tx, owner.id, &name, policy.per_user)?;

        let grant = Grant::create(
            tx,
            NewGrant {
                user_id: Some(owner.id),
                client_id: PERSONAL_ACCESS_TOKEN,
                origin: Origin::Personal,
                scope: &new.scope,
                audience: &new.audience,
                authorization_details: rights.details,
                name: Some(&name),
                description: Some(&description),
                via,
                auth_time: None,
                limits: &new.limits,
                held_back: reason.as_deref(),
            },
        )?;
        let secret = tx.policy.brands.mint(owner.token_secret());
        let token = Token::issue(
            tx,
            NewToken {
                secret: &secret,
                grant_id: grant.id,
                kind: TokenKind::Personal,
                expires_at: new.end.at(),
                scope: None,
                audience: None,
            },
        )?;
        tx.did(Deed::Issued(TokenKind::Personal, None));
        let made = Event::new(What::TokenCreated).grant(&grant);
        let detail = match rights.details {
            Some(details) => format!("{name}, with details of {}", details.types()),
            None => name,
        };
        tx.record(made.token(token.id).detail(detail))?;
        let made = PersonalToken { token, grant };
        mail::tell(tx, owner.id, &Letter::Added(&made))?;
        Ok((made, secret))
    }

    /// Whether a token of another system can go on under this name, with these rights: the name and the description as they are
    /// kept.
    pub fn check_import(
        tx: &mut Tx,
        catalogue: &Catalogue,
        owner: &User,
        (name, description): (&str, &str),
        scope: &Scope,
        audience: &Audience,
    ) -> Result<(String, String), Problem> {
        if !owner.is_enabled() {
            return Err(Problem::OwnerDisabled);
        }
        let (name, description) = (checked_name(name)?, checked_description(description)?);
        let rights = Rights {
            scope,
            audience,
            details: None,
        };
        rights.check(catalogue, owner)?;
        let now = tx.now;
        check_name_free(&Self::live_of(tx, owner.id, now)?, &name)?;
        Ok((name, description))
    }

    /// The tokens of `owner` that have not ended.
    fn live_of(conn: &mut Conn, owner: Id, now: Timestamp) -> QueryResult<Vec<PersonalToken>> {
        let unrevoked: Vec<(Token, Grant)> = tokens::table
            .inner_join(grants::table)
            .filter(grants::user_id.eq(owner))
            .filter(grants::client_id.eq(PERSONAL_ACCESS_TOKEN))
            .filter(grants::revoked_at.is_null())
            .filter(tokens::spent_at.is_null())
            .select((Token::as_select(), Grant::as_select()))
            .load(conn)?;
        let mut live = CutOffs::shown(conn, unrevoked)?;
        live.retain(|token| token.is_live(now));
        Ok(live)
    }

    /// Whether `owner`, whose row is held, may have one more live token, of this name.
    fn check_room(tx: &mut Tx, owner: Id, name: &str, limit: usize) -> Result<(), Problem> {
        let now = tx.now;
        let live = Self::live_of(tx, owner, now)?;
        check_name_free(&live, name)?;
        match live.len() < limit {
            true => Ok(()),
            false => Err(Problem::LimitReached(limit)),
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
