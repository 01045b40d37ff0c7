use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{LoraPart, Values};
use crate::{
    Error,
    json::{Fields, brief},
};

/// The version of PEFT whose format is written.
const PEFT_VERSION: &str = "0.18.0";

/// Kind and shape of an adapter.
#[derive(Clone, Debug, PartialEq)]
pub enum PeftConfig {
    /// Low-rank adaptation (Hu et al. 2021).
    Lora(LoraConfig),
    /// Prompt tuning (Lester et al. 2021).
    PromptTuning(PromptConfig),
}

/// Configuration of a LoRA adapter.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraConfig {
    /// Rank.
    pub r: usize,
    /// `lora_alpha`.
    pub alpha: f32,
    /// `lora_dropout`.
    pub dropout: f32,
    /// Scale by `alpha / sqrt(r)` instead of `alpha / r`.
    pub use_rslora: bool,
    /// The target modules. (The names of the weights list them exactly.)
    pub target_modules: Modules,
    /// Ranks of modules whose rank is not `r`; the factor on `B·A` is the same for all.
    pub ranks: BTreeMap<String, usize>,
    /// Whether each module has a magnitude (DoRA, Liu et al. 2024).
    pub dora: bool,
    /// Whether each `B` has a bias.
    pub lora_bias: bool,
    /// `modules_to_save`: modules whose weights are replaced, which are the embeddings or the output head.
    pub modules_to_save: Vec<String>,
    /// Whether only some of the modules that `target_modules` names have weights (`layers_to_transform`,
    /// `exclude_modules`).
    pub partial: bool,
}

impl LoraConfig {
    /// The factor on `B·A`.
    #[must_use]
    pub fn scaling(&self) -> f32 {
        self.alpha / self.divisor(self.r)
    }

    /// The rank of a module.
    #[must_use]
    pub fn rank_of(&self, module: &str) -> usize {
        self.ranks.get(module).copied().unwrap_or(self.r)
    }

    /// The divisor of `alpha`.
    fn divisor(&self, rank: usize) -> f32 {
        if self.use_rslora { (rank as f32).sqrt() } else { rank as f32 }
    }
}

/// PEFT's `target_modules`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Modules {
    /// Modules with one of these names, or ending in a dot and one of them.
    Named(Vec<String>),
    /// `all-linear`: every linear layer but the output head.
    AllLinear,
    /// Modules whose whole name matches this regular expression.
    Pattern(String),
}

/// Configuration of a soft prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptConfig {
    /// Rows put before each submodule's input.
    pub virtual_tokens: usize,
    /// 1, or 2 for an encoder and a decoder (encoder rows come first).
    pub submodules: usize,
    /// Width of a row.
    pub token_dim: usize,
    /// Number of the model's blocks; stored by PEFT, but not needed.
    pub layers: usize,
    /// Number of the model's heads; likewise.
    pub heads: usize,
}

/// Kind of model under the adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskType {
    /// Decoder-only language model.
    CausalLm,
    /// Encoder and decoder.
    Seq2SeqLm,
}

impl TaskType {
    pub(super) fn from_json(f: &Fields) -> Result<Self, Error> {
        match f.str("task_type")? {
            None | Some("CAUSAL_LM") => Ok(Self::CausalLm),
            Some("SEQ_2_SEQ_LM") => Ok(Self::Seq2SeqLm),
            Some(other) => Err(unsupported(f, "task_type", other.into())),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::CausalLm => "CAUSAL_LM",
            Self::Seq2SeqLm => "SEQ_2_SEQ_LM",
        }
    }
}

/// Fields of any adapter that don't affect its computation.
const NEUTRAL: [&str; 7] =
    ["peft_type", "task_type", "base_model_name_or_path", "inference_mode", "peft_version", "revision", "auto_mapping"];
/// Fields of LoRA that are read; or that only say which layers have weights or how training was initialized, which the
/// weights themselves determine; or that only matter to features that are off.
const LORA_FIELDS: [&str; 21] = [
    "use_dora",
    "lora_bias",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layers_to_transform",
    "layers_pattern",
    "exclude_modules",
    "eva_config",
    "corda_config",
    "megatron_config",
    "ensure_weight_tying",
    "r",
    "lora_alpha",
    "lora_dropout",
    "use_rslora",
    "target_modules",
    "init_lora_weights",
    "megatron_core",
    "qalora_group_size",
    "runtime_config",
];
const PROMPT_FIELDS: [&str; 9] = [
    "num_virtual_tokens",
    "num_transformer_submodules",
    "token_dim",
    "num_layers",
    "num_attention_heads",
    "prompt_tuning_init",
    "prompt_tuning_init_text",
    "tokenizer_name_or_path",
    "tokenizer_kwargs",
];

impl PeftConfig {
    pub(super) fn from_json(f: &Fields) -> Result<Self, Error> {
        match f.str("peft_type")? {
            Some("LORA") => LoraConfig::from_json(f).map(Self::Lora),
            Some("PROMPT_TUNING") => PromptConfig::from_json(f).map(Self::PromptTuning),
            Some(other) => Err(unsupported(f, "peft_type", other.into())),
            None => Err(f.damaged("`peft_type` is missing".into())),
        }
    }

    pub(super) fn to_json(&self, base: Option<&str>, task_type: TaskType) -> Value {
        let mut value = match self {
            Self::Lora(lora) => lora.to_json(),
            Self::PromptTuning(prompt) => prompt.to_json(),
        };
        value["base_model_name_or_path"] = json!(base);
        value["task_type"] = json!(task_type.name());
        value["inference_mode"] = json!(true);
        value["peft_version"] = json!(PEFT_VERSION);
        value
    }
}

/// Refuses every enabled field outside `known`: ignoring it would silently change the result.
fn refuse_the_rest(f: &Fields, known: &[&str]) -> Result<(), Error> {
    let off = |value: &Value| match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text == "none",
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Number(_) | Value::Bool(true) => false,
    };
    let on = |(name, value): &(&String, &Value)| {
        !NEUTRAL.contains(&name.as_str()) && !known.contains(&name.as_str()) && !off(value)
    };
    match f.map.iter().find(on) {
        Some((name, value)) => Err(unsupported(f, name, brief(value))),
        None => Ok(()),
    }
}

fn unsupported(f: &Fields, field: &str, value: String) -> Error {
    Error::UnsupportedAdapter { path: f.path.clone(), field: field.into(), value }
}

impl LoraConfig {
    fn from_json(f: &Fields) -> Result<Self, Error> {
        refuse_the_rest(f, &LORA_FIELDS)?;
        // These initializations change the base weights as well, so the adapter alone is not the whole difference.
        match f.get("init_lora_weights") {
            None | Some(Value::Bool(_)) => {}
            Some(Value::String(init)) if ["gaussian", "eva", "orthogonal"].contains(&init.as_str()) => {}
            Some(other) => return Err(unsupported(f, "init_lora_weights", brief(other))),
        }
        let r = f.need("r", f.count("r", 1 << 16)?)?;
        let alpha = f.float("lora_alpha")?.unwrap_or(8.0) as f32;
        let dropout = f.float("lora_dropout")?.unwrap_or(0.0) as f32;
        if !alpha.is_finite() || !(0.0..1.0).contains(&dropout) {
            return Err(f.damaged("`lora_alpha` or `lora_dropout` is out of range".into()));
        }
        let modules_to_save: Vec<String> = f.texts("modules_to_save")?.into_iter().map(str::to_owned).collect();
        if let Some(other) = modules_to_save.iter().find(|name| !is_table(name)) {
            return Err(unsupported(f, "modules_to_save", other.clone()));
        }
        Ok(Self {
            r,
            alpha,
            dropout,
            use_rslora: f.bool("use_rslora")?.unwrap_or(false),
            target_modules: Modules::from_json(f)?,
            ranks: BTreeMap::new(),
            dora: f.bool("use_dora")?.unwrap_or(false),
            lora_bias: f.bool("lora_bias")?.unwrap_or(false),
            modules_to_save,
            partial: f.get("layers_to_transform").is_some() || f.get("exclude_modules").is_some(),
        })
    }

    /// Applies `rank_pattern`, and multiplies each `B` and its bias by the difference between its own scaling (rank and
    /// `alpha_pattern`) and the common factor.
    pub(super) fn take_patterns(&mut self, f: &Fields, tensors: &mut BTreeMap<String, Values>) -> Result<(), Error> {
        let (ranks, alphas) = (pattern(f, "rank_pattern")?, pattern(f, "alpha_pattern")?);
        if ranks.is_empty() && alphas.is_empty() {
            return Ok(());
        }
        let common = self.scaling();
        for (name, (_, values)) in tensors.iter_mut() {
            let Some((module, LoraPart::B | LoraPart::Bias | LoraPart::EmbeddingB)) = LoraPart::of(name) else {
                continue;
            };
            let rank = of_module(f, "rank_pattern", &ranks, module)?.unwrap_or(self.r as f64);
            let alpha = of_module(f, "alpha_pattern", &alphas, module)?.unwrap_or(f64::from(self.alpha));
            if rank.fract() != 0.0 || !(1.0..65536.0).contains(&rank) {
                return Err(f.damaged(format!("`rank_pattern` gives `{module}` the rank {rank}")));
            }
            if rank as usize != self.r {
                self.ranks.insert(module.to_owned(), rank as usize);
            }
            let factor = alpha as f32 / self.divisor(rank as usize) / common;
            if factor != 1.0 {
                values.iter_mut().for_each(|value| *value *= factor);
            }
        }
        Ok(())
    }

    fn to_json(&self) -> Value {
        // In PEFT `alpha` is an integer, so an integral value is written as one for other readers.
        let number = |alpha: f32| if alpha.fract() == 0.0 { json!(alpha as i64) } else { json!(alpha) };
        let alpha = number(self.alpha);
        let alphas: serde_json::Map<String, Value> = self
            .ranks
            .iter()
            .map(|(module, rank)| (module.clone(), number(self.scaling() * self.divisor(*rank))))
            .collect();
        json!({
            "alpha_pattern": alphas,
            "auto_mapping": null,
            "base_model_name_or_path": null,
            "bias": "none",
            "exclude_modules": null,
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layer_replication": null,
            "layers_pattern": null,
            "layers_to_transform": null,
            "loftq_config": {},
            "lora_alpha": alpha,
            "lora_bias": self.lora_bias,
            "lora_dropout": f64::from(self.dropout),
            "megatron_config": null,
            "megatron_core": "megatron.core",
            "modules_to_save": (!self.modules_to_save.is_empty()).then_some(&self.modules_to_save),
            "peft_type": "LORA",
            "peft_version": null,
            "r": self.r,
            "rank_pattern": self.ranks,
            "revision": null,
            "target_modules": match &self.target_modules {
                Modules::Named(names) => json!(names),
                Modules::AllLinear => json!("all-linear"),
                Modules::Pattern(pattern) => json!(pattern),
            },
            "task_type": null,
            "use_dora": self.dora,
            "use_rslora": self.use_rslora,
        })
    }
}

/// Whether a module is a table with a row per token: the embeddings or the output head.
pub(super) fn is_table(module: &str) -> bool {
    matches!(module.rsplit('.').next(), Some("embed_tokens" | "lm_head"))
}

/// Module names with a number each. PEFT treats the names as regular expressions; only plain names are supported.
fn pattern(f: &Fields, field: &str) -> Result<Vec<(String, f64)>, Error> {
    let Some(object) = f.object(field)? else { return Ok(Vec::new()) };
    let plain = |name: &str| {
        let name = name.strip_prefix('^').unwrap_or(name);
        name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'))
    };
    let mut numbers = Vec::new();
    for name in object.map.keys() {
        if !plain(name) {
            return Err(unsupported(f, field, name.clone()));
        }
        let number = object.float(name)?;
        numbers.push((name.clone(), object.need(name, number)?));
    }
    Ok(numbers)
}

/// The number of a module: an entry with `^` matches the whole name, others match a suffix after a dot.
fn of_module(f: &Fields, field: &str, numbers: &[(String, f64)], module: &str) -> Result<Option<f64>, Error> {
    let matches = |name: &str| match name.strip_prefix('^') {
        Some(whole) => whole == module,
        None => name == module || module.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')),
    };
    let mut found = numbers.iter().filter(|(name, _)| matches(name)).map(|(_, number)| *number);
    let first = found.next();
    if found.any(|other| Some(other) != first) {
        return Err(f.damaged(format!("`{field}` has two numbers for `{module}`")));
    }
    Ok(first)
}

impl Modules {
    fn from_json(f: &Fields) -> Result<Self, Error> {
        match f.get("target_modules") {
            Some(Value::String(text)) if text == "all-linear" => Ok(Self::AllLinear),
            Some(Value::String(pattern)) => Ok(Self::Pattern(pattern.clone())),
            Some(Value::Array(names)) => {
                let mut names: Option<Vec<String>> = names.iter().map(|n| n.as_str().map(str::to_owned)).collect();
                // PEFT writes a set, in arbitrary order.
                names.iter_mut().for_each(|names| names.sort());
                names.map(Self::Named).ok_or_else(|| f.damaged("`target_modules` must hold texts".into()))
            }
            Some(other) => Err(f.damaged(format!("`target_modules` is {}", brief(other)))),
            None => Err(f.damaged("`target_modules` is missing".into())),
        }
    }
}

impl PromptConfig {
    fn from_json(f: &Fields) -> Result<Self, Error> {
        refuse_the_rest(f, &PROMPT_FIELDS)?;
        let usual = if TaskType::from_json(f)? == TaskType::Seq2SeqLm { 2 } else { 1 };
        Ok(Self {
            virtual_tokens: f.need("num_virtual_tokens", f.count("num_virtual_tokens", 1 << 16)?)?,
            submodules: f.count("num_transformer_submodules", 2)?.unwrap_or(usual),
            token_dim: f.need("token_dim", f.count("token_dim", 1 << 20)?)?,
            layers: f.count("num_layers", 1 << 20)?.unwrap_or(1),
            heads: f.count("num_attention_heads", 1 << 20)?.unwrap_or(1),
        })
    }

    fn to_json(&self) -> Value {
        json!({
            "auto_mapping": null,
            "base_model_name_or_path": null,
            "inference_mode": true,
            "modules_to_save": null,
            "num_attention_heads": self.heads,
            "num_layers": self.layers,
            "num_transformer_submodules": self.submodules,
            "num_virtual_tokens": self.virtual_tokens,
            "peft_type": "PROMPT_TUNING",
            "peft_version": null,
            // Only the initialization, which the trained rows replace.
            "prompt_tuning_init": "RANDOM",
            "prompt_tuning_init_text": null,
            "revision": null,
            "task_type": null,
            "token_dim": self.token_dim,
            "tokenizer_kwargs": null,
            "tokenizer_name_or_path": null,
        })
    }
}
