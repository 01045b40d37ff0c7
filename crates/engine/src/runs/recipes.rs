//! Default settings of a training, all in one place; settings of the user override them.

use graft_core::{
    AdapterSpec, EvalSpec, Limits, LoraSpec, OptimSpec, PromptInit, PromptSpec, Ranks, Schedule, Targets,
};
use graft_tasks::cards::{Form, Task};
use serde::Serialize;
use utoipa::ToSchema;

use super::Settings;

graft_core::names! {
    /// What kind of adapter is trained.
    #[derive(Default)]
    #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
    #[schema(as = MethodName)]
    pub enum Method {
        /// Low-rank adaptation.
        #[default]
        Lora = "lora",
        /// Prompt tuning.
        SoftPrompt = "soft-prompt",
    }
}

graft_core::names! {
    /// Number of epochs of a training relative to the recipe.
    #[derive(Default)]
    #[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
    #[schema(as = EffortName)]
    pub enum Effort {
        /// About a third of the recipe's epochs.
        Quick = "quick",
        /// The recipe's epochs.
        #[default]
        Recommended = "recommended",
        /// Twice the recipe's epochs.
        Thorough = "thorough",
    }
}

/// The epochs of each effort.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = EffortEpochs)]
pub struct Efforts {
    /// Of a first look.
    pub quick: f64,
    /// Of the recipe.
    pub recommended: f64,
    /// Of a long training.
    pub thorough: f64,
}

impl Effort {
    /// Epochs, where the recipe has `recommended`: fewer for a quick look, more for a thorough one, always.
    #[must_use]
    pub fn epochs(self, recommended: f64) -> f64 {
        match self {
            Self::Quick if recommended < 2.0 => recommended / 2.0,
            Self::Quick => (recommended / 3.0).round().max(1.0),
            Self::Recommended => recommended,
            Self::Thorough => 2.0 * recommended,
        }
    }
}

impl Efforts {
    /// Those of a recipe with so many epochs.
    #[must_use]
    pub fn of(recommended: f64) -> Self {
        let of = |effort: Effort| effort.epochs(recommended);
        Self { quick: of(Effort::Quick), recommended, thorough: of(Effort::Thorough) }
    }
}

/// Settings of a training.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Kind and shape of the adapter.
    pub adapter: AdapterSpec,
    /// How it is optimised.
    pub optim: OptimSpec,
    /// When it is measured.
    pub eval: EvalSpec,
    /// What it may use.
    pub limits: Limits,
}

impl Recipe {
    /// Refuses settings outside their ranges.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), graft_core::Error> {
        graft_core::check_settings(&self.adapter, &self.optim, &self.eval, &self.limits)
    }
}

impl Method {
    /// The kind of an adapter.
    #[must_use]
    pub fn of(adapter: &AdapterSpec) -> Self {
        match adapter {
            AdapterSpec::Lora(_) => Self::Lora,
            AdapterSpec::SoftPrompt(_) => Self::SoftPrompt,
        }
    }
}

/// Most examples of which the frequencies of labels are corrected. On SMS messages, the correction brought 1.4 points with 10 to 50
/// examples, nothing with 200, and took half a point with 100.
const BALANCED: usize = 64;
/// Weight of n-grams where labels are learned from more examples than that; with fewer, n-grams know too little. On SMS messages
/// and sentences of reviews they brought half a point on average (11 trainings with 100 to 900 examples).
const N_GRAMS: f64 = 1.0;
/// Epochs of a warm start, at most.
const WARM_EPOCHS: f64 = 4.0;

/// The settings that serve a task best, as far as measured (SmolLM2-135M; `bench/RESULTS.md` says on what).
///
/// Few examples are seen often and many seldom: about 200 steps of 8 suffice for a small adapter. People's messages are
/// learned from in variants ([`graft_tasks::variants`]), which take 1,600 steps of 4. Defaults of the task win.
#[must_use]
pub fn recipe(task: &Task, method: Method, examples: usize) -> Recipe {
    let labels = task.form == Form::Labels;
    // Objects read out of people's messages.
    let messages = task.training.variants;
    // Examples seen in all, repeats included.
    let seen = if messages { 6400.0 } else { 1600.0 };
    // Each epoch has variants of its own, so that even few examples are not learned by heart.
    let (least, most) = if messages { (3.0, 240.0) } else { (if labels { 1.0 } else { 3.0 }, 20.0) };
    let epochs = (seen / examples.max(1) as f64).round().clamp(least, most);
    let (adapter, lr, epochs) = match method {
        Method::Lora => {
            let lr = if messages { 1.2e-3 } else { 5e-4 };
            (lora(16, 32.0, 0.0, Targets::AllLinear), lr, epochs)
        }
        // A soft prompt has few numbers and needs many more steps, at a rate one to two decades above LoRA's.
        Method::SoftPrompt => {
            (AdapterSpec::SoftPrompt(PromptSpec { tokens: 20, init: PromptInit::Labels }), 0.03, 2.0 * epochs)
        }
    };
    let optim = OptimSpec {
        epochs,
        lr,
        schedule: Schedule::Cosine,
        warmup: 0.05,
        batch: if messages { 4 } else { 8 }.min(examples.max(1)),
        typos: if messages { 0.05 } else { 0.0 },
        exchanged: if messages { 0.16 } else { 0.0 },
        reworded: if messages { 0.72 } else { 0.0 },
        balance: if labels && examples <= BALANCED { 1.0 } else { 0.0 },
        n_grams: if labels && examples > BALANCED { N_GRAMS } else { 0.0 },
        ..OptimSpec::default()
    };
    let mut recipe = Recipe { adapter, optim, eval: EvalSpec::default(), limits: Limits::default() };
    // A definition is checked before it is stored.
    let _ = Settings::defaults(task, method).apply(&mut recipe);
    recipe
}

/// The settings of a training that starts from a version and learns so many examples, most of them older: few epochs at half
/// the rate, so that what is new is learned in about a minute and what is older is kept. Without n-grams: they would be fitted to
/// a part of the examples.
#[must_use]
pub fn warm_recipe(task: &Task, adapter: &AdapterSpec, examples: usize) -> Recipe {
    let fresh = recipe(task, Method::of(adapter), examples);
    let epochs = WARM_EPOCHS.min(fresh.optim.epochs);
    let optim = OptimSpec { epochs, lr: fresh.optim.lr / 2.0, n_grams: 0.0, ..fresh.optim };
    Recipe { adapter: adapter.clone(), optim, ..fresh }
}

/// The settings of `graft soft-prompt train`, which takes the place of the Ask AI system's script: the same adapter
/// (LoRA of rank 16 and dropout 0.05), epochs and token limits; optimised as `recipe` says.
#[must_use]
pub fn ask_ai_script(task: &Task, method: Method, examples: usize) -> Recipe {
    let mut settings = recipe(task, method, examples);
    if method == Method::Lora {
        settings.adapter = lora(16, 32.0, 0.05, Targets::AllLinear);
    }
    settings.optim.epochs = 3.0;
    (settings.limits.max_source, settings.limits.max_target) = (384, 384);
    settings.limits.max_tokens = 768;
    settings
}

impl Recipe {
    /// The same with another effort.
    #[must_use]
    pub fn with(mut self, effort: Effort) -> Self {
        self.optim.epochs = effort.epochs(self.optim.epochs);
        self
    }
}

fn lora(rank: usize, alpha: f32, dropout: f32, targets: Targets) -> AdapterSpec {
    AdapterSpec::Lora(LoraSpec { rank, alpha, dropout, rslora: false, targets, ranks: Ranks::Equal })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_presets_order_training_length() {
        for task in ["slack-rescue", "sentiment", "ask-ai"] {
            for (method, examples) in
                [(Method::Lora, 1), (Method::SoftPrompt, 24), (Method::Lora, 400), (Method::Lora, 1 << 20)]
            {
                let epochs = recipe(graft_tasks::cards::task(task).unwrap(), method, examples).optim.epochs;
                let Efforts { quick, recommended, thorough } = Efforts::of(epochs);
                assert!(0.0 < quick && quick < recommended && recommended < thorough, "{task} {method:?} {examples}");
            }
        }
    }
}
