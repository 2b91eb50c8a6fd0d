//! A new token: the form for it.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::details::{self, FIELD, PickType};
use super::expiry::{Expiry, exactly, expiries, notes, value_of};
use super::wish::{Wish, value};
use super::{at_field, created};
use crate::clock::{Timestamp, parse_duration};
use crate::db::Fault;
use crate::domain::grant::Via;
use crate::domain::personal_token::{NewPersonalToken, PersonalToken, Problem, days, grantable};
use crate::domain::policy::PersonalTokenPolicy;
use crate::domain::resource::Catalogue;
use crate::web::doors::{Posted, Recent, SignedIn};
use crate::web::errors;
use crate::web::form::Query;
use crate::web::pages::{Error, Errors, Frame, Leads, ScopeChoice, page, plain};
use crate::web::whose::{Meant, Whose};

#[derive(Template)]
#[template(path = "tokens/new.html")]
struct NewToken<'a> {
    frame: Frame,
    whose: &'a Whose,
    /// Fields: name, description, scope, expires, networks, idle, not_before, reason, form.
    errors: Errors,
    name: String,
    description: String,
    resources: Vec<PickResource>,
    expiries: Vec<Expiry>,
    /// The custom end, as `datetime-local` writes it, in UTC.
    custom: String,
    networks: String,
    idles: Vec<Idle>,
    not_before: String,
    /// Whether any of these three is filled in or wrong.
    limited: bool,
    /// A link chose the values that are shown.
    prefilled: bool,
    /// "Tokens live at most 180 days here (set by your administrator).", …
    policy_notes: Vec<String>,
    /// Whether an administrator has to approve it, and what they are to be told.
    needs_approval: bool,
    reason: String,
}

/// How long it may lie unused.
struct Idle {
    /// "60d", or empty for ever
    value: String,
    label: String,
    selected: bool,
}

struct PickResource {
    name: String,
    /// Our own management API.
    is_ours: bool,
    uri: String,
    scopes: Vec<ScopeChoice>,
    types: Vec<PickType>,
}

/// The form, filled in by a link if there is one.
pub async fn get(
    Recent(person): Recent,
    meant: web::Path<Meant>,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let whose = Whose::of(&person, &meant).await?;
    let house = house(&person).await?;
    let wish = Wish::linked(&query, &house.catalogue);
    let prefilled = query.names().next().is_some();
    form(
        &person,
        StatusCode::OK,
        &whose,
        &house,
        wish,
        Errors::default(),
        prefilled,
    )
}

/// Make the token. Its secret is in this one answer: it is not redirected away from, because nothing that could bring
/// it back is kept.
pub async fn post(
    posted: Posted<SignedIn>,
    meant: web::Path<Meant>,
) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let wish = Wish::posted(&sent);
    let whose = Whose::of(&person, &meant).await?;
    person.recently(|| wish.as_link(&whose.home))?;
    let house = house(&person).await?;
    let new = match asked(&wish, &house.catalogue, person.app.now()) {
        Ok(new) => new,
        Err(errors) => {
            return form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &whose,
                &house,
                wish,
                errors,
                false,
            );
        }
    };
    let owner = whose.owner.clone();
    let made = whose
        .write(&person, move |tx| {
            PersonalToken::create(tx, &owner, new, Via::Page)
        })
        .await?;
    match made {
        Ok((token, secret)) => created::page_for(&person, &whose, &token, &secret),
        Err(problem) => {
            let errors = at_field(problem, "expires")?;
            form(
                &person,
                StatusCode::UNPROCESSABLE_ENTITY,
                &whose,
                &house,
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
    if wish.ticked.is_empty() && wish.detail(FIELD).next().is_none() {
        errors.add("scope", Problem::NoScope.to_string());
    }
    let details = details::asked(wish, catalogue, &mut errors);
    let of_details = details.as_ref().map(|details| details.audience(catalogue));
    let rights = wish
        .rights(of_details.unwrap_or_default(), catalogue)
        .map_err(|message| errors.add("scope", message))
        .ok();
    let end = wish
        .end(now)
        .map_err(|message| errors.add("expires", message))
        .ok();
    let limits = wish
        .limits()
        .map_err(|(field, message)| errors.add(field, message))
        .ok();
    match (rights, end, limits) {
        (Some((scope, audience)), Some(end), Some(limits)) if errors.is_empty() => {
            Ok(NewPersonalToken {
                name: wish.name.clone(),
                description: wish.description.clone(),
                scope,
                audience,
                authorization_details: details,
                end,
                limits,
                reason: wish.reason.clone(),
            })
        }
        _ => Err(errors),
    }
}

/// What can be had here, and by which rules.
struct House {
    catalogue: Catalogue,
    policy: PersonalTokenPolicy,
}

async fn house(person: &SignedIn) -> Result<House, Error> {
    let read = person.app.read(|rx| {
        Ok::<_, Fault>(House {
            catalogue: Catalogue::load(rx)?,
            policy: rx.token_policy()?,
        })
    });
    Ok(read.await?)
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    whose: &Whose,
    house: &House,
    wish: Wish,
    errors: Errors,
    prefilled: bool,
) -> Result<HttpResponse, Error> {
    let policy = &house.policy;
    let fields = ["networks", "idle", "not_before"];
    let view = NewToken {
        frame: Frame::of(person, whose.here),
        whose,
        limited: !(wish.networks.is_empty() && wish.idle.is_empty() && wish.not_before.is_empty())
            || fields.iter().any(|field| errors.on(field).is_some()),
        errors,
        idles: idles(&wish.idle),
        resources: resources(whose.owner.is_admin, &house.catalogue, &wish),
        expiries: expiries(policy, &wish.expires, person.app.now()),
        name: wish.name,
        description: wish.description,
        custom: wish.custom,
        networks: wish.networks,
        not_before: wish.not_before,
        prefilled,
        policy_notes: notes(policy),
        needs_approval: policy.holds_back(Some(&person.user), &person.caller.actor),
        reason: wish.reason,
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}

/// The choices, of which `chosen` is selected.
fn idles(chosen: &str) -> Vec<Idle> {
    let lives = [30, 60, 90, 180, 365].map(days);
    let lives: BTreeSet<_> = lives.into_iter().chain(parse_duration(chosen)).collect();
    let choice = |value: String, label: String| Idle {
        selected: value == chosen,
        value,
        label,
    };
    let never = choice(String::new(), "However long".to_owned());
    let others = lives
        .into_iter()
        .map(|life| choice(value_of(life), exactly(life)));
    std::iter::once(never).chain(others).collect()
}

fn resources(is_admin: bool, catalogue: &Catalogue, wish: &Wish) -> Vec<PickResource> {
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
        let types = PickType::of(&resource.uri, catalogue, wish);
        if scopes.is_empty() && types.is_empty() {
            continue;
        }
        shown.push(PickResource {
            name: plain(&resource.name),
            uri: resource.uri.clone(),
            is_ours: resource.is_ours(),
            scopes,
            types,
        });
    }
    // What everybody came for stands first.
    shown.sort_by_key(|shown| shown.is_ours);
    shown
}
