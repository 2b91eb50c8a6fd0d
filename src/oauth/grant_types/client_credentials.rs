//! A service gets a token for itself (RFC 6749 §4.4).

use super::{TokenResponse, access_token};
use crate::domain::client::{Client, GrantType};
use crate::domain::grant::{Grant, NewGrant, Origin, Via};
use crate::domain::resource::Catalogue;
use crate::domain::secret::SecretKind;
use crate::domain::tx::Tx;
use crate::oauth::engine;
use crate::oauth::error::Error;
use crate::oauth::params::Params;
use crate::oauth::resource_indicators::{negotiate, requested};

/// Give `client`, which has authenticated, an access token of its own.
pub fn respond(tx: &mut Tx, client: &Client, params: &Params) -> Result<TokenResponse, Error> {
    let catalogue = Catalogue::load(tx)?;
    let (scope, audience) = engine::client_credentials(params, client, |scope| {
        negotiate(client, scope, &requested(params, &catalogue)?, &catalogue)
    })?;
    let standing = Grant::of_service(tx, &client.id, &scope, &audience)?;
    let grant = match standing {
        Some(grant) => grant,
        None => Grant::create(
            tx,
            NewGrant {
                user_id: None,
                client_id: &client.id,
                origin: Origin::ClientCredentials,
                scope: &scope,
                audience: &audience,
                name: None,
                description: None,
                via: Via::OAuth,
                auth_time: None,
            },
        )?,
    };
    let secret = tx.policy.brands.mint(SecretKind::AccessToken);
    let access = access_token(
        tx,
        GrantType::ClientCredentials,
        client,
        &grant,
        secret,
        scope,
        None,
    )?;
    Ok(TokenResponse::new(access, None, tx.now))
}
