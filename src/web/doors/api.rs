//! Doors of the JSON API: people at a browser for their own things, managers for everybody's, tokens for themselves.

use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpRequest};

use super::pages::{PageDoor, SignedIn};
use super::{Door, Opening, Visitor, app, authorization, caller, desk, tried, watch};
use crate::app::App;
use crate::domain::bearer::Bearer;
use crate::domain::id::Id;
use crate::domain::token::TokenKind;
use crate::domain::tx::{Actor, Caller, Tx};
use crate::domain::words::Scope;
use crate::oauth;
use crate::oauth::client_auth::{bearer, bearer_for_our_api, bearer_token, presented};
use crate::web::api::{Code, Error};
use crate::web::form;
use crate::web::openapi::{Described, Way};

/// The header in which a browser proves that a call comes from one of our own pages.
const CSRF_HEADER: &str = "x-csrf-token";

/// A signed-in person with a browser, at their own things. What changes something needs the CSRF header.
pub struct Account {
    pub by: SignedIn,
    pub body: Vec<u8>,
}

/// Somebody who may manage everybody's tokens, or what proxies let through: an administrator with a browser, or an app
/// with an access token that has the scope of `S`.
pub struct Manager<S> {
    pub app: App,
    pub body: Vec<u8>,
    by: By,
    right: PhantomData<S>,
}

/// How a manager has come in.
enum By {
    Session(Box<SignedIn>),
    Token(Caller),
}

impl<S> Manager<S> {
    /// Change something as this manager: a person, if they still are signed in when it comes to that.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        match &self.by {
            By::Session(person) => person.write(work).await?,
            By::Token(caller) => self.app.write(caller.clone(), work).await,
        }
    }
}

/// Whoever holds a personal access token, about that token alone: possession is the right.
pub struct Holder {
    pub app: App,
    /// The token's.
    pub id: Id,
    pub caller: Caller,
    pub body: Vec<u8>,
    /// What the token may do at our own API.
    rights: Scope,
}

impl Holder {
    /// Refuse, unless the token has this scope at our own API.
    pub fn check(&self, scope: &'static str) -> Result<(), Error> {
        if self.rights.contains(scope) {
            Ok(())
        } else {
            Err(oauth::Error::InsufficientScope(scope).into())
        }
    }
}

/// A right of a manager.
pub trait Right: 'static {
    const SCOPE: &'static str;
    const NAME: &'static str;
    /// Whether it can make or change a token, or the rules for them: then no personal access token has it, and a person has to have
    /// entered their password lately.
    const CHANGES_TOKENS: bool;
}

/// To see everybody's tokens.
pub enum Read {}
/// To make and change tokens for anybody.
pub enum Write {}
/// To end anybody's tokens.
pub enum Revoke {}
/// To see the rules.
pub enum ReadPolicies {}
/// To decide the rules.
pub enum WritePolicies {}
/// To read the audit trail.
pub enum Audit {}

impl Right for Read {
    const SCOPE: &'static str = "pats:read";
    const NAME: &'static str = "manager (pats:read)";
    const CHANGES_TOKENS: bool = false;
}

impl Right for Write {
    const SCOPE: &'static str = "pats:write";
    const NAME: &'static str = "manager (pats:write)";
    const CHANGES_TOKENS: bool = true;
}

impl Right for Revoke {
    const SCOPE: &'static str = "pats:revoke";
    const NAME: &'static str = "manager (pats:revoke)";
    const CHANGES_TOKENS: bool = false;
}

impl Right for ReadPolicies {
    const SCOPE: &'static str = "policies:read";
    const NAME: &'static str = "manager (policies:read)";
    const CHANGES_TOKENS: bool = false;
}

impl Right for WritePolicies {
    const SCOPE: &'static str = "policies:write";
    const NAME: &'static str = "manager (policies:write)";
    const CHANGES_TOKENS: bool = true;
}

impl Right for Audit {
    const SCOPE: &'static str = "audit:read";
    const NAME: &'static str = "manager (audit:read)";
    const CHANGES_TOKENS: bool = false;
}

impl Door for Account {
    const NAME: &'static str = "account";
}

impl<S: Right> Door for Manager<S> {
    const NAME: &'static str = S::NAME;
}

impl Door for Holder {
    const NAME: &'static str = "holder";
}

impl Described for Account {
    const WAYS: &'static [Way] = &[Way::Session];

    fn refusals(changes: bool) -> Vec<Code> {
        let csrf = changes.then_some(Code::Csrf);
        let always = [Code::AuthRequired, Code::CannotManageTokens, Code::TooLarge];
        always.into_iter().chain(csrf).collect()
    }
}

impl<S: Right> Described for Manager<S> {
    const WAYS: &'static [Way] = &[Way::Token(Some(S::SCOPE)), Way::Session];

    fn refusals(changes: bool) -> Vec<Code> {
        let of_token = [Code::InvalidToken, Code::InsufficientScope];
        let of_person = [Code::AuthRequired, Code::NotAnAdministrator, Code::TooLarge];
        let csrf = changes.then_some(Code::Csrf);
        let careful = [Code::CannotManageTokens, Code::StepUpRequired];
        let careful = careful.into_iter().filter(|_| S::CHANGES_TOKENS);
        let always = of_token.into_iter().chain(of_person);
        always.chain(csrf).chain(careful).collect()
    }
}

impl Described for Holder {
    const WAYS: &'static [Way] = &[Way::Token(None)];

    fn refusals(_: bool) -> Vec<Code> {
        vec![Code::InvalidToken, Code::TooLarge]
    }
}

/// The person at the browser. A token is told that it can't be one.
async fn person(req: &HttpRequest) -> Result<SignedIn, Error> {
    if authorization(req).is_some() {
        tried(req).await;
        return Err(Error::new(
            Code::CannotManageTokens,
            "This takes a person at a browser, not a token.",
        ));
    }
    let signed_in = SignedIn::open(Visitor::at(req.clone()).await?)?;
    let changes = !matches!(*req.method(), Method::GET | Method::HEAD);
    let header = req
        .headers()
        .get(CSRF_HEADER)
        .and_then(|value| value.to_str().ok());
    if changes && !signed_in.browser.has_csrf(header) {
        return Err(Error::new(
            Code::Csrf,
            "The X-CSRF-Token header is missing or not this session's.",
        ));
    }
    Ok(signed_in)
}

impl FromRequest for Account {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let by = person(&req).await?;
            let body = form::body(payload, form::PROGRAM).await?.to_vec();
            Ok(Self { by, body })
        })
    }
}

impl<S: Right> FromRequest for Manager<S> {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let by = match token(&req) {
                Some(token) => By::Token(by_token::<S>(&req, token?).await?),
                None => By::Session(Box::new(by_session::<S>(&req).await?)),
            };
            let body = form::body(payload, form::PROGRAM).await?.to_vec();
            Ok(Self {
                app: app(&req),
                body,
                by,
                right: PhantomData,
            })
        })
    }
}

/// The bearer token of a request, if it has an `Authorization` header.
fn token(req: &HttpRequest) -> Option<Result<String, oauth::Error>> {
    let token = bearer_token(authorization(req)?);
    Some(token.map(str::to_owned).ok_or(oauth::Error::InvalidToken))
}

async fn by_session<S: Right>(req: &HttpRequest) -> Result<SignedIn, Error> {
    let signed_in = person(req).await?;
    if !signed_in.user.is_admin {
        return Err(Error::new(
            Code::NotAnAdministrator,
            "This is for administrators.",
        ));
    }
    if S::CHANGES_TOKENS {
        signed_in.recently(String::new)?;
    }
    Ok(signed_in)
}

async fn by_token<S: Right>(req: &HttpRequest, token: String) -> Result<Caller, Error> {
    let app = app(req);
    let found = desk(req)
        .look_up(presented(&token, &app.policy().brands))
        .await?;
    watch(&app, &found, || caller(req, &app), "at this server's API");
    let from = caller(req, &app).address;
    let bearer = bearer_for_our_api(&found, app.policy(), app.now(), from)?;
    let rights = bearer.rights(&found.catalogue);
    app.last_used().note(bearer, app.now(), from);
    if S::CHANGES_TOKENS && bearer.token.kind == TokenKind::Personal {
        return Err(Error::new(
            Code::CannotManageTokens,
            "A personal access token can't make or change tokens.",
        ));
    }
    if !rights.contains(S::SCOPE) {
        return Err(oauth::Error::InsufficientScope(S::SCOPE).into());
    }
    Ok(caller(req, &app).acting_as(actor(bearer)))
}

fn actor(bearer: &Bearer) -> Actor {
    match &bearer.owner {
        Some(owner) => Actor::User(owner.id),
        None => Actor::Client(bearer.client.id.clone()),
    }
}

impl FromRequest for Holder {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let app = app(&req);
            let token = token(&req).ok_or(oauth::Error::InvalidToken)??;
            let lookup = presented(&token, &app.policy().brands);
            let found = desk(&req).look_up(lookup).await?;
            watch(&app, &found, || caller(&req, &app), "at this server's API");
            let from = caller(&req, &app).address;
            let bearer = bearer(&found, app.now(), from)?;
            if bearer.token.kind != TokenKind::Personal {
                return Err(oauth::Error::InvalidToken.into());
            }
            let caller = caller(&req, &app).acting_as(actor(bearer));
            let id = bearer.token.id;
            let rights = match bearer_for_our_api(&found, app.policy(), app.now(), from) {
                Ok(bearer) => bearer.rights(&found.catalogue),
                Err(_) => Scope::default(),
            };
            let body = form::body(payload, form::PROGRAM).await?.to_vec();
            Ok(Self {
                app,
                id,
                caller,
                body,
                rights,
            })
        })
    }
}
