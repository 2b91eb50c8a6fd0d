//! Giving a token back (RFC 7009).

use super::error::Error;
use super::params::Params;
use crate::domain::client::Client;
use crate::domain::decoy::Decoy;
use crate::domain::grant::{Because, Grant};
use crate::domain::personal_token::PersonalToken;
use crate::domain::secret::{Brands, Secret, SecretKind};
use crate::domain::token::{Token, TokenKind};
use crate::domain::tx::Tx;

/// The token that a request wants to give back; `None` if it can't be one of ours, which is no error (RFC 7009 §2.2). The
/// hint may be wrong, so it is not looked at.
pub fn presented(params: &Params, brands: &Brands) -> Result<Option<Secret>, Error> {
    let secret = brands.read(params.need("token")?);
    match secret.as_ref().map(Secret::kind) {
        Some(SecretKind::ClientSecret | SecretKind::AuthorizationCode) => {
            Err(Error::UnsupportedTokenType)
        }
        _ => Ok(secret),
    }
}

/// End `token`, if it is `client`'s. Foreign tokens are none of the caller's business, and that is no error (§2.1).
///
/// A refresh token takes its whole grant with it, access tokens too; an access token goes alone. A personal access
/// token has no client of its own: whoever holds it may end it, with or without a client. One that was rotated leaves its
/// successor be.
pub fn revoke(tx: &mut Tx, client: Option<&Client>, token: &Secret) -> Result<(), Error> {
    let Some(token) = Token::find(tx, token.digest())? else {
        return Ok(());
    };
    let Some(grant) = Grant::find(tx, token.grant_id)? else {
        return Ok(());
    };
    let mine = client.is_some_and(|client| client.id == grant.client_id);
    match token.kind {
        TokenKind::Personal => {
            PersonalToken::from((token, grant)).give_back(tx, &Because::HolderRevoked)?;
        }
        TokenKind::Refresh if mine => grant.revoke(tx, &Because::ClientRevoked)?,
        TokenKind::Access if mine => {
            token.revoke(tx, &grant, &Because::ClientRevoked)?;
        }
        TokenKind::Decoy => Decoy::used(tx, grant.id, "at the revocation endpoint")?,
        TokenKind::Refresh | TokenKind::Access => {}
    }
    Ok(())
}
