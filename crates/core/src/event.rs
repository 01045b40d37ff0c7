use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Failure, Timestamp, json};

/// One line of a run's `events.jsonl`, the only channel from the trainer to everything that displays its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Event {
    /// Number of the event within the run, from 1 without gaps.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

names! {
    /// The phases of a run.
    pub enum Phase {
        /// Downloads the base model, which was missing.
        Download = "download",
        /// Checks and tokenizes the data, and loads the base model.
        Prepare = "prepare",
        /// A study compares settings; the run waits for them in the queue.
        Search = "search",
        /// Trains.
        Train = "train",
        /// Evaluates on the held-out examples.
        Evaluate = "evaluate",
    }
}

/// Scores of an adapter during its training: it answers held-out examples as in an evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct InterimScores {
    /// Number of held-out examples that were answered; the same ones at each measurement.
    pub examples: usize,
    /// Share of answers that are all right, from 0 to 1.
    pub accuracy: f64,
    /// From 0 to 1: the macro F1 of labels, the F1 of list items of fields, the F1 of words of texts; absent for fields
    /// without a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f1: Option<f64>,
    /// How long answering took.
    pub seconds: f64,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum EventKind {
    /// A phase began.
    Phase {
        /// Which phase.
        phase: Phase,
    },
    /// Results of the preparation.
    Prepared {
        /// Number of training examples used.
        train: usize,
        /// Number of held-out examples.
        eval: usize,
        /// Examples left out because their prompt and answer exceed the maximum length.
        too_long: usize,
        /// Tokens computed per epoch.
        tokens: usize,
        /// Of these, tokens with loss.
        supervised: usize,
        /// Held-out examples whose loss is measured during the training.
        #[serde(default)]
        measured: usize,
        /// Their tokens with loss.
        #[serde(default)]
        measured_tokens: usize,
        /// Optimizer steps of the whole run.
        steps: u64,
        /// Predicted peak memory in bytes.
        memory: u64,
    },
    /// An optimizer step was taken.
    Step {
        /// Number of the step, from 1.
        step: u64,
        /// Total number of steps.
        of: u64,
        /// Mean loss per supervised token of this step, before the update.
        #[serde(deserialize_with = "json::number")]
        #[schema(value_type = Option<f64>)]
        loss: f64,
        /// Learning rate used.
        lr: f64,
        /// Gradient norm before clipping.
        #[serde(deserialize_with = "json::number")]
        #[schema(value_type = Option<f64>)]
        grad_norm: f64,
        /// Prompt and answer tokens per second; shared prefixes count once per example.
        #[serde(deserialize_with = "json::number")]
        #[schema(value_type = Option<f64>)]
        tokens_per_s: f64,
        /// Estimated seconds left.
        #[serde(deserialize_with = "json::number")]
        #[schema(value_type = Option<f64>)]
        eta_s: f64,
        /// Resident memory of the trainer after this step, in bytes; absent if unknown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory: Option<u64>,
    },
    /// The held-out loss was measured, and perhaps answers were scored.
    Eval {
        /// Number of steps so far.
        step: u64,
        /// Mean loss per supervised token on the held-out examples.
        #[serde(deserialize_with = "json::number")]
        #[schema(value_type = Option<f64>)]
        loss: f64,
        /// Whether it is the lowest so far.
        best: bool,
        /// How long measuring the loss took; absent in events of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seconds: Option<f64>,
        /// Scores of the adapter's answers; absent if none were asked for here, and in events of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scores: Option<InterimScores>,
    },
    /// A held-out example was answered.
    Answered {
        /// Number of answers so far, of adapter and base model together.
        done: usize,
        /// Total number of answers.
        of: usize,
    },
    /// A complete checkpoint is on disk.
    Checkpoint {
        /// Number of steps so far.
        step: u64,
    },
    /// A run continued from a checkpoint.
    Resumed {
        /// The step it continued from.
        step: u64,
    },
    /// A message for people.
    Note {
        /// A whole sentence.
        text: String,
    },
    /// The adapter is published in the run directory.
    Done {
        /// Number of steps taken.
        steps: u64,
        /// Loss of the last step.
        #[serde(deserialize_with = "json::number")]
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
    fn nan_loss_survives_a_round_trip() {
        let kind = EventKind::Eval { step: 3, loss: f64::NAN, best: false, seconds: None, scores: None };
        let line = serde_json::to_string(&Event { seq: 1, at: 2, kind }).unwrap();
        let Event { kind: EventKind::Eval { step: 3, loss, .. }, .. } = serde_json::from_str(&line).unwrap() else {
            panic!("{line}");
        };
        assert!(loss.is_nan());
    }

    #[test]
    fn measurement_of_an_earlier_version_has_no_scores() {
        let line = r#"{"seq":1,"at":2,"event":"eval","step":3,"loss":0.5,"best":true,"seconds":0.1}"#;
        let event: Event = serde_json::from_str(line).unwrap();
        assert!(matches!(event.kind, EventKind::Eval { scores: None, .. }));
        assert_eq!(serde_json::to_string(&event).unwrap(), line, "earlier versions read what has no scores");
    }
}
