//! What resource servers are told, and why.

use prometheus::{IntCounter, Registry, register_int_counter_vec_with_registry};

use crate::domain::bearer::Standing;
use crate::domain::token::TokenKind;
use crate::oauth::introspection::Verdict;

const STANDINGS: [Standing; 13] = [
    Standing::Active,
    Standing::Expired,
    Standing::Spent,
    Standing::Revoked,
    Standing::GrantRevoked,
    Standing::CutOff,
    Standing::OwnerDisabled,
    Standing::ClientDisabled,
    Standing::Early,
    Standing::Idle,
    Standing::Elsewhere,
    Standing::Pending,
    Standing::Decoy,
];

/// A counter for each verdict. There are few, and the most frequent come first.
pub struct Introspections(Vec<(Verdict, IntCounter)>);

impl Introspections {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let all = register_int_counter_vec_with_registry!(
            "jeton_introspections_total",
            "Introspections answered: whether the token was active, its kind, and if not, why not.",
            &["outcome", "kind", "reason"],
            registry
        )?;
        let counters = verdicts().map(|verdict| {
            let outcome = if reason(verdict).is_empty() {
                "active"
            } else {
                "inactive"
            };
            let labels = [outcome, kind(verdict), reason(verdict)];
            (verdict, all.with_label_values(&labels))
        });
        Ok(Self(counters.collect()))
    }

    /// Count an answer.
    pub fn count(&self, verdict: Verdict) {
        if let Some((_, counter)) = self.0.iter().find(|(of, _)| *of == verdict) {
            counter.inc();
        }
    }
}

pub(super) fn verdicts() -> impl Iterator<Item = Verdict> {
    let found = STANDINGS
        .into_iter()
        .flat_map(|standing| TokenKind::ALL.map(|kind| Verdict::Found(kind, standing)));
    let others = TokenKind::ALL.map(Verdict::NotForCaller);
    // Access tokens are not spent, only personal ones have limits, and a decoy is nothing but that.
    let possible = found.chain(others).filter(|verdict| match verdict {
        Verdict::Found(kind, Standing::Decoy) => *kind == TokenKind::Decoy,
        Verdict::Found(TokenKind::Decoy, _) | Verdict::NotForCaller(TokenKind::Decoy) => false,
        Verdict::Found(kind, Standing::Spent) => *kind != TokenKind::Access,
        Verdict::Found(
            kind,
            Standing::Early | Standing::Idle | Standing::Elsewhere | Standing::Pending,
        ) => *kind == TokenKind::Personal,
        _ => true,
    });
    possible.chain([Verdict::Unknown, Verdict::Malformed])
}

pub(super) fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Found(kind, _) | Verdict::NotForCaller(kind) => kind.as_str(),
        Verdict::Unknown | Verdict::Malformed => "none",
    }
}

/// Why it is inactive; nothing if it is active.
pub(super) fn reason(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Malformed => "malformed",
        Verdict::Unknown => "unknown",
        Verdict::NotForCaller(_) => "not_for_caller",
        Verdict::Found(_, standing) => match standing {
            Standing::Active => "",
            Standing::Expired => "expired",
            Standing::Spent => "spent",
            Standing::Revoked => "revoked",
            Standing::GrantRevoked => "grant_revoked",
            Standing::CutOff => "cut_off",
            Standing::OwnerDisabled => "owner_disabled",
            Standing::ClientDisabled => "client_disabled",
            Standing::Early => "early",
            Standing::Idle => "idle",
            Standing::Elsewhere => "network",
            Standing::Pending => "pending",
            Standing::Decoy => "decoy",
        },
    }
}
