//! Doors for those who have found secrets where they should not be.

use actix_web::dev::Payload;
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest};

use super::{Door, Opening, app, caller};
use crate::app::App;
use crate::domain::tx::Caller;
use crate::oauth::error::InvalidRequest;
use crate::web::api::Error;
use crate::web::form;

/// Anybody who reports leaked tokens, so many times a minute from one network. Who they say they are is not looked at.
pub struct Reporter {
    pub app: App,
    pub caller: Caller,
    pub body: Bytes,
}

impl Door for Reporter {
    const NAME: &'static str = "public";
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
            let body = body(payload, form::REPORT).await?;
            Ok(Self { app, caller, body })
        })
    }
}

async fn body(payload: Payload, limit: usize) -> Result<Bytes, Error> {
    form::body(payload, limit)
        .await
        .map_err(|error| match error {
            InvalidRequest::TooLarge => Error::too_large(),
            other => other.into(),
        })
}
