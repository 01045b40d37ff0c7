use graft_core::{AdapterSpec, TrainSpec};
use graft_nn::{Adapter, Model, Sequence, matches_target};

use crate::learner::KEPT;

/// Predicted memory of a training, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The base model's file, and copies of parts of it.
    pub base: u64,
    /// Activations of one micro-batch.
    pub activations: u64,
    /// Logits and temporary gradients.
    pub scratch: u64,
    /// The adapter, its gradient and moments, and the copies for a checkpoint and for publication.
    pub adapter: u64,
    /// Cached encoder outputs.
    pub kept: u64,
}

impl Estimate {
    /// The sum.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.base + self.activations + self.scratch + self.adapter + self.kept
    }
}

/// Predicts the peak memory of a training on sequences that [fit](crate::fits) its limits.
#[must_use]
pub fn estimate(model: &Model, spec: &TrainSpec, base_bytes: u64, train: &[&Sequence], eval: &[&Sequence]) -> Estimate {
    /// Number of rows whose logits exist at once; see `graft_ops::cross_entropy`.
    const LOGIT_ROWS: usize = 256;
    /// The process itself: code, tokenizer, thread stacks, and memory that the allocator retains.
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

/// Predicts the peak on a GPU, in addition to the base weights, which are loaded already.
pub(crate) fn estimate_on_gpu(model: &Model, spec: &TrainSpec, train: &[&Sequence], eval: &[&Sequence]) -> u64 {
    /// Logits with their gradient, which the device limits, and its libraries' workspace.
    const FIXED: u64 = (1 << 30) + (128 << 20);
    let rows = most_rows(spec, train).max(most_rows(spec, eval)) as u64;
    // Operands of products are stored next to the f32 values; a dequantized weight lives while it is used.
    let kept = rows * model.bytes_per_row(spec.limits.recompute) as u64;
    let weights = model.target_modules().iter().map(|m| m.inputs * m.outputs).max().unwrap_or(0);
    let head = model.vocab() * model.width();
    let scratch = 4 * weights.max(head) as u64 + 64 * rows * model.width() as u64;
    // The adapter, its gradient and its moments.
    let adapter = 16 * Adapter::parameters(&spec.adapter, model) as u64;
    FIXED + kept + kept / 4 + scratch + adapter
}

/// Rows of the longest micro-batch: at most all rows, and at least one sequence.
fn most_rows(spec: &TrainSpec, train: &[&Sequence]) -> usize {
    let ahead = match &spec.adapter {
        AdapterSpec::Lora(_) => 0,
        AdapterSpec::SoftPrompt(prompt) => prompt.tokens,
    };
    let rows = || train.iter().map(|sequence| sequence.source.len().max(sequence.tokens.len()) + ahead);
    rows().max().unwrap_or(0).max(spec.limits.pass_tokens.min(rows().sum()))
}

/// Like [`Model::encoder_ignores`], before an adapter exists.
fn leaves_encoder(model: &Model, spec: &TrainSpec) -> bool {
    let AdapterSpec::Lora(lora) = &spec.adapter else { return false };
    let in_encoder = |name: &str| name.starts_with("encoder.") && matches_target(&lora.targets, name);
    model.has_encoder() && !model.target_modules().iter().any(|module| in_encoder(&module.name))
}

fn kept(model: &Model, all: &[&Sequence]) -> u64 {
    let tokens: usize = all.iter().map(|sequence| sequence.source.len()).sum();
    (4 * tokens * (1 + model.width())).min(KEPT) as u64
}

/// Memory that a new process can use, in bytes: Linux's available memory, limited by the process's cgroup.
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

/// Peak resident memory of this process in bytes; 0 if the system does not report it.
#[must_use]
pub fn peak_rss() -> u64 {
    own_status("VmHWM:").unwrap_or(0)
}

/// Current resident memory of this process in bytes; `None` if the system does not report it.
pub(crate) fn resident() -> Option<u64> {
    own_status("VmRSS:")
}

/// A value of `/proc/self/status` in bytes.
fn own_status(name: &str) -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    let kib = text.lines().find_map(|l| l.strip_prefix(name)?.trim().strip_suffix(" kB")?.parse::<u64>().ok())?;
    Some(kib << 10)
}
