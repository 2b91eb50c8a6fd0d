//! The list.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;

use super::people::People;
use super::wanted::Wanted;
use super::{AdminRow, Error, Frame, Leads, page};
use crate::domain::personal_token::search::NotSearched;
use crate::web::bulk::{self, Total};
use crate::web::doors::Administrator;
use crate::web::form::Query;
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "admin/tokens.html")]
struct Tokens {
    frame: Frame,
    wanted: Wanted,
    /// Why nothing could be searched.
    error: Option<String>,
    rows: Vec<AdminRow>,
    /// "3 tokens", "More than 10,000 tokens"
    total: String,
    /// Where to go on, if there may be more.
    next: Option<String>,
    first: String,
    csv: String,
    revoke_all: String,
    /// How many were revoked just now.
    done: Option<usize>,
}

/// The tokens that fit the filter, a page of them.
pub async fn get(
    Administrator(person): Administrator,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let wanted = Wanted::of(&query);
    let now = person.app.now();
    let mut view = Tokens {
        frame: Frame::of(&person, "admin"),
        error: None,
        rows: vec![],
        total: String::new(),
        next: None,
        first: wanted.link(routes::ADMIN_TOKENS, &[]),
        csv: wanted.link(routes::ADMIN_CSV, &[]),
        revoke_all: wanted.link(routes::ADMIN_REVOKE, &[("all", "yes")]),
        done: query.get("done").and_then(|done| done.parse().ok()),
        wanted,
    };
    let search = match view.wanted.search(&person.app).await? {
        Ok(search) => search,
        Err(sentence) => return refused(&person.browser, view, sentence),
    };
    let found = match bulk::page(&person.app, &search).await {
        Ok(found) => found,
        Err(NotSearched::Fault(fault)) => return Err(fault.into()),
        Err(refusal) => return refused(&person.browser, view, refusal.to_string()),
    };
    view.total = said(bulk::total(&person.app, &search).await?);
    let items = found.items;
    let rows = person.app.query(move |rx| {
        let people = People::of(rx, &items)?;
        Ok(items.iter().map(|item| people.row(item, now)).collect())
    });
    view.rows = rows.await?;
    view.next = found.next.map(|at| {
        let cursor = search.sort.cursor(at);
        view.wanted
            .link(routes::ADMIN_TOKENS, &[("cursor", &cursor)])
    });
    page(HttpResponse::Ok(), &person.browser, Leads::Here, &view)
}

fn refused(
    browser: &crate::web::browser::Browser,
    view: Tokens,
    sentence: String,
) -> Result<HttpResponse, Error> {
    let view = Tokens {
        error: Some(sentence),
        ..view
    };
    page(
        errors::answer(StatusCode::BAD_REQUEST),
        browser,
        Leads::Here,
        &view,
    )
}

/// How many there are, in words.
fn said(total: Total) -> String {
    let Total { count, is_exact } = total;
    match (count, is_exact) {
        (1, true) => "1 token".to_owned(),
        (count, true) => format!("{count} tokens"),
        (count, false) => format!("At least {count} tokens"),
    }
}
