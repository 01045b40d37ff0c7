//! `graft_core`.

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// An input with its output, where it came from, and what people said of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Unique within the task.
    pub id: String,
    /// Name of the task it belongs to.
    pub task: String,
    /// The text the model will see.
    pub input: String,
    /// The wanted answer: a text for text and label tasks, an object for extraction; null until someone gives one.
    #[schema(value_type = Option<Value>)]
    pub output: Option<Value>,
    /// Where it came from.
    pub source: Source,
    /// What people decided.
    pub review: Review,
    /// Counts edits, from 1.
    pub revision: u32,
}

/// Where an example came from.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// `slack`, `ask-ai`, `csv`, `jsonl`, `prompt`.
    pub kind: String,
    /// Key in the source: a Slack `ts`, a query id, a row number.
    pub reference: String,
    /// When the source says it was made, in milliseconds since the Unix epoch.
    pub at: Option<i64>,
}

/// The state of an example's audit. Only approved examples train.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase", deny_unknown_fields)]
pub enum Review {
    /// Nobody has looked at it.
    Pending,
    /// Its output is the truth.
    Approved {
        /// Who said so.
        by: String,
        /// When.
        at: i64,
    },
    /// It must not be used.
    Rejected {
        /// Who said so.
        by: String,
        /// When.
        at: i64,
        /// Why.
        reason: String,
    },
}

/// Everything that decides how an input becomes a prompt and an answer becomes a value.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskCard {
    /// `slack-rescue`, `ask-ai`, `text-classification`, …
    pub name: String,
    /// The instruction, put before the input.
    pub instruction: String,
    /// What the model must write.
    pub answer: AnswerForm,
}

/// The form of a task's answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "form", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AnswerForm {
    /// Free text.
    Text,
    /// Exactly one of these labels.
    Label {
        /// In a fixed order.
        labels: Vec<String>,
    },
    /// A JSON object that follows a schema.
    Json {
        /// JSON Schema (2020-12) of the answer as people see it.
        #[schema(value_type = Object)]
        schema: Value,
    },
}

/// One line of a run's `events.jsonl`.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Event {
    /// Counts from 1 within a run, without gaps.
    pub seq: u64,
    /// When it was written, in milliseconds since the Unix epoch.
    pub at: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The four phases of a run.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Checks and tokenises the data, loads the base.
    Prepare,
    /// Compares settings (or takes the given ones).
    Search,
    /// Learns.
    Train,
    /// Measures on the held-out examples.
    Evaluate,
}

/// What can happen in a run. Numbers that are not finite are null.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "lowercase", deny_unknown_fields)]
pub enum EventKind {
    /// A phase began.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// Facts found while preparing.
    Prepared {
        /// Training examples used.
        train: usize,
        /// Held-out examples.
        eval: usize,
        /// Examples left out because their prompt and answer exceed the maximum length.
        too_long: usize,
        /// Tokens an epoch computes.
        tokens: usize,
        /// Of these, tokens that carry loss.
        supervised: usize,
        /// Optimiser steps the whole run will take.
        steps: u64,
        /// Predicted peak memory in bytes.
        memory: u64,
    },
    /// An optimiser step was taken.
    Step {
        /// Counts from 1.
        step: u64,
        /// Steps in all.
        of: u64,
        /// Mean loss per supervised token of this step, before the update.
        loss: Option<f64>,
        /// Learning rate used.
        lr: f64,
        /// Gradient norm before clipping.
        grad_norm: Option<f64>,
        /// Prompt and answer tokens a second.
        tokens_per_s: Option<f64>,
        /// Seconds left at the present pace.
        eta_s: Option<f64>,
        /// Bytes of memory that the trainer holds after this step; absent where the system doesn't tell.
        memory: Option<u64>,
    },
    /// The held-out loss was measured.
    Eval {
        /// After this many steps.
        step: u64,
        /// Mean loss per supervised token on the held-out examples.
        loss: Option<f64>,
        /// Whether it is the best so far.
        best: bool,
    },
    /// A held-out example was answered.
    Answered {
        /// How many were until now, of adapter and base together.
        done: usize,
        /// How many there are in all.
        of: usize,
    },
    /// A whole checkpoint is on disk.
    Checkpoint {
        /// After this many steps.
        step: u64,
    },
    /// A run continued from a checkpoint.
    Resumed {
        /// The step it continued from.
        step: u64,
    },
    /// Something a person should read.
    Note {
        /// Whole sentence.
        text: String,
    },
    /// The adapter is published in the run directory.
    Done {
        /// Steps taken.
        steps: u64,
        /// Loss of the last step.
        final_loss: Option<f64>,
    },
    /// The run ended without a result.
    Failed {
        /// Public exit code.
        code: u8,
        /// What went wrong, whole.
        message: String,
    },
}
