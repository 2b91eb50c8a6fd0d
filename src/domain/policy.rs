//! What the operator has decided: lifetimes, brands, and what personal access tokens may be.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::secret::Brands;
use super::token_policy::ScopeRule;

/// The decisions that the domain follows. They come from the settings and do not change while the server runs.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The issuer identifier (RFC 8414 §2): the URL under which people and apps reach this server.
    pub issuer: String,
    /// What secrets begin with.
    pub brands: Brands,
    pub lifetimes: Lifetimes,
    pub personal: PersonalTokenPolicy,
    /// Whether there is a mail server to hand mails to; none is queued where there is not.
    pub mails: bool,
}

impl Policy {
    /// The URI of our own management API, as tokens have it in their audience.
    pub fn api_resource(&self) -> String {
        format!("{}/api", self.issuer)
    }

    /// Whether people reach this server by https: then cookies are for https only.
    pub fn is_https(&self) -> bool {
        self.issuer.starts_with("https:")
    }
}

/// How long things live. What they are unless set stands in the table of settings alone.
#[derive(Debug, Clone, Default)]
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
    /// How long after entering the password a person may make tokens without entering it again.
    pub step_up: Duration,
    /// How long a client's older secrets go on working once a new one was made.
    pub secret_overlap: Duration,
    /// How long the audit trail keeps an event; `None` for ever.
    pub audit: Option<Duration>,
}

/// Who may make personal access tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Creators {
    #[default]
    Everyone,
    Administrators,
    /// These people alone. Whoever decides it may name them; it is kept with their ids, which are nobody else's ever.
    Users(Vec<String>),
}

/// What happens when a token is used after its successor has taken over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OnReuse {
    /// It is refused and reported: a forgotten job must not take production down.
    #[default]
    Report,
    /// The successor ends too: one of the two may be a thief's.
    Revoke,
}

/// The rules for people's own tokens. They hold for new tokens; none that lives is ever shortened by them.
#[derive(Debug, Clone, Default)]
pub struct PersonalTokenPolicy {
    /// The longest life a token may be given; `None` for no limit.
    pub max_life: Option<Duration>,
    /// What is preselected.
    pub default_life: Duration,
    /// Whether a token may have no end at all.
    pub may_never_expire: bool,
    /// How many live tokens one account may have.
    pub per_user: usize,
    pub creators: Creators,
    /// How long a rotated token goes on working, if its successor is not used sooner.
    pub overlap: Duration,
    /// How long it still works once its successor was used.
    pub drain: Duration,
    pub on_reuse: OnReuse,
    /// Whether every token has to be limited to networks.
    pub networks_required: bool,
    /// Whether an administrator has to approve a token before it works.
    pub approval_required: bool,
    /// Stricter rules for some scopes.
    pub scopes: Vec<ScopeRule>,
}
