//! A brake on what strangers may do without proving anything.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::sign_in::network;

/// What is counted together.
const WINDOW: Duration = Duration::from_secs(60);

/// More networks than these are forgotten, for memory has an end: who has so many is not held up by this.
const MOST: usize = 10_000;

/// Lets each network do something so often in a minute, on this node.
pub struct Brake {
    often: u32,
    /// Since when each is counted, and how often it came.
    seen: Mutex<HashMap<IpAddr, (Timestamp, u32)>>,
}

impl Brake {
    pub(super) fn new(often: u32) -> Self {
        Self {
            often,
            seen: Mutex::default(),
        }
    }

    /// Count an attempt from this address, and the others of its /64 if it is of IPv6. How long it has to wait if it was one
    /// too many.
    pub fn wait(&self, from: IpAddr, now: Timestamp) -> Option<Duration> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.retain(|_, (since, _)| now < *since + WINDOW);
        }
        if seen.len() >= MOST {
            seen.clear();
        }
        let (since, count) = seen.entry(network(from)).or_insert((now, 0));
        if *since + WINDOW <= now {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        (*count > self.often).then(|| (*since + WINDOW).since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

    fn address(number: u32) -> IpAddr {
        IpAddr::from(number.to_be_bytes())
    }

    #[test]
    fn one_too_many_waits_for_the_rest_of_the_minute() {
        let brake = Brake::new(2);
        let half = NOW + WINDOW / 2;
        assert_eq!(brake.wait(address(1), NOW), None);
        assert_eq!(brake.wait(address(1), half), None);
        assert_eq!(brake.wait(address(1), half), Some(WINDOW / 2));
        assert_eq!(brake.wait(address(2), half), None);
        assert_eq!(brake.wait(address(1), NOW + WINDOW), None);
    }

    #[test]
    fn what_is_kept_in_memory_has_an_end() {
        let brake = Brake::new(1);
        for number in 0..3 * MOST as u32 {
            brake.wait(address(number), NOW);
        }
        let seen = brake.seen.lock().unwrap();
        assert!(seen.len() <= MOST, "{}", seen.len());
    }
}
