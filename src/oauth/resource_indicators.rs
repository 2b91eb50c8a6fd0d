//! For which resource servers a token is asked, and what may be asked of them (RFC 8707, RFC 6749 §3.3).

use super::error::{Error, InvalidScope, InvalidTarget};
use super::params::Params;
use crate::domain::client::Client;
use crate::domain::resource::Catalogue;
use crate::domain::words::{Audience, Scope};

/// The resources a request names, as they are registered; empty if it names none.
pub fn requested(params: &Params, catalogue: &Catalogue) -> Result<Audience, InvalidTarget> {
    let mut uris = vec![];
    for asked in params.all("resource") {
        if Audience::of([asked]).is_err() {
            return Err(InvalidTarget::Malformed(asked.to_owned()));
        }
        let known = catalogue.resource(asked);
        let known = known.ok_or_else(|| InvalidTarget::Unknown(asked.to_owned()))?;
        uris.push(known.uri.as_str());
    }
    Ok(uris.into_iter().collect())
}

/// What `client` gets when it asks for `scope` at `requested`: every word has to be defined there and allowed to the
/// client. Without a scope it is all the client may ask for; without a resource, those that define the scope.
pub fn negotiate(
    client: &Client,
    scope: Option<&str>,
    requested: &Audience,
    catalogue: &Catalogue,
) -> Result<(Scope, Audience), Error> {
    let meant = if requested.is_empty() {
        catalogue.clone()
    } else {
        catalogue.within(requested)
    };
    let Some(scope) = scope else {
        let scope = client.scope.only(|word| meant.defines(word));
        let audience = audience(&scope, requested, catalogue);
        return Ok((scope, audience));
    };
    let scope = Scope::parse(scope).map_err(|_| InvalidScope::Malformed)?;
    for word in scope.iter() {
        if !client.scope.contains(word) {
            return Err(InvalidScope::NotAllowed(word.to_owned()).into());
        }
        if !catalogue.defines(word) {
            return Err(InvalidScope::Unknown(word.to_owned()).into());
        }
        if !meant.defines(word) {
            return Err(InvalidScope::OtherResource(word.to_owned()).into());
        }
    }
    let audience = audience(&scope, requested, catalogue);
    Ok((scope, audience))
}

fn audience(scope: &Scope, requested: &Audience, catalogue: &Catalogue) -> Audience {
    if requested.is_empty() {
        catalogue.audience_of(scope)
    } else {
        requested.clone()
    }
}

/// The part of a grant's audience that a token request asks for: `None` if it asks for no part of its own.
pub fn narrowed(
    params: &Params,
    granted: &Audience,
    catalogue: &Catalogue,
) -> Result<Option<Audience>, InvalidTarget> {
    let requested = requested(params, catalogue)?;
    if let Some(beyond) = requested.iter().find(|uri| !granted.contains(uri)) {
        return Err(InvalidTarget::BeyondGrant(beyond.to_owned()));
    }
    Ok((!requested.is_empty() && requested != *granted).then_some(requested))
}
