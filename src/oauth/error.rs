//! Refusals, in the words of RFC 6749 §4.1.2.1 and §5.2 and its extensions: an enum for each code, and for each
//! variant the sentence that the developer on the other side needs.

use crate::db::Fault;
use crate::domain::authorization_details::Invalid;

/// `invalid_request`, 400: the request itself is wrong.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRequest {
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    #[error("the parameter {0:?} came more than once")]
    Repeated(String),
    #[error("parameters are UTF-8 in application/x-www-form-urlencoded, without NUL")]
    Encoding,
    #[error("the body has to be application/x-www-form-urlencoded")]
    ContentType,
    #[error("the body is larger than this server takes")]
    TooLarge,
    #[error("the body could not be read")]
    Unreadable,
    #[error("credentials and codes do not belong in the query")]
    InQuery,
    #[error("the client authenticated in two ways at once")]
    TwoAuthentications,
    #[error("the client_id in the body is not that of the Authorization header")]
    OtherClientId,
    #[error("PKCE is required: code_challenge_method has to be S256 (RFC 7636)")]
    ChallengeMethod,
    #[error(
        "PKCE is required: code_challenge has to be the 43 characters of a base64url SHA-256 (RFC 7636)"
    )]
    Challenge,
    #[error("prompt=none can't be combined with another prompt")]
    PromptNoneAndMore,
    #[error("{0} is not understood")]
    NotUnderstood(&'static str),
}

/// `invalid_client`, 401. What exactly was wrong with the credentials is not said.
#[derive(Debug, thiserror::Error)]
pub enum InvalidClient {
    #[error("client authentication failed")]
    Failed,
    #[error("a client that can keep no secret may not do this")]
    Public,
}

/// What makes a presented code or refresh token worthless: `invalid_grant`, 400 (RFC 6749 §5.2).
#[derive(Debug, thiserror::Error)]
pub enum InvalidGrant {
    #[error("this authorization code is not known here")]
    UnknownCode,
    #[error("this authorization code has already been used")]
    Used,
    #[error("this authorization code has expired")]
    CodeExpired,
    #[error("this was issued to another client")]
    OtherClient,
    #[error("redirect_uri is not the one of the authorization request")]
    RedirectUri,
    #[error("code_verifier does not match the code_challenge (RFC 7636 §4.6)")]
    Verifier,
    #[error("this refresh token is not known here")]
    UnknownRefreshToken,
    #[error("this refresh token has expired or was revoked")]
    Ended,
    #[error("this refresh token was used before; everything issued from it has been revoked")]
    Replayed,
    #[error("the account is disabled")]
    OwnerDisabled,
}

/// `invalid_scope`, 400 (RFC 6749 §5.2).
#[derive(Debug, thiserror::Error)]
pub enum InvalidScope {
    #[error("scope is words of printable ASCII with spaces between them")]
    Malformed,
    #[error("no resource here defines the scope {0}")]
    Unknown(String),
    #[error("this client may not ask for the scope {0}")]
    NotAllowed(String),
    #[error("this person may not grant the scope {0}")]
    NotGrantable(String),
    #[error("none of the requested resources defines the scope {0}")]
    OtherResource(String),
    #[error("the scope goes beyond what was granted")]
    BeyondGrant,
}

/// `invalid_target`, 400 (RFC 8707 §2).
#[derive(Debug, thiserror::Error)]
pub enum InvalidTarget {
    #[error("there is no resource {0}")]
    Unknown(String),
    #[error("a resource is an absolute URI without a fragment, not {0:?}")]
    Malformed(String),
    #[error("the grant is not for the resource {0}")]
    BeyondGrant(String),
}

/// `invalid_authorization_details`, 400 (RFC 9396 §5).
#[derive(Debug, thiserror::Error)]
pub enum InvalidAuthorizationDetails {
    #[error(transparent)]
    Invalid(#[from] Invalid),
    #[error("this client may not ask for authorization details of the type {0}")]
    NotAllowed(String),
    #[error(
        "authorization details were asked for of {0}, which is not among the requested resources"
    )]
    OtherResource(String),
    #[error(
        "a token request may repeat the authorization details that were granted, and no others"
    )]
    NotAsGranted,
    #[error("what was asked for is no longer defined here")]
    Gone,
    #[error("a client gets no authorization details for itself here, only scopes")]
    ForServices,
}

/// Any way in which an OAuth endpoint says no.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    InvalidRequest(#[from] InvalidRequest),
    #[error(transparent)]
    InvalidClient(#[from] InvalidClient),
    #[error(transparent)]
    InvalidGrant(#[from] InvalidGrant),
    #[error("this client may not use the grant type {0}")]
    UnauthorizedClient(String),
    #[error("there is no grant type {0:?} here")]
    UnsupportedGrantType(String),
    #[error("response_type has to be code")]
    UnsupportedResponseType,
    #[error(transparent)]
    InvalidScope(#[from] InvalidScope),
    #[error(transparent)]
    InvalidTarget(#[from] InvalidTarget),
    #[error(transparent)]
    InvalidAuthorizationDetails(#[from] InvalidAuthorizationDetails),
    #[error("secrets of this kind can't be revoked here")]
    UnsupportedTokenType,
    #[error("the person said no")]
    AccessDenied,
    #[error("nobody is signed in")]
    LoginRequired,
    #[error("the person has to be asked")]
    ConsentRequired,
    #[error("request objects are not supported (RFC 9101)")]
    RequestNotSupported,
    #[error("request_uri is not supported (RFC 9101)")]
    RequestUriNotSupported,
    /// A bearer token that is not good here (RFC 6750 §3.1).
    #[error("the access token is not good here")]
    InvalidToken,
    /// A bearer token without the scope it takes (RFC 6750 §3.1).
    #[error("this takes an access token with the scope {0}")]
    InsufficientScope(&'static str),
    #[error("this server can't answer now; try again")]
    Fault(#[from] Fault),
}

impl Error {
    /// The sentence that is sent as `error_description`, in the characters it may have (RFC 6749 §5.2). It may repeat a
    /// part of the request, so it is cut.
    pub fn description(&self) -> String {
        let sentence = self
            .to_string()
            .replace('§', "section ")
            .replace(['"', '\\'], "'");
        let allowed = sentence.chars().filter(|c| matches!(c, ' '..='~'));
        allowed.take(200).collect()
    }

    /// The code that is sent as `error`.
    pub fn code(&self) -> &'static str {
        match self {
            Error::InvalidRequest(_) => "invalid_request",
            Error::InvalidClient(_) => "invalid_client",
            Error::InvalidGrant(_) => "invalid_grant",
            Error::UnauthorizedClient(_) => "unauthorized_client",
            Error::UnsupportedGrantType(_) => "unsupported_grant_type",
            Error::UnsupportedResponseType => "unsupported_response_type",
            Error::InvalidScope(_) => "invalid_scope",
            Error::InvalidTarget(_) => "invalid_target",
            Error::InvalidAuthorizationDetails(_) => "invalid_authorization_details",
            Error::UnsupportedTokenType => "unsupported_token_type",
            Error::AccessDenied => "access_denied",
            Error::LoginRequired => "login_required",
            Error::ConsentRequired => "consent_required",
            Error::RequestNotSupported => "request_not_supported",
            Error::RequestUriNotSupported => "request_uri_not_supported",
            Error::InvalidToken => "invalid_token",
            Error::InsufficientScope(_) => "insufficient_scope",
            Error::Fault(_) => "server_error",
        }
    }
}

refusal!(Error);
