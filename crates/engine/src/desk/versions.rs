use graft_core::{Digest, Example};
use graft_store::{Stage, Version};
use serde_json::Value;

use crate::{Activated, Engine, Evaluation, Result, now};

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
    /// What the version answered, where that was kept.
    pub answer: Option<Value>,
    /// Where that differs from the truth.
    pub diff: Option<Value>,
}

/// Examples shown of those with which a version does worst.
const WORST: usize = 20;

impl Engine {
    /// A version with its numbers and the held-out examples with which it does worst.
    ///
    /// # Errors
    /// There is no such version.
    pub async fn version_detail(&self, task: &str, name: &str) -> Result<VersionDetail> {
        let version = self.store.version(task, name).await?;
        let evaluation = Self::evaluation(&version);
        let worst = match &evaluation {
            Some(evaluation) => self.worst(task, &evaluation.dataset, &evaluation.adapter.per_example).await?,
            None => Vec::new(),
        };
        Ok(VersionDetail { version, evaluation, worst })
    }

    async fn worst(&self, task: &str, dataset: &Digest, scores: &[f64]) -> Result<Vec<Worst>> {
        let dataset = match self.store.dataset(task, dataset).await {
            Err(graft_store::Error::NoDataset { .. }) => return Ok(Vec::new()),
            found => found?,
        };
        if dataset.eval.len() != scores.len() {
            return Ok(Vec::new());
        }
        let mut scored: Vec<(Example, f64)> = dataset.eval.into_iter().zip(scores.iter().copied()).collect();
        scored.retain(|(_, score)| *score < 1.0);
        scored.sort_by(|a, b| a.1.total_cmp(&b.1));
        let worst = scored.into_iter().take(WORST);
        Ok(worst.map(|(example, score)| Worst { example, score, answer: None, diff: None }).collect())
    }

    /// As [`activate`](Self::activate), if the active version is the one that the caller saw.
    ///
    /// # Errors
    /// Another one is active; the version is worse and not forced.
    pub async fn activate_from(
        &self,
        task: &str,
        name: &str,
        expected: Option<Option<&str>>,
        force: bool,
    ) -> Result<Activated> {
        if let Some(expected) = expected {
            let found = self.store.active_version(task).await?.map(|version| version.name);
            if found.as_deref() != expected {
                let expected = expected.map(str::to_owned);
                return Err(graft_store::Error::ActiveChanged { task: task.to_owned(), expected, found }.into());
            }
        }
        self.activate(task, name, force, &mut |_, _, _| {}).await
    }

    /// As [`roll_back`](Self::roll_back), if the active version is the one that the caller saw.
    ///
    /// # Errors
    /// Another one is active; no earlier one is left.
    pub async fn roll_back_from(&self, task: &str, expected: Option<&str>) -> Result<(Version, Option<String>)> {
        match expected {
            Some(expected) => {
                let version = self.store.rollback(task, Some(expected), &self.by, now()).await?;
                Ok((version, Some(expected.to_owned())))
            }
            None => self.roll_back(task).await,
        }
    }

    /// Moves a version to another stage than `active`.
    ///
    /// # Errors
    /// What the store says.
    pub async fn set_stage(&self, task: &str, name: &str, stage: Stage) -> Result<Version> {
        Ok(self.store.set_stage(task, name, stage, &self.by, now()).await?)
    }
}
