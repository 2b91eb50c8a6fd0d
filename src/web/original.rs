//! The request that a proxy asks about: nginx is told to say it by headers, Caddy and Traefik say it by others, Envoy
//! repeats it. All that say it have to say the same: which of them the proxy wrote, and which came with the request,
//! can't be seen.

use actix_web::HttpRequest;

use crate::oauth::forward_auth::{Request, Unclear};

/// The headers that say it, each with its method and its target.
const TOLD: [(&str, &str); 2] = [
    ("x-original-method", "x-original-uri"),
    ("x-forwarded-method", "x-forwarded-uri"),
];

/// The request that `req` is about; `rest` is what of its own path repeats that of the other.
pub fn of(req: &HttpRequest, rest: Option<&str>) -> Result<Request, Unclear> {
    let mut said: Option<(&str, &str)> = rest.map(|rest| (req.method().as_str(), rest));
    for (method, target) in TOLD {
        let told = match (only(req, method)?, only(req, target)?) {
            (None, None) => continue,
            (Some(method), Some(target)) => (method, target),
            _ => return Err(Unclear::Contradictory),
        };
        // The query is not asked about, and not everybody repeats it.
        if said.is_some_and(|said| said.0 != told.0 || path(said.1) != path(told.1)) {
            return Err(Unclear::Contradictory);
        }
        said = Some(told);
    }
    let (method, target) = said.ok_or(Unclear::Missing)?;
    Request::read(method, target)
}

fn path(target: &str) -> &str {
    target.split('?').next().unwrap_or_default()
}

/// The value of a header that may come once.
fn only<'a>(req: &'a HttpRequest, name: &str) -> Result<Option<&'a str>, Unclear> {
    let mut values = req.headers().get_all(name);
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Unclear::Contradictory);
    }
    // What is not ASCII is in no method and in no path.
    value.to_str().map(Some).map_err(|_| Unclear::Path)
}
