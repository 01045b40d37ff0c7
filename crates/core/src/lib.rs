//! The types of Graft and the pure rules on them: examples, tasks, datasets, training specs, events.
//!
//! Nothing here touches files, SQL, HTTP, tensors or the clock: times and seeds are arguments.

#[macro_use]
mod names;
mod address;
pub mod agents;
mod confidence;
mod dataset;
mod device;
mod digest;
mod event;
mod example;
mod exit;
mod failure;
pub mod json;
mod launcher;
mod random;
mod rental;
mod sequential;
mod spec;
mod task;
mod time;
mod words;

pub use address::{has_password, is_this_machine, looks_like_address, without_secrets};
pub use confidence::ConfidenceSequence;
pub use dataset::{Assignment, Dataset, Side, SplitRule, near_duplicates, split};
pub use device::ComputeDevice;
pub use digest::Digest;
pub use event::{Event, EventKind, InterimScores, Phase};
pub use example::{Example, ExampleId, Review, Source, Timestamp};
pub use exit::ExitCode;
pub use failure::{Failure, FailureClass};
pub use launcher::{Launcher, RayJob, SlurmJob};
pub use random::{Purpose, random};
pub use rental::{Rental, RentalState, cost_cents, dollars};
pub use sequential::Sequential;
pub use spec::{
    AdapterSpec, BaseRef, EvalSpec, InitFrom, Limits, LoraSpec, OptimSpec, Precision, PromptInit, PromptSpec, Ranks,
    Schedule, Targets, TrainSpec, check_settings,
};
pub use task::{AnswerForm, TaskCard};
pub use time::{compact, iso8601};

/// An error with its causes, as one line.
#[must_use]
pub fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Errors of invalid values.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A hyperparameter outside its range.
    #[error("use `{value}` for `{field}`")]
    OutOfRange {
        /// The setting's name as users write it.
        field: &'static str,
        /// What was given.
        value: String,
        /// The accepted range in words.
        hint: &'static str,
    },
    /// A digest that is not 64 hexadecimal characters.
    #[error("read `{0}` as a SHA-256 digest")]
    BadDigest(String),
}
pub use words::is_joined;
