//! `POST /oauth/introspect`

use actix_web::HttpResponse;

use crate::domain::tx::{Actor, Caller};
use crate::oauth::Error;
use crate::oauth::introspection::{Question, answer};
use crate::web::doors::{Questioner, watch};

/// Tell a resource server whether a token is good, and for what (RFC 7662).
pub async fn post(asked: Questioner) -> Result<HttpResponse, Error> {
    let app = asked.app.clone();
    let question = Question::read(&asked.params, &app.policy().brands);
    let token = question.as_ref().ok().and_then(Question::token);
    let caller = asked.caller.clone();
    let (client, found) = asked.ask(token).await?;
    let (question, now) = (question?, app.now());
    // As with last uses, the resource server's own address is not the token's.
    let caller = || Caller {
        actor: Actor::Client(client.id.clone()),
        address: question.client_ip,
        ..caller
    };
    watch(&app, &found, caller, "at the introspection endpoint");
    let outcome = answer(app.policy(), now, &client, &question, &found);
    app.metrics().introspections.count(outcome.verdict);
    if let Some(grant) = outcome.used {
        app.last_used().note(grant, now, question.client_ip);
    }
    Ok(HttpResponse::Ok().json(outcome.answer))
}
