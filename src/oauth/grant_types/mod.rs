//! The token endpoint's pipeline: every grant type passes through [`TokenRequest::presented`], so that no check that all
//! need can be forgotten by one (RFC 6749 §3.2).

pub mod authorization_code;
pub mod client_credentials;
pub mod refresh_token;

use std::sync::Arc;

use serde::Serialize;

use super::error::{Error, InvalidGrant};
use super::params::Params;
use super::resource_indicators::narrowed;
use crate::clock::Timestamp;
use crate::domain::authorization_details::Detail;
use crate::domain::client::{Client, GrantType};
use crate::domain::deed::Deed;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
use crate::domain::policy::Policy;
use crate::domain::resource::Catalogue;
use crate::domain::secret::{Brands, Secret, SecretKind};
use crate::domain::token::{NewToken, Token, TokenKind};
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::domain::words::{Audience, Scope};

/// The answer of the token endpoint (RFC 6749 §5.1). Carries secrets: it is not to be logged or stored.
#[derive(Serialize)]
pub struct TokenResponse {
    access_token: String,
    token_type: &'static str,
    /// In seconds.
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    scope: String,
    /// As granted (RFC 9396 §7).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    authorization_details: Vec<Detail>,
}

/// A request for tokens, of a client that has authenticated, and whom it may ask them for.
pub struct TokenRequest {
    pub client: Arc<Client>,
    pub params: Params,
    pub catalogue: Arc<Catalogue>,
}

/// What a client asks for tokens with.
pub enum Presented {
    Code(Secret),
    RefreshToken(Secret),
    /// Its own name: `client_credentials`.
    Itself(Itself),
}

/// That a client is known and may act for itself: only [`TokenRequest::presented`] finds that out.
pub struct Itself(());

impl TokenRequest {
    /// Read what the client presents. What can't be good is refused here, before it takes its turn among the changes of
    /// the database.
    pub fn presented(&self, brands: &Brands) -> Result<Presented, Error> {
        let asked = self.params.need("grant_type")?;
        let grant_type =
            GrantType::parse(asked).ok_or_else(|| Error::UnsupportedGrantType(asked.to_owned()))?;
        let acts_alone = grant_type == GrantType::ClientCredentials;
        if !self.client.may_use(grant_type) || (acts_alone && self.client.is_public()) {
            return Err(Error::UnauthorizedClient(asked.to_owned()));
        }
        let secret = |name, kind| -> Result<Option<Secret>, Error> {
            let secret = brands.read(self.params.need(name)?);
            Ok(secret.filter(|secret| secret.kind() == kind))
        };
        match grant_type {
            GrantType::AuthorizationCode => secret("code", SecretKind::AuthorizationCode)?
                .map(Presented::Code)
                .ok_or(InvalidGrant::UnknownCode.into()),
            GrantType::RefreshToken => secret("refresh_token", SecretKind::RefreshToken)?
                .map(Presented::RefreshToken)
                .ok_or(InvalidGrant::UnknownRefreshToken.into()),
            GrantType::ClientCredentials => Ok(Presented::Itself(Itself(()))),
        }
    }

    /// The part of a grant's audience that is asked for: `None` if no part of its own is.
    fn narrowed(&self, granted: &Audience) -> Result<Option<Audience>, Error> {
        Ok(narrowed(&self.params, granted, &self.catalogue)?)
    }

    /// What an access token for `audience`, or for all that `grant` is for, has of the grant's details.
    fn details(&self, grant: &Grant, audience: Option<&Audience>) -> Vec<Detail> {
        let meant = self.catalogue.within(audience.unwrap_or(&grant.audience));
        let details = grant.authorization_details.as_ref();
        let left = details.map(|details| details.defined_by(&meant));
        left.unwrap_or_default()
    }

    /// When an access token ends that is issued now.
    fn access_token_end(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        let life = self.client.access_token_ttl();
        now.whole_second() + life.unwrap_or(policy.lifetimes.access_token)
    }
}

/// An access token that was made.
struct Issued {
    secret: Secret,
    scope: Scope,
    details: Vec<Detail>,
    expires_at: Timestamp,
}

/// Make an access token under `grant`, for the `scope` and `audience` that are asked of it `by` a grant type.
fn access_token(
    tx: &mut Tx,
    by: GrantType,
    request: &TokenRequest,
    grant: &Grant,
    secret: Secret,
    scope: Scope,
    audience: Option<Audience>,
) -> Result<Issued, Error> {
    let expires_at = request.access_token_end(tx.policy, tx.now);
    Token::issue(
        tx,
        NewToken {
            secret: &secret,
            grant_id: grant.id,
            kind: TokenKind::Access,
            expires_at: Some(expires_at),
            scope: Some(&scope).filter(|scope| **scope != grant.scope),
            audience: audience.as_ref(),
        },
    )?;
    tx.did(Deed::Issued(TokenKind::Access, Some(by)));
    Ok(Issued {
        secret,
        scope,
        details: request.details(grant, audience.as_ref()),
        expires_at,
    })
}

/// Make a refresh token under `grant`. It has all that the grant has (RFC 6749 §6).
fn refresh_token(tx: &mut Tx, by: GrantType, grant: &Grant, secret: &Secret) -> Result<(), Error> {
    let end = tx.now.whole_second() + tx.policy.lifetimes.refresh_token;
    Token::issue(
        tx,
        NewToken {
            secret,
            grant_id: grant.id,
            kind: TokenKind::Refresh,
            expires_at: Some(end),
            scope: None,
            audience: None,
        },
    )?;
    tx.did(Deed::Issued(TokenKind::Refresh, Some(by)));
    Ok(())
}

/// The person behind a grant still has to be one who may sign in.
fn owner_is_enabled(tx: &mut Tx, owner: Id) -> Result<(), Error> {
    let owner = User::find(tx, owner)?;
    if owner.is_none_or(|owner| !owner.is_enabled()) {
        return Err(InvalidGrant::OwnerDisabled.into());
    }
    Ok(())
}

impl TokenResponse {
    fn new(access: Issued, refresh: Option<Secret>, now: Timestamp) -> Self {
        let life = access.expires_at.since(now.whole_second());
        Self {
            access_token: access.secret.expose().to_owned(),
            token_type: "Bearer",
            expires_in: life.as_secs(),
            refresh_token: refresh.map(|secret| secret.expose().to_owned()),
            scope: access.scope.to_string(),
            authorization_details: access.details,
        }
    }
}
