//! `/api/users/{userId}/personal-access-tokens`: anybody's tokens, for managers. Logto's paths, bodies and statuses work
//! as its users know them, but that a token's `value` is in the answer that makes it and in no other.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::token::{ChangesBody, NewTokenBody, TokenView};
use super::{Error, parse};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::personal_token::{Changes, PersonalToken};
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::web::doors::{Manager, Read, Revoke, Write};

/// The user and the token in a path. The token is an id, or a name as Logto has it.
type Named = web::Path<(String, String)>;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rename {
    current_name: Option<String>,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ByName {
    name: String,
}

/// A person's tokens, ended ones too, newest first.
pub async fn list(by: Manager<Read>, user: web::Path<String>) -> Result<HttpResponse, Error> {
    let now = by.app.now();
    let tokens = by
        .app
        .read(move |rx| {
            let user = found_user(rx, &user)?;
            Ok::<_, Error>(PersonalToken::shown_of(rx, user.id, now)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(TokenView::all(&tokens, now)))
}

/// Make a token for somebody. Its `value` is in this answer and no other.
pub async fn create(by: Manager<Write>, user: web::Path<String>) -> Result<HttpResponse, Error> {
    let new: NewTokenBody = parse(&by.body)?;
    let path = format!("/api/users/{user}/personal-access-tokens");
    let made = by
        .write(move |tx| {
            let owner = found_user(tx, &user)?;
            new.create(tx, &owner)
        })
        .await?;
    let location = format!("{path}/{}", made.id());
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(made))
}

/// Logto's rename: `{currentName, name}` on the collection.
pub async fn rename(by: Manager<Write>, user: web::Path<String>) -> Result<HttpResponse, Error> {
    let Rename { current_name, name } = parse(&by.body)?;
    let current =
        current_name.ok_or_else(|| Error::malformed("currentName says which token is meant."))?;
    let view = by
        .write(move |tx| {
            let token = found_by_name(tx, &user, &current)?;
            let changes = Changes {
                name: Some(name),
                ..Changes::default()
            };
            let token = token.change(tx, changes)?;
            Ok::<_, Error>(TokenView::of(&token, tx.now))
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// Logto's delete: `{name}` in a body, since names break URLs.
pub async fn delete_by_name(
    by: Manager<Revoke>,
    user: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let ByName { name } = parse(&by.body)?;
    by.write(move |tx| {
        let token = found_by_name(tx, &user, &name)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// One of a person's tokens.
pub async fn show(by: Manager<Read>, named: Named) -> Result<HttpResponse, Error> {
    let (user, token) = named.into_inner();
    let now = by.app.now();
    let token = by
        .app
        .read(move |rx| {
            let user = found_user(rx, &user)?;
            let token = found_token(rx, &user, &token, now)?;
            Ok::<_, Error>(TokenView::in_full(rx, &token, now)?)
        })
        .await?;
    Ok(HttpResponse::Ok().json(token))
}

/// Rename, describe, narrow or shorten one of a person's tokens.
pub async fn change(by: Manager<Write>, named: Named) -> Result<HttpResponse, Error> {
    let (user, token) = named.into_inner();
    let changes: ChangesBody = parse(&by.body)?;
    let view = by
        .write(move |tx| {
            let token = found(tx, &user, &token)?;
            changes.apply(tx, &token)
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}

/// End one of a person's tokens. A second time changes nothing.
pub async fn revoke(by: Manager<Revoke>, named: Named) -> Result<HttpResponse, Error> {
    let (user, token) = named.into_inner();
    by.write(move |tx| {
        let token = found(tx, &user, &token)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

fn found(tx: &mut Tx, user: &str, token: &str) -> Result<PersonalToken, Error> {
    let user = found_user(tx, user)?;
    let now = tx.now;
    found_token(tx, &user, token, now)
}

/// The user's live token of this name, even if the name looks like an id.
fn found_by_name(tx: &mut Tx, user: &str, name: &str) -> Result<PersonalToken, Error> {
    let user = found_user(tx, user)?;
    let now = tx.now;
    let token = PersonalToken::named(tx, user.id, name, now)?;
    token.ok_or_else(|| Error::not_found("token"))
}

pub(super) fn found_user(conn: &mut Conn, id: &str) -> Result<User, Error> {
    let user = match id.parse::<Id>() {
        Ok(id) => User::find(conn, id)?,
        Err(_) => None,
    };
    user.ok_or_else(|| Error::not_found("user"))
}

/// The user's token of this id, or their live token of this name.
fn found_token(
    conn: &mut Conn,
    user: &User,
    named: &str,
    now: Timestamp,
) -> Result<PersonalToken, Error> {
    let by_id = match named.parse::<Id>() {
        Ok(id) => PersonalToken::owned_by(conn, user.id, id)?,
        Err(_) => None,
    };
    let token = match by_id {
        Some(token) => Some(token),
        None => PersonalToken::named(conn, user.id, named, now)?,
    };
    token.ok_or_else(|| Error::not_found("token"))
}
