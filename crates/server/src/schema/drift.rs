//! The shapes of `graft_engine`'s drift.

use serde::Deserialize;
use utoipa::ToSchema;

/// How a version does now, against its own numbers on the held-out examples.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// The task.
    pub task: String,
    /// The version; absent where none is active.
    pub version: Option<String>,
    /// `drifting` where any signal is; `stable` only where all are.
    pub state: DriftState,
    /// When the version was measured, which is what it is compared with.
    pub measured_at: Option<i64>,
    /// Whether people change its suggestions more often than it was wrong.
    pub overrides: Overrides,
    /// Whether it is as sure as it was.
    pub confidence: Shift,
    /// Whether inputs are as long as those it learned from.
    pub inputs: Shift,
}

/// Whether something has changed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftState {
    /// No change was seen.
    Stable,
    /// It has changed.
    Drifting,
    /// Nothing can be told yet.
    Unknown,
}

/// How often people change a version's suggestions.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// What follows.
    pub state: DriftState,
    /// The numbers as a sentence, or why there are none.
    pub text: String,
    /// The test and its threshold.
    pub test: String,
    /// Suggestions that people changed, of the newest they decided on.
    pub window: Option<Share>,
    /// Answers that were not all right, of the held-out ones.
    pub reference: Option<Share>,
    /// The share of changes that its confidences promised for the same suggestions.
    pub promised: Option<f64>,
    /// The share of fields and items that differ from the truth, for each of the suggestions.
    pub differing: Option<Spread>,
}

/// How far a distribution has moved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// What follows.
    pub state: DriftState,
    /// The numbers as a sentence, or why there are none.
    pub text: String,
    /// The test and its threshold.
    pub test: String,
    /// Of the newest suggestions.
    pub window: Option<Spread>,
    /// What they are compared with.
    pub reference: Option<Spread>,
    /// How far the two are apart.
    pub distance: Option<Distance>,
}

/// A share of a count, with its 95 % interval (Wilson).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// How many there are.
    pub n: usize,
    /// How many of them count.
    pub count: usize,
    /// `count / n`.
    pub share: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

/// How a sample of numbers is spread.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// How many numbers.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their 95th percentile.
    pub p95: f64,
    /// The largest.
    pub max: f64,
    /// Eleven of them at even distances, from the smallest to the largest.
    pub deciles: Vec<f64>,
}

/// How far two samples' distributions are apart (Kolmogorov–Smirnov).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Distance {
    /// The largest difference of the shares at or below any value, from 0 to 1.
    pub distance: f64,
    /// Probability of at least this distance where nothing has changed.
    pub p: f64,
}
