//! `/api/users/{userId}/personal-access-tokens`: anybody's tokens, for managers. Logto's paths, bodies and statuses work
//! as its users know them, but that a token's `value` is in the answer that makes it and in no other.

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::Deserialize;

use super::token::{ChangesBody, NewTokenBody, TokenView};
use super::{Code, Error, parse};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::personal_token::{Changes, PersonalToken};
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::web::doors::{Manager, Read, Revoke, Write};
use crate::web::openapi::{Created, NoContent, Operation};

/// The user and the token in a path. The token is an id, or a name as Logto has it.
type Named = web::Path<(String, String)>;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rename {
    current_name: String,
    name: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ByName {
    name: String,
}

pub const LIST: Operation = Operation::new(
    "listTokensOfUser",
    "List a person's tokens, ended ones too, newest first",
);
/// A person's tokens, ended ones too, newest first.
pub async fn list(
    by: Manager<Read>,
    user: web::Path<String>,
) -> Result<Json<Vec<TokenView>>, Error> {
    let now = by.app.now();
    let tokens = by
        .app
        .read(move |rx| {
            let user = found_user(rx, &user)?;
            Ok::<_, Error>(PersonalToken::shown_of(rx, user.id, now)?)
        })
        .await?;
    Ok(Json(TokenView::all(&tokens, now)))
}

pub const CREATE: Operation = Operation::new(
    "createTokenForUser",
    "Make a token for somebody; its value is in this answer and no other",
)
.takes::<NewTokenBody>()
.refuses(NewTokenBody::REFUSALS);
/// Make a token for somebody. Its `value` is in this answer and no other.
pub async fn create(
    by: Manager<Write>,
    user: web::Path<String>,
) -> Result<Created<TokenView>, Error> {
    let new: NewTokenBody = parse(&by.body)?;
    let path = format!("/api/users/{user}/personal-access-tokens");
    let made = by
        .write(move |tx| {
            let owner = found_user(tx, &user)?;
            new.create(tx, &owner)
        })
        .await?;
    let location = format!("{path}/{}", made.id());
    Ok(Created {
        body: made,
        location,
    })
}

pub const RENAME: Operation = Operation::new(
    "renameTokenOfUser",
    "Rename the token of this name, as Logto does",
)
.takes::<Rename>()
.refuses(&[Code::NameInvalid, Code::NotLive, Code::NameExists]);
/// Logto's rename: `{currentName, name}` on the collection.
pub async fn rename(by: Manager<Write>, user: web::Path<String>) -> Result<Json<TokenView>, Error> {
    let Rename { current_name, name } = parse(&by.body)?;
    let view = by
        .write(move |tx| {
            let token = found_by_name(tx, &user, &current_name)?;
            let changes = Changes {
                name: Some(name),
                ..Changes::default()
            };
            let token = token.change(tx, changes)?;
            Ok::<_, Error>(TokenView::of(&token, tx.now))
        })
        .await?;
    Ok(Json(view))
}

pub const DELETE_BY_NAME: Operation = Operation::new(
    "deleteTokenOfUserByName",
    "End the token of this name, as Logto does",
)
.takes::<ByName>();
/// Logto's delete: `{name}` in a body, since names break URLs.
pub async fn delete_by_name(
    by: Manager<Revoke>,
    user: web::Path<String>,
) -> Result<NoContent, Error> {
    let ByName { name } = parse(&by.body)?;
    by.write(move |tx| {
        let token = found_by_name(tx, &user, &name)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(NoContent)
}

pub const SHOW: Operation = Operation::new("getTokenOfUser", "Show one of a person's tokens");
/// One of a person's tokens.
pub async fn show(by: Manager<Read>, named: Named) -> Result<Json<TokenView>, Error> {
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
    Ok(Json(token))
}

pub const CHANGE: Operation = Operation::new(
    "changeTokenOfUser",
    "Rename, describe, narrow or shorten one of a person's tokens",
)
.takes::<ChangesBody>()
.refuses(ChangesBody::REFUSALS);
/// Rename, describe, narrow or shorten one of a person's tokens.
pub async fn change(by: Manager<Write>, named: Named) -> Result<Json<TokenView>, Error> {
    let (user, token) = named.into_inner();
    let changes: ChangesBody = parse(&by.body)?;
    let view = by
        .write(move |tx| {
            let token = found(tx, &user, &token)?;
            changes.apply(tx, &token)
        })
        .await?;
    Ok(Json(view))
}

pub const REVOKE: Operation = Operation::new(
    "revokeTokenOfUser",
    "End one of a person's tokens; a second time changes nothing",
);
/// End one of a person's tokens. A second time changes nothing.
pub async fn revoke(by: Manager<Revoke>, named: Named) -> Result<NoContent, Error> {
    let (user, token) = named.into_inner();
    by.write(move |tx| {
        let token = found(tx, &user, &token)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(NoContent)
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
