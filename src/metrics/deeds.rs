//! What transactions did, counted once they are committed.

use prometheus::{
    IntCounter, IntCounterVec, Registry, register_int_counter_vec_with_registry,
    register_int_counter_with_registry,
};

use crate::domain::audit::What;
use crate::domain::client::GrantType;
use crate::domain::deed::Deed;
use crate::domain::token::TokenKind;

/// What is made at all: tokens of an app by its grant types, personal ones by none.
const MADE: [(TokenKind, Option<GrantType>); 6] = [
    (TokenKind::Access, Some(GrantType::AuthorizationCode)),
    (TokenKind::Access, Some(GrantType::RefreshToken)),
    (TokenKind::Access, Some(GrantType::ClientCredentials)),
    (TokenKind::Refresh, Some(GrantType::AuthorizationCode)),
    (TokenKind::Refresh, Some(GrantType::RefreshToken)),
    (TokenKind::Personal, None),
];

const GRACE: &str = "grace";
const THEFT: &str = "theft";

pub struct Deeds {
    issued: IntCounterVec,
    replays: IntCounterVec,
    events: IntCounterVec,
    decoys: IntCounter,
}

impl Deeds {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let deeds = Self {
            issued: register_int_counter_vec_with_registry!(
                "jeton_tokens_issued_total",
                "Tokens made, by kind and by the grant type that made them.",
                &["kind", "grant_type"],
                registry
            )?,
            replays: register_int_counter_vec_with_registry!(
                "jeton_refresh_replays_total",
                "Spent refresh tokens that came again: in time, and got their successor again (grace), or not, and \
                 ended their grant (theft).",
                &["verdict"],
                registry
            )?,
            events: register_int_counter_vec_with_registry!(
                "jeton_audit_events_total",
                "Events written into the audit trail.",
                &["event"],
                registry
            )?,
            decoys: register_int_counter_with_registry!(
                "jeton_decoys_used_total",
                "Alarms that decoy tokens raised because somebody used them, at most one a minute for each.",
                registry
            )?,
        };
        // What never happened yet is told as 0, so that the first time shows as an increase.
        for (kind, by) in MADE {
            deeds.issued.with_label_values(&issued(kind, by));
        }
        for verdict in [GRACE, THEFT] {
            deeds.replays.with_label_values(&[verdict]);
        }
        Ok(deeds)
    }

    /// Count what was done, now that it is committed.
    pub fn count(&self, done: &[Deed]) {
        for deed in done {
            match *deed {
                Deed::Issued(kind, by) => self.issued.with_label_values(&issued(kind, by)).inc(),
                Deed::Repeated => self.replays.with_label_values(&[GRACE]).inc(),
                Deed::Recorded(what) => {
                    self.events.with_label_values(&[what.as_str()]).inc();
                    if what == What::RefreshTokenReplayed {
                        self.replays.with_label_values(&[THEFT]).inc();
                    }
                    if what == What::DecoyUsed {
                        self.decoys.inc();
                    }
                }
            }
        }
    }
}

fn issued(kind: TokenKind, by: Option<GrantType>) -> [&'static str; 2] {
    [kind.as_str(), by.map_or("none", GrantType::as_str)]
}
