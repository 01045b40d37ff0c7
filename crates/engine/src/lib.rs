//! The rules of Graft, without argument parsing or printing: what is imported, split, trained, registered and made
//! active, and when not.
//!
//! [`Engine`] is one `GRAFT_HOME`: its database, its base models, its run directories. Training happens in a process of
//! its own, in a run directory; the engine makes the directory, starts the process, follows its events, and takes in
//! the result. Killed at any moment, it finds out what happened the next time it looks.

mod activate;
mod adapters;
mod adopt;
mod artifacts;
mod backup;
mod base;
mod clock;
mod data;
mod desk;
mod doctor;
mod drift;
mod error;
mod evaluate;
mod examples;
mod ground;
mod home;
mod import;
mod inputs;
mod models;
mod plan;
mod queue;
pub mod recipes;
mod register;
mod runs;
mod schedules;
pub mod serving;
mod settings;
mod soft_prompt;
mod stats;
mod suggest;
mod sweep;
mod worker;

pub use activate::{Activated, Opponent, Seen};
pub use adapters::Chosen;
pub use adopt::Told;
pub use backup::{Backup, Restored};
pub use base::BaseInfo;
pub use clock::now;
pub use data::Prepared;
pub use desk::{
    AskAiSettings, Attention, DayStats, ExampleDetail, Guidelines, Lineage, Listed, Rent, SettingProblem, ShownAnswer,
    SourceCount, Span, StatsReport, SuggestedAnswer, Suggestion, SuggestionNote, TableText, TaskForm, TaskOverview,
    VersionDetail, wrong_guidelines,
};
pub use doctor::{Check, doctor};
pub use drift::{Distance, Drift, DriftState, Overrides, Share, Shift, Spread};
pub use error::Error;
pub use evaluate::{BaselineScores, Evaluation, KeptAnswer, Tell, baseline_scores, field_of, score_answers};
pub use graft_core::{compact, iso8601};
pub use graft_exec::RunLock;
pub use graft_tasks::{
    Import as ReadImport, Problem as BadRow, Skipped as SkippedRows,
    ask_ai::Drafts,
    pounds::Tables,
    score::{Comparison, Diff, Verdict},
    tabular::Columns,
};
pub use graft_train::TrainingRun;
pub use home::{Engine, Home, Places};
pub use import::Imported;
pub use inputs::{Input, read_inputs};
pub use plan::{Plan, Submitted};
pub use queue::{
    ComparedField, ComparedMetric, EvaluationRequest, Interval, Level, LogStream, LogText, Paired, PairedExample,
    Preflight, Problem, Progress, Quality, RunAction, RunComparison, RunEstimate, RunFailure, RunRequest, RunView,
    RunsReport, SkippedRun, SplitName, Waiting,
};
pub use runs::outcome_of;
pub use serving::Serving;
pub use settings::Settings;
pub use soft_prompt::{AskAiTraining, point_latest};
pub use stats::Stats;
pub use sweep::{LastSweep, Swept};
pub use worker::{Say, WorkerOptions};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
