//! The JSON API, for scripts. camelCase; times in milliseconds since 1970; errors are `{code, message, details}` with
//! stable codes.

pub mod all_tokens;
pub mod audit;
pub mod authorization_details_types;
mod code;
pub mod decoys;
pub mod forward_auth_policies;
pub mod identify;
pub mod incidents;
pub mod leaked_tokens;
pub mod my_tokens;
pub mod openapi;
pub mod own_token;
pub mod policies;
pub mod rotation;
pub mod secret_scanning;
pub mod service_accounts;
mod token;
pub mod user_tokens;

pub use code::Code;

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

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
    code: Code,
    message: String,
    details: Option<Box<Value>>,
    challenge: Option<String>,
    /// After how many seconds to try again.
    retry_after: Option<u64>,
    fault: Option<Box<Fault>>,
}

/// An error of the API, as it is sent.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorView<'a> {
    /// Stable: scripts compare it.
    code: &'static str,
    /// A sentence for people.
    message: &'a str,
    /// What a script may want to know besides.
    #[schemars(with = "Option<Map<String, Value>>")]
    details: Option<&'a Value>,
}

impl Error {
    /// A refusal with this code, and a sentence for whoever reads it.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            status: code.status(),
            code,
            message: message.into(),
            details: None,
            challenge: None,
            retry_after: None,
            fault: None,
        }
    }

    /// 404: there is no such thing, or not for whoever asks.
    pub fn not_found(what: &str) -> Self {
        Self::new(Code::NotFound, format!("There is no such {what}."))
    }

    /// 429: this came too often, and may come again after `wait`.
    pub fn too_many(wait: Duration) -> Self {
        let message = "Too many of these came from your network; try again later.";
        Self {
            retry_after: Some(wait.as_millis().div_ceil(1000) as u64),
            ..Self::new(Code::TooMany, message)
        }
    }

    fn malformed(message: impl Into<String>) -> Self {
        Self::new(Code::Malformed, message)
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
        let message = "This server can't answer now; try again.";
        Self {
            status: errors::status_of(&fault),
            fault: Some(Box::new(fault)),
            ..Self::new(Code::ServerError, message)
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
        match error {
            InvalidRequest::TooLarge => Self::new(Code::TooLarge, error.to_string()),
            error => Self::malformed(error.to_string()),
        }
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
            NotSearched::TooManyToSort => Self::new(Code::TooManyToSort, error.to_string()),
        }
    }
}

/// What a bearer token lacks.
impl From<oauth::Error> for Error {
    fn from(error: oauth::Error) -> Self {
        let (challenge, message) = (errors::bearer_challenge(&error), error.to_string());
        let code = match error {
            oauth::Error::Fault(fault) => return fault.into(),
            oauth::Error::InvalidToken => Code::InvalidToken,
            oauth::Error::InsufficientScope(_) => Code::InsufficientScope,
            _ => return Self::malformed(message),
        };
        Self {
            challenge: Some(challenge),
            ..Self::new(code, message)
        }
    }
}

/// What a browser lacks.
impl From<pages::Error> for Error {
    fn from(error: pages::Error) -> Self {
        match error {
            pages::Error::Fault(fault) => fault.into(),
            pages::Error::StepUp { .. } => Self::new(
                Code::StepUpRequired,
                "Enter your password again at /step-up, then repeat this.",
            ),
            pages::Error::NotFound => Self::not_found("service account"),
            _ => Self {
                challenge: Some("Bearer realm=\"jeton\"".to_owned()),
                ..Self::new(Code::AuthRequired, "Sign in, or send an access token.")
            },
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let message = problem.to_string();
        match problem {
            Problem::Fault(fault) => fault.into(),
            Problem::NameTaken => Self::new(Code::NameExists, message),
            Problem::LimitReached(limit) => {
                Self::new(Code::LimitReached, message).with(json!({"limit": limit}))
            }
            Problem::EndBeyondPolicy(latest) => Self::new(Code::ExpiryBeyondPolicy, message)
                .with(json!({"maxExpiresAt": latest.millis()})),
            Problem::NeverNotAllowed => Self::new(Code::ExpiryRequired, message),
            Problem::Widening(words) => Self::new(Code::Widening, message)
                .with(json!({"scopes": words.split(' ').collect::<Vec<_>>()})),
            Problem::WideningDetails(_) => Self::new(Code::Widening, message),
            Problem::Lengthening => Self::new(Code::Lengthening, message),
            Problem::Network(_) => Self::new(Code::NetworkInvalid, message),
            Problem::TooManyNetworks => Self::new(Code::TooManyNetworks, message),
            Problem::NetworksRequired => Self::new(Code::NetworksRequired, message),
            Problem::ReasonRequired => Self::new(Code::ReasonRequired, message),
            Problem::Words => Self::new(Code::WordsInvalid, message),
            Problem::NotPending => Self::new(Code::NotPending, message),
            Problem::Pending => Self::new(Code::Pending, message),
            Problem::EndsBeforeItBegins => Self::new(Code::EndsBeforeItBegins, message),
            Problem::IdleLife => Self::new(Code::IdleLifeInvalid, message),
            Problem::NotLive => Self::new(Code::NotLive, message),
            Problem::AlreadyRotated => Self::new(Code::AlreadyRotated, message),
            Problem::NotRotating => Self::new(Code::NotRotating, message),
            Problem::SuccessorUsed => Self::new(Code::SuccessorUsed, message),
            Problem::OverlapTooLong => Self::new(Code::OverlapTooLong, message),
            Problem::ScopeNotGrantable(scope) => {
                Self::new(Code::ScopeNotGrantable, message).with(json!({"scope": scope}))
            }
            Problem::CreatorNotAllowed | Problem::CreatorNotNamed | Problem::SwitchedOff => {
                Self::new(Code::CreationNotAllowed, message)
            }
            Problem::OwnerDisabled => Self::new(Code::UserDisabled, message),
            Problem::Name => Self::new(Code::NameInvalid, message),
            Problem::Description => Self::new(Code::DescriptionInvalid, message),
            Problem::NoScope => Self::new(Code::ScopeRequired, message),
            Problem::UnknownScope(_) => Self::new(Code::ScopeUnknown, message),
            Problem::NoAudience => Self::new(Code::AudienceRequired, message),
            Problem::UnknownResource(_) => Self::new(Code::AudienceUnknown, message),
            Problem::ScopeOutsideAudience(_) => Self::new(Code::ScopeOutsideAudience, message),
            Problem::ResourceWithoutScope(_) => Self::new(Code::AudienceWithoutScope, message),
            Problem::Details(_) => Self::new(Code::DetailsInvalid, message),
            Problem::DetailsOutsideAudience(_) => Self::new(Code::DetailsOutsideAudience, message),
            Problem::EndPassed => Self::new(Code::ExpiresInThePast, message),
        }
    }
}

impl From<forward_policy::Unfit> for Error {
    fn from(unfit: forward_policy::Unfit) -> Self {
        use forward_policy::Unfit;
        let message = unfit.to_string();
        match unfit {
            Unfit::Fault(fault) => fault.into(),
            Unfit::Name(_) => Self::new(Code::PolicyNameInvalid, message),
            Unfit::Taken(_) => Self::new(Code::PolicyNameExists, message),
            Unfit::Resource(_) => Self::new(Code::PolicyAudienceUnknown, message),
            Unfit::Scope(..) => Self::new(Code::PolicyScopeUnknown, message),
            Unfit::TooManyRules | Unfit::Rule(_) => Self::new(Code::PolicyRuleInvalid, message),
            Unfit::Otherwise(_) => Self::new(Code::PolicyOtherwiseInvalid, message),
            Unfit::Header(_) => Self::new(Code::PolicyHeaderInvalid, message),
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
        response.json(ErrorView {
            code: self.code.as_str(),
            message: &self.message,
            details: self.details.as_deref(),
        })
    }
}
