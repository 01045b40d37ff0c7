//! The Ask AI fallback: if the service's own suggestions are missing or weak, the adapter writes one.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use graft_formats::peft;
use graft_tasks::cards::Integration;
use graft_train::AdapterCard;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    AnswerOptions, Asker, Format, Prompt, Serving,
    deployment::Deployment,
    load::{apart, aside},
};
use crate::{
    Error, Result,
    error::SettingProblem,
    versions::{AskAiSettings, Told},
};

/// A suggestion that the service has made itself; it may hold more fields, which are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Primary {
    /// What it suggests.
    #[serde(default)]
    pub description: String,
    /// How sure the service is; missing counts as 0.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// Everything else.
    #[serde(flatten)]
    pub rest: serde_json::Map<String, Value>,
}

/// The outcome of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = FallbackVerdict)]
pub enum Verdict {
    /// The settings don't want a fallback.
    Disabled,
    /// A suggestion of the service is strong enough.
    NotNeeded,
    /// The adapter's suggestion was added.
    Injected,
    /// The adapter was not sure enough.
    TooUnsure,
}

/// The reply to a question.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SuggestReply)]
pub struct Suggested {
    /// The service's suggestions as they came; before them the adapter's, if it was injected, with
    /// `source: "soft_prompt"`.
    #[schema(value_type = Vec<Object>)]
    pub suggestions: Vec<Value>,
    /// The outcome of the question.
    pub verdict: Verdict,
    /// The adapter's confidence, if it was asked.
    #[schema(required = true)]
    pub confidence: Option<f64>,
    /// Whether that confidence is calibrated.
    pub calibrated: bool,
    /// The threshold that it was measured against.
    pub threshold: f64,
}

/// Whether no suggestion says anything with at least this confidence.
#[must_use]
pub fn needs_fallback(suggestions: &[Primary], threshold: f64) -> bool {
    let strong = |s: &Primary| !s.description.trim().is_empty() && s.confidence.unwrap_or(0.0) >= threshold;
    !suggestions.iter().any(strong)
}

impl Serving {
    /// Adds a suggestion of the adapter where the service's own are missing or weaker than the threshold, if the
    /// adapter's calibrated confidence reaches it.
    ///
    /// # Errors
    /// The adapter that the settings name can't be loaded, or fails.
    pub async fn suggest(&self, query: &str, suggestions: Vec<Primary>, options: &AnswerOptions) -> Result<Suggested> {
        let settings = self.engine().versions().ask_ai_settings().await?;
        let threshold = settings.soft_prompt_confidence_threshold;
        let values = |all: &[Primary]| all.iter().filter_map(|s| serde_json::to_value(s).ok()).collect::<Vec<_>>();
        let mut reply = Suggested {
            suggestions: values(&suggestions),
            verdict: Verdict::NotNeeded,
            confidence: None,
            calibrated: false,
            threshold,
        };
        if !settings.soft_prompt_enabled {
            reply.verdict = Verdict::Disabled;
            return Ok(reply);
        }
        if !needs_fallback(&suggestions, threshold) {
            return Ok(reply);
        }
        let deployment = self.ask_ai_deployment(&settings).await?;
        let prompt = Prompt::Input(query.to_owned());
        let answer = self.ask(&deployment, Asker::ForVersion, &prompt, &Format::Own, options).await?.whole().await?;
        if deployment.version.is_some() && !options.untraced {
            self.count_input(&deployment.task, query);
        }
        (reply.confidence, reply.calibrated) = (Some(answer.confidence), deployment.calibration.is_some());
        let description = answer.answer.as_str().unwrap_or_default().trim().to_owned();
        if answer.confidence < threshold || !answer.valid || description.is_empty() {
            reply.verdict = Verdict::TooUnsure;
            return Ok(reply);
        }
        reply.verdict = Verdict::Injected;
        reply.suggestions.insert(0, injected(&description, &answer));
        Ok(reply)
    }

    /// Everything that is wrong with the settings: as [`Versions::check_ask_ai`](crate::Versions::check_ask_ai), and, where they are enabled, whatever
    /// keeps their adapter from answering.
    ///
    /// # Errors
    /// The check itself failed.
    pub async fn check_ask_ai(&self, settings: &AskAiSettings, roots: &[PathBuf]) -> Result<Vec<SettingProblem>> {
        // A contestant is no adapter, and its folder may hold none.
        let is_contestant = match self.engine().tasks().with(Integration::AskAi).await {
            Ok(task) => self.is_contestant(&task.name, settings).await.unwrap_or(false),
            Err(_) => false,
        };
        let wanted = settings.soft_prompt_enabled && !is_contestant;
        let looked_at = AskAiSettings { soft_prompt_enabled: wanted, ..settings.clone() };
        let (engine, roots) = (self.engine().clone(), roots.to_vec());
        let mut problems = apart(move || Ok(engine.versions().check_ask_ai(&looked_at, &roots))).await?;
        if problems.is_empty()
            && settings.soft_prompt_enabled
            && let Err(error) = self.ask_ai_deployment(settings).await
        {
            let mut detail = format!("failed to {}", graft_core::with_causes(&error));
            detail.extend(error.hint().map(|hint| format!("; {hint}")));
            problems.push(SettingProblem { field: "softPromptModelDir", detail });
        }
        Ok(problems)
    }

    /// The adapter that the settings name. One that is a version's too takes over its calibration; one that was made
    /// elsewhere is asked as Graft would have trained it. Where the settings name the folder of the active version and that
    /// is a contestant, which can't lie there, the contestant answers.
    async fn ask_ai_deployment(&self, settings: &AskAiSettings) -> Result<Arc<Deployment>> {
        let task = self.engine().tasks().with(Integration::AskAi).await?.name;
        if self.is_contestant(&task, settings).await? {
            return self.active(&task).await;
        }
        let (serving, settings) = (self.clone(), settings.clone());
        aside(move || async move { serving.ask_ai_folder(&settings, &task).await }).await
    }

    /// The same for the folder that the settings name.
    async fn ask_ai_folder(&self, settings: &AskAiSettings, task: &str) -> Result<Arc<Deployment>> {
        let folder = self.engine().versions().ask_ai_adapter(settings).map_err(|what| {
            Error::Unsupported(format!("use the directory `{}`: {what}", settings.soft_prompt_model_dir))
        })?;
        let folder = folder.canonicalize().unwrap_or(folder);
        let mut chosen = self.engine().versions().adapter_folder(&folder)?;
        if chosen.card.is_none() {
            chosen.card = Some(self.adopted(&folder, task).await?);
        }
        let task = chosen.known_card()?.task.name.clone();
        chosen.version = self.engine().versions().version_in(&folder, &task).await?;
        self.deploy(chosen).await
    }

    /// Whether the settings name the folder of the active version, and that needs no base model.
    async fn is_contestant(&self, task: &str, settings: &AskAiSettings) -> Result<bool> {
        let (engine, wanted) = (self.engine().clone(), settings.clone());
        if !apart(move || Ok(engine.versions().follows_active(&wanted))).await? {
            return Ok(false);
        }
        let active = self.engine().store.active_version(task).await?;
        Ok(active.is_some_and(|version| version.base.is_none()))
    }

    /// The card of a folder without one; its base is looked for once.
    async fn adopted(&self, folder: &Path, task: &str) -> Result<AdapterCard> {
        let digest = peft::digest(folder)?;
        if let Some(card) = self.state().adopted.get(&digest) {
            return Ok(card.clone());
        }
        let told = Told { task: Some(task), base: None };
        let card = self.engine().versions().adopt(folder, told).await?.known_card()?.clone();
        self.state().adopted.insert(digest, card.clone());
        Ok(card)
    }
}

/// The adapter's suggestion, marked as such.
fn injected(description: &str, answer: &super::Answer) -> Value {
    serde_json::json!({
        "suggestion_id": format!("graft-{}", answer.deployment.short()),
        "description": description,
        "trigger_summary": "",
        "action_summary": "",
        "devices_involved": [],
        "confidence": answer.confidence,
        "status": "draft",
        "source": "soft_prompt",
        "generation": answer.deployment,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fallback_is_needed_below_the_threshold() {
        let said = |description: &str, confidence| Primary {
            description: description.into(),
            confidence,
            ..Primary::default()
        };
        assert!(needs_fallback(&[], 0.5));
        assert!(needs_fallback(&[said("lights", None), said("heat", Some(0.4))], 0.5));
        assert!(needs_fallback(&[said("  ", Some(0.9))], 0.5), "a blank one says nothing");
        assert!(!needs_fallback(&[said("lights", Some(0.2)), said("heat", Some(0.5))], 0.5));
        assert!(!needs_fallback(&[said("lights", None)], 0.0));
    }
}
