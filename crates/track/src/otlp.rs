//! A collector of OpenTelemetry metrics: OTLP over HTTP in JSON
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>).
//!
//! Each series is a gauge `graft.run.<series>` with the run and its task as attributes. A point that is sent again has
//! the same time and attributes, so it counts as the same point.

use std::collections::BTreeMap;

use graft_core::Timestamp;
use serde_json::{Value, json};

use crate::{Access, Alias, Ending, Error, Place, Point, RunCard, Sink, SinkKind, Status, http::Client};

/// One collector.
#[derive(Debug)]
pub struct Otlp {
    client: Client,
}

impl Otlp {
    /// The collector at an address with its path, as in `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`. Does not connect yet.
    ///
    /// # Errors
    /// [`Error::Address`]; [`Error::Certificates`].
    pub fn new(address: &str, access: Access) -> Result<Self, Error> {
        Ok(Self { client: Client::new(SinkKind::Otlp, address, access)? })
    }

    fn send(&self, metrics: &[Value]) -> Result<(), Error> {
        let resource = json!({"attributes": [attribute("service.name", "graft")]});
        let scope = json!({"name": "graft", "version": env!("CARGO_PKG_VERSION")});
        let scoped = [json!({"scope": scope, "metrics": metrics})];
        let body = json!({"resourceMetrics": [{"resource": resource, "scopeMetrics": scoped}]});
        self.client.post("", &body).map(drop)
    }
}

impl Sink for Otlp {
    fn kind(&self) -> SinkKind {
        SinkKind::Otlp
    }

    fn address(&self) -> &str {
        &self.client.address
    }

    fn check(&self) -> Result<String, Error> {
        self.send(&[])?;
        Ok(format!("a collector at {}", self.client.address))
    }

    fn begin(&self, run: &RunCard, _status: Status) -> Result<Place, Error> {
        Ok(Place { id: run.run.clone(), ..Place::default() })
    }

    fn log(&self, run: &RunCard, _place: &Place, points: &[Point], _again: bool) -> Result<(), Error> {
        let mut series: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for point in points.iter().filter(|point| point.value.is_finite()) {
            series.entry(&point.series).or_default().push(data(run, point.at, point.value, &[]));
        }
        let metrics: Vec<Value> = series.into_iter().map(|(name, points)| gauge(name, &points)).collect();
        if metrics.is_empty() { Ok(()) } else { self.send(&metrics) }
    }

    fn go_on(&self, _place: &Place, _status: Status) -> Result<(), Error> {
        Ok(())
    }

    fn end(&self, run: &RunCard, _place: &Place, ending: &Ending) -> Result<(), Error> {
        let status = match ending.status {
            Status::Finished => "finished",
            Status::Killed => "killed",
            _ => "failed",
        };
        self.send(&[gauge("ended", &[data(run, ending.at, 1.0, &[attribute("status", status)])])])
    }

    fn stages(&self, _model: &str, _instance: &str, _aliases: &[Alias]) -> Result<(), Error> {
        Ok(())
    }
}

fn gauge(name: &str, points: &[Value]) -> Value {
    json!({"name": format!("graft.run.{name}"), "gauge": {"dataPoints": points}})
}

fn data(run: &RunCard, at: Timestamp, value: f64, more: &[Value]) -> Value {
    let mut attributes = vec![attribute("run", &run.run), attribute("task", &run.task)];
    attributes.extend_from_slice(more);
    // This encoding writes 64-bit numbers as text.
    json!({"timeUnixNano": format!("{at}000000"), "asDouble": value, "attributes": attributes})
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}
