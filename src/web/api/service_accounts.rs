//! `/api/service-accounts`, for managers; and those that a person keeps, from their browser session.

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Error, parse};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::service_account::{ServiceAccount, Unfit};
use crate::domain::tx::Tx;
use crate::domain::user::User;
use crate::web::doors::{Account, Manager, Read, Write};
use crate::web::openapi::{Created, NoContent, Operation};

/// What is told of a service account.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ServiceAccount", description = "A service account.")]
pub struct View {
    id: String,
    name: String,
    description: String,
    created_at: i64,
    disabled_at: Option<i64>,
    keepers: Vec<Keeper>,
    /// Whether any keeper can sign in.
    has_keeper: bool,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Keeper {
    id: String,
    username: String,
    disabled_at: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewServiceAccount")]
struct New {
    name: String,
    #[serde(default)]
    description: String,
    /// Each by name or id.
    keepers: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ServiceAccountChanges")]
struct Changes {
    description: Option<String>,
    disabled: Option<bool>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ServiceAccountKeepers")]
struct Keepers {
    keepers: Vec<String>,
}

impl View {
    fn of(account: &ServiceAccount) -> Self {
        let user = &account.user;
        let keepers = account.keepers.iter().map(|keeper| Keeper {
            id: keeper.id.to_string(),
            username: keeper.username.clone(),
            disabled_at: keeper.disabled_at.map(Timestamp::millis),
        });
        Self {
            id: user.id.to_string(),
            name: user.username.clone(),
            description: user.description.clone().unwrap_or_default(),
            created_at: user.created_at.millis(),
            disabled_at: user.disabled_at.map(Timestamp::millis),
            keepers: keepers.collect(),
            has_keeper: account.has_keeper(),
        }
    }
}

pub const MINE: Operation = Operation::new(
    "listMyServiceAccounts",
    "List the service accounts that I keep",
);
/// Those that I keep.
pub async fn mine(account: Account) -> Result<Json<Vec<View>>, Error> {
    let keeper = account.by.user.id;
    let kept = account
        .by
        .app
        .query(move |rx| ServiceAccount::kept_by(rx, keeper))
        .await?;
    Ok(Json(kept.iter().map(View::of).collect()))
}

pub const LIST: Operation = Operation::new("listServiceAccounts", "List all service accounts");
/// All of them, by name.
pub async fn list(by: Manager<Read>) -> Result<Json<Vec<View>>, Error> {
    let all = by.app.query(|rx| ServiceAccount::all(rx)).await?;
    Ok(Json(all.iter().map(View::of).collect()))
}

pub const CREATE: Operation = Operation::new("createServiceAccount", "Make a service account")
    .takes::<New>()
    .refuses(&[
        Code::AccountNameInvalid,
        Code::AccountNameExists,
        Code::AccountDescriptionInvalid,
        Code::KeeperRequired,
        Code::KeeperUnknown,
    ]);
/// Make one.
pub async fn create(by: Manager<Write>) -> Result<Created<View>, Error> {
    let new: New = parse(&by.body)?;
    let create = move |tx: &mut Tx| {
        let keepers = keepers(tx, &new.keepers)?;
        let made = ServiceAccount::create(tx, &new.name, &new.description, &keepers)?;
        Ok(View::of(&made))
    };
    let body = by.write(create).await?;
    let location = format!("/api/service-accounts/{}", body.id);
    Ok(Created { body, location })
}

pub const SHOW: Operation = Operation::new("getServiceAccount", "Show a service account");
/// One of them.
pub async fn show(by: Manager<Read>, account: web::Path<String>) -> Result<Json<View>, Error> {
    let found = by.app.read(move |rx| found(rx, &account)).await?;
    Ok(Json(View::of(&found)))
}

pub const CHANGE: Operation = Operation::new(
    "changeServiceAccount",
    "Describe a service account, disable it, or enable it again",
)
.takes::<Changes>()
.refuses(&[Code::AccountDescriptionInvalid]);
/// Describe one, disable it, or enable it again.
pub async fn change(by: Manager<Write>, account: web::Path<String>) -> Result<Json<View>, Error> {
    let changes: Changes = parse(&by.body)?;
    let change = move |tx: &mut Tx| {
        let found = found(tx, &account)?;
        if let Some(description) = &changes.description {
            found.describe(tx, description)?;
        }
        match changes.disabled {
            Some(true) => found.user.disable(tx)?,
            Some(false) => found.user.enable(tx)?,
            None => {}
        }
        again(tx, &found)
    };
    Ok(Json(by.write(change).await?))
}

pub const DISABLE: Operation = Operation::new(
    "disableServiceAccount",
    "Disable a service account: none of its tokens is active any more",
);
/// Disable one: none of its tokens is active any more. A second time changes nothing.
pub async fn disable(by: Manager<Write>, account: web::Path<String>) -> Result<NoContent, Error> {
    by.write(move |tx| Ok(found(tx, &account)?.user.disable(tx)?))
        .await?;
    Ok(NoContent)
}

pub const SET_KEEPERS: Operation = Operation::new(
    "setServiceAccountKeepers",
    "Decide who keeps a service account: these people and nobody else",
)
.takes::<Keepers>()
.refuses(&[Code::NotFound, Code::KeeperUnknown]);
/// Decide who keeps one: these people and nobody else, perhaps nobody at all.
pub async fn set_keepers(
    by: Manager<Write>,
    account: web::Path<String>,
) -> Result<Json<View>, Error> {
    let wanted: Keepers = parse(&by.body)?;
    let set = move |tx: &mut Tx| {
        let found = found(tx, &account)?;
        let keepers = keepers(tx, &wanted.keepers)?;
        found.set_keepers(tx, &keepers)?;
        again(tx, &found)
    };
    Ok(Json(by.write(set).await?))
}

fn found(conn: &mut Conn, account: &str) -> Result<ServiceAccount, Error> {
    let found = ServiceAccount::meant(conn, account)?;
    found.ok_or_else(|| Error::not_found("service account"))
}

/// It as it is now.
fn again(tx: &mut Tx, account: &ServiceAccount) -> Result<View, Error> {
    let now = ServiceAccount::find(tx, account.user.id)?;
    now.as_ref()
        .map(View::of)
        .ok_or_else(|| Error::not_found("service account"))
}

fn keepers(conn: &mut Conn, named: &[String]) -> Result<Vec<User>, Unfit> {
    named
        .iter()
        .map(|name| ServiceAccount::keeper(conn, name))
        .collect()
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        let message = unfit.to_string();
        let code = match unfit {
            Unfit::Fault(fault) => return fault.into(),
            Unfit::Name => Code::AccountNameInvalid,
            Unfit::Description => Code::AccountDescriptionInvalid,
            Unfit::Taken => Code::AccountNameExists,
            Unfit::NoKeeper | Unfit::LastKeeper(_) => Code::KeeperRequired,
            Unfit::Keeper(_) => Code::KeeperUnknown,
        };
        Self::new(code, message)
    }
}
