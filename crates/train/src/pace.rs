use std::time::Instant;

use graft_core::TrainSpec;
use graft_nn::{Model, Prompter, Sequence};

use crate::{Error, data, trainer};

/// A step takes as long as this many forward passes: one forward, one backward through the frozen weights, and what the
/// adapter's own gradients and the optimiser take. Measured with LoRA on SmolLM2-135M; `cargo xtask bench train` tells
/// how far off it is.
const STEP: f64 = 2.3;

/// Prompt and answer tokens a second that a training would take on this machine: forward passes over a batch of its
/// sequences, timed; 0 where none fits the limits. Takes about as long as a step.
///
/// # Errors
/// The adapter doesn't fit the model, or a token is outside its vocabulary.
pub fn pace(model: &Model, prompter: &Prompter, spec: &TrainSpec, all: &[Sequence]) -> Result<f64, Error> {
    let fitting: Vec<&Sequence> = all.iter().filter(|sequence| data::fits(sequence, &spec.limits, model)).collect();
    let every = fitting.len().div_ceil(spec.optim.batch.max(1)).max(1);
    let batch: Vec<&Sequence> = fitting.into_iter().step_by(every).collect();
    let learner = trainer::fresh(model, prompter, spec)?;
    let shared = if model.has_encoder() { 0 } else { prompter.shared().len() };
    let forward = || learner.loss(&batch, shared, spec.limits.pass_tokens);
    // What is read or kept once in a training is not timed.
    forward()?;
    let clock = Instant::now();
    forward()?;
    let passes = if spec.limits.recompute { STEP + 1.0 } else { STEP };
    let tokens: usize = batch.iter().map(|sequence| sequence.source.len() + sequence.tokens.len()).sum();
    Ok(tokens as f64 / (passes * clock.elapsed().as_secs_f64().max(1e-6)))
}
