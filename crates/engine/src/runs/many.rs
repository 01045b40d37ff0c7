use std::collections::HashSet;

use graft_store::{Run, RunFilter, RunKind, RunState};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Runs;
use crate::{Error, Result};

/// What is done to many runs at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = BulkRunAction)]
pub enum RunAction {
    /// Those that wait or work are asked to stop.
    Cancel,
    /// Failed and stopped runs start again.
    Retry,
}

/// The result of a bulk action on runs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BulkRunsResult)]
pub struct RunsReport {
    /// Those that were, or would be, stopped or queued again.
    pub changed: Vec<String>,
    /// Runs that were not changed although the action fits their state.
    pub skipped: Vec<SkippedRun>,
}

/// A run that was not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BulkRunSkipped)]
pub struct SkippedRun {
    /// The run.
    pub id: String,
    /// Why.
    pub why: String,
}

/// What only one run at a time may have: a task's training, or a version's measurement.
type Place = (String, Option<String>);

fn place(run: &Run) -> Place {
    let measured = run.version.clone().filter(|_| run.kind == RunKind::Evaluate);
    (run.task.clone(), measured)
}

impl Runs<'_> {
    /// Stops or begins anew all runs that match, whatever the filter's limit. Of those that would take the same place
    /// the newest begins anew, unless another has the place. A dry run only tells.
    ///
    /// # Errors
    /// Store errors; problems of a single run are reported with that run.
    pub async fn act_on_all(self, filter: &RunFilter, action: RunAction, dry: bool) -> Result<RunsReport> {
        let all = RunFilter { limit: None, offset: 0, ..filter.clone() };
        let runs = self.engine.store.runs(&all).await?;
        let mut taken = match action {
            RunAction::Cancel => HashSet::new(),
            RunAction::Retry => self.taken(filter.task.as_deref()).await?,
        };
        let mut report = RunsReport::default();
        for run in runs {
            let fits = match action {
                RunAction::Cancel => run.state.is_active() && run.wants.is_none(),
                RunAction::Retry => matches!(run.state, RunState::Failed | RunState::Cancelled),
            };
            if !fits {
                continue;
            }
            if action == RunAction::Retry && !taken.insert(place(&run)) {
                let why = match run.kind {
                    RunKind::Train => "its task trains one run at a time, and a newer run has precedence",
                    RunKind::Evaluate => "its version is evaluated once at a time, and a newer run has precedence",
                };
                report.skipped.push(SkippedRun { id: run.id, why: why.to_owned() });
                continue;
            }
            let done = if dry { Ok(()) } else { self.act_on(&run.id, action).await };
            match done {
                Ok(()) => report.changed.push(run.id),
                Err(error @ Error::Store(_)) if !is_outage(&error) => {
                    report.skipped.push(SkippedRun { id: run.id, why: format!("failed to {error}") });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(report)
    }

    async fn act_on(self, id: &str, action: RunAction) -> Result<()> {
        match action {
            RunAction::Cancel => self.cancel(id).await,
            RunAction::Retry => self.retry(id).await,
        }
        .map(drop)
    }

    /// The places that active runs have.
    async fn taken(self, task: Option<&str>) -> Result<HashSet<Place>> {
        let mut taken = HashSet::new();
        for state in [RunState::Queued, RunState::Starting, RunState::Running] {
            let active = RunFilter { task: task.map(str::to_owned), state: Some(state), ..RunFilter::default() };
            taken.extend(self.engine.store.runs(&active).await?.iter().map(place));
        }
        Ok(taken)
    }
}

/// Whether the store itself failed, rather than refused.
fn is_outage(error: &Error) -> bool {
    use graft_store::Error as Refusal;
    !matches!(error, Error::Store(Refusal::RunState { .. } | Refusal::RunActive { .. } | Refusal::NoRun(_)))
}
