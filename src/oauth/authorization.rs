//! Requests to be let in: what is checked before a person is asked (RFC 6749 §4.1.1, RFC 7636, RFC 8707, RFC 9207).

mod decision;

use url::form_urlencoded;

pub use decision::{Decision, Next, Question, Undecided, consider, decide};

use super::authorization_details;
use super::engine;
use super::error::{Error, InvalidRequest, InvalidScope};
use super::params::Params;
use super::resource_indicators::{negotiate, requested};
use crate::db::{Conn, Fault};
use crate::domain::authorization_details::AuthorizationDetails;
use crate::domain::client::{Client, GrantType};
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Catalogue;
use crate::domain::user::User;
use crate::domain::words::{Audience, Scope};

/// How the person is to be asked (`prompt`). Without a word it is as the server sees fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prompt {
    /// Not at all: answer at once, or with an error.
    pub none: bool,
    /// For their password, even if they are signed in.
    pub login: bool,
    /// For consent, even if they gave it before.
    pub consent: bool,
}

/// A request that has been checked and may be put to a person.
#[derive(Debug, Clone)]
pub struct Request {
    pub client: Client,
    pub back: Back,
    pub redirect_uri_sent: bool,
    pub scope: Scope,
    pub audience: Audience,
    pub authorization_details: Option<AuthorizationDetails>,
    pub code_challenge: String,
    pub prompt: Prompt,
}

/// The way back to the app: where to, and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Back {
    pub redirect_uri: String,
    pub state: Option<String>,
}

/// Why a request is not put to a person.
#[derive(Debug)]
pub enum Rejected {
    /// There is no app it could be sent back to: the person is told (RFC 6749 §4.1.2.1).
    Page(NoWayBack),
    /// The app is told.
    Redirect(Back, Error),
    Fault(Fault),
}

/// What is wrong with a request that can't be sent back.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NoWayBack {
    #[error("The link is damaged: it does not say which app it is for.")]
    NoClient,
    #[error("The app that sent you here is not registered with this server.")]
    UnknownClient,
    #[error("The app that sent you here did not say where to send you back to.")]
    NoRedirectUri,
    #[error("The address the app wants you sent back to is not one it has registered.")]
    OtherRedirectUri,
    #[error("The link is damaged: it can't be read.")]
    Unreadable,
}

impl From<Fault> for Rejected {
    fn from(fault: Fault) -> Self {
        Rejected::Fault(fault)
    }
}

impl From<diesel::result::Error> for Rejected {
    fn from(error: diesel::result::Error) -> Self {
        Rejected::Fault(error.into())
    }
}

/// Check the query of an authorization request.
pub fn check(conn: &mut Conn, query: &[u8]) -> Result<Request, Rejected> {
    let params = Params::decode(query).map_err(|_| Rejected::Page(NoWayBack::Unreadable))?;
    let client = client(conn, &params)?;
    let (redirect_uri, redirect_uri_sent) = redirect_uri(&client, &params)?;
    let back = Back {
        redirect_uri,
        state: params
            .get("state")
            .filter(|_| params.count("state") == 1)
            .map(str::to_owned),
    };
    let catalogue = Catalogue::load(conn)?;
    match judge(&params, &client, &back, &catalogue) {
        Ok((prompt, asked)) => Ok(Request {
            code_challenge: params.get("code_challenge").unwrap_or_default().to_owned(),
            client,
            back,
            redirect_uri_sent,
            scope: asked.scope,
            audience: asked.audience,
            authorization_details: asked.details,
            prompt,
        }),
        Err(error) => Err(Rejected::Redirect(back, error)),
    }
}

fn client(conn: &mut Conn, params: &Params) -> Result<Client, Rejected> {
    let id = params
        .get("client_id")
        .filter(|_| params.count("client_id") == 1);
    let id = id.ok_or(Rejected::Page(NoWayBack::NoClient))?;
    let client = Client::find(conn, id)?.filter(Client::is_enabled);
    client.ok_or(Rejected::Page(NoWayBack::UnknownClient))
}

/// Where to send the person back: what was sent, if the client has registered it, else the client's only URI.
fn redirect_uri(client: &Client, params: &Params) -> Result<(String, bool), Rejected> {
    match (params.get("redirect_uri"), params.count("redirect_uri")) {
        (Some(sent), 1) if client.allows_redirect(sent) => Ok((sent.to_owned(), true)),
        (Some(_), _) => Err(Rejected::Page(NoWayBack::OtherRedirectUri)),
        (None, _) => {
            let mut registered = client.redirect_uris();
            match (registered.next(), registered.next()) {
                (Some(only), None) => Ok((only.as_str().to_owned(), false)),
                _ => Err(Rejected::Page(NoWayBack::NoRedirectUri)),
            }
        }
    }
}

/// What an app may be given, of what it asks for.
struct Asked {
    scope: Scope,
    audience: Audience,
    details: Option<AuthorizationDetails>,
}

fn judge(
    params: &Params,
    client: &Client,
    back: &Back,
    catalogue: &Catalogue,
) -> Result<(Prompt, Asked), Error> {
    if let Some(name) = params.repeated() {
        return Err(InvalidRequest::Repeated(name.to_owned()).into());
    }
    if params.get("request").is_some() {
        return Err(Error::RequestNotSupported);
    }
    if params.get("request_uri").is_some() {
        return Err(Error::RequestUriNotSupported);
    }
    if params
        .get("response_mode")
        .is_some_and(|mode| mode != "query")
    {
        return Err(InvalidRequest::NotUnderstood("response_mode").into());
    }
    if !client.may_use(GrantType::AuthorizationCode) {
        return Err(Error::UnauthorizedClient(
            GrantType::AuthorizationCode.as_str().to_owned(),
        ));
    }
    let prompt = prompt(params)?;
    let asked = engine::authorization(params, client, &back.redirect_uri, |scope| {
        let details = authorization_details::requested(params, client, catalogue)?;
        // Who asks for details alone asks for no scope, not for all there is.
        let scope = scope.or(details.as_ref().map(|_| ""));
        let named = requested(params, catalogue)?;
        let (scope, audience) = negotiate(client, scope, &named, catalogue)?;
        let audience =
            authorization_details::audience(audience, &named, details.as_ref(), catalogue)?;
        Ok(Asked {
            scope,
            audience,
            details,
        })
    })?;
    Ok((prompt, asked))
}

fn prompt(params: &Params) -> Result<Prompt, InvalidRequest> {
    let asked = |word| {
        params
            .get("prompt")
            .unwrap_or_default()
            .split(' ')
            .any(|each| each == word)
    };
    let prompt = Prompt {
        none: asked("none"),
        login: asked("login"),
        consent: asked("consent"),
    };
    if prompt.none && params.get("prompt") != Some("none") {
        return Err(InvalidRequest::PromptNoneAndMore);
    }
    Ok(prompt)
}

impl Request {
    /// What `user` can be asked to allow: scopes kept for administrators are not theirs to give. Details are, without any scope.
    pub fn offered_to(&self, user: &User, catalogue: &Catalogue) -> Result<Scope, InvalidScope> {
        let meant = catalogue.within(&self.audience);
        let offered = self
            .scope
            .only(|word| user.is_admin || !meant.reserves(word));
        let is_nothing = offered.is_empty() && self.authorization_details.is_none();
        match self.scope.iter().find(|_| is_nothing) {
            Some(word) => Err(InvalidScope::NotGrantable(word.to_owned())),
            None => Ok(offered),
        }
    }

    /// Whether the app could be pretended to be by anyone on the person's device: a public client at a loopback address or
    /// an app's own scheme (RFC 8252 §8.6). What was said to one such is not remembered for the next.
    fn is_pretendable(&self) -> bool {
        let redirect = RedirectUri::registered(&self.back.redirect_uri);
        self.client.is_public() && redirect.is_local()
    }
}

impl Back {
    /// The URL that brings the app its code.
    pub fn with_code(&self, code: &str, issuer: &str) -> String {
        self.with(&[("code", code)], issuer)
    }

    /// The URL that tells the app why not.
    pub fn with_error(&self, error: &Error, issuer: &str) -> String {
        self.with(
            &[
                ("error", error.code()),
                ("error_description", &error.description()),
            ],
            issuer,
        )
    }

    /// The redirect URI as it is, with an answer in its query; `state` comes back as it came, and `iss` says who
    /// answers (RFC 9207 §2).
    fn with(&self, answer: &[(&str, &str)], issuer: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
        let joint = if self.redirect_uri.contains('?') {
            '&'
        } else {
            '?'
        };
        format!("{}{joint}{}", self.redirect_uri, query.finish())
    }
}
