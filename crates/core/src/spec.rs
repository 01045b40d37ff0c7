use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ComputeDevice, Digest, Error, TaskCard, json};

/// Everything a run needs; written once as `spec.json` and never changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSpec {
    /// Name of the run.
    pub run: String,
    /// Version of Graft that wrote this.
    pub graft: String,
    /// The frozen model.
    pub base: BaseRef,
    /// Prompt and answer form.
    pub task: TaskCard,
    /// Digest of the dataset in `data/`.
    pub dataset: Digest,
    /// The adapter to train.
    pub adapter: AdapterSpec,
    /// Settings of the optimizer.
    pub optim: OptimSpec,
    /// When it is evaluated.
    pub eval: EvalSpec,
    /// Limits of its resources.
    pub limits: Limits,
    /// The version to start from; a new adapter if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<InitFrom>,
}

/// A warm start: training continues from a version's weights, with the examples that are new since then and some older
/// ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InitFrom {
    /// Name of the version, for people.
    pub version: String,
    /// Digest of its adapter's weights; the files are in the run directory.
    pub adapter: Digest,
    /// The dataset it was trained on, if known. All other examples count as new.
    pub dataset: Option<Digest>,
    /// Most older examples to train on again.
    pub replay: usize,
}

/// A base model, identified by its digest. Each machine resolves the location of its files itself; the `path` in older
/// specs and adapters is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaseRef {
    /// For people: a built-in name, a Hub id or a path, as given.
    pub name: String,
    /// Digest of weights, tokenizer and chat template.
    pub digest: Digest,
}

impl BaseRef {
    /// A base model that still has to be downloaded: its digest is zeros until its files are known.
    #[must_use]
    pub fn unseen(name: &str) -> Self {
        Self { name: name.to_owned(), digest: Digest::from_bytes(&[0; 32]) }
    }

    /// Whether its files, and so its digest, are known.
    #[must_use]
    pub fn is_seen(&self) -> bool {
        self.digest != Digest::from_bytes(&[0; 32])
    }
}

/// The kind of adapter and its shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum AdapterSpec {
    /// Low-rank adaptation (Hu et al. 2021).
    Lora(LoraSpec),
    /// Prompt tuning (Lester et al. 2021).
    SoftPrompt(PromptSpec),
}

impl AdapterSpec {
    /// Whether training can continue from an adapter of one spec with the other: dropout and the initialization don't
    /// matter.
    #[must_use]
    pub fn has_shape_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Lora(a), Self::Lora(b)) => {
                (a.rank, a.alpha, a.rslora, &a.targets, &a.ranks) == (b.rank, b.alpha, b.rslora, &b.targets, &b.ranks)
            }
            (Self::SoftPrompt(a), Self::SoftPrompt(b)) => a.tokens == b.tokens,
            (Self::Lora(_), Self::SoftPrompt(_)) | (Self::SoftPrompt(_), Self::Lora(_)) => false,
        }
    }
}

/// Shape of a LoRA adapter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LoraSpec {
    /// Inner dimension.
    pub rank: usize,
    /// Numerator of the scaling.
    pub alpha: f32,
    /// Fraction of the adapter's inputs dropped in training.
    pub dropout: f32,
    /// Scale by `alpha / sqrt(rank)` instead of `alpha / rank` (rsLoRA, Kalajdzievski 2023).
    pub rslora: bool,
    /// Its target modules.
    pub targets: Targets,
    /// How the ranks of the target modules differ from `rank`. The factor of `B·A` is the same in all of them.
    #[serde(default, skip_serializing_if = "Ranks::is_equal")]
    pub ranks: Ranks,
}

impl LoraSpec {
    /// The factor of `B·A`.
    #[must_use]
    pub fn scaling(&self) -> f32 {
        let rank = self.rank as f32;
        self.alpha / if self.rslora { rank.sqrt() } else { rank }
    }
}

/// The target modules: which linear layers carry LoRA weights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Targets {
    /// Every linear layer except the output head.
    AllLinear,
    /// The same without the encoder, whose output then never changes and is computed once per example.
    Decoder,
    /// Layers whose last name component (or dotted suffix) is one of these, as in PEFT.
    Named(Vec<String>),
}

impl Targets {
    /// Parses what users write: `all-linear`, `decoder`, or suffixes of module names.
    #[must_use]
    pub fn from_names(names: &[String]) -> Self {
        match names {
            [one] if one == "all-linear" => Self::AllLinear,
            [one] if one == "decoder" => Self::Decoder,
            names => Self::Named(names.to_vec()),
        }
    }
}

/// The ranks of a LoRA adapter's target modules. All but a pattern stay within the number of parameters of equal ranks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ranks {
    /// The same in all.
    #[default]
    Equal,
    /// Higher where the loss of a few batches has the larger gradient before the training (after GoRA, He et al. 2025).
    Sensitivity,
    /// Twice as high in the first third of the blocks as in the others.
    First,
    /// Likewise in the middle third.
    Middle,
    /// Likewise in the last third.
    Last,
    /// Likewise in attention.
    Attention,
    /// Likewise in the feed-forward layers.
    Mlp,
    /// The ranks of some modules, by their name or the end of it after a dot, as in PEFT's `rank_pattern`; of several names
    /// that fit, the longest counts.
    Pattern(BTreeMap<String, usize>),
}

impl Ranks {
    const NAMED: [(&str, Self); 7] = [
        ("equal", Self::Equal),
        ("sensitivity", Self::Sensitivity),
        ("first", Self::First),
        ("middle", Self::Middle),
        ("last", Self::Last),
        ("attention", Self::Attention),
        ("mlp", Self::Mlp),
    ];

    /// The names of all but a pattern.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::NAMED.iter().map(|(name, _)| *name)
    }

    /// Whether all are the same.
    #[must_use]
    pub fn is_equal(&self) -> bool {
        *self == Self::Equal
    }
}

impl fmt::Display for Ranks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, Self::NAMED.iter().find(|(_, ranks)| ranks == self)) {
            (_, Some((name, _))) => f.write_str(name),
            (Self::Pattern(ranks), None) => {
                let ranks: Vec<String> = ranks.iter().map(|(name, rank)| format!("{name}={rank}")).collect();
                f.write_str(&ranks.join(","))
            }
            _ => Ok(()),
        }
    }
}

/// Reads one of the names, or a pattern such as `q_proj=32,down_proj=8`.
impl FromStr for Ranks {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((_, ranks)) = Self::NAMED.iter().find(|(name, _)| *name == text.trim()) {
            return Ok(ranks.clone());
        }
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        let one = |part: &str| {
            let (name, rank) = part.split_once('=')?;
            let name = name.trim();
            Some((name.to_owned(), rank.trim().parse().ok()?)).filter(|_| !name.is_empty() && plain(name))
        };
        text.split(',').map(one).collect::<Option<_>>().map(Self::Pattern).ok_or_else(|| {
            let names: Vec<String> = Self::names().map(|name| format!("`{name}`")).collect();
            format!("write {}, or a pattern such as `q_proj=32,down_proj=8`", names.join(", "))
        })
    }
}

/// Shape and initialization of a soft prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromptSpec {
    /// Number of virtual tokens.
    pub tokens: usize,
    /// Initialization of their embeddings.
    pub init: PromptInit,
}

/// Initialization of a soft prompt's rows. Random rows rarely learn with few tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "kebab-case")]
pub enum PromptInit {
    /// Embeddings of a text's tokens, repeated to the required length.
    Text {
        /// The text.
        text: String,
    },
    /// Embeddings of the task's labels (or instruction, for tasks without labels).
    Labels,
    /// Embeddings of random tokens from the most frequent part of the vocabulary.
    Vocabulary,
    /// Uniform noise with the scale of the embeddings.
    Random,
}

/// Learning-rate schedule after warm-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = LearningRateSchedule)]
pub enum Schedule {
    /// Half a cosine, down to zero.
    Cosine,
    /// A straight line, down to zero.
    Linear,
    /// No decay.
    Constant,
}

impl Schedule {
    /// Learning rate of a step (from 0) of `total` steps, with linear warm-up, as in transformers' schedulers.
    #[must_use]
    pub fn at(self, step: u64, warmup: u64, total: u64, peak: f64) -> f64 {
        if step < warmup {
            return peak * step as f64 / warmup as f64;
        }
        let done = (step - warmup) as f64 / total.saturating_sub(warmup).max(1) as f64;
        match self {
            Self::Constant => peak,
            Self::Linear => peak * (1.0 - done).max(0.0),
            Self::Cosine => peak * 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos()),
        }
    }
}

/// How matrix products in training round their inputs. Sums, and everything else, are in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = ProductPrecision)]
pub enum Precision {
    /// bf16 on a machine with bf16 instructions, otherwise f32.
    #[default]
    Auto,
    /// No rounding.
    F32,
    /// To bf16.
    Bf16,
}

impl Precision {
    /// The value for specs from before this setting existed.
    fn of_earlier_versions() -> Self {
        Self::F32
    }
}

/// Settings of the optimizer (AdamW, Loshchilov and Hutter 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimSpec {
    /// Passes over the training examples.
    pub epochs: f64,
    /// Peak learning rate.
    pub lr: f64,
    /// Shape after warm-up.
    pub schedule: Schedule,
    /// Fraction of all steps used for warm-up.
    pub warmup: f64,
    /// Examples per step.
    pub batch: usize,
    /// Decoupled weight decay.
    pub weight_decay: f64,
    /// First-moment decay.
    pub beta1: f64,
    /// Second-moment decay.
    pub beta2: f64,
    /// Denominator floor.
    pub eps: f64,
    /// Largest global gradient norm; 0 disables clipping.
    pub clip: f64,
    /// Seed of initialization, order, dropout and variants.
    pub seed: u64,
    /// Fraction of an input's longer words that are misspelt in its variants.
    #[serde(default)]
    pub typos: f64,
    /// Fraction of variants with other names and amounts.
    #[serde(default)]
    pub exchanged: f64,
    /// Fraction of variants that are phrased in other words.
    #[serde(default)]
    pub reworded: f64,
    /// Labels: strength of the correction for how often each label occurs among the examples; 0 disables it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub balance: f64,
    /// Labels: weight of n-grams beside the adapter in the choice of a label; 0 leaves them out.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub n_grams: f64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

impl Default for OptimSpec {
    fn default() -> Self {
        Self {
            epochs: 3.0,
            lr: 7e-4,
            schedule: Schedule::Cosine,
            warmup: 0.05,
            batch: 8,
            weight_decay: 0.0,
            beta1: 0.9,
            beta2: 0.999,
            eps: 1e-8,
            clip: 1.0,
            seed: 42,
            typos: 0.0,
            exchanged: 0.0,
            reworded: 0.0,
            balance: 0.0,
            n_grams: 0.0,
        }
    }
}

/// What is measured on held-out examples during a training, and early stopping.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalSpec {
    /// Measurements per epoch (per twentieth of the training, if it has more than 20 epochs); 0 measures only at the
    /// end.
    pub per_epoch: u32,
    /// Stop after this many measurements without improvement; 0 disables early stopping.
    pub patience: u32,
    /// Most held-out examples whose loss is measured.
    pub examples: usize,
    /// Most held-out examples that are answered for accuracy and F1; 0 answers none. Specs from before this setting
    /// existed answer none.
    #[serde(default)]
    pub score_examples: usize,
    /// Checkpoints per epoch (per twentieth of the training, if it has more than 20 epochs).
    pub checkpoints_per_epoch: u32,
}

impl Default for EvalSpec {
    fn default() -> Self {
        Self { per_epoch: 1, patience: 0, examples: 64, score_examples: Self::MOST_SCORED, checkpoints_per_epoch: 4 }
    }
}

impl EvalSpec {
    /// Highest number of held-out examples that may be answered in one measurement: an answer costs far more time than a
    /// loss.
    pub const MOST_SCORED: usize = 64;
}

/// Limits of a run's resources.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Most tokens of prompt and answer together; longer examples are left out and counted.
    pub max_tokens: usize,
    /// Most tokens of the source (encoder–decoder models).
    pub max_source: usize,
    /// Most tokens of the target (encoder–decoder models).
    pub max_target: usize,
    /// Most tokens of a micro-batch. A step is split into as many micro-batches as needed.
    pub pass_tokens: usize,
    /// Recompute each block in the backward pass instead of storing its activations.
    pub recompute: bool,
    /// Peak memory in bytes; `None` allows what the machine has free.
    pub memory: Option<u64>,
    /// Number of threads; `None` uses all cores.
    pub threads: Option<usize>,
    /// The device to compute on.
    #[serde(default, skip_serializing_if = "ComputeDevice::is_auto")]
    pub device: ComputeDevice,
    /// How products round their inputs.
    #[serde(default = "Precision::of_earlier_versions")]
    pub precision: Precision,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_tokens: 1024,
            max_source: 512,
            max_target: 512,
            pass_tokens: 512,
            recompute: false,
            memory: None,
            threads: None,
            device: ComputeDevice::Auto,
            precision: Precision::Auto,
        }
    }
}

impl TrainSpec {
    /// Checks that all settings are in their ranges.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), Error> {
        check_settings(&self.adapter, &self.optim, &self.eval, &self.limits)
    }

    /// Digest of everything that determines the result, and nothing else: names, threads, memory, device, the checkpoint
    /// interval and what is answered during the training may differ between machines that work on a run.
    #[must_use]
    pub fn digest(&self) -> Digest {
        // Destructured, so that a new field forces a decision here.
        let Self { run: _, graft: _, base, task, dataset, adapter, optim, eval, limits, init_from } = self;
        let BaseRef { name: _, digest: base } = base;
        let EvalSpec { per_epoch, patience, examples, score_examples: _, checkpoints_per_epoch: _ } = eval;
        let Limits {
            max_tokens,
            max_source,
            max_target,
            pass_tokens,
            recompute,
            memory: _,
            threads: _,
            device: _,
            precision,
        } = limits;
        let eval = (per_epoch, patience, examples);
        let limits = (max_tokens, max_source, max_target, pass_tokens, recompute);
        let mut all = json::line(&(base, task, dataset, adapter, optim, eval, limits));
        // Specs in f32 keep the digest from before this setting existed.
        if *precision != Precision::F32 {
            all += &json::line(precision);
        }
        // Likewise for the warm start.
        if let Some(InitFrom { version: _, adapter, dataset, replay }) = init_from {
            all += &json::line(&(adapter, dataset, replay));
        }
        Digest::of(all.as_bytes())
    }
}

/// Checks that the settings of a training are in their ranges.
///
/// # Errors
/// The first setting that is out of range.
pub fn check_settings(adapter: &AdapterSpec, o: &OptimSpec, eval: &EvalSpec, limits: &Limits) -> Result<(), Error> {
    let within = |field, ok: bool, value: String, hint| {
        if ok { Ok(()) } else { Err(Error::OutOfRange { field, value, hint }) }
    };
    within("epochs", o.epochs > 0.0 && o.epochs <= 10_000.0, o.epochs.to_string(), "above 0, at most 10000")?;
    within("learning-rate", o.lr > 0.0 && o.lr <= 100.0, o.lr.to_string(), "above 0, at most 100")?;
    within("warmup", (0.0..1.0).contains(&o.warmup), o.warmup.to_string(), "from 0 to below 1")?;
    within("batch-size", o.batch >= 1, o.batch.to_string(), "at least 1")?;
    within("weight-decay", (0.0..1.0).contains(&o.weight_decay), o.weight_decay.to_string(), "from 0 to below 1")?;
    within("beta1", (0.0..1.0).contains(&o.beta1), o.beta1.to_string(), "from 0 to below 1")?;
    within("beta2", (0.0..1.0).contains(&o.beta2), o.beta2.to_string(), "from 0 to below 1")?;
    within("eps", o.eps > 0.0 && o.eps <= 1.0, o.eps.to_string(), "above 0, at most 1")?;
    within("typos", (0.0..=0.5).contains(&o.typos), o.typos.to_string(), "from 0 to 0.5")?;
    within("exchanged", (0.0..=1.0).contains(&o.exchanged), o.exchanged.to_string(), "from 0 to 1")?;
    let reworded = (0.0..=1.0 - o.exchanged).contains(&o.reworded);
    within("reworded", reworded, o.reworded.to_string(), "from 0 to 1, with `exchanged` together")?;
    within("balance", (0.0..=3.0).contains(&o.balance), o.balance.to_string(), "from 0 to 3")?;
    within("n-grams", (0.0..=10.0).contains(&o.n_grams), o.n_grams.to_string(), "from 0 to 10")?;
    within("clip", o.clip >= 0.0, o.clip.to_string(), "0 or more")?;
    let scored = eval.score_examples;
    within("score-examples", scored <= EvalSpec::MOST_SCORED, scored.to_string(), "from 0 to 64")?;
    within("max-tokens", limits.max_tokens >= 8, limits.max_tokens.to_string(), "at least 8")?;
    within("pass-tokens", limits.pass_tokens >= 8, limits.pass_tokens.to_string(), "at least 8")?;
    match adapter {
        AdapterSpec::Lora(l) => {
            within("rank", (1..=1024).contains(&l.rank), l.rank.to_string(), "from 1 to 1024")?;
            within("dropout", (0.0..1.0).contains(&l.dropout), l.dropout.to_string(), "from 0 to below 1")?;
            if let Ranks::Pattern(ranks) = &l.ranks {
                let wrong = ranks.iter().find(|(_, rank)| !(1..=1024).contains(*rank));
                let (name, rank) = wrong.map_or(("", 0), |(name, rank)| (name.as_str(), *rank));
                within("ranks", wrong.is_none(), format!("{name}={rank}"), "from 1 to 1024 each")?;
            }
            within("alpha", l.alpha > 0.0 && l.alpha.is_finite(), l.alpha.to_string(), "above 0")
        }
        AdapterSpec::SoftPrompt(p) => {
            within("prompt-tokens", (1..=1024).contains(&p.tokens), p.tokens.to_string(), "from 1 to 1024")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_match_transformers() {
        // get_cosine_schedule_with_warmup(warmup=2, total=10): 0, .5, 1, then cosine to 0.
        let lr = |s| Schedule::Cosine.at(s, 2, 10, 1.0);
        assert_eq!((lr(0), lr(1), lr(2)), (0.0, 0.5, 1.0));
        assert!((lr(6) - 0.5).abs() < 1e-12 && lr(10).abs() < 1e-12);
        assert!((Schedule::Linear.at(6, 2, 10, 1.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn adapter_shape_depends_on_rank_but_not_on_dropout() {
        let lora = |rank, dropout| {
            let (targets, ranks) = (Targets::AllLinear, Ranks::Equal);
            AdapterSpec::Lora(LoraSpec { rank, alpha: 32.0, dropout, rslora: false, targets, ranks })
        };
        let prompt = |tokens, init| AdapterSpec::SoftPrompt(PromptSpec { tokens, init });
        assert!(lora(16, 0.0).has_shape_of(&lora(16, 0.1)) && !lora(16, 0.0).has_shape_of(&lora(8, 0.0)));
        let mut first = lora(16, 0.0);
        let AdapterSpec::Lora(spec) = &mut first else { panic!() };
        spec.ranks = Ranks::First;
        assert!(!first.has_shape_of(&lora(16, 0.0)));
        assert!(prompt(20, PromptInit::Labels).has_shape_of(&prompt(20, PromptInit::Random)));
        assert!(!prompt(20, PromptInit::Labels).has_shape_of(&prompt(19, PromptInit::Labels)));
        assert!(!prompt(20, PromptInit::Labels).has_shape_of(&lora(16, 0.0)));
    }

    #[test]
    fn ranks_survive_a_round_trip_and_equal_ones_are_not_written() {
        for text in ["equal", "sensitivity", "mlp", "down_proj=8,layers.0.self_attn.q_proj=32"] {
            let ranks: Ranks = text.parse().unwrap();
            assert_eq!(ranks.to_string(), text);
            assert_eq!(serde_json::from_value::<Ranks>(serde_json::to_value(&ranks).unwrap()).unwrap(), ranks);
        }
        for wrong in ["", "most", "q_proj", "q_proj=x", "=3", "q.*=3", "q_proj=3,"] {
            assert!(wrong.parse::<Ranks>().is_err(), "{wrong}");
        }
        let (targets, ranks) = (Targets::AllLinear, Ranks::Equal);
        let lora = LoraSpec { rank: 4, alpha: 8.0, dropout: 0.0, rslora: false, targets, ranks };
        // Digests of earlier specs must not change.
        assert!(!json::line(&lora).contains("ranks"));
    }
}
