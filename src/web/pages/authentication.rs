//! Proving who one is with a password: the one check behind signing in, stepping up and changing the password.

use std::time::Duration;

use actix_web::HttpResponse;

use super::{Error, see_other, when};
use crate::app::App;
use crate::db::Fault;
use crate::domain::audit::{Event, What};
use crate::domain::password::Password;
use crate::domain::secret::Digest;
use crate::domain::session::Session;
use crate::domain::sign_in::Attempts;
use crate::domain::tx::{Actor, Caller};
use crate::domain::user::User;
use crate::web::browser::Browser;
use crate::web::doors::SignedIn;

/// What an attempt came to.
pub enum Attempt {
    /// The person, and the browser as it is known from now on: under a new id, so that nobody can have planted it.
    Succeeded {
        user: Box<User>,
        browser: Browser,
    },
    Failed,
    /// Not even looked at: there were too many. When to try again.
    TooMany(Duration),
}

/// Check a name and a password, and begin a session in the place of `old` if they are right. An unknown name takes as
/// long as a wrong password and is told apart by nothing. All of it happens on one of the few threads that may hash
/// passwords, so that attempts made at once can't outrun the brake.
pub async fn authenticate(
    app: &App,
    caller: Caller,
    username: String,
    password: Password,
    old: Option<Digest>,
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
            (true, Some(user)) => begin_session(&server, caller, &attempts, user, old),
            (_, user) => {
                let event = Event::new(What::SignInFailed);
                let event = match user {
                    Some(user) => event.user(user.id),
                    None => event,
                };
                server.write_blocking(&caller, |tx| {
                    attempts.failed(tx)?;
                    Ok::<_, Fault>(tx.record(event)?)
                })?;
                Ok(Attempt::Failed)
            }
        }
    })
    .await
}

fn begin_session(
    app: &App,
    caller: Caller,
    attempts: &Attempts,
    user: User,
    old: Option<Digest>,
) -> Result<Attempt, Fault> {
    let browser = Browser::fresh(app.is_https());
    app.write_blocking(&caller.acting_as(Actor::User(user.id)), |tx| {
        attempts.succeeded(tx)?;
        if let Some(old) = old {
            Session::end(tx, old)?;
        }
        Session::begin(tx, browser.digest(), &user)?;
        Ok::<_, Fault>(tx.record(Event::new(What::SignedIn).user(user.id))?)
    })?;
    Ok(Attempt::Succeeded {
        user: Box::new(user),
        browser,
    })
}

/// Somebody who is signed in enters their password again.
pub async fn authenticate_again(person: &SignedIn, password: Password) -> Result<Attempt, Fault> {
    let username = person.person.user.username.clone();
    let old = Some(person.person.session.hash);
    authenticate(&person.app, person.caller.clone(), username, password, old).await
}

/// Send the person on, with the cookie of their session.
pub fn signed_in(app: &App, browser: &Browser, next: &str) -> Result<HttpResponse, Error> {
    let mut response = see_other(next);
    response
        .add_cookie(&browser.session_cookie(app.policy().lifetimes.session))
        .map_err(|_| Fault::Broken("a cookie could not be written"))?;
    Ok(response)
}

pub fn too_many(wait: Duration) -> String {
    let wait = Duration::from_secs(wait.as_secs() + 1);
    format!(
        "There were too many attempts. Please wait {} and try again.",
        when::length(wait)
    )
}
