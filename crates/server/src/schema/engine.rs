//! `graft_engine`, and the scores and predictions that it passes on.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

/// The numbers kept with a version: adapter, bare base and baseline on the same held-out examples.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Evaluation {
    /// Digest of the dataset whose held-out side was answered.
    pub dataset: String,
    /// When.
    pub at: i64,
    /// The adapter.
    pub adapter: Scores,
    /// The base model without it.
    pub base: Option<Scores>,
    /// What needs no model.
    pub baseline: Option<Rival>,
    /// Makes confidences mean what they say; with its reliability before and after.
    pub calibration: Calibration,
    /// The same for each field, by its path without list positions.
    pub fields: BTreeMap<String, Calibration>,
    /// How sure the adapter is of each held-out answer, calibrated; 0 where there was no valid one. Absent where it was
    /// measured before these were kept.
    pub confidences: Option<Vec<f64>>,
    /// Seconds that one answer of the adapter took.
    pub seconds_per_answer: f64,
    /// What the adapter answered where it did worst, worst first.
    pub worst: Vec<KeptAnswer>,
    /// Answers that were all right, from all over the held-out examples.
    pub right: Vec<KeptAnswer>,
}

/// An answer that is kept with the numbers, to be looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeptAnswer {
    /// Place of the example among the held-out ones, from 0.
    pub place: usize,
    /// The headline metric's share of it, from 0 to 1.
    pub score: f64,
    /// The answer; absent where there was no valid one.
    pub answer: Option<Value>,
}

/// Something that answers without a model.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Rival {
    /// `regex`, or `always <label>`.
    pub name: String,
    /// Its scores.
    pub scores: Scores,
}

/// The numbers of one model on the held-out examples of a task.
#[derive(Debug, Deserialize, ToSchema)]
pub struct Scores {
    /// The task's name.
    pub task: String,
    /// Held-out examples.
    pub n: usize,
    /// How many of them got a valid answer.
    pub answered: usize,
    /// In the order they are shown.
    pub metrics: Vec<Metric>,
    /// Label tasks: each label on its own.
    #[serde(default)]
    pub labels: Vec<LabelScore>,
    /// Label tasks: which label was taken for which.
    pub confusion: Option<Confusion>,
    /// Name of the metric that decides between versions.
    pub headline: String,
    /// The headline's share of each example, in order.
    pub per_example: Vec<f64>,
    /// Digest of the truth, so that only scores of the same examples are compared.
    pub truth: String,
}

/// One number, from 0 to 1, with its 95 % interval.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// Such as `direction`, `item_f1`, `exact`, `accuracy`.
    pub name: String,
    /// On all examples.
    pub value: f64,
    /// 2.5th percentile of the bootstrap.
    pub low: f64,
    /// 97.5th percentile of the bootstrap.
    pub high: f64,
}

/// One label of a label task.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LabelScore {
    /// The label.
    pub label: String,
    /// Held-out examples that have it.
    pub support: usize,
    /// Right ones among those given.
    pub precision: f64,
    /// Found ones among those there are.
    pub recall: f64,
    /// Harmonic mean of the two.
    pub f1: f64,
}

/// Which label was taken for which.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Confusion {
    /// Names of rows and columns.
    pub labels: Vec<String>,
    /// `counts[true][given]`; each row has one more column, for no valid answer.
    pub counts: Vec<Vec<usize>>,
}

/// A fitted map of confidences, with the reliability before and after.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The map: `{"method": "identity" | "platt" | "isotonic", …}`.
    #[schema(value_type = Object)]
    pub method: Value,
    /// As the confidences were.
    pub before: Reliability,
    /// Calibrated by maps that were fitted on other answers.
    pub after: Reliability,
}

/// How well confidences tell correctness.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Reliability {
    /// Number of answers.
    pub count: usize,
    /// Expected calibration error.
    pub ece: f64,
    /// Brier score.
    pub brier: f64,
    /// Up to ten bins of about equally many answers, from the least sure up.
    pub bins: Vec<ReliabilityBin>,
}

/// One row of a reliability table.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReliabilityBin {
    /// Number of answers.
    pub count: usize,
    /// Mean confidence.
    pub confidence: f64,
    /// Share of correct answers.
    pub accuracy: f64,
}

/// Two versions on the same held-out examples.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The metric compared.
    pub metric: String,
    /// The new version's.
    pub new: f64,
    /// The old version's.
    pub old: f64,
    /// `new - old`.
    pub difference: f64,
    /// 2.5th percentile of the difference.
    pub low: f64,
    /// 97.5th percentile of the difference.
    pub high: f64,
    /// `better`, `worse` or `cannot-tell`.
    pub verdict: String,
}

/// An answer of a model.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The answer; it follows the task's form.
    pub answer: Value,
    /// Probability that the whole answer is right, calibrated where a calibration is known.
    pub confidence: f64,
    /// The same for each field, by path.
    pub fields: BTreeMap<String, f64>,
    /// The model's own probability of the answer, before calibration.
    pub raw_confidence: f64,
    /// Whether the model ended the answer itself.
    pub valid: bool,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
}

/// Two answers to one input, field by field.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Diff {
    /// Single values, in the schema's order; one unnamed field for texts and labels.
    pub fields: Vec<FieldDiff>,
    /// List items in both answers.
    pub both: Vec<Value>,
    /// List items only in the left answer.
    pub only_left: Vec<Value>,
    /// List items only in the right answer.
    pub only_right: Vec<Value>,
    /// Right count of list items minus left count.
    pub item_count_difference: i64,
    /// The share of fields and items that agree, from 0 to 1.
    pub score: f64,
}

/// One field of two answers.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldDiff {
    /// The field's name.
    pub field: String,
    /// The left answer's value.
    pub left: Value,
    /// The right answer's value.
    pub right: Value,
    /// Whether they mean the same.
    pub same: bool,
}
