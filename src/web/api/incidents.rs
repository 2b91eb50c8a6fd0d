//! `/api/users/{userId}/tokens/revoke-all` and `/api/tokens/revoke-all`: ending all tokens of one person, or of everybody.

use actix_web::web::{self, Json};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::all_tokens::confirmed;
use super::user_tokens::found_user;
use super::{Code, Error, REASON_MAX, parse, reason};
use crate::clock::Timestamp;
use crate::domain::cut_off::{Affected, CutOff};
use crate::domain::incident::{Ended, OfUser};
use crate::domain::token::TokenKind;
use crate::web::doors::{Manager, Revoke};
use crate::web::openapi::Operation;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserBody {
    /// All unless they are named.
    #[serde(default)]
    #[schemars(schema_with = "some_kinds")]
    kinds: Option<Vec<String>>,
    issued_before: Option<i64>,
    #[schemars(length(max = REASON_MAX))]
    reason: Option<String>,
    /// Tell how many would end, and end none.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EverybodyBody {
    /// All unless they are named.
    #[serde(default)]
    #[schemars(schema_with = "some_kinds")]
    kinds: Option<Vec<String>>,
    /// Not in the future.
    issued_before: i64,
    #[schemars(length(max = REASON_MAX))]
    reason: Option<String>,
    /// Tell how many would end, and end none.
    #[serde(default)]
    dry_run: bool,
    /// `count` of a dry run.
    confirm_count: Option<i64>,
}

/// How many tokens of a person end.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EndedTokens")]
pub struct EndedView {
    count: usize,
    pat: usize,
    access: usize,
    refresh: usize,
}

/// How many tokens of everybody end.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AffectedTokens")]
pub struct AffectedView {
    count: i64,
    personal_access_tokens: i64,
    apps: i64,
    services: i64,
}

pub const OF_USER: Operation = Operation::new(
    "revokeAllTokensOfUser",
    "End all tokens of a person, of the kinds and from the time that are asked for",
)
.takes::<UserBody>();
/// End all tokens of a person, of the kinds and from the time that are asked for.
pub async fn of_user(
    by: Manager<Revoke>,
    user: web::Path<String>,
) -> Result<Json<EndedView>, Error> {
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
    Ok(Json(EndedView {
        count: personal + access + refresh,
        pat: personal,
        access,
        refresh,
    }))
}

pub const OF_EVERYBODY: Operation = Operation::new(
    "revokeAllTokens",
    "End all tokens of everybody that were issued before a moment, at once",
)
.takes::<EverybodyBody>()
.refuses(&[Code::CountDiffers]);
/// End all tokens of everybody that were issued before a moment, at once.
pub async fn of_everybody(by: Manager<Revoke>) -> Result<Json<AffectedView>, Error> {
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
    Ok(Json(AffectedView::of(affected)))
}

impl AffectedView {
    fn of(affected: Affected) -> Self {
        Self {
            count: affected.all(),
            personal_access_tokens: affected.personal,
            apps: affected.apps,
            services: affected.services,
        }
    }
}

fn some_kinds(_: &mut SchemaGenerator) -> Schema {
    let kinds = TokenKind::OPENING.map(|kind| kind.as_str());
    json_schema!({"type": ["array", "null"], "items": {"enum": kinds}, "minItems": 1})
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
