//! `/api/decoy-tokens`: tokens that open nothing and raise an alarm when they are used, for managers.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};

use super::{Error, parse};
use crate::clock::Timestamp;
use crate::domain::decoy::Decoy;
use crate::domain::grant::Via;
use crate::domain::id::Id;
use crate::web::doors::{Manager, Read, Revoke, Write};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewDecoy {
    name: String,
}

/// What is told of a decoy. Its `value` only in the answer that makes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DecoyView {
    id: String,
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

/// All decoys, newest first.
pub async fn list(by: Manager<Read>) -> Result<HttpResponse, Error> {
    let decoys = by.app.query(|rx| Decoy::all(rx)).await?;
    let views: Vec<DecoyView> = decoys.into_iter().map(DecoyView::of).collect();
    Ok(HttpResponse::Ok().json(views))
}

/// Make a decoy. Its `value` is in this answer and no other.
pub async fn create(by: Manager<Write>) -> Result<HttpResponse, Error> {
    let NewDecoy { name } = parse(&by.body)?;
    let made = by.write(move |tx| Ok(Decoy::create(tx, &name, Via::Api)?));
    let (decoy, secret) = made.await?;
    let view = DecoyView {
        value: Some(secret.expose().to_owned()),
        ..DecoyView::of(decoy)
    };
    let location = format!("/api/decoy-tokens/{}", view.id);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .json(view))
}

/// Remove a decoy: from now on nobody knows it.
pub async fn remove(by: Manager<Revoke>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    by.write(move |tx| {
        let decoy = match id.parse::<Id>() {
            Ok(id) => Decoy::find(tx, id)?,
            Err(_) => None,
        };
        let decoy = decoy.ok_or_else(|| Error::not_found("decoy"))?;
        Ok(decoy.remove(tx)?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
