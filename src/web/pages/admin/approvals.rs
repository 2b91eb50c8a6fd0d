//! Tokens that wait for an administrator's approval.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::people::People;
use super::{AdminRow, Error, Errors, Frame, Leads, page, see_other, with_query};
use crate::clock::Timestamp;
use crate::domain::id::Id;
use crate::domain::personal_token::order::Position;
use crate::domain::personal_token::search::Found;
use crate::domain::personal_token::{PersonalToken, Problem};
use crate::oauth::Params;
use crate::web::doors::{Administrator, Posted, SignedIn};
use crate::web::form::Query;
use crate::web::pages::When;
use crate::web::{errors, routes};

#[derive(Template)]
#[template(path = "admin/approvals.html")]
struct Approvals {
    frame: Frame,
    /// Fields: words_ID and why_ID for each token, form.
    errors: Errors,
    waiting: Vec<Waiting>,
    /// From where on these are, as the forms bring it back; empty for the first page.
    after: String,
    /// Where to go on, if there are more.
    next: Option<String>,
}

/// A token that waits.
struct Waiting {
    row: AdminRow,
    since: When,
    /// What its owner says it is for.
    reason: String,
    /// What is said to the owner when it is approved, and why it is refused.
    words: String,
    why: String,
    words_field: String,
    why_field: String,
}

/// Tokens on a page.
const LIMIT: usize = 20;

/// What stands in a field of one of the tokens.
#[derive(Default)]
struct Said {
    token: String,
    refuses: bool,
    words: String,
}

impl Said {
    fn of(form: &Params, token: String) -> Self {
        Self {
            token,
            refuses: form.get("act") != Some("approve"),
            words: form.get("words").unwrap_or_default().to_owned(),
        }
    }

    fn about(&self, token: &str, refuses: bool) -> String {
        let is_it = self.token == token && self.refuses == refuses;
        if is_it {
            self.words.clone()
        } else {
            String::new()
        }
    }
}

/// The tokens that wait, those that have waited longest first.
pub async fn get(
    Administrator(person): Administrator,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    let notice = match query.get("done") {
        Some("approved") => Some("The token is approved, and works."),
        Some("refused") => Some("The token is refused, and has ended."),
        _ => None,
    };
    let token = query.get("token").unwrap_or_default().to_owned();
    let page = Page {
        from: place(&query),
        said: Said::of(&query, token),
        errors: Errors::default(),
        notice,
    };
    page.answer(&person, StatusCode::OK).await
}

/// From where on the tokens are shown.
fn place(params: &Params) -> Option<Position> {
    let (key, id) = params.get("after")?.split_once('.')?;
    Some(Position {
        key: key.parse().ok()?,
        id: id.parse().ok()?,
    })
}

/// The page from there on, with what else its link says.
fn link(from: Option<Position>, besides: &[(&str, &str)]) -> String {
    let after = written(from);
    let mut pairs = besides.to_vec();
    pairs.extend((!after.is_empty()).then_some(("after", &*after)));
    with_query(routes::ADMIN_APPROVALS, &pairs)
}

fn written(from: Option<Position>) -> String {
    from.map_or_else(String::new, |Position { key, id }| format!("{key}.{id}"))
}

/// Approve a token or refuse it. To let one work takes the password, as making one does.
pub async fn post(
    posted: Posted<Administrator>,
    id: web::Path<String>,
) -> Result<HttpResponse, Error> {
    let (Administrator(person), sent) = (posted.by, posted.form);
    let id: Id = id.parse().map_err(|_| Error::NotFound)?;
    let said = Said::of(&sent, id.to_string());
    let from = place(&sent);
    let (refuses, words) = (said.refuses, said.words.clone());
    if !refuses {
        let back = [
            ("token", said.token.as_str()),
            ("act", "approve"),
            ("words", &words),
        ];
        person.recently(|| link(from, &back))?;
    }
    let decided = person.write(move |tx| {
        let token = PersonalToken::find(tx, id)?.ok_or(Problem::NotPending)?;
        match refuses {
            true => token.refuse(tx, &words),
            false => token.approve(tx, &words),
        }
    });
    let done = if refuses { "refused" } else { "approved" };
    let errors = match decided.await? {
        Ok(_) => return Ok(see_other(&link(from, &[("done", done)]))),
        Err(Problem::Fault(fault)) => return Err(fault.into()),
        Err(Problem::Words) => {
            let field = if refuses { "why" } else { "words" };
            Errors::one(format!("{field}_{id}"), Problem::Words.to_string())
        }
        Err(problem) => Errors::one("form", problem.to_string()),
    };
    let page = Page {
        from,
        said,
        errors,
        notice: None,
    };
    page.answer(&person, StatusCode::UNPROCESSABLE_ENTITY).await
}

/// What a page shows besides the tokens that wait.
struct Page {
    from: Option<Position>,
    said: Said,
    errors: Errors,
    notice: Option<&'static str>,
}

impl Page {
    async fn answer(self, person: &SignedIn, status: StatusCode) -> Result<HttpResponse, Error> {
        let (from, now) = (self.from, person.app.now());
        let read = person.app.query(move |rx| {
            let mut found = PersonalToken::waiting(rx, from, LIMIT, now)?;
            if found.items.is_empty() {
                // The last one of the last page has been decided.
                found = PersonalToken::waiting(rx, None, LIMIT, now)?;
            }
            let people = People::of(rx, &found.items)?;
            let rows: Vec<AdminRow> = found
                .items
                .iter()
                .map(|item| people.row(item, now))
                .collect();
            Ok((found, rows))
        });
        let (found, rows) = read.await?;
        let rows = found.items.iter().zip(rows);
        let view = Approvals {
            frame: Frame::of(person, "approvals").with_notice(self.notice),
            errors: self.errors,
            waiting: rows
                .map(|(item, row)| waiting(item, row, &self.said, now))
                .collect(),
            after: written(from),
            next: found.next.map(|next| link(Some(next), &[])),
        };
        page(errors::answer(status), &person.browser, Leads::Here, &view)
    }
}

fn waiting(item: &Found, row: AdminRow, said: &Said, now: Timestamp) -> Waiting {
    let grant = &item.token.grant;
    Waiting {
        since: When::of(grant.pending_since.unwrap_or(now), now),
        reason: grant.request_reason.clone().unwrap_or_default(),
        words: said.about(&row.token.id, false),
        why: said.about(&row.token.id, true),
        words_field: format!("words_{}", row.token.id),
        why_field: format!("why_{}", row.token.id),
        row,
    }
}
