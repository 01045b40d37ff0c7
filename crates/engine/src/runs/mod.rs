//! Runs: checked, submitted, executed, followed, compared. Nothing trains in this process.

mod ask_ai;
mod compare;
mod control;
mod doctor;
mod estimate;
mod evaluation;
mod failure;
mod interim;
mod live;
mod many;
mod plan;
mod preflight;
mod process;
mod prompts;
pub mod recipes;
mod request;
mod rows;
mod schedules;
mod service;
mod settings;
mod view;
mod warm;
mod worker;

pub use ask_ai::AskAiTraining;
pub use compare::{ComparedField, ComparedMetric, Interval, Paired, PairedExample, RunComparison};
pub(crate) use control::MAX_ATTEMPTS;
pub use doctor::{Check, doctor};
pub use estimate::{Quality, RunEstimate};
pub use evaluation::EvaluationRequest;
pub use failure::RunFailure;
pub use interim::interim_scorer;
pub use live::{Live, LiveStatus};
pub use many::{RunAction, RunsReport, SkippedRun};
pub(crate) use plan::Order;
pub use plan::{Plan, Submitted};
pub use preflight::{Level, Preflight, Problem};
pub use process::outcome_of;
pub use prompts::{
    BatchPrompt, BatchRun, PromptBatch, PromptDiff, PromptReached, PromptRequest, PromptVersion, SettingChange,
    SubmittedPrompt,
};
pub use request::{RunRequest, SplitName};
pub use rows::TrainedRow;
pub use schedules::ScheduleConditions;
pub use service::{CsvFile, TrainingCheckpoint, TrainingConfig, TrainingStatus, TrainingSubmission};
pub use settings::Settings;
pub(crate) use view::command_of;
pub use view::{Baseline, HeldOut, News, Progress, Pulse, RunDownload, RunView, Waiting};
pub use warm::{Learned, WarmStart};
pub use worker::{Say, WorkerOptions};

use crate::Engine;

/// The runs of all tasks, and the schedules that submit some.
#[derive(Clone, Copy, Debug)]
pub struct Runs<'e> {
    pub(crate) engine: &'e Engine,
}
