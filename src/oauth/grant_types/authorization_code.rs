//! A code becomes tokens, once (RFC 6749 §4.1.3, RFC 7636 §4.6).

use super::{TokenResponse, access_token, owner_is_enabled, refresh_token};
use crate::domain::audit::{Event, What};
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::{Client, GrantType};
use crate::domain::grant::{Because, Grant, NewGrant, Origin, Via};
use crate::domain::resource::Catalogue;
use crate::domain::secret::{Secret, SecretKind};
use crate::domain::tx::Tx;
use crate::oauth::engine;
use crate::oauth::error::{Error, InvalidGrant};
use crate::oauth::params::Params;
use crate::oauth::resource_indicators::narrowed;

/// Redeem a code for `client`, which has authenticated.
pub fn respond(
    tx: &mut Tx,
    client: &Client,
    code: &Secret,
    params: &Params,
) -> Result<TokenResponse, Error> {
    // The request that it stands for, redeemed or not.
    let request = AuthorizationRequest::of_code(tx, code.digest())?;
    let request = request.ok_or(InvalidGrant::UnknownCode)?;
    redirect_uri_repeated(&request, params)?;
    let code = engine::Code {
        client_id: &request.client_id,
        redirect_uri: &request.redirect_uri,
        challenge: &request.code_challenge,
    };
    engine::authorization_code(params, client, &code, || {
        issue(tx, client, &request, params)
    })
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
    client: &Client,
    request: &AuthorizationRequest,
    params: &Params,
) -> Result<TokenResponse, Error> {
    if request.redeemed_at.is_some() {
        return replayed(tx, request);
    }
    if request.code_expires_at.is_none_or(|end| end <= tx.now) {
        return Err(InvalidGrant::CodeExpired.into());
    }
    owner_is_enabled(tx, request.user_id)?;
    let audience = narrowed(params, &request.audience, &Catalogue::load(tx)?)?;
    if !request.redeem(tx)? {
        return replayed(tx, request);
    }

    let grant = Grant::create(
        tx,
        NewGrant {
            user_id: Some(request.user_id),
            client_id: &client.id,
            origin: Origin::AuthorizationCode,
            scope: &request.scope,
            audience: &request.audience,
            name: None,
            description: None,
            via: Via::OAuth,
            auth_time: Some(request.auth_time),
        },
    )?;
    request.became(tx, grant.id)?;
    let secret = tx.policy.brands.mint(SecretKind::AccessToken);
    let (by, scope) = (GrantType::AuthorizationCode, grant.scope.clone());
    let access = access_token(tx, by, client, &grant, secret, scope, audience)?;
    let refresh = if client.may_use(GrantType::RefreshToken) {
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
