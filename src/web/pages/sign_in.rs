//! Signing in and out.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::authentication::{check_password, sign_in};
use super::{Error, Frame, Leads, page, plain, safe_next, see_other, with_query};
use crate::app::App;
use crate::db::Fault;
use crate::domain::password::Password;
use crate::domain::session::Session;
use crate::oauth::authorization;
use crate::web::doors::{Posted, Visitor};
use crate::web::form::Query;
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    frame: Frame,
    /// Where to go afterwards.
    next: String,
    username: String,
    error: Option<String>,
    /// The app that waits for the person.
    app: Option<String>,
}

const WRONG: &str = "The username or the password is wrong.";

/// The form. Somebody who is signed in already is sent on.
pub async fn get(visitor: Visitor, Query(query): Query) -> Result<HttpResponse, Error> {
    let next = safe_next(query.get("next"));
    if visitor.person.is_some() {
        return Ok(see_other(&next));
    }
    let notice = query
        .get("signed_out")
        .is_some()
        .then_some("You are signed out.");
    form(&visitor, StatusCode::OK, next, String::new(), None, notice).await
}

/// Sign in. The session gets a new random id, so that nobody can have planted it.
pub async fn post(posted: Posted<Visitor>) -> Result<HttpResponse, Error> {
    let Posted {
        by: visitor,
        form: sent,
    } = posted;
    let next = safe_next(sent.get("next"));
    let username = sent.get("username").unwrap_or_default().trim().to_owned();
    let password = Password::new(sent.get("password").unwrap_or_default().to_owned());
    let (app, caller) = (&visitor.app, visitor.caller.clone());
    match check_password(app, caller.clone(), username.clone(), password, WRONG).await? {
        Ok(user) => {
            let old = visitor.person.as_ref().map(|person| &person.session);
            sign_in(app, caller, user, old, &next).await
        }
        Err(denied) => {
            let sentence = Some(denied.sentence.clone());
            let page = form(&visitor, denied.status, next, username, sentence, None).await?;
            Ok(denied.on(page))
        }
    }
}

/// Sign out: the session is gone, here and on the server.
pub async fn out(posted: Posted<Visitor>) -> Result<HttpResponse, Error> {
    let Visitor {
        app,
        browser,
        caller,
        ..
    } = posted.by;
    let digest = browser.digest();
    app.write(caller, move |tx| Ok::<_, Fault>(Session::end(tx, digest)?))
        .await?;
    Ok(see_other(&with_query(
        routes::SIGN_IN,
        &[("signed_out", "1")],
    )))
}

async fn form(
    visitor: &Visitor,
    status: StatusCode,
    next: String,
    username: String,
    error: Option<String>,
    notice: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let view = SignIn {
        frame: Frame::of_visitor(visitor).with_notice(notice),
        app: waiting_app(&visitor.app, &next).await?,
        next,
        username,
        error,
    };
    page(
        errors::answer(status),
        &visitor.browser,
        Leads::ToAnApp,
        &view,
    )
}

/// The name of the app whose request is to come next, if one is.
async fn waiting_app(app: &App, next: &str) -> Result<Option<String>, Error> {
    let Some(query) = next
        .strip_prefix(routes::AUTHORIZE)
        .and_then(|rest| rest.strip_prefix('?'))
    else {
        return Ok(None);
    };
    let query = query.to_owned();
    app.read(
        move |conn| match authorization::check(conn, query.as_bytes()) {
            Ok(request) => Ok(Some(plain(&request.client.name))),
            Err(authorization::Rejected::Fault(fault)) => Err(fault.into()),
            Err(_) => Ok(None),
        },
    )
    .await
}
