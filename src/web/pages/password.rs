//! Changing the password.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::authentication::{check_own_password, signed_in};
use super::{Error, Errors, Frame, Leads, page, with_query};
use crate::db::Fault;
use crate::domain::grant::Because;
use crate::domain::password::{MIN_LENGTH, Password};
use crate::domain::personal_token::PersonalToken;
use crate::domain::session::Session;
use crate::oauth::Params;
use crate::web::browser::Browser;
use crate::web::doors::{Posted, SignedIn};
use crate::web::form::Query;
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "password.html")]
struct ChangePassword {
    frame: Frame,
    /// Fields: current_password, new_password, repeat_password, form.
    errors: Errors,
    min_length: usize,
    /// Whether personal access tokens are to end too: a refused form must not forget that.
    revoke_tokens: bool,
}

const NOT_YOURS: &str = "This is not your current password.";

/// The form.
pub async fn get(person: SignedIn, Query(query): Query) -> Result<HttpResponse, Error> {
    let notice = query
        .get("done")
        .is_some()
        .then_some("Your password is changed.");
    form(&person, StatusCode::OK, Errors::default(), false, notice)
}

/// Change the password. All sessions but this one end, apps are disconnected, and personal access tokens end too if
/// the person says so.
pub async fn post(posted: Posted<SignedIn>) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let new = |field: &str| Password::new(sent.get(field).unwrap_or_default().to_owned());
    let and_tokens = sent.get("revoke_tokens").is_some();
    let refused = refused(&sent, &new("new_password"));
    if !refused.is_empty() {
        return form(
            &person,
            StatusCode::UNPROCESSABLE_ENTITY,
            refused,
            and_tokens,
            None,
        );
    }
    let checked = check_own_password(&person, new("current_password"), NOT_YOURS).await?;
    let user = match checked {
        Ok(user) => user,
        Err(denied) => {
            let errors = Errors::one("current_password", denied.sentence.clone());
            let status = match denied.status {
                // They are signed in: it is the form that is wrong.
                StatusCode::UNAUTHORIZED => StatusCode::UNPROCESSABLE_ENTITY,
                other => other,
            };
            return Ok(denied.on(form(&person, status, errors, and_tokens, None)?));
        }
    };
    let hash = person.app.hash_password(new("new_password")).await?;
    let browser = Browser::fresh(person.app.policy().is_https());
    let session = browser.digest();
    // Of two who knew the old password, the later must not undo what the first has set.
    person
        .write(move |tx| {
            user.set_password(tx, &hash)?;
            if and_tokens {
                PersonalToken::revoke_all_of(tx, user.id, &Because::PasswordChanged)?;
            }
            Ok::<_, Fault>(Session::begin(tx, session, &user)?)
        })
        .await??;
    signed_in(
        &person.app,
        &browser,
        &with_query(routes::PASSWORD, &[("done", "1")]),
    )
}

fn refused(sent: &Params, new: &Password) -> Errors {
    let mut errors = Errors::default();
    if sent.get("current_password").is_none() {
        errors.add("current_password", "Enter your current password.");
    }
    if let Some(problem) = new.problem() {
        errors.add("new_password", problem);
    } else if sent.get("new_password") != sent.get("repeat_password") {
        errors.add("repeat_password", "The two new passwords are not the same.");
    }
    errors
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    errors: Errors,
    revoke_tokens: bool,
    notice: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let frame = Frame::of(person, "password").with_notice(notice);
    let view = ChangePassword {
        frame,
        errors,
        min_length: MIN_LENGTH,
        revoke_tokens,
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
