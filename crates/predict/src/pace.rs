//! Measures the speed of a batch, to predict when its next answer ends.

use std::time::{Duration, Instant};

use crate::slot::Slot;

/// Exponential moving averages of the durations of steps and answers.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Seconds of a step without prompt tokens; 0 before the first.
    step: f64,
    /// Additional seconds of a step for each prompt token.
    token: f64,
    /// Steps per answer.
    answer: f64,
    /// The step in progress.
    pub(crate) began: Option<Step>,
}

/// A step whose time is being measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) at: Instant,
    /// Prompt tokens that it reads.
    pub(crate) read: usize,
    /// Whether answers are decoded in it.
    pub(crate) writes: bool,
}

/// Exponential moving average: the newest value has weight 1/8.
fn mix(average: &mut f64, new: f64) {
    *average = if *average == 0.0 { new } else { *average * 0.875 + new * 0.125 };
}

impl Pace {
    /// Records the end of the step in progress.
    pub(crate) fn took(&mut self, now: Instant) {
        let Some(Step { at, read, writes }) = self.began.take() else { return };
        let took = now.saturating_duration_since(at).as_secs_f64();
        if read == 0 {
            mix(&mut self.step, took);
        } else {
            let writing = if writes { self.step.min(took) } else { 0.0 };
            mix(&mut self.token, (took - writing) / read as f64);
        }
    }

    /// Records a complete answer.
    pub(crate) fn answered(&mut self, slot: &Slot) {
        mix(&mut self.answer, slot.steps() as f64);
    }

    /// Expected remaining steps of an answer, from the recent average; at least one.
    pub(crate) fn left(&self, slot: &Slot) -> usize {
        let most = slot.steps_left();
        if self.answer == 0.0 { most } else { (self.answer as usize).saturating_sub(slot.steps()).clamp(1, most) }
    }

    /// Expected time until the first of some answers ends. Each is a pair (prompt tokens still to read, steps still to
    /// decode).
    pub(crate) fn until_next_end(&self, answers: &[(usize, usize)], chunk: usize) -> Option<Duration> {
        let prompts = || answers.iter().map(|(prompt, _)| *prompt);
        let all: usize = prompts().sum();
        let seconds = answers.iter().map(|&(prompt, left)| {
            // Shorter prompts are read first, and the same number of tokens of longer ones.
            let before: usize = prompts().map(|other| other.min(prompt)).sum();
            let beside = (all - before).min(left * chunk);
            let steps = before as f64 / chunk.max(1) as f64 + left as f64;
            steps * self.step + (before + beside) as f64 * self.token
        });
        let first = seconds.reduce(f64::min).filter(|seconds| *seconds > 0.0)?;
        Duration::try_from_secs_f64(first).ok()
    }
}
