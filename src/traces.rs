//! Traces for OpenTelemetry: a span a request, handed in batches to a collector by a thread for which nobody waits.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::{Span as _, SpanKind, Status, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, RetryPolicy, SpanExporter as Otlp, WithExportConfig,
    WithHttpConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter};

use crate::domain::id::Id;
use crate::metrics::method_word;

const NAME: &str = "jeton";

/// What a collector has not taken by then is lost: it costs us a few thousand spans and nobody else anything.
const SEND_WITHIN: Duration = Duration::from_secs(5);

/// How long the end of the server waits for the last spans to be taken.
const LAST_WITHIN: Duration = Duration::from_secs(3);

/// Where spans go, if they go anywhere.
#[derive(Default)]
pub struct Traces(OnceLock<Sender>);

struct Sender {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

/// Why traces can't be sent.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("traces can't be sent: {0}")]
    Client(#[from] reqwest::Error),
    #[error("traces can't be sent: {0}")]
    Exporter(#[from] ExporterBuildError),
}

impl Traces {
    /// From now on send spans to the collector at this base URL.
    pub fn send_to(&self, collector: &str) -> Result<(), Unfit> {
        let client = reqwest::blocking::Client::builder()
            .timeout(SEND_WITHIN)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        let otlp = Otlp::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
            .with_timeout(SEND_WITHIN)
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let ourselves = Resource::builder()
            .with_service_name(NAME)
            .with_attribute(version);
        let provider = SdkTracerProvider::builder()
            .with_resource(ourselves.build())
            .with_batch_exporter(Quiet {
                otlp,
                failing: AtomicBool::new(false),
            })
            .build();
        let tracer = provider.tracer(NAME);
        // Set twice, the first stays.
        let _ = self.0.set(Sender { provider, tracer });
        Ok(())
    }

    /// Begin the span of a request, below the one that its `traceparent` names (W3C Trace Context §3.2). Nothing if
    /// spans go nowhere.
    pub fn begin(&self, method: &Method, traceparent: Option<&str>) -> Option<RequestSpan> {
        let sender = self.0.get()?;
        let parent = TraceContextPropagator::new()
            .extract_with_context(&Context::new(), &Traceparent(traceparent));
        let method = method_word(method);
        let span = sender
            .tracer
            .span_builder(method)
            .with_kind(SpanKind::Server)
            .start_with_context(&sender.tracer, &parent);
        Some(RequestSpan { span, method })
    }

    /// Send what is not sent yet, and no more after that.
    pub fn finish(&self) {
        let Some(sender) = self.0.get() else {
            return;
        };
        if let Err(error) = sender.provider.shutdown_with_timeout(LAST_WITHIN) {
            tracing::warn!(%error, "the last traces could not be sent");
        }
    }
}

/// The span of a request that is being answered.
pub struct RequestSpan {
    span: Span,
    method: &'static str,
}

impl RequestSpan {
    /// The request was answered: by the route of this pattern, or by none. Of the request the span has the method, and
    /// nothing that anybody else could have put a secret into.
    pub fn end(mut self, route: Option<&'static str>, status: StatusCode, request: Id) {
        if !self.span.is_recording() {
            return;
        }
        let method = KeyValue::new("http.request.method", self.method);
        self.span.set_attribute(method);
        if let Some(route) = route {
            self.span.update_name(format!("{} {route}", self.method));
            self.span.set_attribute(KeyValue::new("http.route", route));
        }
        let code = i64::from(status.as_u16());
        self.span
            .set_attribute(KeyValue::new("http.response.status_code", code));
        self.span
            .set_attribute(KeyValue::new("jeton.request_id", request.to_string()));
        if status.is_server_error() {
            self.span.set_status(Status::error(""));
        }
        self.span.end();
    }
}

/// The one header of a request that is looked at: its `tracestate` is free text, and we pass nothing on.
struct Traceparent<'a>(Option<&'a str>);

impl Extractor for Traceparent<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.filter(|_| key == "traceparent")
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

/// Says once that a collector can't be reached, and once that it can be again.
#[derive(Debug)]
struct Quiet {
    otlp: Otlp,
    failing: AtomicBool,
}

impl SpanExporter for Quiet {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.otlp.export(batch).await;
        let failed = self.failing.swap(outcome.is_err(), Ordering::Relaxed);
        match &outcome {
            Err(error) if !failed => tracing::warn!(%error, "traces are lost: not sent"),
            Ok(()) if failed => tracing::info!("traces are sent again"),
            _ => {}
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.otlp.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}
