//! A version and its scores as lists of tasks show them.

use graft_contestants::Kind;
use graft_core::{Digest, Timestamp};
use graft_store::{Method, VersionHead};
use graft_tasks::score::Metric;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The active version of a task in a list. `GET /versions/{task}/{name}` returns all of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VersionBrief {
    /// Unique within the task.
    pub name: String,
    /// How it answers.
    pub method: Method,
    /// The run that made it.
    pub run: Option<String>,
    /// Name of the base model; absent if the version needs none.
    #[schema(required = true)]
    pub base: Option<String>,
    /// Its scores; absent if it was not evaluated.
    #[schema(required = true)]
    pub scores: Option<ScoresBrief>,
    /// Who registered it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// The metric that decides between versions, on the held-out examples.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ScoresBrief {
    /// Number of held-out examples.
    pub examples: usize,
    /// Of the version.
    pub metric: Metric,
    /// Of the base model alone.
    pub base: Option<Metric>,
    /// Of the contestants.
    pub contestants: Vec<ContestantBrief>,
    /// Digest of the answers of these examples, so that only scores of the same ones are compared.
    pub truth: Digest,
}

/// A contestant on the same examples.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ContestantBrief {
    /// Its kind; absent in evaluations of earlier versions.
    pub kind: Option<Kind>,
    /// What people read.
    pub name: String,
    /// The same metric.
    pub metric: Option<Metric>,
}

/// What [`ScoresBrief`] needs of a version's metrics; everything else is skipped unread.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct KeptMetrics {
    evaluation: KeptEvaluation,
}

#[derive(Clone, Debug, Deserialize)]
struct KeptEvaluation {
    adapter: KeptScores,
    base: Option<KeptScores>,
    baseline: Option<KeptContestant>,
    #[serde(default)]
    contestants: Vec<KeptContestant>,
}

#[derive(Clone, Debug, Deserialize)]
struct KeptContestant {
    kind: Option<Kind>,
    name: String,
    scores: KeptScores,
}

#[derive(Clone, Debug, Deserialize)]
struct KeptScores {
    n: usize,
    headline: String,
    metrics: Vec<Metric>,
    truth: Digest,
}

impl KeptScores {
    fn headline(self) -> Option<Metric> {
        self.metrics.into_iter().find(|metric| metric.name == self.headline)
    }
}

impl ScoresBrief {
    fn of(KeptMetrics { evaluation }: KeptMetrics) -> Option<Self> {
        let KeptEvaluation { adapter, base, baseline, mut contestants } = evaluation;
        if contestants.is_empty() {
            contestants.extend(baseline);
        }
        let brief =
            |one: KeptContestant| ContestantBrief { kind: one.kind, name: one.name, metric: one.scores.headline() };
        Some(Self {
            examples: adapter.n,
            truth: adapter.truth.clone(),
            metric: adapter.headline()?,
            base: base.and_then(KeptScores::headline),
            contestants: contestants.into_iter().map(brief).collect(),
        })
    }
}

impl From<VersionHead<KeptMetrics>> for VersionBrief {
    fn from(head: VersionHead<KeptMetrics>) -> Self {
        let VersionHead { name, method, run, base, metrics, created_by, created_at, .. } = head;
        Self { name, method, run, base, scores: metrics.and_then(ScoresBrief::of), created_by, created_at }
    }
}
