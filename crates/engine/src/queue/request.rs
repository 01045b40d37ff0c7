use graft_core::{AdapterSpec, OptimSpec, PromptInit, Schedule, SplitRule, Targets};
use graft_store::Priority;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::preflight::Problem;
use crate::recipes::{Effort, Method, Recipe};

/// A training that somebody wants; what isn't said comes from Graft's recipe for the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRun)]
pub struct RunRequest {
    /// Name of the task.
    pub task: String,
    /// Base model: a name, a Hub id or a path.
    #[serde(default = "default_base")]
    pub base: String,
    /// Kind of adapter.
    #[serde(default)]
    pub method: Method,
    /// How long it goes on, measured by the recipe; epochs among the settings win over it.
    #[serde(default)]
    pub effort: Effort,
    /// Hyperparameters.
    #[serde(default)]
    pub settings: Settings,
    /// Share of the examples that is held out, from 0 to below 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eval_share: Option<f64>,
    /// Which examples are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitName>,
    /// How soon it gets its turn.
    #[serde(default)]
    pub priority: Priority,
    /// Make its version active, if it is not worse than the active one.
    #[serde(default)]
    pub activate: bool,
    /// The run that must succeed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Name of its version; the next number otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Score the version on the held-out examples.
    #[serde(default = "yes")]
    pub evaluate: bool,
    /// Score the bare base model as well, which takes as long again.
    #[serde(default)]
    pub score_base: bool,
}

fn default_base() -> String {
    "smollm2-135m".to_owned()
}

fn yes() -> bool {
    true
}

/// Which examples are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SplitName {
    /// The newest.
    Newest,
    /// A seeded choice.
    Random,
}

/// Hyperparameters under the names of the flags of `graft train`, with underscores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "each is documented where it is kept: OptimSpec, EvalSpec, Limits and AdapterSpec")]
#[schema(as = RunSettings)]
pub struct Settings {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Schedule>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warmup: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_decay: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta1: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub beta2: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eps: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub typos: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rslora: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_init: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evals_per_epoch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eval_examples: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoints_per_epoch: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_source: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_target: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pass_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recompute: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threads: Option<usize>,
}

impl RunRequest {
    /// A request for a task with Graft's recipe.
    #[must_use]
    pub fn new(task: impl Into<String>) -> Self {
        Self {
            task: task.into(),
            base: default_base(),
            method: Method::default(),
            effort: Effort::default(),
            settings: Settings::default(),
            eval_share: None,
            split: None,
            priority: Priority::default(),
            activate: false,
            after: None,
            version: None,
            evaluate: true,
            score_base: false,
        }
    }

    /// How the held-out examples are chosen.
    pub(crate) fn rule(&self) -> SplitRule {
        let eval_share = self.eval_share.unwrap_or(0.2);
        match self.split.unwrap_or(SplitName::Newest) {
            SplitName::Newest => SplitRule::Newest { eval_share },
            SplitName::Random => {
                SplitRule::Random { eval_share, seed: self.settings.seed.unwrap_or(OptimSpec::default().seed) }
            }
        }
    }

    /// The command that does the same in the foreground.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!("graft train {}", quoted(&self.task));
        let mut flag = |name: &str, value: String| command += &format!(" --{} {value}", name.replace('_', "-"));
        if self.base != default_base() {
            flag("base", quoted(&self.base));
        }
        if self.method == Method::SoftPrompt {
            flag("method", "soft-prompt".into());
        }
        if self.effort != Effort::default() {
            flag("effort", self.effort.name().into());
        }
        self.eval_share.into_iter().for_each(|share| flag("eval-share", share.to_string()));
        if self.split == Some(SplitName::Random) {
            flag("split", "random".into());
        }
        let settings = serde_json::to_value(&self.settings).unwrap_or_default();
        for (name, value) in settings.as_object().into_iter().flatten() {
            flag(
                name,
                match value {
                    serde_json::Value::String(text) => quoted(text),
                    serde_json::Value::Array(names) => {
                        quoted(&names.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>().join(","))
                    }
                    other => other.to_string(),
                },
            );
        }
        self.version.iter().for_each(|name| flag("version", quoted(name)));
        if !self.evaluate {
            command += " --no-eval";
        } else if !self.score_base {
            command += " --skip-base";
        }
        command + if self.activate { " --activate" } else { "" }
    }
}

/// A word as a POSIX shell reads it.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

impl Settings {
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
        set(&mut recipe.eval.per_epoch, self.evals_per_epoch);
        set(&mut recipe.eval.patience, self.patience);
        set(&mut recipe.eval.examples, self.eval_examples);
        set(&mut recipe.eval.checkpoints_per_epoch, self.checkpoints_per_epoch);
        let l = &mut recipe.limits;
        set(&mut l.max_tokens, self.max_tokens);
        set(&mut l.max_source, self.max_source);
        set(&mut l.max_target, self.max_target);
        set(&mut l.pass_tokens, self.pass_tokens);
        set(&mut l.recompute, self.recompute);
        l.memory = self.memory.or(l.memory);
        l.threads = self.threads.or(l.threads);
        self.shape(&mut recipe.adapter)
    }

    fn shape(&self, adapter: &mut AdapterSpec) -> Result<(), Problem> {
        let lora = [
            ("rank", self.rank.is_some()),
            ("alpha", self.alpha.is_some()),
            ("dropout", self.dropout.is_some()),
            ("rslora", self.rslora.is_some()),
            ("targets", self.targets.is_some()),
        ];
        let prompt = [("prompt_tokens", self.prompt_tokens.is_some()), ("prompt_init", self.prompt_init.is_some())];
        match adapter {
            AdapterSpec::Lora(spec) => {
                refuse(&prompt, "soft-prompt")?;
                set(&mut spec.rank, self.rank);
                set(&mut spec.alpha, self.alpha);
                set(&mut spec.dropout, self.dropout);
                set(&mut spec.rslora, self.rslora);
                set(&mut spec.targets, self.targets.as_deref().map(Targets::from_names));
            }
            AdapterSpec::SoftPrompt(spec) => {
                refuse(&lora, "lora")?;
                set(&mut spec.tokens, self.prompt_tokens);
                set(&mut spec.init, self.prompt_init.as_deref().map(prompt_init).transpose()?);
            }
        }
        Ok(())
    }

    /// The same without one setting.
    pub(crate) fn without(&self, field: &str) -> Self {
        let mut settings = serde_json::to_value(self).unwrap_or_default();
        if let Some(settings) = settings.as_object_mut() {
            settings.remove(field);
        }
        serde_json::from_value(settings).unwrap_or_default()
    }
}

fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *place = given;
    }
}

fn refuse(settings: &[(&str, bool)], method: &str) -> Result<(), Problem> {
    match settings.iter().find(|(_, given)| *given) {
        Some((name, _)) => {
            Err(Problem::error(format!("use `{name}` for this method"), format!("it belongs to method `{method}`"))
                .of(name))
        }
        None => Ok(()),
    }
}

/// Where a soft prompt starts: `labels`, `vocabulary`, `random`, or `text:` and a text.
///
/// # Errors
/// Anything else.
pub fn prompt_init(text: &str) -> Result<PromptInit, Problem> {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_says_only_what_it_wants() {
        let request: RunRequest = serde_json::from_value(json!({
            "task": "sentiment", "effort": "thorough", "settings": {"epochs": 2, "targets": ["q_proj", "v_proj"]}, "priority": "high"
        }))
        .unwrap();
        assert_eq!((request.base.as_str(), request.priority), ("smollm2-135m", Priority::High));
        assert_eq!(
            request.command(),
            "graft train sentiment --effort thorough --epochs 2.0 --targets q_proj,v_proj --skip-base"
        );
        assert_eq!(serde_json::to_value(&request.settings).unwrap()["epochs"], 2.0);
        assert!(serde_json::from_value::<RunRequest>(json!({"task": "t", "settings": {"epoch": 2}})).is_err());
        assert_eq!(request.settings.without("epochs").epochs, None);
        assert_eq!(quoted("a b'c"), r"'a b'\''c'");
    }
}
