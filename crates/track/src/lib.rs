//! Sends runs to external trackers: an MLflow server, or a collector of OpenTelemetry metrics; and reads runs of the former.
//!
//! A [`Sink`] is one tracker. All its calls are idempotent, also from another process: the caller stores how far a run
//! was sent, and needs no other state. The calls block, with timeouts.

mod error;
mod http;
mod mlflow;
mod otlp;
mod sink;

pub use error::Error;
pub use http::Access;
pub use mlflow::{FoundRun, Mlflow};
pub use otlp::Otlp;
pub use sink::{Alias, Content, DatasetInput, Ending, File, Model, Place, Point, RunCard, Sink, SinkKind, Status};
