//! `/api/personal-access-tokens/self`: a token about itself. Holding it is the right to ask and to end it.

use actix_web::web::Json;

use super::Error;
use super::token::TokenView;
use crate::db::Conn;
use crate::domain::grant::Because;
use crate::domain::id::Id;
use crate::domain::personal_token::PersonalToken;
use crate::domain::tx::Rx;
use crate::web::doors::Holder;
use crate::web::openapi::{NoContent, Operation};

pub const SHOW: Operation = Operation::new("getThisToken", "Show the presented token");
/// What the presented token is.
pub async fn show(holder: Holder) -> Result<Json<TokenView>, Error> {
    let now = holder.app.now();
    let show = move |rx: &mut Rx| {
        let token = own(rx, holder.id)?;
        Ok::<_, Error>(TokenView::in_full(rx, &token, now)?)
    };
    Ok(Json(holder.app.read(show).await?))
}

pub const REVOKE: Operation = Operation::new("revokeThisToken", "End the presented token");
/// End the presented token. One that was rotated leaves its successor be.
pub async fn revoke(holder: Holder) -> Result<NoContent, Error> {
    let Holder {
        app, id, caller, ..
    } = holder;
    app.write(caller, move |tx| {
        let token = own(tx, id)?;
        Ok::<_, Error>(token.give_back(tx, &Because::HolderRevoked)?)
    })
    .await?;
    Ok(NoContent)
}

/// The token of this id.
pub(super) fn own(conn: &mut Conn, id: Id) -> Result<PersonalToken, Error> {
    PersonalToken::find(conn, id)?.ok_or_else(|| Error::not_found("token"))
}
