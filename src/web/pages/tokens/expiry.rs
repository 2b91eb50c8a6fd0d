//! When a new token may end: the tiles of the form.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::clock::{Timestamp, parse_duration};
use crate::domain::personal_token::{PRESETS, days};
use crate::domain::policy::PersonalTokenPolicy;
use crate::web::pages::When;
use crate::web::pages::when::length;

pub(super) struct Expiry {
    /// "7d" … "365d", "custom" or "never"
    pub value: String,
    pub label: String,
    /// `None` for "custom" and "never".
    pub date: Option<When>,
    pub checked: bool,
    /// Why it can't be chosen.
    pub disabled: Option<String>,
}

/// A life as the form sends it: "90d", "12h".
pub(in crate::web::pages) fn value_of(life: Duration) -> String {
    let seconds = life.as_secs();
    match seconds {
        s if s % days(1).as_secs() == 0 => format!("{}d", s / days(1).as_secs()),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s => format!("{s}s"),
    }
}

/// A life in words, rounded by nothing as long as it is whole days: a rule is not "about 3 months".
pub(super) fn exactly(life: Duration) -> String {
    match life.as_secs() / days(1).as_secs() {
        count if life == days(count) && count > 1 => format!("{count} days"),
        _ => length(life),
    }
}

/// What administrators have decided, in sentences.
pub(super) fn notes(policy: &PersonalTokenPolicy) -> Vec<String> {
    let max = policy.max_life.map(exactly);
    let max = max.map(|max| format!("Tokens live at most {max} here (set by your administrator)."));
    let networks = "Every token has to be limited to networks here (set by your administrator).";
    let networks = policy.networks_required.then(|| networks.to_owned());
    let rules = policy.scopes.iter().map(|rule| {
        let life = rule
            .max_life()
            .map(|life| format!("at most {}", exactly(life)));
        let networks = rule
            .networks_required
            .then(|| "only from named networks".to_owned());
        let both: Vec<String> = life.into_iter().chain(networks).collect();
        format!(
            "With {}: {} (set by your administrator).",
            rule.scope,
            both.join(", and ")
        )
    });
    max.into_iter().chain(networks).chain(rules).collect()
}

/// The choices of a token made at `now`, of which `chosen` is checked; if that is empty, the usual one.
pub(super) fn expiries(policy: &PersonalTokenPolicy, chosen: &str, now: Timestamp) -> Vec<Expiry> {
    let usual = policy.offered_life();
    let chosen = match chosen {
        "" => value_of(usual),
        chosen => chosen.to_owned(),
    };
    // The operator's default and what a link asks for have a tile too, whatever they are.
    let lives: BTreeSet<Duration> = PRESETS
        .into_iter()
        .map(days)
        .chain([usual])
        .chain(parse_duration(&chosen).filter(|life| !life.is_zero()))
        .collect();
    let beyond = |life| policy.max_life.is_some_and(|max| life > max);
    let too_long = "Longer than tokens may live here (set by your administrator).";
    let presets = lives.into_iter().map(|life| Expiry {
        value: value_of(life),
        label: exactly(life),
        date: Some(When::of(now.whole_second() + life, now)),
        checked: parse_duration(&chosen) == Some(life) && !beyond(life),
        disabled: beyond(life).then(|| too_long.to_owned()),
    });
    let other = |value: &str, label: &str, disabled: Option<String>| Expiry {
        value: value.to_owned(),
        label: label.to_owned(),
        date: None,
        checked: chosen == value && disabled.is_none(),
        disabled,
    };
    let never = (!policy.allows_no_end())
        .then(|| "Every token ends here (set by your administrator).".to_owned());
    presets
        .chain([
            other("custom", "Until…", None),
            other("never", "No expiry", never),
        ])
        .collect()
}
