//! `GET /oauth/authorize`

use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::authorization_request::{AuthorizationRequest, NewRequest};
use crate::domain::consent::Consent;
use crate::domain::resource::Catalogue;
use crate::domain::secret::SecretKind;
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::oauth::Error as Refusal;
use crate::oauth::authorization::{self, Prompt, Rejected, Request};
use crate::web::doors::{SignedIn, Visitor};
use crate::web::pages::{Error, consent, see_other};

/// What becomes of a request that is good.
enum Next {
    /// The person is asked.
    Ask(Box<AuthorizationRequest>, Catalogue),
    /// They said yes before: the code, at once.
    Allowed(String),
    /// They can't be asked.
    Refused(Refusal),
}

/// An app sends a person here to be let in (RFC 6749 §4.1.1). They sign in if they have to, and are asked unless they
/// said yes before.
pub async fn get(visitor: Visitor, req: HttpRequest) -> Result<HttpResponse, Error> {
    let app = visitor.app.clone();
    let issuer = app.issuer().to_owned();
    let query = req.query_string().to_owned();
    let checked = app
        .read(move |conn| authorization::check(conn, query.as_bytes()))
        .await;
    let request = match checked {
        Ok(request) => request,
        Err(Rejected::Redirect(back, error)) => {
            return Ok(see_other(&back.with_error(&error, &issuer)));
        }
        Err(Rejected::Page(why)) => return Err(Error::NoWayBack(why)),
        Err(Rejected::Fault(fault)) => return Err(fault.into()),
    };
    let back = request.back.clone();
    let signed_in = match (visitor.person, request.prompt) {
        (None, Prompt::None) => {
            return Ok(see_other(
                &back.with_error(&Refusal::LoginRequired, &issuer),
            ));
        }
        (None, _) => {
            return Err(Error::SignIn {
                next: without_login(&req),
            });
        }
        (Some(_), Prompt::Login) => {
            return Err(Error::StepUp {
                next: without_login(&req),
            });
        }
        (Some(person), _) => SignedIn {
            app: app.clone(),
            browser: visitor.browser,
            person,
            caller: visitor.caller,
        },
    };

    let (user, session) = (
        signed_in.person.user.clone(),
        signed_in.person.session.clone(),
    );
    let client = request.client.clone();
    let next = app
        .write(signed_in.caller.clone(), move |tx| {
            consider(tx, &request, &user, session.authenticated_at)
        })
        .await?;
    match next {
        Next::Allowed(code) => Ok(see_other(&back.with_code(&code, &issuer))),
        Next::Refused(error) => Ok(see_other(&back.with_error(&error, &issuer))),
        Next::Ask(request, catalogue) => {
            consent::page_for(&signed_in, &client, &request, &catalogue, None)
        }
    }
}

/// Keep the request with as much of it as `user` may grant, and answer it if they answered its like before.
fn consider(
    tx: &mut Tx,
    request: &Request,
    user: &User,
    auth_time: Timestamp,
) -> Result<Next, Fault> {
    let catalogue = Catalogue::load(tx)?;
    let offered = match request.offered_to(user, &catalogue) {
        Ok(offered) => offered,
        Err(error) => return Ok(Next::Refused(error.into())),
    };
    let consent = Consent::find(tx, user.id, &request.client.id)?;
    let covered = request.is_covered_by(consent.as_ref(), &offered);
    if request.prompt == Prompt::None && !covered {
        return Ok(Next::Refused(Refusal::ConsentRequired));
    }
    let stored = AuthorizationRequest::create(
        tx,
        NewRequest {
            client_id: &request.client.id,
            user_id: user.id,
            redirect_uri: &request.back.redirect_uri,
            redirect_uri_sent: request.redirect_uri_sent,
            scope: &offered,
            audience: &request.audience,
            state: request.back.state.as_deref(),
            code_challenge: &request.code_challenge,
            auth_time,
        },
    )?;
    if !covered {
        return Ok(Next::Ask(Box::new(stored), catalogue));
    }
    let code = tx.policy.brands.mint(SecretKind::AuthorizationCode);
    stored.allow(tx, &offered, &request.audience, code.digest())?;
    Ok(Next::Allowed(code.expose().to_owned()))
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
