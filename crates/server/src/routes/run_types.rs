//! What `/runs` takes and gives.

use graft_core::Event;
use graft_engine::RunView;
use graft_store::Run;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::schema;

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
    #[schema(value_type = schema::Run)]
    pub run: Run,
    /// The version that was made of it, or that it measures.
    pub version: Option<String>,
    /// How far it is, while it is under way.
    #[schema(value_type = Option<Progress>)]
    pub progress: Option<graft_engine::Progress>,
    /// What of its directory can't be read.
    pub damage: Option<String>,
}

/// How far a run is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// `prepare`, `search`, `train` or `evaluate`.
    pub phase: Option<String>,
    /// Steps taken, or held-out examples answered.
    pub step: u64,
    /// Steps in all, or held-out examples; 0 while unknown.
    pub of: u64,
    /// From 0 to 100.
    pub percent: f64,
    /// Of the last step.
    pub loss: Option<f64>,
    /// Seconds left at the present pace.
    pub eta_s: Option<f64>,
    /// Tokens a second.
    pub tokens_per_s: Option<f64>,
    /// The last event taken in: a cursor.
    pub seq: u64,
}

/// A training to be queued.
#[derive(Debug, Deserialize, ToSchema)]
pub struct NewRun {
    /// The task.
    pub task: String,
    /// Base model; `smollm2-135m` otherwise.
    pub base: Option<String>,
    /// Kind of adapter; LoRA otherwise.
    pub method: Option<MethodName>,
    /// How long it goes on, measured by the recipe; `recommended` otherwise, and epochs among the settings win.
    pub effort: Option<EffortName>,
    /// Settings that differ from the recipe; the names are those of the flags of `graft train`.
    pub settings: Option<RunSettings>,
    /// Share of the examples that is held out; 0.2 otherwise.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    pub eval_share: Option<f64>,
    /// Which examples are held out.
    pub split: Option<SplitName>,
    /// How soon it gets its turn; `normal` otherwise.
    pub priority: Option<PriorityName>,
    /// Make the version active afterwards, if it is not worse.
    pub activate: Option<bool>,
    /// A run that must succeed first.
    pub after: Option<String>,
    /// Name of its version; the next number otherwise.
    pub version: Option<String>,
    /// Score the version on the held-out examples; yes otherwise.
    pub evaluate: Option<bool>,
    /// Score the bare base model as well, which takes as long again.
    pub score_base: Option<bool>,
}

/// Kind of adapter.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// Low-rank adaptation.
    Lora,
    /// Prompt tuning.
    SoftPrompt,
}

/// How long a training goes on, measured by Graft's recipe for the task and its examples.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum EffortName {
    /// About a third of the recipe's epochs.
    Quick,
    /// The recipe's.
    Recommended,
    /// Twice the recipe's.
    Thorough,
}

/// The epochs of each effort.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EffortEpochs {
    /// Of `quick`.
    pub quick: f64,
    /// Of `recommended`.
    pub recommended: f64,
    /// Of `thorough`.
    pub thorough: f64,
}

/// Which examples are held out.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SplitName {
    /// The newest.
    Newest,
    /// A seeded choice.
    Random,
}

/// How soon a run gets its turn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PriorityName {
    /// When nothing else waits.
    Low,
    /// In turn.
    Normal,
    /// Before all others.
    High,
}

/// Settings of a training.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RunSettings {
    /// Passes over the training examples.
    pub epochs: Option<f64>,
    /// Peak learning rate.
    pub learning_rate: Option<f64>,
    /// `cosine`, `linear` or `constant`.
    pub schedule: Option<String>,
    /// Share of all steps spent warming up.
    pub warmup: Option<f64>,
    /// Examples a step.
    pub batch_size: Option<usize>,
    /// Decoupled weight decay.
    pub weight_decay: Option<f64>,
    /// AdamW's first-moment decay.
    pub beta1: Option<f64>,
    /// AdamW's second-moment decay.
    pub beta2: Option<f64>,
    /// AdamW's denominator floor.
    pub eps: Option<f64>,
    /// Largest global gradient norm; 0 switches clipping off.
    pub clip: Option<f64>,
    /// Reaches initialisation, order, dropout, misspellings and a random split.
    pub seed: Option<u64>,
    /// Share of the longer words of an input that are misspelt, anew in each epoch.
    pub typos: Option<f64>,
    /// LoRA: inner dimension.
    pub rank: Option<usize>,
    /// LoRA: numerator of the scaling.
    pub alpha: Option<f32>,
    /// LoRA: share of inputs dropped in training.
    pub dropout: Option<f32>,
    /// LoRA: scale by alpha / √rank.
    pub rslora: Option<bool>,
    /// LoRA: `["all-linear"]`, `["decoder"]`, or ends of module names.
    pub targets: Option<Vec<String>>,
    /// Soft prompt: number of virtual tokens.
    pub prompt_tokens: Option<usize>,
    /// Soft prompt: `labels`, `vocabulary`, `random`, or `text:…`.
    pub prompt_init: Option<String>,
    /// Measurements of the held-out loss an epoch.
    pub evals_per_epoch: Option<u32>,
    /// Stop after this many measurements without a better one; 0 never stops early.
    pub patience: Option<u32>,
    /// Held-out examples measured during training, at most.
    pub eval_examples: Option<usize>,
    /// Checkpoints an epoch.
    pub checkpoints_per_epoch: Option<u32>,
    /// Longest prompt with its answer, in tokens.
    pub max_tokens: Option<usize>,
    /// Longest source (T5).
    pub max_source: Option<usize>,
    /// Longest target (T5).
    pub max_target: Option<usize>,
    /// Tokens computed at once; fewer take less memory.
    pub pass_tokens: Option<usize>,
    /// Compute activations again in the backward pass: less memory, more time, the same result.
    pub recompute: Option<bool>,
    /// Memory the training may take, in bytes.
    pub memory: Option<u64>,
    /// Threads; otherwise all that the worker gives.
    pub threads: Option<usize>,
}

/// One run.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneRun {
    /// As it is now.
    #[schema(value_type = schema::Run)]
    pub run: Run,
}

/// What is wrong with a training that could be queued, and what it would take.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Preflight {
    /// Whether it could be queued.
    pub ok: bool,
    /// Everything that is wrong or doubtful.
    pub problems: Vec<PreflightProblem>,
    /// What it would take; absent where that can't be told.
    pub estimate: Option<Estimate>,
    /// For LoRA on a T5 base, unless `targets` are given: what it would take with `targets: ["decoder"]`, which keeps
    /// the encoder's output and is faster. Its `quality` tells how good that was on one's own data.
    pub decoder_only: Option<Estimate>,
    /// The epochs of each effort; absent where there is no base or nothing to learn from.
    pub efforts: Option<EffortEpochs>,
    /// The same training from the command line.
    pub command: String,
    /// The whole spec, where there is one.
    #[schema(value_type = Option<Object>)]
    pub spec: Option<Value>,
}

/// One thing that is wrong or doubtful.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreflightProblem {
    /// `error` keeps the run from being queued; `warning` doesn't.
    pub level: String,
    /// What.
    pub what: String,
    /// What to do about it.
    pub hint: String,
    /// The field of the request that it is about.
    pub field: Option<String>,
}

/// What a training would take.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Estimate {
    /// Examples to learn from.
    pub train: usize,
    /// Examples left out because they are longer than the run's limits.
    pub too_long: usize,
    /// Examples held out.
    pub eval: usize,
    /// Tokens an epoch computes.
    pub tokens: u64,
    /// Optimiser steps.
    pub steps: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Where the speed comes from, in words.
    pub seconds_basis: String,
    /// Peak memory in bytes.
    pub memory_bytes: u64,
    /// Disk for the adapter and its checkpoints, in bytes.
    pub disk_bytes: u64,
    /// How good the version of the last such run on this machine is, if there was one.
    pub quality: Option<Quality>,
}

/// What a version's held-out examples said of it.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Quality {
    /// The version.
    pub version: String,
    /// Held-out examples.
    pub n: usize,
    /// The metric that decides between versions.
    pub metric: schema::Metric,
}

/// A run with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunDetail {
    /// The run.
    #[schema(value_type = schema::Run)]
    pub run: Run,
    /// The version that was made of it.
    pub version: Option<String>,
    /// How far it is, while it is under way.
    #[schema(value_type = Option<Progress>)]
    pub progress: Option<graft_engine::Progress>,
    /// What `training_run.json` says, once it is there.
    #[schema(value_type = Option<Object>)]
    pub result: Option<Value>,
    /// Whether its trainer lives.
    pub pid_alive: bool,
    /// Trainers that were started for it.
    pub attempts: u32,
    /// Why it doesn't go on, while it is queued.
    #[schema(value_type = Option<Waiting>)]
    pub waiting: Option<graft_engine::Waiting>,
    /// Why it failed.
    #[schema(value_type = Option<Failure>)]
    pub failure: Option<graft_engine::RunFailure>,
    /// The command that does the same.
    pub command: Option<String>,
    /// What of its directory can't be read.
    pub damage: Option<String>,
}

impl From<RunView> for RunDetail {
    fn from(view: RunView) -> Self {
        Self {
            version: view.version.map(|version| version.name),
            progress: view.progress,
            result: view.result.and_then(|result| serde_json::to_value(result).ok()),
            pid_alive: view.pid_alive,
            attempts: view.run.attempts,
            waiting: view.waiting,
            failure: view.failure,
            command: view.command,
            damage: view.damage,
            run: view.run,
        }
    }
}

impl From<RunView> for ListedRun {
    fn from(view: RunView) -> Self {
        let version = view.version.map(|version| version.name);
        Self { version, progress: view.progress, damage: view.damage, run: view.run }
    }
}

/// Why a queued run doesn't go on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// In words.
    pub why: String,
    /// When that may change; absent where it depends on something else.
    pub until: Option<i64>,
}

/// Why a run failed.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Failure {
    /// What went wrong.
    pub what: String,
    /// The phase it was in.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// Why, with the trainer's own words.
    pub why: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Exit code of the trainer.
    pub exit_code: Option<i32>,
    /// `prepare`, `search`, `train` or `evaluate`.
    pub phase: Option<String>,
}

/// How many runs are gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedRuns {
    /// How many.
    pub deleted: u64,
}

/// Which of a trainer's two logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// What it did.
    Stdout,
    /// What went wrong.
    Stderr,
}

impl From<LogStream> for graft_engine::LogStream {
    fn from(stream: LogStream) -> Self {
        match stream {
            LogStream::Stdout => Self::Stdout,
            LogStream::Stderr => Self::Stderr,
        }
    }
}

impl From<graft_engine::LogText> for LogText {
    fn from(part: graft_engine::LogText) -> Self {
        Self { text: part.text, next: part.next, size: part.size }
    }
}

/// A part of a log.
#[derive(Debug, Serialize, ToSchema)]
pub struct LogText {
    /// Whole characters from the offset on; what is no UTF-8 is replaced.
    pub text: String,
    /// The offset of the next part, in bytes.
    pub next: u64,
    /// Bytes there are.
    pub size: u64,
}

/// A run's events.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventList {
    /// In order.
    #[schema(value_type = Vec<schema::Event>)]
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
