use std::str::FromStr;

use clap::{Args, ValueEnum};
use graft_core::{Schedule, SplitRule};
use graft_engine::{
    Settings,
    recipes::{Effort, Method, Recipe},
};

use crate::failure::{Failure, Result};

/// What is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MethodName {
    /// Low-rank adaptation.
    Lora,
    /// Prompt tuning.
    SoftPrompt,
}

impl From<MethodName> for Method {
    fn from(name: MethodName) -> Self {
        match name {
            MethodName::Lora => Self::Lora,
            MethodName::SoftPrompt => Self::SoftPrompt,
        }
    }
}

/// How long a training goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EffortName {
    /// About a third of the recipe's epochs.
    Quick,
    /// The recipe's epochs.
    Recommended,
    /// Twice the recipe's epochs.
    Thorough,
}

impl From<EffortName> for Effort {
    fn from(name: EffortName) -> Self {
        match name {
            EffortName::Quick => Self::Quick,
            EffortName::Recommended => Self::Recommended,
            EffortName::Thorough => Self::Thorough,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum ScheduleName {
    /// Half a cosine, down to zero.
    Cosine,
    /// A straight line, down to zero.
    Linear,
    /// No decay.
    Constant,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum SplitName {
    /// The newest examples are held out.
    Newest,
    /// A seeded choice is held out.
    Random,
}

/// `text:…`, `labels`, `vocabulary` or `random`.
#[derive(Clone, Debug)]
pub(crate) struct InitName(String);

impl FromStr for InitName {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        graft_engine::prompt_init(text).map_err(|problem| problem.hint)?;
        Ok(Self(text.to_owned()))
    }
}

/// A number of bytes, with K, M, G or nothing behind it (powers of 1024).
fn memory(text: &str) -> std::result::Result<u64, String> {
    let upper = text.trim().to_uppercase();
    let upper = upper.strip_suffix("IB").or_else(|| upper.strip_suffix('B')).unwrap_or(&upper);
    let (digits, shift) = match upper.chars().last() {
        Some('K') => (&upper[..upper.len() - 1], 10),
        Some('M') => (&upper[..upper.len() - 1], 20),
        Some('G') => (&upper[..upper.len() - 1], 30),
        _ => (upper, 0),
    };
    let number = digits.trim().parse::<f64>().ok().filter(|n| n.is_finite() && *n > 0.0);
    let number = number.ok_or("write a number of bytes, such as 1500M or 2G")?;
    Ok((number * f64::from(1_u32 << shift)) as u64)
}

/// Every hyperparameter; what isn't given comes from the recipe for task, method and model.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Hyperparameters (the default is Graft's recipe for the task)")]
pub(crate) struct Hyper {
    /// Passes over the examples.
    #[arg(long, value_name = "N")]
    pub(crate) epochs: Option<f64>,
    /// Peak learning rate.
    #[arg(long, visible_alias = "lr", value_name = "RATE")]
    pub(crate) learning_rate: Option<f64>,
    /// Course of the learning rate after warm-up.
    #[arg(long, value_enum)]
    pub(crate) schedule: Option<ScheduleName>,
    /// Share of all steps spent warming up.
    #[arg(long, value_name = "SHARE")]
    pub(crate) warmup: Option<f64>,
    /// Examples a step, however many passes that takes.
    #[arg(long, value_name = "N")]
    pub(crate) batch_size: Option<usize>,
    /// Decoupled weight decay.
    #[arg(long, value_name = "DECAY")]
    pub(crate) weight_decay: Option<f64>,
    /// AdamW's first-moment decay.
    #[arg(long, value_name = "DECAY")]
    pub(crate) beta1: Option<f64>,
    /// AdamW's second-moment decay.
    #[arg(long, value_name = "DECAY")]
    pub(crate) beta2: Option<f64>,
    /// AdamW's denominator floor.
    #[arg(long, value_name = "FLOOR")]
    pub(crate) eps: Option<f64>,
    /// Largest global gradient norm; 0 switches clipping off.
    #[arg(long, value_name = "NORM")]
    pub(crate) clip: Option<f64>,
    /// Reaches initialisation, order, dropout, misspellings and a random split.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Share of the longer words of an input that are misspelt, anew in each epoch.
    #[arg(long, value_name = "SHARE")]
    pub(crate) typos: Option<f64>,
    /// LoRA: inner dimension.
    #[arg(long, value_name = "N")]
    pub(crate) rank: Option<usize>,
    /// LoRA: numerator of the scaling.
    #[arg(long)]
    pub(crate) alpha: Option<f32>,
    /// LoRA: share of inputs dropped in training.
    #[arg(long, value_name = "SHARE")]
    pub(crate) dropout: Option<f32>,
    /// LoRA: scale by alpha / √rank.
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) rslora: Option<bool>,
    /// LoRA: `all-linear`, `decoder` (T5: faster, measure how good it is), or ends of module names (`q_proj,v_proj`).
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) targets: Option<Vec<String>>,
    /// Soft prompt: number of virtual tokens.
    #[arg(long, value_name = "N")]
    pub(crate) prompt_tokens: Option<usize>,
    /// Soft prompt: where it starts: `labels`, `vocabulary`, `random`, or `text:…`.
    #[arg(long, value_name = "INIT")]
    pub(crate) prompt_init: Option<InitName>,
    /// Measurements of the held-out loss an epoch; 0 measures at the end only.
    #[arg(long, value_name = "N")]
    pub(crate) evals_per_epoch: Option<u32>,
    /// Stop after this many measurements without a better one; 0 never stops early.
    #[arg(long, value_name = "N")]
    pub(crate) patience: Option<u32>,
    /// Held-out examples measured during training, at most.
    #[arg(long, value_name = "N")]
    pub(crate) eval_examples: Option<usize>,
    /// Checkpoints an epoch.
    #[arg(long, value_name = "N")]
    pub(crate) checkpoints_per_epoch: Option<u32>,
    /// Longest prompt with its answer, in tokens; longer examples are left out and counted.
    #[arg(long, value_name = "N")]
    pub(crate) max_tokens: Option<usize>,
    /// Longest source (T5).
    #[arg(long, value_name = "N")]
    pub(crate) max_source: Option<usize>,
    /// Longest target (T5).
    #[arg(long, value_name = "N")]
    pub(crate) max_target: Option<usize>,
    /// Tokens computed at once; fewer take less memory.
    #[arg(long, value_name = "N")]
    pub(crate) pass_tokens: Option<usize>,
    /// Compute activations again in the backward pass: less memory, more time, the same result.
    #[arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) recompute: Option<bool>,
    /// Memory the training may take (1500M, 2G); otherwise what is free.
    #[arg(long, value_name = "BYTES", value_parser = memory)]
    pub(crate) memory: Option<u64>,
    /// Threads; otherwise all cores.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

impl Hyper {
    /// Puts what was given over a recipe.
    pub(crate) fn apply(&self, recipe: &mut Recipe) -> Result<()> {
        self.settings().apply(recipe).map_err(|problem| {
            let flag = problem.field.as_deref().unwrap_or_default().replace('_', "-");
            Failure::usage(format!("use `--{flag}` with this method"), problem.hint)
        })
    }

    /// What was given, as a request says it.
    pub(crate) fn settings(&self) -> Settings {
        Settings {
            epochs: self.epochs,
            learning_rate: self.learning_rate,
            schedule: self.schedule.map(schedule),
            warmup: self.warmup,
            batch_size: self.batch_size,
            weight_decay: self.weight_decay,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps,
            clip: self.clip,
            seed: self.seed,
            typos: self.typos,
            rank: self.rank,
            alpha: self.alpha,
            dropout: self.dropout,
            rslora: self.rslora,
            targets: self.targets.clone(),
            prompt_tokens: self.prompt_tokens,
            prompt_init: self.prompt_init.as_ref().map(|init| init.0.clone()),
            evals_per_epoch: self.evals_per_epoch,
            patience: self.patience,
            eval_examples: self.eval_examples,
            checkpoints_per_epoch: self.checkpoints_per_epoch,
            max_tokens: self.max_tokens,
            max_source: self.max_source,
            max_target: self.max_target,
            pass_tokens: self.pass_tokens,
            recompute: self.recompute,
            memory: self.memory,
            threads: self.threads,
        }
    }
}

fn schedule(name: ScheduleName) -> Schedule {
    match name {
        ScheduleName::Cosine => Schedule::Cosine,
        ScheduleName::Linear => Schedule::Linear,
        ScheduleName::Constant => Schedule::Constant,
    }
}

/// How the held-out examples are chosen; those held out before stay so.
#[derive(Debug, Args)]
#[command(next_help_heading = "Held-out examples")]
pub(crate) struct Split {
    /// Share of the examples that is held out.
    #[arg(long, default_value_t = 0.2, value_name = "SHARE")]
    pub(crate) eval_share: f64,
    /// Which examples are held out.
    #[arg(long, value_enum, default_value = "newest")]
    pub(crate) split: SplitName,
}

impl Split {
    /// The rule, with the seed that a random choice takes.
    pub(crate) fn rule(&self, seed: u64) -> Result<SplitRule> {
        if !(0.0..1.0).contains(&self.eval_share) {
            let given = format!("use `{}` for `eval-share`", self.eval_share);
            return Err(Failure::usage(given, "from 0 to below 1"));
        }
        Ok(match self.split {
            SplitName::Newest => SplitRule::Newest { eval_share: self.eval_share },
            SplitName::Random => SplitRule::Random { eval_share: self.eval_share, seed },
        })
    }
}
