//! `/api/users/{userId}/tokens/revoke-all` and `/api/tokens/revoke-all`: ending all tokens of one person, or of everybody.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use serde_json::{Value, json};

use super::all_tokens::confirmed;
use super::user_tokens::found_user;
use super::{Error, parse, reason};
use crate::clock::Timestamp;
use crate::domain::cut_off::{Affected, CutOff};
use crate::domain::incident::{Ended, OfUser};
use crate::domain::token::TokenKind;
use crate::web::doors::{Manager, Revoke};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserBody {
    kinds: Option<Vec<String>>,
    issued_before: Option<i64>,
    reason: Option<String>,
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EverybodyBody {
    kinds: Option<Vec<String>>,
    issued_before: i64,
    reason: Option<String>,
    #[serde(default)]
    dry_run: bool,
    confirm_count: Option<i64>,
}

/// End all tokens of a person, of the kinds and from the time that are asked for.
pub async fn of_user(by: Manager<Revoke>, user: web::Path<String>) -> Result<HttpResponse, Error> {
    let body: UserBody = parse(&by.body)?;
    let wanted = OfUser {
        kinds: kinds(body.kinds)?,
        issued_before: body.issued_before.map(Timestamp::from_millis),
        reason: reason(body.reason)?,
    };
    let ended = if body.dry_run {
        by.app
            .read(move |rx| {
                let (user, now) = (found_user(rx, &user)?, rx.now);
                Ok::<_, Error>(wanted.count(rx, user.id, now)?)
            })
            .await?
    } else {
        by.write(move |tx| {
            let user = found_user(tx, &user)?;
            Ok(wanted.end(tx, user.id)?)
        })
        .await?
    };
    let Ended {
        personal,
        access,
        refresh,
    } = ended;
    Ok(HttpResponse::Ok().json(json!({
        "count": personal + access + refresh, "pat": personal, "access": access, "refresh": refresh,
    })))
}

/// End all tokens of everybody that were issued before a moment, at once.
pub async fn of_everybody(by: Manager<Revoke>) -> Result<HttpResponse, Error> {
    let body: EverybodyBody = parse(&by.body)?;
    let (kinds, words) = (kinds(body.kinds)?, reason(body.reason)?);
    let issued_before = Timestamp::from_millis(body.issued_before);
    if issued_before > by.app.now() {
        return Err(Error::malformed(
            "issuedBefore can't be in the future: no token that is made until then would be good.",
        ));
    }
    let counted = kinds.clone();
    let affected = by
        .app
        .query(move |rx| Affected::count(rx, &counted, issued_before))
        .await?;
    if !body.dry_run {
        confirmed(body.confirm_count, affected.all())?;
        by.write(move |tx| {
            let reason = words.as_deref();
            Ok(CutOff::make(tx, &kinds, issued_before, reason, affected)?)
        })
        .await?;
    }
    Ok(HttpResponse::Ok().json(said(affected)))
}

fn said(affected: Affected) -> Value {
    json!({
        "count": affected.all(),
        "personalAccessTokens": affected.personal,
        "apps": affected.apps,
        "services": affected.services,
    })
}

/// The kinds that are named, or all.
fn kinds(named: Option<Vec<String>>) -> Result<Vec<TokenKind>, Error> {
    let Some(named) = named else {
        return Ok(TokenKind::OPENING.to_vec());
    };
    let wanted = "kinds are one or several of pat, access and refresh.";
    let read = named.iter().map(|name| {
        let kind = TokenKind::OPENING
            .into_iter()
            .find(|kind| kind.as_str() == name);
        kind.ok_or_else(|| Error::malformed(wanted))
    });
    let mut kinds: Vec<TokenKind> = read.collect::<Result<_, _>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    if kinds.is_empty() {
        return Err(Error::malformed(wanted));
    }
    Ok(kinds)
}
