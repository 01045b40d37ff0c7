//! Request and response types of `/runs`.

use graft_core::Event;
use graft_engine::{Progress, RentalView, RunFailure, RunView, TrackedRun, TrainingRun, Waiting, records::Run};
use serde::Serialize;
use utoipa::ToSchema;

use crate::advice;

/// A page of runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunList {
    /// Newest first.
    pub runs: Vec<ListedRun>,
    /// How many match, on all pages.
    pub total: u64,
}

/// A run in a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedRun {
    /// The run.
    #[serde(flatten)]
    pub run: Run,
    /// The version that was made of it, or that it measures.
    pub version: Option<String>,
    /// How far it is, while it is under way.
    pub progress: Option<Progress>,
    /// What of its directory can't be read.
    pub damage: Option<String>,
}

/// One run.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRun {
    /// As it is now.
    pub run: Run,
}

/// A run with all details.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    pub run: Run,
    /// The version that was made of it.
    pub version: Option<String>,
    /// How far it is, while it is under way.
    pub progress: Option<Progress>,
    /// What `training_run.json` says, once it is there.
    #[schema(value_type = Option<Object>)]
    pub result: Option<TrainingRun>,
    /// Whether its trainer is running.
    pub pid_alive: bool,
    /// Trainers that were started for it.
    pub attempts: u32,
    /// Why it makes no progress: it waits, or its process is stopped or silent.
    pub waiting: Option<Waiting>,
    /// Why it failed.
    pub failure: Option<RunFailure>,
    /// The command that does the same.
    pub command: Option<String>,
    /// What of its directory can't be read.
    pub damage: Option<String>,
    /// What trackers elsewhere, such as MLflow, have of it.
    pub tracking: Vec<TrackedRun>,
    /// The machines that were rented for it, the oldest first.
    pub rentals: Vec<RentalView>,
}

impl From<Run> for OneRun {
    fn from(run: Run) -> Self {
        Self { run: advice::of_run(run) }
    }
}

impl From<RunView> for RunDetail {
    fn from(view: RunView) -> Self {
        let view = advice::of_view(view);
        Self {
            version: view.version.map(|version| version.name),
            progress: view.progress,
            result: view.result,
            pid_alive: view.pid_alive,
            attempts: view.run.attempts,
            waiting: view.waiting,
            failure: view.failure,
            command: view.command,
            damage: view.damage,
            tracking: view.tracking,
            rentals: view.rentals,
            run: view.run,
        }
    }
}

impl From<RunView> for ListedRun {
    fn from(view: RunView) -> Self {
        let view = advice::of_view(view);
        let version = view.version.map(|version| version.name);
        Self { version, progress: view.progress, damage: view.damage, run: view.run }
    }
}

/// Number of deleted runs.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedRuns {
    /// How many.
    pub deleted: u64,
}

/// A run's events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventList {
    /// In order.
    pub events: Vec<Event>,
}

/// The files of a run's directory.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArtifactList {
    /// By path.
    pub artifacts: Vec<Artifact>,
}

/// One file.
#[derive(Debug, Serialize, ToSchema)]
pub struct Artifact {
    /// Within the run directory.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of its bytes; absent for large files.
    pub digest: Option<String>,
}
