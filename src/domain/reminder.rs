//! Reminders: owners are told that a personal access token ends soon, and that it has ended; of a service account's, its
//! keepers are. Each stage of a token is told to each reader once, whoever tells it, and a reader gets one letter a day.

use std::time::Duration;

use diesel::dsl::{exists, max, not};
use diesel::prelude::*;

use super::audit::{Event, What};
use super::grant::Grant;
use super::id::Id;
use super::letter::Letter;
use super::limits::lain_unused;
use super::mail;
use super::personal_token::{PersonalToken, days};
use super::service_account::ServiceAccount;
use super::token::Token;
use super::tx::{Rx, Tx};
use super::user::{User, UserKind};
use crate::clock::Timestamp;
use crate::db::schema::{grants, reminders, service_account_keepers as keepers, tokens, users};
use crate::db::{self, Conn, Fault};

/// Who was not told for so long that a token has ended has found out.
const MISSED: Duration = days(7);
/// Tokens told of in one letter; more are told of the next day.
const A_LETTER: i64 = 100;
/// How long it is kept what was told: longer than any of it could be told again.
const KEPT: Duration = days(90);

/// The stage under which it is kept that administrators were told of a token that waits for them. It is no number of days
/// that a token could be told of.
pub const WAITS: i32 = 1_001;

/// The same, of one that will have lain unused for as long as it may.
const UNUSED: i32 = 1_000;
/// Its owner is told of that so long before,
const NOTICE: Duration = days(7);
/// or a quarter of its idle life before, if that is less: if its idle life is shorter than this, in seconds.
const LONG_IDLE_LIFE: i64 = 28 * 24 * 60 * 60;

/// What an owner is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    End(Stage),
    /// The token ends soon if it is not used.
    Unused,
}

impl Due {
    /// The most urgent first.
    pub const ALL: [Due; 5] = [
        Due::End(Stage::Ended),
        Due::End(Stage::Day),
        Due::Unused,
        Due::End(Stage::Week),
        Due::End(Stage::Month),
    ];

    /// Under which it is kept that it was told.
    fn stage(self) -> i32 {
        match self {
            Due::End(stage) => stage.days() as i32,
            Due::Unused => UNUSED,
        }
    }

    fn event(self) -> Event {
        let event = Event::new(What::TokenReminded);
        match self {
            Due::End(Stage::Ended) => event.detail("ended"),
            Due::End(stage) => event.detail(format!("{} days", stage.days())),
            Due::Unused => event.detail("unused"),
        }
    }
}

/// How near the end of a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Ended,
    Day,
    Week,
    Month,
}

impl Stage {
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
}

/// Personal tokens of `$owners` of which `$reader` is to be told in this stage, `ahead` of `now`: those that live longer than the
/// stage, were not revoked or replaced, and of which neither this stage nor a more urgent one was told.
macro_rules! untold {
    ($owners:expr, $reader:expr, $stage:expr, $now:expr, $ahead:expr) => {{
        let (stage, now): (Stage, Timestamp) = ($stage, $now);
        let (after, until) = stage.ends(now, $ahead);
        let length = i64::from(stage.days()) * 24 * 60 * 60 * 1000;
        let told = reminders::table
            .filter(reminders::token_id.eq(tokens::id))
            .filter(reminders::stage.le(stage.days() as i32))
            .filter(reminders::user_id.eq($reader));
        tokens::table
            .inner_join(grants::table.inner_join($owners))
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

/// Personal tokens that end for lying unused, and before their own end, of `$owners`, of which `$reader` is to be told `ahead` of `now`
/// and were not since the last use. Who can't use them yet is not told.
macro_rules! unused {
    ($owners:expr, $reader:expr, $now:expr, $ahead:expr) => {{
        let (now, by): (Timestamp, Timestamp) = ($now, $now + $ahead);
        let is_long = grants::idle_life.ge(LONG_IDLE_LIFE);
        let is_short = grants::idle_life.lt(LONG_IDLE_LIFE);
        let near = is_long
            .and(lain_unused!(1000, by + NOTICE))
            .or(is_short.and(lain_unused!(750, by)));
        let told = reminders::table
            .filter(reminders::token_id.eq(tokens::id))
            .filter(reminders::stage.eq(UNUSED))
            .filter(reminders::user_id.eq($reader))
            .filter(
                grants::last_used_at
                    .is_null()
                    .or(grants::last_used_at.le(reminders::at.nullable())),
            );
        tokens::table
            .inner_join(grants::table.inner_join($owners))
            .filter(grants::idle_life.gt(0))
            .filter(db::is_personal())
            .filter(near)
            .filter(not(lain_unused!(1000, now)))
            .filter(
                tokens::expires_at
                    .is_null()
                    .or(lain_unused!(1000, tokens::expires_at)),
            )
            .filter(tokens::spent_at.is_null())
            .filter(grants::revoked_at.is_null())
            .filter(users::disabled_at.is_null())
            .filter(not(exists(told)))
    }};
}

/// Tokens of people for which `$untold` is so, to themselves.
macro_rules! of_people {
    ($untold:ident, $($when:expr),+) => {
        $untold!(users::table, users::id, $($when),+).filter(users::kind.eq(UserKind::Person))
    };
}

/// Tokens of service accounts for which it is so, once for each keeper.
macro_rules! of_services {
    ($untold:ident, $($when:expr),+) => {
        $untold!(users::table.inner_join(keepers::table), keepers::user_id, $($when),+)
    };
}

/// Up to `limit` people who are to be told of a token, by their ids, beginning after `last`.
pub fn readers(rx: &mut Rx, due: Due, last: Option<Id>, limit: i64) -> QueryResult<Vec<Id>> {
    let (last, soon) = (last.unwrap_or(Id::fixed(0)), Duration::ZERO);
    macro_rules! some {
        ($untold:expr, $reader:expr) => {
            $untold
                .filter($reader.gt(last))
                .select($reader)
                .distinct()
                .order($reader)
                .limit(limit)
                .load::<Id>(&mut **rx)?
        };
    }
    let (mut readers, keepers) = match due {
        Due::End(stage) => (
            some!(of_people!(untold, stage, rx.now, soon), users::id),
            some!(of_services!(untold, stage, rx.now, soon), keepers::user_id),
        ),
        Due::Unused => (
            some!(of_people!(unused, rx.now, soon), users::id),
            some!(of_services!(unused, rx.now, soon), keepers::user_id),
        ),
    };
    readers.extend(keepers);
    readers.sort_unstable();
    readers.dedup();
    readers.truncate(limit as usize);
    Ok(readers)
}

/// Tell one person of all tokens that there is something to be told of, theirs and those of the service accounts they keep, in one
/// letter, unless they had one today; of how many they were told. What will be due before they may have the next one is told of
/// too.
pub fn remind(tx: &mut Tx, reader: Id) -> Result<usize, Fault> {
    // Another node may be about to do the same.
    db::hold_user(tx, reader.as_bytes())?;
    let now = tx.now;
    let last: Option<Timestamp> = reminders::table
        .filter(reminders::user_id.eq(reader))
        // Of what waits, administrators were told.
        .filter(reminders::stage.ne(WAITS))
        .select(max(reminders::at))
        .get_result(&mut **tx)?;
    let had_one = last.is_some_and(|last| now.since(last) < days(1));
    let Some(reader) = User::find(tx, reader)?.filter(|reader| reader.is_enabled() && !had_one)
    else {
        return Ok(0);
    };
    if untold_to(tx, reader.id, now, Duration::ZERO)?.is_empty() {
        return Ok(0);
    }
    let untold = untold_to(tx, reader.id, now, days(1))?;
    for (due, token) in &untold {
        // Of lying unused it may have been told before, of another time.
        let told = (token.token.id, due.stage(), reader.id);
        diesel::delete(reminders::table.find(told)).execute(&mut **tx)?;
        diesel::insert_into(reminders::table)
            .values((
                reminders::token_id.eq(token.token.id),
                reminders::stage.eq(due.stage()),
                reminders::user_id.eq(reader.id),
                reminders::at.eq(now),
            ))
            .execute(&mut **tx)?;
        tx.record(due.event().grant(&token.grant).token(token.token.id))?;
    }
    let mut told: Vec<PersonalToken> = untold.into_iter().map(|(_, token)| token).collect();
    // One that is due in two ways is told of once.
    told.sort_by_key(|token| token.token.id);
    told.dedup_by_key(|token| token.token.id);
    told.sort_by_key(next_end);
    let mut services: Vec<User> = ServiceAccount::kept_by(tx, reader.id)?
        .into_iter()
        .map(|account| account.user)
        .collect();
    services.retain(|service| told.iter().any(|t| t.grant.user_id == Some(service.id)));
    mail::tell_reader(tx, &reader, &services, &Letter::Expiring(&told))?;
    Ok(told.len())
}

/// When a token ends that nobody uses.
fn next_end(token: &PersonalToken) -> Option<Timestamp> {
    let ends = token.token.expires_at.into_iter();
    ends.chain(token.idle_end()).min()
}

fn untold_to(
    conn: &mut Conn,
    reader: Id,
    now: Timestamp,
    ahead: Duration,
) -> QueryResult<Vec<(Due, PersonalToken)>> {
    let mut all = vec![];
    macro_rules! some {
        ($untold:expr, $reader:expr) => {
            $untold
                .filter($reader.eq(reader))
                .order(tokens::id)
                .limit(A_LETTER - all.len() as i64)
                .select((Token::as_select(), Grant::as_select()))
                .load::<(Token, Grant)>(conn)?
        };
    }
    for due in Due::ALL {
        let own = match due {
            Due::End(stage) => some!(of_people!(untold, stage, now, ahead), users::id),
            Due::Unused => some!(of_people!(unused, now, ahead), users::id),
        };
        all.extend(own.into_iter().map(|found| (due, found.into())));
        let kept = match due {
            Due::End(stage) => some!(of_services!(untold, stage, now, ahead), keepers::user_id),
            Due::Unused => some!(of_services!(unused, now, ahead), keepers::user_id),
        };
        all.extend(kept.into_iter().map(|found| (due, found.into())));
    }
    Ok(all)
}

/// Remove what was told long ago, of up to `limit` tokens.
pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
    let over: Vec<Id> = reminders::table
        .filter(reminders::at.lt(tx.now - KEPT))
        .order(reminders::at)
        .limit(limit)
        .select(reminders::token_id)
        .load(&mut **tx)?;
    let old = reminders::table
        .filter(reminders::token_id.eq_any(&over))
        .filter(reminders::at.lt(tx.now - KEPT));
    diesel::delete(old).execute(&mut **tx)
}
