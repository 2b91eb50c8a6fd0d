//! `POST /oauth/introspect`

use actix_web::HttpResponse;

use crate::oauth::Error;
use crate::oauth::introspection::{Question, Verdict, answer};
use crate::web::doors::Questioner;
use crate::web::telemetry;

/// Tell a resource server whether a token is good, and for what (RFC 7662).
pub async fn post(asked: Questioner) -> Result<HttpResponse, Error> {
    let app = asked.app.clone();
    let question = Question::read(&asked.params, &app.policy().brands);
    let token = question.as_ref().ok().and_then(Question::token);
    let (client, found) = asked.ask(token).await?;
    let (question, now) = (question?, app.now());
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
