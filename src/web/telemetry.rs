//! Around every request: an id, a count, a span, a line in the log, and the headers that every answer has.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, web};

use crate::app::App;
use crate::clock::{Clock, Timestamp};
use crate::domain::id::Id;
use crate::metrics::Endpoint;
use crate::traces::RequestSpan;
use crate::web::routes::{FORWARD_AUTH, FORWARD_AUTH_PATH, INTROSPECT};
use crate::web::{Leaving, address};

tokio::task_local! {
    static REQUEST_ID: Id;
}

/// The id of the request that is being answered, for the log, the audit trail and error pages.
pub fn request_id() -> Option<Id> {
    REQUEST_ID.try_with(|id| *id).ok()
}

/// Answer a request under an id of its own, count it, and log how it went: never its query, headers or body, and of its
/// path only the pattern that matched, for people paste secrets into the strangest places.
pub async fn around(
    req: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    // An id is only unique: a clock that a test holds has no part in it.
    let now: Timestamp = Clock::System.now();
    let id = Id::new(now);
    let began = Instant::now();
    let span = span(req.request());
    let mut res = REQUEST_ID.scope(id, next.call(req)).await?;
    let (req, took) = (res.request(), began.elapsed());
    let endpoint = req.app_data::<Endpoint>();
    if let Some(endpoint) = endpoint {
        endpoint.answered(req.method(), res.status(), took);
    }
    let route = endpoint.and_then(|endpoint| endpoint.route);
    if let Some(span) = span {
        span.end(route, res.status(), id);
    }
    log(req, route, id, res.status(), took);
    dress(&mut res, id);
    Ok(res)
}

/// A line for the answer. A resource server, and a proxy, asks on every request it serves: that it was told is of
/// interest only to who looks for a fault.
fn log(req: &HttpRequest, route: Option<&str>, id: Id, status: StatusCode, took: Duration) {
    macro_rules! line {
        ($level:ident) => {
            tracing::$level!(
                request = %id,
                method = %req.method(),
                path = route.unwrap_or("/(unknown)"),
                status = status.as_u16(),
                ms = took.as_millis() as u64,
                from = from(req).map(tracing::field::display),
                "answered",
            )
        };
    }
    let asked_for_others = match route {
        Some(INTROSPECT) => status.is_success(),
        // A refusal is for whoever the proxy asks about.
        Some(FORWARD_AUTH | FORWARD_AUTH_PATH) => !status.is_server_error(),
        _ => false,
    };
    if asked_for_others {
        line!(debug);
    } else {
        line!(info);
    }
}

fn span(req: &HttpRequest) -> Option<RequestSpan> {
    let parent = req.headers().get("traceparent");
    let parent = parent.and_then(|value| value.to_str().ok());
    req.app_data::<App>()?.traces().begin(req.method(), parent)
}

fn from(req: &HttpRequest) -> Option<IpAddr> {
    let trusted = req
        .app_data::<App>()
        .map(|app| app.config().trusted_proxies.as_slice());
    address::of(req, trusted.unwrap_or_default())
}

/// Nothing is cached, framed, sniffed or told to others unless an answer says so itself.
fn dress<B>(res: &mut ServiceResponse<B>, id: Id) {
    let leaving = res.request().app_data::<web::Data<Leaving>>();
    if leaving.is_some_and(|leaving| leaving.has_begun()) {
        // Whoever keeps a connection to a node that leaves is told to make the next one elsewhere.
        let head = res.response_mut().head_mut();
        head.set_connection_type(ConnectionType::Close);
    }
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
