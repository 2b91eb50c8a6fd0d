//! What Prometheus asks, on a listener of its own: it is nobody's business who only reaches the public one.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpServer, web};

use super::{HEADERS_WITHIN, errors};
use crate::app::App;
use crate::metrics::TEXT_FORMAT;

const PATH: &str = "/metrics";

/// Serve the metrics of `app` on `listener`, and nothing else, until the returned server is stopped.
pub fn serve(app: App, listener: TcpListener) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        let metrics = web::resource(PATH).route(web::get().to(get));
        actix_web::App::new()
            .app_data(web::Data::new(app.clone()))
            .service(metrics)
    });
    let server = server
        .workers(1)
        .client_request_timeout(HEADERS_WITHIN)
        .shutdown_timeout(1)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn get(app: web::Data<App>) -> HttpResponse {
    match app.metrics_text() {
        Ok(text) => HttpResponse::Ok().content_type(TEXT_FORMAT).body(text),
        Err(fault) => {
            errors::log(&fault);
            errors::answer(StatusCode::INTERNAL_SERVER_ERROR).finish()
        }
    }
}
