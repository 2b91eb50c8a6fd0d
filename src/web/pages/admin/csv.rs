//! The list as a file for a spreadsheet, written while it is read: however long it is, a page of it is in memory.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;

use super::Error;
use super::wanted::Wanted;
use crate::clock::Timestamp;
use crate::db::Fault;
use crate::domain::personal_token::filter::Search;
use crate::domain::personal_token::search::Found;
use crate::web::bulk::Pages;
use crate::web::doors::Administrator;
use crate::web::form::Query;

/// Rows that are read at a time.
const ROWS: usize = 500;

const HEAD: [&str; 19] = [
    "id",
    "name",
    "description",
    "owner",
    "user id",
    "owner kind",
    "status",
    "hint",
    "scopes",
    "audience",
    "created",
    "created by",
    "created via",
    "created from",
    "expires",
    "last used",
    "last used from",
    "revoked",
    "revoke reason",
];

/// All tokens that fit the filter, in the order of the list.
pub async fn get(
    Administrator(person): Administrator,
    Query(query): Query,
) -> Result<HttpResponse, Error> {
    // A file has all pages, whichever was looked at.
    let search = match Wanted::of(&query).whole().search(&person.app).await? {
        Ok(search) => Search {
            limit: ROWS,
            ..search
        },
        Err(sentence) => return Err(Error::Filter(sentence)),
    };
    let now = person.app.now();
    let mut pages = Pages::of(&person.app, &search);
    // What fails at once is told as such; later it can only end the file.
    let first = pages.next().await?;
    let (lines, incoming) = mpsc::channel(1);
    actix_web::rt::spawn(async move {
        let mut found = Ok(first);
        let mut text = line(HEAD.map(str::to_owned));
        // Whoever has hung up wants no more.
        while let Ok(Some(items)) = &found {
            items.iter().for_each(|item| text.push_str(&row(item, now)));
            let bytes = Bytes::from(std::mem::take(&mut text));
            if lines.send(Ok(bytes)).await.is_err() {
                return;
            }
            found = pages.next().await;
        }
        if let Err(error) = found {
            tracing::error!(%error, "an export was cut short");
            let _ = lines
                .send(Err(Fault::Broken("an export was cut short")))
                .await;
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"tokens.csv\""))
        .streaming(Lines(incoming)))
}

/// What comes out of the other end, piece by piece.
struct Lines(mpsc::Receiver<Result<Bytes, Fault>>);

impl Stream for Lines {
    type Item = Result<Bytes, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

fn row(found: &Found, now: Timestamp) -> String {
    let (token, grant) = (&found.token.token, &found.token.grant);
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    line([
        token.id.to_string(),
        found.token.name().to_owned(),
        text(&grant.description),
        found.username.clone(),
        grant.user_id.map(|id| id.to_string()).unwrap_or_default(),
        found.owner_kind.as_str().to_owned(),
        found.token.state(now).as_str().to_owned(),
        token.hint.clone(),
        grant.scope.to_string(),
        grant.audience.to_string(),
        grant.created_at.to_rfc3339(),
        grant.created_by.clone(),
        grant.created_via.clone(),
        text(&grant.created_from),
        time(token.expires_at),
        time(grant.last_used_at),
        text(&grant.last_used_from),
        time(grant.revoked_at),
        text(&grant.revoke_reason),
    ])
}

/// Cells in quotes (RFC 4180 §2). A spreadsheet would run one that begins like a formula: before such it gets a `'`, which
/// makes it text.
fn line<const N: usize>(cells: [String; N]) -> String {
    let quoted = cells.map(|cell| {
        let runs = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let mark = if runs { "'" } else { "" };
        format!("\"{mark}{}\"", cell.replace('"', "\"\""))
    });
    format!("{}\r\n", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_its_row() {
        for (cell, written) in [
            ("plain", "\"plain\"\r\n"),
            ("a,\"b\"\n=c", "\"a,\"\"b\"\"\n=c\"\r\n"),
            ("=1+1", "\"'=1+1\"\r\n"),
            ("+1", "\"'+1\"\r\n"),
            ("-1", "\"'-1\"\r\n"),
            ("@SUM(A1)", "\"'@SUM(A1)\"\r\n"),
            ("\t=1", "\"'\t=1\"\r\n"),
        ] {
            assert_eq!(line([cell.to_owned()]), written);
        }
    }
}
