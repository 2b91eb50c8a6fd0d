//! The door of proxies, which ask about somebody else's request.

use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};

use super::{Door, Opening, app, desk};
use crate::app::App;
use crate::domain::lookup::Found;
use crate::oauth::Error;
use crate::oauth::forward_auth::{Presented, Question};
use crate::web::routes::FORWARD_AUTH_PREFIX;
use crate::web::{address, original};

/// A proxy that asks whether a request may pass. Anybody may be one: of a token it is told, to whoever holds it, what every
/// service that takes it would tell.
pub struct Proxy {
    pub app: App,
    pub question: Question,
    pub found: Found,
    /// From where the request came to the proxy, if it is one that is believed.
    pub address: Option<IpAddr>,
}

impl Door for Proxy {
    const NAME: &'static str = "proxy";
}

impl FromRequest for Proxy {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        let req = req.clone();
        Box::pin(async move {
            let app = app(&req);
            let (policy, rest) = policy_and_rest(req.uri().path());
            let headers = req.headers().get_all(AUTHORIZATION);
            let headers = headers.map(|value| value.as_bytes());
            let presented = Presented::read(headers, &app.policy().brands);
            let found = desk(&req).look_up(presented.lookup(policy)).await?;
            Ok(Self {
                address: address::forwarded(&req, &app.config().trusted_proxies),
                question: Question {
                    presented,
                    request: original::of(&req, rest),
                },
                found,
                app,
            })
        })
    }
}

/// The name of the policy in a path, and what comes behind it, both as they were sent.
fn policy_and_rest(path: &str) -> (Option<&str>, Option<&str>) {
    let Some(name) = path.strip_prefix(FORWARD_AUTH_PREFIX) else {
        return (None, None);
    };
    match name.find('/') {
        Some(slash) => (Some(&name[..slash]), Some(&name[slash..])),
        None => (Some(name), None),
    }
}
