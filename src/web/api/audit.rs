//! `/api/audit`: the audit trail, for administrators and for services with the scope `audit:read`.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::BoxBody;
use actix_web::web::{self, Bytes, Json};
use actix_web::{HttpRequest, HttpResponse, Responder};
use futures_core::Stream;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::sync::mpsc;

use super::{Error, all_tokens, my_tokens};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::audit::{Entry, Filter, What};
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::oauth::Params;
use crate::web::doors::{Account, Audit, Manager, Read};
use crate::web::errors;
use crate::web::openapi::{Answer, Kind, Operation, Parameter, Schemas, Success};
use crate::web::whose::{Meant, Whose};

/// Events of one answer, unless it says how many, and at most.
const PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 500;
/// Events that an export has in memory at a time.
const BATCH: i64 = 500;
const JSON_LINES: &str = "application/x-ndjson";

/// What a query of the trail may have: where to go on, how much to answer, and what is asked for.
const QUERY: &[Parameter] = &[
    Parameter::new(
        "limit",
        Kind::Number(1, LARGEST_PAGE as u64),
        "How many events; 50 unless it is said",
    ),
    Parameter::new("cursor", Kind::Id, "`nextCursor` of the answer before"),
    Parameter::new("event", Kind::OneOf(What::names), "What happened"),
    Parameter::new(
        "actor",
        Kind::Text,
        "Who did it: `user:ID`, `client:ID` or `command line`",
    ),
    Parameter::new("user", Kind::Id, "To whom"),
    Parameter::new("token", Kind::Id, "To which token"),
    Parameter::new("client", Kind::Text, "To which client, by its id"),
    Parameter::new("address", Kind::Text, "From which IP address"),
    Parameter::new("since", Kind::Moment, "From this moment on"),
    Parameter::new("until", Kind::Moment, "Before this moment"),
];
/// What an export may have.
const FILTERS: &[Parameter] = QUERY.split_at(1).1;
/// What the history of one token may have.
const PLACE: &[Parameter] = QUERY.split_at(2).0;

/// A page of the trail.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AuditPage")]
pub struct Page {
    events: Vec<Entry>,
    /// Where the next page begins; `null` after the last.
    next_cursor: Option<Id>,
}

/// What a page of the trail is asked with.
struct Asked {
    filter: Filter,
    limit: i64,
    after: Option<Id>,
}

impl Asked {
    /// Read a query. What is not known is refused: it may be a slip that would show too much or too little.
    fn read(req: &HttpRequest, allowed: &[Parameter]) -> Result<Self, Error> {
        let params = Params::decode(req.query_string().as_bytes())?.each_once()?;
        let known = |name: &&str| allowed.iter().any(|known| known.name == *name);
        let unknown = params.names().find(|name| !known(name));
        if let Some(name) = unknown {
            return Err(Error::malformed(format!("There is no parameter {name}.")));
        }
        let limit = read(&params, "limit", |text| {
            let limit: i64 = text.parse().ok()?;
            (1..=LARGEST_PAGE).contains(&limit).then_some(limit)
        })?;
        let filter = Filter {
            event: read(&params, "event", What::parse)?,
            actor: params.get("actor").map(str::to_owned),
            user: read(&params, "user", id)?,
            client: params.get("client").map(str::to_owned),
            grant: None,
            token: read(&params, "token", id)?,
            address: read(&params, "address", |text| {
                let address: std::net::IpAddr = text.parse().ok()?;
                Some(address.to_string())
            })?,
            since: read(&params, "since", instant)?,
            until: read(&params, "until", instant)?,
        };
        Ok(Self {
            filter,
            limit: limit.unwrap_or(PAGE),
            after: read(&params, "cursor", id)?,
        })
    }

    /// The page, and where the next one begins if this one is full.
    async fn answer(self, app: &App) -> Result<Json<Page>, Error> {
        let Asked {
            filter,
            limit,
            after,
        } = self;
        let events = app
            .query(move |rx| Entry::page(rx, &filter, after, limit))
            .await?;
        let last = events.last().filter(|_| events.len() as i64 == limit);
        let next_cursor = last.map(|entry| entry.id);
        Ok(Json(Page {
            events,
            next_cursor,
        }))
    }
}

fn id(text: &str) -> Option<Id> {
    text.parse().ok()
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_millis)
}

/// A parameter, if it is there; `what` reads it.
fn read<T>(
    params: &Params,
    name: &'static str,
    what: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Error> {
    let Some(text) = params.get(name) else {
        return Ok(None);
    };
    let read = what(text);
    let bad = || Error::malformed(format!("The value of {name} is not one that this takes."));
    read.map(Some).ok_or_else(bad)
}

pub const LIST: Operation =
    Operation::new("listAuditEvents", "List the audit trail, newest first").asks(QUERY);
/// A page of the trail, newest first.
pub async fn list(by: Manager<Audit>, req: HttpRequest) -> Result<Json<Page>, Error> {
    Asked::read(&req, QUERY)?.answer(&by.app).await
}

pub const EXPORT: Operation = Operation::new(
    "exportAuditEvents",
    "Export the audit trail as JSON lines, newest first",
)
.asks(FILTERS);
/// The trail as JSON lines, newest first: read piece by piece, as fast as it is taken.
pub async fn export(by: Manager<Audit>, req: HttpRequest) -> Result<Lines, Error> {
    let asked = Asked::read(&req, FILTERS)?;
    let app = by.app;
    // While nothing is sent yet, a fault can still be told.
    let first = batch(&app, &asked.filter, asked.after).await?;
    let (sender, lines) = mpsc::channel(1);
    actix_web::rt::spawn(async move {
        let mut next = Ok(first);
        while let Ok((bytes, last)) = next {
            if sender.send(Ok(bytes)).await.is_err() {
                return;
            }
            let Some(last) = last else { return };
            next = batch(&app, &asked.filter, Some(last)).await;
        }
        if let Err(fault) = next {
            errors::log(&fault);
            // Who reads has to see that this is not the end.
            let _ = sender.send(Err(fault)).await;
        }
    });
    Ok(Lines(lines))
}

/// Lines of events, and the id of the last if there may be more.
async fn batch(
    app: &App,
    filter: &Filter,
    after: Option<Id>,
) -> Result<(Bytes, Option<Id>), Fault> {
    let filter = filter.clone();
    let events = app
        .query(move |rx| Entry::page(rx, &filter, after, BATCH))
        .await?;
    let last = events.last().filter(|_| events.len() as i64 == BATCH);
    let lines: String = events.iter().map(Entry::line).collect();
    Ok((lines.into(), last.map(|entry| entry.id)))
}

/// What is still to be sent, as it comes.
pub struct Lines(mpsc::Receiver<Result<Bytes, Fault>>);

impl Responder for Lines {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().content_type(JSON_LINES).streaming(self)
    }
}

impl Answer for Lines {
    fn described(_: &mut Schemas) -> Vec<Success> {
        let lines = json!({"type": "string"});
        vec![Success::of(200, "An event a line.", JSON_LINES, lines)]
    }
}

impl Stream for Lines {
    type Item = Result<Bytes, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll_recv(context)
    }
}

pub const OF_MINE: Operation = Operation::new(
    "listEventsOfMyToken",
    "List what happened to one of my tokens and to those it replaced, newest first",
)
.asks(PLACE);
/// What happened to one of my tokens, newest first.
pub async fn of_mine(
    account: Account,
    meant: web::Path<Meant>,
    req: HttpRequest,
) -> Result<Json<Page>, Error> {
    let asked = Asked::read(&req, PLACE)?;
    let owner = Whose::of(&account.by, &meant).await?.owner.id;
    let app = account.by.app;
    let token = app
        .read(move |rx| my_tokens::own(rx, owner, meant.token()))
        .await?;
    asked.of(token).answer(&app).await
}

pub const OF_TOKEN: Operation = Operation::new(
    "listEventsOfToken",
    "List what happened to a token and to those it replaced, newest first",
)
.asks(PLACE);
/// What happened to anybody's token, newest first.
pub async fn of_token(
    by: Manager<Read>,
    token: web::Path<String>,
    req: HttpRequest,
) -> Result<Json<Page>, Error> {
    let asked = Asked::read(&req, PLACE)?;
    let token = by.app.read(move |rx| all_tokens::found(rx, &token)).await?;
    asked.of(token).answer(&by.app).await
}

impl Asked {
    /// The same, of this token and of those it replaced: of its grant.
    fn of(mut self, token: PersonalToken) -> Self {
        self.filter.grant = Some(token.grant.id);
        self
    }
}
