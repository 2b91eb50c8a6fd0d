//! Around every request: an id, a line in the log, and the headers that every answer has.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::middleware::Next;

use crate::app::App;
use crate::clock::{Clock, Timestamp};
use crate::domain::id::Id;
use crate::web::address;

tokio::task_local! {
    static REQUEST_ID: Id;
}

/// The id of the request that is being answered, for the log, the audit trail and error pages.
pub fn request_id() -> Option<Id> {
    REQUEST_ID.try_with(|id| *id).ok()
}

/// Answer a request under an id of its own, and log how it went: never its query, headers or body, and of its path only
/// the pattern that matched, for people paste secrets into the strangest places.
pub async fn around(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // An id is only unique: a clock that a test holds has no part in it.
    let now: Timestamp = Clock::System.now();
    let id = Id::new(now);
    let began = Instant::now();
    let method = req.method().clone();
    let trusted = req
        .app_data::<App>()
        .map(|app| app.config().trusted_proxies.as_slice());
    let from = address::of(req.request(), trusted.unwrap_or_default());
    let mut res = REQUEST_ID.scope(id, next.call(req)).await?;
    tracing::info!(
        request = %id,
        %method,
        path = res.request().match_pattern().as_deref().unwrap_or("/(unknown)"),
        status = res.status().as_u16(),
        ms = began.elapsed().as_millis() as u64,
        from = from.map(tracing::field::display),
        "answered",
    );
    dress(&mut res, id);
    Ok(res)
}

/// Nothing is cached, framed, sniffed or told to others unless an answer says so itself.
fn dress<B>(res: &mut ServiceResponse<B>, id: Id) {
    let headers = res.headers_mut();
    let defaults = [
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (
            CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in defaults {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if let Ok(id) = HeaderValue::try_from(id.to_string()) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
}
