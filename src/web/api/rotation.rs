//! `…/rotate`, `…/rotate/finish` and `…/rotate/cancel`: a successor that takes over without downtime. By its owner, by a
//! manager, and by the token itself.

use std::time::Duration;

use actix_web::web;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::all_tokens::found;
use super::token::TokenView;
use super::{Code, Error, my_tokens, own_token, parse};
use crate::clock::Timestamp;
use crate::domain::personal_token::{End, PersonalToken, Rotated, Rotation};
use crate::domain::resource::ROTATE_SELF;
use crate::domain::tx::Tx;
use crate::web::doors::{Account, Holder, Manager, Write};
use crate::web::openapi::{Created, NoContent, Operation};
use crate::web::whose::{Meant, Whose};

/// What a rotation is asked to be; an empty body asks for what is usual.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RotationBody {
    /// How long the old token goes on working if the new one is not used; 0 to stop it now.
    grace_seconds: Option<u64>,
    expires_at: Option<i64>,
    #[serde(default)]
    never_expires: bool,
}

/// The successor with its secret, and what it takes over from.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RotatedToken")]
pub struct RotatedView {
    #[serde(flatten)]
    successor: TokenView,
    predecessor: Predecessor,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Predecessor {
    id: String,
    overlap_until: Option<i64>,
}

impl RotationBody {
    /// Why a token is not rotated.
    const REFUSALS: &[Code] = &[
        Code::ExpiresInThePast,
        Code::EndsBeforeItBegins,
        Code::InsufficientScope,
        Code::StepUpRequired,
        Code::ScopeNotGrantable,
        Code::DetailsInvalid,
        Code::DetailsOutsideAudience,
        Code::CreationNotAllowed,
        Code::UserDisabled,
        Code::NotLive,
        Code::Pending,
        Code::AlreadyRotated,
        Code::NameExists,
        Code::LimitReached,
        Code::ExpiryBeyondPolicy,
        Code::ExpiryRequired,
        Code::NetworksRequired,
        Code::OverlapTooLong,
        Code::Lengthening,
    ];

    fn read(body: &[u8]) -> Result<Rotation, Error> {
        let body: Self = match body {
            [] => Self::default(),
            body => parse(body)?,
        };
        let end = match (body.expires_at, body.never_expires) {
            (Some(_), true) => {
                return Err(Error::malformed("A token can't both end and never expire."));
            }
            (Some(millis), false) => Some(End::At(Timestamp::from_millis(millis))),
            (None, true) => Some(End::Never),
            (None, false) => None,
        };
        Ok(Rotation {
            overlap: body.grace_seconds.map(Duration::from_secs),
            end,
            by_itself: false,
        })
    }
}

impl RotatedView {
    fn id(&self) -> &str {
        self.successor.id()
    }

    fn of(rotated: &Rotated, now: Timestamp) -> Self {
        let predecessor = &rotated.predecessor.token;
        Self {
            successor: TokenView::of(&rotated.successor, now).with_value(&rotated.secret),
            predecessor: Predecessor {
                id: predecessor.id.to_string(),
                overlap_until: predecessor.overlap_until.map(Timestamp::millis),
            },
        }
    }
}

pub const ROTATE_MINE: Operation = Operation::new(
    "rotateMyToken",
    "Give one of my tokens a successor; its value is in this answer and no other",
)
.may_take::<RotationBody>()
.refuses(RotationBody::REFUSALS);
/// Rotate one of my tokens. The successor's `value` is in this answer and no other.
pub async fn rotate_mine(
    account: Account,
    meant: web::Path<Meant>,
) -> Result<Created<RotatedView>, Error> {
    account.by.recently(String::new)?;
    let rotation = RotationBody::read(&account.body)?;
    let whose = Whose::of(&account.by, &meant).await?;
    let owner = whose.owner.id;
    let rotate =
        move |tx: &mut Tx| rotate(&my_tokens::own(tx, owner, meant.token())?, tx, rotation);
    let body = whose.write(&account.by, rotate).await??;
    let location = my_tokens::place(&whose, body.id());
    Ok(Created { body, location })
}

pub const FINISH_MINE: Operation = Operation::new(
    "finishMyRotation",
    "End the old one of two of my tokens now",
)
.refuses(&[Code::NotLive, Code::NotRotating]);
/// End the old one of two of my tokens now.
pub async fn finish_mine(account: Account, meant: web::Path<Meant>) -> Result<NoContent, Error> {
    let whose = Whose::of(&account.by, &meant).await?;
    let owner = whose.owner.id;
    let finish = move |tx: &mut Tx| finish(&my_tokens::own(tx, owner, meant.token())?, tx);
    whose.write(&account.by, finish).await??;
    Ok(NoContent)
}

pub const CANCEL_MINE: Operation = Operation::new(
    "cancelMyRotation",
    "Drop a successor of one of my tokens that nobody has used",
)
.refuses(&[Code::NotLive, Code::NotRotating, Code::SuccessorUsed]);
/// Drop a successor of one of my tokens that nobody has used.
pub async fn cancel_mine(account: Account, meant: web::Path<Meant>) -> Result<NoContent, Error> {
    let whose = Whose::of(&account.by, &meant).await?;
    let owner = whose.owner.id;
    let cancel = move |tx: &mut Tx| cancel(&my_tokens::own(tx, owner, meant.token())?, tx);
    whose.write(&account.by, cancel).await??;
    Ok(NoContent)
}

pub const ROTATE_ANY: Operation = Operation::new(
    "rotateToken",
    "Give a token a successor; its value is in this answer and no other",
)
.may_take::<RotationBody>()
.refuses(RotationBody::REFUSALS);
/// Rotate anybody's token. The successor's `value` is in this answer and no other.
pub async fn rotate_any(
    by: Manager<Write>,
    id: web::Path<String>,
) -> Result<Created<RotatedView>, Error> {
    let rotation = RotationBody::read(&by.body)?;
    let rotate = move |tx: &mut Tx| rotate(&found(tx, &id)?, tx, rotation);
    let body = by.write(rotate).await?;
    let location = format!("/api/personal-access-tokens/{}", body.id());
    Ok(Created { body, location })
}

pub const FINISH_ANY: Operation =
    Operation::new("finishRotation", "End the old one of two tokens now")
        .refuses(&[Code::NotLive, Code::NotRotating]);
/// End the old one of two of anybody's tokens now.
pub async fn finish_any(by: Manager<Write>, id: web::Path<String>) -> Result<NoContent, Error> {
    by.write(move |tx| finish(&found(tx, &id)?, tx)).await?;
    Ok(NoContent)
}

pub const CANCEL_ANY: Operation =
    Operation::new("cancelRotation", "Drop a successor that nobody has used").refuses(&[
        Code::NotLive,
        Code::NotRotating,
        Code::SuccessorUsed,
    ]);
/// Drop a successor of anybody's token that nobody has used.
pub async fn cancel_any(by: Manager<Write>, id: web::Path<String>) -> Result<NoContent, Error> {
    by.write(move |tx| cancel(&found(tx, &id)?, tx)).await?;
    Ok(NoContent)
}

pub const ROTATE_OWN: Operation = Operation::new(
    "rotateThisToken",
    "Give the presented token a successor, if it has the scope pat:rotate_self",
)
.may_take::<RotationBody>()
.refuses(RotationBody::REFUSALS);
/// Rotate the presented token, if it has the scope for that.
pub async fn rotate_own(holder: Holder) -> Result<Created<RotatedView>, Error> {
    holder.check(ROTATE_SELF)?;
    let rotation = Rotation {
        by_itself: true,
        ..RotationBody::read(&holder.body)?
    };
    let id = holder.id;
    let rotate = move |tx: &mut Tx| {
        // It is in use, then: nothing replaces it as if nobody had it.
        let (now, from) = (tx.now, tx.caller.address);
        PersonalToken::note_first_use(tx, id, now, from)?;
        rotate(&own_token::own(tx, id)?, tx, rotation)
    };
    Ok(Created {
        body: holder.app.write(holder.caller, rotate).await?,
        location: "/api/personal-access-tokens/self".to_owned(),
    })
}

pub const FINISH_OWN: Operation = Operation::new(
    "finishThisRotation",
    "End what still works beside the presented token, if it has the scope pat:rotate_self",
)
.refuses(&[Code::InsufficientScope, Code::NotLive, Code::NotRotating]);
/// End what still works beside the presented token.
pub async fn finish_own(holder: Holder) -> Result<NoContent, Error> {
    holder.check(ROTATE_SELF)?;
    let id = holder.id;
    let finish = move |tx: &mut Tx| finish(&own_token::own(tx, id)?, tx);
    holder.app.write(holder.caller, finish).await?;
    Ok(NoContent)
}

fn rotate(token: &PersonalToken, tx: &mut Tx, rotation: Rotation) -> Result<RotatedView, Error> {
    let rotated = token.rotate(tx, rotation)?;
    Ok(RotatedView::of(&rotated, tx.now))
}

fn finish(token: &PersonalToken, tx: &mut Tx) -> Result<(), Error> {
    Ok(token.finish_rotation(tx)?)
}

fn cancel(token: &PersonalToken, tx: &mut Tx) -> Result<(), Error> {
    token.cancel_rotation(tx)?;
    Ok(())
}
