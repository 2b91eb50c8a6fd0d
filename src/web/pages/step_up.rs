//! "Enter your password again", before something that matters.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::authentication::{check_own_password, sign_in};
use super::{Error, Frame, Leads, page, safe_next};
use crate::domain::password::Password;
use crate::web::doors::{Posted, SignedIn};
use crate::web::errors;
use crate::web::form::Query;

#[derive(Template)]
#[template(path = "step_up.html")]
struct StepUp {
    frame: Frame,
    next: String,
    error: Option<String>,
}

/// The form.
pub async fn get(person: SignedIn, Query(query): Query) -> Result<HttpResponse, Error> {
    form(&person, StatusCode::OK, safe_next(query.get("next")), None)
}

/// Check the password. The session goes on under a new id.
pub async fn post(posted: Posted<SignedIn>) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let next = safe_next(sent.get("next"));
    let password = Password::new(sent.get("password").unwrap_or_default().to_owned());
    match check_own_password(&person, password, "The password is wrong.").await? {
        Ok(user) => {
            sign_in(
                &person.app,
                person.caller.clone(),
                user,
                Some(&person.session),
                &next,
            )
            .await
        }
        Err(denied) => {
            let page = form(&person, denied.status, next, Some(denied.sentence.clone()))?;
            Ok(denied.on(page))
        }
    }
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    next: String,
    error: Option<String>,
) -> Result<HttpResponse, Error> {
    let view = StepUp {
        frame: Frame::of(person, ""),
        next,
        error,
    };
    page(
        errors::answer(status),
        &person.browser,
        Leads::ToAnApp,
        &view,
    )
}
