use std::{borrow::Cow, ops::Range};

use graft_core::{Limits, Purpose, TrainSpec, random};
use graft_nn::{Model, Prompter, Sequence};
use rand::seq::SliceRandom as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, RunDir};

/// A line of `data/*.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The example's id.
    pub id: String,
    /// The input.
    pub input: String,
    /// The approved output.
    pub output: Value,
    /// The output in wire form.
    pub answer: String,
    /// Variants that replace the example in successive epochs; only on the training side.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<RowVariant>,
}

/// A variant of an example: with other names, other words, or typos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowVariant {
    /// The input.
    pub input: String,
    /// The answer in wire form.
    pub answer: String,
}

/// Tokenized examples of one side.
pub(crate) struct Sequences {
    pub(crate) all: Vec<Sequence>,
    /// Variants of each example.
    variants: Vec<Vec<RowVariant>>,
    pub(crate) too_long: usize,
    /// Number of leading tokens that all have in common.
    pub(crate) shared: usize,
}

/// Reads and tokenizes one side. Examples beyond the limits are left out entirely and counted.
pub(crate) fn load(
    dir: &RunDir,
    side: &str,
    spec: &TrainSpec,
    prompter: &Prompter,
    model: &Model,
) -> Result<Sequences, Error> {
    let all = dir.rows(side)?;
    let mut found = Sequences { all: Vec::new(), variants: Vec::new(), too_long: 0, shared: prompter.shared().len() };
    let (rows, mut empty) = (all.len(), 0);
    for row in all {
        if row.answer.trim().is_empty() {
            empty += 1;
            continue;
        }
        let sequence = prompter.sequence(&row.input, &row.answer).map_err(Error::Model)?;
        if fits(&sequence, &spec.limits, model) {
            found.all.push(sequence);
            found.variants.push(row.variants);
        } else {
            found.too_long += 1;
        }
    }
    if side == "train" && found.all.is_empty() {
        let what = format!("of {rows} examples, {empty} have an empty answer and {} are too long", found.too_long);
        return Err(Error::NothingToLearn { path: dir.data(side), what });
    }
    if model.has_encoder() {
        found.shared = 0;
    }
    Ok(found)
}

impl Sequences {
    /// The sequence of an example in an epoch: a variant, or the example itself if it has none or the variant is too
    /// long.
    pub(crate) fn variant(
        &self,
        index: usize,
        epoch: u64,
        spec: &TrainSpec,
        prompter: &Prompter,
        model: &Model,
    ) -> Result<Cow<'_, Sequence>, Error> {
        let variants = &self.variants[index];
        let Some(variant) = (epoch as usize).checked_rem(variants.len()).map(|at| &variants[at]) else {
            return Ok(Cow::Borrowed(&self.all[index]));
        };
        let sequence = prompter.sequence(&variant.input, &variant.answer).map_err(Error::Model)?;
        Ok(if fits(&sequence, &spec.limits, model) { Cow::Owned(sequence) } else { Cow::Borrowed(&self.all[index]) })
    }
}

/// Whether a sequence is within the run's limits and the model's context.
#[must_use]
pub fn fits(sequence: &Sequence, limits: &Limits, model: &Model) -> bool {
    let (source, tokens) = (sequence.source.len(), sequence.tokens.len());
    let within = if model.has_encoder() {
        source <= limits.max_source && tokens <= limits.max_target
    } else {
        tokens <= limits.max_tokens
    };
    within && source.max(tokens) <= model.context()
}

/// The examples of each step, in an order that is a function of seed and epoch.
pub(crate) struct Order {
    seed: u64,
    count: usize,
    batch: usize,
    epoch: Option<(u64, Vec<usize>)>,
}

impl Order {
    pub(crate) fn new(seed: u64, count: usize, batch: usize) -> Self {
        Self { seed, count, batch, epoch: None }
    }

    /// Number of steps per epoch.
    pub(crate) fn steps_per_epoch(&self) -> u64 {
        self.count.div_ceil(self.batch) as u64
    }

    /// Indices of the examples of a step (from 0).
    pub(crate) fn step(&mut self, step: u64) -> &[usize] {
        let (epoch, within) = (step / self.steps_per_epoch(), (step % self.steps_per_epoch()) as usize);
        if self.epoch.as_ref().is_none_or(|(now, _)| *now != epoch) {
            let mut order: Vec<usize> = (0..self.count).collect();
            order.shuffle(&mut random(self.seed, Purpose::Order, [epoch, 0]));
            self.epoch = Some((epoch, order));
        }
        let order = self.epoch.as_ref().map_or(&[][..], |(_, order)| order);
        &order[within * self.batch..((within + 1) * self.batch).min(self.count)]
    }
}

/// Splits a step's examples into as few micro-batches as possible, of at most `rows` computed rows (unless a single
/// example is longer), with about equal sizes: a small remainder would read all weights again like a full micro-batch.
pub(crate) fn micro_batches(lengths: &[usize], shared: usize, rows: usize) -> Vec<Range<usize>> {
    let least = packed(lengths, shared, rows).len().max(1);
    let total: usize = lengths.iter().map(|length| length - shared).sum();
    let even = packed(lengths, shared, (shared + total.div_ceil(least) + 16).min(rows));
    if even.len() == least { even } else { packed(lengths, shared, rows) }
}

fn packed(lengths: &[usize], shared: usize, rows: usize) -> Vec<Range<usize>> {
    let (mut micro_batches, mut start, mut used) = (Vec::new(), 0, shared);
    for (index, length) in lengths.iter().enumerate() {
        let own = length - shared;
        if index > start && used + own > rows {
            micro_batches.push(start..index);
            (start, used) = (index, shared);
        }
        used += own;
    }
    if start < lengths.len() {
        micro_batches.push(start..lengths.len());
    }
    micro_batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_epoch_has_every_example_once_in_a_new_order() {
        let mut order = Order::new(7, 10, 4);
        let mut epoch =
            |first: u64| -> Vec<usize> { (first..first + 3).flat_map(|s| order.step(s).to_vec()).collect() };
        let (a, b) = (epoch(0), epoch(3));
        let mut sorted = a.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
        assert_ne!(a, b);
        assert_eq!(Order::new(7, 10, 4).step(4), &b[4..8]);
    }

    #[test]
    fn micro_batches_hold_all_examples_within_the_limit() {
        assert_eq!(micro_batches(&[10, 10, 10, 30, 10], 4, 20), [0..2, 2..3, 3..4, 4..5]);
        assert!(micro_batches(&[], 0, 20).is_empty());
    }
}
