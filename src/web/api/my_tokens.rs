//! `/api/my-account/personal-access-tokens`: a person's own tokens, from a browser session. A token does not get in.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::token::{ChangesBody, NewTokenBody, TokenView};
use super::{Error, parse};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::personal_token::{PRESETS, PersonalToken, Problem, grantable};
use crate::domain::resource::Catalogue;
use crate::web::doors::Account;

/// All of my tokens, ended ones too, newest first.
pub async fn list(account: Account) -> Result<HttpResponse, Error> {
    let (owner, now) = (account.by.user.id, account.by.app.now());
    let tokens = account
        .by
        .app
        .query(move |rx| PersonalToken::all_of(rx, owner))
        .await?;
    Ok(HttpResponse::Ok().json(TokenView::all(&tokens, now)))
}

/// All that a front end needs to draw the form, and the value of the `X-CSRF-Token` header.
pub async fn options(account: Account) -> Result<HttpResponse, Error> {
    let by = account.by;
    let owner = by.user.clone();
    let (catalogue, may_create) = by
        .app
        .read(move |rx| {
            let policy = &rx.policy.personal;
            let may_create = PersonalToken::check_may_create(rx, policy, &owner);
            Ok::<_, Error>((Catalogue::load(rx)?, may_create))
        })
        .await?;
    if let Err(Problem::Fault(fault)) = may_create {
        return Err(fault.into());
    }
    let is_admin = by.user.is_admin;
    let resources = catalogue.iter().map(|(resource, definitions)| {
        let scopes = definitions
            .iter()
            .filter(|definition| grantable(is_admin, resource, &definition.name, definition.reserved).is_ok())
            .map(|definition| json!({"name": definition.name, "description": definition.description}));
        let scopes: Vec<_> = scopes.collect();
        json!({"uri": resource.uri, "name": resource.name, "scopes": scopes})
    });
    let resources: Vec<_> = resources
        .filter(|resource| resource["scopes"] != json!([]))
        .collect();
    let policy = &by.app.policy().personal;
    let now = by.app.now();
    Ok(HttpResponse::Ok().json(json!({
        "csrfToken": by.browser.csrf(),
        "resources": resources,
        "expiryPresetDays": PRESETS,
        "defaultExpiresAt": policy.default_end(now).millis(),
        "maxExpiresAt": policy.latest_end(now).map(Timestamp::millis),
        "neverExpiresAllowed": policy.allows_no_end(),
        "mayCreate": may_create.is_ok(),
    })))
}

/// Make a token for me. Its `value` is in this answer and no other.
pub async fn create(account: Account) -> Result<HttpResponse, Error> {
    account.by.recently(String::new)?;
    let new: NewTokenBody = parse(&account.body)?;
    let owner = account.by.user.clone();
    let made = account.by.write(move |tx| new.create(tx, &owner)).await??;
    let location = format!("/api/my-account/personal-access-tokens/{}", made.id());
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(made))
}

/// One of my tokens.
pub async fn show(account: Account, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let (owner, now) = (account.by.user.id, account.by.app.now());
    let token = account.by.app.read(move |rx| own(rx, owner, &id)).await?;
    Ok(HttpResponse::Ok().json(TokenView::of(&token, now)))
}

/// Rename, describe, narrow or shorten one of my tokens.
pub async fn change(account: Account, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let changes: ChangesBody = parse(&account.body)?;
    let (app, caller, owner) = (account.by.app, account.by.caller, account.by.user.id);
    let view = app
        .write(caller, move |tx| {
            let token = own(tx, owner, &id)?;
            changes.apply(tx, &token)
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// End one of my tokens. A second time changes nothing.
pub async fn revoke(account: Account, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let (app, caller, owner) = (account.by.app, account.by.caller, account.by.user.id);
    app.write(caller, move |tx| {
        let token = own(tx, owner, &id)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The owner's own token of this id.
pub(super) fn own(conn: &mut Conn, owner: Id, id: &str) -> Result<PersonalToken, Error> {
    let token = match id.parse::<Id>() {
        Ok(id) => PersonalToken::owned_by(conn, owner, id)?,
        Err(_) => None,
    };
    token.ok_or_else(|| Error::not_found("token"))
}
