//! Signing in and out.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Error, Frame, Leads, page, plain, safe_next, see_other, when, with_query};
use crate::app::App;
use crate::db::Fault;
use crate::domain::audit::{Event, What};
use crate::domain::password::Password;
use crate::domain::secret::Digest;
use crate::domain::session::Session;
use crate::domain::sign_in::Attempts;
use crate::domain::tx::{Actor, Caller};
use crate::domain::user::User;
use crate::oauth::authorization;
use crate::web::browser::Browser;
use crate::web::doors::{Posted, SignedIn, Visitor};
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

/// What an attempt came to.
pub(super) enum Attempt {
    Succeeded(Box<User>),
    Failed,
    /// Not even looked at: there were too many.
    TooMany(std::time::Duration),
}

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
    let browser = Browser::fresh(visitor.app.issuer().starts_with("https:"));
    let attempt = attempt(
        &visitor.app,
        visitor.caller.clone(),
        username.clone(),
        password,
        browser.digest(),
    )
    .await;
    let (status, error) = match attempt {
        Ok(Attempt::Succeeded(_)) => {
            let mut response = see_other(&next);
            if let Some(cookie) = browser.cookie() {
                response
                    .add_cookie(&cookie)
                    .map_err(|_| Fault::Broken("a cookie could not be written"))?;
            }
            return Ok(response);
        }
        Ok(Attempt::Failed) => (
            StatusCode::UNAUTHORIZED,
            "The username or the password is wrong.".to_owned(),
        ),
        Ok(Attempt::TooMany(wait)) => (StatusCode::TOO_MANY_REQUESTS, too_many(wait)),
        Err(Fault::Busy) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "Many people are signing in just now. Please try again in a moment.".to_owned(),
        ),
        Err(fault) => return Err(fault.into()),
    };
    form(&visitor, status, next, username, Some(error), None).await
}

pub(super) fn too_many(wait: std::time::Duration) -> String {
    let wait = std::time::Duration::from_secs(wait.as_secs() + 1);
    format!(
        "There were too many attempts. Please wait {} and try again.",
        when::length(wait)
    )
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

/// Check a name and a password and begin a session under `session`. An unknown name takes as long as a wrong
/// password and is told apart by nothing. All of it happens on one of the few threads that may hash passwords, so
/// that attempts made at once can't outrun the brake.
pub(super) async fn attempt(
    app: &App,
    caller: Caller,
    username: String,
    password: Password,
    session: Digest,
) -> Result<Attempt, Fault> {
    let server = app.clone();
    app.with_password(move || {
        let attempts = Attempts::new(&username, caller.address);
        let now = server.now();
        let (wait, user) = server.read_blocking(|conn| {
            Ok::<_, Fault>((attempts.wait(conn, now)?, User::named(conn, &username)?))
        })?;
        if let Some(wait) = wait {
            return Ok(Attempt::TooMany(wait));
        }
        let user = user.filter(User::is_enabled);
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        match (password.is(hash), user) {
            (true, Some(user)) => {
                let caller = caller.acting_as(Actor::User(user.id));
                server.write_blocking(&caller, |tx| {
                    attempts.succeeded(tx)?;
                    Session::begin(tx, session, &user)?;
                    Ok::<_, Fault>(tx.record(Event::new(What::SignedIn).user(user.id))?)
                })?;
                Ok(Attempt::Succeeded(Box::new(user)))
            }
            (_, user) => {
                server.write_blocking(&caller, |tx| {
                    attempts.failed(tx)?;
                    let mut event = Event::new(What::SignInFailed);
                    if let Some(user) = user {
                        event = event.user(user.id);
                    }
                    Ok::<_, Fault>(tx.record(event)?)
                })?;
                Ok(Attempt::Failed)
            }
        }
    })
    .await
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

/// Enter the password again in a session that there is: the same check, and the session's clock starts anew.
pub(super) async fn prove_again(
    person: &SignedIn,
    password: Password,
) -> Result<(Attempt, Browser), Fault> {
    let browser = Browser::fresh(person.app.issuer().starts_with("https:"));
    let username = person.person.user.username.clone();
    let attempt = attempt(
        &person.app,
        person.caller.clone(),
        username,
        password,
        browser.digest(),
    )
    .await?;
    if matches!(attempt, Attempt::Succeeded(_)) {
        let old = person.person.session.hash;
        person
            .app
            .write(person.caller.clone(), move |tx| {
                Ok::<_, Fault>(Session::end(tx, old)?)
            })
            .await?;
    }
    Ok((attempt, browser))
}
