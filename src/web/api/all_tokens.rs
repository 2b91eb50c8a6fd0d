//! `/api/personal-access-tokens`: everybody's tokens, for managers, by a filter or by their ids alone.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::token::{ChangesBody, TokenView};
use super::{Error, parse, reason};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::incident;
use crate::domain::personal_token::filter::{Filter, IDS_MAX, Search};
use crate::domain::personal_token::search::Found;
use crate::domain::personal_token::{PersonalToken, State};
use crate::oauth::Params;
use crate::web::bulk;
use crate::web::doors::{Manager, Read, Revoke, Write};

/// How many ids a dry run tells.
const IDS: usize = 1000;
/// How many tokens it shows.
const SAMPLE: usize = 10;

/// A token, and whose it is.
#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    token: TokenView,
    username: String,
}

impl Listed {
    fn of(found: &Found, now: Timestamp) -> Self {
        Self {
            token: TokenView::of(&found.token, now),
            username: found.username.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bulk {
    filter: Option<Map<String, Value>>,
    ids: Option<Vec<String>>,
    reason: Option<String>,
    #[serde(default)]
    dry_run: bool,
    confirm_count: Option<i64>,
}

/// The tokens that the query asks for.
pub async fn list(by: Manager<Read>, req: HttpRequest) -> Result<HttpResponse, Error> {
    let params = Params::decode(req.query_string().as_bytes())?.each_once()?;
    let pairs = params.names().map(|name| (name, params.get(name)));
    let search = Search::read(pairs.filter_map(|(name, value)| Some((name, value?))))?;
    let now = by.app.now();
    let page = bulk::page(&by.app, &search).await?;
    let total = bulk::total(&by.app, &search).await?;
    let items: Vec<Listed> = page
        .items
        .iter()
        .map(|item| Listed::of(item, now))
        .collect();
    Ok(HttpResponse::Ok().json(json!({
        "items": items,
        "total": total.count,
        "totalIsExact": total.is_exact,
        "nextCursor": page.next.map(|at| search.cursor(at)),
    })))
}

/// One token, whosever it is.
pub async fn show(by: Manager<Read>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let now = by.app.now();
    let token = by.app.read(move |rx| found(rx, &id)).await?;
    Ok(HttpResponse::Ok().json(TokenView::of(&token, now)))
}

/// Rename, describe, narrow or shorten it.
pub async fn change(by: Manager<Write>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let changes: ChangesBody = parse(&by.body)?;
    let view = by.write(move |tx| {
        let token = found(tx, &id)?;
        changes.apply(tx, &token)
    });
    Ok(HttpResponse::Ok().json(view.await?))
}

/// End it. A second time changes nothing.
pub async fn revoke(by: Manager<Revoke>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    by.write(move |tx| {
        let token = found(tx, &id)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// End all active tokens that a filter finds, or these. What was ended stays so if this is cut short; the same again goes
/// on with the rest.
pub async fn revoke_many(by: Manager<Revoke>) -> Result<HttpResponse, Error> {
    let Bulk {
        filter,
        ids,
        reason: words,
        dry_run,
        confirm_count,
    } = parse(&by.body)?;
    let (filter, words, now) = (meant(filter, ids)?, reason(words)?, by.app.now());
    let search = incident::search(filter.clone(), now);
    let count = bulk::count(&by.app, &search).await?;
    if dry_run {
        let first = bulk::first(&by.app, &search, IDS).await?;
        let ids = first.iter().map(|found| found.token.token.id.to_string());
        let sample = first.iter().take(SAMPLE);
        let sample: Vec<Listed> = sample.map(|found| Listed::of(found, now)).collect();
        return Ok(HttpResponse::Ok().json(json!({
            "count": count, "ids": ids.collect::<Vec<_>>(), "sample": sample,
        })));
    }
    confirmed(confirm_count, count)?;
    let said = words.clone();
    by.write(move |tx| Ok(incident::announce(tx, &filter, count, said.as_deref())?))
        .await?;
    let because = Because::Asked(words);
    let revoked = bulk::revoke(&by.app, &search, async |grants: Vec<Id>| {
        let because = because.clone();
        by.write(move |tx| Ok(incident::end(tx, &grants, &because)?))
            .await
    });
    Ok(HttpResponse::Ok().json(json!({"count": count, "revoked": revoked.await?})))
}

/// Refuse unless who asks knows how much this is about.
pub(super) fn confirmed(said: Option<i64>, count: i64) -> Result<(), Error> {
    match said {
        None => Err(Error::malformed(
            "confirmCount says how many a dry run has counted.",
        )),
        Some(said) if said == count => Ok(()),
        Some(_) => Err(Error::new(
            StatusCode::CONFLICT,
            "revocation.count_differs",
            format!("It is {count} now. Nothing was revoked."),
        )
        .with(json!({"count": count}))),
    }
}

/// The filter of a body: its own, or the ids in it.
fn meant(filter: Option<Map<String, Value>>, ids: Option<Vec<String>>) -> Result<Filter, Error> {
    let filter = match (filter, ids) {
        (Some(filter), None) => read(&filter)?,
        (None, Some(ids)) if ids.len() <= IDS_MAX => Filter {
            ids: Some(parsed(&ids)?),
            ..Filter::default()
        },
        (None, Some(_)) => {
            return Err(Error::malformed(format!(
                "At most {IDS_MAX} ids can be named at a time."
            )));
        }
        _ => return Err(Error::malformed("Either filter or ids says which tokens.")),
    };
    match filter.status {
        None | Some(State::Active) => Ok(filter),
        Some(_) => Err(Error::malformed("Only active tokens can be revoked.")),
    }
}

fn read(filter: &Map<String, Value>) -> Result<Filter, Error> {
    let said = filter.iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(Error::malformed(format!("{name} takes one value."))),
        };
        Ok((name.as_str(), text))
    });
    let said: Vec<(&str, String)> = said.collect::<Result<_, Error>>()?;
    let pairs = said.iter().map(|(name, text)| (*name, text.as_str()));
    Ok(Filter::read(pairs)?)
}

fn parsed(ids: &[String]) -> Result<Vec<Id>, Error> {
    let parsed = ids.iter().map(|id| {
        id.parse()
            .map_err(|_| Error::malformed(format!("{id:?} is no token's id.")))
    });
    parsed.collect()
}

fn found(conn: &mut Conn, id: &str) -> Result<PersonalToken, Error> {
    let token = match id.parse::<Id>() {
        Ok(id) => PersonalToken::find(conn, id)?,
        Err(_) => None,
    };
    token.ok_or_else(|| Error::not_found("token"))
}
