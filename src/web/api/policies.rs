//! `/api/policies/personal-access-tokens`: the rules for people's own tokens, and what they would change.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::json;

use super::token::TokenView;
use super::{Error, parse};
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::domain::token_policy::{Decision, Unfit};
use crate::web::doors::{Manager, ReadPolicies, Write, WritePolicies};

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Fault(fault) => fault.into(),
            unfit => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "policy.invalid",
                unfit.to_string(),
            ),
        }
    }
}

/// The rules in force.
pub async fn show(by: Manager<ReadPolicies>) -> Result<HttpResponse, Error> {
    let policy = by.app.read(|rx| rx.token_policy()).await?;
    Ok(HttpResponse::Ok().json(Decision::of(&policy)))
}

/// Decide the rules, whole. They hold for new and rotated tokens from now on.
pub async fn decide(by: Manager<WritePolicies>) -> Result<HttpResponse, Error> {
    let decision: Decision = parse(&by.body)?;
    let decided = decision.clone();
    by.write(move |tx| Ok(decided.decide(tx)?)).await?;
    Ok(HttpResponse::Ok().json(decision))
}

/// Which live tokens would break such rules: how many, and the first hundred. Nothing changes.
pub async fn preview(by: Manager<ReadPolicies>) -> Result<HttpResponse, Error> {
    let decision: Decision = parse(&by.body)?;
    let preview = by.app.read(move |rx| decision.preview(rx));
    let (count, some) = preview.await?;
    let some: Vec<_> = some
        .iter()
        .map(|(token, breach)| {
            json!({
                "id": token.token.id.to_string(),
                "userId": token.grant.user_id.map(|id| id.to_string()),
                "name": token.name(),
                "breach": breach,
            })
        })
        .collect();
    Ok(HttpResponse::Ok().json(json!({"count": count, "tokens": some})))
}

/// Let a token work that waits for approval. To deny it, revoke it.
pub async fn approve(by: Manager<Write>, id: web::Path<String>) -> Result<HttpResponse, Error> {
    let unknown = || Error::not_found("token");
    let id: Id = id.parse().map_err(|_| unknown())?;
    let view = by
        .write(move |tx| {
            let token = PersonalToken::find(tx, id)?.ok_or_else(unknown)?;
            token.approve(tx)?;
            let token = PersonalToken::find(tx, id)?.ok_or_else(unknown)?;
            Ok(TokenView::of(&token, tx.now))
        })
        .await?;
    Ok(HttpResponse::Ok().json(view))
}
