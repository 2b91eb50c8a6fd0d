//! Reminders: owners are told that a personal access token ends soon, and that it has ended. Each stage of a token is told
//! once, whoever tells it, and an owner gets one letter a day.

use std::time::Duration;

use diesel::dsl::{exists, max, not};
use diesel::prelude::*;

use super::audit::{Event, What};
use super::grant::Grant;
use super::id::Id;
use super::letter::Letter;
use super::mail;
use super::personal_token::{PersonalToken, days};
use super::token::Token;
use super::tx::{Rx, Tx};
use crate::clock::Timestamp;
use crate::db::schema::{grants, reminders, tokens, users};
use crate::db::{self, Conn, Fault};

/// Who was not told for so long that a token has ended has found out.
const MISSED: Duration = days(7);
/// Tokens told of in one letter; more are told of the next day.
const A_LETTER: i64 = 100;
/// How long it is kept what was told: longer than any of it could be told again.
const KEPT: Duration = days(90);

/// How near the end of a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Ended,
    Day,
    Week,
    Month,
}

impl Stage {
    /// The most urgent first.
    pub const ALL: [Stage; 4] = [Stage::Ended, Stage::Day, Stage::Week, Stage::Month];

    /// How many days before the end it begins. It goes on until the next one begins.
    fn days(self) -> u32 {
        match self {
            Stage::Ended => 0,
            Stage::Day => 1,
            Stage::Week => 7,
            Stage::Month => 30,
        }
    }

    /// After when and until when a token ends that is in this stage `ahead` of `now`.
    fn ends(self, now: Timestamp, ahead: Duration) -> (Timestamp, Timestamp) {
        let begin = |stage: Stage| now + days(stage.days().into()) + ahead;
        match self {
            Stage::Ended => (now - MISSED, now),
            Stage::Day => (now, begin(Stage::Day)),
            Stage::Week => (begin(Stage::Day), begin(Stage::Week)),
            Stage::Month => (begin(Stage::Week), begin(Stage::Month)),
        }
    }

    fn event(self) -> Event {
        match self {
            Stage::Ended => Event::new(What::TokenReminded).detail("ended"),
            stage => Event::new(What::TokenReminded).detail(format!("{} days", stage.days())),
        }
    }
}

/// Personal tokens whose owners are to be told of this stage, `ahead` of `now`: those that live longer than the stage, were
/// not revoked or replaced, and of which neither this stage nor a more urgent one was told.
macro_rules! untold {
    ($stage:expr, $now:expr, $ahead:expr) => {{
        let (stage, now): (Stage, Timestamp) = ($stage, $now);
        let (after, until) = stage.ends(now, $ahead);
        let length = i64::from(stage.days()) * 24 * 60 * 60 * 1000;
        let told = reminders::table
            .filter(reminders::token_id.eq(tokens::id))
            .filter(reminders::stage.le(stage.days() as i32));
        tokens::table
            .inner_join(grants::table.inner_join(users::table))
            .filter(db::is_personal())
            .filter(tokens::expires_at.gt(after))
            .filter(tokens::expires_at.le(until))
            .filter(tokens::expires_at.gt((tokens::created_at + length).nullable()))
            .filter(tokens::spent_at.is_null())
            .filter(tokens::revoked_at.is_null())
            .filter(grants::revoked_at.is_null())
            .filter(users::disabled_at.is_null())
            .filter(not(exists(told)))
    }};
}

/// Up to `limit` people who have a token to be told of in this stage, by their ids, beginning after `last`.
pub fn owners(rx: &mut Rx, stage: Stage, last: Option<Id>, limit: i64) -> QueryResult<Vec<Id>> {
    let last = last.unwrap_or(Id::fixed(0));
    untold!(stage, rx.now, Duration::ZERO)
        .filter(users::id.gt(last))
        .select(users::id)
        .distinct()
        .order(users::id)
        .limit(limit)
        .load(&mut **rx)
}

/// Tell one person of all their tokens that there is something to be told of, in one letter, unless they had one today; of
/// how many they were told. What will be due before they may have the next one is told of too.
pub fn remind(tx: &mut Tx, owner: Id) -> Result<usize, Fault> {
    // Another node may be about to do the same.
    db::hold_user(tx, owner.as_bytes())?;
    let now = tx.now;
    let last: Option<Timestamp> = reminders::table
        .filter(reminders::user_id.eq(owner))
        .select(max(reminders::at))
        .get_result(&mut **tx)?;
    let had_one = last.is_some_and(|last| now.since(last) < days(1));
    if had_one || untold_of(tx, owner, now, Duration::ZERO)?.is_empty() {
        return Ok(0);
    }
    let untold = untold_of(tx, owner, now, days(1))?;
    for (stage, token) in &untold {
        diesel::insert_into(reminders::table)
            .values((
                reminders::token_id.eq(token.token.id),
                reminders::stage.eq(stage.days() as i32),
                reminders::user_id.eq(owner),
                reminders::at.eq(now),
            ))
            .execute(&mut **tx)?;
        tx.record(stage.event().grant(&token.grant).token(token.token.id))?;
    }
    let mut told: Vec<PersonalToken> = untold.into_iter().map(|(_, token)| token).collect();
    told.sort_by_key(|token| token.token.expires_at);
    mail::tell(tx, owner, &Letter::Expiring(&told))?;
    Ok(told.len())
}

fn untold_of(
    conn: &mut Conn,
    owner: Id,
    now: Timestamp,
    ahead: Duration,
) -> QueryResult<Vec<(Stage, PersonalToken)>> {
    let mut all = vec![];
    for stage in Stage::ALL {
        let found: Vec<(Token, Grant)> = untold!(stage, now, ahead)
            .filter(users::id.eq(owner))
            .order(tokens::id)
            .limit(A_LETTER - all.len() as i64)
            .select((Token::as_select(), Grant::as_select()))
            .load(conn)?;
        all.extend(found.into_iter().map(|found| (stage, found.into())));
    }
    Ok(all)
}

/// Remove what was told of up to `limit` tokens long ago.
pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
    let over: Vec<Id> = reminders::table
        .filter(reminders::at.lt(tx.now - KEPT))
        .order(reminders::at)
        .limit(limit)
        .select(reminders::token_id)
        .load(&mut **tx)?;
    // With all that was told of these tokens: they ended long ago.
    let rows = diesel::delete(reminders::table.filter(reminders::token_id.eq_any(&over)));
    rows.execute(&mut **tx)
}
