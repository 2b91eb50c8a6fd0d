//! Who may knock. A door is what a handler takes first: it can only be had by whoever may pass, and it holds the
//! proof. Introspection's is sealed: its client comes out only together with the token it asks about. A handler without a door
//! does not compile into the route table.

mod api;
mod leaks;
mod oauth;
mod pages;
mod proxy;

use std::future::Future;
use std::pin::Pin;

use actix_web::{FromRequest, HttpRequest};

pub use api::{Account, Audit, Holder, Manager, Read, ReadPolicies, Revoke, Write, WritePolicies};
pub use leaks::{Github, Reporter};
pub use oauth::{AnyClient, ClientOrHolder, Questioner};
pub use pages::{Administrator, PageDoor, Person, Posted, Recent, SignedIn, Visitor};
pub use proxy::Proxy;

use super::api::Code;
use super::openapi::{Described, Way};
use super::{address, telemetry};
use crate::app::{App, LookupDesk};
use crate::domain::lookup::Found;
use crate::domain::tx::{Actor, Caller};
use crate::oauth::client_auth::{bearer_token, presented};

/// A proof of who asks, and its name in the route table.
pub trait Door: FromRequest + 'static {
    const NAME: &'static str;
}

/// Arguments of a handler that begin with a door.
pub trait Behind {
    type Door: Door;
}

impl<D: Door> Behind for (D,) {
    type Door = D;
}

impl<D: Door, A> Behind for (D, A) {
    type Door = D;
}

impl<D: Door, A, B> Behind for (D, A, B) {
    type Door = D;
}

/// Open to everybody.
pub struct Public(pub App);

impl Door for Public {
    const NAME: &'static str = "public";
}

impl Described for Public {
    const WAYS: &'static [Way] = &[];

    fn refusals(_: bool) -> Vec<Code> {
        vec![]
    }
}

impl FromRequest for Public {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut actix_web::dev::Payload) -> Self::Future {
        std::future::ready(Ok(Public(app(req))))
    }
}

/// What `from_request` gives back where it has to wait for something.
type Opening<T, E> = Pin<Box<dyn Future<Output = Result<T, E>>>>;

/// The server a request came to.
fn app(req: &HttpRequest) -> App {
    req.app_data::<App>()
        .expect("every server has its app")
        .clone()
}

/// Where a request may look up who it is from.
pub(super) fn desk(req: &HttpRequest) -> LookupDesk {
    req.app_data::<LookupDesk>()
        .expect("every worker has its place at the desk")
        .clone()
}

/// Where a request comes from, before anybody has proven anything.
fn caller(req: &HttpRequest, app: &App) -> Caller {
    Caller {
        actor: Actor::Anyone,
        address: address::of(req, &app.config().trusted_proxies),
        request_id: telemetry::request_id(),
    }
}

/// Whoever holds a token tries it where none is any good: if it is a decoy, that is worth an alarm.
async fn tried(req: &HttpRequest) {
    let token = authorization(req).and_then(bearer_token);
    let app = app(req);
    let Some(lookup) = token.map(|token| presented(token, &app.policy().brands)) else {
        return;
    };
    // Who is refused anyway hears nothing of a fault.
    if let Ok(found) = desk(req).look_up(lookup).await {
        watch(&app, &found, || caller(req, &app), "where no token opens");
    }
}

/// Raise the alarm if what was looked up is a decoy.
pub(super) fn watch(
    app: &App,
    found: &Found,
    caller: impl FnOnce() -> Caller,
    place: &'static str,
) {
    if let Some(decoy) = found.decoy() {
        app.alarm(decoy, caller(), place);
    }
}

/// The `Authorization` header, whatever is in it.
fn authorization(req: &HttpRequest) -> Option<&[u8]> {
    req.headers()
        .get(actix_web::http::header::AUTHORIZATION)
        .map(|value| value.as_bytes())
}
