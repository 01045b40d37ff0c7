use std::{collections::BTreeMap, path::Path};

use graft_core::{AdapterSpec, Targets, TrainSpec, json};
use graft_formats::ModelFiles;
use graft_nn::{Adapter, Model, Prompter, Sequence};
use graft_store::Version;
use graft_tasks::score::Metric;
use graft_train::{Row, TrainingRun};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Plan, Runs, recipes::Method};
use crate::{Error, Result, bases::file_bytes, versions::Evaluation};

/// What a run is expected to take.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Estimate)]
pub struct RunEstimate {
    /// Examples learned from.
    pub train: usize,
    /// Examples left out because they are longer than the run's limits.
    pub too_long: usize,
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
    /// How good the version of the last such run on this machine is.
    pub quality: Option<Quality>,
}

/// What a version's held-out examples said of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Quality {
    /// The version.
    pub version: String,
    /// Held-out examples.
    pub n: usize,
    /// The metric that decides between versions.
    pub metric: Metric,
}

/// How fast this machine trains, in prompt and answer tokens a second, by all that changes it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Speeds(BTreeMap<String, Speed>);

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Speed {
    tokens_per_s: f64,
    /// Which run was so fast; none where it was only measured for an estimate.
    run: Option<String>,
}

impl Speeds {
    fn read(home: &Path) -> Self {
        let text = std::fs::read(home.join("speeds.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Base, task (whose examples share more or less of their tokens), adapter, threads, what is recomputed and how products
    /// round.
    fn key_of(spec: &TrainSpec) -> String {
        let base = spec.base.digest.as_str();
        let adapter = match &spec.adapter {
            AdapterSpec::Lora(lora) => {
                let targets = json::line(&lora.targets).replace('"', "");
                format!("{}-{}-{targets}", Method::Lora.name(), lora.rank)
            }
            AdapterSpec::SoftPrompt(prompt) => format!("{}-{}", Method::SoftPrompt.name(), prompt.tokens),
        };
        let threads = spec.limits.threads.unwrap_or_else(cores);
        let recompute = if spec.limits.recompute { "/recompute" } else { "" };
        let rounded = graft_train::bf16_of(spec.limits.precision).map(|way| format!("/{way}")).unwrap_or_default();
        format!("{}/{}/{adapter}/{threads}{recompute}{rounded}", base.get(..12).unwrap_or(base), spec.task.name)
    }

    /// Remembers how fast a run was.
    pub(crate) fn note(home: &Path, result: &TrainingRun) -> Result<()> {
        let speed = Speed { tokens_per_s: result.tokens_per_second, run: Some(result.run_id.clone()) };
        Self::keep(home, Self::key_of(&result.hyperparameters), speed)
    }

    fn keep(home: &Path, key: String, speed: Speed) -> Result<()> {
        if !speed.tokens_per_s.is_finite() || speed.tokens_per_s <= 0.0 {
            return Ok(());
        }
        let mut speeds = Self::read(home);
        speeds.0.insert(key, speed);
        Ok(graft_formats::atomic::bytes(&home.join("speeds.json"), json::pretty(&speeds).as_bytes())?)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Runs<'_> {
    /// Estimates a plan, and (if wanted, for LoRA) the same plan with the decoder's layers only; loads the model, on a
    /// thread of its own.
    pub(crate) async fn estimate(
        self,
        plan: &Plan,
        files: ModelFiles,
        and_decoder: bool,
    ) -> Result<(RunEstimate, Option<RunEstimate>)> {
        let (owned, home) = (plan.clone(), self.engine.home.path().to_owned());
        let work = tokio::task::spawn_blocking(move || {
            let plan = owned;
            let spec = plan.spec("estimate".into());
            let measured = Measured::new(&plan, &files)?;
            let mut decoder = spec.clone();
            let other = match &mut decoder.adapter {
                AdapterSpec::Lora(lora) if and_decoder => {
                    lora.targets = Targets::Decoder;
                    Some(measured.estimate(&decoder, &home)?)
                }
                _ => None,
            };
            Ok::<_, Error>((measured.estimate(&spec, &home)?, other))
        });
        let found = work.await;
        let (whole, other) =
            found.map_err(|_| Error::Unsupported("estimate the run: its model can't be measured".into()))??;
        let versions = self.engine.store.versions(Some(&plan.prepared.card.name)).await?;
        Ok((with_quality(whole, &versions), other.map(|other| with_quality(other, &versions))))
    }
}

/// Adds what became of the run that the estimate goes by.
fn with_quality((mut estimate, run): (RunEstimate, Option<String>), versions: &[Version]) -> RunEstimate {
    estimate.quality = run.and_then(|run| {
        let version = versions.iter().find(|version| version.run.as_ref() == Some(&run))?;
        let scores = Evaluation::of(version)?.adapter;
        Some(Quality { version: version.name.clone(), n: scores.n, metric: scores.headline()?.clone() })
    });
    estimate
}

/// A model, and what it would learn from.
pub(crate) struct Measured {
    /// Of the model's files.
    bytes: u64,
    model: Model,
    prompter: Prompter,
    train: Vec<Sequence>,
    /// What stands for them in the epochs.
    variants: Vec<Sequence>,
    eval: Vec<Sequence>,
}

impl Measured {
    pub(crate) fn new(plan: &Plan, files: &ModelFiles) -> Result<Self> {
        Self::of_longest(plan, files, usize::MAX)
    }

    /// Only of the longest examples of each side, which decide how much memory a training takes.
    pub(crate) fn of_longest(plan: &Plan, files: &ModelFiles, most: usize) -> Result<Self> {
        let model = Model::load(files)?;
        let prompter = Prompter::new(files, model.has_encoder(), &plan.prepared.card)?;
        let longest = |mut rows: Vec<Row>| {
            if rows.len() > most {
                rows.sort_by_key(|row| std::cmp::Reverse(row.input.len() + row.answer.len()));
                rows.truncate(most);
            }
            rows
        };
        let (train, eval) = plan.prepared.rows_to_train(&plan.recipe.optim, plan.learned())?;
        let (train, eval) = (longest(train), longest(eval));
        let sequences = |rows: &[Row]| {
            let made = rows.iter().map(|row| prompter.sequence(&row.input, &row.answer));
            made.collect::<std::result::Result<Vec<_>, _>>()
        };
        let variants = train.iter().flat_map(|row| &row.variants);
        let variants = variants.map(|variant| prompter.sequence(&variant.input, &variant.answer));
        let variants = variants.collect::<std::result::Result<Vec<_>, _>>()?;
        let (train, eval) = (sequences(&train)?, sequences(&eval)?);
        Ok(Self { bytes: file_bytes(&files.path), model, prompter, train, variants, eval })
    }

    fn fitting<'s>(&self, all: &'s [Sequence], spec: &TrainSpec) -> Vec<&'s Sequence> {
        all.iter().filter(|sequence| graft_train::fits(sequence, &spec.limits, &self.model)).collect()
    }

    /// Bytes that the training takes at most.
    pub(crate) fn memory(&self, spec: &TrainSpec) -> u64 {
        let (mut train, mut eval) = (self.fitting(&self.train, spec), self.fitting(&self.eval, spec));
        // The longest micro-batch may be one of variants.
        train.extend(self.fitting(&self.variants, spec));
        eval.truncate(spec.eval.examples);
        graft_train::estimate(&self.model, spec, self.bytes, &train, &eval).total()
    }

    /// The estimate, and the earlier run that it goes by.
    fn estimate(&self, spec: &TrainSpec, home: &Path) -> Result<(RunEstimate, Option<String>)> {
        let Self { model, prompter, train, eval, .. } = self;
        let (fit, held_out) = (self.fitting(train, spec), self.fitting(eval, spec));
        let an_epoch: usize = fit.iter().map(|sequence| sequence.source.len() + sequence.tokens.len()).sum();
        let steps = (spec.optim.epochs * fit.len().div_ceil(spec.optim.batch.max(1)) as f64).ceil().max(1.0) as u64;
        let tokens = (an_epoch as f64 * spec.optim.epochs) as u64;
        let key = Speeds::key_of(spec);
        let speed = match Speeds::read(home).0.remove(&key) {
            Some(speed) => speed,
            None => {
                let tokens_per_s = graft_train::pace(model, prompter, spec, train)?;
                let speed = Speed { tokens_per_s, run: None };
                // The next estimate need not wait for it; one that can't be kept is measured again.
                let _ = Speeds::keep(home, key, speed.clone());
                speed
            }
        };
        let estimate = RunEstimate {
            train: fit.len(),
            too_long: train.len() - fit.len(),
            eval: held_out.len(),
            tokens,
            steps,
            seconds: tokens as f64 / speed.tokens_per_s.max(1e-3),
            seconds_basis: match &speed.run {
                Some(run) => format!("as fast as run {run} on this machine"),
                None => "forward passes timed on this machine".to_owned(),
            },
            memory_bytes: self.memory(spec),
            disk_bytes: disk(model, &spec.adapter),
            quality: None,
        };
        Ok((estimate, speed.run))
    }
}

/// The adapter, its two moments and its best copy, in each of three checkpoints, and once more when published.
fn disk(model: &Model, adapter: &AdapterSpec) -> u64 {
    4 * Adapter::parameters(adapter, model) as u64 * (3 * 4 + 2)
}
