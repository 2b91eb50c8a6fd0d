//! `POST /oauth/introspect`

use actix_web::HttpResponse;

use crate::domain::tx::{Actor, Caller};
use crate::oauth::Error;
use crate::oauth::introspection::{Question, Verdict, answer};
use crate::web::doors::{Questioner, watch};
use crate::web::telemetry;

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
    if let (Verdict::Found(..), Some(bearer)) = (outcome.verdict, &found.bearer) {
        app.last_used().note(bearer, now, question.client_ip);
    }
    if let Some(denied) = outcome.denied {
        let request = telemetry::request_id();
        app.denials().note(denied, now, question.client_ip, request);
    }
    Ok(HttpResponse::Ok().json(outcome.answer))
}
