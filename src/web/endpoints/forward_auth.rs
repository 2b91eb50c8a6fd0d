//! `/forward-auth/{policy}`, by any method

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::WWW_AUTHENTICATE;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::json;

use crate::domain::forward_policy::ForwardPolicy;
use crate::domain::tx::{Actor, Caller};
use crate::oauth::forward_auth::{Outcome, Ruling, decide};
use crate::web::doors::{Proxy, watch};
use crate::web::{errors, telemetry};

/// What a header can't have as it is: control characters, and all that is not ASCII. A percent sign is one that we wrote.
const UNSAFE: &AsciiSet = &CONTROLS.add(b'%');

/// Tell a proxy whether a request may pass: 200 with headers that say who is behind it, 401 or 403. Nothing else, for nginx
/// makes a fault of everything else.
pub async fn answer(asked: Proxy) -> HttpResponse {
    let (app, now) = (&asked.app, asked.app.now());
    let caller = || Caller {
        actor: Actor::Anyone,
        address: asked.address,
        request_id: telemetry::request_id(),
    };
    watch(app, &asked.found, caller, "at the forward-auth endpoint");
    let outcome = decide(&asked.question, &asked.found, now, asked.address);
    app.metrics().forward_auths.count(outcome.ruling);
    if let (true, Some(bearer)) = (outcome.ruling.is_for_us(), &asked.found.bearer) {
        app.last_used().note(bearer, now, asked.address);
    }
    match (outcome.ruling, &asked.found.policy) {
        (Ruling::Allowed(_), Some(policy)) => pass(&outcome, policy),
        _ => refuse(&outcome),
    }
}

fn pass(outcome: &Outcome, policy: &ForwardPolicy) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    for (fact, value) in &outcome.facts {
        let value = utf8_percent_encode(value, UNSAFE).to_string();
        response.insert_header((policy.headers.name(*fact), value));
    }
    response.finish()
}

fn refuse(outcome: &Outcome) -> HttpResponse {
    let status = match outcome.ruling {
        Ruling::NoToken | Ruling::BadToken(_) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::FORBIDDEN,
    };
    let code = outcome.ruling.code();
    let mut challenge = "Bearer realm=\"jeton\"".to_owned();
    if let Some(code) = code {
        challenge += &format!(", error=\"{code}\"");
    }
    if !outcome.missing.is_empty() {
        challenge += &format!(", scope=\"{}\"", outcome.missing);
    }
    let mut response = errors::answer(status);
    if status == StatusCode::UNAUTHORIZED {
        // It makes git and its like ask for a password. First, for of several an nginx before 1.23 hands on only that.
        let basic = "Basic realm=\"jeton\", charset=\"UTF-8\"";
        response.append_header((WWW_AUTHENTICATE, basic));
    }
    response.append_header((WWW_AUTHENTICATE, challenge));
    let mut sentence = outcome.ruling.sentence().to_owned();
    if !outcome.missing.is_empty() {
        sentence += &format!(": {}", outcome.missing);
    }
    response.json(json!({
        "error": code.unwrap_or("invalid_token"),
        "error_description": sentence,
    }))
}
