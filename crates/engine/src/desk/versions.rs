use graft_core::Example;
use graft_store::{Stage, Version};
use graft_tasks::score::{self, Diff};
use serde_json::Value;

use crate::{Engine, Evaluation, Result, evaluate::WorstAnswer, now};

/// A version with its numbers and the examples with which it does worst.
#[derive(Clone, Debug)]
pub struct VersionDetail {
    /// The version.
    pub version: Version,
    /// Its numbers, if it was evaluated.
    pub evaluation: Option<Evaluation>,
    /// Worst first.
    pub worst: Vec<Worst>,
}

/// A held-out example with its score.
#[derive(Clone, Debug)]
pub struct Worst {
    /// As it was when the version was measured.
    pub example: Example,
    /// The headline metric's share of it, from 0 to 1.
    pub score: f64,
    /// What the version answered; absent where that was not valid.
    pub answer: Option<Value>,
    /// Where that differs from the truth.
    pub diff: Option<Diff>,
}

impl Engine {
    /// A version with its numbers and the held-out examples with which it does worst.
    ///
    /// # Errors
    /// There is no such version.
    pub async fn version_detail(&self, task: &str, name: &str) -> Result<VersionDetail> {
        let version = self.store.version(task, name).await?;
        let evaluation = Self::evaluation(&version);
        let worst = match &evaluation {
            Some(evaluation) => self.worst(&version, evaluation).await?,
            None => Vec::new(),
        };
        Ok(VersionDetail { version, evaluation, worst })
    }

    async fn worst(&self, version: &Version, evaluation: &Evaluation) -> Result<Vec<Worst>> {
        let dataset = match self.store.dataset(&version.task, &evaluation.dataset).await {
            Err(graft_store::Error::NoDataset { .. }) => return Ok(Vec::new()),
            found => found?,
        };
        let shown = |worst: &WorstAnswer| {
            let example = dataset.eval.get(worst.place)?.clone();
            let diff = example.output.as_ref().zip(worst.answer.as_ref());
            let diff = diff.map(|(truth, answer)| score::diff(&version.card, truth, answer));
            Some(Worst { example, score: worst.score, answer: worst.answer.clone(), diff })
        };
        Ok(evaluation.worst.iter().filter_map(shown).collect())
    }

    /// Moves a version to another stage than `active`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn set_stage(&self, task: &str, name: &str, stage: Stage) -> Result<Version> {
        Ok(self.store.set_stage(task, name, stage, &self.by, now()).await?)
    }
}
