//! What administrators hear of tokens that wait for their approval: at most one letter an hour, in which are all that wait.
//! Each token makes them hear of it once.

use std::time::Duration;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::cut_off::CutOffs;
use super::id::Id;
use super::letter::Letter;
use super::mail;
use super::personal_token::PersonalToken;
use super::reminder::WAITS;
use super::tx::Tx;
use super::user::User;
use crate::db::schema::{grants, reminders, tokens};
use crate::db::{self, Fault};

/// How long it is until the next letter.
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// Tokens noted as told of by one letter; if there are more, the next letter tells of them again.
const NOTED: i64 = 1_000;
/// Tokens that a letter names.
const NAMED: usize = 20;

/// Tell all administrators that have an address of what waits, if any of it is new and they had no letter within the hour;
/// how many were told.
pub fn send(tx: &mut Tx) -> Result<usize, Fault> {
    let now = tx.now;
    // Another node may be at it.
    if !tx.policy.mails || !db::is_alone(tx)? {
        return Ok(0);
    }
    let lately = reminders::table
        .filter(reminders::at.gt(now - PAUSE))
        .filter(reminders::stage.eq(WAITS));
    if diesel::select(exists(lately)).get_result(&mut **tx)? {
        return Ok(0);
    }
    let told = reminders::table
        .filter(reminders::token_id.eq(tokens::id))
        .filter(reminders::stage.eq(WAITS));
    let untold: Vec<(Id, Option<Id>)> = PersonalToken::all_waiting(&CutOffs::load(tx)?, now)
        .filter(not(exists(told)))
        .limit(NOTED)
        .select((tokens::id, grants::user_id))
        .load(&mut **tx)?;
    let administrators = User::administrators_with_address(tx)?;
    if untold.is_empty() || administrators.is_empty() {
        return Ok(0);
    }
    let noted = untold.into_iter().map(|(token, owner)| {
        let owner = owner.ok_or(Fault::Broken("a token has no owner"))?;
        Ok((
            reminders::token_id.eq(token),
            reminders::stage.eq(WAITS),
            reminders::user_id.eq(owner),
            reminders::at.eq(now),
        ))
    });
    let noted: Vec<_> = noted.collect::<Result<_, Fault>>()?;
    either!(&mut **tx, |conn| diesel::insert_into(reminders::table)
        .values(&noted)
        .execute(conn))?;
    let count = PersonalToken::count_waiting(tx, now)?;
    let first = PersonalToken::waiting(tx, None, NAMED, now)?.items;
    let letter = Letter::Waiting {
        first: &first,
        count,
    };
    for administrator in &administrators {
        mail::tell_reader(tx, administrator, &[], &letter)?;
    }
    Ok(administrators.len())
}
