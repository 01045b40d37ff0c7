//! Metrics in Prometheus' text format.

use std::{collections::BTreeMap, sync::atomic::AtomicU64, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use graft_engine::serving::{Ended, Outcome};
use opentelemetry::global;
use opentelemetry_http::HeaderExtractor;
use prometheus_client::{
    encoding::prometheus_text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use serde_json::Value;
use tower_http::request_id::RequestId;
use tracing::{Instrument as _, field::Empty};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::state::AppState;

/// Upper bounds of the buckets of latencies, in seconds.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Names and values of `N` labels.
type Labels<const N: usize> = [(&'static str, String); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Histograms = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// What was counted since the start.
#[derive(Debug)]
pub struct Metrics {
    requests: Counters<3>,
    latency: Histograms,
    answers: Counters<2>,
    answer_seconds: Histograms,
    tokens: Counters<2>,
    streams: Gauge,
    upstreams: Counters<2>,
}

impl Default for Metrics {
    fn default() -> Self {
        let histograms = || Family::new_with_constructor((|| Histogram::new(BOUNDS)) as fn() -> Histogram);
        Self {
            requests: Family::default(),
            latency: histograms(),
            answers: Family::default(),
            answer_seconds: histograms(),
            tokens: Family::default(),
            streams: Gauge::default(),
            upstreams: Family::default(),
        }
    }
}

impl Metrics {
    /// Counts a request for an answer that has ended.
    pub(crate) fn answer(&self, ended: &Ended<'_>) {
        let task = || ("task", ended.task.to_owned());
        self.answers.get_or_create(&[task(), ("outcome", ended.outcome.name().to_owned())]).inc();
        if ended.outcome == Outcome::Answered {
            self.answer_seconds.get_or_create(&[task()]).observe(ended.seconds);
            for (kind, n) in [("prompt", ended.prompt_tokens), ("answer", ended.answer_tokens)] {
                self.tokens.get_or_create(&[task(), ("kind", kind.to_owned())]).inc_by(n as u64);
            }
        }
    }

    /// Counts streams that are open.
    pub(crate) fn stream(&self, change: i64) {
        self.streams.inc_by(change);
    }

    /// Counts a request for a task that has an upstream, by who answered.
    pub(crate) fn upstream(&self, task: &str, by: &str) {
        self.upstreams.get_or_create(&[("task", task.to_owned()), ("answered_by", by.to_owned())]).inc();
    }

    fn request(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let route = || ("route", route.to_owned());
        let labels = [("method", method.to_owned()), route(), ("status", status.to_string())];
        self.requests.get_or_create(&labels).inc();
        self.latency.get_or_create(&[route()]).observe(seconds);
    }

    /// All of it as text, with the runs by state and what serving says of itself.
    pub(crate) fn text(&self, runs: &BTreeMap<String, u64>, serving: &Value) -> String {
        let gauge = |value: u64| {
            let gauge = Gauge::<i64>::default();
            gauge.set(value.cast_signed());
            gauge
        };
        let mut all = Registry::default();
        all.register("graft_requests", "Requests answered", self.requests.clone());
        all.register("graft_request_seconds", "Seconds until the response to a request began", self.latency.clone());
        let states = Family::<Labels<1>, Gauge>::default();
        for (state, n) in runs {
            states.get_or_create(&[("state", state.clone())]).set(n.cast_signed());
        }
        all.register("graft_runs", "Runs by state", states);
        let queued = gauge(runs.get("queued").copied().unwrap_or(0));
        all.register("graft_queue_depth", "Runs waiting in the queue", queued);
        all.register("graft_infer", "Requests for an answer by outcome", self.answers.clone());
        let seconds = "Seconds from a request to its complete answer";
        all.register("graft_infer_seconds", seconds, self.answer_seconds.clone());
        all.register("graft_infer_tokens", "Tokens of prompts and of answers", self.tokens.clone());
        let by = "Requests for tasks that have an upstream, by who answered: graft, upstream or nobody";
        all.register("graft_upstream", by, self.upstreams.clone());
        all.register("graft_streams", "Open event streams", self.streams.clone());
        if let Some(bytes) = resident_memory() {
            all.register("process_resident_memory_bytes", "Memory of this process", gauge(bytes));
        }
        let waiting = Family::<Labels<1>, Gauge>::default();
        let wait = Family::<Labels<1>, Gauge<f64, AtomicU64>>::default();
        for base in serving["bases"].as_array().into_iter().flatten() {
            let labels = [("base", base["name"].as_str().unwrap_or_default().to_owned())];
            waiting.get_or_create(&labels).set(base["waiting"].as_i64().unwrap_or_default());
            wait.get_or_create(&labels).set(base["wait_s"].as_f64().unwrap_or_default());
        }
        all.register("graft_infer_waiting", "Waiting requests for an answer by base model", waiting);
        let seconds = "Estimated seconds until a new request for an answer would start";
        all.register("graft_infer_wait_seconds", seconds, wait);
        for (name, value) in serving.as_object().into_iter().flatten() {
            let number = value.as_array().map_or(0, Vec::len);
            all.register(format!("graft_serving_{name}"), "Number of loaded models and adapters", gauge(number as u64));
        }
        let mut text = String::new();
        // A string takes everything.
        let _ = encode(&mut text, &all);
        text
    }
}

/// Memory that this process holds, in bytes, where the system tells.
pub(crate) fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// A method's name: a client can invent any number of other names, and each would be counted for ever.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Counts, logs and traces each request, without its query, which may hold what people searched for.
pub(crate) async fn observe(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let method = known(request.method());
    let path = request.uri().path().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("page", MatchedPath::as_str).to_owned();
    let caller = global::get_text_map_propagator(|known| known.extract(&HeaderExtractor(request.headers())));
    let id = request.extensions().get::<RequestId>().and_then(|id| id.header_value().to_str().ok());
    let id = id.unwrap_or_default().to_owned();
    let span = tracing::info_span!(
        target: "graft::trace", "request", otel.name = format!("{method} {route}"), otel.kind = "server",
        otel.status_code = Empty, http.request.method = method, http.route = route,
        url.path = path, http.response.status_code = Empty
    );
    // Without a collector there is nothing to set.
    let _ = span.set_parent(caller);
    let response = next.run(request).instrument(span.clone()).await;
    let (status, seconds) = (response.status().as_u16(), began.elapsed().as_secs_f64());
    // OpenTelemetry has signed numbers only.
    span.record("http.response.status_code", i64::from(status));
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
    state.metrics.request(method, &route, status, seconds);
    tracing::info!(method, path, status, ms = (seconds * 1000.0) as u64, id, "request");
    response
}
