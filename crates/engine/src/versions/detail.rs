use graft_core::{Digest, Example};
use graft_store::{Stage, Version};
use graft_tasks::score::{self, Diff};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Evaluation, KeptAnswer, Versions};
use crate::{Result, now};

/// A version with its numbers and answers of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VersionDetail {
    /// The version.
    pub version: Version,
    /// Its numbers, if it was evaluated.
    pub evaluation: Option<Evaluation>,
    /// Where it comes from.
    pub lineage: Lineage,
    /// Answers that lack something, worst first.
    pub worst: Vec<ShownAnswer>,
    /// Answers that are all right.
    pub right: Vec<ShownAnswer>,
}

/// Where a version comes from.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Lineage {
    /// The run that made it.
    pub run: Option<String>,
    /// Digest of the dataset it learned from.
    pub dataset: Option<Digest>,
    /// The version whose weights its training started from.
    pub parent: Option<String>,
    /// The base model; absent where the version answers without one.
    #[schema(required = true)]
    pub base: Option<String>,
}

/// A held-out example and what a version answered to it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ShownAnswer {
    /// As it was when the version was measured.
    pub example: Example,
    /// The headline metric's share of it, from 0 to 1.
    pub score: f64,
    /// What the version answered; absent where that was not valid.
    pub answer: Option<Value>,
    /// Where that differs from the truth.
    pub diff: Option<Diff>,
}

impl Versions<'_> {
    /// The version that a rollback of a task would make active, if any.
    pub async fn rollback_target(self, task: &str) -> Result<Option<String>> {
        let active = self.engine.store.active_version(task).await?.map(|version| version.name);
        match self.engine.store.version_before(task, active.as_deref()).await {
            Ok(version) => Ok(Some(version.name)),
            Err(graft_store::Error::NothingBefore { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A version with its numbers, where it did worst, and where it was right.
    ///
    /// # Errors
    /// There is no such version.
    pub async fn detail(self, task: &str, name: &str) -> Result<VersionDetail> {
        let version = self.engine.store.version(task, name).await?;
        let evaluation = Evaluation::of(&version);
        let held_out = match &evaluation {
            Some(evaluation) => self.held_out(&version, evaluation).await?,
            None => Vec::new(),
        };
        let rules = self.engine.tasks().of(&version).await?.scoring;
        let shown = |kept: &KeptAnswer| {
            let example = held_out.get(kept.place)?.clone();
            let diff = example.output.as_ref().zip(kept.answer.as_ref());
            let diff = diff.map(|(truth, answer)| score::diff(&version.card, &rules, truth, answer));
            Some(ShownAnswer { example, score: kept.score, answer: kept.answer.clone(), diff })
        };
        let all = |kept: &[KeptAnswer]| kept.iter().filter_map(shown).collect::<Vec<_>>();
        let (worst, right) = evaluation.as_ref().map(|e| (all(&e.worst), all(&e.right))).unwrap_or_default();
        let Version { run, dataset, parent, base, .. } = version.clone();
        let lineage = Lineage { run, dataset, parent, base };
        Ok(VersionDetail { version, evaluation, lineage, worst, right })
    }

    /// The examples that a version was measured on; none where they are no longer there.
    pub(crate) async fn held_out(self, version: &Version, evaluation: &Evaluation) -> Result<Vec<Example>> {
        match self.engine.store.dataset(&version.task, &evaluation.dataset).await {
            Err(graft_store::Error::NoDataset { .. }) => Ok(Vec::new()),
            found => Ok(found?.eval),
        }
    }

    /// Moves a version to another stage than `active`.
    pub async fn set_stage(self, task: &str, name: &str, stage: Stage) -> Result<Version> {
        Ok(self.engine.store.set_stage(task, name, stage, &self.engine.by, now()).await?)
    }
}
