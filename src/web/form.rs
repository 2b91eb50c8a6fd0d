//! What a request brings: its body, up to a limit, and its query.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest};

use crate::oauth::Params;
use crate::oauth::error::InvalidRequest;

/// No request of a program is larger, in bytes.
pub const PROGRAM: usize = 16 * 1024;
/// But for a report of leaked tokens, which may have a thousand.
pub const REPORT: usize = 256 * 1024;
/// Or what GitHub has found: as much as comes at once.
pub const FINDINGS: usize = 1024 * 1024;
/// Nor any form of a person: it may carry a whole authorization request through signing in.
pub const PERSON: usize = 64 * 1024;

/// Read a body of `application/x-www-form-urlencoded` (RFC 6749 Appendix B).
pub async fn read(
    req: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<Params, InvalidRequest> {
    if !has_type(req, "application/x-www-form-urlencoded") {
        return Err(InvalidRequest::ContentType);
    }
    Params::decode(&body(payload, limit).await?)
}

/// A client that takes longer to send so little is not listened to any more.
const WITHIN: Duration = Duration::from_secs(10);

/// The query of a page. One that can't be read is as good as none: nothing of weight stands in it.
pub struct Query(pub Params);

impl FromRequest for Query {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self(
            Params::decode(req.query_string().as_bytes()).unwrap_or_default(),
        )))
    }
}

/// Whether the request says that its body is of this media type, whatever the parameters.
pub fn has_type(req: &HttpRequest, media_type: &str) -> bool {
    let value = req
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = value
        .unwrap_or_default()
        .split(';')
        .next()
        .unwrap_or_default()
        .trim();
    essence.eq_ignore_ascii_case(media_type)
}

/// Read the whole body, or refuse it as soon as it is too large or takes too long.
pub async fn body(payload: Payload, limit: usize) -> Result<Bytes, InvalidRequest> {
    let read = tokio::time::timeout(WITHIN, whole(payload, limit)).await;
    read.unwrap_or(Err(InvalidRequest::Unreadable))
}

async fn whole(mut payload: Payload, limit: usize) -> Result<Bytes, InvalidRequest> {
    let mut body = BytesMut::new();
    while let Some(chunk) = next(&mut payload).await {
        let chunk = chunk.map_err(|_| InvalidRequest::Unreadable)?;
        if body.len() + chunk.len() > limit {
            return Err(InvalidRequest::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn next(payload: &mut Payload) -> Option<Result<Bytes, actix_web::error::PayloadError>> {
    std::future::poll_fn(|cx| futures_core::Stream::poll_next(std::pin::Pin::new(payload), cx))
        .await
}
