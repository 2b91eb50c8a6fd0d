//! The end of personal access tokens, which comes by itself: it is recorded when it is noticed.

use std::time::Duration;

use diesel::dsl::{exists, min, not};
use diesel::prelude::*;

use super::audit::{Event, What};
use super::grant::Grant;
use super::id::Id;
use super::letter::length;
use super::limits::lain_unused;
use super::token::TokenKind;
use super::tx::Tx;
use crate::clock::Timestamp;
use crate::db::schema::{audit_events, audit_progress, grants, tokens};

/// The one row of `audit_progress`.
const ROW: i32 = 1;
/// How much time is looked through at once: among the tokens that ended are those of apps, and there may be many.
const STEP: Duration = Duration::from_secs(60 * 60);
/// How far it is looked back: a change of a token's end may be committed later than it was made.
const BACK: Duration = Duration::from_secs(60);
/// How much later than a use it may be that it is written: what lies unused is looked at when that is over.
const LATE: Duration = Duration::from_secs(120);

/// That the end of a token is recorded.
macro_rules! recorded {
    () => {
        audit_events::table
            .filter(audit_events::token_id.eq(tokens::id.nullable()))
            .filter(audit_events::event.eq(What::TokenExpired.as_str()))
    };
}

/// Record up to `limit` personal access tokens that have ended since it was last looked and are not revoked; whether there
/// may be more. The first time it is only noted from when on to look.
pub fn note(tx: &mut Tx, limit: i64) -> QueryResult<bool> {
    let progress = audit_progress::table.find(ROW);
    let from: Timestamp = progress
        .select(audit_progress::expiries_until)
        .get_result(&mut **tx)?;
    // As `exp` has it, what ends in this second has ended.
    let end = tx.now.whole_second() + Duration::from_secs(1);
    let is_first = from.millis() == 0;
    let mut until = if is_first { end } else { end.min(from + STEP) };
    let mut over: Vec<(Id, Grant)> = vec![];
    if !is_first {
        over = tokens::table
            .inner_join(grants::table)
            .filter(tokens::expires_at.ge(from - BACK))
            .filter(tokens::expires_at.lt(until))
            .filter(tokens::kind.eq(TokenKind::Personal))
            .filter(tokens::revoked_at.is_null())
            .filter(tokens::spent_at.is_null())
            .filter(grants::revoked_at.is_null())
            .filter(not(exists(recorded!())))
            .order((tokens::expires_at, tokens::id))
            .limit(limit)
            .select((tokens::id, Grant::as_select()))
            .load(&mut **tx)?;
    }
    for (token, grant) in &over {
        let name = grant.name.clone().unwrap_or_default();
        let ended = Event::new(What::TokenExpired).grant(grant).token(*token);
        tx.record(ended.detail(name))?;
    }
    if over.len() as i64 == limit {
        return Ok(true);
    }
    if until < end {
        // Where nothing ends, years are one step.
        let later = tokens::table.filter(tokens::expires_at.ge(until));
        let next: Option<Timestamp> = later
            .select(min(tokens::expires_at))
            .get_result(&mut **tx)?;
        until = next.map_or(end, |next| next.min(end));
    }
    if !is_first {
        let unused = unused_between(tx, from - BACK - LATE, until - LATE, limit)?;
        for (token, grant) in &unused {
            let name = grant.name.clone().unwrap_or_default();
            let life = grant.limits.idle_life().unwrap_or_default();
            let ended = Event::new(What::TokenExpired).grant(grant).token(*token);
            tx.record(ended.detail(format!("{name}: not used for {}", length(life))))?;
        }
        if unused.len() as i64 == limit {
            return Ok(true);
        }
    }
    if from < until {
        diesel::update(progress)
            .set(audit_progress::expiries_until.eq(until))
            .execute(&mut **tx)?;
    }
    Ok(until < end)
}

/// Up to `limit` of those that came to lie unused for too long in this time, and are not recorded yet.
fn unused_between(
    tx: &mut Tx,
    from: Timestamp,
    until: Timestamp,
    limit: i64,
) -> QueryResult<Vec<(Id, Grant)>> {
    let moment = Duration::from_millis(1);
    tokens::table
        .inner_join(grants::table)
        .filter(grants::idle_life.gt(0))
        .filter(tokens::kind.eq(TokenKind::Personal))
        .filter(lain_unused!(1000, until - moment))
        .filter(not(lain_unused!(1000, from - moment)))
        .filter(tokens::spent_at.is_null())
        .filter(grants::revoked_at.is_null())
        .filter(not(exists(recorded!())))
        .order((grants::idle_life, tokens::id))
        .limit(limit)
        .select((tokens::id, Grant::as_select()))
        .load(&mut **tx)
}
