//! The token endpoint's pipeline: every grant type passes through [`respond`], so that no check that all need can be
//! forgotten by one (RFC 6749 §3.2).

mod authorization_code;
mod client_credentials;
mod refresh_token;

use serde::Serialize;

use super::error::{Error, InvalidGrant};
use super::params::Params;
use crate::clock::Timestamp;
use crate::domain::client::{Client, GrantType};
use crate::domain::deed::Deed;
use crate::domain::grant::Grant;
use crate::domain::id::Id;
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
}

/// What a client asks for tokens with.
pub enum Presented {
    Code(Secret),
    RefreshToken(Secret),
    /// Its own name: `client_credentials`.
    Itself,
}

/// Read what `client`, which has authenticated, presents. What can't be good is refused here, before it takes its turn
/// among the changes of the database.
pub fn read(client: &Client, params: &Params, brands: &Brands) -> Result<Presented, Error> {
    let asked = params.need("grant_type")?;
    let grant_type =
        GrantType::parse(asked).ok_or_else(|| Error::UnsupportedGrantType(asked.to_owned()))?;
    let acts_alone = grant_type == GrantType::ClientCredentials;
    if !client.may_use(grant_type) || (acts_alone && client.is_public()) {
        return Err(Error::UnauthorizedClient(asked.to_owned()));
    }
    let secret = |name, kind| -> Result<Option<Secret>, Error> {
        let secret = brands.read(params.need(name)?);
        Ok(secret.filter(|secret| secret.kind() == kind))
    };
    match grant_type {
        GrantType::AuthorizationCode => secret("code", SecretKind::AuthorizationCode)?
            .map(Presented::Code)
            .ok_or(InvalidGrant::UnknownCode.into()),
        GrantType::RefreshToken => secret("refresh_token", SecretKind::RefreshToken)?
            .map(Presented::RefreshToken)
            .ok_or(InvalidGrant::UnknownRefreshToken.into()),
        GrantType::ClientCredentials => Ok(Presented::Itself),
    }
}

/// Answer a token request of `client`, which has authenticated.
pub fn respond(
    tx: &mut Tx,
    client: &Client,
    presented: &Presented,
    params: &Params,
) -> Result<TokenResponse, Error> {
    match presented {
        Presented::Code(code) => authorization_code::respond(tx, client, code, params),
        Presented::RefreshToken(token) => refresh_token::respond(tx, client, token, params),
        Presented::Itself => client_credentials::respond(tx, client, params),
    }
}

/// An access token that was made.
struct Issued {
    token: Token,
    secret: Secret,
    scope: Scope,
}

/// Make an access token under `grant`, for the `scope` and `audience` that are asked of it `by` a grant type.
fn access_token(
    tx: &mut Tx,
    by: GrantType,
    client: &Client,
    grant: &Grant,
    secret: Secret,
    scope: Scope,
    audience: Option<Audience>,
) -> Result<Issued, Error> {
    let life = client
        .access_token_ttl()
        .unwrap_or(tx.policy.lifetimes.access_token);
    let token = Token::issue(
        tx,
        &secret,
        NewToken {
            grant,
            kind: TokenKind::Access,
            expires_at: Some(tx.now.whole_second() + life),
            scope: Some(&scope).filter(|scope| **scope != grant.scope),
            audience: audience.as_ref(),
        },
    )?;
    tx.did(Deed::Issued(TokenKind::Access, Some(by)));
    Ok(Issued {
        token,
        secret,
        scope,
    })
}

/// Make a refresh token under `grant`. It has all that the grant has (RFC 6749 §6).
fn refresh_token(tx: &mut Tx, by: GrantType, grant: &Grant, secret: &Secret) -> Result<(), Error> {
    let end = tx.now.whole_second() + tx.policy.lifetimes.refresh_token;
    Token::issue(
        tx,
        secret,
        NewToken {
            grant,
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
        let end = access.token.expires_at.unwrap_or(now);
        Self {
            access_token: access.secret.expose().to_owned(),
            token_type: "Bearer",
            expires_in: end.since(now.whole_second()).as_secs(),
            refresh_token: refresh.map(|secret| secret.expose().to_owned()),
            scope: access.scope.to_string(),
        }
    }
}
