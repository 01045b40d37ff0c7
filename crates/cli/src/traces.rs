//! Spans for an OpenTelemetry collector: OTLP over HTTP with JSON, as
//! <https://opentelemetry.io/docs/specs/otlp/#otlphttp> says.
//!
//! Graft's own spans have the target `graft::trace`. What is sent is little, so this is a layer of tracing's, a queue and
//! the HTTP client that is here already, instead of the SDK.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    thread::JoinHandle,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use tracing::{
    Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer, Registry,
    layer::{Context, SubscriberExt as _},
    registry::LookupSpan,
    util::SubscriberInitExt as _,
};

use crate::{
    config::Config,
    failure::{Failure, Result},
};

/// Target of spans that are sent.
const TARGET: &str = "graft::trace";
/// Spans that wait for the collector; more are dropped.
const WAITING: usize = 4096;
/// Spans sent at once.
const BATCH: usize = 512;
/// How long a span waits for others.
const PAUSE: Duration = Duration::from_secs(1);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes finished spans to the thread that sends them.
struct Exporter(SyncSender<Value>);

/// Sends what is left when it is dropped, after the exporter.
pub(crate) struct Sending(Option<(SyncSender<Value>, JoinHandle<()>)>);

/// A span that hasn't ended.
struct Open {
    trace: String,
    id: String,
    parent: Option<String>,
    name: String,
    began: SystemTime,
    fields: Fields,
}

/// A span's fields as OTLP's attributes, and those that mean something to the span itself.
#[derive(Default)]
struct Fields {
    attributes: Vec<Value>,
    name: Option<String>,
    is_server: bool,
    traceparent: Option<String>,
    failed: bool,
}

/// Begins to log, if there is a log, and to send traces, if somebody asked for it.
///
/// # Errors
/// The endpoint is no URL of HTTP.
pub(crate) fn begin(config: &Config, log: Option<Box<dyn Layer<Registry> + Send + Sync>>) -> Result<Option<Sending>> {
    let (exporter, sending) = exporter(config)?.unzip();
    let ours = tracing_subscriber::filter::filter_fn(|about| about.is_span() && about.target() == TARGET);
    // One that has begun already is as good.
    let _ =
        tracing_subscriber::registry().with(log).with(exporter.map(|exporter| exporter.with_filter(ours))).try_init();
    Ok(sending)
}

fn exporter(config: &Config) -> Result<Option<(Exporter, Sending)>> {
    let (endpoint, origin) = config.get("traces");
    if endpoint.is_empty() {
        return Ok(None);
    }
    if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        let what = format!("send traces to `{endpoint}` (from {origin})");
        return Err(Failure::usage(what, "an address of OTLP over HTTP, such as http://localhost:4318"));
    }
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let (sender, spans) = sync_channel(WAITING);
    let last = sender.clone();
    let headers = headers();
    let thread = std::thread::spawn(move || send_all(&spans, &url, &headers));
    Ok(Some((Exporter(sender), Sending(Some((last, thread))))))
}

/// `OTEL_EXPORTER_OTLP_HEADERS`: names and values, as `a=b,c=d`.
fn headers() -> Vec<(String, String)> {
    let given = std::env::var("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default();
    let pairs = given.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

impl Drop for Sending {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.0.take() {
            // Null is the end: the exporter itself lives in the global subscriber, which is never dropped.
            if sender.try_send(Value::Null).is_ok() {
                let _ = thread.join();
            }
        }
    }
}

fn send_all(spans: &Receiver<Value>, url: &str, headers: &[(String, String)]) {
    let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(0);
    let agent = config.user_agent(concat!("graft/", env!("CARGO_PKG_VERSION"))).build().new_agent();
    let (mut over, mut troubles) = (false, 0_u32);
    while !over {
        let batch;
        (batch, over) = gather(spans, PAUSE);
        if batch.is_empty() {
            continue;
        }
        let mut request = agent.post(url).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        match request.send(document(batch).to_string().as_bytes()) {
            Ok(_) => troubles = 0,
            Err(error) => {
                troubles += 1;
                if troubles.is_power_of_two() {
                    eprintln!("traces: the collector at {url} takes nothing: {error}");
                }
            }
        }
    }
}

/// The spans to be sent together: those that end within `pause` after the first of them. Also says whether it was the
/// end.
fn gather(spans: &Receiver<Value>, pause: Duration) -> (Vec<Value>, bool) {
    let mut batch = match spans.recv() {
        Ok(Value::Null) | Err(_) => return (Vec::new(), true),
        Ok(span) => vec![span],
    };
    let began = Instant::now();
    while batch.len() < BATCH {
        match spans.recv_timeout(pause.saturating_sub(began.elapsed())) {
            Ok(Value::Null) | Err(RecvTimeoutError::Disconnected) => return (batch, true),
            Ok(span) => batch.push(span),
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    (batch, false)
}

/// An `ExportTraceServiceRequest`.
fn document(spans: Vec<Value>) -> Value {
    let service = std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty());
    let resource = [
        attribute("service.name", json!({"stringValue": service.as_deref().unwrap_or("graft")})),
        attribute("service.version", json!({"stringValue": env!("CARGO_PKG_VERSION")})),
        attribute("process.pid", json!({"intValue": std::process::id().to_string()})),
    ];
    json!({"resourceSpans": [{
        "resource": {"attributes": resource},
        "scopeSpans": [{"scope": {"name": "graft", "version": env!("CARGO_PKG_VERSION")}, "spans": spans}],
    }]})
}

fn attribute(name: &str, value: Value) -> Value {
    json!({"key": name, "value": value})
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Exporter {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let Some(span) = context.span(id) else { return };
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            let open = extensions.get::<Open>()?;
            Some((open.trace.clone(), open.id.clone()))
        });
        let (trace, parent) = match parent.or_else(|| remote(fields.traceparent.as_deref()?)) {
            Some((trace, parent)) => (trace, Some(parent)),
            None => (hex(16), None),
        };
        let name = fields.name.take().unwrap_or_else(|| span.name().to_owned());
        span.extensions_mut().insert(Open { trace, id: hex(8), parent, name, began: SystemTime::now(), fields });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(open) = span.extensions_mut().get_mut::<Open>()
        {
            values.record(&mut open.fields);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(open) = context.span(&id).and_then(|span| span.extensions_mut().remove::<Open>()) else { return };
        // A collector that is away must not hold up those who work.
        let _ = self.0.try_send(open.end());
    }
}

impl Open {
    /// The span as OTLP's JSON has it: ids in hexadecimal, 64-bit numbers as strings.
    fn end(self) -> Value {
        let mut span = json!({
            "traceId": self.trace,
            "spanId": self.id,
            "name": self.name,
            // SPAN_KIND_SERVER, SPAN_KIND_INTERNAL.
            "kind": if self.fields.is_server { 2 } else { 1 },
            "startTimeUnixNano": nanos(self.began),
            "endTimeUnixNano": nanos(SystemTime::now()),
            "attributes": self.fields.attributes,
        });
        if let Some(parent) = self.parent {
            span["parentSpanId"] = parent.into();
        }
        if self.fields.failed {
            // STATUS_CODE_ERROR.
            span["status"] = json!({"code": 2});
        }
        span
    }
}

fn nanos(at: SystemTime) -> String {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string()
}

impl Fields {
    fn add(&mut self, field: &Field, value: Value) {
        self.attributes.push(attribute(field.name(), value));
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "otel.name" => self.name = Some(value.to_owned()),
            "otel.kind" => self.is_server = value == "server",
            "traceparent" => self.traceparent = Some(value.to_owned()),
            _ => self.add(field, json!({"stringValue": value})),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.record_i64(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, json!({"intValue": value.to_string()}));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, json!({"doubleValue": value}));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        match field.name() {
            "otel.failed" => self.failed = value,
            _ => self.add(field, json!({"boolValue": value})),
        }
    }
}

/// Trace and parent of a `traceparent` header (<https://www.w3.org/TR/trace-context/>).
fn remote(header: &str) -> Option<(String, String)> {
    let mut parts = header.trim().split('-');
    let (version, trace, parent) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, digits| {
        text.len() == digits
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
            && text.bytes().any(|b| b != b'0')
    };
    (version.len() == 2 && version != "ff" && is_hex(trace, 32) && is_hex(parent, 16))
        .then(|| (trace.to_owned(), parent.to_owned()))
}

/// So many random bytes in hexadecimal.
fn hex(bytes: usize) -> String {
    let mut random = [0_u8; 16];
    // Without randomness ids are all alike, which a collector shows; nothing else depends on them.
    let _ = getrandom::fill(&mut random);
    random[..bytes].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_never_pause_are_sent_all_the_same() {
        let (sender, spans) = sync_channel(WAITING);
        let steady = std::thread::spawn(move || {
            while sender.send(json!({})).is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let (batch, over) = gather(&spans, Duration::from_millis(100));
        assert!(!over && (1..BATCH / 4).contains(&batch.len()), "{} spans are held back", batch.len());
        drop(spans);
        steady.join().unwrap();
    }

    #[test]
    fn only_whole_parents_are_taken() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let found = remote(good).unwrap();
        assert_eq!(found, ("4bf92f3577b34da6a3ce929d0e0e4736".into(), "00f067aa0ba902b7".into()));
        for bad in ["", "00-0-0-01", &good.replace("00f067aa0ba902b7", "0000000000000000"), &good.to_uppercase()] {
            assert_eq!(remote(bad), None, "{bad}");
        }
    }
}
