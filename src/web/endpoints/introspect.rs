//! `POST /oauth/introspect`

use actix_web::HttpResponse;

use crate::oauth::Error;
use crate::oauth::introspection::{Question, answer};
use crate::web::doors::Questioner;

/// Tell a resource server whether a token is good, and for what (RFC 7662).
pub async fn post(asked: Questioner) -> Result<HttpResponse, Error> {
    let app = asked.app.clone();
    let (outcome, client_ip) = asked
        .ask(|rx, client, params| {
            let question = Question::read(params)?;
            Ok((answer(rx, client, &question)?, question.client_ip))
        })
        .await?;
    if let Some(grant) = outcome.used {
        app.last_used().note(grant, app.now(), client_ip);
    }
    Ok(HttpResponse::Ok().json(outcome.answer))
}
