//! The rules for personal access tokens, which are decided after a look at what they would break.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::rules_form::{Wish, at_field};
use super::{Error, Errors, Frame, Leads, page, plain, see_other, with_query};
use crate::db::{Conn, Fault};
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::domain::policy::Creators;
use crate::domain::token_policy::{Breach, Decision, Unfit};
use crate::domain::tx::Rx;
use crate::domain::user::User;
use crate::web::doors::{Administrator, Posted, SignedIn};
use crate::web::form::Query;
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "admin/policy.html")]
struct Rules {
    frame: Frame,
    /// Fields: max_life, default_life, per_user, users, scope_0, life_0, scope_1, …, form.
    errors: Errors,
    wish: Wish,
}

#[derive(Template)]
#[template(path = "admin/policy_preview.html")]
struct Preview {
    frame: Frame,
    wish: Wish,
    /// How many live tokens break the rules.
    count: usize,
    /// Some of them.
    rows: Vec<Breaking>,
}

/// A live token that breaks the rules.
struct Breaking {
    name: String,
    owner: String,
    hint: String,
    /// "never ends"
    what: &'static str,
}

/// Tokens that are shown.
const SHOWN: usize = 20;

/// The rules in force, in a form; or what a link filled in.
pub async fn get(
    Administrator(person): Administrator,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let wish = match query.get("creators").is_some() {
        true => Wish::sent(&query),
        false => person.app.read(in_force).await?,
    };
    let notice = query
        .get("done")
        .map(|_| "The rules are in force, for tokens that are made from now on.");
    form(&person, StatusCode::OK, wish, Errors::default(), notice)
}

/// Show what the rules would break, or decide them.
pub async fn post(posted: Posted<Administrator>) -> Result<HttpResponse, Error> {
    let (Administrator(person), sent) = (posted.by, posted.form);
    let wish = Wish::sent(&sent);
    let act = sent.get("act").unwrap_or_default();
    if act == "edit" {
        return form(&person, StatusCode::OK, wish, Errors::default(), None);
    }
    person.recently(|| wish.as_link(routes::ADMIN_POLICY))?;
    let decision = match wish.decision() {
        Ok(decision) => decision,
        Err(errors) => return refused(&person, wish, errors),
    };
    if act != "decide" {
        let found = person.app.read(move |rx| {
            let (count, some) = decision.preview(rx)?;
            Ok::<_, Unfit>((count, breaking(rx, some)?))
        });
        return match found.await {
            Ok((count, rows)) => preview(&person, wish, count, rows),
            Err(unfit) => unfitting(&person, wish, unfit),
        };
    }
    match person.write(move |tx| decision.decide(tx)).await? {
        Ok(_) => Ok(see_other(&with_query(
            routes::ADMIN_POLICY,
            &[("done", "yes")],
        ))),
        Err(unfit) => unfitting(&person, wish, unfit),
    }
}

/// The rules as they are, in which people have their names.
fn in_force(rx: &mut Rx) -> Result<Wish, Fault> {
    let decision = Decision::of(&rx.token_policy()?);
    let mut names = HashMap::new();
    if let Creators::Users(ids) = &decision.creators {
        let ids: Vec<Id> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let found = User::names(rx, &ids)?.into_iter();
        names.extend(found.map(|(id, name)| (id.to_string(), name)));
    }
    Ok(Wish::of(&decision, &names))
}

/// The first of these, and whose they are.
fn breaking(conn: &mut Conn, some: Vec<(PersonalToken, Breach)>) -> Result<Vec<Breaking>, Fault> {
    let some: Vec<_> = some.into_iter().take(SHOWN).collect();
    let owners: Vec<Id> = some
        .iter()
        .filter_map(|(token, _)| token.grant.user_id)
        .collect();
    let names: HashMap<Id, String> = User::names(conn, &owners)?.into_iter().collect();
    let row = |(token, breach): (PersonalToken, Breach)| Breaking {
        name: plain(token.name()),
        owner: token
            .grant
            .user_id
            .and_then(|id| names.get(&id).cloned())
            .unwrap_or_default(),
        hint: token.token.hint.clone(),
        what: match breach {
            Breach::NeverExpires => "never ends",
            Breach::LivesTooLong => "was given a longer life",
            Breach::NoNetworks => "can be used from anywhere",
        },
    };
    Ok(some.into_iter().map(row).collect())
}

fn preview(
    person: &SignedIn,
    wish: Wish,
    count: usize,
    rows: Vec<Breaking>,
) -> Result<HttpResponse, Error> {
    let view = Preview {
        frame: Frame::of(person, "policy"),
        wish,
        count,
        rows,
    };
    page(HttpResponse::Ok(), &person.browser, Leads::Here, &view)
}

fn unfitting(person: &SignedIn, wish: Wish, unfit: Unfit) -> Result<HttpResponse, Error> {
    if let Unfit::Fault(fault) = unfit {
        return Err(fault.into());
    }
    let (field, message) = at_field(&unfit);
    refused(person, wish, Errors::one(field, message))
}

fn refused(person: &SignedIn, wish: Wish, errors: Errors) -> Result<HttpResponse, Error> {
    form(person, StatusCode::UNPROCESSABLE_ENTITY, wish, errors, None)
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    wish: Wish,
    errors: Errors,
    notice: Option<&'static str>,
) -> Result<HttpResponse, Error> {
    let view = Rules {
        frame: Frame::of(person, "policy").with_notice(notice),
        errors,
        wish,
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
