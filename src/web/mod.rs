//! HTTP into values, values into HTTP: routes, doors, endpoints for programs, pages for people, an API for scripts.

mod address;
pub mod api;
mod browser;
mod bulk;
pub mod doors;
pub mod endpoints;
pub mod errors;
mod form;
mod leaving;
pub mod metrics;
pub mod openapi;
mod original;
pub mod pages;
pub mod routes;
mod telemetry;
pub mod whose;

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::{HttpServer, web};

pub use leaving::Leaving;

use crate::app::App;

/// How long requests under way may take when the server is told to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(20);

/// A client that takes longer to send its headers is hung up on.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);

/// Serve `app` on `listener` until the returned server is stopped, which `leaving` may announce. `workers` threads answer.
pub fn serve(
    app: App,
    listener: TcpListener,
    workers: usize,
    leaving: Leaving,
) -> std::io::Result<Server> {
    let server = HttpServer::new(move || {
        actix_web::App::new()
            .app_data(app.clone())
            .app_data(app.lookup_desk())
            .app_data(app.issue_desk())
            .app_data(web::Data::new(leaving.clone()))
            .app_data(app.metrics().http.endpoint(None))
            .configure(|config| routes::mount(config, &app.metrics().http))
            .default_service(web::to(errors::no_such_page))
            .wrap(from_fn(telemetry::around))
    });
    let server = server
        .workers(workers)
        .client_request_timeout(HEADERS_WITHIN)
        .shutdown_timeout(LAST_REQUESTS.as_secs())
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}
