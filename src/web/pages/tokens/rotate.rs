//! Rotating a token: a successor takes over without downtime.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::expiry::{Expiry, exactly, expiries, notes, value_of};
use super::wish::Wish;
use super::{TokenRow, at_field, created, own};
use crate::clock::parse_duration;
use crate::domain::personal_token::{LONGEST_OVERLAP, PersonalToken, Problem, Rotation, same_life};
use crate::domain::tx::Tx;
use crate::oauth::Params;
use crate::web::doors::{Posted, Recent, SignedIn};
use crate::web::errors;
use crate::web::pages::when::length;
use crate::web::pages::{Error, Errors, Frame, Leads, When, page, see_other, with_query};
use crate::web::whose::{Meant, Whose};

#[derive(Template)]
#[template(path = "tokens/rotate.html")]
struct RotateToken<'a> {
    frame: Frame,
    whose: &'a Whose,
    /// Fields: overlap, expires, form.
    errors: Errors,
    row: TokenRow,
    /// Whether it has ended: then nothing is left to overlap.
    ended: bool,
    overlaps: Vec<Overlap>,
    /// "15 minutes"
    drain: String,
    expiries: Vec<Expiry>,
    custom: String,
    policy_notes: Vec<String>,
}

/// How long the old token may go on working.
struct Overlap {
    /// "86400s", "0s"
    value: String,
    label: String,
    /// The deadline; `None` for at once.
    until: Option<When>,
    checked: bool,
}

/// The form.
pub async fn get(Recent(person): Recent, meant: web::Path<Meant>) -> Result<HttpResponse, Error> {
    let (whose, token) = own(&person, &meant).await?;
    let (sent, errors) = (Params::default(), Errors::default());
    form(&person, StatusCode::OK, &whose, &token, &sent, errors).await
}

/// Make the successor. Its secret is in this one answer.
pub async fn post(
    posted: Posted<SignedIn>,
    meant: web::Path<Meant>,
) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let (whose, token) = own(&person, &meant).await?;
    person.recently(|| format!("{}/{}/rotate", whose.home, meant.token()))?;
    let refused = async |errors| {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        form(&person, status, &whose, &token, &sent, errors).await
    };
    let overlap = parse_duration(sent.get("overlap").unwrap_or_default());
    let Some(overlap) = overlap else {
        let message = "Choose how long the old token goes on working.";
        return refused(Errors::one("overlap", message)).await;
    };
    let end = match Wish::posted(&sent).end(person.app.now()) {
        Ok(end) => end,
        Err(message) => return refused(Errors::one("expires", message)).await,
    };
    let rotation = Rotation {
        overlap: Some(overlap),
        end: Some(end),
        by_itself: false,
    };
    let old = token.clone();
    let rotate = move |tx: &mut Tx| old.rotate(tx, rotation);
    let rotated = whose.write(&person, rotate).await?;
    match rotated {
        Ok(rotated) => created::page_for_successor(&person, &whose, &rotated),
        Err(problem) => refused(at_field(problem, "expires")?).await,
    }
}

/// End the old token now.
pub async fn finish(
    posted: Posted<SignedIn>,
    meant: web::Path<Meant>,
) -> Result<HttpResponse, Error> {
    let (whose, token) = own(&posted.by, &meant).await?;
    let finish = move |tx: &mut Tx| token.finish_rotation(tx);
    done(&whose, whose.write(&posted.by, finish).await?, "finished")
}

/// Drop the new token, which nobody has used.
pub async fn cancel(
    posted: Posted<SignedIn>,
    meant: web::Path<Meant>,
) -> Result<HttpResponse, Error> {
    let (whose, token) = own(&posted.by, &meant).await?;
    let cancel = move |tx: &mut Tx| token.cancel_rotation(tx).map(drop);
    done(&whose, whose.write(&posted.by, cancel).await?, "cancelled")
}

/// Back to the list, which says what was done, or why it was not.
fn done(whose: &Whose, outcome: Result<(), Problem>, done: &str) -> Result<HttpResponse, Error> {
    let done = match outcome {
        Ok(()) => done,
        Err(Problem::Fault(fault)) => return Err(fault.into()),
        Err(Problem::SuccessorUsed) => "successor-used",
        Err(_) => "not-rotating",
    };
    Ok(see_other(&with_query(&whose.home, &[("done", done)])))
}

async fn form(
    person: &SignedIn,
    status: StatusCode,
    whose: &Whose,
    token: &PersonalToken,
    sent: &Params,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let policy = &person.app.read(|rx| rx.token_policy()).await?;
    let now = person.app.now();
    let chosen = sent.get("overlap").and_then(parse_duration);
    let chosen = chosen.unwrap_or(policy.overlap);
    let mut lengths = vec![
        policy.overlap,
        LONGEST_OVERLAP,
        chosen,
        std::time::Duration::ZERO,
    ];
    lengths.sort_unstable();
    lengths.dedup();
    let overlaps = lengths.into_iter().map(|overlap| Overlap {
        value: format!("{}s", overlap.as_secs()),
        label: match overlap.as_secs() {
            0 => "Not at all: stop it now".to_owned(),
            _ => format!("At most {}", exactly(overlap)),
        },
        until: (!overlap.is_zero()).then(|| When::of(now.whole_second() + overlap, now)),
        checked: overlap == chosen,
    });
    let same = same_life(&token.token, now).life(now);
    let same = same.map_or("never".to_owned(), value_of);
    let view = RotateToken {
        frame: Frame::of(person, whose.here),
        whose,
        errors,
        row: TokenRow::of(token, whose, now),
        ended: token.token.is_expired(now),
        overlaps: overlaps.collect(),
        drain: length(policy.drain),
        expiries: expiries(policy, sent.get("expires").unwrap_or(&same), now),
        custom: sent.get("expires_at").unwrap_or_default().to_owned(),
        policy_notes: notes(policy),
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
