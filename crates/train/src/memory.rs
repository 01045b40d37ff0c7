use graft_core::{AdapterSpec, TrainSpec};
use graft_nn::{Adapter, Model, Sequence, matches_target};

use crate::learner::KEPT;

/// Where a training's memory will go, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The base model's file and what is copied from it.
    pub base: u64,
    /// Activations of one pass.
    pub activations: u64,
    /// Logits and gradients in flight.
    pub scratch: u64,
    /// The adapter with its gradient, its moments, and the copies that a checkpoint and its publication take.
    pub adapter: u64,
    /// What the encoder wrote, where that never changes.
    pub kept: u64,
}

impl Estimate {
    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.base + self.activations + self.scratch + self.adapter + self.kept
    }
}

/// Predicts the peak of a training on sequences that [fit](crate::fits) its limits.
#[must_use]
pub fn estimate(model: &Model, spec: &TrainSpec, base_bytes: u64, train: &[&Sequence], eval: &[&Sequence]) -> Estimate {
    /// Rows whose logits exist at once; see `graft_ops::cross_entropy`.
    const LOGIT_ROWS: usize = 256;
    /// The process itself: code, tokenizer, thread stacks, what the allocator holds back.
    const PROCESS: u64 = 224 << 20;
    let rows = most_rows(spec, train);
    let params = Adapter::parameters(&spec.adapter, model);
    Estimate {
        base: base_bytes + PROCESS,
        activations: (rows * model.bytes_per_row(spec.limits.recompute)) as u64,
        scratch: 4 * (rows.min(LOGIT_ROWS) * model.vocab() + 8 * rows * model.width()) as u64,
        adapter: 4 * 9 * params as u64,
        kept: if leaves_encoder(model, spec) { kept(model, train) + kept(model, eval) } else { 0 },
    }
}

/// Predicts the peak on a GPU beside the base's weights, which are there already.
pub(crate) fn estimate_on_gpu(model: &Model, spec: &TrainSpec, train: &[&Sequence], eval: &[&Sequence]) -> u64 {
    /// Logits with their gradient, as the device bounds them, and its library's working memory.
    const FIXED: u64 = (1 << 30) + (128 << 20);
    let rows = most_rows(spec, train).max(most_rows(spec, eval)) as u64;
    // What products read lies beside the numbers themselves; a dequantized weight lives while it is used.
    let kept = rows * model.bytes_per_row(spec.limits.recompute) as u64;
    let weights = model.target_modules().iter().map(|m| m.inputs * m.outputs).max().unwrap_or(0);
    let head = model.vocab() * model.width();
    let scratch = 4 * weights.max(head) as u64 + 64 * rows * model.width() as u64;
    // The adapter, its gradient and its moments.
    let adapter = 16 * Adapter::parameters(&spec.adapter, model) as u64;
    FIXED + kept + kept / 4 + scratch + adapter
}

/// Rows that the longest pass computes: no more than there are, and at least one sequence.
fn most_rows(spec: &TrainSpec, train: &[&Sequence]) -> usize {
    let ahead = match &spec.adapter {
        AdapterSpec::Lora(_) => 0,
        AdapterSpec::SoftPrompt(prompt) => prompt.tokens,
    };
    let rows = || train.iter().map(|sequence| sequence.source.len().max(sequence.tokens.len()) + ahead);
    rows().max().unwrap_or(0).max(spec.limits.pass_tokens.min(rows().sum()))
}

/// As [`Model::encoder_ignores`], before there is an adapter.
fn leaves_encoder(model: &Model, spec: &TrainSpec) -> bool {
    let AdapterSpec::Lora(lora) = &spec.adapter else { return false };
    let in_encoder = |name: &str| name.starts_with("encoder.") && matches_target(&lora.targets, name);
    model.has_encoder() && !model.target_modules().iter().any(|module| in_encoder(&module.name))
}

fn kept(model: &Model, all: &[&Sequence]) -> u64 {
    let tokens: usize = all.iter().map(|sequence| sequence.source.len()).sum();
    (4 * tokens * (1 + model.width())).min(KEPT) as u64
}

/// Bytes of memory that a new process can use: what Linux calls available, within the process's cgroup.
#[must_use]
pub fn available_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let kib: u64 =
        text.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?.trim().strip_suffix(" kB")?.parse().ok()?;
    let number = |path: &str| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
    let group = number("/sys/fs/cgroup/memory.max").zip(number("/sys/fs/cgroup/memory.current"));
    let within = group.map_or(u64::MAX, |(max, now)| max.saturating_sub(now));
    Some((kib << 10).min(within))
}

/// Largest resident memory this process has had, in bytes; 0 where the system doesn't tell.
#[must_use]
pub fn peak_rss() -> u64 {
    own_status("VmHWM:").unwrap_or(0)
}

/// Resident memory of this process now, in bytes; `None` where the system doesn't tell.
pub(crate) fn resident() -> Option<u64> {
    own_status("VmRSS:")
}

/// An amount that Linux tells of this process, in bytes.
fn own_status(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = text.lines().find_map(|l| l.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok())?;
    Some(kib << 10)
}
