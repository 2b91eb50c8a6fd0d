//! Revoking a token, with what it would break.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{TokenRow, own};
use crate::db::Fault;
use crate::domain::grant::Because;
use crate::domain::personal_token::{PersonalToken, days};
use crate::domain::tx::Tx;
use crate::oauth::Params;
use crate::web::doors::{Posted, SignedIn};
use crate::web::errors;
use crate::web::pages::{Error, Errors, Frame, Leads, page, see_other, with_query};
use crate::web::whose::{Meant, Whose};

#[derive(Template)]
#[template(path = "tokens/revoke.html")]
struct RevokeToken<'a> {
    frame: Frame,
    whose: &'a Whose,
    /// Fields: confirm, form.
    errors: Errors,
    row: TokenRow,
    /// Used in the last 24 hours: its name must be typed.
    typed: bool,
    /// What was typed to confirm, and the reason: a refused form keeps both.
    confirm: String,
    reason: String,
    /// "Last used 3 minutes ago from 203.0.113.7. Whatever uses it stops working at once."
    consequence: String,
}

const REASON_MAX: usize = 255;

/// What would end with it.
pub async fn get(person: SignedIn, meant: web::Path<Meant>) -> Result<HttpResponse, Error> {
    let (whose, token) = own(&person, &meant).await?;
    form(
        &person,
        StatusCode::OK,
        &whose,
        &token,
        &Params::default(),
        Errors::default(),
    )
}

/// End the token. One that was used in the last 24 hours wants its name typed.
pub async fn post(
    posted: Posted<SignedIn>,
    meant: web::Path<Meant>,
) -> Result<HttpResponse, Error> {
    let Posted {
        by: person,
        form: sent,
    } = posted;
    let (whose, token) = own(&person, &meant).await?;
    if is_in_use(&person, &token) && sent.get("confirm").map(str::trim) != Some(token.name()) {
        let errors = Errors::one(
            "confirm",
            "Type the token's name to confirm: it was used in the last 24 hours.",
        );
        return form(
            &person,
            StatusCode::UNPROCESSABLE_ENTITY,
            &whose,
            &token,
            &sent,
            errors,
        );
    }
    let reason = sent
        .get("reason")
        .map(|reason| reason.trim().chars().take(REASON_MAX).collect());
    let revoke = move |tx: &mut Tx| Ok::<_, Fault>(token.revoke(tx, &Because::Asked(reason))?);
    whose.write(&person, revoke).await??;
    Ok(see_other(&with_query(&whose.home, &[("done", "revoked")])))
}

fn is_in_use(person: &SignedIn, token: &PersonalToken) -> bool {
    token
        .grant
        .last_used_at
        .is_some_and(|at| person.app.now().since(at) < days(1))
}

fn form(
    person: &SignedIn,
    status: StatusCode,
    whose: &Whose,
    token: &PersonalToken,
    sent: &Params,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let row = TokenRow::of(token, whose, person.app.now());
    let from = row
        .last_used_ip
        .as_ref()
        .map(|ip| format!(" from {ip}"))
        .unwrap_or_default();
    let consequence = match &row.last_used {
        Some(at) => format!(
            "Last used {}{from}. Whatever uses it stops working at once.",
            at.relative
        ),
        None => "It has never been used, as far as this server knows.".to_owned(),
    };
    let view = RevokeToken {
        frame: Frame::of(person, whose.here),
        whose,
        errors,
        typed: is_in_use(person, token),
        row,
        confirm: sent.get("confirm").unwrap_or_default().to_owned(),
        reason: sent.get("reason").unwrap_or_default().to_owned(),
        consequence,
    };
    page(errors::answer(status), &person.browser, Leads::Here, &view)
}
