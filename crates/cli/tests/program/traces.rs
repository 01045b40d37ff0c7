//! Traces, as a collector receives them.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread::{sleep, spawn},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::common::{
    Graft,
    server::{Server, send},
};

/// A collector that keeps what it is sent, and refuses what the specification doesn't allow.
struct Collector {
    endpoint: String,
    spans: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&spans);
        spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                spawn(move || while take(stream.as_ref().unwrap(), &kept) {});
            }
        });
        Self { endpoint, spans }
    }

    /// The first span of this name, waited for.
    #[track_caller]
    fn span(&self, name: &str) -> Value {
        let began = Instant::now();
        loop {
            let found = self.spans.lock().unwrap().iter().find(|span| span["name"] == name).cloned();
            if let Some(span) = found {
                return span;
            }
            assert!(began.elapsed() < Duration::from_secs(60), "no span `{name}`: {:#?}", self.spans.lock().unwrap());
            sleep(Duration::from_millis(50));
        }
    }
}

/// Takes one request; says whether there was one.
fn take(mut stream: &TcpStream, kept: &Mutex<Vec<Value>>) -> bool {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.trim().to_ascii_lowercase());
    }
    assert_eq!(lines[0], "post /v1/traces http/1.1");
    assert!(lines.contains(&"content-type: application/json".into()), "{lines:?}");
    assert!(lines.contains(&"x-key: secret".into()), "{lines:?}");
    let length = lines.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let document: Value = serde_json::from_slice(&body).unwrap();
    let resource = &document["resourceSpans"][0];
    let service = resource["resource"]["attributes"].as_array().unwrap();
    assert!(service.iter().any(|a| a["key"] == "service.name" && a["value"]["stringValue"] == "graft"), "{resource:#}");
    let scope = &resource["scopeSpans"][0];
    assert_eq!(scope["scope"]["name"], "graft");
    for span in scope["spans"].as_array().unwrap() {
        check(span);
        kept.lock().unwrap().push(span.clone());
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}").is_ok()
}

/// What <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding> demands of a span.
fn check(span: &Value) {
    let known = [
        "traceId",
        "spanId",
        "parentSpanId",
        "name",
        "kind",
        "startTimeUnixNano",
        "endTimeUnixNano",
        "attributes",
        "droppedAttributesCount",
        "events",
        "droppedEventsCount",
        "links",
        "droppedLinksCount",
        "flags",
        "traceState",
        "status",
    ];
    assert!(span.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())), "{span:#}");
    let hex = |name: &str, digits| {
        let id = span[name].as_str().unwrap();
        assert!(
            id.len() == digits && id.bytes().all(|b| b.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0'),
            "{id}"
        );
    };
    hex("traceId", 32);
    hex("spanId", 16);
    if !is_root(span) {
        hex("parentSpanId", 16);
    }
    let time = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
    assert!(time("startTimeUnixNano") > 1_700_000_000_000_000_000, "{span:#}");
    assert!(time("endTimeUnixNano") >= time("startTimeUnixNano"), "{span:#}");
    assert!([1, 2].contains(&span["kind"].as_u64().unwrap()), "{span:#}");
    for attribute in span["attributes"].as_array().unwrap() {
        let (kind, value) = attribute["value"].as_object().unwrap().iter().next().unwrap();
        let fits = match kind.as_str() {
            "stringValue" => value.is_string(),
            "intValue" => value.as_str().is_some_and(|number| number.parse::<i64>().is_ok()),
            "boolValue" => value.is_boolean(),
            "doubleValue" => value.is_number(),
            _ => false,
        };
        assert!(fits && attribute["key"].is_string(), "{attribute}");
    }
}

fn is_root(span: &Value) -> bool {
    span["parentSpanId"].as_str().is_none_or(str::is_empty)
}

fn attribute<'v>(span: &'v Value, name: &str) -> &'v Value {
    let found = span["attributes"].as_array().unwrap().iter().find(|attribute| attribute["key"] == name);
    &found.unwrap_or_else(|| panic!("no `{name}` in {span:#}"))["value"]
}

#[test]
fn collector_receives_requests_runs_and_phases() {
    let collector = Collector::start();
    let graft = Graft::with_toy_task();
    let mut command = graft.command(&["serve", "--bind", "127.0.0.1:0"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint).env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=secret");
    let server = Server::started(command);
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    send(server.address, "GET", "/api/v1/runs/none/events?after=7", &[("traceparent", parent)], b"").unwrap();
    let request = collector.span("GET /api/v1/runs/{id}/events");
    assert_eq!((&request["traceId"], &request["parentSpanId"]), (&parent[3..35].into(), &parent[36..52].into()));
    assert_eq!(request["kind"], 2);
    assert_eq!(attribute(&request, "http.response.status_code")["intValue"], "404");
    assert_eq!(attribute(&request, "url.path")["stringValue"], "/api/v1/runs/none/events", "queries are not told");

    let settings = ["--base", "tiny", "--epochs", "0.2", "--batch-size", "8", "--no-eval", "--threads", "1"];
    graft.ok(&[&["queue", "submit", "text-classification"], &settings[..]].concat());
    let run = collector.span("train text-classification");
    assert_eq!(attribute(&run, "task")["stringValue"], "text-classification");
    assert!(is_root(&run) && run["status"]["code"].as_u64().unwrap_or(0) != 2, "{run:#}");
    let phase = collector.span("train");
    assert_eq!((&phase["traceId"], &phase["parentSpanId"]), (&run["traceId"], &run["spanId"]), "{phase:#}");
    // What is left is sent at the end.
    send(server.address, "GET", "/health", &[], b"").unwrap();
    server.stop();
    collector.span("GET /health");
    let mut command = graft.command(&["worker", "--once"]);
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://localhost:4317");
    let refused = crate::common::Said::of(command);
    assert!(refused.code == 2 && refused.stderr.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{}", refused.stderr);
}
