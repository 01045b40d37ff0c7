use std::time::Instant;

use graft_core::{AdapterSpec, Targets, TrainSpec};
use graft_nn::{Model, Prompter, Sequence, matches_target};
use graft_ops::Cpu;

use crate::{Error, data, device, trainer};

/// Duration of a step in forward passes: one forward, one backward through the frozen weights, and the optimizer.
const STEP: f64 = 2.3;
/// Additional duration for LoRA gradients on all weights; proportionally less if only some carry LoRA. Both were
/// measured on SmolLM2-135M; `cargo xtask bench train` prints the error of the prediction.
const LORA: f64 = 0.45;

/// Predicts the training speed on this machine in prompt and answer tokens per second, by timing forward passes over a
/// batch of its sequences; 0 if no sequence fits the limits. Takes about as long as a step.
///
/// # Errors
/// If the adapter does not fit the model, or a token is outside its vocabulary.
pub fn pace(model: &Model, prompter: &Prompter, spec: &TrainSpec, all: &[Sequence]) -> Result<f64, Error> {
    let fitting: Vec<&Sequence> = all.iter().filter(|sequence| data::fits(sequence, &spec.limits, model)).collect();
    let every = fitting.len().div_ceil(spec.optim.batch.max(1)).max(1);
    let batch: Vec<&Sequence> = fitting.into_iter().step_by(every).collect();
    let cpu = device::bf16_of(spec.limits.precision).map_or(Cpu::F32, Cpu::Bf16);
    let on_cpu = model.upload(&cpu).map_err(Error::Model)?;
    let learner = trainer::learner(&on_cpu, &trainer::fresh(model, prompter, spec)?, spec)?;
    let shared = if model.has_encoder() { 0 } else { prompter.shared().len() };
    let forward = || learner.losses(&batch, shared, spec.limits.pass_tokens);
    // A first call, not timed: it reads and caches what a training reads once.
    forward()?;
    let clock = Instant::now();
    forward()?;
    let passes = STEP + LORA * share(model, spec) + if spec.limits.recompute { 1.0 } else { 0.0 };
    let tokens: usize = batch.iter().map(|sequence| sequence.source.len() + sequence.tokens.len()).sum();
    Ok(tokens as f64 / (passes * clock.elapsed().as_secs_f64().max(1e-6)))
}

/// The fraction of weights on the backward path that carry LoRA.
fn share(model: &Model, spec: &TrainSpec) -> f64 {
    let AdapterSpec::Lora(lora) = &spec.adapter else { return 0.0 };
    let weights = |carries: &dyn Fn(&str) -> bool| {
        let modules = model.target_modules().iter().filter(|module| carries(&module.name));
        modules.map(|module| module.inputs * module.outputs).sum::<usize>() as f64
    };
    let passed = match lora.targets {
        Targets::Decoder => weights(&|name| matches_target(&Targets::Decoder, name)),
        _ => weights(&|_| true),
    };
    weights(&|name| matches_target(&lora.targets, name)) / passed.max(1.0)
}
