//! What `/runs/compare` gives.

use graft_store::Run;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::schema;

/// Runs side by side.
#[derive(Debug, Serialize, ToSchema)]
pub struct RunComparison {
    /// In the order asked for.
    #[schema(value_type = Vec<schema::Run>)]
    pub runs: Vec<Run>,
    /// Settings in which they differ.
    pub config: Vec<ComparedField>,
    /// Numbers of their versions on the held-out examples.
    pub metrics: Vec<ComparedMetric>,
    /// The last run against the first on each held-out example, where there is a verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paired: Option<Paired>,
}

/// Who does better on how many held-out examples, by the headline metric's share of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct Paired {
    /// Examples that the last run does better than the first.
    pub wins: usize,
    /// Examples that it does worse.
    pub losses: usize,
    /// Examples that both do equally well.
    pub ties: usize,
    /// 50 at most of those that differ, the furthest apart first.
    pub differing: Vec<PairedExample>,
}

/// A held-out example that two runs answered differently well.
#[derive(Debug, Serialize, ToSchema)]
pub struct PairedExample {
    /// Its id.
    pub id: String,
    /// Its task.
    pub task: String,
    /// Its text.
    pub input: String,
    /// The first run's share, from 0 to 1.
    pub first: f64,
    /// The last run's.
    pub last: f64,
}

impl From<graft_engine::Paired> for Paired {
    fn from(paired: graft_engine::Paired) -> Self {
        let listed = |one: graft_engine::PairedExample| PairedExample {
            id: one.example.id,
            task: one.example.task,
            input: one.example.input,
            first: one.first,
            last: one.last,
        };
        let differing = paired.differing.into_iter().map(listed).collect();
        Self { wins: paired.wins, losses: paired.losses, ties: paired.ties, differing }
    }
}

/// A setting in which runs differ.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedField {
    /// Dotted path in the spec.
    pub field: String,
    /// One a run.
    pub values: Vec<Value>,
}

/// A number of each run.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComparedMetric {
    /// Its name.
    pub name: String,
    /// One a run; null where a run has none.
    pub values: Vec<Option<Interval>>,
    /// For the headline metric of versions measured on the same examples: whether the last run beats the first
    /// (`better`, `worse`, `cannot-tell`).
    pub verdict: Option<String>,
    /// Where there is a verdict: by how much the last run is above the first, from the same examples of both.
    pub difference: Option<Interval>,
}

impl From<graft_engine::Compared> for RunComparison {
    fn from(compared: graft_engine::Compared) -> Self {
        let comparison = compared.comparison;
        let decided = |metric: &str| comparison.as_ref().filter(|comparison| comparison.metric == metric);
        let verdict = |metric: &str| serde_json::to_value(decided(metric)?.verdict).ok()?.as_str().map(str::to_owned);
        let interval = |(value, low, high)| Interval { value, low, high };
        let metrics = compared.metrics.into_iter().map(|metric| ComparedMetric {
            verdict: verdict(&metric.name),
            difference: decided(&metric.name).map(|found| interval((found.difference, found.low, found.high))),
            values: metric.values.into_iter().map(|value| value.map(interval)).collect(),
            name: metric.name,
        });
        Self {
            metrics: metrics.collect(),
            config: compared.config.into_iter().map(|(field, values)| ComparedField { field, values }).collect(),
            runs: compared.runs,
            paired: compared.paired.map(Paired::from),
        }
    }
}

/// A number with its 95 % interval.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Interval {
    /// The number.
    pub value: f64,
    /// 2.5th percentile.
    pub low: f64,
    /// 97.5th percentile.
    pub high: f64,
}
