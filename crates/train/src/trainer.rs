use std::{
    borrow::Cow,
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

use graft_core::{
    AdapterSpec, BaseRef, Digest, Event, EventKind, Failure, InitFrom, InterimScores, LoraSpec, Phase, PromptInit,
    PromptSpec, Purpose, Ranks, TaskCard, TrainSpec, random, with_causes,
};
use graft_formats::{DigestCache, digest_of};
use graft_nn::{Adapter, Model, OnHost, Prompter, Sequence, describe_ranks, ranks_by_sensitivity};
use graft_ops::{Adam, Device, pool};
use rand::RngExt as _;

use crate::{
    AdapterCard, Error, RunDir, TrainingRun,
    adapter_files::{label_bias, load_adapter, n_grams, save_adapter, weights_digest},
    checkpoint::{self, Progress},
    data::{self, Order, Sequences},
    device::{self, Compute},
    learner::{Learner, StepPlan},
    memory::{self, available_memory, peak_rss},
    run_dir::{EventLog, now},
    scorer::{Generate, MakeScorer, ScorerOrder, Scoring},
};

/// A training diverged if its loss exceeds the first one by this factor (plus a constant).
const EXPLODED: f64 = 2.0;
/// Additional tolerance for a warm start: the version may know the first batch by heart, so its loss is near zero, and
/// be confidently wrong about the new examples of the next one.
const SURPRISE: f64 = 12.0;
/// For trainings with more epochs than this, measurements and checkpoints are scheduled by this fraction of the steps.
const MOST_EPOCHS: u64 = 20;

/// Preferred micro-batch of a GPU in tokens, if its memory allows.
const GPU_TOKENS: usize = 16_384;
/// Smallest micro-batch to try.
const LEAST_TOKENS: usize = 64;

/// Steps whose examples decide ranks by sensitivity.
const PROBED_STEPS: u64 = 4;
/// Rank of the adapter whose gradient decides them: a higher one estimates the weights' gradients better.
const PROBE_RANK: usize = 16;

/// How a training ended successfully.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It finished in this call.
    Finished(Box<TrainingRun>),
    /// It had finished before.
    AlreadyDone(Box<TrainingRun>),
}

/// What a run needs from the machine that executes it.
pub struct Machine<'m> {
    /// Finds the files of a base model; their digest is verified afterwards.
    pub find_base: &'m dyn Fn(&BaseRef) -> Result<PathBuf, Error>,
    /// Cache of file digests.
    pub digests: &'m DigestCache,
    /// Number of CPU threads; by default the spec's.
    pub threads: Option<usize>,
    /// Makes what scores answers of the adapter during the training; without it only the held-out loss is measured.
    pub scorer: Option<&'m MakeScorer<'m>>,
}

/// Trains the run in `dir`, or resumes it. `tell` is called with every event once it is written.
///
/// # Errors
/// Why the run has no result; the last event contains it too.
pub fn train(dir: &RunDir, machine: &Machine<'_>, tell: &mut dyn FnMut(&Event)) -> Result<Outcome, Error> {
    if let Some(result) = dir.result()? {
        return Ok(Outcome::AlreadyDone(Box::new(result)));
    }
    let mut log = EventLog::open(dir)?;
    let mut phase = Phase::Prepare;
    let mut say = |kind: EventKind| -> Result<(), Error> {
        if let EventKind::Phase { phase: next } = kind {
            phase = next;
        }
        tell(&log.append(kind)?);
        Ok(())
    };
    match run(dir, machine, &mut say) {
        Ok(result) => Ok(Outcome::Finished(Box::new(result))),
        Err(error) => {
            let failure = Failure { phase: Some(phase), ..error.failure() };
            tell(&log.append(EventKind::Failed(failure))?);
            Err(error)
        }
    }
}

type Say<'s> = dyn FnMut(EventKind) -> Result<(), Error> + 's;

fn run(dir: &RunDir, machine: &Machine<'_>, say: &mut Say<'_>) -> Result<TrainingRun, Error> {
    say(EventKind::Phase { phase: Phase::Prepare })?;
    let spec = &dir.spec()?;
    if let Some(threads) = machine.threads.or(spec.limits.threads) {
        pool::set_threads(threads);
    }
    say(EventKind::Note { text: banner(spec) })?;
    let base = &(machine.find_base)(&spec.base)?;
    let (model, files) = Model::open(base).map_err(Error::Model)?;
    let digest = digest_of(base, machine.digests).map_err(|e| Error::Model(graft_nn::Error::Load(e)))?;
    if digest != spec.base.digest {
        return Err(Error::OtherBase { path: base.clone() });
    }
    let prompter = Prompter::new(&files, model.has_encoder(), &spec.task).map_err(Error::Model)?;
    let train = data::load(dir, "train", spec, &prompter, &model)?;
    let mut eval = data::load(dir, "eval", spec, &prompter, &model)?;
    let held_out = eval.all.len();
    eval.all.truncate(spec.eval.examples);

    let budget = Scoring::budget(trained_tokens(&train, spec));
    let model = Arc::new(model);
    let order = ScorerOrder { dir, spec, model: &model, files: &files, budget };
    let scorer = match machine.scorer.map(|make| make(&order)) {
        Some(Ok(scorer)) => scorer,
        Some(Err(error)) => {
            say(unscored(&*error))?;
            None
        }
        None => None,
    };
    let scoring = |generate: Generate| scorer.map(|scorer| Scoring::new(scorer, budget, generate));
    let sides = (train, eval, held_out);
    let before = checkpoint::progress(dir).map(|progress| progress.products);
    match device::open(spec.limits.device, spec.limits.precision, before.as_ref())? {
        Compute::Cpu(products) => {
            if let Some(text) = products.note() {
                say(EventKind::Note { text })?;
            }
            let on_cpu = model.upload(&products.cpu).map_err(Error::Model)?;
            let mut trainer = Trainer::new(dir, spec, (&model, &on_cpu), &prompter, sides)?;
            let model = Arc::clone(&model);
            trainer.scoring = scoring(Box::new(move |rows| Ok(Box::new(OnHost::new(Arc::clone(&model), rows)))));
            trainer.run(base, products.name(), None, say)
        }
        #[cfg(feature = "cuda")]
        Compute::Gpu(gpu) => {
            let on_gpu = std::rc::Rc::new(model.upload(&gpu).map_err(Error::Model)?);
            let free = gpu.memory().0;
            say(EventKind::Note { text: format!("Computing on {} ({} MiB free).", gpu.name(), free >> 20) })?;
            let mut trainer = Trainer::new(dir, spec, (&model, &on_gpu), &prompter, sides)?;
            let shared = std::rc::Rc::clone(&on_gpu);
            trainer.scoring = scoring(Box::new(move |rows| {
                let generator = graft_nn::OnDevice::new(std::rc::Rc::clone(&shared), rows, rows)?;
                Ok(Box::new(generator))
            }));
            trainer.run(base, None, Some(free), say)
        }
    }
}

/// Mean loss per token with loss; `None` if there is none.
fn mean(losses: &[(f64, usize)]) -> Option<f64> {
    let count: usize = losses.iter().map(|(_, count)| count).sum();
    (count > 0).then(|| losses.iter().map(|(loss, _)| loss).sum::<f64>() / count as f64)
}

/// Tokens that a training computes: those of the examples, and the prefix that they share once per micro-batch.
fn trained_tokens(train: &Sequences, spec: &TrainSpec) -> f64 {
    let tokens = |sequence: &Sequence| sequence.source.len() + sequence.tokens.len();
    let own: usize = train.all.iter().map(|sequence| tokens(sequence) - train.shared).sum();
    let room = spec.limits.pass_tokens.saturating_sub(train.shared).max(1);
    let micro_batches = own.div_ceil(room).max(train.all.len().div_ceil(spec.optim.batch));
    spec.optim.epochs * (own + train.shared * micro_batches) as f64
}

/// A training is worth more than the scores on its way.
fn unscored(error: &(dyn std::error::Error + Send + Sync + 'static)) -> EventKind {
    let text = format!("No answers are scored during this training: failed to {}.", with_causes(error));
    EventKind::Note { text }
}

/// The most important settings of a run, as one line for its log.
fn banner(spec: &TrainSpec) -> String {
    let adapter = match &spec.adapter {
        AdapterSpec::Lora(lora) => {
            let ranks = if lora.ranks.is_equal() { String::new() } else { format!(" ({})", lora.ranks) };
            format!("LoRA of rank {}{ranks}, alpha {}, dropout {}", lora.rank, lora.alpha, lora.dropout)
        }
        AdapterSpec::SoftPrompt(prompt) => format!("soft prompt of {} tokens", prompt.tokens),
    };
    let (o, limits) = (&spec.optim, &spec.limits);
    let start = spec.init_from.as_ref().map(|from| format!("starts from version {}; ", from.version));
    let start = start.unwrap_or_default();
    format!(
        "Settings: {adapter}; {start}learning rate {}, {} examples a step, {} epochs; at most {} tokens an example; seed {}; \
         dataset {}; Graft {}.",
        o.lr,
        o.batch,
        o.epochs,
        limits.max_tokens,
        o.seed,
        spec.dataset.short(),
        spec.graft
    )
}

struct Trainer<'r, D: Device> {
    dir: &'r RunDir,
    spec: &'r TrainSpec,
    settings: Digest,
    prompter: &'r Prompter,
    /// The frozen model on the host, and the adapter in its published form.
    model: &'r Model,
    adapter: Adapter,
    /// Its kind and shape: the spec's, with the ranks that gradients decided.
    shape: AdapterSpec,
    learner: Learner<'r, D>,
    best: Vec<f32>,
    /// The held-out losses of these weights, by example; empty if another process measured them.
    best_losses: Vec<(f64, usize)>,
    train: Sequences,
    eval: Sequences,
    /// Number of held-out examples; the loss is measured on the first of them.
    held_out: usize,
    order: Order,
    total: u64,
    progress: Progress,
    /// Set by whoever makes the trainer.
    scoring: Option<Scoring>,
}

impl<'r, D: Device> Trainer<'r, D> {
    fn new(
        dir: &'r RunDir,
        spec: &'r TrainSpec,
        (model, on_device): (&'r Model, &'r Model<D>),
        prompter: &'r Prompter,
        (train, eval, held_out): (Sequences, Sequences, usize),
    ) -> Result<Self, Error> {
        let o = &spec.optim;
        let order = Order::new(o.seed, train.all.len(), o.batch);
        let total = ((o.epochs * order.steps_per_epoch() as f64).ceil() as u64).max(1);
        let progress = Progress {
            step: 0,
            loss: f64::NAN,
            best: None,
            stale: 0,
            first_loss: None,
            seconds: 0.0,
            tokens: 0,
            computed: 0,
            micro_batch: None,
            products: None,
            ranks: None,
            started_at: now(),
        };
        let mut adapter = fresh(model, prompter, spec)?;
        if let Some(from) = &spec.init_from {
            start_from(from, dir, model, spec, &mut adapter)?;
        }
        let learner = learner(on_device, &adapter, spec)?;
        Ok(Self {
            dir,
            spec,
            settings: spec.digest(),
            prompter,
            model,
            adapter,
            shape: spec.adapter.clone(),
            learner,
            best: Vec::new(),
            best_losses: Vec::new(),
            train,
            eval,
            held_out,
            order,
            total,
            progress,
            scoring: None,
        })
    }

    /// Trains to the end. `products` is how the CPU rounds, `gpu_memory` the free memory of a GPU.
    fn run(
        mut self,
        base: &Path,
        products: Option<String>,
        gpu_memory: Option<u64>,
        say: &mut Say<'_>,
    ) -> Result<TrainingRun, Error> {
        let needed = match gpu_memory {
            Some(free) => self.fit_gpu(free)?,
            None => self.check_memory(base)?,
        };
        let needed = needed + self.make_room(needed, gpu_memory, say)?;
        self.prepared(needed, say)?;
        self.allot(say)?;
        self.restore(say)?;
        self.progress.products = products;
        say(EventKind::Phase { phase: Phase::Train })?;
        self.learn(say)?;
        say(EventKind::Phase { phase: Phase::Evaluate })?;
        self.finish(say)
    }

    /// Chooses the largest micro-batch that fits the GPU's memory, but at least the spec's.
    fn fit_gpu(&mut self, free: u64) -> Result<u64, Error> {
        let available = self.spec.limits.memory.map_or(free, |limit| limit.min(free));
        let (train, eval): (Vec<_>, Vec<_>) = (self.train.all.iter().collect(), self.eval.all.iter().collect());
        let mut sized = self.spec.clone();
        sized.limits.pass_tokens = GPU_TOKENS.max(self.spec.limits.pass_tokens);
        loop {
            let needed = memory::estimate_on_gpu(self.model, &sized, &train, &eval);
            if needed <= available {
                self.progress.micro_batch = Some(sized.limits.pass_tokens);
                return Ok(needed);
            }
            if sized.limits.pass_tokens <= LEAST_TOKENS {
                let hint = match sized.limits.recompute {
                    false => "`--recompute` takes less; so does a smaller `--max-tokens`",
                    true => "use a smaller base model or `--max-tokens`, or `--device cpu`",
                };
                return Err(Error::TooBig { needed, available, hint: hint.into() });
            }
            sized.limits.pass_tokens /= 2;
        }
    }

    /// Most tokens of a micro-batch.
    fn micro_batch(&self) -> usize {
        self.progress.micro_batch.unwrap_or(self.spec.limits.pass_tokens)
    }

    fn check_memory(&self, base: &Path) -> Result<u64, Error> {
        let base_bytes = file_bytes(base);
        let (train, eval): (Vec<_>, Vec<_>) = (self.train.all.iter().collect(), self.eval.all.iter().collect());
        let total = |spec: &TrainSpec| memory::estimate(self.model, spec, base_bytes, &train, &eval).total();
        let needed = total(self.spec);
        let Some(available) = self.spec.limits.memory.or_else(available_memory) else { return Ok(needed) };
        if needed <= available {
            return Ok(needed);
        }
        let mut smaller = self.spec.clone();
        let mut tried = Vec::new();
        for (pass, recompute) in [(256, false), (512, true), (256, true), (64, true)] {
            (smaller.limits.pass_tokens, smaller.limits.recompute) = (pass, recompute);
            let total = total(&smaller);
            if total <= available {
                let flag = if recompute { " --recompute" } else { "" };
                let hint = format!("`--pass-tokens {pass}{flag}` would take about {} MiB", total >> 20);
                return Err(Error::TooBig { needed, available, hint });
            }
            tried.push(total);
        }
        let least = tried.into_iter().min().unwrap_or(needed) >> 20;
        let hint = format!("the least it can take is about {least} MiB: use a smaller base model or `--max-tokens`");
        Err(Error::TooBig { needed, available, hint })
    }

    /// Bytes that scoring takes besides the training; nothing is scored where the memory doesn't suffice for both.
    fn make_room(&mut self, needed: u64, gpu_memory: Option<u64>, say: &mut Say<'_>) -> Result<u64, Error> {
        let Some(bytes) = self.scoring.as_ref().map(|scoring| scoring.bytes(self.model)) else { return Ok(0) };
        let free = gpu_memory.or_else(available_memory);
        let available = self.spec.limits.memory.or(free).unwrap_or(u64::MAX);
        if needed + bytes <= available {
            return Ok(bytes);
        }
        self.scoring = None;
        let text = format!("No answers are scored during this training: that takes {} MiB more memory.", bytes >> 20);
        say(EventKind::Note { text })?;
        Ok(0)
    }

    fn prepared(&self, memory: u64, say: &mut Say<'_>) -> Result<(), Error> {
        say(EventKind::Prepared {
            train: self.train.all.len(),
            eval: self.held_out,
            too_long: self.train.too_long,
            tokens: self.train.all.iter().map(|s| s.source.len() + s.tokens.len()).sum(),
            supervised: self.train.all.iter().map(Sequence::supervised).sum(),
            measured: self.eval.all.len(),
            measured_tokens: self.eval.all.iter().map(Sequence::supervised).sum(),
            steps: self.total,
            memory,
        })
    }

    /// Gives the adapter its shape, if gradients decide its ranks. A run that goes on keeps the ranks that it has.
    fn allot(&mut self, say: &mut Say<'_>) -> Result<(), Error> {
        let AdapterSpec::Lora(lora) = &self.spec.adapter else { return Ok(()) };
        if lora.ranks != Ranks::Sensitivity {
            return Ok(());
        }
        let modules = self.model.target_modules();
        let known = checkpoint::progress(self.dir).and_then(|progress| progress.ranks);
        let (ranks, examples) = match known {
            Some(ranks) => (ranks, None),
            None => self.probe(lora).map(|(ranks, examples)| (ranks, Some(examples)))?,
        };
        self.progress.ranks = Some(ranks.clone());
        let ranks = if ranks.is_empty() { Ranks::Equal } else { Ranks::Pattern(ranks) };
        let shaped = LoraSpec { ranks, ..lora.clone() };
        if let Some(examples) = examples {
            let ranks = describe_ranks(&shaped, modules);
            let text = format!("Mean ranks by the gradients of {examples} examples: {ranks}.");
            say(EventKind::Note { text })?;
        }
        self.shape = AdapterSpec::Lora(shaped);
        self.adapter = fresh_of(&self.shape, self.model, self.spec.optim.seed, &[])?;
        self.learner = learner(self.learner.model, &self.adapter, self.spec)?;
        Ok(())
    }

    /// Ranks by sensitivity, and how many examples decided them.
    fn probe(&mut self, lora: &LoraSpec) -> Result<(BTreeMap<String, usize>, usize), Error> {
        let rank = PROBE_RANK.max(lora.rank);
        let seed = self.spec.optim.seed;
        let probe = AdapterSpec::Lora(LoraSpec { rank, ..lora.clone() });
        let probe = fresh_of(&probe, self.model, seed, &[])?;
        let mut batch = Vec::new();
        for step in 0..PROBED_STEPS.min(self.order.steps_per_epoch()) {
            batch.extend(self.order.step(step).iter().map(|&i| &self.train.all[i]));
        }
        let plan = StepPlan {
            lr: 0.0,
            clip: 0.0,
            dropout: 0.0,
            seed,
            step: 0,
            shared: self.train.shared,
            // Not what a GPU allows: an estimate that is too low would end the run here.
            pass_tokens: self.spec.limits.pass_tokens,
            recompute: self.spec.limits.recompute,
        };
        let gradient = learner(self.learner.model, &probe, self.spec)?.gradient(&batch, &plan)?;
        Ok((ranks_by_sensitivity(lora, self.model.target_modules(), &probe, &gradient), batch.len()))
    }

    fn restore(&mut self, say: &mut Say<'_>) -> Result<(), Error> {
        let len = self.learner.len();
        let mut adam = self.learner.adam.download(self.learner.model.device());
        if let Some((progress, state)) = checkpoint::newest(self.dir, &self.settings, &mut adam, len)? {
            self.learner.adam = adam.upload(self.learner.model.device());
            self.learner.set_params(&state.params);
            self.best = state.best;
            self.progress = progress;
            say(EventKind::Resumed { step: self.progress.step })?;
        }
        Ok(())
    }

    /// Steps between two of what happens so often per epoch.
    fn steps_between(&self, per_epoch: u32) -> u64 {
        // Many short epochs with few examples don't need a measurement each.
        let steps = self.order.steps_per_epoch().max(self.total.div_ceil(MOST_EPOCHS));
        if per_epoch == 0 { u64::MAX } else { (steps / u64::from(per_epoch)).max(1) }
    }

    fn learn(&mut self, say: &mut Say<'_>) -> Result<(), Error> {
        let eval_every = self.steps_between(self.spec.eval.per_epoch);
        let save_every = self.steps_between(self.spec.eval.checkpoints_per_epoch);
        let slack = 3.0 + if self.spec.init_from.is_some() { SURPRISE } else { 0.0 };
        // A run that stopped early before it was killed has nothing left to train.
        while self.progress.step < self.total && !self.is_stale() {
            let clock = Instant::now();
            let (loss, grad_norm, lr) = self.step()?;
            let p = &mut self.progress;
            p.step += 1;
            p.loss = loss;
            p.seconds += clock.elapsed().as_secs_f64();
            let (step, of) = (p.step, self.total);
            let (tokens_per_s, eta_s) =
                (p.tokens as f64 / p.seconds.max(1e-9), p.seconds / step as f64 * (of - step) as f64);
            say(EventKind::Step { step, of, loss, lr, grad_norm, tokens_per_s, eta_s, memory: memory::resident() })?;
            let first = *p.first_loss.get_or_insert(loss);
            if !loss.is_finite() || !grad_norm.is_finite() || loss > EXPLODED * first + slack {
                return Err(Error::Diverged { step, loss });
            }
            if step % eval_every == 0 && step < of {
                self.measure(say)?;
            }
            let stopped = self.dir.stop_requested();
            if step % save_every == 0 || stopped || self.is_stale() {
                self.save(say)?;
            }
            if stopped {
                return Err(Error::Stopped { step });
            }
        }
        if self.is_stale() {
            let text = format!("Stopped early after step {}: no better held-out loss.", self.progress.step);
            say(EventKind::Note { text })?;
        }
        Ok(())
    }

    fn save(&self, say: &mut Say<'_>) -> Result<(), Error> {
        let (adam, params) = (self.learner.adam.download(self.learner.model.device()), self.learner.params());
        self.learner.check()?;
        checkpoint::save(self.dir, &self.settings, &self.progress, &adam, &params, &self.best)?;
        say(EventKind::Checkpoint { step: self.progress.step })
    }

    /// One optimizer step; returns loss, gradient norm and learning rate.
    fn step(&mut self) -> Result<(f64, f64, f64), Error> {
        let (o, step) = (&self.spec.optim, self.progress.step);
        let epoch = step / self.order.steps_per_epoch();
        let model = self.model;
        let order = self.order.step(step).iter();
        let batch = order.map(|&i| self.train.variant(i, epoch, self.spec, self.prompter, model));
        let batch = batch.collect::<Result<Vec<Cow<'_, Sequence>>, Error>>()?;
        let batch: Vec<&Sequence> = batch.iter().map(|sequence| &**sequence).collect();
        self.progress.tokens += batch.iter().map(|s| (s.source.len() + s.tokens.len()) as u64).sum::<u64>();
        let warmup = (o.warmup * self.total as f64).round() as u64;
        let mut plan = StepPlan {
            // Steps count from 1, so that none is spent at a learning rate of zero.
            lr: o.schedule.at(step + 1, warmup, self.total + 1, o.lr),
            clip: o.clip,
            dropout: match &self.spec.adapter {
                AdapterSpec::Lora(lora) => lora.dropout,
                AdapterSpec::SoftPrompt(_) => 0.0,
            },
            seed: o.seed,
            step,
            shared: self.train.shared,
            pass_tokens: self.micro_batch(),
            recompute: self.spec.limits.recompute,
        };
        let (loss, norm) = loop {
            match self.learner.step(&batch, &plan) {
                // The estimate was too low: use smaller micro-batches from now on.
                Err(error) if error.is_device_out_of_memory() && plan.pass_tokens > LEAST_TOKENS => {
                    plan.pass_tokens /= 2;
                    self.progress.micro_batch = Some(plan.pass_tokens);
                }
                done => break done?,
            }
        };
        self.progress.computed += self.learner.computed(&batch, &plan);
        Ok((loss, norm, plan.lr))
    }

    /// The losses of the held-out examples, and how many tokens each has.
    fn held_out_losses(&self) -> Result<Vec<(f64, usize)>, Error> {
        let all: Vec<&Sequence> = self.eval.all.iter().collect();
        self.learner.losses(&all, self.eval.shared, self.micro_batch())
    }

    /// Whether the held-out loss has not improved for `patience` measurements.
    fn is_stale(&self) -> bool {
        let patience = self.spec.eval.patience;
        patience > 0 && self.progress.stale >= patience
    }

    /// Measures the held-out loss and keeps the weights if it is the best so far, because few examples are soon
    /// overfitted.
    fn measure(&mut self, say: &mut Say<'_>) -> Result<Option<f64>, Error> {
        let clock = Instant::now();
        let losses = self.held_out_losses()?;
        let Some(loss) = mean(&losses) else { return Ok(None) };
        let seconds = Some(clock.elapsed().as_secs_f64());
        let p = &mut self.progress;
        let best = p.measured(loss);
        if best {
            self.best = self.learner.params();
            self.best_losses = losses;
        }
        let step = p.step;
        let scores = self.score(say)?;
        say(EventKind::Eval { step, loss, best, seconds, scores })?;
        Ok(Some(loss))
    }

    /// Scores of the adapter as it is now, if this measurement scores answers. Nothing that the training depends on
    /// changes.
    fn score(&mut self, say: &mut Say<'_>) -> Result<Option<InterimScores>, Error> {
        let every = self.steps_between(self.spec.eval.per_epoch);
        let of = (self.total - 1) / every + 1;
        let measurement = if self.progress.step >= self.total { of } else { self.progress.step / every };
        let Some(scoring) = self.scoring.as_mut().filter(|scoring| scoring.is_due(measurement, of)) else {
            return Ok(None);
        };
        let mut adapter = self.adapter.clone();
        adapter.params_mut().data_mut().copy_from_slice(&self.learner.params());
        match scoring.score(adapter) {
            Ok(scores) => Ok(Some(scores)),
            Err(error) => {
                self.scoring = None;
                say(unscored(&*error))?;
                Ok(None)
            }
        }
    }

    /// Publishes the adapter and the result.
    fn finish(mut self, say: &mut Say<'_>) -> Result<TrainingRun, Error> {
        // After early stopping the last step is measured already, and was not the best.
        let mut eval_loss = if self.is_stale() { None } else { self.measure(say)? };
        if self.progress.first_loss.is_some_and(|first| self.progress.loss >= first) && self.progress.step > 1 {
            let text = "The loss did not fall: nothing was learned. Try another learning rate, or more epochs.";
            say(EventKind::Note { text: text.into() })?;
        }
        let step = self.progress.step;
        let mut best_step = step;
        if let (Some((loss, at)), false) = (self.progress.best, self.best.is_empty()) {
            self.learner.set_params(&self.best);
            (eval_loss, best_step) = (Some(loss), at);
            if self.best_losses.is_empty() {
                self.best_losses = self.held_out_losses()?;
            }
        }
        self.adapter.params_mut().data_mut().copy_from_slice(&self.learner.params());
        self.learner.check()?;
        let spec = self.spec;
        let rows = self.dir.rows("train")?;
        let (n_grams, n_grams_file) = n_grams(spec, &rows).unzip();
        let card = AdapterCard {
            task: spec.task.clone(),
            base: spec.base.clone(),
            adapter: self.shape.clone(),
            label_bias: label_bias(spec, &rows),
            n_grams,
            dataset: Some(spec.dataset.clone()),
            graft: spec.graft.clone(),
        };
        let adapter_hash =
            save_adapter(&self.dir.adapter(), &self.adapter, self.model, &card, n_grams_file.as_deref())?;
        let result = TrainingRun {
            run_id: spec.run.clone(),
            status: "completed".into(),
            started_at: self.progress.started_at,
            finished_at: now(),
            base_model: spec.base.name.clone(),
            base_digest: spec.base.digest.clone(),
            samples: self.train.all.len(),
            eval_samples: self.held_out,
            too_long: self.train.too_long,
            epochs: spec.optim.epochs,
            steps: step,
            final_loss: self.progress.loss,
            eval_loss,
            eval_losses: std::mem::take(&mut self.best_losses),
            best_step,
            hyperparameters: spec.clone(),
            dataset_hash: spec.dataset.clone(),
            adapter_hash,
            train_seconds: self.progress.seconds,
            tokens_per_second: self.progress.tokens as f64 / self.progress.seconds.max(1e-9),
            computed_tokens_per_second: self.progress.computed as f64 / self.progress.seconds.max(1e-9),
            peak_memory: peak_rss(),
            products: self.progress.products.clone(),
            graft_version: spec.graft.clone(),
            service: None,
        };
        self.dir.publish(&result)?;
        // Written after the result is published. If the trainer is killed in between, it writes the event when it is
        // resumed.
        say(EventKind::Done { steps: step, final_loss: self.progress.loss })?;
        Ok(result)
    }
}

/// A new adapter.
pub(crate) fn fresh(model: &Model, prompter: &Prompter, spec: &TrainSpec) -> Result<Adapter, Error> {
    let seed = spec.optim.seed;
    let rows = match &spec.adapter {
        AdapterSpec::SoftPrompt(prompt) => prompt_rows(prompt, &spec.task, model, prompter, seed)?,
        AdapterSpec::Lora(_) => Vec::new(),
    };
    fresh_of(&spec.adapter, model, seed, &rows)
}

fn fresh_of(shape: &AdapterSpec, model: &Model, seed: u64, rows: &[f32]) -> Result<Adapter, Error> {
    Adapter::fresh(shape, model.target_modules(), seed, model.width(), rows).map_err(Error::Model)
}

/// The learner of an adapter on a device, before its first step.
pub(crate) fn learner<'m, D: Device>(
    on_device: &'m Model<D>,
    adapter: &Adapter,
    spec: &TrainSpec,
) -> Result<Learner<'m, D>, Error> {
    let o = &spec.optim;
    let adam = Adam::new(adapter.params().data().len(), o.beta1, o.beta2, o.eps, o.weight_decay);
    let learner = Learner::new(on_device, adapter, &adam);
    learner.check()?;
    Ok(learner)
}

/// Copies the weights of the version that a run starts from into its new adapter, if digest and shape match.
fn start_from(
    from: &InitFrom,
    dir: &RunDir,
    model: &Model,
    spec: &TrainSpec,
    adapter: &mut Adapter,
) -> Result<(), Error> {
    let refused = |what: &str| Error::StartFrom { version: from.version.clone(), what: what.into() };
    let (start, card) = load_adapter(&dir.init(), model)?;
    if card.base.digest != spec.base.digest {
        return Err(refused("it was trained on another base model"));
    }
    let shapes = |adapter: &Adapter| -> Vec<(String, usize, usize)> {
        adapter.params().iter().map(|(name, param)| (name.to_owned(), param.rows, param.cols)).collect()
    };
    if !card.adapter.has_shape_of(&spec.adapter) || shapes(&start) != shapes(adapter) {
        return Err(refused("its adapter has another kind or shape"));
    }
    if weights_digest(&start) != from.adapter {
        return Err(refused("the run directory has other weights"));
    }
    adapter.params_mut().data_mut().copy_from_slice(start.params().data());
    Ok(())
}

/// Initial rows of a soft prompt, (tokens, width). For encoder–decoder models PEFT's file has a second half, which is
/// not used.
fn prompt_rows(
    spec: &PromptSpec,
    task: &TaskCard,
    model: &Model,
    prompter: &Prompter,
    seed: u64,
) -> Result<Vec<f32>, Error> {
    let count = spec.tokens * if model.has_encoder() { 2 } else { 1 };
    let mut random = random(seed, Purpose::Prompt, [0, 0]);
    let text = match &spec.init {
        PromptInit::Text { text } => text.clone(),
        PromptInit::Labels => match &task.answer {
            graft_core::AnswerForm::Label { labels } => labels.join(" "),
            _ => task.instruction.clone(),
        },
        PromptInit::Vocabulary => String::new(),
        PromptInit::Random => {
            let table = model.embedding().gather(&(0..model.vocab().min(1024) as u32).collect::<Vec<_>>());
            let scale = (table.data().iter().map(|x| x * x).sum::<f32>() / table.data().len() as f32).sqrt();
            let bound = scale * 3.0_f32.sqrt();
            return Ok((0..count * model.width()).map(|_| random.random_range(-bound..=bound)).collect());
        }
    };
    let mut ids = prompter.answer(&text).map_err(Error::Model)?;
    if ids.is_empty() {
        // The first tokens of a trained vocabulary are its most frequent ones.
        let common = model.vocab().min(5000) as u32;
        ids = (0..spec.tokens).map(|_| random.random_range(0..common)).collect();
    }
    let ids: Vec<u32> = (0..count).map(|i| ids[i % spec.tokens % ids.len()]).collect();
    Ok(model.embedding().gather(&ids).data().to_vec())
}

/// Size of a model's files in bytes.
fn file_bytes(path: &Path) -> u64 {
    let size = |path: &Path| path.metadata().map_or(0, |m| m.len());
    match std::fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| size(&entry.path())).sum(),
        Err(_) => size(path),
    }
}
