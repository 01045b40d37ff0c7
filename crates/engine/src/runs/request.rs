use graft_core::{OptimSpec, SplitRule};
use graft_store::Priority;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    recipes::{Effort, Method},
    settings::Settings,
};

/// A training to queue; missing settings come from Graft's recipe for the task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewRun)]
pub struct RunRequest {
    /// The task.
    pub task: String,
    /// Base model: a name, a Hub id or a path; `smollm2-135m` otherwise.
    #[serde(default = "default_base")]
    pub base: String,
    /// Kind of adapter. Default: LoRA.
    #[serde(default)]
    pub method: Method,
    /// Number of epochs relative to the recipe. Default: `recommended`; the setting `epochs` overrides it.
    #[serde(default)]
    pub effort: Effort,
    /// Settings that differ from the recipe; the names are those of the flags of `graft train`.
    #[serde(default, serialize_with = "Settings::given")]
    pub settings: Settings,
    /// Share of the examples that is held out. Default: 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0.0, exclusive_maximum = 1.0)]
    pub eval_share: Option<f64>,
    /// Which examples are held out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<SplitName>,
    /// Priority in the queue. Default: `normal`.
    #[serde(default)]
    pub priority: Priority,
    /// Make its version active, if it is not worse than the active one.
    #[serde(default)]
    pub activate: bool,
    /// The run that must succeed first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Name of its version. Default: the next number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Evaluate the version on the held-out examples. Default: yes.
    #[serde(default = "yes")]
    pub evaluate: bool,
    /// Also evaluate the bare base model, which doubles the time.
    #[serde(default)]
    pub score_base: bool,
    /// The version whose weights it starts from. It trains on new and corrected examples with some older ones, and keeps
    /// the version's base model, kind and shape of adapter. Default: a new adapter that trains on all examples.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub init_from: Option<String>,
    /// With `init_from`: how many older examples it trains on again for each new one, and at least 40. Default: 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replay: Option<usize>,
    /// The machine that executes it, one of `graft machines list`. Default: the worker's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// Evaluate the contestants before the training, so that the score to beat is known.
    #[serde(default)]
    pub baseline: bool,
    /// Whether the run is sent to trackers such as MLflow. Default: if any are configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<bool>,
}

fn default_base() -> String {
    "smollm2-135m".to_owned()
}

fn yes() -> bool {
    true
}

/// Which examples are held out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "clap", derive(clap::ValueEnum))]
#[serde(rename_all = "lowercase")]
pub enum SplitName {
    /// The newest.
    Newest,
    /// A seeded choice.
    Random,
}

impl SplitName {
    /// The rule with the share that is held out; a random choice takes the training's seed.
    #[must_use]
    pub fn rule(self, eval_share: f64, seed: Option<u64>) -> SplitRule {
        match self {
            Self::Newest => SplitRule::Newest { eval_share },
            Self::Random => SplitRule::Random { eval_share, seed: seed.unwrap_or(OptimSpec::default().seed) },
        }
    }
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
            init_from: None,
            replay: None,
            on: None,
            baseline: false,
            track: None,
        }
    }

    /// Whether it asks for another base model than the usual one.
    pub(crate) fn names_base(&self) -> bool {
        self.base != default_base()
    }

    /// How the held-out examples are chosen.
    pub(crate) fn rule(&self) -> SplitRule {
        self.split.unwrap_or(SplitName::Newest).rule(self.eval_share.unwrap_or(0.2), self.settings.seed)
    }

    /// The command that does the same in the foreground.
    #[must_use]
    pub fn command(&self) -> String {
        let mut command = format!("graft train {}", quoted(&self.task));
        let mut flag = |name: &str, value: String| command += &format!(" --{} {value}", name.replace('_', "-"));
        self.init_from.iter().for_each(|name| flag("from", quoted(name)));
        self.replay.iter().for_each(|replay| flag("replay", replay.to_string()));
        if self.names_base() {
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
        for (name, value) in self.settings.fields() {
            flag(
                &name,
                match &value {
                    serde_json::Value::String(text) => quoted(text),
                    serde_json::Value::Array(names) => {
                        quoted(&names.iter().filter_map(|name| name.as_str()).collect::<Vec<_>>().join(","))
                    }
                    other => other.to_string(),
                },
            );
        }
        self.version.iter().for_each(|name| flag("version", quoted(name)));
        self.on.iter().for_each(|name| flag("on", quoted(name)));
        command += self.track.map_or("", |track| if track { " --track" } else { " --no-track" });
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn request_contains_only_given_settings() {
        let request: RunRequest = serde_json::from_value(json!({
            "task": "sentiment", "effort": "thorough", "init_from": "v3", "settings": {"epochs": 2, "targets": ["q_proj", "v_proj"]}, "priority": "high"
        }))
        .unwrap();
        assert_eq!((request.base.as_str(), request.priority), ("smollm2-135m", Priority::High));
        assert_eq!(
            request.command(),
            "graft train sentiment --from v3 --effort thorough --epochs 2.0 --targets q_proj,v_proj --skip-base"
        );
        let written = serde_json::to_value(&request).unwrap();
        assert_eq!(written["settings"], json!({"epochs": 2.0, "targets": ["q_proj", "v_proj"]}));
        assert!(serde_json::from_value::<RunRequest>(json!({"task": "t", "settings": {"epoch": 2}})).is_err());
        assert_eq!(quoted("a b'c"), r"'a b'\''c'");
    }
}
