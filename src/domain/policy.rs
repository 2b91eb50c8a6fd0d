//! What the operator has decided: lifetimes, brands, and what personal access tokens may be.

use std::time::Duration;

use super::secret::Brands;

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The decisions that the domain follows. They come from the settings and do not change while the server runs.
#[derive(Debug, Clone)]
pub struct Policy {
    /// What secrets begin with.
    pub brands: Brands,
    pub lifetimes: Lifetimes,
    pub personal: PersonalTokenPolicy,
}

#[derive(Debug, Clone)]
pub struct Lifetimes {
    /// From consent to the token request (RFC 6749 §4.1.2: at most ten minutes).
    pub authorization_code: Duration,
    /// Unless the client has a lifetime of its own.
    pub access_token: Duration,
    /// Counted anew with each rotation: an app that is not used this long has to ask again.
    pub refresh_token: Duration,
    /// How long after a rotation the same old refresh token gets the same successor again.
    pub refresh_grace: Duration,
    pub session: Duration,
    /// How long after entering the password a person may change tokens and password.
    pub step_up: Duration,
    /// How long a client's older secrets go on working once a new one was made.
    pub secret_overlap: Duration,
}

impl Default for Lifetimes {
    fn default() -> Self {
        Self {
            authorization_code: Duration::from_secs(60),
            access_token: HOUR,
            refresh_token: 30 * DAY,
            refresh_grace: Duration::from_secs(30),
            session: 14 * DAY,
            step_up: Duration::from_secs(10 * 60),
            secret_overlap: DAY,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Creators {
    Everyone,
    Administrators,
}

/// The rules for people's own tokens. They hold for new tokens; none that lives is ever shortened by them.
#[derive(Debug, Clone)]
pub struct PersonalTokenPolicy {
    /// The longest life a token may be given; `None` for no limit.
    pub max_life: Option<Duration>,
    /// What is preselected.
    pub default_life: Duration,
    /// Whether a token may have no end at all.
    pub may_never_expire: bool,
    /// How many live tokens one person may have.
    pub per_user: usize,
    pub creators: Creators,
}

impl Default for PersonalTokenPolicy {
    fn default() -> Self {
        Self {
            max_life: None,
            default_life: 90 * DAY,
            may_never_expire: true,
            per_user: 100,
            creators: Creators::Everyone,
        }
    }
}
