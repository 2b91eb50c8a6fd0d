//! A code becomes tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.6).

use super::{TokenRequest, TokenResponse, access_token, owner_is_enabled, refresh_token};
use crate::domain::audit::{Event, What};
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::GrantType;
use crate::domain::grant::{Because, Grant, NewGrant, Origin, Via};
use crate::domain::limits::Limits;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::tx::Tx;
use crate::oauth::authorization_details::check_repeated;
use crate::oauth::engine;
use crate::oauth::error::{Error, InvalidGrant};
use crate::oauth::params::Params;

/// Redeem a code.
pub fn respond(tx: &mut Tx, request: &TokenRequest, code: &Secret) -> Result<TokenResponse, Error> {
    // What the person was asked, redeemed or not.
    let asked = AuthorizationRequest::of_code(tx, code.digest())?;
    let asked = asked.ok_or(InvalidGrant::UnknownCode)?;
    let TokenRequest { params, client, .. } = request;
    redirect_uri_repeated(&asked, params)?;
    let code = engine::Code {
        client_id: &asked.client_id,
        redirect_uri: &asked.redirect_uri,
        challenge: &asked.code_challenge,
    };
    engine::authorization_code(params, client, &code, || issue(tx, request, &asked))
}

/// What was sent then has to be sent now, to the character; what was not sent may be left out (RFC 6749 §4.1.3).
fn redirect_uri_repeated(
    request: &AuthorizationRequest,
    params: &Params,
) -> Result<(), InvalidGrant> {
    let fits = match params.get("redirect_uri") {
        Some(sent) => sent == request.redirect_uri,
        None => !request.redirect_uri_sent,
    };
    if fits {
        Ok(())
    } else {
        Err(InvalidGrant::RedirectUri)
    }
}

/// The client and its proof are good. The first to redeem gets tokens; the second time somebody has stolen the code
/// and the secret behind its proof, so all that came of it ends (RFC 6749 §4.1.2).
fn issue(
    tx: &mut Tx,
    request: &TokenRequest,
    asked: &AuthorizationRequest,
) -> Result<TokenResponse, Error> {
    if asked.redeemed_at.is_some() {
        return replayed(tx, asked);
    }
    if asked.code_expires_at.is_none_or(|end| end <= tx.now) {
        return Err(InvalidGrant::CodeExpired.into());
    }
    owner_is_enabled(tx, asked.user_id)?;
    let audience = request.narrowed(&asked.audience)?;
    check_repeated(&request.params, asked.authorization_details.as_ref())?;
    if !asked.redeem(tx)? {
        return replayed(tx, asked);
    }

    let grant = Grant::create(
        tx,
        NewGrant {
            user_id: Some(asked.user_id),
            client_id: &request.client.id,
            origin: Origin::AuthorizationCode,
            scope: &asked.scope,
            audience: &asked.audience,
            authorization_details: asked.authorization_details.as_ref(),
            name: None,
            description: None,
            via: Via::OAuth,
            auth_time: Some(asked.auth_time),
            limits: &Limits::default(),
            held_back: None,
        },
    )?;
    asked.became(tx, grant.id)?;
    let secret = tx.policy.brands.mint(SecretKind::AccessToken);
    let (by, scope) = (GrantType::AuthorizationCode, grant.scope.clone());
    let access = access_token(tx, by, request, &grant, secret, scope, audience)?;
    let refresh = if request.client.may_use(GrantType::RefreshToken) {
        let secret = tx.policy.brands.mint(SecretKind::RefreshToken);
        refresh_token(tx, by, &grant, &secret)?;
        Some(secret)
    } else {
        None
    };
    Ok(TokenResponse::new(access, refresh, tx.now))
}

fn replayed(tx: &mut Tx, request: &AuthorizationRequest) -> Result<TokenResponse, Error> {
    let grant = match request.outcome(tx)? {
        Some(id) => Grant::find(tx, id)?,
        None => None,
    };
    if let Some(grant) = grant {
        tx.record(Event::new(What::CodeReplayed).grant(&grant))?;
        grant.revoke(tx, &Because::CodeReplayed)?;
    }
    Err(InvalidGrant::Used.into())
}
