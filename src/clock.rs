//! The time. Only the server's clock asks the system, so that a test can hold time still and move it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::deserialize::FromSqlRow;
use diesel::expression::AsExpression;
use diesel::sql_types::BigInt;
use schemars::JsonSchema;
use serde::Serialize;

use crate::db::column::column;

/// An instant, in milliseconds since 1970, UTC.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    JsonSchema,
    AsExpression,
    FromSqlRow,
)]
#[schemars(inline)]
#[diesel(sql_type = BigInt)]
pub struct Timestamp(i64);

impl Timestamp {
    /// So many milliseconds after 1970 began, UTC.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970, as the JSON API and the database count time.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as OAuth counts time (`exp`, `iat`).
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The beginning of its second.
    pub const fn whole_second(self) -> Self {
        Self(self.seconds() * 1000)
    }

    /// How long after `earlier` this is; nothing if it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The calendar's view of this instant; `None` beyond the years chrono knows.
    pub fn to_utc(self) -> Option<DateTime<Utc>> {
        DateTime::from_timestamp_millis(self.0)
    }

    /// RFC 3339 with seconds, such as `2027-01-31T00:00:00Z`.
    pub fn to_rfc3339(self) -> String {
        self.to_utc()
            .map(|t| t.format("%Y-%m-%dT%H:%M:%SZ").to_string())
            .unwrap_or_default()
    }

    /// Read an RFC 3339 instant, with any offset.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let instant = DateTime::parse_from_rfc3339(text).ok()?;
        Some(Self(instant.timestamp_millis()))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(millis))
    }
}

impl std::ops::Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, duration: Duration) -> Timestamp {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(millis))
    }
}

column!(Timestamp: BigInt, i64 as i64, |t| &t.0, |millis| Ok(Timestamp(millis)));

/// Where the server reads the time.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's own time.
    System,
    /// A clock that stands still until it is moved, for tests.
    Held(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `start`.
    pub fn held_at(start: Timestamp) -> Self {
        Clock::Held(Arc::new(AtomicI64::new(start.0)))
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        match self {
            Clock::System => Timestamp(Utc::now().timestamp_millis()),
            Clock::Held(millis) => Timestamp(millis.load(Ordering::SeqCst)),
        }
    }

    /// Move a held clock forward. The machine's clock is not ours to move.
    pub fn advance(&self, by: Duration) {
        if let Clock::Held(millis) = self {
            millis.fetch_add(by.as_millis() as i64, Ordering::SeqCst);
        }
    }
}

/// Read a moment: milliseconds since 1970, RFC 3339, or a day, which begins at midnight UTC.
pub fn parse_instant(text: &str) -> Option<Timestamp> {
    let day = || match text.len() {
        10 => Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")),
        _ => None,
    };
    let millis = text.parse().ok().map(Timestamp::from_millis);
    millis
        .or_else(|| Timestamp::parse_rfc3339(text))
        .or_else(day)
}

/// Read a length of time such as `30s`, `15m`, `12h` or `90d`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let count: u64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    // Beyond a thousand years it is a slip of the finger, and calendars give up.
    let length = count.checked_mul(seconds)?;
    (length <= 1000 * 365 * 24 * 60 * 60).then(|| Duration::from_secs(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_have_one_number_and_one_unit() {
        assert_eq!(
            parse_duration("90d"),
            Some(Duration::from_secs(90 * 86_400))
        );
        assert_eq!(parse_duration("15m"), Some(Duration::from_secs(900)));
        for bad in [
            "",
            "d",
            "90",
            "-1d",
            "1.5h",
            "1w",
            "1h30m",
            "99999999999999999999d",
            "9999999d",
            "5é",
        ] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_moment_is_a_number_an_instant_or_a_day() {
        let new_year = Some(Timestamp::from_millis(1_798_761_600_000));
        for text in ["1798761600000", "2027-01-01", "2027-01-01T01:00:00+01:00"] {
            assert_eq!(parse_instant(text), new_year, "{text}");
        }
        for bad in [
            "",
            "now",
            "2027-1-1",
            "2027-02-30",
            "2027-01-01T",
            "1e9",
            "é027-01-01",
        ] {
            assert_eq!(parse_instant(bad), None, "{bad}");
        }
    }

    #[test]
    fn seconds_are_whole_and_never_ahead_of_time() {
        assert_eq!(Timestamp::from_millis(1_999).seconds(), 1);
        assert_eq!(Timestamp::from_millis(-1).seconds(), -1);
    }
}
