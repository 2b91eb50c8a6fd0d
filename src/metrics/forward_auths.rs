//! What proxies are told, and why.

use prometheus::{IntCounter, Registry, register_int_counter_vec_with_registry};

use super::introspections;
use crate::domain::bearer::Standing;
use crate::domain::token::TokenKind;
use crate::oauth::forward_auth::{Ruling, Unclear};
use crate::oauth::introspection::Verdict;

/// A counter for each ruling. There are few, and the most frequent come first.
pub struct ForwardAuths(Vec<(Ruling, IntCounter)>);

impl ForwardAuths {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let all = register_int_counter_vec_with_registry!(
            "jeton_forward_auths_total",
            "Requests that proxies asked about: what became of them, the kind of their token, and if they were refused, \
             why.",
            &["outcome", "kind", "reason"],
            registry
        )?;
        let counters = rulings().map(|ruling| {
            let [outcome, kind, reason] = labels(ruling);
            (ruling, all.with_label_values(&[outcome, kind, reason]))
        });
        Ok(Self(counters.collect()))
    }

    /// Count an answer.
    pub fn count(&self, ruling: Ruling) {
        if let Some((_, counter)) = self.0.iter().find(|(of, _)| *of == ruling) {
            counter.inc();
        }
    }
}

fn rulings() -> impl Iterator<Item = Ruling> {
    // What is presented with a refresh token gets no further.
    const KINDS: [TokenKind; 2] = [TokenKind::Personal, TokenKind::Access];
    let bad = introspections::verdicts().filter(|verdict| match verdict {
        Verdict::Found(_, standing) => *standing != Standing::Active,
        _ => true,
    });
    let allowed = KINDS.map(Ruling::Allowed).into_iter();
    allowed
        .chain([Ruling::NoToken])
        .chain(bad.map(Ruling::BadToken))
        .chain(KINDS.map(Ruling::MissingScope))
        .chain(KINDS.map(Ruling::NoRule))
        .chain(KINDS.into_iter().flat_map(|kind| {
            let unclear = Unclear::ALL.into_iter();
            unclear.map(move |unclear| Ruling::Unclear(kind, unclear))
        }))
        .chain([Ruling::UnknownPolicy])
}

/// Outcome, kind and reason.
fn labels(ruling: Ruling) -> [&'static str; 3] {
    match ruling {
        Ruling::Allowed(kind) => ["allowed", kind.as_str(), ""],
        Ruling::NoToken => ["unauthorized", "none", "no_token"],
        Ruling::BadToken(verdict) => {
            let (kind, reason) = (
                introspections::kind(verdict),
                introspections::reason(verdict),
            );
            ["unauthorized", kind, reason]
        }
        Ruling::MissingScope(kind) => ["forbidden", kind.as_str(), "missing_scope"],
        Ruling::NoRule(kind) => ["forbidden", kind.as_str(), "no_rule"],
        Ruling::Unclear(kind, unclear) => {
            let reason = match unclear {
                Unclear::Missing => "no_request",
                Unclear::Contradictory => "contradictory_request",
                Unclear::Method => "unclear_method",
                Unclear::Path => "unclear_path",
            };
            ["forbidden", kind.as_str(), reason]
        }
        Ruling::UnknownPolicy => ["forbidden", "none", "unknown_policy"],
    }
}
