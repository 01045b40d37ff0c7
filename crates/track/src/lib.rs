//! Tells trackers outside of Graft about runs: an MLflow server, a collector of OpenTelemetry metrics.
//!
//! A [`Sink`] is one tracker. Each of its calls may be repeated after any failure, also by another process, with the same
//! result: the caller stores how far a run was delivered and needs to remember nothing else. The calls block; they have
//! time-outs.

mod error;
mod http;
mod mlflow;
mod otlp;
mod sink;

pub use error::Error;
pub use http::Access;
pub use mlflow::Mlflow;
pub use otlp::Otlp;
pub use sink::{Alias, Content, DatasetInput, Ending, File, Model, Place, Point, RunCard, Sink, SinkKind, Status};
