//! `/api/policies/personal-access-tokens`: the rules for people's own tokens, and what they would change.

use actix_web::web::{self, Json};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::all_tokens::found;
use super::token::TokenView;
use super::{Code, Error, parse};
use crate::domain::token_policy::{Breach, Decision, Unfit};
use crate::web::doors::{Manager, ReadPolicies, Write, WritePolicies};
use crate::web::openapi::Operation;

/// What rules would change.
#[derive(Serialize, JsonSchema)]
#[schemars(
    rename = "TokenPolicyPreview",
    description = "Live tokens that would break such rules."
)]
pub struct PreviewView {
    count: usize,
    /// The first hundred.
    tokens: Vec<BreachView>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "BreachOfPolicy")]
struct BreachView {
    id: String,
    user_id: Option<String>,
    name: String,
    breach: Breach,
}

impl From<Unfit> for Error {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::Fault(fault) => fault.into(),
            unfit => Self::new(Code::PolicyInvalid, unfit.to_string()),
        }
    }
}

pub const SHOW: Operation = Operation::new(
    "getTokenPolicy",
    "Show the rules for personal access tokens that are in force",
);
/// The rules in force.
pub async fn show(by: Manager<ReadPolicies>) -> Result<Json<Decision>, Error> {
    let policy = by.app.read(|rx| rx.token_policy()).await?;
    Ok(Json(Decision::of(&policy)))
}

pub const DECIDE: Operation = Operation::new(
    "decideTokenPolicy",
    "Decide the rules, whole; they hold for new and rotated tokens from now on",
)
.takes::<Decision>()
.refuses(&[Code::PolicyInvalid]);
/// Decide the rules, whole. They hold for new and rotated tokens from now on.
pub async fn decide(by: Manager<WritePolicies>) -> Result<Json<Decision>, Error> {
    let decision: Decision = parse(&by.body)?;
    let decided = by.write(move |tx| Ok(decision.decide(tx)?)).await?;
    Ok(Json(decided))
}

pub const PREVIEW: Operation = Operation::new(
    "previewTokenPolicy",
    "Tell which live tokens would break such rules; nothing changes",
)
.takes::<Decision>()
.refuses(&[Code::PolicyInvalid]);
/// Which live tokens would break such rules: how many, and the first hundred. Nothing changes.
pub async fn preview(by: Manager<ReadPolicies>) -> Result<Json<PreviewView>, Error> {
    let decision: Decision = parse(&by.body)?;
    let preview = by.app.read(move |rx| decision.preview(rx));
    let (count, some) = preview.await?;
    let tokens = some.iter().map(|(token, breach)| BreachView {
        id: token.token.id.to_string(),
        user_id: token.grant.user_id.map(|id| id.to_string()),
        name: token.name().to_owned(),
        breach: *breach,
    });
    Ok(Json(PreviewView {
        count,
        tokens: tokens.collect(),
    }))
}

/// Words to the owner of a token that waits for approval.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    /// One line of at most 255 characters.
    #[serde(default)]
    reason: String,
}

pub const APPROVE: Operation = Operation::new(
    "approveToken",
    "Let a token work that waits for approval; its owner gets the words, if there are any",
)
.may_take::<Words>()
.refuses(&[Code::WordsInvalid, Code::NotPending]);
/// Let a token work that waits for approval. The body may have words to its owner.
pub async fn approve(by: Manager<Write>, id: web::Path<String>) -> Result<Json<TokenView>, Error> {
    let words = match by.body.is_empty() {
        true => Words::default(),
        false => parse(&by.body)?,
    };
    let view = by.write(move |tx| {
        let token = found(tx, &id)?.approve(tx, &words.reason)?;
        Ok::<_, Error>(TokenView::of(&token, tx.now))
    });
    Ok(Json(view.await?))
}

pub const REFUSE: Operation = Operation::new(
    "refuseToken",
    "End a token that waits for approval; its owner gets the reason",
)
.takes::<Words>()
.refuses(&[Code::WordsInvalid, Code::NotPending]);
/// End a token that waits for approval. The body says why, to its owner.
pub async fn refuse(by: Manager<Write>, id: web::Path<String>) -> Result<Json<TokenView>, Error> {
    let words: Words = parse(&by.body)?;
    let view = by.write(move |tx| {
        let token = found(tx, &id)?.refuse(tx, &words.reason)?;
        Ok::<_, Error>(TokenView::of(&token, tx.now))
    });
    Ok(Json(view.await?))
}
