//! `/api/my-account/personal-access-tokens`: a person's own tokens, from a browser session; and the same below
//! `/api/my-account/service-accounts/{account}/tokens` for those of a service account they keep. A token does not get in.

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::Serialize;

use super::token::{ChangesBody, NewTokenBody, TokenView};
use super::{Error, parse};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::authorization_details::Definition;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::personal_token::{PRESETS, PersonalToken, Problem, grantable};
use crate::domain::resource::Catalogue;
use crate::domain::token_policy::ScopeRule;
use crate::domain::tx::{Rx, Tx};
use crate::web::doors::Account;
use crate::web::openapi::{Created, NoContent, Operation};
use crate::web::whose::{Meant, Whose};

pub const LIST: Operation = Operation::new(
    "listMyTokens",
    "List my personal access tokens, ended ones too, newest first",
);
/// What a front end needs to draw the form.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "TokenOptions",
    description = "What a form for a new token needs."
)]
pub struct OptionsView {
    /// The value of the `X-CSRF-Token` header.
    csrf_token: String,
    /// What this person may choose of.
    resources: Vec<ResourceView>,
    expiry_preset_days: [u64; 6],
    default_expires_at: i64,
    /// `null` for no limit.
    max_expires_at: Option<i64>,
    never_expires_allowed: bool,
    may_create: bool,
    networks_required: bool,
    approval_required: bool,
    scope_rules: Vec<ScopeRule>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Resource")]
struct ResourceView {
    uri: String,
    name: String,
    scopes: Vec<ScopeView>,
    /// What can be allowed of its things (RFC 9396).
    authorization_details_types: Vec<Definition>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Scope")]
struct ScopeView {
    name: String,
    /// What it is for, in words for people.
    description: String,
}

/// My tokens, ended ones too, newest first.
pub async fn list(
    account: Account,
    meant: web::Path<Meant>,
) -> Result<Json<Vec<TokenView>>, Error> {
    let whose = Whose::of(&account.by, &meant).await?;
    let (owner, now) = (whose.owner.id, account.by.app.now());
    let tokens = account
        .by
        .app
        .query(move |rx| PersonalToken::shown_of(rx, owner, now))
        .await?;
    Ok(Json(TokenView::all(&tokens, now)))
}

pub const OPTIONS: Operation = Operation::new(
    "getMyTokenOptions",
    "Tell what a form for a new token needs, and the CSRF token of this session",
);
/// All that a front end needs to draw the form, and the value of the `X-CSRF-Token` header.
pub async fn options(
    account: Account,
    meant: web::Path<Meant>,
) -> Result<Json<OptionsView>, Error> {
    let by = account.by;
    let whose = Whose::of(&by, &meant).await?;
    let (owner, maker) = (whose.owner.clone(), by.user.clone());
    let (catalogue, policy, may_create) = by
        .app
        .read(move |rx| {
            let policy = rx.token_policy()?;
            let may_create = PersonalToken::check_may_create(rx, &policy, &owner, Some(&maker));
            Ok::<_, Error>((Catalogue::load(rx)?, policy, may_create))
        })
        .await?;
    if let Err(Problem::Fault(fault)) = may_create {
        return Err(fault.into());
    }
    let is_admin = whose.owner.is_admin;
    let resources = catalogue
        .iter()
        .map(|(resource, definitions)| ResourceView {
            uri: resource.uri.clone(),
            name: resource.name.clone(),
            scopes: definitions
                .iter()
                .filter(|definition| {
                    grantable(is_admin, resource, &definition.name, definition.reserved).is_ok()
                })
                .map(|definition| ScopeView {
                    name: definition.name.clone(),
                    description: definition.description.clone(),
                })
                .collect(),
            authorization_details_types: catalogue
                .details_types()
                .filter(|each| each.resource() == resource.uri)
                .map(|each| each.definition.clone())
                .collect(),
        });
    let now = by.app.now();
    Ok(Json(OptionsView {
        csrf_token: by.browser.csrf(),
        resources: resources
            .filter(|resource| {
                !(resource.scopes.is_empty() && resource.authorization_details_types.is_empty())
            })
            .collect(),
        expiry_preset_days: PRESETS,
        default_expires_at: policy.default_end(now).millis(),
        max_expires_at: policy.latest_end(now).map(Timestamp::millis),
        never_expires_allowed: policy.allows_no_end(),
        may_create: may_create.is_ok(),
        networks_required: policy.networks_required,
        approval_required: policy.holds_back(Some(&by.user), &by.caller.actor),
        scope_rules: policy.scopes,
    }))
}

pub const CREATE: Operation = Operation::new(
    "createMyToken",
    "Make a token for me; its value is in this answer and no other",
)
.takes::<NewTokenBody>()
.refuses(NewTokenBody::REFUSALS);
/// Make a token for me. Its `value` is in this answer and no other.
pub async fn create(
    account: Account,
    meant: web::Path<Meant>,
) -> Result<Created<TokenView>, Error> {
    account.by.recently(String::new)?;
    let new: NewTokenBody = parse(&account.body)?;
    let whose = Whose::of(&account.by, &meant).await?;
    let owner = whose.owner.clone();
    let create = move |tx: &mut Tx| new.create(tx, &owner);
    let made = whose.write(&account.by, create).await??;
    let location = place(&whose, made.id());
    Ok(Created {
        body: made,
        location,
    })
}

pub const SHOW: Operation = Operation::new("getMyToken", "Show one of my tokens");
/// One of my tokens.
pub async fn show(account: Account, meant: web::Path<Meant>) -> Result<Json<TokenView>, Error> {
    let whose = Whose::of(&account.by, &meant).await?;
    let (owner, now) = (whose.owner.id, account.by.app.now());
    let show = move |rx: &mut Rx| {
        let token = own(rx, owner, meant.token())?;
        Ok::<_, Error>(TokenView::in_full(rx, &token, now)?)
    };
    Ok(Json(account.by.app.read(show).await?))
}

pub const CHANGE: Operation = Operation::new(
    "changeMyToken",
    "Rename, describe, narrow or shorten one of my tokens",
)
.takes::<ChangesBody>()
.refuses(ChangesBody::REFUSALS);
/// Rename, describe, narrow or shorten one of my tokens.
pub async fn change(account: Account, meant: web::Path<Meant>) -> Result<Json<TokenView>, Error> {
    let changes: ChangesBody = parse(&account.body)?;
    if changes.moves_fence() {
        account.by.recently(String::new)?;
    }
    let whose = Whose::of(&account.by, &meant).await?;
    let owner = whose.owner.id;
    let change = move |tx: &mut Tx| {
        let token = own(tx, owner, meant.token())?;
        changes.apply(tx, &token)
    };
    Ok(Json(whose.write(&account.by, change).await??))
}

pub const REVOKE: Operation = Operation::new(
    "revokeMyToken",
    "End one of my tokens; a second time changes nothing",
);
/// End one of my tokens. A second time changes nothing.
pub async fn revoke(account: Account, meant: web::Path<Meant>) -> Result<NoContent, Error> {
    let whose = Whose::of(&account.by, &meant).await?;
    let owner = whose.owner.id;
    let revoke = move |tx: &mut Tx| {
        let token = own(tx, owner, meant.token())?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    };
    whose.write(&account.by, revoke).await??;
    Ok(NoContent)
}

/// Where one of these tokens is.
pub(super) fn place(whose: &Whose, token: &str) -> String {
    match whose.service() {
        Some(_) => {
            let account = whose.owner.id;
            format!("/api/my-account/service-accounts/{account}/tokens/{token}")
        }
        None => format!("/api/my-account/personal-access-tokens/{token}"),
    }
}

/// The owner's token of this id.
pub(super) fn own(conn: &mut Conn, owner: Id, id: &str) -> Result<PersonalToken, Error> {
    let token = match id.parse::<Id>() {
        Ok(id) => PersonalToken::owned_by(conn, owner, id)?,
        Err(_) => None,
    };
    token.ok_or_else(|| Error::not_found("token"))
}
