use std::path::{Path, PathBuf};

use graft_core::Digest;
use graft_formats::peft;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{Versions, soft_prompt::LATEST};
use crate::{Result, error::SettingProblem, now};

/// The Ask AI service's settings, with its own field names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Settings)]
pub struct AskAiSettings {
    /// Whether the adapter writes a suggestion where the service has none, or only weak ones.
    pub soft_prompt_enabled: bool,
    /// Base folder of the trained artifacts, or an adapter's own; relative to `GRAFT_HOME`, or absolute.
    pub soft_prompt_model_dir: String,
    /// Confidence that a suggestion must reach, from 0 to 1.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub soft_prompt_confidence_threshold: f64,
}

impl Default for AskAiSettings {
    fn default() -> Self {
        Self {
            soft_prompt_enabled: false,
            soft_prompt_model_dir: "data/ask_ai_soft_prompt".into(),
            soft_prompt_confidence_threshold: 0.85,
        }
    }
}

/// A change of some of the settings; what is absent stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SettingsChange)]
pub struct AskAiChange {
    /// Whether the adapter writes a suggestion where the service has none, or only weak ones.
    pub soft_prompt_enabled: Option<bool>,
    /// Base folder of the trained artifacts, or an adapter's own; relative to `GRAFT_HOME`, or absolute.
    pub soft_prompt_model_dir: Option<String>,
    /// Confidence that a suggestion must reach, from 0 to 1.
    #[schema(minimum = 0.0, maximum = 1.0)]
    pub soft_prompt_confidence_threshold: Option<f64>,
}

/// Name of the setting in the store.
const NAME: &str = "ask-ai";

impl AskAiSettings {
    /// The settings after a change.
    #[must_use]
    pub fn changed(self, change: AskAiChange) -> Self {
        Self {
            soft_prompt_enabled: change.soft_prompt_enabled.unwrap_or(self.soft_prompt_enabled),
            soft_prompt_model_dir: change.soft_prompt_model_dir.unwrap_or(self.soft_prompt_model_dir),
            soft_prompt_confidence_threshold: change
                .soft_prompt_confidence_threshold
                .unwrap_or(self.soft_prompt_confidence_threshold),
        }
    }

    /// Names this exact state of the settings.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(json!(self).to_string().as_bytes())
    }
}

impl Versions<'_> {
    /// The Ask AI settings as last changed, otherwise those of the configuration.
    pub async fn ask_ai_settings(self) -> Result<AskAiSettings> {
        let stored = self.engine.store.setting(NAME).await?;
        Ok(stored
            .and_then(|setting| serde_json::from_value(setting.value).ok())
            .unwrap_or_else(|| (*self.engine.ask_ai).clone()))
    }

    /// Everything that is wrong with the settings: the threshold's range, and, where they are enabled, a directory
    /// outside of `roots` or without a loadable adapter.
    #[must_use]
    pub fn check_ask_ai(self, settings: &AskAiSettings, roots: &[PathBuf]) -> Vec<SettingProblem> {
        let mut problems = Vec::new();
        let mut wrong = |field, detail: String| problems.push(SettingProblem { field, detail });
        if !(0.0..=1.0).contains(&settings.soft_prompt_confidence_threshold) {
            wrong("softPromptConfidenceThreshold", "it must be a number from 0 to 1".into());
        }
        if settings.soft_prompt_model_dir.trim().is_empty() || settings.soft_prompt_model_dir.contains('\0') {
            wrong("softPromptModelDir", "it must name a directory".into());
        } else if let Err(detail) = self.check_dir(settings, roots) {
            wrong("softPromptModelDir", detail);
        }
        problems
    }

    /// Sets the settings, without checking them.
    pub async fn set_ask_ai(self, settings: &AskAiSettings) -> Result<()> {
        Ok(self.engine.store.set_setting(NAME, &json!(settings), &self.engine.by, now()).await?)
    }

    /// The adapter's folder that the settings name: the directory itself, or `latest` in it.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn ask_ai_adapter(self, settings: &AskAiSettings) -> std::result::Result<PathBuf, String> {
        let given = self.engine.home.resolve(&settings.soft_prompt_model_dir);
        let folder = given.canonicalize().map_err(|_| "the directory does not exist".to_owned())?;
        let holds = |folder: &Path| folder.join(peft::CONFIG).is_file();
        let latest = folder.join(LATEST);
        let places = [folder, latest.clone(), latest.join("adapter")];
        let found = places.into_iter().find(|place| holds(place));
        found.ok_or_else(|| "it contains no adapter (`adapter_config.json`), nor does its `latest`".to_owned())
    }

    /// Whether the settings name the folder where Graft shows the active version to other programs.
    pub(crate) fn follows_active(self, settings: &AskAiSettings) -> bool {
        let place = |settings: &AskAiSettings| self.engine.home.resolve(&settings.soft_prompt_model_dir);
        let whole = |path: PathBuf| path.canonicalize().unwrap_or(path);
        whole(place(settings)) == whole(place(&AskAiSettings::default()))
    }

    fn check_dir(self, settings: &AskAiSettings, roots: &[PathBuf]) -> std::result::Result<(), String> {
        let given = self.engine.home.resolve(&settings.soft_prompt_model_dir);
        // Where it doesn't exist yet, the name itself must not lead out of the roots.
        let resolved = given.canonicalize().or_else(|_| std::path::absolute(&given)).unwrap_or(given);
        let steps_up = resolved.components().any(|part| part == std::path::Component::ParentDir);
        let home = self.engine.home.path();
        let mut allowed = std::iter::once(home).chain(roots.iter().map(PathBuf::as_path));
        let under = |root: &Path| {
            resolved.starts_with(root) || root.canonicalize().is_ok_and(|root| resolved.starts_with(root))
        };
        if steps_up || !allowed.any(under) {
            return Err("it is outside the allowed roots (`model_roots` in the configuration)".to_owned());
        }
        if !settings.soft_prompt_enabled {
            return Ok(());
        }
        let folder = self.ask_ai_adapter(settings)?;
        peft::read(&folder).map(drop).map_err(|error| format!("failed to {error}"))
    }
}
