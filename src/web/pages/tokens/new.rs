//! A new token: the form for it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::expiry::{Expiry, exactly, expiries};
use super::wish::{Wish, value};
use super::{at_field, created};
use crate::clock::Timestamp;
use crate::domain::grant::Via;
use crate::domain::personal_token::{NewPersonalToken, PersonalToken, Problem, grantable};
use crate::domain::resource::Catalogue;
use crate::web::doors::{Posted, Recent, SignedIn};
use crate::web::errors;
use crate::web::form::Query;
use crate::web::pages::{Error, Errors, Frame, Leads, ScopeChoice, page, plain};

#[derive(Template)]
#[template(path = "tokens/new.html")]
struct NewToken {
    frame: Frame,
    /// Fields: name, description, scope, expires, form.
    errors: Errors,
    name: String,
    description: String,
    resources: Vec<PickResource>,
    expiries: Vec<Expiry>,
    /// The custom end, as `datetime-local` writes it, in UTC.
    custom: String,
    /// A link chose the values that are shown.
    prefilled: bool,
    /// "Tokens live at most 180 days here (set by your administrator)."
    policy_note: Option<String>,
}

struct PickResource {
    name: String,
    uri: String,
    scopes: Vec<ScopeChoice>,
}

/// The form, filled in by a link if there is one.
pub async fn get(Recent(person): Recent, Query(query): Query) -> Result<HttpResponse, Error> {
    let catalogue = catalogue(&person).await?;
    let wish = Wish::linked(&query, &catalogue);
    let prefilled = query.names().next().is_some();
    form(
        &person,
        StatusCode::OK,
        &catalogue,
        wish,
        Errors::default(),
        prefilled,
    )
}

/// Make the token. Its secret is in this one answer: it is not redirected away from, because nothing that could bring
/// it back is kept.
pub async fn post(posted: Posted<SignedIn>) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let wish = Wish::posted(&sent);
    person.recently(|| wish.as_link())?;
    let catalogue = catalogue(&person).await?;
    let new = match asked(&wish, &catalogue, person.app.now()) {
        Ok(new) => new,
        Err(errors) => {
            return form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &catalogue,
                wish,
                errors,
                false,
            );
        }
    };
    let owner = person.user.clone();
    let made = person
        .write(move |tx| PersonalToken::create(tx, &owner, new, Via::Page))
        .await?;
    match made {
        Ok((token, secret)) => created::page_for(&person, &token, &secret),
        Err(problem) => {
            let errors = at_field(problem, "expires")?;
            form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &catalogue,
                wish,
                errors,
                false,
            )
        }
    }
}

fn asked(wish: &Wish, catalogue: &Catalogue, now: Timestamp) -> Result<NewPersonalToken, Errors> {
    let mut errors = Errors::default();
    // What is simply missing is said together with the rest, not one thing at a time.
    if wish.name.trim().is_empty() {
        errors.add("name", Problem::Name.to_string());
    }
    if wish.ticked.is_empty() {
        errors.add("scope", Problem::NoScope.to_string());
    }
    let rights = wish
        .rights(catalogue)
        .map_err(|message| errors.add("scope", message))
        .ok();
    let end = wish
        .end(now)
        .map_err(|message| errors.add("expires", message))
        .ok();
    match (rights, end) {
        (Some((scope, audience)), Some(end)) if errors.is_empty() => Ok(NewPersonalToken {
            name: wish.name.clone(),
            description: wish.description.clone(),
            scope,
            audience,
            end,
        }),
        _ => Err(errors),
    }
}

async fn catalogue(person: &SignedIn) -> Result<Catalogue, Error> {
    person
        .app
        .query(|rx| Catalogue::load(rx))
        .await
        .map_err(Error::from)
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    catalogue: &Catalogue,
    wish: Wish,
    errors: Errors,
    prefilled: bool,
) -> Result<HttpResponse, Error> {
    let policy = &person.app.policy().personal;
    let max = policy.max_life.map(exactly);
    let view = NewToken {
        frame: Frame::of(person, "tokens"),
        errors,
        resources: resources(person, catalogue, &wish),
        expiries: expiries(policy, &wish.expires, person.app.now()),
        name: wish.name,
        description: wish.description,
        custom: wish.custom,
        prefilled,
        policy_note: max
            .map(|max| format!("Tokens live at most {max} here (set by your administrator).")),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}

fn resources(person: &SignedIn, catalogue: &Catalogue, wish: &Wish) -> Vec<PickResource> {
    let is_admin = person.user.is_admin;
    let mut shown = vec![];
    for (resource, definitions) in catalogue.iter() {
        let choices = definitions.iter().filter_map(|definition| {
            let value = value(&resource.uri, &definition.name);
            let refused =
                grantable(is_admin, resource, &definition.name, definition.reserved).err();
            // Managing tokens means nothing to who may not manage.
            let meant = refused.is_none() || is_admin || !resource.is_ours();
            meant.then(|| ScopeChoice {
                ticked: wish.ticked.contains(&value) && refused.is_none(),
                value,
                name: definition.name.clone(),
                sentence: definition.description.clone(),
                reserved: definition.reserved,
                disabled: refused.map(str::to_owned),
            })
        });
        let scopes: Vec<ScopeChoice> = choices.collect();
        if scopes.is_empty() {
            continue;
        }
        shown.push(PickResource {
            name: plain(&resource.name),
            uri: resource.uri.clone(),
            scopes,
        });
    }
    shown
}
