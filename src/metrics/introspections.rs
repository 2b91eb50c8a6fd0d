//! What resource servers are told, and why.

use prometheus::{IntCounter, Registry, register_int_counter_vec_with_registry};

use crate::domain::bearer::Standing;
use crate::domain::token::TokenKind;
use crate::oauth::introspection::Verdict;

const STANDINGS: [Standing; 8] = [
    Standing::Active,
    Standing::Expired,
    Standing::Spent,
    Standing::Revoked,
    Standing::GrantRevoked,
    Standing::CutOff,
    Standing::OwnerDisabled,
    Standing::ClientDisabled,
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

fn verdicts() -> impl Iterator<Item = Verdict> {
    let found = STANDINGS
        .into_iter()
        .flat_map(|standing| TokenKind::ALL.map(|kind| Verdict::Found(kind, standing)));
    // Only refresh tokens are spent.
    let possible = found.filter(|verdict| match verdict {
        Verdict::Found(kind, Standing::Spent) => *kind == TokenKind::Refresh,
        _ => true,
    });
    possible
        .chain(TokenKind::ALL.map(Verdict::NotForCaller))
        .chain([Verdict::Unknown, Verdict::Malformed])
}

fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Found(kind, _) | Verdict::NotForCaller(kind) => kind.as_str(),
        Verdict::Unknown | Verdict::Malformed => "none",
    }
}

/// Why it is inactive; nothing if it is active.
fn reason(verdict: Verdict) -> &'static str {
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
        },
    }
}
