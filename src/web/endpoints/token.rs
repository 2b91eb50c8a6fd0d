//! `POST /oauth/token`

use actix_web::http::header::PRAGMA;
use actix_web::{HttpRequest, HttpResponse};

use crate::oauth::error::InvalidRequest;
use crate::oauth::{Error, Params, grant_types};
use crate::web::doors::AnyClient;

/// What must never stand in a URL, where logs and histories keep it (RFC 6749 §2.3.1).
const SECRETS: [&str; 5] = [
    "client_secret",
    "code",
    "code_verifier",
    "refresh_token",
    "password",
];

/// Give a client tokens for what it has: a code, a refresh token, its own name (RFC 6749 §3.2).
pub async fn post(asked: AnyClient, req: HttpRequest) -> Result<HttpResponse, Error> {
    let query = Params::decode(req.query_string().as_bytes())?;
    if SECRETS.iter().any(|name| query.get(name).is_some()) {
        return Err(InvalidRequest::InQuery.into());
    }
    let AnyClient {
        app,
        client,
        params,
        caller,
    } = asked;
    let presented = grant_types::read(&client, &params, &app.policy().brands)?;
    let response = app
        .write(caller, move |tx| {
            grant_types::respond(tx, &client, &presented, &params)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header((PRAGMA, "no-cache"))
        .json(response))
}
