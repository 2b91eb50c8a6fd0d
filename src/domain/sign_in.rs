//! The brake on guessing passwords: after a few failures each next attempt has to wait longer.

use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use diesel::prelude::*;

use super::tx::{Rx, Tx};
use crate::clock::Timestamp;
use crate::db;
use crate::db::schema::sign_in_failures;

const FIRST_WAIT: Duration = Duration::from_secs(2);
/// After this long without a failure, all is forgotten.
const MEMORY: Duration = Duration::from_secs(60 * 60);

/// How strict the brake is with one kind of subject.
struct Brake {
    /// Failures that cost nothing.
    free: i32,
    /// Beyond them the wait doubles from two seconds up to this.
    longest: Duration,
}

/// One network at one account: people mistype, and then think.
const GUESSER: Brake = Brake {
    free: 5,
    longest: Duration::from_secs(15 * 60),
};
/// One network at any accounts: it may be an office.
const NETWORK: Brake = Brake {
    free: 20,
    longest: Duration::from_secs(15 * 60),
};
/// One account from anywhere. Gentle, so that nobody can lock another out for long.
const ACCOUNT: Brake = Brake {
    free: 20,
    longest: Duration::from_secs(30),
};

impl Brake {
    fn delay(&self, failures: i32) -> Duration {
        match u32::try_from(failures - self.free) {
            Err(_) | Ok(0) => Duration::ZERO,
            Ok(beyond) => FIRST_WAIT
                .saturating_mul(1 << (beyond - 1).min(16))
                .min(self.longest),
        }
    }
}

/// Attempts to sign in to one account from one network. The name is counted whether or not anybody has it, so that the
/// brake does not tell who exists.
#[derive(Debug, Clone)]
pub struct Attempts {
    account: String,
    network: Option<String>,
}

impl Attempts {
    /// Attempts on the account of this name, whether there is one or not.
    pub fn new(username: &str, address: Option<IpAddr>) -> Self {
        Self {
            account: account(username),
            network: address.map(|address| format!("network {}", network(address))),
        }
    }

    /// How long these have to wait before the next attempt is even looked at.
    pub fn wait(&self, rx: &mut Rx) -> QueryResult<Option<Duration>> {
        let subjects = self.subjects();
        let names: Vec<&str> = subjects.iter().map(|(name, _)| name.as_str()).collect();
        let found: Vec<(String, i32, Timestamp)> = sign_in_failures::table
            .filter(sign_in_failures::subject.eq_any(names))
            .select(sign_in_failures::all_columns)
            .load(&mut **rx)?;
        let waits = found.iter().filter_map(|(subject, failures, last)| {
            let (_, brake) = subjects.iter().find(|(name, _)| name == subject)?;
            let until = *last + brake.delay(*failures);
            (until > rx.now).then(|| until.since(rx.now))
        });
        Ok(waits.max())
    }

    /// Count one failure.
    pub fn failed(&self, tx: &mut Tx) -> QueryResult<()> {
        let now = tx.now;
        for (subject, _) in self.subjects() {
            let row = sign_in_failures::table.find(&subject);
            diesel::delete(row.filter(sign_in_failures::last_at.lt(now - MEMORY)))
                .execute(&mut **tx)?;
            db::count_sign_in_failure(tx, &subject, now)?;
        }
        Ok(())
    }

    /// Forget this account's failures: its person has signed in. The network keeps its own.
    pub fn succeeded(&self, tx: &mut Tx) -> QueryResult<()> {
        forget(tx, &self.account)
    }

    /// Forget an account's failures, from wherever they came: it has a new password.
    pub fn forget(tx: &mut Tx, username: &str) -> QueryResult<()> {
        forget(tx, &account(username))
    }

    /// Remove up to `limit` failures that are forgotten.
    pub fn purge(tx: &mut Tx, limit: i64) -> QueryResult<usize> {
        let over: Vec<String> = sign_in_failures::table
            .filter(sign_in_failures::last_at.lt(tx.now - MEMORY))
            .order(sign_in_failures::subject)
            .limit(limit)
            .select(sign_in_failures::subject)
            .load(&mut **tx)?;
        diesel::delete(sign_in_failures::table.filter(sign_in_failures::subject.eq_any(over)))
            .execute(&mut **tx)
    }

    fn subjects(&self) -> Vec<(String, Brake)> {
        let mut subjects = vec![(self.account.clone(), ACCOUNT)];
        if let Some(network) = &self.network {
            subjects.push((network.clone(), NETWORK));
            subjects.push((format!("{} from {network}", self.account), GUESSER));
        }
        subjects
    }
}

fn account(username: &str) -> String {
    let name: String = username.to_lowercase().chars().take(64).collect();
    format!("account {name}")
}

/// What one guesser has at hand: an IPv4 address, or the /64 that a single connection gets of IPv6.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 => v4,
    }
}

/// The account's own row, and those of it from each network. No name has a space in it, so none is another's beginning.
fn forget(tx: &mut Tx, account: &str) -> QueryResult<()> {
    let (first, last) = (format!("{account} from "), format!("{account} from ~"));
    let from_networks = sign_in_failures::subject.between(first, last);
    diesel::delete(
        sign_in_failures::table.filter(sign_in_failures::subject.eq(account).or(from_networks)),
    )
    .execute(&mut **tx)
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_doubles_and_has_an_end() {
        let after = |beyond| GUESSER.delay(GUESSER.free + beyond);
        assert_eq!(after(-3), Duration::ZERO);
        assert_eq!(after(0), Duration::ZERO);
        assert_eq!(after(1), Duration::from_secs(2));
        assert_eq!(after(4), Duration::from_secs(16));
        assert_eq!(after(40), Duration::from_secs(15 * 60));
        assert_eq!(ACCOUNT.delay(1000), Duration::from_secs(30));
    }

    #[test]
    fn the_addresses_of_one_ipv6_connection_are_one_network() {
        let of = |text: &str| network(text.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("203.0.113.7"), "203.0.113.7");
    }
}
