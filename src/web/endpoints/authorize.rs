//! `GET /oauth/authorize`

use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use crate::oauth::Error as Refused;
use crate::oauth::authorization::{self, Next, Rejected};
use crate::web::doors::{PageDoor, SignedIn, Visitor};
use crate::web::pages::{Error, consent, see_other};

/// An app sends a person here to be let in (RFC 6749 §4.1.1). They sign in if they have to, and are asked unless they
/// said yes before.
pub async fn get(visitor: Visitor, req: HttpRequest) -> Result<HttpResponse, Error> {
    let (app, issuer) = (visitor.app.clone(), visitor.app.issuer().to_owned());
    let query = req.query_string().to_owned();
    let checked = app
        .read(move |rx| authorization::check(rx, query.as_bytes()))
        .await;
    let request = match checked {
        Ok(request) => request,
        Err(Rejected::Redirect(back, error)) => {
            return Ok(see_other(&back.with_error(&error, &issuer)));
        }
        Err(Rejected::Page(why)) => return Err(Error::NoWayBack(why)),
        Err(Rejected::Fault(fault)) => return Err(fault.into()),
    };
    if visitor.person.is_none() && request.prompt.none {
        return Ok(see_other(
            &request.back.with_error(&Refused::LoginRequired, &issuer),
        ));
    }
    let next = without_login(&req);
    if visitor.person.is_some() && request.prompt.login {
        return Err(Error::StepUp { next });
    }
    let person = SignedIn::open(Visitor {
        here: next,
        ..visitor
    })?;

    let (user, auth_time) = (person.user.clone(), person.session.authenticated_at);
    let next = person
        .write(move |tx| authorization::consider(tx, request, &user, auth_time))
        .await??;
    match next {
        Next::Return(url) => Ok(see_other(&url)),
        Next::Ask(question) => consent::page_for(&person, &question, None),
    }
}

/// This request again, for after the password was entered: it must not be asked for twice. What else the app wants the
/// person to be asked for still stands.
fn without_login(req: &HttpRequest) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(req.query_string().as_bytes()) {
        if name == "prompt" {
            let others: Vec<&str> = value.split(' ').filter(|word| *word != "login").collect();
            if !others.is_empty() {
                query.append_pair(&name, &others.join(" "));
            }
        } else {
            query.append_pair(&name, &value);
        }
    }
    format!("{}?{}", req.path(), query.finish())
}
