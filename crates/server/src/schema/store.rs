//! `graft_store`.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::TaskCard;

/// How many examples of a task are in which state.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Not looked at yet.
    pub pending: u64,
    /// Usable.
    pub approved: u64,
    /// Not to be used.
    pub rejected: u64,
}

/// One line of the audit trail, which is only ever added to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Counts all changes without a gap, from 1.
    pub seq: i64,
    /// When, in milliseconds since the Unix epoch.
    pub at: i64,
    /// Who.
    pub by: String,
    /// What was done: `import`, `approve`, `reject`, `edit`, `add`, `state`, `activate`, …
    pub action: String,
    /// To what kind of thing: `example`, `dataset`, `run`, `version`, `setting`, `base`, …
    pub kind: String,
    /// Its task; empty for what belongs to none.
    pub task: String,
    /// Its id or name.
    pub subject: String,
    /// The fields that changed, as they were.
    #[schema(value_type = Option<Object>)]
    pub before: Option<Value>,
    /// The same fields as they are now.
    #[schema(value_type = Option<Object>)]
    pub after: Option<Value>,
}

/// What a run does.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunKind {
    /// Makes a version.
    Train,
    /// Scores a version on its held-out examples.
    Evaluate,
}

/// Where a run is in its life.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Waits for its turn.
    Queued,
    /// Its process is being started.
    Starting,
    /// Its process trains.
    Running,
    /// It has a result.
    Succeeded,
    /// It ended without a result; it may be resumed.
    Failed,
    /// Somebody stopped it; it may be resumed.
    Cancelled,
}

/// How far a version has come.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Registered; nobody sees what it predicts.
    Shadow,
    /// Answers some of the requests.
    Canary,
    /// Answers.
    Active,
    /// Was active once.
    Archived,
}

/// One training or measurement, from what was asked for to its result.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// What it does.
    pub kind: RunKind,
    /// Counts runs, from 1.
    pub seq: i64,
    /// Name of the task.
    pub task: String,
    /// Where it is in its life.
    pub state: RunState,
    /// `lora` or `soft-prompt`.
    pub method: String,
    /// Name of the base model.
    pub base: String,
    /// Digest of the dataset.
    pub dataset: String,
    /// The training spec as it was given; of a measurement, what was asked for.
    #[schema(value_type = Object)]
    pub spec: Value,
    /// Its directory, relative to `GRAFT_HOME` or absolute.
    pub dir: String,
    /// Process id of the trainer, while and after it ran.
    pub pid: Option<u32>,
    /// Examples learned from.
    pub train_samples: Option<u64>,
    /// Examples held out.
    pub eval_samples: Option<u64>,
    /// Loss of the result on the held-out examples, or of the last step without any.
    pub final_loss: Option<f64>,
    /// Why it failed, in full.
    pub error: Option<String>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// Who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: i64,
    /// When its process first trained.
    pub started_at: Option<i64>,
    /// When it ended.
    pub finished_at: Option<i64>,
    /// How soon it gets its turn: `low`, `normal` or `high`.
    pub priority: String,
    /// CPU threads it takes; all of its worker's without a number.
    pub threads: Option<u32>,
    /// Trainers that were started for it.
    pub attempts: u32,
    /// Trainers that may be started before it counts as poisoned.
    pub max_attempts: u32,
    /// Grows each time it changes hands.
    pub fence: i64,
    /// The process that holds it.
    pub lease_owner: Option<String>,
    /// It doesn't start before this.
    pub not_before: Option<i64>,
    /// `cancel` where somebody wants it to end.
    pub wants: Option<String>,
    /// What it does now: `prepare`, `search`, `train` or `evaluate`.
    pub phase: Option<String>,
    /// The run that must succeed first.
    pub after: Option<String>,
    /// Whether its version is to become active, if it is not worse.
    pub activate: bool,
    /// The name its version is to have; of a measurement, the version that is measured.
    pub version_name: Option<String>,
    /// What was asked for; absent for a run that a command trains by itself.
    #[schema(value_type = Option<Object>)]
    pub request: Option<Value>,
}

/// A registered adapter of a task.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Version {
    /// Name of the task.
    pub task: String,
    /// Unique within the task.
    pub name: String,
    /// How far it has come.
    pub stage: Stage,
    /// The run that made it.
    pub run: Option<String>,
    /// The adapter's folder, relative to `GRAFT_HOME`.
    pub adapter_dir: String,
    /// Digest of the adapter's files.
    pub adapter_digest: String,
    /// Name of the base model.
    pub base: String,
    /// Digest of the base model.
    pub base_digest: String,
    /// The dataset it learned from.
    pub dataset: Option<String>,
    /// Prompt and answer form it was trained with.
    pub card: TaskCard,
    /// Digest of the card.
    pub card_digest: String,
    /// Scores on the held-out examples (`evaluation`) and what training measured (`training`).
    #[schema(value_type = Object)]
    pub metrics: Value,
    /// The version it was trained from or to replace.
    pub parent: Option<String>,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: i64,
}

/// A base model on this machine.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Base {
    /// Built-in name, Hub id or path, as users write it.
    pub name: String,
    /// Folder or GGUF file.
    pub path: String,
    /// Digest of the model files.
    pub digest: String,
    /// When it was added.
    pub added_at: i64,
}
