//! Mails: what people are told, kept until a mail server has it. A mail is queued in the transaction of what it is about, so
//! that it can neither be lost nor be sent for what was undone. It is sent at least once: whoever dies between the mail
//! server's yes and writing that down leaves it to be sent again, under the same Message-ID.

use std::time::Duration;

use diesel::prelude::*;

use super::audit::{Event, What};
use super::id::Id;
use super::letter::Letter;
use super::service_account::ServiceAccount;
use super::tx::{Rx, Tx};
use super::user::User;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::db::schema::mails;

/// The pause after the first try, which is also how long a node has for it. Each is twice as long as the one before,
const FIRST_PAUSE: Duration = Duration::from_secs(60);
/// up to this one.
const LONGEST_PAUSE: Duration = Duration::from_secs(4 * 60 * 60);
/// With these pauses, the last try is made a day after the first.
const TRIES: i32 = 14;
/// How long mails that were sent or given up are kept.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// A mail to one person.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = mails)]
pub struct Mail {
    /// Its Message-ID too, however often it is sent.
    pub id: Id,
    pub user_id: Id,
    /// Which letter it is, as [`Letter::word`] says it.
    pub letter: String,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    pub created_at: Timestamp,
    pub tries: i32,
}

/// How a try to hand a mail over ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    Sent,
    /// There was no mail server that takes mails from us at all.
    NoServer(String),
    /// The mail server would not take this one now.
    NotNow(String),
    /// Nor ever.
    Refused(String),
}

/// Tell `owner` of their token by mail, or the keepers of a service account of its.
pub fn tell(tx: &mut Tx, owner: Id, letter: &Letter) -> Result<(), Fault> {
    if !tx.policy.mails {
        return Ok(());
    }
    let Some(owner) = User::find(tx, owner)? else {
        return Ok(());
    };
    let Some(service) = ServiceAccount::of(tx, Some(owner.clone()))? else {
        return tell_reader(tx, &owner, &[], letter);
    };
    let mut keepers = service.keepers.iter();
    keepers.try_for_each(|keeper| tell_reader(tx, keeper, std::slice::from_ref(&owner), letter))
}

/// Tell one person by mail, if this server sends mails, they have an address and their account is not disabled. Of the letter's
/// tokens, some may be those of `services`, which they keep. A mail that is queued is in the audit trail; what it is about is for
/// the caller to record.
pub fn tell_reader(
    tx: &mut Tx,
    reader: &User,
    services: &[User],
    letter: &Letter,
) -> Result<(), Fault> {
    let address = reader.email.as_ref().filter(|_| reader.is_enabled());
    let Some(recipient) = address.filter(|_| tx.policy.mails) else {
        return Ok(());
    };
    let text = letter.write(reader, services, tx)?;
    let now = tx.now;
    diesel::insert_into(mails::table)
        .values((
            mails::id.eq(Id::new(now)),
            mails::user_id.eq(reader.id),
            mails::letter.eq(letter.word()),
            mails::recipient.eq(recipient),
            mails::subject.eq(text.subject),
            mails::body.eq(text.body),
            mails::created_at.eq(now),
            mails::tries.eq(0),
            mails::next_at.eq(now),
        ))
        .execute(&mut **tx)?;
    let event = match letter.about() {
        Some(token) => Event::new(What::MailQueued)
            .grant(&token.grant)
            .token(token.token.id),
        None => Event::new(What::MailQueued).user(reader.id),
    };
    Ok(tx.record(event.detail(letter.word()))?)
}

impl Mail {
    /// Up to `limit` mails that it is time to try, those that have waited longest first.
    pub fn due(rx: &mut Rx, limit: i64) -> QueryResult<Vec<Id>> {
        let now = rx.now;
        mails::table
            .filter(mails::next_at.le(now))
            .order((mails::next_at, mails::id))
            .limit(limit)
            .select(mails::id)
            .load(&mut **rx)
    }

    /// Take a mail that is due, to try it now: of many that want to, on all nodes, one gets it. Should that one never say how
    /// it went, the mail is due again after the pause.
    pub fn take(tx: &mut Tx, id: Id) -> QueryResult<Option<Mail>> {
        let now = tx.now;
        let due = mails::table.find(id).filter(mails::next_at.le(now));
        let found: Option<Mail> = due
            .select(Mail::as_select())
            .get_result(&mut **tx)
            .optional()?;
        let Some(mail) = found else {
            return Ok(None);
        };
        let tries = mail.tries + 1;
        let taken = diesel::update(due.filter(mails::tries.eq(mail.tries)))
            .set((
                mails::tries.eq(tries),
                mails::next_at.eq(now + pause(tries)),
            ))
            .execute(&mut **tx)?;
        Ok((taken == 1).then_some(Mail { tries, ..mail }))
    }

    /// Write down how the try went that the mail was taken for.
    pub fn tried(&self, tx: &mut Tx, how: Tried) -> QueryResult<()> {
        match how {
            Tried::Sent => {
                let sent = (
                    mails::sent_at.eq(tx.now),
                    mails::next_at.eq(None::<Timestamp>),
                );
                diesel::update(mails::table.find(self.id))
                    .set(sent)
                    .execute(&mut **tx)
                    .map(drop)
            }
            Tried::Refused(why) => self.give_up(tx, &why),
            Tried::NoServer(why) | Tried::NotNow(why) if self.tries >= TRIES => {
                self.give_up(tx, &why)
            }
            Tried::NoServer(_) | Tried::NotNow(_) => Ok(()),
        }
    }

    fn give_up(&self, tx: &mut Tx, why: &str) -> QueryResult<()> {
        let waiting = mails::table
            .find(self.id)
            .filter(mails::next_at.is_not_null());
        let over = mails::next_at.eq(None::<Timestamp>);
        match diesel::update(waiting).set(over).execute(&mut **tx)? {
            0 => Ok(()),
            _ => tx.record(
                Event::new(What::MailGivenUp)
                    .user(self.user_id)
                    .detail(format!("{}: {why}", self.letter)),
            ),
        }
    }

    /// Remove up to `limit` mails that were sent or given up and are a week old.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<Id> = mails::table
            .filter(mails::created_at.lt(tx.now - KEPT))
            .filter(mails::next_at.is_null())
            .order(mails::created_at)
            .limit(limit)
            .select(mails::id)
            .load(&mut **tx)?;
        diesel::delete(mails::table.filter(mails::id.eq_any(over))).execute(&mut **tx)
    }
}

/// How long it is until the next try, after so many.
fn pause(tries: i32) -> Duration {
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(16);
    (FIRST_PAUSE * 2_u32.pow(doublings)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_the_last_try_is_a_day_after_the_first() {
        let minutes = |tries| pause(tries).as_secs() / 60;
        assert_eq!([1, 2, 3, 8, 9, 50].map(minutes), [1, 2, 4, 128, 240, 240]);
        let all: Duration = (1..TRIES).map(pause).sum();
        assert_eq!(all.as_secs() / 3600, 24);
    }
}
