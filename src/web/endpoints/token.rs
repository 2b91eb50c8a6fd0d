//! `POST /oauth/token`

use actix_web::http::header::PRAGMA;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::IssueDesk;
use crate::oauth::error::InvalidRequest;
use crate::oauth::grant_types::{
    Presented, TokenRequest, authorization_code, client_credentials, refresh_token,
};
use crate::oauth::{Error, Params};
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
        catalogue,
        params,
        caller,
    } = asked;
    let request = TokenRequest {
        client,
        params,
        catalogue,
    };
    let response = match request.presented(&app.policy().brands)? {
        Presented::Code(code) => {
            app.write(caller, move |tx| {
                authorization_code::respond(tx, &request, &code)
            })
            .await?
        }
        Presented::RefreshToken(token) => {
            app.write(caller, move |tx| {
                refresh_token::respond(tx, &request, &token)
            })
            .await?
        }
        Presented::Itself(itself) => {
            let (token, response) =
                client_credentials::prepare(&request, itself, app.policy(), app.now())?;
            issue_desk(&req).issue(caller, token).await?;
            response
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header((PRAGMA, "no-cache"))
        .json(response))
}

/// Where services get their tokens.
fn issue_desk(req: &HttpRequest) -> &IssueDesk {
    req.app_data()
        .expect("every worker has its place at the desk")
}
