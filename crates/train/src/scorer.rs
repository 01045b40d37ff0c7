//! Scores of the adapter in training.

use std::sync::Arc;

use graft_core::{InterimScores, TrainSpec};
use graft_formats::ModelFiles;
use graft_nn::{Adapter, Generator, Model};

use crate::RunDir;

/// Share of the training's work that scoring may take.
const SHARE: f64 = 0.1;
/// Work of a training step relative to the forward pass: the backward pass computes the gradients of inputs and adapter.
const STEP_WORK: f64 = 3.0;

/// Why answers can't be scored.
pub type ScoringError = Box<dyn std::error::Error + Send + Sync>;

/// What a [`Scorer`] is wanted for.
#[derive(Clone, Copy)]
pub struct ScorerOrder<'t> {
    /// The run.
    pub dir: &'t RunDir,
    /// Its settings.
    pub spec: &'t TrainSpec,
    /// The frozen model.
    pub model: &'t Arc<Model>,
    /// Its files.
    pub files: &'t ModelFiles,
    /// Most work of one measurement, in tokens of a forward pass.
    pub budget: u64,
}

/// Lets an adapter in training answer held-out examples, and scores the answers. The caller of a training provides it:
/// the trainer knows neither answer forms nor rules of comparison.
pub struct Scorer {
    /// Work of one measurement, in tokens of a forward pass.
    pub work: u64,
    /// Rows that its KV cache needs.
    pub rows: usize,
    /// Scores an adapter.
    pub score: Box<Score>,
}

/// Scores an adapter whose answers are computed by a generator with an empty cache.
pub type Score = dyn FnMut(Box<dyn Generator>, Adapter) -> Result<InterimScores, ScoringError>;

/// Makes the scorer of a run; `None` if the run wants none.
pub type MakeScorer<'m> = dyn Fn(&ScorerOrder<'_>) -> Result<Option<Scorer>, ScoringError> + 'm;

/// Allocates a KV cache of so many rows on the device of the training.
pub(crate) type Generate = Box<dyn Fn(usize) -> Result<Box<dyn Generator>, graft_nn::Error>>;

/// The measurements of a run that score answers.
pub(crate) struct Scoring {
    pub(crate) scorer: Scorer,
    pub(crate) generate: Generate,
    /// How many measurements may score answers.
    pub(crate) affordable: u64,
}

impl Scoring {
    /// Work that scoring may take in a training of so many tokens, in tokens of a forward pass.
    pub(crate) fn budget(trained_tokens: f64) -> u64 {
        (trained_tokens * STEP_WORK * SHARE) as u64
    }

    /// As many measurements as the budget allows, but at least one.
    pub(crate) fn new(scorer: Scorer, budget: u64, generate: Generate) -> Self {
        Self { affordable: (budget / scorer.work.max(1)).max(1), scorer, generate }
    }

    /// Bytes of the KV cache.
    pub(crate) fn bytes(&self, model: &Model) -> u64 {
        (self.scorer.rows * model.session_row_bytes()) as u64
    }

    /// Scores an adapter.
    pub(crate) fn score(&mut self, adapter: Adapter) -> Result<InterimScores, ScoringError> {
        (self.scorer.score)((self.generate)(self.scorer.rows)?, adapter)
    }

    /// Whether a measurement (from 1) of so many scores answers: the last does, and those that can be afforded before it
    /// have even distances. This depends on the data and the settings alone, so a resumed run does the same.
    pub(crate) fn is_due(&self, measurement: u64, of: u64) -> bool {
        let scored = self.affordable.min(of);
        measurement * scored / of > measurement.saturating_sub(1) * scored / of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn affordable_measurements_are_spread_evenly_and_include_the_last() {
        let due = |budget, of| -> Vec<u64> {
            let scorer = Scorer { work: 10, rows: 1, score: Box::new(|_, _| Err("unused".into())) };
            let scoring = Scoring::new(scorer, budget, Box::new(|_| Err(graft_nn::Error::NoSequence(0))));
            (1..=of).filter(|measurement| scoring.is_due(*measurement, of)).collect()
        };
        assert_eq!(due(1000, 3), [1, 2, 3]);
        assert_eq!(due(45, 10), [3, 5, 8, 10]);
        assert_eq!(due(20, 5), [3, 5]);
        assert_eq!(due(1, 7), [7], "the last is always scored");
    }
}
