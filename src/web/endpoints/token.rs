//! `POST /oauth/token`

use actix_web::http::header::PRAGMA;
use actix_web::{HttpRequest, HttpResponse};

use crate::app::{App, IssueDesk};
use crate::domain::tx::Caller;
use crate::oauth::client_auth;
use crate::oauth::error::InvalidRequest;
use crate::oauth::grant_types::{
    Presented, TokenRequest, authorization_code, client_credentials, refresh_token,
};
use crate::oauth::{Error, Params};
use crate::web::doors::{AnyClient, desk, watch};

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
    let presented = match request.presented(&app.policy().brands) {
        Ok(presented) => presented,
        Err(refused) => {
            tried(&req, &app, &request.params, &caller).await;
            return Err(refused);
        }
    };
    let response = match presented {
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

/// What was presented as a code or a refresh token may be a personal access token instead, and that a decoy.
async fn tried(req: &HttpRequest, app: &App, params: &Params, caller: &Caller) {
    for token in ["code", "refresh_token"]
        .iter()
        .filter_map(|name| params.get(name))
    {
        let lookup = client_auth::presented(token, &app.policy().brands);
        // Who is refused anyway hears nothing of a fault.
        if let Ok(found) = desk(req).look_up(lookup).await {
            watch(app, &found, || caller.clone(), "at the token endpoint");
        }
    }
}

/// Where services get their tokens.
fn issue_desk(req: &HttpRequest) -> &IssueDesk {
    req.app_data()
        .expect("every worker has its place at the desk")
}
