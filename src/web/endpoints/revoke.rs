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
    app.write(caller, move |tx| {
        revocation::revoke(tx, client.as_ref(), &params)
    })
    .await?;
    Ok(HttpResponse::Ok().finish())
}
