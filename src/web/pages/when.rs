//! Moments as people say them.

use std::time::Duration;

use crate::clock::Timestamp;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A moment, in the three forms in which a page needs it.
pub struct When {
    /// "in 12 days", "3 minutes ago"
    pub relative: String,
    /// "Tue 14 Apr 2026, 08:32 UTC"
    pub exact: String,
    /// "2026-04-14T08:32:00Z"
    pub iso: String,
}

impl When {
    /// `at`, seen from `now`.
    pub fn of(at: Timestamp, now: Timestamp) -> Self {
        let relative = if at > now {
            let ahead = at.since(now);
            if ahead.as_secs() < MINUTE {
                "in a moment".to_owned()
            } else {
                format!("in {}", length(ahead))
            }
        } else {
            let ago = now.since(at);
            if ago.as_secs() < MINUTE {
                "just now".to_owned()
            } else {
                format!("{} ago", length(ago))
            }
        };
        let exact = at
            .to_utc()
            .map(|at| at.format("%a %d %b %Y, %H:%M UTC").to_string());
        Self {
            relative,
            exact: exact.unwrap_or_default(),
            iso: at.to_rfc3339(),
        }
    }
}

/// A length of time in the largest unit that fits at least once; days up to two months, then months. Months and years
/// are the nearest: a minute after it was made for 90 days, a token ends in 3 months, not in 2.
pub fn length(of: Duration) -> String {
    let seconds = of.as_secs();
    let (count, unit) = match seconds {
        s if s < MINUTE => (s, "second"),
        s if s < HOUR => (s / MINUTE, "minute"),
        s if s < DAY => (s / HOUR, "hour"),
        s if s < 60 * DAY => (s / DAY, "day"),
        s if s < 715 * DAY => ((s + 15 * DAY) / (30 * DAY), "month"),
        s => ((s + 182 * DAY) / (365 * DAY), "year"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// A moment as an `<input type="datetime-local">` writes it, in UTC and whole minutes.
pub fn to_input(at: Timestamp) -> String {
    at.to_utc()
        .map(|at| at.format("%Y-%m-%dT%H:%M").to_string())
        .unwrap_or_default()
}

/// Read what such an input sends.
pub fn from_input(text: &str) -> Option<Timestamp> {
    let with_seconds = if text.len() == 16 {
        format!("{text}:00Z")
    } else {
        format!("{text}Z")
    };
    Timestamp::parse_rfc3339(&with_seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_said_in_their_largest_unit() {
        let now = Timestamp::parse_rfc3339("2026-04-14T08:32:00Z").unwrap();
        let said = |seconds: i64| {
            When::of(Timestamp::from_millis(now.millis() + seconds * 1000), now).relative
        };
        assert_eq!(said(0), "just now");
        assert_eq!(said(-180), "3 minutes ago");
        assert_eq!(said(3600), "in 1 hour");
        assert_eq!(said(90 * 86_400 - 60), "in 3 months");
        assert_eq!(said(365 * 86_400 - 60), "in 12 months");
        assert_eq!(said(730 * 86_400 - 60), "in 2 years");
        assert_eq!(When::of(now, now).exact, "Tue 14 Apr 2026, 08:32 UTC");
    }

    #[test]
    fn a_moment_survives_its_input() {
        let at = Timestamp::parse_rfc3339("2027-01-31T12:34:00Z").unwrap();
        assert_eq!(from_input(&to_input(at)), Some(at));
        assert_eq!(
            from_input("2027-01-31T12:34:56"),
            Some(at + Duration::from_secs(56))
        );
        assert_eq!(from_input("soon"), None);
    }
}
