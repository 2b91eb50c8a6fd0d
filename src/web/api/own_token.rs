//! `/api/personal-access-tokens/self`: a token about itself. Holding it is the right to ask and to end it.

use actix_web::HttpResponse;

use super::Error;
use super::token::TokenView;
use crate::domain::grant::Because;
use crate::domain::personal_token::PersonalToken;
use crate::web::doors::Holder;

/// What the presented token is.
pub async fn show(holder: Holder) -> Result<HttpResponse, Error> {
    let now = holder.app.now();
    let token = PersonalToken {
        token: holder.bearer.token,
        grant: holder.bearer.grant,
    };
    Ok(HttpResponse::Ok().json(TokenView::of(&token, now)))
}

/// End the presented token.
pub async fn revoke(holder: Holder) -> Result<HttpResponse, Error> {
    let Holder {
        app,
        bearer,
        caller,
    } = holder;
    app.write(caller, move |tx| {
        Ok::<_, Error>(bearer.grant.revoke(tx, &Because::HolderRevoked)?)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
