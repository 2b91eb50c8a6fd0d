//! "May this app …?"

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{Error, Frame, Leads, ScopeChoice, page, plain, see_other};
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::client::Client;
use crate::domain::consent::Consent as Allowed;
use crate::domain::id::Id;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Catalogue;
use crate::domain::secret::SecretKind;
use crate::domain::words::Scope;
use crate::oauth::authorization::{Back, allowed_audience};
use crate::oauth::{Error as Refusal, Params};
use crate::web::doors::{Posted, SignedIn};
use crate::web::errors;

#[derive(Template)]
#[template(path = "consent.html")]
struct Consent {
    frame: Frame,
    /// Names the waiting request; its parameters stay on the server.
    request: String,
    client_name: String,
    redirect_host: String,
    /// The answer goes to this computer or to an app's own scheme, which any program here could receive.
    local_app: bool,
    resources: Vec<ConsentResource>,
    error: Option<String>,
    /// The account that would give access.
    leave_user: String,
}

struct ConsentResource {
    name: String,
    uri: String,
    scopes: Vec<ScopeChoice>,
}

/// All that the form sends. Anything else in it was put there by somebody else.
const FIELDS: [&str; 4] = ["csrf", "request", "scope", "decision"];

const NOTHING_TICKED: &str = "Tick at least one thing that the app may do, or deny it.";

/// What came of an answer.
enum Decided {
    Sent(String),
    NothingTicked(Box<AuthorizationRequest>, Box<Client>, Catalogue),
}

/// The question.
pub fn page_for(
    person: &SignedIn,
    client: &Client,
    request: &AuthorizationRequest,
    catalogue: &Catalogue,
    error: Option<&str>,
) -> Result<HttpResponse, Error> {
    let redirect = RedirectUri::registered(&request.redirect_uri);
    let meant = catalogue.within(&request.audience);
    let resources = meant.iter().map(|(resource, definitions)| ConsentResource {
        name: plain(&resource.name),
        uri: resource.uri.clone(),
        scopes: definitions
            .iter()
            .filter(|definition| request.scope.contains(&definition.name))
            .map(|definition| ScopeChoice {
                value: definition.name.clone(),
                name: definition.name.clone(),
                sentence: definition.description.clone(),
                admin: definition.reserved,
                ticked: true,
                disabled: None,
            })
            .collect(),
    });
    let view = Consent {
        frame: Frame::of(person, ""),
        request: request.id.to_string(),
        client_name: plain(&client.name),
        redirect_host: redirect.host(),
        local_app: client.is_public() && redirect.is_local(),
        resources: resources.collect(),
        error: error.map(str::to_owned),
        leave_user: person.person.user.username.clone(),
    };
    let status = if error.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    page(
        errors::answer(status),
        &person.browser,
        Leads::ToAnApp,
        &view,
    )
}

/// The answer. The app is sent its code, or is told no.
pub async fn post(posted: Posted<SignedIn>) -> Result<HttpResponse, Error> {
    let Posted { by: person, form } = posted;
    if form.names().any(|name| !FIELDS.contains(&name)) {
        return Err(Error::Tampered(
            "This form has fields that we did not put there.",
        ));
    }
    let allowed = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(Error::Tampered("This form does not say yes or no.")),
    };
    let id: Option<Id> = form.get("request").and_then(|id| id.parse().ok());
    let id = id.ok_or(Error::Tampered(
        "This form does not say which request it answers.",
    ))?;
    let ticked = ticked(&form)?;
    let (user, issuer) = (person.person.user.id, person.app.issuer().to_owned());
    let decided = person
        .app
        .write(person.caller.clone(), move |tx| {
            let now = tx.now;
            let request = AuthorizationRequest::open_for(tx, id, user, now)?;
            let request = request.ok_or(Error::Tampered(
                "This request was answered before, or it waited too long. Begin again from the app.",
            ))?;
            if !request.scope.covers(&ticked) {
                return Err(Error::Tampered("This form asks for more than the app did."));
            }
            let back = Back {
                redirect_uri: request.redirect_uri.clone(),
                state: request.state.clone(),
            };
            if !allowed {
                request.deny(tx)?;
                return Ok(Decided::Sent(back.with_error(&Refusal::AccessDenied, &issuer)));
            }
            let client = Client::find(tx, &request.client_id)?.filter(Client::is_enabled);
            let client = client.ok_or(Error::Tampered("The app was switched off meanwhile."))?;
            let catalogue = Catalogue::load(tx)?;
            if ticked.is_empty() && !request.scope.is_empty() {
                return Ok(Decided::NothingTicked(Box::new(request), Box::new(client), catalogue));
            }
            let audience = allowed_audience(&request.audience, &request.scope, &ticked, &catalogue);
            let code = tx.policy.brands.mint(SecretKind::AuthorizationCode);
            if !request.allow(tx, &ticked, &audience, code.digest())? {
                return Err(Error::Tampered("This request was answered before."));
            }
            Allowed::remember(tx, user, &client.id, &ticked, &audience)?;
            Ok(Decided::Sent(back.with_code(code.expose(), &issuer)))
        })
        .await?;
    match decided {
        Decided::Sent(url) => Ok(see_other(&url)),
        Decided::NothingTicked(request, client, catalogue) => {
            page_for(&person, &client, &request, &catalogue, Some(NOTHING_TICKED))
        }
    }
}

fn ticked(form: &Params) -> Result<Scope, Error> {
    Scope::of(form.all("scope"))
        .map_err(|_| Error::Tampered("This form has a permission that can't be read."))
}
