//! "May this app …?"

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::{DetailsChoice, Error, Frame, Leads, ScopeChoice, page, plain, see_other};
use crate::domain::authorization_request::AuthorizationRequest;
use crate::domain::id::Id;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::{Catalogue, Resource};
use crate::domain::words::Scope;
use crate::oauth::Params;
use crate::oauth::authorization::{self, Decision, Next, Question, Undecided};
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
    username: String,
}

struct ConsentResource {
    name: String,
    uri: String,
    scopes: Vec<ScopeChoice>,
    details: Vec<DetailsChoice>,
}

/// All that the form sends. Anything else in it was put there by somebody else.
const FIELDS: [&str; 5] = ["csrf", "request", "scope", DetailsChoice::FIELD, "decision"];

const NOTHING_TICKED: &str = "Tick at least one thing that the app may do, or deny it.";

/// The question.
pub fn page_for(
    person: &SignedIn,
    question: &Question,
    error: Option<&str>,
) -> Result<HttpResponse, Error> {
    let Question {
        request,
        client,
        catalogue,
    } = question;
    let redirect = RedirectUri::registered(&request.redirect_uri);
    let view = Consent {
        frame: Frame::of(person, ""),
        request: request.id.to_string(),
        client_name: plain(&client.name),
        redirect_host: redirect.host(),
        local_app: client.is_public() && redirect.is_local(),
        resources: resources(request, catalogue),
        error: error.map(str::to_owned),
        username: person.user.username.clone(),
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

/// What is asked, a box for each scope and each object. A token has a scope at each of its resources that defines it (RFC 8707 §2), so a
/// scope that several define stands once, under all of their names.
fn resources(request: &AuthorizationRequest, catalogue: &Catalogue) -> Vec<ConsentResource> {
    let meant = catalogue.within(&request.audience);
    let mut shown: Vec<ConsentResource> = vec![];
    for (resource, _) in meant.iter() {
        if meant.scope_at(&resource.uri, &request.scope).is_empty() {
            shown.push(ConsentResource::of(&[resource]));
        }
    }
    for word in request.scope.iter() {
        let defining: Vec<&Resource> = meant
            .iter()
            .filter(|(_, definitions)| definitions.iter().any(|each| each.name == word))
            .map(|(resource, _)| resource)
            .collect();
        let place = place_of(&mut shown, ConsentResource::of(&defining));
        place.scopes.push(ScopeChoice {
            value: word.to_owned(),
            name: word.to_owned(),
            sentence: meant.sentence(word).unwrap_or(word).to_owned(),
            reserved: meant.reserves(word),
            ticked: true,
            disabled: None,
        });
    }
    for (resource, _) in meant.iter() {
        let theirs = meant.within(&[resource.uri.as_str()].into_iter().collect());
        let mut details = DetailsChoice::all(request.authorization_details.as_ref(), &theirs);
        details.retain(|choice| choice.said.is_some());
        if !details.is_empty() {
            place_of(&mut shown, ConsentResource::of(&[resource])).details = details;
        }
    }
    shown
}

/// The place that is shown already, or this as a new one.
fn place_of(shown: &mut Vec<ConsentResource>, place: ConsentResource) -> &mut ConsentResource {
    let at = shown.iter().position(|each| each.uri == place.uri);
    let at = at.unwrap_or_else(|| {
        shown.push(place);
        shown.len() - 1
    });
    &mut shown[at]
}

impl ConsentResource {
    fn of(resources: &[&Resource]) -> Self {
        let join = |parts: Vec<String>, joint: &str| parts.join(joint);
        Self {
            name: join(
                resources
                    .iter()
                    .map(|resource| plain(&resource.name))
                    .collect(),
                " and ",
            ),
            uri: join(
                resources
                    .iter()
                    .map(|resource| resource.uri.clone())
                    .collect(),
                ", ",
            ),
            scopes: vec![],
            details: vec![],
        }
    }
}

/// The answer. The app is sent its code, or is told no.
pub async fn post(posted: Posted<SignedIn>) -> Result<HttpResponse, Error> {
    let Posted { by: person, form } = posted;
    if form.names().any(|name| !FIELDS.contains(&name)) {
        return Err(Error::Tampered(
            "This form has fields that we did not put there.",
        ));
    }
    let decision = match form.get("decision") {
        Some("allow") => allowed(&form)?,
        Some("deny") => Decision::Deny,
        _ => return Err(Error::Tampered("This form does not say yes or no.")),
    };
    let id: Option<Id> = form.get("request").and_then(|id| id.parse().ok());
    let id = id.ok_or(Error::Tampered(
        "This form does not say which request it answers.",
    ))?;
    let user = person.user.id;
    let decided = person
        .write(move |tx| authorization::decide(tx, id, user, decision))
        .await?;
    match decided {
        Ok(Next::Return(url)) => Ok(see_other(&url)),
        Ok(Next::Ask(question)) => page_for(&person, &question, Some(NOTHING_TICKED)),
        Err(Undecided::Fault(fault)) => Err(fault.into()),
        Err(Undecided::BeyondRequest) => {
            Err(Error::Tampered("This form asks for more than the app did."))
        }
        Err(over) => Err(Error::Over(over.to_string())),
    }
}

fn allowed(form: &Params) -> Result<Decision, Error> {
    match (Scope::of(form.all("scope")), DetailsChoice::ticked(form)) {
        (Ok(scope), Ok(authorization_details)) => Ok(Decision::Allow {
            scope,
            authorization_details,
        }),
        _ => Err(Error::Tampered(
            "This form has a permission that can't be read.",
        )),
    }
}
