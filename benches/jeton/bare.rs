//! What is measured against.

use std::fs;
use std::rc::Rc;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpServer, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::Result;

/// What a bare handler reads of each request, and what it answers: the same as the server beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bare {
    /// Where, as actix-web's routes have it.
    pub path: String,
    /// The member that the form, or the JSON, has to have; empty if there is neither.
    pub needs: String,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

/// Serve one handler that does what every server has to: read the credentials and the body, answer.
pub fn serve(port: u16, file: &str) -> Result<()> {
    let bare: Bare = serde_json::from_str(&fs::read_to_string(file)?)?;
    let mut headers = vec![];
    for (name, value) in &bare.headers {
        headers.push((HeaderName::try_from(name)?, HeaderValue::try_from(value)?));
    }
    let status = StatusCode::from_u16(bare.status)?;
    let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let server = HttpServer::new(move || {
        let bare = Rc::new((bare.clone(), headers.clone()));
        let path = bare.0.path.clone();
        let handler = move |req: HttpRequest, body: web::Bytes| {
            let bare = Rc::clone(&bare);
            async move {
                let (bare, headers) = &*bare;
                if !is_named(&req) || !bare.is_in(&body) {
                    return HttpResponse::BadRequest().finish();
                }
                let mut response = HttpResponse::build(status);
                for header in headers {
                    response.insert_header(header.clone());
                }
                response.body(bare.body.clone())
            }
        };
        actix_web::App::new().route(&path, web::route().to(handler))
    });
    let server = server.workers(workers).bind(("127.0.0.1", port))?;
    Ok(actix_web::rt::System::new().block_on(server.run())?)
}

/// Whether the request says who asks.
fn is_named(req: &HttpRequest) -> bool {
    let header = req.headers().get(AUTHORIZATION);
    let header = header.and_then(|value| value.to_str().ok()).unwrap_or("");
    match header.strip_prefix("Basic ") {
        Some(basic) => STANDARD
            .decode(basic)
            .is_ok_and(|pair| pair.contains(&b':')),
        None => header.starts_with("Bearer "),
    }
}

impl Bare {
    fn is_in(&self, body: &[u8]) -> bool {
        if self.needs.is_empty() {
            return true;
        }
        if body.starts_with(b"{") {
            let json = serde_json::from_slice::<serde_json::Value>(body);
            return json.is_ok_and(|json| json.get(&self.needs).is_some());
        }
        url::form_urlencoded::parse(body)
            .any(|(name, value)| name == self.needs.as_str() && !value.is_empty())
    }
}
