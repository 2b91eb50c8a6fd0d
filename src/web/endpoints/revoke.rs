//! `POST /oauth/revoke`

use actix_web::HttpResponse;

use crate::oauth::{Error, revocation};
use crate::web::doors::ClientOrHolder;

/// Take a token back (RFC 7009). Unknown tokens are no error.
pub async fn post(asked: ClientOrHolder) -> Result<HttpResponse, Error> {
    let ClientOrHolder {
        app,
        client,
        params,
        caller,
    } = asked;
    if let Some(token) = revocation::presented(&params, &app.policy().brands)? {
        app.write(caller, move |tx| {
            revocation::revoke(tx, client.as_deref(), &token)
        })
        .await?;
    }
    Ok(HttpResponse::Ok().finish())
}
