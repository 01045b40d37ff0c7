use std::{cell::RefCell, collections::HashMap, rc::Rc};

use graft_core::{Purpose, random};
use graft_nn::{Adapter, Context, MicroBatch, Model, Sequence};
use graft_ops::{Adam, Cpu, Device, Dropout, Matrix};
use rand::Rng as _;

use crate::{Error, data};

/// An adapter in training on a frozen model: weights, gradient and optimizer.
#[derive(Debug)]
pub struct Learner<'m, D: Device = Cpu> {
    /// The frozen base model.
    pub model: &'m Model<D>,
    /// The adapter.
    pub adapter: Adapter<D>,
    /// Its optimiser.
    pub adam: Adam<D::Numbers>,
    grads: D::Numbers,
    /// Number of trainable parameters.
    len: usize,
    kept: Option<RefCell<Kept>>,
}

/// Cached encoder outputs, by source, for adapters that don't change the encoder. The cache is dropped with the
/// learner, so it is never used with other data, another template or another adapter.
#[derive(Debug, Default)]
struct Kept {
    encoded: HashMap<Vec<u32>, Rc<Matrix>>,
    bytes: usize,
}

/// Most bytes of cached encoder outputs; further ones are computed each time.
pub(crate) const KEPT: usize = 256 << 20;

/// Settings of one step.
#[derive(Clone, Copy, Debug)]
pub struct StepPlan {
    /// Learning rate.
    pub lr: f64,
    /// Largest gradient norm; 0 disables clipping.
    pub clip: f64,
    /// Fraction of LoRA's inputs that are dropped.
    pub dropout: f32,
    /// Seed of the step's dropout masks, together with `step`.
    pub seed: u64,
    /// Index of the step.
    pub step: u64,
    /// Leading tokens that all sequences share.
    pub shared: usize,
    /// Most tokens of a micro-batch.
    pub pass_tokens: usize,
    /// Recompute blocks in the backward pass instead of storing their activations.
    pub recompute: bool,
}

impl<'m, D: Device> Learner<'m, D> {
    /// Starts with an adapter and an optimizer of its size, which are moved to the model's device.
    #[must_use]
    pub fn new(model: &'m Model<D>, adapter: &Adapter, adam: &Adam) -> Self {
        let (device, len) = (model.device(), adapter.params().data().len());
        let (adapter, adam, grads) = (adapter.upload(device), adam.upload(device), device.numbers(&vec![0.0; len]));
        let kept = model.encoder_ignores(&adapter).then(RefCell::default);
        Self { model, adapter, adam, grads, len, kept }
    }

    /// The encoder's output for each sequence, if it never changes.
    fn encoded(&self, sequences: &[&Sequence]) -> Result<Option<Vec<Rc<Matrix>>>, Error> {
        let Some(kept) = &self.kept else { return Ok(None) };
        let mut kept = kept.borrow_mut();
        let mut all = Vec::with_capacity(sequences.len());
        for source in sequences.iter().map(|sequence| &sequence.source) {
            if let Some(known) = kept.encoded.get(source) {
                all.push(Rc::clone(known));
                continue;
            }
            let Some(new) = self.model.encoded(None, source).map_err(Error::Model)? else { return Ok(None) };
            let (new, bytes) = (Rc::new(new), 4 * source.len() * (1 + self.model.width()));
            if kept.bytes + bytes <= KEPT {
                kept.bytes += bytes;
                kept.encoded.insert(source.clone(), Rc::clone(&new));
            }
            all.push(new);
        }
        Ok(Some(all))
    }

    /// All trainable parameters.
    #[must_use]
    pub fn params(&self) -> Vec<f32> {
        let mut numbers = vec![0.0; self.len];
        self.model.device().read_params(self.adapter.device_params(), &mut numbers);
        numbers
    }

    /// Overwrites all trainable parameters.
    pub fn set_params(&mut self, numbers: &[f32]) {
        self.model.device().write_params(self.adapter.device_params_mut(), numbers);
    }

    /// The device's error since the last call, if any.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.model.device().status().map_err(|e| Error::Model(graft_nn::Error::Device(e)))
    }

    /// Number of trainable parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is trainable.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// One optimizer step on `batch`, in as many micro-batches as needed. Returns the mean loss per supervised token
    /// and the gradient's norm.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or a sequence longer than the model's context.
    pub fn step(&mut self, batch: &[&Sequence], plan: &StepPlan) -> Result<(f64, f64), Error> {
        let loss = self.backward(batch, plan)?;
        let device = self.model.device();
        let norm = self.adam.step_on(device, self.adapter.device_params_mut(), &self.grads, plan.lr, plan.clip);
        self.check()?;
        Ok((loss, norm))
    }

    /// The gradient of the mean loss per supervised token by all trainable parameters.
    ///
    /// # Errors
    /// Like [`step`](Self::step).
    pub(crate) fn gradient(&mut self, batch: &[&Sequence], plan: &StepPlan) -> Result<Vec<f32>, Error> {
        self.backward(batch, plan)?;
        self.check()?;
        Ok(self.model.device().read(&self.grads))
    }

    /// Computes the gradient of `batch`; returns its mean loss per supervised token.
    fn backward(&mut self, batch: &[&Sequence], plan: &StepPlan) -> Result<f64, Error> {
        let supervised: usize = batch.iter().map(|s| s.supervised()).sum();
        let lengths = self.lengths(batch);
        let head = plan.shared + self.adapter.virtual_tokens();
        self.model.device().clear(&mut self.grads);
        let mut total = 0.0_f64;
        for (index, micro_batch) in data::micro_batches(&lengths, head, plan.pass_tokens).into_iter().enumerate() {
            let seed = random(plan.seed, Purpose::Dropout, [plan.step, index as u64]).next_u64();
            self.adapter.set_dropout(Some(Dropout { rate: plan.dropout, seed }));
            let batch =
                MicroBatch { sequences: &batch[micro_batch], shared: plan.shared, weight: 1.0 / supervised as f32 };
            let encoded = self.encoded(batch.sequences)?;
            let context = Context { recompute: plan.recompute, encoded: encoded.as_deref() };
            let found = self.model.loss(Some(&self.adapter), &batch, context, Some(&mut self.grads));
            total -= found.map_err(Error::Model)?.iter().map(|p| f64::from(*p)).sum::<f64>();
        }
        self.adapter.set_dropout(None);
        Ok(total / supervised as f64)
    }

    /// Number of prompt and answer tokens that a step computes: a prefix that the examples of a micro-batch share is
    /// computed once.
    #[must_use]
    pub fn computed(&self, batch: &[&Sequence], plan: &StepPlan) -> u64 {
        let head = plan.shared + self.adapter.virtual_tokens();
        let micro_batches = data::micro_batches(&self.lengths(batch), head, plan.pass_tokens);
        let tokens: usize = batch.iter().map(|sequence| sequence.source.len() + sequence.tokens.len()).sum();
        (tokens - plan.shared * (batch.len() - micro_batches.len())) as u64
    }

    /// The loss of each sequence, without a training step: the sum over its supervised tokens, and their number.
    ///
    /// # Errors
    /// Like [`step`](Self::step).
    pub fn losses(&self, all: &[&Sequence], shared: usize, pass_tokens: usize) -> Result<Vec<(f64, usize)>, Error> {
        let mut losses = Vec::with_capacity(all.len());
        for micro_batch in data::micro_batches(&self.lengths(all), shared + self.adapter.virtual_tokens(), pass_tokens)
        {
            let batch = MicroBatch { sequences: &all[micro_batch], shared, weight: 1.0 };
            let encoded = self.encoded(batch.sequences)?;
            let context = Context { recompute: false, encoded: encoded.as_deref() };
            let found = self.model.loss(Some(&self.adapter), &batch, context, None).map_err(Error::Model)?;
            let mut log_probs = found.iter().map(|p| f64::from(*p));
            losses.extend(batch.sequences.iter().map(|sequence| {
                let count = sequence.supervised();
                (-log_probs.by_ref().take(count).sum::<f64>(), count)
            }));
        }
        Ok(losses)
    }

    /// Rows that each sequence takes in a micro-batch.
    fn lengths(&self, all: &[&Sequence]) -> Vec<usize> {
        all.iter().map(|s| s.source.len().max(s.tokens.len()) + self.adapter.virtual_tokens()).collect()
    }
}
