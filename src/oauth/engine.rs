//! oxide-auth, and the only file that knows it: its four state machines judge the core grants of RFC 6749 and its
//! PKCE the proof of RFC 7636. A machine says what it needs next and decides; fetching, storing and wording are ours.
//!
//! The machines see a client that has authenticated already, and a redirect URI that was compared by its
//! characters. What they would answer wrongly is settled before they are asked (unknown and spent codes, whose
//! error they call `invalid_request`) or read off here (a failed proof).

use std::borrow::Cow;

use chrono::DateTime;
use oxide_auth::code_grant::accesstoken as code;
use oxide_auth::code_grant::authorization as ask;
use oxide_auth::code_grant::client_credentials as own;
use oxide_auth::code_grant::error::AccessTokenErrorType;
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::code_grant::refresh;
use oxide_auth::primitives::grant::{Extensions, Grant, Value};
use oxide_auth::primitives::issuer::{IssuedToken, RefreshedToken, TokenType};
use oxide_auth::primitives::registrar::{BoundClient, ExactUrl, PreGrant};
use oxide_auth::primitives::scope::Scope as TheirScope;

use super::error::{Error, InvalidGrant, InvalidRequest, InvalidScope};
use super::params::Params;
use crate::db::Fault;
use crate::domain::client::Client;
use crate::domain::words::Scope;

/// What a machine is shown of a request: the form, a proven client, and the redirect URI that is meant.
struct View<'a> {
    form: &'a Params,
    client: &'a str,
    redirect_uri: &'a str,
}

/// Answer a machine's getters from the form.
macro_rules! from_form {
    ($($name:ident)*) => {
        fn valid(&self) -> bool {
            true
        }
        fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
            None
        }
        $(fn $name(&self) -> Option<Cow<'_, str>> {
            self.form.get(stringify!($name)).map(Cow::Borrowed)
        })*
    };
}

impl ask::Request for View<'_> {
    from_form!(scope state response_type);

    fn client_id(&self) -> Option<Cow<'_, str>> {
        Some(self.client.into())
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(self.redirect_uri.into())
    }
}

impl code::Request for View<'_> {
    from_form!(code grant_type);

    fn authorization(&self) -> code::Authorization<'_> {
        code::Authorization::Username(self.client.into())
    }

    // The client is named above; a second name would count as a second credential.
    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        Some(self.redirect_uri.into())
    }
}

impl refresh::Request for View<'_> {
    from_form!(refresh_token scope grant_type);

    // Public clients are named too: this is what binds a refresh token to its client.
    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.client.into(), b"".as_slice().into()))
    }
}

impl own::Request for View<'_> {
    from_form!(scope grant_type);

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.client.into(), b"".as_slice().into()))
    }
}

/// Judge an authorization request (RFC 6749 §4.1.1, RFC 7636 §4.4) for a redirect URI that is the client's. What it
/// gets of the scope it asks for is `negotiate`'s to say.
pub fn authorization<T>(
    form: &Params,
    client: &Client,
    redirect_uri: &str,
    negotiate: impl FnOnce(Option<&str>) -> Result<T, Error>,
) -> Result<T, Error> {
    let view = View {
        form,
        client: &client.id,
        redirect_uri,
    };
    let mut machine = ask::Authorization::new(&view);
    let mut negotiate = Some(negotiate);
    let mut negotiated = None;
    let mut input = ask::Input::None;
    loop {
        input = match machine.advance(input) {
            ask::Output::Bind { client_id, .. } => ask::Input::Bound {
                request: &view,
                bound_client: bound(client_id, redirect_uri)?,
            },
            ask::Output::Extend => {
                challenge(form)?;
                ask::Input::Extended(Extensions::new())
            }
            ask::Output::Negotiate { bound_client, .. } => {
                let negotiate = negotiate.take().ok_or(BROKEN)?;
                negotiated = Some(negotiate(form.get("scope"))?);
                ask::Input::Negotiated {
                    pre_grant: pre_grant(bound_client),
                    state: None,
                }
            }
            ask::Output::Ok { .. } => return negotiated.ok_or(BROKEN.into()),
            ask::Output::Err(_) if form.get("response_type").is_none() => {
                return Err(InvalidRequest::Missing("response_type").into());
            }
            ask::Output::Err(_) if form.get("response_type") != Some("code") => {
                return Err(Error::UnsupportedResponseType);
            }
            ask::Output::Err(_) => return Err(InvalidScope::Malformed.into()),
        };
    }
}

/// Check the challenge of an authorization request: S256 alone, and of its length and letters (RFC 7636 §4.2).
fn challenge(form: &Params) -> Result<(), InvalidRequest> {
    let given = form.get("code_challenge");
    let fits = given.is_some_and(|challenge| {
        let base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        challenge.len() == 43 && challenge.bytes().all(base64url)
    });
    if !fits {
        return Err(InvalidRequest::Challenge);
    }
    let method = form.get("code_challenge_method").map(Cow::Borrowed);
    Pkce::required()
        .challenge(method, given.map(Cow::Borrowed))
        .map(drop)
        .map_err(|_| InvalidRequest::ChallengeMethod)
}

/// What the machine needs to know of a stored authorization request.
pub struct Code<'a> {
    pub client_id: &'a str,
    pub redirect_uri: &'a str,
    pub challenge: &'a str,
}

/// Judge a token request with a code (RFC 6749 §4.1.3, RFC 7636 §4.6), and `issue` if it is good. Whether the code
/// was redeemed or has expired is not asked here.
pub fn authorization_code<T>(
    form: &Params,
    client: &Client,
    code: &Code,
    issue: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    let view = View {
        form,
        client: &client.id,
        redirect_uri: code.redirect_uri,
    };
    let mut machine = code::AccessToken::new(&view);
    let mut issue = Some(issue);
    let mut issued = None;
    let mut input = code::Input::None;
    loop {
        input = match machine.advance(input) {
            code::Output::Authenticate { .. } => code::Input::Authenticated,
            code::Output::Recover { .. } => {
                let redirect_uri = code.redirect_uri.parse().map_err(|_| BROKEN)?;
                let grant = known(code.client_id, no_scope(), redirect_uri);
                code::Input::Recovered(Some(Box::new(grant)))
            }
            code::Output::Extend { .. } => {
                proof(code.challenge, form)?;
                code::Input::Extended {
                    access_extensions: Extensions::new(),
                }
            }
            code::Output::Issue { .. } => {
                issued = Some(issue.take().ok_or(BROKEN)?()?);
                code::Input::Issued(IssuedToken {
                    token: String::new(),
                    refresh: None,
                    until: DateTime::<chrono::Utc>::MAX_UTC,
                    token_type: TokenType::Bearer,
                })
            }
            code::Output::Ok(_) => return issued.ok_or(BROKEN.into()),
            code::Output::Err(_) if form.get("code").is_none() => {
                return Err(InvalidRequest::Missing("code").into());
            }
            code::Output::Err(_) => return Err(InvalidGrant::OtherClient.into()),
        };
    }
}

/// Check the verifier against the stored challenge, in constant time.
fn proof(challenge: &str, form: &Params) -> Result<(), InvalidGrant> {
    let verifier = form.get("code_verifier").ok_or(InvalidGrant::Verifier)?;
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(unreserved) {
        return Err(InvalidGrant::Verifier);
    }
    // oxide-auth keeps a challenge as its text with S for S256 behind it.
    let stored = Value::private(Some(format!("{challenge}S")));
    Pkce::required()
        .verify(Some(stored), Some(verifier.into()))
        .map_err(|_| InvalidGrant::Verifier)
}

/// Judge a refresh (RFC 6749 §6) of a token that was issued to the client `issued_to` with `granted`, and `issue` for the scope that
/// is asked for. Whether the token is spent or has ended is not asked here.
pub fn refresh_token<T>(
    form: &Params,
    client: &Client,
    issued_to: &str,
    granted: &Scope,
    issue: impl FnOnce(Scope) -> Result<T, Error>,
) -> Result<T, Error> {
    let view = View {
        form,
        client: &client.id,
        redirect_uri: "",
    };
    let mut machine = refresh::Refresh::new(&view);
    let mut issue = Some(issue);
    let mut issued = None;
    let mut input = refresh::Input::None;
    loop {
        input = match machine.advance(input) {
            refresh::Output::Unauthenticated { .. } => refresh::Input::Authenticated {
                scope: form.get("scope").map(Cow::Borrowed),
            },
            refresh::Output::RecoverRefresh { .. } => refresh::Input::Recovered {
                scope: form.get("scope").map(Cow::Borrowed),
                grant: Some(Box::new(known(issued_to, theirs(granted)?, nowhere()?))),
            },
            refresh::Output::Refresh { grant, .. } => {
                let asked = Scope::of(grant.scope.iter()).map_err(|_| InvalidScope::Malformed)?;
                issued = Some(issue.take().ok_or(BROKEN)?(asked)?);
                refresh::Input::Refreshed(RefreshedToken {
                    token: String::new(),
                    refresh: None,
                    until: DateTime::<chrono::Utc>::MAX_UTC,
                    token_type: TokenType::Bearer,
                })
            }
            refresh::Output::Ok(_) => return issued.ok_or(BROKEN.into()),
            refresh::Output::Err(mut error) => {
                return Err(match error.description().map(|error| error.kind()) {
                    Some(AccessTokenErrorType::InvalidScope) => InvalidScope::BeyondGrant.into(),
                    Some(AccessTokenErrorType::InvalidGrant) => InvalidGrant::OtherClient.into(),
                    _ => InvalidRequest::Missing("refresh_token").into(),
                });
            }
        };
    }
}

/// Judge a request of a client for itself (RFC 6749 §4.4). What it gets of the scope is `negotiate`'s to say.
pub fn client_credentials<T>(
    form: &Params,
    client: &Client,
    negotiate: impl FnOnce(Option<&str>) -> Result<T, Error>,
) -> Result<T, Error> {
    let view = View {
        form,
        client: &client.id,
        redirect_uri: "",
    };
    let mut machine = own::ClientCredentials::new(&view);
    let mut negotiate = Some(negotiate);
    let mut negotiated = None;
    let mut input = own::Input::None;
    loop {
        input = match machine.advance(input) {
            own::Output::Authenticate { .. } => own::Input::Authenticated,
            own::Output::Binding { client_id } => own::Input::Bound {
                bound_client: bound(client_id.to_owned(), NOWHERE)?,
            },
            own::Output::Extend => own::Input::Extended {
                extensions: Extensions::new(),
            },
            own::Output::Negotiate { bound_client, .. } => {
                let negotiate = negotiate.take().ok_or(BROKEN)?;
                negotiated = Some(negotiate(form.get("scope"))?);
                own::Input::Negotiated {
                    pre_grant: pre_grant(bound_client),
                }
            }
            own::Output::Ok { .. } => return negotiated.ok_or(BROKEN.into()),
            own::Output::Err(_) => return Err(InvalidScope::Malformed.into()),
        };
    }
}

const BROKEN: Fault = Fault::Broken("the grant machine went astray");

/// The machines want a redirect URI even where OAuth has none.
const NOWHERE: &str = "about:blank";

fn nowhere() -> Result<url::Url, Fault> {
    NOWHERE.parse().map_err(|_| BROKEN)
}

fn no_scope() -> TheirScope {
    "".parse().expect("no words are a scope")
}

fn theirs(scope: &Scope) -> Result<TheirScope, Fault> {
    scope.as_str().parse().map_err(|_| BROKEN)
}

fn bound(client_id: String, redirect_uri: &str) -> Result<BoundClient<'static>, Fault> {
    let url = ExactUrl::new(redirect_uri.to_owned()).map_err(|_| BROKEN)?;
    Ok(BoundClient {
        client_id: Cow::Owned(client_id),
        redirect_uri: Cow::Owned(url.into()),
    })
}

/// What the machine is told of a negotiation whose outcome we keep ourselves.
fn pre_grant(bound: &BoundClient<'static>) -> PreGrant {
    PreGrant {
        client_id: bound.client_id.clone().into_owned(),
        redirect_uri: bound.redirect_uri.clone().into_owned(),
        scope: no_scope(),
    }
}

/// A grant the machine can compare with. Its end is ours to judge, by our clock.
fn known(client_id: &str, scope: TheirScope, redirect_uri: url::Url) -> Grant {
    Grant {
        owner_id: String::new(),
        client_id: client_id.to_owned(),
        scope,
        redirect_uri,
        until: DateTime::<chrono::Utc>::MAX_UTC,
        extensions: Extensions::new(),
    }
}
