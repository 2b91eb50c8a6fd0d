//! What becomes of a request that was checked: an answer at once, or a question to the person, and theirs.

use super::{Back, Request};
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::authorization_details::{AuthorizationDetails, Detail};
use crate::domain::authorization_request::{AuthorizationRequest, NewRequest};
use crate::domain::client::Client;
use crate::domain::consent::Consent;
use crate::domain::id::Id;
use crate::domain::resource::Catalogue;
use crate::domain::secret::SecretKind;
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::domain::words::Scope;
use crate::oauth::Error;
use crate::oauth::error::InvalidAuthorizationDetails;

/// What comes next.
pub enum Next {
    /// The person is asked, or asked again because their answer said nothing.
    Ask(Box<Question>),
    /// The browser goes back to the app, with a code or an error.
    Return(String),
}

/// What the consent page shows.
pub struct Question {
    pub request: AuthorizationRequest,
    pub client: Client,
    pub catalogue: Catalogue,
}

/// What a person says to a request.
pub enum Decision {
    /// The app may do this much of what it asked for.
    Allow {
        scope: Scope,
        authorization_details: Vec<Detail>,
    },
    Deny,
}

/// Why an answer does not count.
#[derive(Debug, thiserror::Error)]
pub enum Undecided {
    #[error("This request was answered before, or it waited too long.")]
    Over,
    #[error("The app was switched off meanwhile.")]
    ClientDisabled,
    #[error("This form asks for more than the app did.")]
    BeyondRequest,
    #[error(transparent)]
    Fault(#[from] Fault),
}

refusal!(Undecided);

/// Keep the request with as much of it as `user` may grant. It is answered at once if they allowed its like before, or if
/// they must not be asked.
pub fn consider(
    tx: &mut Tx,
    request: Request,
    user: &User,
    auth_time: Timestamp,
) -> Result<Next, Fault> {
    let issuer = &tx.policy.issuer;
    let catalogue = Catalogue::load(tx)?;
    let offered = match request.offered_to(user, &catalogue) {
        Ok(offered) => offered,
        Err(error) => return Ok(Next::Return(request.back.with_error(&error.into(), issuer))),
    };
    let (client, audience) = (&request.client.id, &request.audience);
    let said_so = Consent::covers(tx, user.id, client, &offered, audience, &catalogue)?;
    // Details are agreed to each time: they name things, and the next request may name others.
    let has_details = request.authorization_details.is_some();
    let covered = said_so && !has_details && !request.prompt.consent && !request.is_pretendable();
    if request.prompt.none && !covered {
        return Ok(Next::Return(
            request.back.with_error(&Error::ConsentRequired, issuer),
        ));
    }
    let stored = AuthorizationRequest::create(
        tx,
        NewRequest {
            client_id: &request.client.id,
            user_id: user.id,
            redirect_uri: &request.back.redirect_uri,
            redirect_uri_sent: request.redirect_uri_sent,
            scope: &offered,
            audience: &request.audience,
            authorization_details: request.authorization_details.as_ref(),
            state: request.back.state.as_deref(),
            code_challenge: &request.code_challenge,
            auth_time,
        },
    )?;
    if !covered {
        let Request { client, .. } = request;
        return Ok(Next::Ask(Box::new(Question {
            request: stored,
            client,
            catalogue,
        })));
    }
    let code = tx.policy.brands.mint(SecretKind::AuthorizationCode);
    stored.allow(tx, &offered, &request.audience, None, code.digest())?;
    Ok(Next::Return(request.back.with_code(code.expose(), issuer)))
}

/// Take `user`'s answer to the request of this id. It counts once, for no more than was asked, and by whom it was asked.
pub fn decide(tx: &mut Tx, id: Id, user: Id, decision: Decision) -> Result<Next, Undecided> {
    let (now, issuer) = (tx.now, &tx.policy.issuer);
    let request = AuthorizationRequest::open_for(tx, id, user, now)?.ok_or(Undecided::Over)?;
    let back = Back {
        redirect_uri: request.redirect_uri.clone(),
        state: request.state.clone(),
    };
    let Decision::Allow {
        scope: ticked,
        authorization_details: objects,
    } = decision
    else {
        request.deny(tx)?;
        return Ok(Next::Return(back.with_error(&Error::AccessDenied, issuer)));
    };
    if !request.scope.covers(&ticked) {
        return Err(Undecided::BeyondRequest);
    }
    let asked = request.authorization_details.as_ref();
    let allowed = AuthorizationDetails::narrowed(asked, &objects);
    let allowed = allowed.map_err(|_| Undecided::BeyondRequest)?;
    let client = Client::find(tx, &request.client_id)?.filter(Client::is_enabled);
    let client = client.ok_or(Undecided::ClientDisabled)?;
    let catalogue = Catalogue::load(tx)?;
    // Their types may have changed while the person read.
    let meant = catalogue.within(&request.audience);
    let left =
        |details: Option<&AuthorizationDetails>| details.and_then(|some| some.left_in(&meant));
    let details = left(allowed.as_ref());
    let details = details.as_ref();
    if ticked.is_empty() && details.is_none() {
        if !request.scope.is_empty() || left(asked).is_some() {
            return Ok(Next::Ask(Box::new(Question {
                request,
                client,
                catalogue,
            })));
        }
        if asked.is_some() {
            request.deny(tx)?;
            let gone = InvalidAuthorizationDetails::Gone.into();
            return Ok(Next::Return(back.with_error(&gone, issuer)));
        }
    }
    let offered = catalogue.audience_of_all(&request.scope, asked);
    let chosen = catalogue.audience_of_all(&ticked, details);
    // A resource server of which nothing was allowed does not get a token.
    let is_meant = |uri: &str| chosen.contains(uri) || !offered.contains(uri);
    let audience = request.audience.only(is_meant);
    let code = tx.policy.brands.mint(SecretKind::AuthorizationCode);
    if !request.allow(tx, &ticked, &audience, details, code.digest())? {
        return Err(Undecided::Over);
    }
    Consent::remember(
        tx, user, &client.id, &ticked, &audience, details, &catalogue,
    )?;
    Ok(Next::Return(back.with_code(code.expose(), issuer)))
}
