//! The scores of a version.

use std::collections::BTreeMap;

use graft_contestants::Kind;
use graft_core::{Digest, Timestamp};
use graft_predict::Calibration;
use graft_store::Version;
use graft_tasks::score::Scores;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// The numbers kept with a version: the version, its bare base and the contestants on the same held-out examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Evaluation {
    /// The dataset whose held-out side was answered.
    pub dataset: Digest,
    /// When.
    pub at: Timestamp,
    /// The version itself: its adapter, or the contestant that it is.
    pub adapter: Scores,
    /// The base model without it.
    pub base: Option<Scores>,
    /// The strongest of the contestants.
    pub baseline: Option<BaselineScores>,
    /// The contestants, fitted to the same examples. Empty in evaluations of earlier versions.
    #[serde(default)]
    #[schema(required = true)]
    pub contestants: Vec<ContestantScores>,
    /// Held-out answers that people approved unchanged from the task's parser. They make the score of the contestant
    /// `rules` too high.
    #[serde(default)]
    #[schema(required = true)]
    pub from_parser: usize,
    /// The calibration of confidences, with the reliability before and after.
    pub calibration: Calibration,
    /// The same for each field, by its path without list positions.
    pub fields: BTreeMap<String, Calibration>,
    /// The adapter's calibrated confidence of each held-out answer; 0 without a valid answer. Absent in evaluations of
    /// earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidences: Option<Vec<f64>>,
    /// Seconds that one answer of the adapter took.
    pub seconds_per_answer: f64,
    /// The adapter's worst answers, worst first.
    #[serde(default)]
    #[schema(required = true)]
    pub worst: Vec<KeptAnswer>,
    /// Answers that were all right, from all over the held-out examples.
    #[serde(default)]
    #[schema(required = true)]
    pub right: Vec<KeptAnswer>,
}

impl Evaluation {
    /// A version's numbers, if it was evaluated.
    #[must_use]
    pub fn of(version: &Version) -> Option<Self> {
        serde_json::from_value(version.metrics.get("evaluation")?.clone()).ok()
    }

    /// What to say of the score of the task's parser, where people took answers from it.
    #[must_use]
    pub fn flattery(&self) -> Option<String> {
        let is_there = self.contestants.iter().any(|one| one.kind == Kind::Rules);
        let (from, of) = (self.from_parser, self.adapter.n);
        (is_there && from > 0).then(|| {
            format!("{from} of {of} held-out answers are the parser's, approved unchanged: its score may be too high.")
        })
    }

    /// The contestant with the highest headline metric, the simplest of equal ones.
    #[must_use]
    pub fn strongest(&self) -> Option<&ContestantScores> {
        strongest(&self.contestants)
    }
}

/// What a measurement found: the numbers, and all answers of the version itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The numbers.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// The answer to each held-out example, in order; `None` where it was not valid. Absent in measurements of earlier
    /// versions.
    #[serde(default)]
    pub answers: Option<Vec<Option<Value>>>,
}

/// An answer that is kept with the numbers, to be looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct KeptAnswer {
    /// Place of the example among the held-out ones, from 0.
    pub place: usize,
    /// The headline metric's share of it, from 0 to 1.
    pub score: f64,
    /// The answer; absent where there was no valid one.
    pub answer: Option<Value>,
}

/// A contestant on the held-out examples.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContestantScores {
    /// Its kind.
    pub kind: Kind,
    /// What people read: `regex`, `n-grams`, `nearest example`, `always <label>`.
    pub name: String,
    /// Its scores.
    pub scores: Scores,
    /// With few examples in all: its scores on all of them, learned and held out, each answered by one that was fitted to
    /// the others (5 folds). The held-out side alone says little then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cross_validated: Option<Scores>,
    /// Seconds to fit it.
    pub seconds_to_fit: f64,
    /// Seconds that one answer took.
    pub seconds_per_answer: f64,
    /// Why a program or a service failed to answer, if it did: what it didn't answer counts as wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The contestant with the highest headline metric, the first of equal ones.
pub(crate) fn strongest(contestants: &[ContestantScores]) -> Option<&ContestantScores> {
    let value = |one: &ContestantScores| one.scores.headline().map_or(0.0, |metric| metric.value);
    contestants.iter().reduce(|best, one| if value(one) > value(best) { one } else { best })
}

/// The strongest contestant, as readers of earlier versions know it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct BaselineScores {
    /// As [`ContestantScores::name`].
    pub name: String,
    /// Its scores.
    pub scores: Scores,
}

/// A path without its list positions: `items[].quantity` for `items[2].quantity`.
#[must_use]
pub fn field_of(path: &str) -> String {
    let mut field = String::new();
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => {
                inside = true;
                field.push('[');
            }
            ']' => {
                inside = false;
                field.push(']');
            }
            c if !inside => field.push(c),
            _ => {}
        }
    }
    field
}
