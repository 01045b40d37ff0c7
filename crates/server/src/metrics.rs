//! Numbers for Prometheus, in its text format.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request, State},
    http::Method,
    middleware::Next,
    response::Response,
};
use graft_engine::serving::{Ended, Outcome};
use serde_json::Value;
use tracing::{Instrument as _, field::Empty};

use crate::state::AppState;

/// Upper bounds of the buckets of latencies, in seconds.
const BOUNDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// What was counted since the start.
#[derive(Debug, Default)]
pub struct Metrics(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    requests: BTreeMap<(String, String, u16), u64>,
    latency: BTreeMap<String, Histogram>,
    answers: BTreeMap<String, Answers>,
    streams: i64,
}

/// What a task was asked.
#[derive(Debug, Default)]
struct Answers {
    outcomes: BTreeMap<Outcome, u64>,
    seconds: Histogram,
    prompt_tokens: u64,
    answer_tokens: u64,
}

#[derive(Debug, Default)]
struct Histogram {
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    fn add(&mut self, seconds: f64) {
        for (bucket, bound) in self.buckets.iter_mut().zip(BOUNDS) {
            *bucket += u64::from(seconds <= bound);
        }
        self.count += 1;
        self.sum += seconds;
    }

    fn write(&self, out: &mut String, name: &str, labels: &str) {
        for (bucket, bound) in self.buckets.iter().zip(BOUNDS) {
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {bucket}");
        }
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", self.sum);
        let _ = writeln!(out, "{name}_count{{{labels}}} {}", self.count);
    }
}

impl Metrics {
    /// Counts a request for an answer that has ended.
    pub(crate) fn answer(&self, ended: &Ended<'_>) {
        let mut counts = self.counts();
        let answers = counts.answers.entry(ended.task.to_owned()).or_default();
        *answers.outcomes.entry(ended.outcome).or_default() += 1;
        if ended.outcome == Outcome::Answered {
            answers.seconds.add(ended.seconds);
            answers.prompt_tokens += ended.prompt_tokens as u64;
            answers.answer_tokens += ended.answer_tokens as u64;
        }
    }

    /// Counts streams that are open.
    pub(crate) fn stream(&self, change: i64) {
        self.counts().streams += change;
    }

    fn request(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let mut counts = self.counts();
        *counts.requests.entry((method.to_owned(), route.to_owned(), status)).or_default() += 1;
        counts.latency.entry(route.to_owned()).or_default().add(seconds);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of it as text, with the runs by state and what serving says of itself.
    pub(crate) fn text(&self, runs: &BTreeMap<String, u64>, serving: &Value) -> String {
        let counts = self.counts();
        let mut out = String::new();
        head(&mut out, "graft_requests_total", "counter", "Requests answered.");
        for ((method, route, status), n) in &counts.requests {
            let _ =
                writeln!(out, "graft_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}} {n}");
        }
        head(&mut out, "graft_request_seconds", "histogram", "Seconds until a request's answer began.");
        for (route, histogram) in &counts.latency {
            histogram.write(&mut out, "graft_request_seconds", &format!("route=\"{route}\""));
        }
        head(&mut out, "graft_runs", "gauge", "Runs by state.");
        for (state, n) in runs {
            let _ = writeln!(out, "graft_runs{{state=\"{state}\"}} {n}");
        }
        head(&mut out, "graft_queue_depth", "gauge", "Runs that wait for their turn.");
        let _ = writeln!(out, "graft_queue_depth {}", runs.get("queued").copied().unwrap_or(0));
        write_answers(&mut out, &counts.answers);
        head(&mut out, "graft_streams", "gauge", "Event streams that are open.");
        let _ = writeln!(out, "graft_streams {}", counts.streams);
        if let Some(bytes) = resident_memory() {
            head(&mut out, "process_resident_memory_bytes", "gauge", "Memory of this process.");
            let _ = writeln!(out, "process_resident_memory_bytes {bytes}");
        }
        for (name, value) in serving.as_object().into_iter().flatten() {
            let number = value.as_array().map_or(0, Vec::len);
            head(&mut out, &format!("graft_serving_{name}"), "gauge", "How many are in memory.");
            let _ = writeln!(out, "graft_serving_{name} {number}");
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn write_answers(out: &mut String, tasks: &BTreeMap<String, Answers>) {
    head(out, "graft_infer_total", "counter", "Requests for an answer, by how they ended.");
    for (task, answers) in tasks {
        for (outcome, n) in &answers.outcomes {
            let (task, outcome) = (escaped(task), outcome.name());
            let _ = writeln!(out, "graft_infer_total{{task=\"{task}\",outcome=\"{outcome}\"}} {n}");
        }
    }
    head(out, "graft_infer_seconds", "histogram", "Seconds from a request to its whole answer.");
    for (task, answers) in tasks {
        answers.seconds.write(out, "graft_infer_seconds", &format!("task=\"{}\"", escaped(task)));
    }
    head(out, "graft_infer_tokens_total", "counter", "Tokens of prompts and of answers.");
    for (task, answers) in tasks {
        for (kind, n) in [("prompt", answers.prompt_tokens), ("answer", answers.answer_tokens)] {
            let _ = writeln!(out, "graft_infer_tokens_total{{task=\"{}\",kind=\"{kind}\"}} {n}", escaped(task));
        }
    }
}

/// A label's value: a base model may have any path for its name.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// Memory that this process holds, in bytes, where the system tells.
pub(crate) fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// A method's name: whoever asks may make up any number of others, and each would be counted for ever.
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
    let caller = request.headers().get("traceparent").and_then(|parent| parent.to_str().ok()).map(str::to_owned);
    let span = tracing::info_span!(
        target: "graft::trace", "request", otel.name = format!("{method} {route}"), otel.kind = "server",
        otel.failed = Empty, traceparent = caller, http.request.method = method, http.route = route,
        url.path = path, http.response.status_code = Empty
    );
    let response = next.run(request).instrument(span.clone()).await;
    let (status, seconds) = (response.status().as_u16(), began.elapsed().as_secs_f64());
    span.record("http.response.status_code", status).record("otel.failed", status >= 500);
    state.metrics.request(method, &route, status, seconds);
    tracing::info!(method, path, status, ms = (seconds * 1000.0) as u64, "request");
    response
}
