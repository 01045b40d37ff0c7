use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::{Failure, Timestamp};

/// One line of a run's `events.jsonl`: the only channel between doing and showing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Counts from 1 within a run, without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// A number; JSON has no word for those that are not finite, and writes null.
fn number<'de, D: Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::NAN))
}

/// The phases of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Checks and tokenises the data, loads the base.
    Prepare,
    /// Compares settings. No run has this phase yet: it belongs to searches, which are still to come.
    Search,
    /// Learns.
    Train,
    /// Measures on the held-out examples.
    Evaluate,
}

impl Phase {
    /// As stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Search => "search",
            Self::Train => "train",
            Self::Evaluate => "evaluate",
        }
    }

    /// The phase of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Prepare, Self::Search, Self::Train, Self::Evaluate].into_iter().find(|phase| phase.name() == name)
    }
}

/// What can happen in a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum EventKind {
    /// A phase began.
    Phase {
        /// Which.
        phase: Phase,
    },
    /// Facts found while preparing.
    Prepared {
        /// Training examples used.
        train: usize,
        /// Held-out examples.
        eval: usize,
        /// Examples left out because their prompt and answer exceed the maximum length.
        too_long: usize,
        /// Tokens an epoch computes.
        tokens: usize,
        /// Of these, tokens that carry loss.
        supervised: usize,
        /// Optimiser steps the whole run will take.
        steps: u64,
        /// Predicted peak memory in bytes.
        memory: u64,
    },
    /// An optimiser step was taken.
    Step {
        /// Counts from 1.
        step: u64,
        /// Steps in all.
        of: u64,
        /// Mean loss per supervised token of this step, before the update.
        #[serde(deserialize_with = "number")]
        #[schema(value_type = Option<f64>)]
        loss: f64,
        /// Learning rate used.
        lr: f64,
        /// Gradient norm before clipping.
        #[serde(deserialize_with = "number")]
        #[schema(value_type = Option<f64>)]
        grad_norm: f64,
        /// Prompt and answer tokens a second, counted as a user would (shared prefixes count for each example).
        #[serde(deserialize_with = "number")]
        #[schema(value_type = Option<f64>)]
        tokens_per_s: f64,
        /// Estimated seconds left.
        #[serde(deserialize_with = "number")]
        #[schema(value_type = Option<f64>)]
        eta_s: f64,
        /// Resident memory of the trainer after this step, in bytes; absent if unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory: Option<u64>,
    },
    /// The held-out loss was measured.
    Eval {
        /// After this many steps.
        step: u64,
        /// Mean loss per supervised token on the held-out examples.
        #[serde(deserialize_with = "number")]
        #[schema(value_type = Option<f64>)]
        loss: f64,
        /// Whether it is the best so far.
        best: bool,
        /// How long measuring took; absent in events of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
    },
    /// A held-out example was answered.
    Answered {
        /// How many were until now, of adapter and base together.
        done: usize,
        /// How many there are in all.
        of: usize,
    },
    /// A complete checkpoint is on disk.
    Checkpoint {
        /// After this many steps.
        step: u64,
    },
    /// A run continued from a checkpoint.
    Resumed {
        /// The step it continued from.
        step: u64,
    },
    /// Something a person should read.
    Note {
        /// Whole sentence.
        text: String,
    },
    /// The adapter is published in the run directory.
    Done {
        /// Steps taken.
        steps: u64,
        /// Loss of the last step.
        #[serde(deserialize_with = "number")]
        #[schema(value_type = Option<f64>)]
        final_loss: f64,
    },
    /// The run ended without a result.
    Failed(Failure),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_that_is_no_number_can_be_read_again() {
        let kind = EventKind::Eval { step: 3, loss: f64::NAN, best: false, seconds: None };
        let line = serde_json::to_string(&Event { seq: 1, at: 2, kind }).unwrap();
        let Event { kind: EventKind::Eval { step: 3, loss, .. }, .. } = serde_json::from_str(&line).unwrap() else {
            panic!("{line}");
        };
        assert!(loss.is_nan());
    }
}
