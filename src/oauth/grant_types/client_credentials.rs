//! A service gets a token for itself (RFC 6749 §4.4).

use super::{Issued, Itself, TokenRequest, TokenResponse};
use crate::clock::Timestamp;
use crate::domain::policy::Policy;
use crate::domain::secret::SecretKind;
use crate::domain::service_token::ServiceToken;
use crate::oauth::authorization_details::check_none;
use crate::oauth::engine;
use crate::oauth::error::Error;
use crate::oauth::resource_indicators::{negotiate, requested};

/// The token that a service is to get, and the answer once that is kept.
pub fn prepare(
    request: &TokenRequest,
    _: Itself,
    policy: &Policy,
    now: Timestamp,
) -> Result<(ServiceToken, TokenResponse), Error> {
    let TokenRequest {
        client,
        params,
        catalogue,
    } = request;
    check_none(params)?;
    let (scope, audience) = engine::client_credentials(params, client, |scope| {
        negotiate(client, scope, &requested(params, catalogue)?, catalogue)
    })?;
    let token = ServiceToken {
        client_id: client.id.clone(),
        scope,
        audience,
        secret: policy.brands.mint(SecretKind::AccessToken),
        expires_at: request.access_token_end(policy, now),
    };
    let issued = Issued {
        secret: token.secret.clone(),
        scope: token.scope.clone(),
        details: vec![],
        expires_at: token.expires_at,
    };
    Ok((token, TokenResponse::new(issued, None, now)))
}
