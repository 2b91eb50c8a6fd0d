//! Whether a token is good, and for what (RFC 7662).

use std::net::IpAddr;

use serde::Serialize;

use super::error::InvalidRequest;
use super::params::Params;
use crate::clock::Timestamp;
use crate::domain::authorization_details::Detail;
use crate::domain::bearer::Standing;
use crate::domain::client::Client;
use crate::domain::denial::{Denied, Reason};
use crate::domain::lookup::Found;
use crate::domain::policy::Policy;
use crate::domain::secret::{Brands, Digest};
use crate::domain::token::TokenKind;
use crate::domain::words::Scope;

/// What a resource server asks. The hint may be wrong, so it is not looked at (RFC 7662 §2.1).
pub struct Question {
    token: Option<Digest>,
    /// From where the token came to the resource server, if it says so (an extension of ours).
    pub client_ip: Option<IpAddr>,
    /// What the resource server needs for what is done there, if it says so (an extension of ours).
    required_scope: Scope,
}

impl Question {
    /// Read the question of a form.
    pub fn read(params: &Params, brands: &Brands) -> Result<Self, InvalidRequest> {
        let client_ip = match params.get("client_ip") {
            Some(text) => Some(
                text.parse()
                    .map_err(|_| InvalidRequest::NotUnderstood("client_ip"))?,
            ),
            None => None,
        };
        let required_scope = Scope::parse(params.get("required_scope").unwrap_or_default());
        let required_scope =
            required_scope.map_err(|_| InvalidRequest::NotUnderstood("required_scope"))?;
        // What is no secret of ours to look at is not looked up.
        let token = brands.read(params.need("token")?);
        Ok(Self {
            token: token.map(|secret| secret.digest()),
            client_ip,
            required_scope,
        })
    }

    /// What has to be looked up for it.
    pub fn token(&self) -> Option<Digest> {
        self.token
    }
}

/// What it is told. An inactive token is nothing but that (RFC 7662 §2.2).
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    Inactive { active: bool },
    Active(Box<Facts>),
}

/// What is told of an active token.
#[derive(Debug, Serialize)]
pub struct Facts {
    active: bool,
    iss: String,
    sub: String,
    aud: Vec<String>,
    client_id: String,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    iat: i64,
    jti: String,
    token_type: &'static str,
    token_kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details: Vec<Detail>,
}

/// Why the answer is what it is. Only the counters and the log are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is no token of ours.
    Malformed,
    Unknown,
    Found(TokenKind, Standing),
    /// It is active, and none of the caller's business.
    NotForCaller(TokenKind),
}

/// An answer, why it is that, and what a good token was not good for.
pub struct Outcome {
    pub answer: Answer,
    pub verdict: Verdict,
    pub denied: Option<Denied>,
}

fn inactive(verdict: Verdict) -> Outcome {
    Outcome {
        answer: Answer::Inactive { active: false },
        verdict,
        denied: None,
    }
}

/// Answer `caller`, which has authenticated. Every reason for "no" looks alike; the log knows it.
pub fn answer(
    policy: &Policy,
    now: Timestamp,
    caller: &Client,
    question: &Question,
    found: &Found,
) -> Outcome {
    let Some(bearer) = &found.bearer else {
        let verdict = match question.token {
            None => Verdict::Malformed,
            Some(_) => Verdict::Unknown,
        };
        tracing::debug!(?verdict, "inactive");
        return inactive(verdict);
    };
    let (kind, standing) = (bearer.token.kind, bearer.standing(now, question.client_ip));
    if standing != Standing::Active {
        tracing::debug!(token = %bearer.token.id, ?standing, "inactive");
        let elsewhere = standing == Standing::Elsewhere;
        return Outcome {
            denied: elsewhere.then(|| Denied::new(bearer, &caller.id, Reason::Network)),
            ..inactive(Verdict::Found(kind, standing))
        };
    }
    let Some(scope) = bearer.seen_by(caller, &found.catalogue) else {
        tracing::debug!(token = %bearer.token.id, caller = %caller.id, "not for this caller");
        let reason = match kind {
            TokenKind::Refresh => Reason::Refresh,
            _ => Reason::Audience,
        };
        return Outcome {
            denied: Some(Denied::new(bearer, &caller.id, reason)),
            ..inactive(Verdict::NotForCaller(kind))
        };
    };
    let lacking = question.required_scope.only(|word| !scope.contains(word));
    let denied = (!lacking.is_empty())
        .then(|| Denied::lacking(bearer, &caller.id, &lacking, &found.catalogue));
    Outcome {
        denied,
        verdict: Verdict::Found(kind, standing),
        answer: Answer::Active(Box::new(Facts {
            active: true,
            iss: policy.issuer.clone(),
            sub: bearer.subject(),
            aud: bearer.audience().iter().map(str::to_owned).collect(),
            client_id: bearer.grant.client_id.clone(),
            scope: scope.to_string(),
            exp: bearer.end().map(Timestamp::seconds),
            nbf: bearer.grant.limits.not_before.map(Timestamp::seconds),
            iat: bearer.token.created_at.seconds(),
            jti: bearer.token.id.to_string(),
            token_type: "Bearer",
            token_kind: bearer.kind(),
            username: bearer.owner.as_ref().map(|owner| owner.username.clone()),
            auth_time: bearer.grant.auth_time.map(Timestamp::seconds),
            authorization_details: bearer.details_seen_by(caller, &found.catalogue),
        })),
    }
}
