//! Doors for programs that speak OAuth. Who asks is settled before what they ask is looked at.

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{Door, Opening, app, authorization, caller};
use crate::app::App;
use crate::domain::client::Client;
use crate::domain::tx::{Actor, Caller, Rx};
use crate::oauth::client_auth::Credentials;
use crate::oauth::error::InvalidClient;
use crate::oauth::{Error, Params};
use crate::web::form;

/// A client that has authenticated, or named itself if it is public (RFC 6749 §3.2.1).
pub struct AnyClient {
    pub app: App,
    pub client: Client,
    pub params: Params,
    pub caller: Caller,
}

/// Whoever may ask about tokens: a client that can keep a secret (RFC 7662 §2.1). Its proof is still sealed, to be checked
/// in the same reading that answers: see [`Questioner::ask`].
pub struct Questioner {
    pub app: App,
    credentials: Credentials,
    params: Params,
}

impl Questioner {
    /// Put a question. It gets the client, and the form, only once the client has proven itself; who can't is refused
    /// before anything of the form is looked at.
    pub async fn ask<T: Send + 'static>(
        self,
        question: impl FnOnce(&mut Rx, &Client, &Params) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let Questioner {
            app,
            credentials,
            params,
        } = self;
        app.read(move |rx| {
            let client = credentials.questioner(rx)?;
            question(rx, &client, &params)
        })
        .await
    }
}

/// A client as for [`AnyClient`], or nobody at all: whoever holds a personal access token may give it back.
pub struct ClientOrHolder {
    pub app: App,
    pub client: Option<Client>,
    pub params: Params,
    pub caller: Caller,
}

impl Door for AnyClient {
    const NAME: &'static str = "client";
}

impl Door for Questioner {
    const NAME: &'static str = "confidential client";
}

impl Door for ClientOrHolder {
    const NAME: &'static str = "client or holder";
}

/// A request with its form and credentials, none of them judged yet.
struct Presented {
    app: App,
    credentials: Option<Credentials>,
    params: Params,
    caller: Caller,
}

impl Presented {
    async fn read(req: HttpRequest, payload: Payload) -> Result<Self, Error> {
        let app = app(&req);
        let params = form::read(&req, payload, form::PROGRAM).await?;
        let credentials = Credentials::find(authorization(&req), &params)?;
        let caller = caller(&req, &app);
        Ok(Self {
            app,
            credentials,
            params: params.each_once()?,
            caller,
        })
    }

    /// Who the credentials prove, if there are any.
    async fn prove(self) -> Result<ClientOrHolder, Error> {
        let Presented {
            app,
            credentials,
            params,
            caller,
        } = self;
        let Some(credentials) = credentials else {
            return Ok(ClientOrHolder {
                app,
                client: None,
                params,
                caller,
            });
        };
        let client = app.read(move |rx| credentials.client(rx)).await?;
        let caller = caller.acting_as(Actor::Client(client.id.clone()));
        Ok(ClientOrHolder {
            app,
            client: Some(client),
            params,
            caller,
        })
    }
}

impl FromRequest for ClientOrHolder {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move { Presented::read(req, payload).await?.prove().await })
    }
}

impl FromRequest for AnyClient {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let proven = Presented::read(req, payload).await?.prove().await?;
            let ClientOrHolder {
                app,
                client,
                params,
                caller,
            } = proven;
            let client = client.ok_or(InvalidClient::Failed)?;
            Ok(Self {
                app,
                client,
                params,
                caller,
            })
        })
    }
}

impl FromRequest for Questioner {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let Presented {
                app,
                credentials,
                params,
                ..
            } = Presented::read(req, payload).await?;
            let credentials = credentials.ok_or(InvalidClient::Failed)?;
            Ok(Self {
                app,
                credentials,
                params,
            })
        })
    }
}
