//! Tokens as letters describe them, and the words for it.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::domain::personal_token::PersonalToken;
use crate::domain::personal_token::search::Found;
use crate::domain::plain::plain;
use crate::domain::user::User;

/// More of what a stranger wrote is not passed on.
const STRANGE_MAX: usize = 500;

/// A token, as letters describe it.
pub(super) struct Card {
    pub name: String,
    /// The service account that it is of, if it is none of the reader's own.
    pub service: Option<String>,
    /// "jeton_pat_3AHO"
    pub hint: String,
    pub scope: String,
    /// Its authorization details, each in a line.
    pub details: Vec<String>,
    /// "1 scope", "3 scopes"
    pub scopes: String,
    /// What becomes of it next: "ends in 7 days: Fri 15 Jan 2027, 08:00:00 UTC"
    pub next: String,
    /// "Fri 15 Jan 2027, 08:00:00 UTC", or "never"
    pub end: String,
    /// "last used Thu 14 Jan 2027, 23:12:05 UTC", or "never used"
    pub used: String,
    /// Its page, for whoever is signed in, and that of all tokens like it.
    pub link: String,
    pub home: String,
}

impl Card {
    pub fn of(token: &PersonalToken, service: Option<&User>, issuer: &str, now: Timestamp) -> Self {
        let service = service.map(|service| service.username.clone());
        let home = match &service {
            Some(name) => format!("{issuer}/settings/service-accounts/{name}/tokens"),
            None => format!("{issuer}/settings/tokens"),
        };
        let scopes = token.grant.scope.iter().count();
        let used = token.grant.last_used_at;
        let (fate, end) = ending(token, now);
        let end = end.map(|end| format!(": {}", moment(end)));
        Self {
            name: plain(token.name()),
            service,
            hint: token.token.hint.clone(),
            scope: token.grant.scope.to_string(),
            details: token.grant.details_in_lines(),
            scopes: counted(scopes as u64, "scope"),
            next: format!("{fate}{}", end.unwrap_or_default()),
            end: token.token.expires_at.map_or("never".to_owned(), moment),
            used: used.map_or("never used".to_owned(), |at| {
                format!("last used {}", moment(at))
            }),
            link: format!("{home}/{}", token.token.id),
            home,
        }
    }

    /// "your personal access token"
    pub fn whose(&self) -> String {
        match &self.service {
            Some(service) => format!("a token of the service account {service}"),
            None => "your personal access token".to_owned(),
        }
    }
}

/// A token that waits, as administrators are told of it.
pub(super) struct Request {
    pub name: String,
    pub owner: String,
    pub scope: String,
    /// Its authorization details, each in a line.
    pub details: Vec<String>,
    /// What its owner says it is for.
    pub reason: String,
    /// "2 hours"
    pub since: String,
}

impl Request {
    pub fn of(found: &Found, now: Timestamp) -> Self {
        let grant = &found.token.grant;
        Self {
            name: plain(found.token.name()),
            owner: found.username.clone(),
            scope: grant.scope.to_string(),
            details: grant.details_in_lines(),
            reason: strange(grant.request_reason.as_deref().unwrap_or_default()),
            since: length(now.since(grant.pending_since.unwrap_or(now))),
        }
    }
}

/// What becomes of a token, seen from `now`, and when: "ends in 7 days", "ends in 3 days unless it is used", "has ended".
pub(super) fn ending(token: &PersonalToken, now: Timestamp) -> (String, Option<Timestamp>) {
    let (end, unused) = (token.token.expires_at, token.idle_end());
    match (end, unused) {
        (Some(end), _) if token.token.is_expired(now) => ("has ended".to_owned(), Some(end)),
        (_, Some(unused)) if unused <= now => ("has ended unused".to_owned(), Some(unused)),
        (end, Some(unused)) if end.is_none_or(|end| unused < end) => {
            let left = length(unused.since(now));
            (format!("ends in {left} unless it is used"), Some(unused))
        }
        (Some(end), _) => (format!("ends in {}", length(end.since(now))), Some(end)),
        (None, _) => ("has no end".to_owned(), None),
    }
}

/// A length of time, to the nearest hour, and from two days on to the nearest day: who is told in the hour after its mark is
/// told of 7 days, not of 6.
pub fn length(of: Duration) -> String {
    match (of.as_secs() + 1800) / 3600 {
        0 => "less than an hour".to_owned(),
        hours @ 1..48 => counted(hours, "hour"),
        hours => counted((hours + 12) / 24, "day"),
    }
}

pub(super) fn counted(count: u64, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    }
}

/// A moment to the second, in UTC.
pub(super) fn moment(at: Timestamp) -> String {
    let said = at
        .to_utc()
        .map(|at| at.format("%a %d %b %Y, %H:%M:%S UTC").to_string());
    said.unwrap_or_default()
}

/// What a stranger wrote.
pub(super) fn strange(text: &str) -> String {
    plain(text).chars().take(STRANGE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_said_as_people_say_it() {
        let said =
            |hours: u64, minutes: u64| length(Duration::from_secs(hours * 3600 + minutes * 60));
        assert_eq!(said(0, 10), "less than an hour");
        assert_eq!(said(1, 29), "1 hour");
        assert_eq!(said(23, 40), "24 hours");
        assert_eq!(said(47, 40), "2 days");
        assert_eq!(said(7 * 24 - 1, 10), "7 days");
        assert_eq!(said(30 * 24 - 1, 0), "30 days");
    }
}
