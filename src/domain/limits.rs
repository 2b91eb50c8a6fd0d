//! What a personal access token is limited to besides its rights: networks, a beginning, and how long it may lie unused.

use std::net::IpAddr;
use std::time::Duration;

use diesel::prelude::*;
use ipnet::{IpNet, Ipv4Net};

use super::words::{Word, Words};
use crate::clock::Timestamp;
use crate::db::schema::grants;

/// A network in CIDR notation, without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cidr {}

impl Word for Cidr {
    fn is_valid(word: &str) -> bool {
        word.parse::<IpNet>().is_ok()
    }
}

/// Networks that a token may be used from.
pub type Networks = Words<Cidr>;

impl Networks {
    /// Read networks and single addresses as people write them; the first that is none is the error.
    pub fn read<'a>(written: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let read = written.into_iter().map(|text| {
            let network = network(text).ok_or_else(|| text.to_owned())?;
            Ok(network.to_string())
        });
        let networks: Vec<String> = read.collect::<Result<_, String>>()?;
        Ok(networks.iter().map(String::as_str).collect())
    }

    /// Whether `address` is in one of them. One that is not known is in none.
    pub fn hold(&self, address: Option<IpAddr>) -> bool {
        let Some(address) = address.map(|address| address.to_canonical()) else {
            return false;
        };
        let mut networks = self.iter().filter_map(|word| word.parse::<IpNet>().ok());
        networks.any(|network| network.contains(&address))
    }
}

/// A network, or a single address, without host bits. What is an IPv4 network in IPv6 notation is an IPv4 network.
fn network(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    let network: IpNet = text.parse().ok().or_else(address)?;
    let mapped = match network {
        IpNet::V6(v6) => v6
            .addr()
            .to_ipv4_mapped()
            .zip(v6.prefix_len().checked_sub(96)),
        IpNet::V4(_) => None,
    };
    let network = match mapped {
        Some((address, length)) => Ipv4Net::new(address, length).ok()?.into(),
        None => network,
    };
    Some(network.trunc())
}

/// As [`Limits::idle_end`] has it, asked of the database: whether by `$moment` a token has lain unused for `$millis` milliseconds
/// a second of its idle life, which is all of it for 1000. Of a token without an idle life it is not known.
macro_rules! lain_unused {
    ($millis:expr, $moment:expr) => {{
        macro_rules! since {
            ($event:expr) => {
                $event
                    .is_null()
                    .or(($event + grants::idle_life * $millis).le($moment))
            };
        }
        // A comparison that an index of idle lives answers.
        let has_one = grants::idle_life.gt(0);
        let since_made = tokens::created_at.nullable() + grants::idle_life * $millis;
        has_one
            .and(grants::pending_since.is_null())
            .and(since_made.le($moment))
            .and(since!(grants::approved_at))
            .and(since!(grants::not_before))
            .and(since!(grants::last_used_at))
    }};
}
pub(super) use lain_unused;

/// The limits of a grant; by default there are none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = grants, treat_none_as_null = true)]
pub struct Limits {
    #[diesel(column_name = allowed_networks)]
    pub networks: Option<Networks>,
    pub not_before: Option<Timestamp>,
    /// In seconds.
    idle_life: Option<i64>,
}

impl Limits {
    pub fn new(
        networks: Networks,
        not_before: Option<Timestamp>,
        idle_life: Option<Duration>,
    ) -> Self {
        Self {
            networks: Some(networks).filter(|networks| !networks.is_empty()),
            not_before,
            idle_life: idle_life.map(|life| i64::try_from(life.as_secs()).unwrap_or(i64::MAX)),
        }
    }

    /// The same, but for the networks; none of them is anywhere.
    pub fn confine_to(&mut self, networks: Networks) {
        self.networks = Some(networks).filter(|networks| !networks.is_empty());
    }

    /// How long a token may lie unused; `None` for ever.
    pub fn idle_life(&self) -> Option<Duration> {
        let seconds = self
            .idle_life
            .and_then(|seconds| u64::try_from(seconds).ok());
        seconds.map(Duration::from_secs)
    }

    /// When a token will have lain unused too long: counted from its beginning, or from the latest `event` of its life, such as
    /// its last use, whichever is later. `None` for never.
    pub fn idle_end<const N: usize>(&self, events: [Option<Timestamp>; N]) -> Option<Timestamp> {
        let events = events.into_iter().chain([self.not_before]);
        Some(events.max().flatten()? + self.idle_life()?)
    }

    /// Whether its time has not come yet. By whole seconds, as `nbf` says it.
    pub fn is_early(&self, now: Timestamp) -> bool {
        let begins = self.not_before;
        begins.is_some_and(|begins| begins.seconds() > now.seconds())
    }

    /// Whether it may be used from `address`. Where that is not known, it may not, unless it may be used from anywhere.
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        let networks = self.networks.as_ref();
        networks.is_none_or(|networks| networks.hold(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[&str]) -> Result<Networks, String> {
        Networks::read(list.iter().copied())
    }

    #[test]
    fn networks_are_kept_without_host_bits_and_addresses_as_networks() {
        let networks = read(&[
            "10.1.2.3/8",
            "192.0.2.7",
            "2001:db8::1/32",
            "::ffff:198.51.100.9/120",
        ]);
        let kept = "10.0.0.0/8 192.0.2.7/32 198.51.100.0/24 2001:db8::/32";
        assert_eq!(networks.unwrap().as_str(), kept);
        for bad in [
            "",
            "10.0.0.0/33",
            "10.0.0",
            "example.com",
            "::1/129",
            "10.0.0.0/8 ",
        ] {
            assert_eq!(read(&[bad]), Err(bad.to_owned()));
        }
    }

    #[test]
    fn an_address_that_is_not_known_is_in_no_network() {
        let networks = read(&["10.0.0.0/8", "2001:db8::/32"]).unwrap();
        let holds = |address: &str| networks.hold(Some(address.parse().unwrap()));
        for inside in ["10.255.0.1", "2001:db8:ffff::1", "::ffff:10.0.0.1"] {
            assert!(holds(inside), "{inside}");
        }
        for outside in ["11.0.0.1", "2001:db9::1", "::10.0.0.1"] {
            assert!(!holds(outside), "{outside}");
        }
        assert!(!networks.hold(None));
        assert!(Limits::default().allow(None));
    }
}
