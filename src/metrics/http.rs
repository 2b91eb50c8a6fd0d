//! Requests, by the route that answered them.

use std::cell::RefCell;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus::{
    Histogram, HistogramVec, IntCounter, IntCounterVec, Registry,
    register_histogram_vec_with_registry, register_int_counter_vec_with_registry,
};

/// Seconds: an introspection takes less than a thousandth, a sign-in some hundredths, and after five nobody waits.
const SECONDS: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
];

/// What no route answers.
const UNKNOWN: &str = "unknown";

/// The requests of all endpoints.
pub struct Http {
    requests: IntCounterVec,
    durations: HistogramVec,
}

impl Http {
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        Ok(Self {
            requests: register_int_counter_vec_with_registry!(
                "jeton_http_requests_total",
                "Requests answered, by the pattern of their route, method and status.",
                &["endpoint", "method", "status"],
                registry
            )?,
            durations: register_histogram_vec_with_registry!(
                "jeton_http_request_duration_seconds",
                "From a request's head to the head of its answer.",
                &["endpoint"],
                SECONDS.to_vec(),
                registry
            )?,
        })
    }

    /// One worker's handles for the requests that the route with this pattern answers, or no route.
    pub fn endpoint(&self, route: Option<&'static str>) -> Endpoint {
        let label = route.unwrap_or(UNKNOWN);
        Endpoint {
            route,
            label,
            duration: self.durations.with_label_values(&[label]),
            requests: self.requests.clone(),
            seen: RefCell::default(),
        }
    }
}

/// One worker's handles for the requests of one route. Those of a method and status are looked up once.
pub struct Endpoint {
    /// The pattern of the route's path.
    pub route: Option<&'static str>,
    label: &'static str,
    duration: Histogram,
    requests: IntCounterVec,
    seen: RefCell<Vec<(&'static str, StatusCode, IntCounter)>>,
}

impl Endpoint {
    /// Count a request that was answered so, after so long.
    pub fn answered(&self, method: &Method, status: StatusCode, took: Duration) {
        self.duration.observe(took.as_secs_f64());
        let method = method_word(method);
        let mut seen = self.seen.borrow_mut();
        let found = seen
            .iter()
            .find(|(of, with, _)| *of == method && *with == status);
        if let Some((_, _, requests)) = found {
            requests.inc();
            return;
        }
        let requests = self
            .requests
            .with_label_values(&[self.label, method, status.as_str()]);
        requests.inc();
        seen.push((method, status, requests));
    }
}

/// The method's name, if it is one of the usual: a client may make its own.
pub fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        _ => "_OTHER",
    }
}
