//! Whether a proxy may let a request through to the service behind it, by the token that came with it. The answer has the
//! words of RFC 6750: which scope a token lacks is told, why it is not good is not.

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client_auth::bearer_token;
use super::introspection::Verdict;
use crate::clock::Timestamp;
use crate::domain::bearer::{Bearer, Standing};
use crate::domain::forward_policy::{Fact, Path, is_method};
use crate::domain::lookup::{Found, Lookup};
use crate::domain::resource::Catalogue;
use crate::domain::secret::{Brands, Digest};
use crate::domain::token::TokenKind;
use crate::domain::words::Scope;

/// What a proxy asks.
pub struct Question {
    pub presented: Presented,
    pub request: Result<Request, Unclear>,
}

/// The token that came with a request.
pub enum Presented {
    Nothing,
    /// Something that is no token of ours.
    Malformed,
    Token(Digest),
}

/// The request that is to be let through.
#[derive(Debug, PartialEq, Eq)]
pub struct Request {
    method: String,
    path: Path,
}

/// Why it can't be told which request that is. It is not let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    Missing,
    Contradictory,
    Method,
    Path,
}

/// What becomes of a request, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    Allowed(TokenKind),
    UnknownPolicy,
    NoToken,
    /// The token is not good, or not for this service.
    BadToken(Verdict),
    Unclear(TokenKind, Unclear),
    NoRule(TokenKind),
    MissingScope(TokenKind),
}

/// An answer.
pub struct Outcome {
    pub ruling: Ruling,
    /// The scopes it takes and the token has not.
    pub missing: Scope,
    /// Whom the service deals with, if the request may pass.
    pub facts: Vec<(Fact, String)>,
}

impl Presented {
    /// Find the token in the `Authorization` headers. In two of them there is none: the service might look at the other.
    pub fn read<'a>(mut headers: impl Iterator<Item = &'a [u8]>, brands: &Brands) -> Self {
        let Some(header) = headers.next() else {
            return Self::Nothing;
        };
        let token = token(header).filter(|_| headers.next().is_none());
        match token.and_then(|token| brands.read(&token)) {
            Some(secret) => Self::Token(secret.digest()),
            None => Self::Malformed,
        }
    }

    /// What has to be looked up.
    pub fn lookup(&self, policy: Option<&str>) -> Lookup {
        Lookup {
            token: match self {
                Presented::Token(digest) => Some(*digest),
                Presented::Nothing | Presented::Malformed => None,
            },
            policy: policy.map(str::to_owned),
            ..Lookup::default()
        }
    }
}

/// The token of a header: a bearer's (RFC 6750 §2.1), or the password of whatever user, for programs that know nothing else
/// (RFC 7617).
fn token(header: &[u8]) -> Option<String> {
    if let Some(token) = bearer_token(header) {
        return Some(token.to_owned());
    }
    let (scheme, pair) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let pair = STANDARD.decode(pair.trim()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    String::from_utf8(pair[colon + 1..].to_vec()).ok()
}

impl Request {
    /// Read a method and a request target, whose query no rule is about.
    pub fn read(method: &str, target: &str) -> Result<Self, Unclear> {
        if !is_method(method) {
            return Err(Unclear::Method);
        }
        let path = target.split('?').next().unwrap_or_default();
        Ok(Self {
            method: method.to_owned(),
            path: Path::parse(path).ok_or(Unclear::Path)?,
        })
    }
}

impl Unclear {
    pub const ALL: [Unclear; 4] = [
        Unclear::Missing,
        Unclear::Contradictory,
        Unclear::Method,
        Unclear::Path,
    ];

    fn sentence(self) -> &'static str {
        match self {
            Unclear::Missing => {
                "the proxy does not say which request this is about: it has to send X-Original-Method and \
                 X-Original-URI, or X-Forwarded-Method and X-Forwarded-Uri, or the path itself"
            }
            Unclear::Contradictory => {
                "it is said in two ways which request this is about, and they differ"
            }
            Unclear::Method => "the request's method is not in capital letters",
            Unclear::Path => {
                "the request's path can be read in two ways: it has //, a segment of dots, a semicolon, or an encoded \
                 sign that services take for another"
            }
        }
    }
}

impl Ruling {
    /// The code that is sent as `error` (RFC 6750 §3.1); none where no token was sent.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Ruling::Allowed(_) | Ruling::NoToken => None,
            Ruling::BadToken(_) => Some("invalid_token"),
            Ruling::NoRule(_) | Ruling::MissingScope(_) => Some("insufficient_scope"),
            Ruling::UnknownPolicy | Ruling::Unclear(..) => Some("invalid_request"),
        }
    }

    /// Whether the token was one for this service, good or not.
    pub fn is_for_us(self) -> bool {
        match self {
            Ruling::UnknownPolicy | Ruling::NoToken => false,
            Ruling::BadToken(verdict) => matches!(verdict, Verdict::Found(..)),
            _ => true,
        }
    }

    /// What the developer on the other side has to know.
    pub fn sentence(self) -> &'static str {
        match self {
            Ruling::Allowed(_) => "this may pass",
            Ruling::UnknownPolicy => "there is no forward-auth policy of this name",
            Ruling::NoToken => {
                "this takes an access token: Authorization: Bearer, or Basic with the token as the password"
            }
            Ruling::BadToken(_) => "the access token is not good here",
            Ruling::Unclear(_, unclear) => unclear.sentence(),
            Ruling::NoRule(_) => "no rule of the policy lets such a request through",
            Ruling::MissingScope(_) => "the access token lacks a scope that this takes",
        }
    }
}

impl Outcome {
    fn refused(ruling: Ruling) -> Self {
        Self {
            ruling,
            missing: Scope::default(),
            facts: vec![],
        }
    }
}

/// Decide what was asked, by what was found. Only a good token, a known policy and a request that can be read in one way
/// get anything through.
pub fn decide(question: &Question, found: &Found, now: Timestamp, from: Option<IpAddr>) -> Outcome {
    let Some(policy) = &found.policy else {
        return Outcome::refused(Ruling::UnknownPolicy);
    };
    if let Presented::Nothing = question.presented {
        return Outcome::refused(Ruling::NoToken);
    }
    let (bearer, scope) = match seen(question, found, &policy.audience, now, from) {
        Ok(seen) => seen,
        Err(verdict) => return Outcome::refused(Ruling::BadToken(verdict)),
    };
    let kind = bearer.token.kind;
    let request = match &question.request {
        Ok(request) => request,
        Err(unclear) => return Outcome::refused(Ruling::Unclear(kind, *unclear)),
    };
    match policy.lacking(&request.method, &request.path, &scope) {
        None => Outcome::refused(Ruling::NoRule(kind)),
        Some(missing) if !missing.is_empty() => Outcome {
            missing,
            ..Outcome::refused(Ruling::MissingScope(kind))
        },
        Some(_) => Outcome {
            facts: facts(bearer, &scope),
            ..Outcome::refused(Ruling::Allowed(kind))
        },
    }
}

/// The bearer, and what of their scope the resource server at `audience` is told of, as it would be by introspection.
fn seen<'a>(
    question: &Question,
    found: &'a Found,
    audience: &str,
    now: Timestamp,
    from: Option<IpAddr>,
) -> Result<(&'a Arc<Bearer>, Scope), Verdict> {
    let bearer = found.bearer.as_ref().ok_or(match question.presented {
        Presented::Token(_) => Verdict::Unknown,
        Presented::Nothing | Presented::Malformed => Verdict::Malformed,
    })?;
    let (kind, standing) = (bearer.token.kind, bearer.standing(now, from));
    if standing != Standing::Active {
        return Err(Verdict::Found(kind, standing));
    }
    let catalogue: &Catalogue = &found.catalogue;
    // A refresh token is between its client and this server alone.
    if kind == TokenKind::Refresh || !bearer.audience().contains(audience) {
        return Err(Verdict::NotForCaller(kind));
    }
    let scope = catalogue.scope_at(audience, &bearer.rights(catalogue));
    Ok((bearer, scope))
}

/// All facts, the empty ones too: what is not said, some proxies would let the client say.
fn facts(bearer: &Bearer, scope: &Scope) -> Vec<(Fact, String)> {
    let username = bearer.owner.as_ref().map(|owner| owner.username.clone());
    let end = bearer.end();
    vec![
        (Fact::Subject, bearer.subject()),
        (Fact::Username, username.unwrap_or_default()),
        (Fact::Scopes, scope.to_string()),
        (Fact::TokenId, bearer.token.id.to_string()),
        (Fact::ClientId, bearer.grant.client_id.clone()),
        (
            Fact::ExpiresAt,
            end.map_or(String::new(), |end| end.seconds().to_string()),
        ),
    ]
}
