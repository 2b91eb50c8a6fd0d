//! How a token stands.

use super::PersonalToken;
use crate::clock::Timestamp;

/// How a personal access token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    /// It waits for an administrator's approval.
    Pending,
    /// It has a successor, and works beside it for a while.
    Rotating,
    /// Its successor has taken over.
    Rotated,
    Expired,
    Revoked,
}

impl State {
    /// All that there are.
    pub const ALL: [State; 6] = [
        State::Active,
        State::Pending,
        State::Rotating,
        State::Rotated,
        State::Expired,
        State::Revoked,
    ];

    /// Those of current tokens, by which a search finds them: one that was rotated is found by its successor.
    pub const SEARCHED: [State; 4] = [
        State::Active,
        State::Pending,
        State::Expired,
        State::Revoked,
    ];

    /// Its name at the API and on pages.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Pending => "pending",
            State::Rotating => "rotating",
            State::Rotated => "rotated",
            State::Expired => "expired",
            State::Revoked => "revoked",
        }
    }
}

impl PersonalToken {
    /// What has become of it at `now`, as its owner is told. A disabled owner is not looked at.
    pub fn state(&self, now: Timestamp) -> State {
        if self.grant.revoked_at.is_some() {
            State::Revoked
        } else if self.token.spent_at.is_some() {
            match self.token.overlaps(now) {
                true => State::Rotating,
                false => State::Rotated,
            }
        } else if self.token.is_expired(now) || self.is_idle(now) {
            State::Expired
        } else if self.grant.pending_since.is_some() {
            State::Pending
        } else {
            State::Active
        }
    }

    /// Whether it works, or will.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state(now), State::Active | State::Pending)
    }
}
