//! How fast a batch works, and when its next answer should end.

use std::time::{Duration, Instant};

use crate::slot::Slot;

/// Averages that forget, of what steps and answers took.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    /// Seconds of a step in which no prompt is read; 0 before the first.
    step: f64,
    /// Seconds that each prompt token adds to a step.
    token: f64,
    /// Steps in which an answer is written.
    answer: f64,
    /// The step that is at work.
    pub(crate) began: Option<Step>,
}

/// A step whose time is being measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) at: Instant,
    /// Prompt tokens that it reads.
    pub(crate) read: usize,
    /// Whether answers are written in it.
    pub(crate) writes: bool,
}

/// An average in which the newest number counts an eighth.
fn mix(average: &mut f64, new: f64) {
    *average = if *average == 0.0 { new } else { *average * 0.875 + new * 0.125 };
}

impl Pace {
    /// Takes note that the step that was at work ended at this time.
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

    /// Takes note of a complete answer.
    pub(crate) fn answered(&mut self, slot: &Slot) {
        mix(&mut self.answer, slot.steps() as f64);
    }

    /// Steps that an answer should still take: as many as answers took of late, one at least.
    pub(crate) fn left(&self, slot: &Slot) -> usize {
        let most = slot.steps_left();
        if self.answer == 0.0 { most } else { (self.answer as usize).saturating_sub(slot.steps()).clamp(1, most) }
    }

    /// When the first of some answers should end: for each, prompt tokens still to be read and steps still to be
    /// written in.
    pub(crate) fn until_next_end(&self, answers: &[(usize, usize)], chunk: usize) -> Option<Duration> {
        let prompts = || answers.iter().map(|(prompt, _)| *prompt);
        let all: usize = prompts().sum();
        let seconds = answers.iter().map(|&(prompt, left)| {
            // Shorter prompts are read before it, and as much of longer ones.
            let before: usize = prompts().map(|other| other.min(prompt)).sum();
            let beside = (all - before).min(left * chunk);
            let steps = before as f64 / chunk.max(1) as f64 + left as f64;
            steps * self.step + (before + beside) as f64 * self.token
        });
        let first = seconds.reduce(f64::min).filter(|seconds| *seconds > 0.0)?;
        Duration::try_from_secs_f64(first).ok()
    }
}
