//! Giving a token back (RFC 7009).

use super::error::Error;
use super::params::Params;
use crate::domain::bearer::Bearer;
use crate::domain::client::Client;
use crate::domain::grant::Because;
use crate::domain::secret::SecretKind;
use crate::domain::token::TokenKind;
use crate::domain::tx::Tx;

/// End the presented token, if it is `client`'s. Unknown and foreign tokens are none of the caller's business, and
/// that is no error (RFC 7009 §2.1, §2.2). The hint may be wrong, so it is not looked at.
///
/// A refresh token takes its whole grant with it, access tokens too; an access token goes alone. A personal access
/// token has no client of its own: whoever holds it may end it, with or without a client.
pub fn revoke(tx: &mut Tx, client: Option<&Client>, params: &Params) -> Result<(), Error> {
    let presented = params.need("token")?;
    let Some(secret) = tx.policy.brands.read(presented) else {
        return Ok(());
    };
    if matches!(
        secret.kind(),
        SecretKind::ClientSecret | SecretKind::AuthorizationCode
    ) {
        return Err(Error::UnsupportedTokenType);
    }
    let Some(bearer) = Bearer::find(tx, secret.digest())? else {
        return Ok(());
    };
    let mine = client.is_some_and(|client| client.id == bearer.grant.client_id);
    match bearer.token.kind {
        TokenKind::Personal => bearer.grant.revoke(tx, &Because::HolderRevoked)?,
        TokenKind::Refresh if mine => bearer.grant.revoke(tx, &Because::ClientRevoked)?,
        TokenKind::Access if mine => {
            bearer
                .token
                .revoke(tx, &bearer.grant, "revoked by the app")?
        }
        _ => {}
    }
    Ok(())
}
