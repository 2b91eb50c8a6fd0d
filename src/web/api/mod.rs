//! The JSON API, for scripts. camelCase; times in milliseconds since 1970; errors are `{code, message, details}` with
//! stable codes.

pub mod all_tokens;
pub mod incidents;
pub mod my_tokens;
pub mod own_token;
mod token;
pub mod user_tokens;

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, ResponseError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{errors, pages};
use crate::db::{Fault, Refusal};
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
            Problem::NotLive => Self::new(StatusCode::CONFLICT, "pat.not_live", message),
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
        response.json(json!({"code": self.code, "message": self.message, "details": self.details}))
    }
}
