//! Who asks: client authentication at the token, introspection and revocation endpoints (RFC 6749 §2.3).

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::{Error, InvalidClient, InvalidRequest};
use super::params::{Params, decode};
use crate::clock::Timestamp;
use crate::domain::bearer::Bearer;
use crate::domain::client::{AuthMethod, Client};
use crate::domain::lookup::{Found, Lookup};
use crate::domain::policy::Policy;
use crate::domain::registry::Registered;
use crate::domain::secret::{Brands, SecretKind};
use crate::domain::token::TokenKind;

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

    /// What has to be looked up to tell whom these credentials prove.
    pub fn lookup(&self, brands: &Brands) -> Lookup {
        match self {
            Credentials::Basic { id, .. }
            | Credentials::Post { id, .. }
            | Credentials::Named { id } => Lookup {
                client: Some(id.clone()),
                ..Lookup::default()
            },
            Credentials::Bearer(token) => presented(token, brands),
        }
    }

    /// The client these credentials prove, public clients by their mere name. Unknown, disabled and wrong are
    /// refused alike.
    pub fn client(
        &self,
        found: &Found,
        brands: &Brands,
        now: Timestamp,
    ) -> Result<Arc<Client>, InvalidClient> {
        let (secret, through) = match self {
            Credentials::Basic { secret, .. } => (Some(secret), AuthMethod::ClientSecretBasic),
            Credentials::Post { secret, .. } => (Some(secret), AuthMethod::ClientSecretPost),
            Credentials::Named { .. } => (None, AuthMethod::None),
            Credentials::Bearer(_) => return Err(InvalidClient::Failed),
        };
        let found = found.client.as_ref().ok_or(InvalidClient::Failed)?;
        let client = &found.client;
        let proven = secret.is_none_or(|secret| is_of(found, secret, brands, now));
        let fits = client.auth_method == through
            || (client.auth_method == AuthMethod::ClientSecret && through != AuthMethod::None);
        if proven && fits && client.is_enabled() {
            Ok(client.clone())
        } else {
            Err(InvalidClient::Failed)
        }
    }

    /// The client that may ask about tokens: one that has proven itself by a secret, or by an access token of its
    /// own with the scope `introspection` (RFC 7662 §2.1).
    pub fn questioner(
        &self,
        found: &Found,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<Arc<Client>, Error> {
        let Credentials::Bearer(_) = self else {
            let client = self.client(found, &policy.brands, now)?;
            if client.is_public() {
                return Err(InvalidClient::Public.into());
            }
            return Ok(client);
        };
        // A service's own token is limited to no network.
        let bearer = bearer_for_our_api(found, policy, now, None)?;
        // A person's token has no place here: whose resources would it ask for?
        let is_service = bearer.owner.is_none();
        if !is_service || !bearer.rights(&found.catalogue).contains(INTROSPECTION) {
            return Err(Error::InsufficientScope(INTROSPECTION));
        }
        Ok(bearer.client.clone())
    }
}

/// Whether the secret is one of this client's own.
fn is_of(found: &Registered, secret: &str, brands: &Brands, now: Timestamp) -> bool {
    brands
        .read(secret)
        .filter(|secret| secret.kind() == SecretKind::ClientSecret)
        .is_some_and(|secret| found.has_secret(&secret.digest(), now))
}

/// The token in an `Authorization` header (RFC 6750 §2.1).
pub fn bearer_token(header: &[u8]) -> Option<&str> {
    let (scheme, token) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// What has to be looked up to tell who holds `token`.
pub fn presented(token: &str, brands: &Brands) -> Lookup {
    Lookup {
        token: brands.read(token).map(|secret| secret.digest()),
        ..Lookup::default()
    }
}

/// Whoever holds the token that was looked up and came from `from`, if it is an active access token or personal access token
/// (RFC 6750).
pub fn bearer(found: &Found, now: Timestamp, from: Option<IpAddr>) -> Result<&Bearer, Error> {
    let good = |b: &&Bearer| b.is_active(now, from) && b.token.kind != TokenKind::Refresh;
    let bearer = found.bearer.as_deref().filter(good);
    bearer.ok_or(Error::InvalidToken)
}

/// The same, if the token is for our own management API too.
pub fn bearer_for_our_api<'a>(
    found: &'a Found,
    policy: &Policy,
    now: Timestamp,
    from: Option<IpAddr>,
) -> Result<&'a Bearer, Error> {
    let bearer = bearer(found, now, from)?;
    if !bearer.audience().contains(&policy.api_resource()) {
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
