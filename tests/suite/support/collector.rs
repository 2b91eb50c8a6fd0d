//! An OpenTelemetry collector: what traces are sent to.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, HttpServer, web};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);

/// It takes what is sent to `/v1/traces`. Stopped when dropped.
pub struct Collector {
    pub url: String,
    status: Arc<AtomicU16>,
    batches: UnboundedReceiver<web::Bytes>,
    handle: ServerHandle,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, batches) = unbounded_channel();
        let status = Arc::new(AtomicU16::new(200));
        let told = status.clone();
        let server = HttpServer::new(move || {
            let (sender, told) = (sender.clone(), told.clone());
            let take = move |batch: web::Bytes| {
                // Who is not interested any more has what was to be seen.
                let _ = sender.send(batch);
                let status = StatusCode::from_u16(told.load(Ordering::SeqCst));
                async move { HttpResponse::new(status.expect("a status")) }
            };
            actix_web::App::new().route("/v1/traces", web::post().to(take))
        });
        let server = server.workers(1).disable_signals().listen(listener);
        let server = server.expect("the collector starts").run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            url,
            status,
            batches,
            handle,
        }
    }

    /// Answer with this status from now on.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next batch of spans, as it came and as it is read.
    pub async fn batch(&mut self) -> (web::Bytes, ExportTraceServiceRequest) {
        let batch = tokio::time::timeout(PATIENCE, self.batches.recv()).await;
        let bytes = batch.expect("nothing came").expect("the collector runs");
        let read = ExportTraceServiceRequest::decode(bytes.clone());
        (bytes, read.expect("OTLP in protobuf"))
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}
