//! Doors for those who have found secrets where they should not be: anybody, and GitHub's secret scanning.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};

use super::{Door, Opening, app, caller};
use crate::app::App;
use crate::domain::public_keys::Distrust;
use crate::domain::tx::Caller;
use crate::web::api::{Code, Error};
use crate::web::form;
use crate::web::openapi::{Described, Way};

/// Anybody who reports leaked tokens, so many times a minute from one network. Who they say they are is not looked at.
pub struct Reporter {
    pub app: App,
    pub caller: Caller,
    pub body: Bytes,
}

/// GitHub's secret scanning, which signs every byte that it sends.
pub struct Github {
    pub app: App,
    pub caller: Caller,
    pub body: Bytes,
}

impl Door for Reporter {
    const NAME: &'static str = "public";
}

impl Door for Github {
    const NAME: &'static str = "GitHub's signature";
}

impl Described for Reporter {
    const WAYS: &'static [Way] = &[];

    fn refusals(_: bool) -> Vec<Code> {
        vec![Code::TooLarge, Code::TooMany]
    }
}

impl Described for Github {
    const WAYS: &'static [Way] = &[Way::Github];

    fn refusals(_: bool) -> Vec<Code> {
        vec![
            Code::NotFound,
            Code::SignatureMissing,
            Code::SignatureInvalid,
            Code::NoKeys,
            Code::TooLarge,
        ]
    }
}

impl FromRequest for Reporter {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let app = app(&req);
            let caller = caller(&req, &app);
            let wait = caller
                .address
                .and_then(|from| app.leak_reports().wait(from, app.now()));
            if let Some(wait) = wait {
                return Err(Error::too_many(wait));
            }
            let body = form::body(payload, form::REPORT).await?;
            Ok(Self { app, caller, body })
        })
    }
}

impl FromRequest for Github {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let app = app(&req);
            if app.config().github_keys.is_none() {
                return Err(Error::not_found("endpoint"));
            }
            let header = |name: &'static str| req.headers().get(name)?.to_str().ok();
            let key = header("github-public-key-identifier");
            let signature = header("github-public-key-signature");
            let (Some(key), Some(signature)) = (key, signature) else {
                return Err(Error::new(
                    Code::SignatureMissing,
                    "This takes GitHub's signature, and the name of its key.",
                ));
            };
            let keys = app.github_keys().known().ok_or_else(|| {
                Error::new(
                    Code::NoKeys,
                    "This server has not got GitHub's keys yet; try again.",
                )
            })?;
            let body = form::body(payload, form::FINDINGS).await?;
            keys.check(key, signature, &body).map_err(|distrust| {
                if distrust == Distrust::UnknownKey {
                    app.github_keys().want();
                }
                Error::new(
                    Code::SignatureInvalid,
                    "The signature is not GitHub's over this body.",
                )
            })?;
            let caller = caller(&req, &app);
            Ok(Self { app, caller, body })
        })
    }
}
