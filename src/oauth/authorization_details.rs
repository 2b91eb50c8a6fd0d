//! What a client asks for of named things, besides its scope or instead of it (RFC 9396).

use super::error::{Error, InvalidAuthorizationDetails};
use super::params::Params;
use crate::domain::authorization_details::{AuthorizationDetails, type_of};
use crate::domain::client::Client;
use crate::domain::resource::Catalogue;
use crate::domain::words::Audience;

const PARAMETER: &str = "authorization_details";

/// What an authorization request asks for (§2), if it does: of types that `client` is registered for (§10).
pub fn requested(
    params: &Params,
    client: &Client,
    catalogue: &Catalogue,
) -> Result<Option<AuthorizationDetails>, InvalidAuthorizationDetails> {
    let Some(text) = params.get(PARAMETER) else {
        return Ok(None);
    };
    let objects = AuthorizationDetails::read(text)?;
    let may = &client.authorization_details_types;
    let is_not_theirs = |name: &&str| catalogue.details_type(name).is_some() && !may.contains(name);
    // First of all: no schema is compiled or asked for whom it is not for.
    if let Some(name) = objects.iter().map(type_of).find(is_not_theirs) {
        return Err(InvalidAuthorizationDetails::NotAllowed(name.to_owned()));
    }
    Ok(Some(AuthorizationDetails::check(&objects, catalogue)?))
}

/// Where a token with `details` and a scope for `audience` is good: at the resource servers of the details too. If the client
/// has `named` any (RFC 8707 §2), these have to be among them.
pub fn audience(
    audience: Audience,
    named: &Audience,
    details: Option<&AuthorizationDetails>,
    catalogue: &Catalogue,
) -> Result<Audience, InvalidAuthorizationDetails> {
    let Some(details) = details else {
        return Ok(audience);
    };
    let needed = details.audience(catalogue);
    match needed
        .iter()
        .find(|uri| !named.is_empty() && !named.contains(uri))
    {
        Some(uri) => Err(InvalidAuthorizationDetails::OtherResource(uri.to_owned())),
        None => Ok(audience.joined_with(&needed)),
    }
}

/// Check a token request: it may repeat what was granted, and ask for nothing else (§6).
pub fn check_repeated(
    params: &Params,
    granted: Option<&AuthorizationDetails>,
) -> Result<(), Error> {
    let Some(text) = params.get(PARAMETER) else {
        return Ok(());
    };
    let objects = AuthorizationDetails::read(text).map_err(InvalidAuthorizationDetails::from)?;
    match granted {
        Some(granted) if granted.are(&objects) => Ok(()),
        _ => Err(InvalidAuthorizationDetails::NotAsGranted.into()),
    }
}

/// Check a request of a service for itself: it has no details here, only scopes.
pub fn check_none(params: &Params) -> Result<(), Error> {
    match params.get(PARAMETER) {
        Some(_) => Err(InvalidAuthorizationDetails::ForServices.into()),
        None => Ok(()),
    }
}
