//! Spans for an OpenTelemetry collector: OTLP over HTTP with JSON. Graft's own have the target `graft::trace`.
//!
//! A thread of the SDK sends them. While the collector is away, spans wait in a queue that has an end, and nobody waits
//! for it.

use opentelemetry::{KeyValue, global, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing_subscriber::{Layer, Registry, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    config::Config,
    failure::{Failure, Result},
};

/// Target of spans that are sent.
const TARGET: &str = "graft::trace";

/// Sends what is left when it is dropped.
pub(crate) struct Sending(SdkTracerProvider);

impl Drop for Sending {
    fn drop(&mut self) {
        // The SDK logs what it could not send.
        let _ = self.0.shutdown();
    }
}

/// Starts logging, if there is a log, and sending traces, if they are configured.
///
/// # Errors
/// The endpoint is no URL of HTTP.
pub(crate) fn begin(config: &Config, log: Option<Box<dyn Layer<Registry> + Send + Sync>>) -> Result<Option<Sending>> {
    let provider = provider(config)?;
    let ours = tracing_subscriber::filter::filter_fn(|about| about.is_span() && about.target() == TARGET);
    let spans = provider.as_ref().map(|provider| {
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("graft"));
        let layer = layer.with_location(false).with_threads(false).with_level(false).with_target(false);
        layer.with_tracked_inactivity(false).with_filter(ours)
    });
    // One that has begun already is as good.
    let _ = tracing_subscriber::registry().with(log).with(spans).try_init();
    Ok(provider.map(Sending))
}

fn provider(config: &Config) -> Result<Option<SdkTracerProvider>> {
    let (endpoint, origin) = config.get("traces");
    if endpoint.is_empty() {
        return Ok(None);
    }
    let what = format!("send traces to `{endpoint}` (from {origin})");
    let hint = "an address of OTLP over HTTP, such as http://localhost:4318";
    if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        return Err(Failure::usage(what, hint));
    }
    // For the exporter's client; a provider that is there already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    global::set_text_map_propagator(TraceContextPropagator::new());
    let url = format!("{}/v1/traces", endpoint.trim_end_matches('/'));
    let exporter = SpanExporter::builder().with_http().with_protocol(Protocol::HttpJson).with_endpoint(url).build();
    let name = std::env::var("OTEL_SERVICE_NAME").ok().filter(|name| !name.is_empty());
    let about = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("process.pid", i64::from(std::process::id())),
    ];
    let resource =
        Resource::builder().with_service_name(name.unwrap_or_else(|| "graft".into())).with_attributes(about).build();
    let exporter = exporter.map_err(|error| Failure::usage(format!("{what}: {error}"), hint))?;
    Ok(Some(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
}
