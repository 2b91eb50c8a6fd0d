//! Traces: a span a request, below the span of whoever asked, and nothing in it that anybody could have put a secret into.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, span::SpanKind};

use crate::support::{Browser, Collector, Jeton, PASSWORD};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn words(attributes: &[KeyValue]) -> BTreeMap<&str, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?}"),
    };
    attributes
        .iter()
        .map(|pair| (pair.key.as_str(), text(pair)))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[actix_web::test]
async fn a_request_is_a_span_below_that_of_whoever_asked() {
    let mut collector = Collector::start();
    let jeton = Jeton::with(&[("otlp_endpoint", &collector.url)]);
    jeton.user("alice", PASSWORD);
    let mut server = jeton.serve();
    let notes = jeton.notes(&server.url);
    let token = jeton.token("alice", "laptop");
    let token = token["token"].as_str().unwrap();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = http
        .get(format!("{}/healthz?token={token}", server.url))
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
        .header("tracestate", "vendor=text-of-a-stranger")
        .header("user-agent", "an-agent-of-a-stranger");
    let answer = asked.send().await.unwrap();
    let id = answer.headers()["x-request-id"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(notes.accepts(token).await);
    let browser = Browser::new(&server.url);
    for path in ["/settings/tokens", "/nowhere"] {
        browser.get(&format!("{path}/{token}")).await;
    }
    // Nobody is below a parent that is none.
    let asked = http.get(format!("{}/readyz", server.url));
    let asked = asked.header("traceparent", "00-none-none-01");
    assert_eq!(asked.send().await.unwrap().status(), 200);
    let strange = "MAKE".parse().unwrap();
    let asked = http.request(strange, &server.url).send().await;
    assert_eq!(asked.unwrap().status(), 405);
    // The end sends what is left.
    server.stop();

    let (bytes, batch) = collector.batch().await;
    let resource = batch.resource_spans[0].resource.as_ref().unwrap();
    assert_eq!(words(&resource.attributes)["service.name"], "jeton");
    let spans = &batch.resource_spans[0].scope_spans[0].spans;
    let named = |name: &str| -> &Span {
        let mut found = spans.iter().filter(|span| span.name == name);
        found
            .next()
            .unwrap_or_else(|| panic!("no {name} in {spans:#?}"))
    };
    let health = named("GET /healthz");
    assert_eq!(
        (hex(&health.trace_id), hex(&health.parent_span_id)),
        (TRACE.into(), PARENT.into())
    );
    assert_eq!(health.kind(), SpanKind::Server);
    assert!(health.end_time_unix_nano > health.start_time_unix_nano);
    let expected = [
        ("http.request.method", "GET".to_owned()),
        ("http.response.status_code", "200".to_owned()),
        ("http.route", "/healthz".to_owned()),
        ("jeton.request_id", id),
    ];
    assert_eq!(words(&health.attributes), BTreeMap::from(expected));
    named("POST /oauth/introspect");
    named("GET /settings/tokens/{token}");
    assert_eq!(
        words(&named("GET").attributes)["http.response.status_code"],
        "404"
    );
    assert_eq!(
        words(&named("_OTHER /").attributes)["http.request.method"],
        "_OTHER"
    );
    let ready = named("GET /readyz");
    assert!(ready.parent_span_id.is_empty());
    assert_ne!(hex(&ready.trace_id), TRACE);

    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("/oauth/introspect"));
    for secret in [
        token,
        "stranger",
        "MAKE",
        "nowhere",
        &notes.client_id,
        &notes.client_secret,
    ] {
        assert!(!text.contains(secret), "{secret} is told");
    }
}

/// Whoever asks not to be traced is not.
#[actix_web::test]
async fn a_caller_that_is_not_sampled_makes_no_span() {
    let mut collector = Collector::start();
    let jeton = Jeton::with(&[("otlp_endpoint", &collector.url)]);
    let mut server = jeton.serve();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for (path, flags) in [("/healthz", "00"), ("/readyz", "01")] {
        let asked = http.get(format!("{}{path}", server.url));
        let asked = asked.header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"));
        assert_eq!(asked.send().await.unwrap().status(), 200);
    }
    server.stop();
    let (_, batch) = collector.batch().await;
    let spans = &batch.resource_spans[0].scope_spans[0].spans;
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["GET /readyz"]);
}

/// A collector that fails is told of once, and once when it is well again; requests are answered all the while.
#[actix_web::test]
async fn a_collector_that_fails_is_a_line_in_the_log_and_nothing_else() {
    let mut collector = Collector::start();
    collector.answer(503);
    let jeton = Jeton::with(&[("otlp_endpoint", &collector.url)]);
    let mut server = jeton.serve_with(&[("OTEL_BSP_SCHEDULE_DELAY", "20")]);
    let browser = Browser::new(&server.url);
    for _ in 0..3 {
        assert_eq!(browser.get("/healthz").await.status, 200);
        collector.batch().await;
    }
    server.errors.wait_for("traces are lost");
    collector.answer(200);
    // One that was under way may have been refused still.
    for _ in 0..2 {
        assert_eq!(browser.get("/healthz").await.status, 200);
        collector.batch().await;
    }
    server.errors.wait_for("traces are sent again");
    server.stop();
    let log = server.errors.text();
    assert_eq!(log.matches("traces are lost").count(), 1, "{log}");
    assert!(log.contains("WARN"), "{log}");
}

/// Nobody listens, or somebody who never answers: requests don't wait for that, and the end not long.
#[actix_web::test]
async fn a_collector_that_is_away_or_silent_keeps_nobody_waiting() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let away = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let addresses = [&silent, &away].map(|socket| socket.local_addr().unwrap());
    drop(away);
    for address in addresses {
        let jeton = Jeton::with(&[("otlp_endpoint", &format!("http://{address}"))]);
        let mut server = jeton.serve_with(&[("OTEL_BSP_SCHEDULE_DELAY", "20")]);
        let browser = Browser::new(&server.url);
        let began = Instant::now();
        for _ in 0..20 {
            assert_eq!(browser.get("/healthz").await.status, 200);
        }
        assert!(began.elapsed() < Duration::from_secs(4), "requests waited");
        let began = Instant::now();
        server.stop();
        assert!(began.elapsed() < Duration::from_secs(15), "the end waited");
        let log = server.errors.text();
        let told = log.lines().filter(|line| line.contains("traces"));
        assert!((1..=2).contains(&told.count()), "{log}");
    }
}
