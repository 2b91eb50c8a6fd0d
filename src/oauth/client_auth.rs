//! Who asks: client authentication at the token, introspection and revocation endpoints (RFC 6749 §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{Error, InvalidClient, InvalidRequest};
use super::params::{Params, decode};
use crate::domain::bearer::Bearer;
use crate::domain::client::{AuthMethod, Client};
use crate::domain::resource::Catalogue;
use crate::domain::secret::SecretKind;
use crate::domain::token::TokenKind;
use crate::domain::tx::Rx;

/// The scope with which a service's own access token may ask about tokens.
const INTROSPECTION: &str = "introspection";

/// What a request says of who it comes from. Not yet believed.
pub enum Credentials {
    /// `client_secret_basic`: the header, form-decoded (RFC 6749 §2.3.1).
    Basic { id: String, secret: String },
    /// `client_secret_post`: the body.
    Post { id: String, secret: String },
    /// A public client names itself (RFC 6749 §3.2.1).
    Named { id: String },
    /// An access token in the header (RFC 6750 §2.1).
    Bearer(String),
}

impl Credentials {
    /// Find the credentials in the `Authorization` header and the body; `None` if there are none at all.
    pub fn find(authorization: Option<&[u8]>, params: &Params) -> Result<Option<Self>, Error> {
        let body_id = params.get("client_id");
        let body_secret = params.get("client_secret");
        let Some(header) = authorization else {
            return Ok(match (body_id, body_secret) {
                (Some(id), Some(secret)) => Some(Credentials::Post {
                    id: id.to_owned(),
                    secret: secret.to_owned(),
                }),
                (Some(id), None) => Some(Credentials::Named { id: id.to_owned() }),
                (None, Some(_)) => return Err(InvalidClient::Failed.into()),
                (None, None) => None,
            });
        };
        if body_secret.is_some() {
            return Err(InvalidRequest::TwoAuthentications.into());
        }
        if let Some(token) = bearer_token(header) {
            return Ok(Some(Credentials::Bearer(token.to_owned())));
        }
        let header = std::str::from_utf8(header).map_err(|_| InvalidClient::Failed)?;
        let (scheme, rest) = header.split_once(' ').ok_or(InvalidClient::Failed)?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return Err(InvalidClient::Failed.into());
        }
        let (id, secret) = basic(rest.trim()).ok_or(InvalidClient::Failed)?;
        if body_id.is_some_and(|other| other != id) {
            return Err(InvalidRequest::OtherClientId.into());
        }
        Ok(Some(Credentials::Basic { id, secret }))
    }

    /// The client these credentials prove, public clients by their mere name. Unknown, disabled and wrong are
    /// refused alike.
    pub fn client(&self, rx: &mut Rx) -> Result<Client, Error> {
        let (found, through) = match self {
            Credentials::Basic { id, secret } => {
                (proven(rx, id, secret)?, AuthMethod::ClientSecretBasic)
            }
            Credentials::Post { id, secret } => {
                (proven(rx, id, secret)?, AuthMethod::ClientSecretPost)
            }
            Credentials::Named { id } => (Client::find(rx, id)?, AuthMethod::None),
            Credentials::Bearer(_) => (None, AuthMethod::None),
        };
        let fits = |client: &Client| {
            client.auth_method == through
                || (client.auth_method == AuthMethod::ClientSecret && through != AuthMethod::None)
        };
        let client = found.filter(|client| client.is_enabled() && fits(client));
        Ok(client.ok_or(InvalidClient::Failed)?)
    }

    /// The client that may ask about tokens: one that has proven itself by a secret, or by an access token of its
    /// own with the scope `introspection` (RFC 7662 §2.1).
    pub fn questioner(&self, rx: &mut Rx) -> Result<Client, Error> {
        let Credentials::Bearer(token) = self else {
            let client = self.client(rx)?;
            if client.is_public() {
                return Err(InvalidClient::Public.into());
            }
            return Ok(client);
        };
        let bearer = bearer_for_our_api(rx, token)?;
        // A person's token has no place here: whose resources would it ask for?
        let is_service = bearer.owner.is_none();
        if !is_service || !bearer.rights(&Catalogue::load(rx)?).contains(INTROSPECTION) {
            return Err(Error::InsufficientScope(INTROSPECTION));
        }
        Ok(bearer.client)
    }
}

/// The client of this id, if the secret is one of its own.
fn proven(rx: &mut Rx, id: &str, secret: &str) -> Result<Option<Client>, Error> {
    let secret = rx.policy.brands.read(secret);
    let Some(secret) = secret.filter(|secret| secret.kind() == SecretKind::ClientSecret) else {
        return Ok(None);
    };
    let now = rx.now;
    Ok(Client::with_secret(rx, id, secret.digest(), now)?)
}

/// The token in an `Authorization` header (RFC 6750 §2.1).
pub fn bearer_token(header: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// Whoever holds `presented`, if it is an active access token or personal access token (RFC 6750).
pub fn bearer(rx: &mut Rx, presented: &str) -> Result<Bearer, Error> {
    let secret = rx
        .policy
        .brands
        .read(presented)
        .ok_or(Error::InvalidToken)?;
    let bearer = Bearer::find(rx, secret.digest())?;
    let good = |b: &Bearer| b.is_active(rx.now) && b.token.kind != TokenKind::Refresh;
    bearer.filter(good).ok_or(Error::InvalidToken)
}

/// The same, if the token is for our own management API too.
pub fn bearer_for_our_api(rx: &mut Rx, presented: &str) -> Result<Bearer, Error> {
    let bearer = bearer(rx, presented)?;
    if !bearer.audience().contains(&rx.policy.api_resource()) {
        return Err(Error::InvalidToken);
    }
    Ok(bearer)
}

fn basic(encoded: &str) -> Option<(String, String)> {
    let decoded = STANDARD.decode(encoded).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id).ok()?, decode(secret).ok()?))
}
