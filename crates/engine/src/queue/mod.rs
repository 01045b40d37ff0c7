//! What people ask of runs: check, submit, cancel, go on, look.

mod compare;
mod control;
mod estimate;
pub(crate) mod evaluation;
mod failure;
mod many;
mod preflight;
mod request;
mod view;

pub use compare::{ComparedField, ComparedMetric, Interval, Paired, PairedExample, RunComparison};
pub(crate) use control::MAX_ATTEMPTS;
pub(crate) use estimate::Measured;
pub use estimate::{Quality, RunEstimate};
pub use evaluation::EvaluationRequest;
pub use failure::RunFailure;
pub use graft_store::{LogStream, LogText};
pub use many::{RunAction, RunsReport, SkippedRun};
pub use preflight::{Level, Preflight, Problem};
pub use request::{RunRequest, SplitName};
pub use view::{Progress, RunView, Waiting};

pub(crate) use estimate::Speeds;
pub(crate) use failure::{report, text_from};
