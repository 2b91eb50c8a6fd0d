//! Rotation without downtime: a successor takes over, and the old token works until the new one has been used (and a
//! little longer, so that every machine can switch), or until a deadline.
//!
//! Both stand under one grant, the family: name, scope and audience are its, and ending it ends both.

use std::net::IpAddr;
use std::time::Duration;

use diesel::prelude::*;

use super::rules::{Problem, Rights, check_limits, days};
use super::{End, PersonalToken, State};
use crate::clock::Timestamp;
use crate::db::schema::{grants, tokens};
use crate::db::{self, Fault};
use crate::domain::audit::{Event, What};
use crate::domain::deed::Deed;
use crate::domain::grant::{Because, Grant};
use crate::domain::id::Id;
use crate::domain::letter::Letter;
use crate::domain::mail;
use crate::domain::policy::OnReuse;
use crate::domain::resource::Catalogue;
use crate::domain::secret::Secret;
use crate::domain::token::{NewToken, Token, TokenKind};
use crate::domain::tx::{Caller, Tx};
use crate::domain::user::User;

/// The longest time for which two tokens may do the work of one.
pub const LONGEST_OVERLAP: Duration = days(7);

/// One token's reuse is reported at most this often.
const REPORTED_EACH: Duration = days(1);

/// What a rotation is to be.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rotation {
    /// How long the old token goes on working if the new one is not used; `None` for what is usual here.
    pub overlap: Option<Duration>,
    /// When the successor ends; `None` for a life as long as the old one's.
    pub end: Option<End>,
    /// Whether the token rotates itself: then its owner is not told each time.
    pub by_itself: bool,
}

/// What came of a rotation. The secret is in this answer and nowhere else.
#[derive(Debug)]
pub struct Rotated {
    pub successor: PersonalToken,
    pub secret: Secret,
    pub predecessor: PersonalToken,
}

/// The tokens that stand under one grant.
struct Family {
    /// The one that has no successor.
    current: PersonalToken,
    /// Those that have one.
    earlier: Vec<Token>,
}

impl Family {
    /// The family of `member`, held so that nobody else changes it meanwhile.
    fn held(tx: &mut Tx, member: &PersonalToken) -> Result<Self, Problem> {
        let owner = member.owner()?;
        db::hold_user(tx, owner.as_bytes())?;
        let all: Vec<Token> = tokens::table
            .filter(tokens::grant_id.eq(member.grant.id))
            .select(Token::as_select())
            .load(&mut **tx)?;
        let (mut current, earlier): (Vec<Token>, Vec<Token>) =
            all.into_iter().partition(|token| token.spent_at.is_none());
        let current = current.pop().ok_or(Problem::NotLive)?;
        match PersonalToken::find(tx, current.id)? {
            Some(current) if current.grant.revoked_at.is_none() => Ok(Self { current, earlier }),
            _ => Err(Problem::NotLive),
        }
    }

    /// The token that the current one took over from.
    fn predecessor(&self) -> Option<&Token> {
        let id = self.current.token.predecessor_id?;
        self.earlier.iter().find(|token| token.id == id)
    }

    /// Those that still work beside the current one.
    fn overlapping(&self, now: Timestamp) -> impl Iterator<Item = &Token> {
        self.earlier.iter().filter(move |token| token.overlaps(now))
    }
}

impl PersonalToken {
    /// Give this token a successor with its name, scope, audience and life. It goes on working until the successor has been
    /// used, or until the overlap is over. A successor that was never used is replaced by the new one: so an answer that was
    /// lost is no harm. An expired token can be rotated, and stays expired.
    pub fn rotate(&self, tx: &mut Tx, rotation: Rotation) -> Result<Rotated, Problem> {
        let (now, policy) = (tx.now, &tx.token_policy()?);
        let overlap = rotation.overlap.unwrap_or(policy.overlap);
        if overlap > LONGEST_OVERLAP {
            return Err(Problem::OverlapTooLong);
        }
        let family = Family::held(tx, self)?;
        family.current.check_decided()?;
        let owner = User::find(tx, self.owner()?)?.ok_or(Fault::Broken("an owner is gone"))?;
        let maker = Self::maker(tx, &owner)?;
        Self::check_may_create(tx, policy, &owner, maker.as_ref())?;
        let PersonalToken {
            token: current,
            grant,
        } = &family.current;
        let rights = Rights {
            scope: &grant.scope,
            audience: &grant.audience,
            details: grant.authorization_details.as_ref(),
        };
        rights.check(&Catalogue::load(tx)?, &owner)?;
        let end = rotation.end.unwrap_or_else(|| same_life(current, now));
        check_limits(&grant.limits, end)?;
        policy.check_end(end, &grant.scope, now)?;
        policy.check_networks(&grant.limits, &grant.scope)?;
        if family.current.state(now) == State::Expired {
            // It comes back under its old name, if nobody has taken that meanwhile.
            Self::check_room(tx, owner.id, self.name(), policy.per_user)?;
        }

        let until = now.whole_second() + overlap;
        let unused = current.first_used_at.is_none();
        let predecessor = match family.predecessor().filter(|_| unused) {
            Some(predecessor) => {
                spend(tx, current, now.whole_second())?;
                if predecessor.overlaps(now) {
                    overlap_until(tx, predecessor, until)?;
                }
                predecessor
            }
            None if self.token.id != current.id => return Err(Problem::AlreadyRotated),
            None => {
                spend(tx, current, until)?;
                current
            }
        };
        let secret = tx.policy.brands.mint(owner.token_secret());
        let new = NewToken {
            secret: &secret,
            grant_id: grant.id,
            kind: TokenKind::Personal,
            expires_at: end.at(),
            scope: None,
            audience: None,
        };
        let successor = Token::issue(tx, new)?;
        diesel::update(tokens::table.find(successor.hash))
            .set(tokens::predecessor_id.eq(predecessor.id))
            .execute(&mut **tx)?;
        tx.did(Deed::Issued(TokenKind::Personal, None));
        let detail = format!("{} takes over", successor.id);
        let rotated = Event::new(What::TokenRotated).grant(grant);
        tx.record(rotated.token(predecessor.id).detail(detail))?;
        let mut found =
            |id: Id| Self::find(tx, id)?.ok_or(Fault::Broken("a rotated token is gone"));
        let (successor, predecessor) = (found(successor.id)?, found(predecessor.id)?);
        if !rotation.by_itself {
            let works = predecessor.state(now) == State::Rotating;
            let letter = Letter::Rotated {
                token: &successor,
                old_until: predecessor.token.overlap_until.filter(|_| works),
            };
            mail::tell(tx, owner.id, &letter)?;
        }
        Ok(Rotated {
            successor,
            secret,
            predecessor,
        })
    }

    /// End the overlap now: only the current token of this family works from here on.
    pub fn finish_rotation(&self, tx: &mut Tx) -> Result<(), Problem> {
        let family = Family::held(tx, self)?;
        let now = tx.now;
        let mut overlapping = family.overlapping(now).peekable();
        if overlapping.peek().is_none() {
            return Err(Problem::NotRotating);
        }
        for token in overlapping {
            overlap_until(tx, token, now.whole_second())?;
            record(tx, What::TokenOverlapEnded, &family.current.grant, token)?;
        }
        Ok(())
    }

    /// Undo the rotation: the successor, which nobody has used, ends, and the old token is the current one again.
    pub fn cancel_rotation(&self, tx: &mut Tx) -> Result<PersonalToken, Problem> {
        let family = Family::held(tx, self)?;
        let (now, current) = (tx.now, &family.current.token);
        let predecessor = family.predecessor().filter(|token| token.overlaps(now));
        let predecessor = predecessor.ok_or(Problem::NotRotating)?;
        if current.first_used_at.is_some() {
            return Err(Problem::SuccessorUsed);
        }
        spend(tx, current, now.whole_second())?;
        diesel::update(tokens::table.find(predecessor.hash))
            .set((
                tokens::spent_at.eq(None::<Timestamp>),
                tokens::overlap_until.eq(None::<Timestamp>),
            ))
            .execute(&mut **tx)?;
        record(
            tx,
            What::TokenRotationCancelled,
            &family.current.grant,
            current,
        )?;
        let restored = Self::find(tx, predecessor.id)?;
        Ok(restored.ok_or(Fault::Broken("the restored token is gone"))?)
    }

    /// End this token alone, by who holds it: an old one leaves its successor be, the current one takes its family with it.
    /// Whether it had not ended before.
    pub fn give_back(&self, tx: &mut Tx, because: &Because) -> QueryResult<bool> {
        if self.token.spent_at.is_none() {
            return self.grant.end(tx, because);
        }
        if self.grant.revoked_at.is_some() || !self.token.overlaps(tx.now) {
            return Ok(false);
        }
        let now = tx.now.whole_second();
        overlap_until(tx, &self.token, now)?;
        record(tx, What::TokenOverlapEnded, &self.grant, &self.token)?;
        Ok(true)
    }

    /// Note that this token was used for the first time, at `at`. What it took over from works only a little longer.
    pub fn note_first_use(
        tx: &mut Tx,
        id: Id,
        at: Timestamp,
        from: Option<IpAddr>,
    ) -> QueryResult<()> {
        let unused = tokens::table
            .filter(tokens::id.eq(id))
            .filter(tokens::first_used_at.is_null());
        let first = diesel::update(unused).set(tokens::first_used_at.eq(at));
        if first.execute(&mut **tx)? == 0 {
            return Ok(());
        }
        let Some(used) = Self::find(tx, id)? else {
            return Ok(());
        };
        if used.token.predecessor_id.is_some() {
            let drained = at.whole_second() + tx.policy.personal.drain;
            let family = tokens::table
                .filter(tokens::grant_id.eq(used.grant.id))
                .filter(tokens::id.ne(id))
                .filter(tokens::overlap_until.gt(drained));
            diesel::update(family)
                .set(tokens::overlap_until.eq(drained))
                .execute(&mut **tx)?;
        }
        let event = Event::new(What::TokenFirstUsed).grant(&used.grant);
        tx.record(event.token(id).by(Caller::system_from(from)))
    }

    /// Note that this token was used, at `at`, after its successor had taken over. Reported once a day; whether it ends the
    /// family too is the operator's decision.
    pub fn note_reuse(
        tx: &mut Tx,
        id: Id,
        at: Timestamp,
        from: Option<IpAddr>,
    ) -> Result<(), Fault> {
        let unreported = tokens::reused_at
            .is_null()
            .or(tokens::reused_at.lt(at - REPORTED_EACH));
        let over = tokens::table
            .filter(tokens::id.eq(id))
            .filter(tokens::overlap_until.le(at))
            .filter(unreported);
        let reported = diesel::update(over).set(tokens::reused_at.eq(at));
        if reported.execute(&mut **tx)? == 0 {
            return Ok(());
        }
        let Some(reused) = Self::find(tx, id)? else {
            return Ok(());
        };
        let event = Event::new(What::TokenReuseDetected).grant(&reused.grant);
        tx.record(event.token(id).by(Caller::system_from(from)))?;
        if tx.policy.personal.on_reuse == OnReuse::Revoke {
            reused.grant.revoke(tx, &Because::Reused)?;
        }
        mail::tell(tx, reused.owner()?, &Letter::ReuseDetected(&reused))
    }

    /// Remove up to `limit` tokens whose successors took over long ago.
    pub fn purge_rotated(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<PersonalToken> = tokens::table
            .inner_join(grants::table)
            .filter(tokens::overlap_until.lt(tx.now - super::ending::REVOKED_SHOWN))
            .order(tokens::overlap_until)
            .limit(limit)
            .select((Token::as_select(), Grant::as_select()))
            .load::<(Token, Grant)>(&mut **tx)?
            .into_iter()
            .map(PersonalToken::from)
            .collect();
        for old in &over {
            record(tx, What::TokenPurged, &old.grant, &old.token)?;
        }
        let hashes: Vec<_> = over.iter().map(|old| old.token.hash).collect();
        diesel::delete(tokens::table.filter(tokens::hash.eq_any(hashes))).execute(&mut **tx)
    }
}

/// The end of a successor, made at `now`, that lives as long as `token` was given to live.
pub fn same_life(token: &Token, now: Timestamp) -> End {
    match token.expires_at {
        Some(end) => {
            let life = end.whole_second().since(token.created_at.whole_second());
            End::At(now.whole_second() + life)
        }
        None => End::Never,
    }
}

/// Let `token` be one that has a successor, and works until `end`.
fn spend(tx: &mut Tx, token: &Token, end: Timestamp) -> QueryResult<()> {
    let spent = (tokens::spent_at.eq(tx.now), tokens::overlap_until.eq(end));
    diesel::update(tokens::table.find(token.hash))
        .set(spent)
        .execute(&mut **tx)
        .map(drop)
}

fn overlap_until(tx: &mut Tx, token: &Token, end: Timestamp) -> QueryResult<()> {
    diesel::update(tokens::table.find(token.hash))
        .set(tokens::overlap_until.eq(end))
        .execute(&mut **tx)
        .map(drop)
}

fn record(tx: &mut Tx, what: What, grant: &Grant, token: &Token) -> QueryResult<()> {
    tx.record(Event::new(what).grant(grant).token(token.id))
}
