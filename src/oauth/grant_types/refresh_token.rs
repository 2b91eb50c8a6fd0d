//! A refresh token becomes its successor, once; and whoever loses the answer may ask again for a moment
//! (RFC 6749 §6, RFC 9700 §4.14.2).
//!
//! The successor is derived from the presented token and a nonce in its row. So the same old token can be answered
//! with the same successor again while nobody has used that, although only digests are stored.

use super::{Issued, TokenRequest, TokenResponse, access_token, refresh_token};
use crate::clock::Timestamp;
use crate::domain::audit::{Event, What};
use crate::domain::bearer::{Bearer, Standing};
use crate::domain::client::GrantType;
use crate::domain::deed::Deed;
use crate::domain::grant::{Because, Grant};
use crate::domain::secret::{self, Secret, SecretKind};
use crate::domain::token::Token;
use crate::domain::tx::Tx;
use crate::domain::words::{Audience, Scope};
use crate::oauth::authorization_details::check_repeated;
use crate::oauth::engine;
use crate::oauth::error::{Error, InvalidGrant};

/// Rotate a refresh token.
pub fn respond(
    tx: &mut Tx,
    request: &TokenRequest,
    presented: &Secret,
) -> Result<TokenResponse, Error> {
    let bearer = Bearer::find(tx, presented.digest())?.ok_or(InvalidGrant::UnknownRefreshToken)?;
    let granted = bearer.scope();
    let issued_to = bearer.grant.client_id.clone();
    let TokenRequest { params, client, .. } = request;
    engine::refresh_token(params, client, &issued_to, &granted, |scope| {
        rotate(tx, request, presented, bearer, scope)
    })
}

fn rotate(
    tx: &mut Tx,
    request: &TokenRequest,
    presented: &Secret,
    bearer: Bearer,
    scope: Scope,
) -> Result<TokenResponse, Error> {
    let audience = request.narrowed(&bearer.grant.audience)?;
    check_repeated(&request.params, bearer.grant.authorization_details.as_ref())?;
    let asked = Asked {
        request,
        scope,
        audience,
    };
    match bearer.standing(tx.now, tx.caller.address) {
        Standing::Active => {}
        Standing::Spent => return again(tx, presented, asked),
        Standing::OwnerDisabled => return Err(InvalidGrant::OwnerDisabled.into()),
        _ => return Err(InvalidGrant::Ended.into()),
    }
    let nonce = secret::random_bytes::<32>();
    if !Token::spend(tx, bearer.token.hash, &nonce)? {
        // Another request was faster: this one is the second.
        return again(tx, presented, asked);
    }
    let grant = Grant::find(tx, bearer.grant.id)?.ok_or(InvalidGrant::UnknownRefreshToken)?;
    let [next_access, next_refresh] = successors(tx, &nonce, presented);
    let access = asked.access_token(tx, &grant, next_access)?;
    refresh_token(tx, GrantType::RefreshToken, &grant, &next_refresh)?;
    Ok(TokenResponse::new(access, Some(next_refresh), tx.now))
}

/// What of the grant an access token is asked for.
struct Asked<'a> {
    request: &'a TokenRequest,
    scope: Scope,
    audience: Option<Audience>,
}

impl Asked<'_> {
    fn access_token(self, tx: &mut Tx, grant: &Grant, secret: Secret) -> Result<Issued, Error> {
        access_token(
            tx,
            GrantType::RefreshToken,
            self.request,
            grant,
            secret,
            self.scope,
            self.audience,
        )
    }

    /// Whether `token` is just what is asked for, and good.
    fn is(&self, token: &Token, grant: &Grant, now: Timestamp) -> bool {
        let scope = token.scope.as_ref().unwrap_or(&grant.scope);
        let good = token.revoked_at.is_none() && !token.is_expired(now);
        good && *scope == self.scope && token.audience == self.audience
    }
}

/// A spent token came again. Shortly after, and before its successor was used, that is a lost answer or a race: the
/// same successor is the answer. Otherwise one of two holders is a thief, and the grant ends.
fn again(tx: &mut Tx, presented: &Secret, asked: Asked) -> Result<TokenResponse, Error> {
    let token = Token::find(tx, presented.digest())?.ok_or(InvalidGrant::UnknownRefreshToken)?;
    let grant = Grant::find(tx, token.grant_id)?.ok_or(InvalidGrant::UnknownRefreshToken)?;
    let spent = token.spent_at.zip(token.nonce.as_ref());
    if let Some((spent_at, nonce)) = spent.filter(|_| grant.revoked_at.is_none()) {
        let [next_access, next_refresh] = successors(tx, nonce, presented);
        let successor = Token::find(tx, next_refresh.digest())?;
        let unused = successor.is_some_and(|next| next.spent_at.is_none());
        if unused && tx.now < spent_at + tx.policy.lifetimes.refresh_grace {
            let before = Token::find(tx, next_access.digest())?;
            let same = before.filter(|token| asked.is(token, &grant, tx.now));
            let access = match same {
                Some(token) => Issued {
                    secret: next_access,
                    details: asked.request.details(&grant, asked.audience.as_ref()),
                    scope: asked.scope,
                    expires_at: token.expires_at.unwrap_or(tx.now),
                },
                // The second request asks for another part of the grant: it gets an access token of its own.
                None => {
                    let fresh = tx.policy.brands.mint(SecretKind::AccessToken);
                    asked.access_token(tx, &grant, fresh)?
                }
            };
            tx.did(Deed::Repeated);
            return Ok(TokenResponse::new(access, Some(next_refresh), tx.now));
        }
    }
    tx.record(Event::new(What::RefreshTokenReplayed).grant(&grant))?;
    grant.revoke(tx, &Because::RefreshTokenReplayed)?;
    Err(InvalidGrant::Replayed.into())
}

fn successors(tx: &Tx, nonce: &[u8], presented: &Secret) -> [Secret; 2] {
    [SecretKind::AccessToken, SecretKind::RefreshToken]
        .map(|kind| tx.policy.brands.derive(kind, nonce, presented))
}
