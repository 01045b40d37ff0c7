mod adding;
mod ending;
mod follow;
mod queue;
mod table;

use graft_core::{ComputeDevice, Digest, Failure, Timestamp, TrainSpec, iso8601};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

pub use adding::NewEvaluation;
use adding::{Fresh, add, refuse_second};
pub(crate) use adding::{add_trial_run, method_of};
pub use ending::Again;
pub use follow::{Findings, FollowCursor, Followed, LogStream, LogText};
pub use queue::{Free, Held, LONGEST_WAIT, Lease, Submission};
pub(crate) use queue::{owned, submit};
pub(crate) use table::find;
use table::{find_requested, select_runs, write};
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::database::Tx;
use crate::scope::Scope;
use crate::{Action, Error, Kind, Store, statement};

names! {
    /// What a run does.
    #[derive(Default)]
    pub enum RunKind {
        /// Makes a version.
        #[default]
        Train = "train",
        /// Scores a version on its held-out examples.
        Evaluate = "evaluate",
    }
}

names! {
    /// State of a run.
    pub enum RunState {
        /// Waits in the queue.
        Queued = "queued",
        /// Its process is being started.
        Starting = "starting",
        /// Its process trains.
        Running = "running",
        /// It has a result.
        Succeeded = "succeeded",
        /// It ended without a result; it may be resumed.
        Failed = "failed",
        /// A person stopped it; it may be resumed.
        Cancelled = "cancelled",
    }
}

names! {
    /// Priority of a queued run; among equal priorities, the oldest starts first.
    #[schema(as = PriorityName)]
    #[derive(Default, PartialOrd, Ord)]
    pub enum Priority {
        /// Only when nothing else waits.
        Low = "low",
        /// The default.
        #[default]
        Normal = "normal",
        /// Before all others.
        High = "high",
    }
}

names! {
    /// A request to a worker about a run that it holds.
    #[schema(as = RunWish)]
    pub enum PendingRequest {
        /// Stop it; its last checkpoint is kept.
        Cancel = "cancel",
    }
}

impl RunState {
    /// Whether it counts as the one active training of its task.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Queued | Self::Starting | Self::Running)
    }

    /// Whether the transition from this state to `next` is allowed. Success is final; failed and cancelled runs may be
    /// resumed.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Queued => next != Self::Queued,
            Self::Starting => !matches!(next, Self::Starting),
            Self::Running => !matches!(next, Self::Starting | Self::Running),
            Self::Failed | Self::Cancelled => matches!(next, Self::Queued | Self::Starting | Self::Running),
            Self::Succeeded => false,
        }
    }
}

/// A run to add.
#[derive(Clone, Copy, Debug)]
pub struct NewRun<'a> {
    /// Name of the task.
    pub task: &'a str,
    /// Its specification, which names the run, the base model and the dataset.
    pub spec: &'a TrainSpec,
    /// Its directory, relative to `GRAFT_HOME` or absolute.
    pub dir: &'a str,
}

/// One training or evaluation, from request to result.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// What it does.
    pub kind: RunKind,
    /// Number of the run, from 1.
    pub seq: i64,
    /// Name of the task.
    pub task: String,
    /// Its state.
    pub state: RunState,
    /// `lora` or `soft-prompt`.
    pub method: String,
    /// Name of the base model.
    pub base: String,
    /// Digest of the dataset.
    pub dataset: Digest,
    /// The training spec; for an evaluation, the request.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// Its directory, relative to `GRAFT_HOME` or absolute.
    pub dir: String,
    /// Process id of the trainer, also after it ended.
    pub pid: Option<u32>,
    /// Number of training examples.
    pub train_samples: Option<u64>,
    /// Number of held-out examples.
    pub eval_samples: Option<u64>,
    /// Loss of the result on the held-out examples, or of the last step if there are none.
    pub final_loss: Option<f64>,
    /// Why it failed; printed as full text.
    #[serde(rename = "error", serialize_with = "text_of")]
    #[schema(value_type = Option<String>)]
    pub failure: Option<Failure>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// Who requested it.
    pub created_by: String,
    /// When it was requested.
    pub created_at: Timestamp,
    /// When its process first started to train.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Priority in the queue.
    pub priority: Priority,
    /// CPU threads that it uses; all of its worker's if absent.
    pub threads: Option<u32>,
    /// Number of trainer processes started for it.
    pub attempts: u32,
    /// Maximum number of trainers that are started for it.
    pub max_attempts: u32,
    /// The fence: increases with each change of the holder; a holder with an older value cannot write.
    pub fence: i64,
    /// The process that holds it.
    pub lease_owner: Option<String>,
    /// When that process's lease ends: the clock and its reading.
    #[serde(skip)]
    pub(crate) lease: Option<(String, i64)>,
    /// It does not start before this time.
    pub not_before: Option<Timestamp>,
    /// A pending request of a person.
    pub wants: Option<PendingRequest>,
    /// Its current phase: `download`, `prepare`, `search`, `train` or `evaluate`.
    pub phase: Option<String>,
    /// The run that must succeed before this one starts.
    #[serde(rename = "after")]
    pub after_run: Option<String>,
    /// Whether to activate its version if it is not worse than the active one.
    pub activate: bool,
    /// The name for its version; for an evaluation, the version that is evaluated.
    #[serde(rename = "version_name")]
    pub version: Option<String>,
    /// The request; absent for a run that was only found as a directory.
    #[schema(value_type = Option<Object>)]
    pub request: Option<Value>,
    /// The machine that executes it; absent for the worker's own.
    #[serde(rename = "on")]
    pub machine: Option<String>,
    /// Revision of its task when it was prepared; absent if unknown.
    pub task_revision: Option<i64>,
    /// The study that it belongs to, if it is a trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub study: Option<String>,
    /// The study that chooses its settings before it trains.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    /// Machine and home where its last process was started, and where its directory is.
    #[serde(skip)]
    pub place: Option<String>,
}

/// A change of a run; absent fields stay unchanged.
#[derive(Clone, Debug, Default)]
pub struct RunUpdate {
    /// The next state.
    pub state: Option<RunState>,
    /// Process id of the trainer.
    pub pid: Option<u32>,
    /// Machine and home of that process.
    pub place: Option<String>,
    /// Number of training examples.
    pub train_samples: Option<u64>,
    /// Number of held-out examples.
    pub eval_samples: Option<u64>,
    /// Loss of the result; stored only if finite.
    pub final_loss: Option<f64>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// Its phase.
    pub phase: Option<&'static str>,
    /// Whether another trainer process is being started.
    pub attempt: bool,
}

/// Which runs to list; an absent field matches all.
#[derive(Clone, Debug, Default)]
pub struct RunFilter {
    /// Only of this task.
    pub task: Option<String>,
    /// Only in this state.
    pub state: Option<RunState>,
    /// Only of this kind, without trials.
    pub kind: Option<RunKind>,
    /// Only trials of this study.
    pub study: Option<String>,
    /// At most this many.
    pub limit: Option<u32>,
    /// Number to skip at the start.
    pub offset: u32,
}

/// A run as a row of the Ask AI system's `training_runs`; times are ISO 8601 in UTC.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = TrainingRunRow)]
pub struct TrainingRun {
    /// Number of the run.
    pub id: i64,
    /// Always `soft_prompt`: that system uses one name for both methods.
    pub training_type: &'static str,
    /// `queued`, `running`, `completed` or `failed`.
    pub status: &'static str,
    /// When training began.
    pub started_at: Option<String>,
    /// When it ended.
    pub finished_at: Option<String>,
    /// Number of examples in the dataset.
    pub dataset_size: Option<u64>,
    /// Name of the base model.
    pub base_model: String,
    /// The run directory.
    pub output_dir: String,
    /// Name of the run.
    pub run_identifier: String,
    /// Loss of the result.
    pub final_loss: Option<f64>,
    /// Why it failed: the first and last 2,500 characters of the error output, labelled.
    pub error_message: Option<String>,
    /// Path of the result's metadata, once it exists.
    pub metadata_path: Option<String>,
    /// Who requested it.
    pub triggered_by: String,
    /// A note of this response: nothing changed since the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

fn text_of<S: Serializer>(failure: &Option<Failure>, to: S) -> Result<S::Ok, S::Error> {
    failure.as_ref().map(Failure::text).serialize(to)
}

impl Run {
    /// Index of the GPU that it uses, if any; `there_is_one` says whether the machine has a GPU.
    #[must_use]
    pub fn gpu(&self, there_is_one: bool) -> Option<u32> {
        let device = self.spec["limits"]["device"].as_str().and_then(|device| device.parse().ok()).unwrap_or_default();
        match device {
            ComputeDevice::Cpu => None,
            ComputeDevice::Auto => there_is_one.then_some(0),
            ComputeDevice::Gpu(index) => u32::try_from(index).ok(),
        }
    }

    /// The run in the format of the Ask AI system.
    #[must_use]
    pub fn training_run(&self) -> TrainingRun {
        let cancelled = self.state == RunState::Cancelled;
        TrainingRun {
            id: self.seq,
            training_type: "soft_prompt",
            status: match self.state {
                RunState::Queued => "queued",
                RunState::Starting | RunState::Running => "running",
                RunState::Succeeded => "completed",
                RunState::Failed | RunState::Cancelled => "failed",
            },
            started_at: self.started_at.map(iso8601),
            finished_at: self.finished_at.map(iso8601),
            dataset_size: self.train_samples.map(|train| train + self.eval_samples.unwrap_or(0)),
            base_model: self.base.clone(),
            output_dir: self.dir.clone(),
            run_identifier: self.id.clone(),
            final_loss: self.final_loss,
            error_message: self
                .failure
                .as_ref()
                .map(Failure::text)
                .or_else(|| cancelled.then(|| "cancelled".to_owned())),
            metadata_path: (self.state == RunState::Succeeded).then(|| format!("{}/training_run.json", self.dir)),
            triggered_by: self.created_by.clone(),
            note: None,
        }
    }

    /// Applies an update; the times follow from the state.
    fn apply(&mut self, update: &RunUpdate, at: Timestamp) {
        if let Some(state) = update.state {
            self.state = state;
            if state == RunState::Running && self.started_at.is_none() {
                self.started_at = Some(at);
            }
            self.finished_at = (!state.is_active()).then_some(at);
            if state.is_active() {
                (self.failure, self.exit_code) = (None, None);
            } else {
                (self.lease_owner, self.lease, self.wants, self.not_before) = (None, None, None, None);
            }
        }
        self.phase = update.phase.map(str::to_owned).or_else(|| self.phase.take());
        self.attempts += u32::from(update.attempt);
        self.pid = update.pid.or(self.pid);
        self.place = update.place.clone().or_else(|| self.place.take());
        self.train_samples = update.train_samples.or(self.train_samples);
        self.eval_samples = update.eval_samples.or(self.eval_samples);
        self.final_loss = update.final_loss.filter(|loss| loss.is_finite()).or(self.final_loss);
        self.failure = update.failure.clone().or_else(|| self.failure.take());
        self.exit_code = update.exit_code.or(self.exit_code);
    }
}

impl Store {
    /// Adds a queued run, which becomes the active training of its task.
    ///
    /// # Errors
    /// [`Error::RunActive`] while another run of the task is queued or running; [`Error::RunExists`].
    pub async fn add_run(&self, new: NewRun<'_>, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin_in(Scope::Queue).await?;
        let run = add(&mut tx, Fresh::training(new), Actor { by, at }).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// Updates a run. `started_at` and `finished_at` follow from the state; resuming a run clears its error and exit
    /// code.
    ///
    /// # Errors
    /// [`Error::NoRun`]; [`Error::RunState`] for a transition that is not allowed; [`Error::RunActive`] if it would
    /// resume while another run of its task is active.
    pub async fn update_run(&self, id: &str, update: &RunUpdate, by: &str, at: Timestamp) -> Result<Run, Error> {
        let mut tx = self.begin().await?;
        let run = find(&mut *tx, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))?;
        let run = change(&mut tx, run, update, Actor { by, at }).await?;
        tx.commit().await?;
        Ok(run)
    }

    /// One run.
    ///
    /// # Errors
    /// [`Error::NoRun`].
    pub async fn run(&self, id: &str) -> Result<Run, Error> {
        find(&self.read, id).await?.ok_or_else(|| Error::NoRun(id.to_owned()))
    }

    /// The active training of a task, if any.
    pub async fn active_run(&self, task: &str) -> Result<Option<Run>, Error> {
        statement::optional(
            &self.read,
            select_runs!(
                "where kind = 'train' and study is null and task = $1 and state in ('queued', 'starting', 'running')"
            ),
            task,
        )
        .await
    }

    /// The runs that match, newest first.
    pub async fn runs(&self, filter: &RunFilter) -> Result<Vec<Run>, Error> {
        statement::all(
            &self.read,
            select_runs!(
                "where ($1 is null or task = $1) and ($2 is null or state = $2) and ($5 is null or kind = $5)
               and ($5 is null or study is null) and ($6 is null or study = $6)
             order by seq desc limit $3 offset $4"
            ),
            (
                filter.task.as_deref(),
                filter.state,
                filter.limit.map_or(i64::MAX, i64::from),
                filter.offset,
                filter.kind,
                filter.study.as_deref(),
            ),
        )
        .await
    }

    /// The runs with these names, newest first; a name without a run is left out.
    pub async fn runs_named(&self, ids: &[&str]) -> Result<Vec<Run>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let places: Vec<String> = (1..=ids.len()).map(|place| format!("${place}")).collect();
        let sql = format!("{} where id in ({}) order by seq desc", select_runs!(""), places.join(", "));
        let query = ids.iter().fold(sqlx::query_as(AssertSqlSafe(sql)), |query, id| query.bind((*id).to_owned()));
        Ok(query.fetch_all(&self.read).await?)
    }
}

/// Updates a run within the caller's transaction.
async fn change(tx: &mut Tx<'_>, mut run: Run, update: &RunUpdate, actor: Actor<'_>) -> Result<Run, Error> {
    let from = run.state;
    let to = update.state.unwrap_or(from);
    if update.state.is_some() && !from.may_become(to) {
        return Err(Error::RunState { run: run.id, from: from.name(), to: to.name() });
    }
    if to.is_active() && !from.is_active() {
        refuse_second(tx, &run).await?;
    }
    let phase = run.phase.clone();
    run.apply(update, actor.at);
    write(tx, &run).await?;
    if from != to || phase != run.phase {
        let entry = Entry { action: Action::State, kind: Kind::Run, task: &run.task, subject: &run.id };
        let before = json!({"state": from, "phase": phase});
        let mut after = json!({"state": to, "phase": run.phase, "exit_code": run.exit_code});
        if let Some(owner) = &run.lease_owner {
            (after["worker"], after["fence"]) = (json!(owner), json!(run.fence));
        }
        record(tx, entry, actor, Some(&before), Some(&after)).await?;
    }
    Ok(run)
}
