//! The brake on guessing passwords: after a few failures each next attempt has to wait longer.

use std::net::IpAddr;
use std::time::Duration;

use diesel::prelude::*;

use super::tx::Tx;
use crate::clock::Timestamp;
use crate::db::schema::sign_in_failures;
use crate::db::{self, Conn};

/// Failures that cost nothing: people mistype.
const FREE: i32 = 5;
/// An address may be shared by an office, so it is given more.
const FREE_OF_ADDRESS: i32 = 20;
const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// After this long without a failure, all is forgotten.
const MEMORY: Duration = Duration::from_secs(60 * 60);

/// An account name and an address that attempts to sign in come from. The name is counted whether or not
/// anybody has it, so that the brake does not tell who exists.
#[derive(Debug, Clone)]
pub struct Attempts {
    account: String,
    address: Option<String>,
}

impl Attempts {
    pub fn new(username: &str, address: Option<IpAddr>) -> Self {
        let name: String = username.to_lowercase().chars().take(64).collect();
        Self {
            account: format!("account:{name}"),
            address: address.map(|address| format!("address:{address}")),
        }
    }

    /// How long this account or address has to wait before the next attempt is even looked at.
    pub fn wait(&self, conn: &mut Conn, now: Timestamp) -> QueryResult<Option<Duration>> {
        let mut longest = None;
        for (subject, free) in self.subjects() {
            let found: Option<(i32, Timestamp)> = sign_in_failures::table
                .find(subject)
                .select((sign_in_failures::failures, sign_in_failures::last_at))
                .get_result(conn)
                .optional()?;
            if let Some((failures, last)) = found {
                let until = last + delay(failures - free);
                if until > now {
                    longest = longest.max(Some(until.since(now)));
                }
            }
        }
        Ok(longest)
    }

    /// Count one failure of this account from this address.
    pub fn failed(&self, tx: &mut Tx) -> QueryResult<()> {
        let now = tx.now;
        for (subject, _) in self.subjects() {
            let row = sign_in_failures::table.find(subject);
            diesel::delete(row.filter(sign_in_failures::last_at.lt(now - MEMORY)))
                .execute(&mut **tx)?;
            db::count_sign_in_failure(tx, subject, now)?;
        }
        Ok(())
    }

    /// Forget the account's failures: its person has signed in. The address keeps its own.
    pub fn succeeded(&self, tx: &mut Tx) -> QueryResult<()> {
        diesel::delete(sign_in_failures::table.find(&self.account))
            .execute(&mut **tx)
            .map(drop)
    }

    fn subjects(&self) -> impl Iterator<Item = (&String, i32)> {
        let address = self.address.iter().map(|a| (a, FREE_OF_ADDRESS));
        std::iter::once((&self.account, FREE)).chain(address)
    }
}

/// Two seconds after the last free failure, then twice as long each time, up to a quarter of an hour.
fn delay(beyond: i32) -> Duration {
    match u32::try_from(beyond) {
        Err(_) | Ok(0) => Duration::ZERO,
        Ok(beyond) => FIRST_WAIT
            .saturating_mul(1 << (beyond - 1).min(16))
            .min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_and_has_an_end() {
        assert_eq!(delay(-3), Duration::ZERO);
        assert_eq!(delay(0), Duration::ZERO);
        assert_eq!(delay(1), Duration::from_secs(2));
        assert_eq!(delay(4), Duration::from_secs(16));
        assert_eq!(delay(40), LONGEST_WAIT);
    }
}
