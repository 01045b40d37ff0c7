//! Training steps, with the code of real runs.

use std::{path::Path, time::Instant};

use anyhow::{Context as _, bail};
use graft_core::{AdapterSpec, LoraSpec, PromptInit, PromptSpec, Ranks, Targets};
use graft_nn::{Adapter, Model, Sequence, TargetModule};
use graft_ops::{Adam, Bf16, Cpu, Device, memory};
use graft_train::{Learner, StepPlan, peak_rss};
use serde_json::json;

use crate::timing::{cpu_seconds, numbers};

/// Examples per step, tokens per example, number of steps. For decoder-only models, source and target are one sequence.
pub(crate) struct Size {
    pub(crate) batch: usize,
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) steps: usize,
}

/// Prints milliseconds per example, and the peak memory.
pub(crate) fn run(path: &Path, bf16: bool, what: &str, size: &Size) -> anyhow::Result<()> {
    let (model, _) = Model::open(path)?;
    let cpu = match bf16 {
        true => Cpu::Bf16(Bf16::found().context("this processor has no bf16 products")?),
        false => Cpu::F32,
    };
    let mut measured = measure(&model, &model.upload(&cpu)?, what, size, 512)?;
    measured["peak_gb"] = json!(peak_rss() as f64 / 1e9);
    measured["activations_gb"] = json!(memory::peak() as f64 / 1e9);
    println!("{measured}");
    Ok(())
}

/// The same on the first GPU, in micro-batches of `rows` tokens.
#[cfg(feature = "cuda")]
pub(crate) fn run_on_gpu(path: &Path, what: &str, size: &Size, rows: usize) -> anyhow::Result<()> {
    use graft_gpu::{Cuda, Element, Gpu};
    let cuda = Cuda::open(0)?;
    let without_blas = cuda.without_blas().map(ToString::to_string);
    let gpu = Gpu::new(Box::new(cuda), Element::Bf16);
    let (model, _) = Model::open(path)?;
    let clock = Instant::now();
    let on_gpu = model.upload(&gpu)?;
    let upload = clock.elapsed().as_secs_f64();
    let weights = gpu.used().1;
    gpu.reset_peak();
    let mut measured = measure(&model, &on_gpu, what, size, rows)?;
    measured["gpu"] = json!(gpu.name());
    measured["without_blas"] = json!(without_blas);
    measured["upload_s"] = json!(upload);
    measured["weights_gb"] = json!(weights as f64 / 1e9);
    measured["gpu_peak_gb"] = json!(gpu.used().0 as f64 / 1e9);
    println!("{measured}");
    Ok(())
}

fn measure<D: Device>(
    model: &Model,
    on_device: &Model<D>,
    what: &str,
    size: &Size,
    pass_tokens: usize,
) -> anyhow::Result<serde_json::Value> {
    let spec = adapter(what)?;
    let prompt = match &spec {
        AdapterSpec::SoftPrompt(spec) => numbers(spec.tokens * model.width() * 2, 5),
        AdapterSpec::Lora(_) => Vec::new(),
    };
    let adapter = Adapter::fresh(&spec, model.target_modules(), 1, model.width(), &prompt)?;
    let adam = Adam::new(adapter.params().data().len(), 0.9, 0.999, 1e-8, 0.0);
    let dropout = if let AdapterSpec::Lora(lora) = &spec { lora.dropout } else { 0.0 };
    let mut learner = Learner::new(on_device, &adapter, &adam);
    let examples: Vec<Sequence> = (0..size.batch).map(|i| sequence(model, size, i)).collect();
    let batch: Vec<&Sequence> = examples.iter().collect();
    let plan =
        |step| StepPlan { lr: 5e-5, clip: 1.0, dropout, seed: 7, step, shared: 0, pass_tokens, recompute: false };
    let (first_loss, _) = learner.step(&batch, &plan(0))?;
    memory::reset_peak();
    let (mut times, mut last_loss, cpu) = (Vec::new(), first_loss, cpu_seconds());
    for step in 1..=size.steps {
        let clock = Instant::now();
        (last_loss, _) = learner.step(&batch, &plan(step as u64))?;
        times.push(clock.elapsed().as_secs_f64());
    }
    let cpu = (cpu_seconds() - cpu) / size.steps.max(1) as f64;
    times.sort_by(f64::total_cmp);
    let median = times[times.len() / 2];
    let (each, tokens) = (size.source + size.target, size.batch * (size.source + size.target));
    Ok(json!({
        "ms_an_example": median / size.batch as f64 * 1e3,
        "cpu_ms_a_step": 1e3 * cpu,
        "tokens_per_s": tokens as f64 / median,
        "gflop_an_example": gflop(model, size),
        "tokens_each": each,
        "batch": size.batch,
        "first_loss": first_loss,
        "last_loss": last_loss,
    }))
}

/// FLOP of an example in the frozen weights, forward and backward, without the adapter's own and attention's.
fn gflop(model: &Model, size: &Size) -> f64 {
    let of = |module: &TargetModule| {
        let reads_source = module.name.starts_with("encoder.")
            || module.name.ends_with("EncDecAttention.k")
            || module.name.ends_with("EncDecAttention.v");
        let tokens = match model.has_encoder() {
            true if reads_source => size.source,
            true => size.target,
            false => size.source + size.target,
        };
        tokens * module.inputs * module.outputs
    };
    let blocks: usize = model.target_modules().iter().map(of).sum();
    4e-9 * (blocks + size.target * model.width() * model.vocab()) as f64
}

fn adapter(what: &str) -> anyhow::Result<AdapterSpec> {
    let lora = |alpha: f32, dropout: f32, targets: Targets| {
        AdapterSpec::Lora(LoraSpec { rank: 16, alpha, dropout, rslora: false, targets, ranks: Ranks::Equal })
    };
    Ok(match what {
        "lora" => lora(32.0, 0.0, Targets::AllLinear),
        "qv" => lora(16.0, 0.05, Targets::Named(vec!["q".into(), "v".into()])),
        "fast" => lora(32.0, 0.0, Targets::Decoder),
        "prompt" => AdapterSpec::SoftPrompt(PromptSpec { tokens: 20, init: PromptInit::Random }),
        other => bail!("no such adapter: {other}"),
    })
}

fn sequence(model: &Model, size: &Size, index: usize) -> Sequence {
    let id = |i: usize| ((index * 7919 + i * 104_729) % (model.vocab() - 300) + 2) as u32;
    let tokens = |range: std::ops::Range<usize>| range.map(id).collect::<Vec<u32>>();
    if model.has_encoder() {
        let (source, tokens) = (tokens(0..size.source), tokens(1000..1000 + size.target));
        return Sequence { source, tokens, supervised_from: 0 };
    }
    let all = tokens(0..size.source + size.target);
    Sequence { source: Vec::new(), tokens: all, supervised_from: size.source.max(1) }
}
