//! `/api/personal-access-tokens`: everybody's tokens, for managers, by a filter or by their ids alone.

use actix_web::HttpRequest;
use actix_web::web::{self, Json};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::token::{ChangesBody, TokenView};
use super::{Code, Error, REASON_MAX, parse, reason};
use crate::clock::Timestamp;
use crate::db::Conn;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::incident;
use crate::domain::personal_token::filter::{Filter, IDS_MAX, LIMIT_MAX, Search};
use crate::domain::personal_token::search::Found;
use crate::domain::personal_token::{PersonalToken, State};
use crate::domain::user::UserKind;
use crate::oauth::Params;
use crate::web::bulk;
use crate::web::doors::{Manager, Read, Revoke, Write};
use crate::web::openapi::{Kind, NoContent, Operation, Parameter};

/// How many ids a dry run tells.
const IDS: usize = 1000;
/// How many tokens it shows.
const SAMPLE: usize = 10;

/// A token, and whose it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListedToken")]
pub struct Listed {
    #[serde(flatten)]
    token: TokenView,
    username: String,
    /// `person` or `service`.
    owner_kind: &'static str,
}

impl Listed {
    fn of(found: &Found, now: Timestamp) -> Self {
        Self {
            token: TokenView::of(&found.token, now),
            username: found.username.clone(),
            owner_kind: found.owner_kind.as_str(),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bulk {
    /// The words of the list's query that say what a token has to be.
    #[serde(default)]
    #[schemars(schema_with = "filter")]
    filter: Option<Map<String, Value>>,
    /// Instead of a filter.
    #[schemars(length(max = IDS_MAX))]
    ids: Option<Vec<String>>,
    #[schemars(length(max = REASON_MAX))]
    reason: Option<String>,
    /// Tell what would be revoked, and revoke nothing.
    #[serde(default)]
    dry_run: bool,
    /// `count` of a dry run.
    confirm_count: Option<i64>,
}

/// A page of the list.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "TokenPage")]
pub struct Page {
    /// There may be few, or none, and still a next page.
    items: Vec<Listed>,
    total: i64,
    /// Whether these are all; otherwise there are so many at least.
    total_is_exact: bool,
    /// Where the next page begins; `null` after the last.
    next_cursor: Option<String>,
}

/// What becomes of tokens that were asked to end.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Revocation {
    /// What a dry run tells.
    Foreseen {
        count: i64,
        /// The first thousand.
        ids: Vec<String>,
        /// The first ten.
        sample: Vec<Listed>,
    },
    Done {
        count: i64,
        /// How many of them had not ended in the meantime.
        revoked: usize,
    },
}

/// What a query of the list may have: what a token has to be, and which page is asked for.
const QUERY: &[Parameter] = &[
    Parameter::new("userId", Kind::Id, "Whose they are"),
    Parameter::new(
        "ownerKind",
        Kind::OneOf(|| UserKind::ALL.map(UserKind::as_str).to_vec()),
        "What kind of account their owner is",
    ),
    Parameter::new(
        "status",
        Kind::OneOf(|| State::SEARCHED.map(State::as_str).to_vec()),
        "How they stand",
    ),
    Parameter::new("scope", Kind::Text, "One of their scopes"),
    Parameter::new("audience", Kind::Text, "The URI of one of their resources"),
    Parameter::new("createdBefore", Kind::Date, "Made before this moment"),
    Parameter::new("createdAfter", Kind::Date, "Made at this moment or later"),
    Parameter::new("expiresBefore", Kind::Date, "Ending before this moment"),
    Parameter::new("expiresAfter", Kind::Date, "Ending at this moment or later"),
    Parameter::new("neverExpires", Kind::Flag, "Whether they have no end"),
    Parameter::new(
        "lastUsedBefore",
        Kind::Date,
        "Used, but not since this moment",
    ),
    Parameter::new("neverUsed", Kind::Flag, "Whether they were never used"),
    Parameter::new(
        "createdBy",
        Kind::Text,
        "Who made them: `user:ID`, `client:ID` or `command line`",
    ),
    Parameter::new(
        "search",
        Kind::Text,
        "A part of their name or of their owner's",
    ),
    Parameter::new(
        "sort",
        Kind::OneOf(sorts),
        "In which order; - is descending",
    ),
    Parameter::new(
        "cursor",
        Kind::Text,
        "`nextCursor` of the answer before, in the same order",
    ),
    Parameter::new(
        "limit",
        Kind::Number(1, LIMIT_MAX as u64),
        "How many; 50 unless it is said",
    ),
];
/// Those that say what a token has to be.
const FILTERS: &[Parameter] = QUERY.split_at(14).0;

fn sorts() -> Vec<&'static str> {
    vec![
        "created",
        "-created",
        "expires",
        "-expires",
        "lastUsed",
        "-lastUsed",
    ]
}

fn filter(_: &mut SchemaGenerator) -> Schema {
    let members = FILTERS.iter().map(|parameter| {
        let schema = parameter.kind.schema().to_value();
        (parameter.name.to_owned(), schema)
    });
    json_schema!({
        "type": ["object", "null"], "additionalProperties": false,
        "properties": members.collect::<Map<_, _>>(),
    })
}

pub const LIST: Operation = Operation::new(
    "listTokens",
    "List everybody's personal access tokens that the query asks for",
)
.asks(QUERY)
.refuses(&[Code::TooManyToSort]);
/// The tokens that the query asks for.
pub async fn list(by: Manager<Read>, req: HttpRequest) -> Result<Json<Page>, Error> {
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
    Ok(Json(Page {
        items,
        total: total.count,
        total_is_exact: total.is_exact,
        next_cursor: page.next.map(|at| search.sort.cursor(at)),
    }))
}

pub const SHOW: Operation = Operation::new("getToken", "Show a token, whosever it is");
/// One token, whosever it is.
pub async fn show(by: Manager<Read>, id: web::Path<String>) -> Result<Json<TokenView>, Error> {
    let now = by.app.now();
    let token = by.app.read(move |rx| found(rx, &id)).await?;
    Ok(Json(TokenView::of(&token, now)))
}

pub const CHANGE: Operation =
    Operation::new("changeToken", "Rename, describe, narrow or shorten a token")
        .takes::<ChangesBody>()
        .refuses(ChangesBody::REFUSALS);
/// Rename, describe, narrow or shorten it.
pub async fn change(by: Manager<Write>, id: web::Path<String>) -> Result<Json<TokenView>, Error> {
    let changes: ChangesBody = parse(&by.body)?;
    let view = by.write(move |tx| {
        let token = found(tx, &id)?;
        changes.apply(tx, &token)
    });
    Ok(Json(view.await?))
}

pub const REVOKE: Operation =
    Operation::new("revokeToken", "End a token; a second time changes nothing");
/// End it. A second time changes nothing.
pub async fn revoke(by: Manager<Revoke>, id: web::Path<String>) -> Result<NoContent, Error> {
    by.write(move |tx| {
        let token = found(tx, &id)?;
        Ok::<_, Error>(token.revoke(tx, &Because::Asked(None))?)
    })
    .await?;
    Ok(NoContent)
}

pub const REVOKE_MANY: Operation = Operation::new(
    "revokeTokens",
    "End all active tokens that a filter finds, or those of these ids, after a dry run",
)
.takes::<Bulk>()
.refuses(&[Code::CountDiffers]);
/// End all active tokens that a filter finds, or these. What was ended stays so if this is cut short; the same again goes
/// on with the rest.
pub async fn revoke_many(by: Manager<Revoke>) -> Result<Json<Revocation>, Error> {
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
        return Ok(Json(Revocation::Foreseen {
            count,
            ids: ids.collect(),
            sample,
        }));
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
    Ok(Json(Revocation::Done {
        count,
        revoked: revoked.await?,
    }))
}

/// Refuse unless who asks knows how much this is about.
pub(super) fn confirmed(said: Option<i64>, count: i64) -> Result<(), Error> {
    match said {
        None => Err(Error::malformed(
            "confirmCount says how many a dry run has counted.",
        )),
        Some(said) if said == count => Ok(()),
        Some(_) => Err(Error::new(
            Code::CountDiffers,
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
        None | Some(State::Active | State::Pending) => Ok(filter),
        Some(_) => Err(Error::malformed(
            "Only active and pending tokens can be revoked.",
        )),
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

/// The token of this id, whosever it is.
pub(super) fn found(conn: &mut Conn, id: &str) -> Result<PersonalToken, Error> {
    let token = match id.parse::<Id>() {
        Ok(id) => PersonalToken::find(conn, id)?,
        Err(_) => None,
    };
    token.ok_or_else(|| Error::not_found("token"))
}
