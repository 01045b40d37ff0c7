//! Drift: compares people's decisions on a version's suggestions with its scores on the held-out examples, and inputs with
//! those that it was trained on.

mod answers;
mod groups;
mod numbers;
mod periods;
mod served;
mod signals;

use graft_core::Timestamp;
use graft_store::Version;
use serde::Serialize;
use utoipa::ToSchema;

pub use answers::AnswerDrift;
pub(crate) use groups::groups;
pub use numbers::{Distance, Share, Spread};
pub use periods::DriftPeriod;
pub(crate) use served::HOUR;
pub use served::{MovedShare, ServedDrift, ServedPeriod};

use super::{Evaluation, Versions};
use crate::{Result, now};

/// At most so many suggestions are looked at, the newest.
const WINDOW: u32 = 200;
/// So many are needed to say anything.
const ENOUGH: usize = 20;
/// At most so many suggestions are looked at for periods.
const LATELY: u32 = 1000;
/// At most so many training inputs are compared with, at even distances.
const INPUTS: usize = 10_000;
/// The same where their words are compared.
const TEXTS: u32 = 2_000;
/// Hours for which counts of served inputs are kept.
pub(crate) const KEPT_HOURS: i64 = 7 * 24;

/// Whether something has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum DriftState {
    /// No change was seen.
    Stable,
    /// It has changed.
    Drifting,
    /// Nothing can be told yet.
    Unknown,
}

impl DriftState {
    /// `stable`, `drifting` or `unknown`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Drifting => "drifting",
            Self::Unknown => "unknown",
        }
    }
}

/// The current performance of a version, compared with its held-out scores.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Drift {
    /// The task.
    pub task: String,
    /// The version; absent where none is active.
    pub version: Option<String>,
    /// `drifting` where any signal is; `stable` only where all are.
    pub state: DriftState,
    /// When the version was measured, which is what it is compared with.
    pub measured_at: Option<Timestamp>,
    /// Whether people change its suggestions more often than its held-out error rate.
    pub overrides: Overrides,
    /// Whether its confidences have changed.
    pub confidence: Shift,
    /// Whether inputs have the length of the training examples.
    pub inputs: Shift,
    /// Whether its answers are distributed like those to the held-out examples.
    pub answers: AnswerDrift,
    /// The newest suggestions of the task, of all versions, in groups of equal size, oldest first.
    pub periods: Vec<DriftPeriod>,
    /// Whether requests have the words and lengths of the training examples.
    pub served: ServedDrift,
}

/// How often people change a version's suggestions.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Overrides {
    /// What follows.
    pub state: DriftState,
    /// The numbers as a sentence, or why there are none.
    pub text: String,
    /// The test and its threshold.
    pub test: &'static str,
    /// Suggestions that people changed, of the newest they decided on.
    pub window: Option<Share>,
    /// Held-out answers that were not fully correct.
    pub reference: Option<Share>,
    /// The share of changes that its confidences predict for the same suggestions.
    pub promised: Option<f64>,
    /// The share of fields and items that differ from the truth, for each of the suggestions.
    pub differing: Option<Spread>,
}

/// How far a distribution has moved.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Shift {
    /// What follows.
    pub state: DriftState,
    /// The numbers as a sentence, or why there are none.
    pub text: String,
    /// The test and its threshold.
    pub test: &'static str,
    /// Of the newest suggestions.
    pub window: Option<Spread>,
    /// What they are compared with.
    pub reference: Option<Spread>,
    /// How far the two are apart.
    pub distance: Option<Distance>,
}

impl Versions<'_> {
    /// How the named version of a task does, or the active one.
    ///
    /// # Errors
    /// There is no such task or version.
    pub async fn drift(self, task: &str, version: Option<&str>) -> Result<Drift> {
        self.engine.tasks().get(task).await?;
        let version = match version {
            Some(name) => Some(self.engine.store.version(task, name).await?),
            None => self.engine.store.active_version(task).await?,
        };
        match version {
            Some(version) => self.drift_of(&version).await,
            None => Ok(Drift::nothing(task)),
        }
    }

    /// How a version does now.
    pub(crate) async fn drift_of(self, version: &Version) -> Result<Drift> {
        let evaluation = Evaluation::of(version);
        let store = &self.engine.store;
        let decided = store.suggested(version, true, WINDOW).await?;
        let newest = store.suggested(version, false, WINDOW).await?;
        let lately = store.suggested_lately(&version.task, LATELY).await?;
        let held_out = match &evaluation {
            Some(evaluation) => store.version_answers(version, evaluation.at).await?.unwrap_or_default(),
            None => Vec::new(),
        };
        let (learned, texts) = match &version.dataset {
            Some(digest) => (
                store.training_lengths(&version.task, digest).await?,
                store.training_inputs(&version.task, digest, TEXTS).await?,
            ),
            None => (Vec::new(), Vec::new()),
        };
        let hours = store.served_inputs(&version.task, now() / HOUR - KEPT_HOURS).await?;
        let learned: Vec<f64> =
            learned.iter().step_by(learned.len().div_ceil(INPUTS).max(1)).copied().map(f64::from).collect();
        let rules = self.engine.tasks().of(version).await?.scoring;
        let overrides = signals::overrides(version, &rules, evaluation.as_ref(), &decided);
        let confidence = signals::confidence(version, evaluation.as_ref(), &newest);
        let inputs = signals::inputs(&learned, &newest);
        let kinds = answers::Kinds::of(&held_out.into_iter().map(Option::unwrap_or_default).collect::<Vec<_>>());
        let answers = match &evaluation {
            Some(_) => answers::answers(&kinds, &newest),
            None => AnswerDrift::unknown(newest.len(), 0, &signals::unmeasured(version)),
        };
        let periods = periods::periods(&lately, &kinds, &version.card, &rules);
        let served = served::served(&texts, &hours);
        let mut states = vec![overrides.state, confidence.state, inputs.state, answers.state];
        // A version that people only audit with is asked nothing.
        if !hours.is_empty() {
            states.push(served.state);
        }
        Ok(Drift {
            task: version.task.clone(),
            version: Some(version.name.clone()),
            state: signals::together(&states),
            measured_at: evaluation.map(|evaluation| evaluation.at),
            overrides,
            confidence,
            inputs,
            answers,
            periods,
            served,
        })
    }
}
