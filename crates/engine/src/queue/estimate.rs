use std::{collections::BTreeMap, path::Path, time::Instant};

use graft_core::AdapterSpec;
use graft_formats::ModelFiles;
use graft_nn::{Model, Prompter, matches_target};
use graft_train::TrainingRun;
use serde::{Deserialize, Serialize};

use crate::{Engine, Error, Plan, Result, base::file_bytes, recipes::Method};

/// What a run is expected to take.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunEstimate {
    /// Examples learned from.
    pub train: usize,
    /// Examples held out.
    pub eval: usize,
    /// Prompt and answer tokens of all passes over the examples.
    pub tokens: u64,
    /// Optimiser steps.
    pub steps: u64,
    /// Seconds of training.
    pub seconds: f64,
    /// Where the speed comes from: an earlier run on this machine, or a short measurement.
    pub seconds_basis: String,
    /// Peak memory.
    pub memory_bytes: u64,
    /// Disk for the adapter and its checkpoints.
    pub disk_bytes: u64,
}

/// Tokens of the forward pass that is timed where no earlier run tells the speed.
const TIMED_TOKENS: usize = 192;
/// A training step takes about as long as this many forward passes: one forward, two thirds more backward through
/// frozen weights, and the adapter's own part.
const PASSES_PER_STEP: f64 = 3.0;

/// How fast this machine trained, in prompt and answer tokens a second, by base, method and threads.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Speeds(BTreeMap<String, Speed>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Speed {
    tokens_per_s: f64,
    run: String,
}

impl Speeds {
    fn read(home: &Path) -> Self {
        let text = std::fs::read(home.join("speeds.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn key(base: &str, method: Method, threads: usize) -> String {
        format!("{}/{}/{threads}", base.get(..12).unwrap_or(base), method.name())
    }

    /// Remembers how fast a run was.
    pub(crate) fn note(home: &Path, result: &TrainingRun) -> Result<()> {
        if !result.tokens_per_second.is_finite() || result.tokens_per_second <= 0.0 {
            return Ok(());
        }
        let mut speeds = Self::read(home);
        let spec = &result.hyperparameters;
        let threads = spec.limits.threads.unwrap_or_else(cores);
        let key = Self::key(result.base_digest.as_str(), Method::of(&spec.adapter), threads);
        speeds.0.insert(key, Speed { tokens_per_s: result.tokens_per_second, run: result.run_id.clone() });
        let text = serde_json::to_string_pretty(&speeds).unwrap_or_default() + "\n";
        Ok(graft_formats::atomic::bytes(&home.join("speeds.json"), text.as_bytes())?)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Engine {
    /// Estimates a plan; loads the model, on a thread of its own.
    pub(crate) async fn estimate(&self, plan: &Plan, files: ModelFiles) -> Result<RunEstimate> {
        let (plan, home) = (plan.clone(), self.home.path().to_owned());
        let work = tokio::task::spawn_blocking(move || measure(&plan, &files, &home));
        work.await.map_err(|_| Error::Unsupported("estimate the run: its model can't be measured".into()))?
    }
}

fn measure(plan: &Plan, files: &ModelFiles, home: &Path) -> Result<RunEstimate> {
    let spec = plan.spec("estimate".into());
    let model = Model::load(files)?;
    let prompter = Prompter::new(files, model.has_encoder(), &spec.task)?;
    let (train, eval) = plan.prepared.rows()?;
    let sequences = train.iter().map(|row| prompter.sequence(&row.input, &row.answer));
    let sequences = sequences.collect::<std::result::Result<Vec<_>, _>>()?;
    let lengths: Vec<usize> = sequences.iter().map(|s| s.source.len() + s.tokens.len()).collect();
    let an_epoch: usize = lengths.iter().filter(|length| **length <= spec.limits.max_tokens.max(1)).sum();
    let steps = (spec.optim.epochs * train.len().div_ceil(spec.optim.batch.max(1)) as f64).ceil().max(1.0) as u64;
    let tokens = (an_epoch as f64 * spec.optim.epochs) as u64;
    let longest = lengths.iter().copied().max().unwrap_or(0).min(spec.limits.max_tokens);
    let rows = spec.limits.pass_tokens.max(longest);
    let memory = graft_train::estimate(&model, &spec, file_bytes(Path::new(&spec.base.path)), rows);
    let threads = spec.limits.threads.unwrap_or_else(cores);
    let key = Speeds::key(spec.base.digest.as_str(), Method::of(&spec.adapter), threads);
    let (speed, seconds_basis) = match Speeds::read(home).0.remove(&key) {
        Some(speed) => (speed.tokens_per_s, format!("as fast as run {} on this machine", speed.run)),
        None => (timed(&model, &sequences)?, "a forward pass timed on this machine just now".to_owned()),
    };
    Ok(RunEstimate {
        train: train.len(),
        eval: eval.len(),
        tokens,
        steps,
        seconds: tokens as f64 / speed.max(1e-3),
        seconds_basis,
        memory_bytes: memory.total(),
        disk_bytes: disk(&model, &spec.adapter),
    })
}

/// Tokens a second that training would take, from one forward pass.
fn timed(model: &Model, sequences: &[graft_nn::Sequence]) -> Result<f64> {
    let Some(longest) = sequences.iter().max_by_key(|sequence| sequence.tokens.len()) else { return Ok(1.0) };
    let tokens = &longest.tokens[..longest.tokens.len().min(TIMED_TOKENS)];
    let source = &longest.source[..longest.source.len().min(TIMED_TOKENS)];
    let clock = Instant::now();
    model.logits(None, source, tokens)?;
    let count = (tokens.len() + source.len()) as f64;
    Ok(count / (PASSES_PER_STEP * clock.elapsed().as_secs_f64().max(1e-6)))
}

/// The adapter, its two moments and its best copy, in each of three checkpoints, and once more when published.
fn disk(model: &Model, adapter: &AdapterSpec) -> u64 {
    let params: usize = match adapter {
        AdapterSpec::Lora(lora) => {
            let sites = model.sites().into_iter().filter(|site| matches_target(&lora.targets, &site.name));
            sites.map(|site| lora.rank * (site.inputs + site.outputs)).sum()
        }
        AdapterSpec::SoftPrompt(prompt) => prompt.tokens * model.width(),
    };
    4 * params as u64 * (3 * 4 + 2)
}
