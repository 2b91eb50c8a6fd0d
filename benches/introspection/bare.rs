//! What is measured against.

use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::{PATH, Result};

/// Serve one handler that does of introspection what every server has to: read the credentials and the form, answer.
pub fn bare(port: u16, answer: &str) -> Result<()> {
    let (headers, body) = answer.split_once("\n\n").ok_or("an answer has a body")?;
    let headers: Vec<(String, String)> = headers
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let body = body.to_owned();
    let server = HttpServer::new(move || {
        let (headers, body) = (headers.clone(), body.clone());
        let handler = move |req: HttpRequest, form: web::Bytes| {
            let (headers, body) = (headers.clone(), body.clone());
            async move { reply(&req, &form, &headers, body) }
        };
        actix_web::App::new().route(PATH, web::post().to(handler))
    });
    let server = server.workers(workers()).bind(("127.0.0.1", port))?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

fn reply(
    req: &HttpRequest,
    form: &[u8],
    headers: &[(String, String)],
    body: String,
) -> HttpResponse {
    let header = req.headers().get(AUTHORIZATION);
    let basic = header.and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    let pair = basic.and_then(|basic| STANDARD.decode(basic).ok());
    let named = pair.is_some_and(|pair| pair.contains(&b':'));
    let token =
        url::form_urlencoded::parse(form).any(|(name, value)| name == "token" && !value.is_empty());
    if !named || !token {
        return HttpResponse::BadRequest().finish();
    }
    let mut response = HttpResponse::Ok();
    for (name, value) in headers {
        response.insert_header((name.as_str(), value.as_str()));
    }
    response.body(body)
}

/// As many as `jeton serve` has.
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
}
