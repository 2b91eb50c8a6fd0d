//! Proving who one is with a password: the one check behind signing in, stepping up and changing the password.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};

use super::{Error, see_other, when};
use crate::app::App;
use crate::db::{self, Fault};
use crate::domain::audit::{Event, What};
use crate::domain::password::Password;
use crate::domain::session::Session;
use crate::domain::sign_in::Attempts;
use crate::domain::tx::{Actor, Caller};
use crate::domain::user::User;
use crate::metrics::PasswordCheck;
use crate::web::browser::Browser;
use crate::web::doors::SignedIn;

/// Why a password was not accepted, for the form that asked for it.
pub struct Denied {
    pub status: StatusCode,
    pub sentence: String,
    wait: Option<Duration>,
    check: PasswordCheck,
}

impl Denied {
    fn wrong(sentence: &str) -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            sentence: sentence.to_owned(),
            wait: None,
            check: PasswordCheck::Wrong,
        }
    }

    /// There were so many attempts that this one was not even looked at.
    fn too_many(wait: Duration) -> Self {
        // Rounded up, for after that the wait is over.
        let wait = Duration::from_secs(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        Self {
            status: StatusCode::TOO_MANY_REQUESTS,
            sentence: format!(
                "There were too many attempts. Please wait {} and try again.",
                when::length(wait)
            ),
            wait: Some(wait),
            check: PasswordCheck::Braked,
        }
    }

    /// So many are signing in that this one was not looked at, or not in time.
    fn busy() -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            sentence: "Many people are signing in just now. Please try again in a moment."
                .to_owned(),
            wait: None,
            check: PasswordCheck::Busy,
        }
    }

    /// Tell programs too how long to wait (RFC 6585 §4).
    pub fn on(&self, mut page: HttpResponse) -> HttpResponse {
        if let Some(wait) = self.wait {
            page.headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        page
    }
}

/// Whose password this is; `wrong` is what the form says if it is nobody's. An unknown name takes as long as a wrong
/// password and is told apart by nothing. All of it happens on one of the few threads that may hash passwords, so that
/// attempts made at once can't outrun the brake.
pub async fn check_password(
    app: &App,
    caller: Caller,
    username: String,
    password: Password,
    wrong: &'static str,
) -> Result<Result<User, Denied>, Fault> {
    let checked = look(app, caller, username, password, wrong).await?;
    let check = match &checked {
        Ok(_) => PasswordCheck::Right,
        Err(denied) => denied.check,
    };
    app.metrics().passwords.checked(check);
    Ok(checked)
}

async fn look(
    app: &App,
    caller: Caller,
    username: String,
    password: Password,
    wrong: &'static str,
) -> Result<Result<User, Denied>, Fault> {
    let attempts = Attempts::new(&username, caller.address);
    // Who has to wait anyway takes no place in the queue for a thread.
    let before = attempts.clone();
    match app.query_for_sign_in(move |rx| before.wait(rx)).await {
        Ok(None) => {}
        Ok(Some(wait)) => return Ok(Err(Denied::too_many(wait))),
        Err(Fault::Busy) => return Ok(Err(Denied::busy())),
        Err(fault) => return Err(fault),
    }
    let server = app.clone();
    let checked = app.with_password(move || {
        let (wait, user) = server.read_blocking(|rx| {
            Ok::<_, Fault>((attempts.wait(rx)?, User::named(rx, &username)?))
        })?;
        if let Some(wait) = wait {
            return Ok(Err(Denied::too_many(wait)));
        }
        let user = user.filter(User::may_sign_in);
        let hash = user.as_ref().and_then(|user| user.password_hash.as_deref());
        let right = password.is(hash);
        server.write_blocking(&caller, |tx| match (right, user) {
            (true, Some(user)) => {
                attempts.succeeded(tx)?;
                Ok(Ok(user))
            }
            (_, user) => {
                attempts.failed(tx)?;
                let event = Event::new(What::SignInFailed);
                tx.record(match user {
                    Some(user) => event.user(user.id),
                    None => event,
                })?;
                Ok(Err(Denied::wrong(wrong)))
            }
        })
    });
    match checked.await {
        Err(Fault::Busy) => Ok(Err(Denied::busy())),
        checked => checked,
    }
}

/// Whether this is the password of somebody who is signed in.
pub async fn check_own_password(
    person: &SignedIn,
    password: Password,
    wrong: &'static str,
) -> Result<Result<User, Denied>, Fault> {
    let username = person.user.username.clone();
    check_password(
        &person.app,
        person.caller.clone(),
        username,
        password,
        wrong,
    )
    .await
}

/// Begin a session of `user` in the place of `old`, under a new id, so that nobody can have planted it; send the person
/// on with its cookie.
pub async fn sign_in(
    app: &App,
    caller: Caller,
    user: User,
    old: Option<&Session>,
    next: &str,
) -> Result<HttpResponse, Error> {
    let browser = Browser::fresh(app.policy().is_https());
    let (new, old) = (browser.digest(), old.map(|session| session.hash));
    app.write(caller.acting_as(Actor::User(user.id)), move |tx| {
        // The password was right a moment ago; it may have been changed since, or the account disabled.
        db::hold_user(tx, user.id.as_bytes())?;
        let now = User::find(tx, user.id)?.filter(User::may_sign_in);
        if now.is_none_or(|now| now.password_hash != user.password_hash) {
            return Err(Error::SignedOut);
        }
        if let Some(old) = old {
            Session::end(tx, old)?;
        }
        Session::begin(tx, new, &user)?;
        Ok::<_, Error>(tx.record(Event::new(What::SignedIn).user(user.id))?)
    })
    .await?;
    signed_in(app, &browser, next)
}

/// Send the person on, with the cookie of their session.
pub fn signed_in(app: &App, browser: &Browser, next: &str) -> Result<HttpResponse, Error> {
    let mut response = see_other(next);
    response
        .add_cookie(&browser.session_cookie(app.policy().lifetimes.session))
        .map_err(|_| Fault::Broken("a cookie could not be written"))?;
    Ok(response)
}
