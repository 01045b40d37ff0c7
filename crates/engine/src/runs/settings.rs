//! The settings of a training, each declared here and nowhere else: its name, kind, range and help are those of the
//! flags of `graft train` and `graft queue submit`, of a request to the API, and of the page. Help that begins with
//! `LoRA: ` or `Soft prompt: ` marks a setting of that method only; the page shows it with that method.

use graft_core::{AdapterSpec, ComputeDevice, Precision, PromptInit, Ranks, Schedule, Targets};
use graft_tasks::cards::{Task, Training};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    Problem,
    recipes::{Method, Recipe, recipe},
};

/// Settings of a training; missing ones come from Graft's recipe for the task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "clap", derive(clap::Args))]
#[cfg_attr(
    feature = "clap",
    command(next_help_heading = "Hyperparameters (the default is Graft's recipe for the task)")
)]
#[serde(default, deny_unknown_fields)]
#[schema(as = RunSettings)]
pub struct Settings {
    /// Number of epochs.
    #[schema(exclusive_minimum = 0.0, maximum = 10_000.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub epochs: Option<f64>,
    /// Peak learning rate.
    #[schema(exclusive_minimum = 0.0, maximum = 100.0)]
    #[cfg_attr(feature = "clap", arg(long, visible_alias = "lr", value_name = "RATE"))]
    pub learning_rate: Option<f64>,
    /// Learning rate schedule after the warm-up.
    #[cfg_attr(feature = "clap", arg(long, value_parser = flags::schedule()))]
    pub schedule: Option<Schedule>,
    /// Share of all steps used for warm-up.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE"))]
    pub warmup: Option<f64>,
    /// Examples per optimiser step (computed as several micro-batches if needed).
    #[schema(minimum = 1)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub batch_size: Option<usize>,
    /// AdamW weight decay.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DECAY"))]
    pub weight_decay: Option<f64>,
    /// AdamW beta1.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DECAY"))]
    pub beta1: Option<f64>,
    /// AdamW beta2.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DECAY"))]
    pub beta2: Option<f64>,
    /// AdamW epsilon.
    #[schema(exclusive_minimum = 0.0, maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "FLOOR"))]
    pub eps: Option<f64>,
    /// Clip the global gradient norm to this value; 0 disables clipping.
    #[schema(minimum = 0.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "NORM"))]
    pub clip: Option<f64>,
    /// Seed of initialisation, example order, dropout, data augmentation and a random split.
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub seed: Option<u64>,
    /// Data augmentation: share of longer input words to misspell, chosen again in each epoch.
    #[schema(minimum = 0.0, maximum = 0.5)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE"))]
    pub typos: Option<f64>,
    /// Data augmentation: share of examples that get other names and amounts in each epoch, in input and answer together.
    #[schema(minimum = 0.0, maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE"))]
    pub exchanged: Option<f64>,
    /// Data augmentation: share of examples that are reworded in each epoch, for tasks that have wordings.
    #[schema(minimum = 0.0, maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE"))]
    pub reworded: Option<f64>,
    /// Labels: make labels with few examples more likely and those with many less, by the logarithm of their frequencies times
    /// this number; 0 disables it.
    #[schema(minimum = 0.0, maximum = 3.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "STRENGTH"))]
    pub balance: Option<f64>,
    /// Labels: weight of n-grams that are fitted to the same examples, beside the adapter in the choice of a label; 0 leaves them
    /// out.
    #[schema(minimum = 0.0, maximum = 10.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "WEIGHT"))]
    pub n_grams: Option<f64>,
    /// LoRA: rank.
    #[schema(minimum = 1, maximum = 1024)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub rank: Option<usize>,
    /// LoRA: alpha; the adapter is scaled by alpha / rank.
    #[schema(exclusive_minimum = 0.0)]
    #[cfg_attr(feature = "clap", arg(long))]
    pub alpha: Option<f32>,
    /// LoRA: dropout.
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "SHARE"))]
    pub dropout: Option<f32>,
    /// LoRA: scale by alpha / √rank (rsLoRA).
    #[cfg_attr(feature = "clap", arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true"))]
    pub rslora: Option<bool>,
    /// LoRA: target modules: `all-linear`, `decoder` (T5: faster; check quality), or ends of names (`q_proj,v_proj`).
    #[cfg_attr(feature = "clap", arg(long, value_name = "NAMES", value_delimiter = ','))]
    pub targets: Option<Vec<String>>,
    /// LoRA: ranks of target modules: `equal`; `sensitivity` (by the gradients of the first examples); twice the rank of the
    /// others in the `first`, `middle` or `last` third of the blocks, in `attention` or `mlp` (all of these: the size of the
    /// adapter stays); or ranks by ends of names (`q_proj=32,down_proj=8`).
    #[cfg_attr(feature = "clap", arg(long, value_name = "RANKS", value_parser = flags::ranks))]
    pub ranks: Option<String>,
    /// Soft prompt: number of virtual tokens.
    #[schema(minimum = 1, maximum = 1024)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub prompt_tokens: Option<usize>,
    /// Soft prompt: initialisation: `labels`, `vocabulary`, `random`, or `text:…`.
    #[cfg_attr(feature = "clap", arg(long, value_name = "INIT", value_parser = flags::prompt_init))]
    pub prompt_init: Option<String>,
    /// Evaluations of the held-out loss per epoch, or per twentieth of a training with more than 20 epochs; 0 evaluates
    /// only at the end.
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub evals_per_epoch: Option<u32>,
    /// Early stopping: stop after this many evaluations without improvement; 0 disables it.
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub patience: Option<u32>,
    /// Maximum number of held-out examples whose loss is evaluated during training.
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub eval_examples: Option<usize>,
    /// Maximum number of held-out examples to answer at each evaluation during training, for accuracy and F1; 0 answers none.
    #[schema(maximum = 64)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub score_examples: Option<usize>,
    /// Checkpoints per epoch, or per twentieth of a training with more than 20 epochs.
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub checkpoints_per_epoch: Option<u32>,
    /// Maximum tokens of prompt and answer; longer examples are skipped and counted.
    #[schema(minimum = 8)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub max_tokens: Option<usize>,
    /// Maximum source tokens (T5).
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub max_source: Option<usize>,
    /// Maximum target tokens (T5).
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub max_target: Option<usize>,
    /// Tokens per micro-batch; fewer need less memory.
    #[schema(minimum = 8)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub pass_tokens: Option<usize>,
    /// Gradient checkpointing: recompute activations in the backward pass. Less memory, more time, same result.
    #[cfg_attr(feature = "clap", arg(long, value_name = "YES", num_args = 0..=1, default_missing_value = "true"))]
    pub recompute: Option<bool>,
    /// Memory limit of the training in bytes; a flag may say 1500M or 2G [default: the free memory].
    #[cfg_attr(feature = "clap", arg(long, value_name = "BYTES", value_parser = flags::memory))]
    pub memory: Option<u64>,
    /// Number of threads [default: all cores].
    #[cfg_attr(feature = "clap", arg(long, value_name = "N"))]
    pub threads: Option<usize>,
    /// Where to compute: auto (a GPU if there is one), cpu, gpu or gpu:N.
    #[schema(value_type = Option<String>)]
    #[cfg_attr(feature = "clap", arg(long, value_name = "DEVICE"))]
    pub device: Option<ComputeDevice>,
    /// How products round their inputs: auto (bf16 on a CPU with AMX or AVX512-BF16, otherwise f32), f32 or bf16.
    #[cfg_attr(feature = "clap", arg(long, value_parser = flags::precision()))]
    pub precision: Option<Precision>,
}

/// Settings of LoRA alone.
const LORA: [&str; 6] = ["rank", "alpha", "dropout", "rslora", "targets", "ranks"];
/// Settings of soft prompts alone.
const SOFT_PROMPT: [&str; 2] = ["prompt_tokens", "prompt_init"];

impl Settings {
    /// Writes what is given, and no nulls for the rest.
    pub(crate) fn given<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.fields().serialize(serializer)
    }

    /// What is given, by name.
    pub(crate) fn fields(&self) -> Map<String, Value> {
        let Ok(Value::Object(mut fields)) = serde_json::to_value(self) else { return Map::new() };
        fields.retain(|_, value| !value.is_null());
        fields
    }

    /// The same without one setting.
    pub(crate) fn without(&self, field: &str) -> Self {
        let mut fields = self.fields();
        fields.remove(field);
        serde_json::from_value(fields.into()).unwrap_or_default()
    }

    /// The same without the settings of the other method.
    pub(crate) fn of(&self, method: Method) -> Self {
        let other: &[&str] = match method {
            Method::Lora => &SOFT_PROMPT,
            Method::SoftPrompt => &LORA,
        };
        let mut fields = self.fields();
        fields.retain(|name, _| !other.contains(&name.as_str()));
        serde_json::from_value(fields.into()).unwrap_or_default()
    }

    /// The defaults that a task's definition gives; none if they can't be read.
    pub(crate) fn defaults(task: &Task, method: Method) -> Self {
        let given: Self = serde_json::from_value(task.training.settings.clone().into()).unwrap_or_default();
        given.of(method)
    }

    /// Refuses defaults that no training can have.
    ///
    /// # Errors
    /// What is wrong with them.
    pub(crate) fn check_defaults(task: &Task) -> Result<(), String> {
        serde_json::from_value::<Self>(task.training.settings.clone().into()).map_err(|error| error.to_string())?;
        for &method in Method::ALL {
            let mut settings = recipe(&Task { training: Training::default(), ..task.clone() }, method, 100);
            let refused = |problem: Problem| format!("failed to {}; {}", problem.what, problem.hint);
            Self::defaults(task, method).apply(&mut settings).map_err(refused)?;
            settings.check().map_err(|error| format!("failed to {error}"))?;
        }
        Ok(())
    }

    /// Puts what is given over a recipe.
    ///
    /// # Errors
    /// The first setting that belongs to the other method, or can't be read.
    pub fn apply(&self, recipe: &mut Recipe) -> Result<(), Problem> {
        let o = &mut recipe.optim;
        set(&mut o.epochs, self.epochs);
        set(&mut o.lr, self.learning_rate);
        set(&mut o.schedule, self.schedule);
        set(&mut o.warmup, self.warmup);
        set(&mut o.batch, self.batch_size);
        set(&mut o.weight_decay, self.weight_decay);
        set(&mut o.beta1, self.beta1);
        set(&mut o.beta2, self.beta2);
        set(&mut o.eps, self.eps);
        set(&mut o.clip, self.clip);
        set(&mut o.seed, self.seed);
        set(&mut o.typos, self.typos);
        set(&mut o.exchanged, self.exchanged);
        set(&mut o.reworded, self.reworded);
        set(&mut o.balance, self.balance);
        set(&mut o.n_grams, self.n_grams);
        set(&mut recipe.eval.per_epoch, self.evals_per_epoch);
        set(&mut recipe.eval.patience, self.patience);
        set(&mut recipe.eval.examples, self.eval_examples);
        set(&mut recipe.eval.score_examples, self.score_examples);
        set(&mut recipe.eval.checkpoints_per_epoch, self.checkpoints_per_epoch);
        let l = &mut recipe.limits;
        set(&mut l.max_tokens, self.max_tokens);
        set(&mut l.max_source, self.max_source);
        set(&mut l.max_target, self.max_target);
        set(&mut l.pass_tokens, self.pass_tokens);
        set(&mut l.recompute, self.recompute);
        l.memory = self.memory.or(l.memory);
        l.threads = self.threads.or(l.threads);
        set(&mut l.device, self.device);
        set(&mut l.precision, self.precision);
        self.shape(&mut recipe.adapter)
    }

    fn shape(&self, adapter: &mut AdapterSpec) -> Result<(), Problem> {
        match adapter {
            AdapterSpec::Lora(spec) => {
                self.refuse(&SOFT_PROMPT, "soft-prompt")?;
                set(&mut spec.rank, self.rank);
                set(&mut spec.alpha, self.alpha);
                set(&mut spec.dropout, self.dropout);
                set(&mut spec.rslora, self.rslora);
                set(&mut spec.targets, self.targets.as_deref().map(Targets::from_names));
                let refused = |text: &str, hint| Problem::error(format!("use `{text}` for `ranks`"), hint).of("ranks");
                let ranks = |text: &str| text.parse::<Ranks>().map_err(|hint| refused(text, hint));
                set(&mut spec.ranks, self.ranks.as_deref().map(ranks).transpose()?);
            }
            AdapterSpec::SoftPrompt(spec) => {
                self.refuse(&LORA, "lora")?;
                set(&mut spec.tokens, self.prompt_tokens);
                set(&mut spec.init, self.prompt_init.as_deref().map(prompt_init).transpose()?);
            }
        }
        Ok(())
    }

    /// Refuses settings of the other method.
    fn refuse(&self, names: &[&str], method: &str) -> Result<(), Problem> {
        let fields = self.fields();
        match names.iter().find(|name| fields.contains_key(**name)) {
            Some(name) => {
                let hint = format!("it belongs to method `{method}`");
                Err(Problem::error(format!("use `{name}` for this method"), hint).of(name))
            }
            None => Ok(()),
        }
    }
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

/// Where a soft prompt starts: `labels`, `vocabulary`, `random`, or `text:` and a text.
fn prompt_init(text: &str) -> Result<PromptInit, Problem> {
    Ok(match text {
        "labels" => PromptInit::Labels,
        "vocabulary" => PromptInit::Vocabulary,
        "random" => PromptInit::Random,
        other => match other.strip_prefix("text:").map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => PromptInit::Text { text: text.to_owned() },
            None => {
                let hint = "write `labels`, `vocabulary`, `random`, or `text:` and a text";
                return Err(Problem::error(format!("use `{other}` for `prompt_init`"), hint).of("prompt_init"));
            }
        },
    })
}

/// How flags write what JSON writes in another way.
#[cfg(feature = "clap")]
mod flags {
    use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
    use graft_core::{Precision, Ranks, Schedule};

    pub(super) fn schedule() -> impl TypedValueParser<Value = Schedule> {
        let names = PossibleValuesParser::new([
            PossibleValue::new("cosine").help("Half a cosine, down to zero"),
            PossibleValue::new("linear").help("A straight line, down to zero"),
            PossibleValue::new("constant").help("No decay"),
        ]);
        names.try_map(|name| serde_json::from_value(name.into()))
    }

    pub(super) fn precision() -> impl TypedValueParser<Value = Precision> {
        let names = PossibleValuesParser::new([
            PossibleValue::new("auto").help("bf16 on a CPU that multiplies it, otherwise f32"),
            PossibleValue::new("f32").help("Not at all"),
            PossibleValue::new("bf16").help("To bf16; sums are f32"),
        ]);
        names.try_map(|name| serde_json::from_value(name.into()))
    }

    /// Refuses early what can't be read.
    pub(super) fn prompt_init(text: &str) -> Result<String, String> {
        super::prompt_init(text).map(|_| text.to_owned()).map_err(|problem| problem.hint)
    }

    /// Likewise.
    pub(super) fn ranks(text: &str) -> Result<String, String> {
        text.parse::<Ranks>().map(|ranks| ranks.to_string())
    }

    /// A number of bytes, with K, M, G or nothing behind it (powers of 1024).
    pub(super) fn memory(text: &str) -> Result<u64, String> {
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
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::PartialSchema as _;

    use super::*;
    use crate::runs::recipes::{Method, recipe};

    /// Whether a value of a setting passes the check that every training goes through.
    fn passes(name: &str, value: f64) -> bool {
        let whole = value.fract() == 0.0;
        let settings = [json!({name: value as i64}), json!({name: value})];
        let settings =
            settings.into_iter().skip(usize::from(!whole)).find_map(|json| serde_json::from_value(json).ok());
        let Some(settings): Option<Settings> = settings else { return false };
        let fits = |method| {
            let mut recipe = recipe(graft_tasks::cards::task("sentiment").unwrap(), method, 100);
            settings.apply(&mut recipe).ok().and_then(|()| recipe.check().ok()).is_some()
        };
        fits(Method::Lora) || fits(Method::SoftPrompt)
    }

    #[test]
    fn documented_ranges_equal_checked_ranges() {
        let schema = serde_json::to_value(Settings::schema()).unwrap();
        let mut bounds = 0;
        for (name, field) in schema["properties"].as_object().unwrap() {
            let step = if field["type"] == json!(["integer", "null"]) { 1.0 } else { 1e-6 };
            for (key, inside, outside) in [
                ("minimum", 0.0, -step),
                ("exclusiveMinimum", step, 0.0),
                ("maximum", 0.0, step),
                ("exclusiveMaximum", -step, 0.0),
            ] {
                if let Some(bound) = field[key].as_f64() {
                    bounds += 1;
                    assert!(passes(name, bound + inside), "{name}: {key} {bound} is refused");
                    assert!(!passes(name, bound + outside), "{name}: {key} {bound} is not checked");
                }
            }
        }
        assert!(bounds > 20, "{bounds}");
    }

    #[test]
    fn only_given_settings_are_written() {
        let settings: Settings = serde_json::from_value(json!({"epochs": 2, "targets": ["q_proj"]})).unwrap();
        assert_eq!(json!(settings.fields()), json!({"epochs": 2.0, "targets": ["q_proj"]}));
        assert_eq!(settings.without("epochs").fields().len(), 1);
        assert!(serde_json::from_value::<Settings>(json!({"epoch": 2})).is_err());
    }
}
