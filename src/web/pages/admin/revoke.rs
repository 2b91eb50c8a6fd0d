//! Revoking many tokens: those that were ticked, or all that fit a filter.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::people::People;
use super::wanted::Wanted;
use super::{AdminRow, Error, Errors, Frame, Leads, page, see_other, with_query};
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::incident;
use crate::domain::personal_token::State;
use crate::domain::personal_token::filter::{Filter, IDS_MAX, Search};
use crate::domain::personal_token::search::NotSearched;
use crate::oauth::Params;
use crate::web::doors::{Administrator, Posted, SignedIn};
use crate::web::form::Query;
use crate::web::{bulk, errors, routes};

#[derive(Template)]
#[template(path = "admin/revoke.html")]
struct RevokeMany {
    frame: Frame,
    /// Fields: count, reason.
    errors: Errors,
    count: i64,
    /// Some of them.
    rows: Vec<AdminRow>,
    /// What the form carries: the ids that were ticked, or the filter.
    carried: Vec<(&'static str, String)>,
    typed: String,
    reason: String,
}

/// Rows that are shown.
const SHOWN: usize = 20;
const REASON_MAX: usize = 255;

/// What would be revoked.
pub async fn get(
    Administrator(person): Administrator,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let meant = Meant::of(&person, &query).await?;
    if meant.is_nothing() {
        return Ok(see_other(routes::ADMIN_TOKENS));
    }
    let count = bulk::count(&person.app, &meant.search).await?;
    form(
        &person,
        StatusCode::OK,
        &meant,
        count,
        &query,
        Errors::default(),
    )
    .await
}

/// Revoke them, if there still are as many as were typed.
pub async fn post(posted: Posted<Administrator>) -> Result<HttpResponse, Error> {
    let (Administrator(person), sent) = (posted.by, posted.form);
    let meant = Meant::of(&person, &sent).await?;
    let count = bulk::count(&person.app, &meant.search).await?;
    let typed = sent.get("count").unwrap_or_default().trim();
    if typed.parse() != Ok(count) {
        let errors = Errors::one("count", format!("Type {count} to revoke them all."));
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return form(&person, status, &meant, count, &sent, errors).await;
    }
    let reason = sent.get("reason").map(|reason| {
        let line = reason.trim().chars().filter(|c| !c.is_control());
        line.take(REASON_MAX).collect::<String>()
    });
    let (filter, said) = (meant.filter, reason.clone());
    person
        .write(move |tx| {
            let announced = incident::announce(tx, &filter, count, said.as_deref());
            announced.map_err(Error::from)
        })
        .await??;
    let because = Because::Asked(reason);
    let revoked = bulk::revoke(&person.app, &meant.search, async |grants: Vec<Id>| {
        let because = because.clone();
        person
            .write(move |tx| {
                let ended = incident::end(tx, &grants, &because);
                ended.map_err(Error::from)
            })
            .await?
    });
    let done = revoked.await?.to_string();
    Ok(see_other(&with_query(
        routes::ADMIN_TOKENS,
        &[("done", &done)],
    )))
}

/// The tokens that a form is about.
struct Meant {
    filter: Filter,
    search: Search,
    carried: Vec<(&'static str, String)>,
}

impl Meant {
    async fn of(person: &SignedIn, sent: &Params) -> Result<Self, Error> {
        let (filter, carried) = if sent.get("all").is_some() {
            let wanted = Wanted::of(sent);
            let search = wanted.search(&person.app).await?.map_err(Error::Filter)?;
            let all = [("all", "yes".to_owned())].into_iter();
            (search.filter, all.chain(wanted.fields().to_vec()).collect())
        } else {
            let ids: Result<Vec<Id>, _> = sent.all("id").map(str::parse).collect();
            let ids = ids.ok().filter(|ids| ids.len() <= IDS_MAX);
            let ids = ids.ok_or(Error::Tampered("These are not tokens that were ticked."))?;
            let carried = ids.iter().map(|id| ("id", id.to_string())).collect();
            let filter = Filter {
                ids: Some(ids),
                ..Filter::default()
            };
            (filter, carried)
        };
        if matches!(filter.status, Some(State::Expired | State::Revoked)) {
            let sentence = "Only active and pending tokens can be revoked.";
            return Err(Error::Filter(sentence.to_owned()));
        }
        Ok(Self {
            search: incident::search(filter.clone(), person.app.now()),
            filter,
            carried,
        })
    }

    /// Whether nothing was ticked.
    fn is_nothing(&self) -> bool {
        self.filter.ids.as_ref().is_some_and(Vec::is_empty)
    }
}

async fn form(
    person: &SignedIn,
    status: StatusCode,
    meant: &Meant,
    count: i64,
    sent: &Params,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let found = bulk::first(&person.app, &meant.search, SHOWN).await?;
    let now = person.app.now();
    let rows = person.app.query(move |rx| {
        let people = People::of(rx, &found)?;
        Ok(found.iter().map(|found| people.row(found, now)).collect())
    });
    let text = |name| sent.get(name).unwrap_or_default().to_owned();
    let view = RevokeMany {
        frame: Frame::of(person, "admin"),
        errors,
        count,
        rows: rows.await?,
        carried: meant.carried.clone(),
        typed: text("count"),
        reason: text("reason"),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}

impl From<NotSearched> for Error {
    fn from(error: NotSearched) -> Self {
        match error {
            NotSearched::Fault(fault) => fault.into(),
            refusal => Error::Filter(refusal.to_string()),
        }
    }
}
