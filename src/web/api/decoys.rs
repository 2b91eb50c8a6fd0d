//! `/api/decoy-tokens`: tokens that open nothing and raise an alarm when they are used, for managers.

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Code, Error, parse};
use crate::clock::Timestamp;
use crate::domain::decoy::Decoy;
use crate::domain::grant::Via;
use crate::domain::id::Id;
use crate::web::doors::{Manager, Read, Revoke, Write};
use crate::web::openapi::{Created, NoContent, Operation};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewDecoy {
    #[schemars(length(min = 1, max = 64))]
    name: String,
}

/// What is told of a decoy. Its `value` only in the answer that makes it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(
    rename = "DecoyToken",
    description = "A token that opens nothing and raises an alarm."
)]
pub struct DecoyView {
    id: String,
    #[schemars(extend("const" = "decoy"))]
    kind: &'static str,
    name: String,
    hint: String,
    created_at: i64,
    created_by: String,
    /// When it last raised an alarm.
    last_used_at: Option<i64>,
    last_used_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl DecoyView {
    fn of(decoy: Decoy) -> Self {
        Self {
            id: decoy.token.id.to_string(),
            kind: decoy.token.kind.as_str(),
            name: decoy.name().to_owned(),
            hint: decoy.token.hint,
            created_at: decoy.grant.created_at.millis(),
            created_by: decoy.grant.created_by,
            last_used_at: decoy.grant.last_used_at.map(Timestamp::millis),
            last_used_from: decoy.grant.last_used_from,
            value: None,
        }
    }
}

pub const LIST: Operation = Operation::new("listDecoys", "List all decoy tokens, newest first");
/// All decoys, newest first.
pub async fn list(by: Manager<Read>) -> Result<Json<Vec<DecoyView>>, Error> {
    let decoys = by.app.query(|rx| Decoy::all(rx)).await?;
    let views: Vec<DecoyView> = decoys.into_iter().map(DecoyView::of).collect();
    Ok(Json(views))
}

pub const CREATE: Operation = Operation::new(
    "createDecoy",
    "Make a decoy token; its value is in this answer and no other",
)
.takes::<NewDecoy>()
.refuses(&[Code::NameInvalid]);
/// Make a decoy. Its `value` is in this answer and no other.
pub async fn create(by: Manager<Write>) -> Result<Created<DecoyView>, Error> {
    let NewDecoy { name } = parse(&by.body)?;
    let made = by.write(move |tx| Ok(Decoy::create(tx, &name, Via::Api)?));
    let (decoy, secret) = made.await?;
    let view = DecoyView {
        value: Some(secret.expose().to_owned()),
        ..DecoyView::of(decoy)
    };
    let location = format!("/api/decoy-tokens/{}", view.id);
    Ok(Created {
        body: view,
        location,
    })
}

pub const REMOVE: Operation = Operation::new(
    "removeDecoy",
    "Remove a decoy token: from now on nobody knows it",
);
/// Remove a decoy: from now on nobody knows it.
pub async fn remove(by: Manager<Revoke>, id: web::Path<String>) -> Result<NoContent, Error> {
    by.write(move |tx| {
        let decoy = match id.parse::<Id>() {
            Ok(id) => Decoy::find(tx, id)?,
            Err(_) => None,
        };
        let decoy = decoy.ok_or_else(|| Error::not_found("decoy"))?;
        Ok(decoy.remove(tx)?)
    })
    .await?;
    Ok(NoContent)
}
