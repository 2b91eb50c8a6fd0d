//! Doors for programs that speak OAuth. Who asks is settled before what they ask is looked at.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::{Door, Opening, app, authorization, caller, desk, watch};
use crate::app::{App, LookupDesk};
use crate::domain::client::Client;
use crate::domain::lookup::{Found, Lookup};
use crate::domain::resource::Catalogue;
use crate::domain::secret::Digest;
use crate::domain::tx::{Actor, Caller};
use crate::oauth::client_auth::Credentials;
use crate::oauth::error::InvalidClient;
use crate::oauth::{Error, Params};
use crate::web::form;

/// A client that has authenticated, or named itself if it is public (RFC 6749 §3.2.1).
pub struct AnyClient {
    pub app: App,
    pub client: Arc<Client>,
    /// Every resource server, as of when the client authenticated.
    pub catalogue: Arc<Catalogue>,
    pub params: Params,
    pub caller: Caller,
}

/// Whoever may ask about tokens: a client that can keep a secret (RFC 7662 §2.1). Its proof is still sealed, to be looked
/// up together with the token it asks about: see [`Questioner::ask`].
pub struct Questioner {
    pub app: App,
    pub params: Params,
    /// Where the question comes from. It's not known yet whose it is.
    pub caller: Caller,
    credentials: Credentials,
    desk: LookupDesk,
}

impl Questioner {
    /// Look up who asks, and the token they ask about. Who can't prove themselves is refused, whatever they asked.
    pub async fn ask(self, token: Option<Digest>) -> Result<(Arc<Client>, Found), Error> {
        let policy = self.app.policy();
        let proof = self.credentials.lookup(&policy.brands);
        // Who authenticates by a token has that looked up by itself: it is never taken for the one they ask about.
        let by_token = matches!(self.credentials, Credentials::Bearer(_));
        let first = if by_token {
            proof
        } else {
            Lookup { token, ..proof }
        };
        let found = self.desk.look_up(first).await?;
        if by_token {
            let caller = || self.caller.clone();
            watch(&self.app, &found, caller, "at the introspection endpoint");
        }
        let client = self
            .credentials
            .questioner(&found, policy, self.app.now())?;
        if !by_token {
            return Ok((client, found));
        }
        let question = Lookup {
            token,
            ..Lookup::default()
        };
        Ok((client, self.desk.look_up(question).await?))
    }
}

/// A client as for [`AnyClient`], or nobody at all: whoever holds a personal access token may give it back.
pub struct ClientOrHolder {
    pub app: App,
    pub client: Option<Arc<Client>>,
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
    desk: LookupDesk,
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
            desk: desk(&req),
            credentials,
            params: params.each_once()?,
            caller,
        })
    }

    /// Who the credentials prove, and what was found besides, if there are any.
    async fn prove(&self) -> Result<Option<(Arc<Client>, Found)>, Error> {
        let Some(credentials) = &self.credentials else {
            return Ok(None);
        };
        let brands = &self.app.policy().brands;
        let found = self.desk.look_up(credentials.lookup(brands)).await?;
        let caller = || self.caller.clone();
        watch(&self.app, &found, caller, "in place of a client's secret");
        let client = credentials.client(&found, brands, self.app.now())?;
        Ok(Some((client, found)))
    }
}

fn as_client(caller: Caller, client: &Client) -> Caller {
    caller.acting_as(Actor::Client(client.id.clone()))
}

impl FromRequest for ClientOrHolder {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let presented = Presented::read(req, payload).await?;
            let proven = presented.prove().await?;
            let client = proven.map(|(client, _)| client);
            Ok(Self {
                app: presented.app,
                params: presented.params,
                caller: match &client {
                    Some(client) => as_client(presented.caller, client),
                    None => presented.caller,
                },
                client,
            })
        })
    }
}

impl FromRequest for AnyClient {
    type Error = Error;
    type Future = Opening<Self, Error>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (req, payload) = (req.clone(), payload.take());
        Box::pin(async move {
            let presented = Presented::read(req, payload).await?;
            let proven = presented.prove().await?;
            let (client, found) = proven.ok_or(InvalidClient::Failed)?;
            Ok(Self {
                app: presented.app,
                params: presented.params,
                caller: as_client(presented.caller, &client),
                client,
                catalogue: found.catalogue,
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
                desk,
                credentials,
                params,
                caller,
            } = Presented::read(req, payload).await?;
            let credentials = credentials.ok_or(InvalidClient::Failed)?;
            Ok(Self {
                app,
                params,
                caller,
                credentials,
                desk,
            })
        })
    }
}
