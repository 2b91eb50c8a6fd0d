//! One refusal, three faces: RFC JSON for OAuth endpoints, a page for people, `{code, message}` for the API.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, ResponseError};
use serde_json::json;

use super::{api, pages, telemetry};
use crate::db::Fault;
use crate::oauth;

/// The status of an answer to a fault of ours: always one that says "try again", and never one that a client could
/// take for a verdict.
pub fn status_of(fault: &Fault) -> StatusCode {
    match fault {
        Fault::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Log a fault, once, under the id that the other side is told.
pub fn log(fault: &Fault) {
    let request = telemetry::request_id().map(tracing::field::display);
    tracing::error!(request, %fault, "a request failed");
}

/// An answer with this status, and the time after which to try again if that would help.
pub fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.insert_header((RETRY_AFTER, "1"));
    }
    response
}

impl ResponseError for oauth::Error {
    fn status_code(&self) -> StatusCode {
        use oauth::Error::*;
        match self {
            InvalidClient(_) | InvalidToken => StatusCode::UNAUTHORIZED,
            InsufficientScope(_) => StatusCode::FORBIDDEN,
            Fault(fault) => status_of(fault),
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = answer(self.status_code());
        match self {
            oauth::Error::InvalidClient(_) => {
                response
                    .insert_header((WWW_AUTHENTICATE, "Basic realm=\"jeton\", charset=\"UTF-8\""));
            }
            oauth::Error::InvalidToken | oauth::Error::InsufficientScope(_) => {
                response.insert_header((WWW_AUTHENTICATE, bearer_challenge(self)));
            }
            oauth::Error::Fault(fault) => log(fault),
            _ => {}
        }
        response.json(json!({"error": self.code(), "error_description": self.description()}))
    }
}

/// What a bearer token lacks (RFC 6750 §3).
pub fn bearer_challenge(error: &oauth::Error) -> String {
    let scope = match error {
        oauth::Error::InsufficientScope(scope) => format!(", scope=\"{scope}\""),
        _ => String::new(),
    };
    format!("Bearer realm=\"jeton\", error=\"{}\"{scope}", error.code())
}

/// The answer to a method that a URL does not know (RFC 9110 §15.5.6).
pub fn other_method(req: &HttpRequest, allowed: &str) -> HttpResponse {
    let message = format!("this takes {allowed}");
    let mut response = refusal(req, api::Code::OtherMethod, message);
    if let Ok(allowed) = allowed.parse() {
        response.headers_mut().insert(ALLOW, allowed);
    }
    response
}

/// The answer to a URL that there is not.
pub async fn no_such_page(req: HttpRequest) -> HttpResponse {
    let message = "there is nothing here".to_owned();
    refusal(&req, api::Code::NoSuchUrl, message)
}

/// A refusal before any handler was asked, with the face that fits the URL.
fn refusal(req: &HttpRequest, code: api::Code, message: String) -> HttpResponse {
    if req.path().starts_with("/api/") {
        api::Error::new(code, message).error_response()
    } else if req.path().starts_with("/oauth/") {
        let said = json!({"error": code.as_str(), "error_description": message});
        answer(code.status()).json(said)
    } else {
        match code.status() {
            StatusCode::NOT_FOUND => pages::Error::NotFound.error_response(),
            _ => pages::Error::Method.error_response(),
        }
    }
}
