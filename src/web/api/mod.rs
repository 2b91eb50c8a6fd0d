//! The JSON API, for scripts. camelCase; times in milliseconds since 1970; errors are `{code, message, details}` with
//! stable codes.

pub mod all_tokens;
pub mod audit;
pub mod decoys;
pub mod forward_auth_policies;
pub mod identify;
pub mod incidents;
pub mod leaked_tokens;
pub mod my_tokens;
pub mod own_token;
pub mod policies;
pub mod rotation;
pub mod secret_scanning;
mod token;
pub mod user_tokens;

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{errors, pages};
use crate::db::{Fault, Refusal};
use crate::domain::forward_policy;
use crate::domain::personal_token::Problem;
use crate::domain::personal_token::filter::Unreadable;
use crate::domain::personal_token::search::NotSearched;
use crate::oauth;
use crate::oauth::error::InvalidRequest;

/// A refusal of the API.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    status: StatusCode,
    /// Stable: scripts compare it.
    code: &'static str,
    message: String,
    details: Option<Box<Value>>,
    challenge: Option<String>,
    /// After how many seconds to try again.
    retry_after: Option<u64>,
    fault: Option<Box<Fault>>,
}

impl Error {
    /// A refusal with this status and stable code.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            details: None,
            challenge: None,
            retry_after: None,
            fault: None,
        }
    }

    /// 403: whoever asks may not.
    pub fn forbidden(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// 404: there is no such thing, or not for whoever asks.
    pub fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "entity.not_found",
            format!("There is no such {what}."),
        )
    }

    /// 413: the body has more bytes than this takes.
    pub fn too_large() -> Self {
        let message = InvalidRequest::TooLarge.to_string();
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "request.too_large", message)
    }

    /// 429: this came too often, and may come again after `wait`.
    pub fn too_many(wait: Duration) -> Self {
        let code = "request.too_many";
        let message = "Too many of these came from your network; try again later.";
        Self {
            retry_after: Some(wait.as_millis().div_ceil(1000) as u64),
            ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, message)
        }
    }

    fn unprocessable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "request.malformed", message)
    }

    fn with(self, details: Value) -> Self {
        Self {
            details: Some(Box::new(details)),
            ..self
        }
    }
}

/// Read a JSON body. A member that is not known is refused: it may be a slip that would change what is done.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body)
        .map_err(|error| Error::malformed(format!("The body is not what this takes: {error}.")))
}

/// [`parse`] for a body that has secrets in it: what is wrong is told without repeating any of it.
fn parse_secret<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::malformed(format!(
            "The body is not what this takes, as of line {line}, column {column}."
        ))
    })
}

/// The longest reason that is kept, in characters.
const REASON_MAX: usize = 255;

/// The words with which somebody revokes, if they gave any.
fn reason(words: Option<String>) -> Result<Option<String>, Error> {
    let words = words.map(|words| words.trim().to_owned());
    let words = words.filter(|words| !words.is_empty());
    match &words {
        Some(text) if text.chars().count() > REASON_MAX || text.contains(char::is_control) => {
            Err(Error::malformed(format!(
                "A reason is one line of at most {REASON_MAX} characters."
            )))
        }
        _ => Ok(words),
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let status = errors::status_of(&fault);
        let error = Self::new(
            status,
            "server_error",
            "This server can't answer now; try again.",
        );
        Self {
            fault: Some(Box::new(fault)),
            ..error
        }
    }
}

impl From<diesel::result::Error> for Error {
    fn from(error: diesel::result::Error) -> Self {
        Fault::from(error).into()
    }
}

impl Refusal for Error {
    fn is_fault(&self) -> bool {
        self.fault.is_some()
    }
}

impl From<InvalidRequest> for Error {
    fn from(error: InvalidRequest) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<Unreadable> for Error {
    fn from(error: Unreadable) -> Self {
        Self::malformed(error.to_string())
    }
}

impl From<NotSearched> for Error {
    fn from(error: NotSearched) -> Self {
        match error {
            NotSearched::Fault(fault) => fault.into(),
            NotSearched::TooManyToSort => {
                Self::unprocessable("search.too_many_to_sort", error.to_string())
            }
        }
    }
}

/// What a bearer token lacks.
impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        let (challenge, message) = (errors::bearer_challenge(&error), error.to_string());
        let (status, code) = match error {
            oauth::Error::Fault(fault) => return fault.into(),
            oauth::Error::InvalidToken => (StatusCode::UNAUTHORIZED, "auth.invalid_token"),
            oauth::Error::InsufficientScope(_) => {
                (StatusCode::FORBIDDEN, "auth.insufficient_scope")
            }
            _ => return Self::malformed(message),
        };
        Self {
            challenge: Some(challenge),
            ..Self::new(status, code, message)
        }
    }
}

/// What a browser lacks.
impl From<pages::Error> for Error {
    fn from(error: pages::Error) -> Self {
        match error {
            pages::Error::Fault(fault) => fault.into(),
            pages::Error::StepUp { .. } => Self::forbidden(
                "auth.step_up_required",
                "Enter your password again at /step-up, then repeat this.",
            ),
            _ => Self {
                challenge: Some("Bearer realm=\"jeton\"".to_owned()),
                ..Self::new(
                    StatusCode::UNAUTHORIZED,
                    "auth.required",
                    "Sign in, or send an access token.",
                )
            },
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let message = problem.to_string();
        let bad = |code| Self::new(StatusCode::BAD_REQUEST, code, message.clone());
        match problem {
            Problem::Fault(fault) => fault.into(),
            Problem::NameTaken => {
                Self::unprocessable("user.personal_access_token_name_exists", message)
            }
            Problem::LimitReached(limit) => {
                Self::unprocessable("pat.limit_reached", message).with(json!({"limit": limit}))
            }
            Problem::EndBeyondPolicy(latest) => {
                Self::unprocessable("pat.expiry_beyond_policy", message)
                    .with(json!({"maxExpiresAt": latest.millis()}))
            }
            Problem::NeverNotAllowed => Self::unprocessable("pat.expiry_required", message),
            Problem::Widening(words) => Self::unprocessable("pat.widening", message)
                .with(json!({"scopes": words.split(' ').collect::<Vec<_>>()})),
            Problem::Lengthening => Self::unprocessable("pat.lengthening", message),
            Problem::Network(_) => bad("pat.network_invalid"),
            Problem::TooManyNetworks => bad("pat.too_many_networks"),
            Problem::NetworksRequired => Self::unprocessable("pat.networks_required", message),
            Problem::ReasonRequired => bad("pat.reason_required"),
            Problem::NotPending => Self::new(StatusCode::CONFLICT, "pat.not_pending", message),
            Problem::EndsBeforeItBegins => bad("pat.ends_before_it_begins"),
            Problem::IdleLife => bad("pat.idle_life_invalid"),
            Problem::NotLive => Self::new(StatusCode::CONFLICT, "pat.not_live", message),
            Problem::AlreadyRotated => {
                Self::new(StatusCode::CONFLICT, "pat.already_rotated", message)
            }
            Problem::NotRotating => Self::new(StatusCode::CONFLICT, "pat.not_rotating", message),
            Problem::SuccessorUsed => {
                Self::new(StatusCode::CONFLICT, "pat.successor_used", message)
            }
            Problem::OverlapTooLong => Self::unprocessable("pat.overlap_too_long", message),
            Problem::ScopeNotGrantable(scope) => {
                Self::forbidden("pat.scope_not_grantable", &message).with(json!({"scope": scope}))
            }
            Problem::CreatorNotAllowed | Problem::SwitchedOff => {
                Self::forbidden("pat.creation_not_allowed", &message)
            }
            Problem::OwnerDisabled => Self::forbidden("user.disabled", &message),
            Problem::Name => bad("pat.name_invalid"),
            Problem::Description => bad("pat.description_invalid"),
            Problem::NoScope => bad("pat.scope_required"),
            Problem::UnknownScope(_) => bad("pat.scope_unknown"),
            Problem::NoAudience => bad("pat.audience_required"),
            Problem::UnknownResource(_) => bad("pat.audience_unknown"),
            Problem::ScopeOutsideAudience(_) => bad("pat.scope_outside_audience"),
            Problem::ResourceWithoutScope(_) => bad("pat.audience_without_scope"),
            Problem::EndPassed => bad("pat.expires_in_the_past"),
        }
    }
}

impl From<forward_policy::Unfit> for Error {
    fn from(unfit: forward_policy::Unfit) -> Self {
        use forward_policy::Unfit;
        let message = unfit.to_string();
        let bad = |code| Self::new(StatusCode::BAD_REQUEST, code, message.clone());
        match unfit {
            Unfit::Fault(fault) => fault.into(),
            Unfit::Name(_) => bad("policy.name_invalid"),
            Unfit::Taken(_) => Self::unprocessable("policy.name_exists", message),
            Unfit::Resource(_) => bad("policy.audience_unknown"),
            Unfit::Scope(..) => bad("policy.scope_unknown"),
            Unfit::TooManyRules | Unfit::Rule(_) => bad("policy.rule_invalid"),
            Unfit::Otherwise(_) => bad("policy.otherwise_invalid"),
            Unfit::Header(_) => bad("policy.header_invalid"),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(fault) = &self.fault {
            errors::log(fault);
        }
        let mut response = errors::answer(self.status);
        if let Some(challenge) = &self.challenge {
            response.insert_header((WWW_AUTHENTICATE, challenge.as_str()));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.json(json!({"code": self.code, "message": self.message, "details": self.details}))
    }
}
