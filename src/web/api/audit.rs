//! `/api/audit`: the audit trail, for administrators and for services with the scope `audit:read`.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_core::Stream;
use serde_json::json;
use tokio::sync::mpsc;

use super::{Error, my_tokens};
use crate::app::App;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::audit::{Entry, Filter, What};
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::oauth::Params;
use crate::web::doors::{Account, Audit, Manager, Read};
use crate::web::errors;

/// Events of one answer, unless it says how many, and at most.
const PAGE: i64 = 50;
const LARGEST_PAGE: i64 = 500;
/// Events that an export has in memory at a time.
const BATCH: i64 = 500;

const NAMES: [&str; 9] = [
    "event", "actor", "user", "token", "client", "address", "since", "until", "limit",
];

/// What a page of the trail is asked with.
struct Asked {
    filter: Filter,
    limit: i64,
    after: Option<Id>,
}

impl Asked {
    /// Read a query. What is not known is refused: it may be a slip that would show too much or too little.
    fn read(req: &HttpRequest, allowed: &[&str]) -> Result<Self, Error> {
        let params = Params::decode(req.query_string().as_bytes())?.each_once()?;
        let unknown = params
            .names()
            .find(|name| *name != "cursor" && !allowed.contains(name));
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
    async fn answer(self, app: &App) -> Result<HttpResponse, Error> {
        let Asked {
            filter,
            limit,
            after,
        } = self;
        let events = app
            .query(move |rx| Entry::page(rx, &filter, after, limit))
            .await?;
        let last = events.last().filter(|_| events.len() as i64 == limit);
        let next = last.map(|entry| entry.id);
        Ok(HttpResponse::Ok().json(json!({"events": events, "nextCursor": next})))
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

/// A page of the trail, newest first.
pub async fn list(by: Manager<Audit>, req: HttpRequest) -> Result<HttpResponse, Error> {
    Asked::read(&req, &NAMES)?.answer(&by.app).await
}

/// The trail as JSON lines, newest first: read piece by piece, as fast as it is taken.
pub async fn export(by: Manager<Audit>, req: HttpRequest) -> Result<HttpResponse, Error> {
    let asked = Asked::read(&req, &NAMES[..8])?;
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
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(Lines(lines)))
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
struct Lines(mpsc::Receiver<Result<Bytes, Fault>>);

impl Stream for Lines {
    type Item = Result<Bytes, Fault>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context) -> Poll<Option<Self::Item>> {
        self.get_mut().0.poll_recv(context)
    }
}

/// What happened to one of my tokens, newest first.
pub async fn of_mine(
    account: Account,
    token: web::Path<String>,
    req: HttpRequest,
) -> Result<HttpResponse, Error> {
    let (app, owner) = (account.by.app, account.by.user.id);
    let asked = Asked::read(&req, &["limit"])?;
    let token = app
        .read(move |rx| my_tokens::own(rx, owner, &token))
        .await?;
    asked.of(token).answer(&app).await
}

/// What happened to anybody's token, newest first.
pub async fn of_token(
    by: Manager<Read>,
    token: web::Path<String>,
    req: HttpRequest,
) -> Result<HttpResponse, Error> {
    let asked = Asked::read(&req, &["limit"])?;
    let found = match id(&token) {
        Some(id) => by.app.query(move |rx| PersonalToken::find(rx, id)).await?,
        None => None,
    };
    let token = found.ok_or_else(|| Error::not_found("token"))?;
    asked.of(token).answer(&by.app).await
}

impl Asked {
    /// The same, of this token and of those it replaced: of its grant.
    fn of(mut self, token: PersonalToken) -> Self {
        self.filter.grant = Some(token.grant.id);
        self
    }
}
