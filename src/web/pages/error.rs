//! Pages that say what went wrong and what to do now.

use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use actix_web::{HttpResponse, ResponseError};
use askama::Template;

use super::{Frame, Leads, html, see_other, with_query};
use crate::db::Fault;
use crate::oauth::authorization::NoWayBack;
use crate::oauth::error::InvalidRequest;
use crate::web::{errors, routes, telemetry};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    status: u16,
    title: &'static str,
    message: String,
    /// What to do now.
    advice: &'static str,
    /// "invalid_request"
    code: Option<&'static str>,
    request_id: String,
}

/// Why a page is not shown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody has to sign in first.
    #[error("You are not signed in.")]
    SignIn { next: String },
    /// The session ended while its request was under way.
    #[error("You were signed out meanwhile.")]
    SignedOut,
    /// The password has to be entered again first.
    #[error("Your password is needed again.")]
    StepUp { next: String },
    #[error("There is nothing at this address.")]
    NotFound,
    #[error("This address takes another kind of request.")]
    Method,
    #[error("This page is for administrators.")]
    ForAdministrators,
    #[error("These pages are for people at a browser; a token does not open them.")]
    TokenOnPage,
    #[error(
        "This form did not come from a page we showed you, or you have signed in or out since."
    )]
    ForeignForm,
    #[error("This form can't be read: {0}.")]
    Form(InvalidRequest),
    /// What was asked for can't be searched for, in a sentence.
    #[error("{0}")]
    Filter(String),
    #[error("{0}")]
    Tampered(&'static str),
    #[error("{0}")]
    NoWayBack(NoWayBack),
    /// A request of an app that can't be answered any more.
    #[error("{0}")]
    Over(String),
    #[error("This server can't answer just now.")]
    Fault(#[from] Fault),
}

refusal!(Error);

impl Error {
    fn title(&self) -> &'static str {
        match self {
            Error::NotFound => "Nothing here",
            Error::Method => "Not that way",
            Error::ForAdministrators => "Not for you",
            Error::TokenOnPage => "A person, please",
            Error::ForeignForm | Error::Form(_) | Error::Tampered(_) => "This form is not valid",
            Error::NoWayBack(_) => "This app can't be let in",
            Error::Filter(_) => "This can't be searched for",
            Error::Over(_) => "This request is over",
            Error::Fault(_) => "Please try again",
            Error::SignIn { .. } | Error::SignedOut => "Sign in",
            Error::StepUp { .. } => "Enter your password again",
        }
    }

    fn advice(&self) -> &'static str {
        match self {
            Error::NotFound | Error::Method => {
                "Check the address, or begin again from your tokens."
            }
            Error::ForAdministrators => {
                "Go back to your own tokens, or ask an administrator to do it."
            }
            Error::TokenOnPage => "Open this address in a browser and sign in.",
            Error::ForeignForm | Error::Form(_) | Error::Tampered(_) => {
                "Go back, load the page again, and send the form once more. Nothing has changed."
            }
            Error::NoWayBack(_) => {
                "Nothing was shared with the app. Tell its makers what you see here; it is theirs to mend."
            }
            Error::Filter(_) => "Go back and change the filter. Nothing has changed.",
            Error::Over(_) => "Begin again from the app. Nothing was shared with it.",
            _ => {
                "Wait a moment and load the page again. If it goes on, tell your administrator the number below."
            }
        }
    }

    fn code(&self) -> Option<&'static str> {
        match self {
            Error::NoWayBack(NoWayBack::UnknownClient) => Some("invalid_client"),
            Error::NoWayBack(_) | Error::Form(_) | Error::Tampered(_) => Some("invalid_request"),
            _ => None,
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Error::SignIn { .. } | Error::SignedOut | Error::StepUp { .. } => StatusCode::SEE_OTHER,
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::Method => StatusCode::METHOD_NOT_ALLOWED,
            Error::TokenOnPage => StatusCode::UNAUTHORIZED,
            Error::ForAdministrators | Error::ForeignForm => StatusCode::FORBIDDEN,
            Error::Form(_)
            | Error::Filter(_)
            | Error::Tampered(_)
            | Error::NoWayBack(_)
            | Error::Over(_) => StatusCode::BAD_REQUEST,
            Error::Fault(fault) => errors::status_of(fault),
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = errors::answer(self.status_code());
        match self {
            Error::SignIn { next } => {
                return see_other(&with_query(routes::SIGN_IN, &[("next", next)]));
            }
            Error::SignedOut => return see_other(routes::SIGN_IN),
            Error::StepUp { next } => {
                return see_other(&with_query(routes::STEP_UP, &[("next", next)]));
            }
            Error::TokenOnPage => {
                response.insert_header((WWW_AUTHENTICATE, "Cookie realm=\"jeton\""));
            }
            Error::Fault(fault) => errors::log(fault),
            _ => {}
        }
        let page = ErrorPage {
            frame: Frame::bare(),
            status: self.status_code().as_u16(),
            title: self.title(),
            message: self.to_string(),
            advice: self.advice(),
            code: self.code(),
            request_id: telemetry::request_id().map_or_else(String::new, |id| id.to_string()),
        };
        html(response, Leads::Here, &page)
            .unwrap_or_else(|_| HttpResponse::InternalServerError().finish())
    }
}
