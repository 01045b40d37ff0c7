use std::collections::HashMap;

use graft_store::{Prompt, RunState, Stage, Version};
use graft_tasks::{
    score::Metric,
    understand::{TextDiff, compare},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Evaluation, Result, RunView, files::apart, runs::Runs};

/// Most rows of each list of a difference.
const SHOWN: usize = 500;

/// A submitted text with what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptVersion {
    /// The text.
    #[serde(flatten)]
    pub prompt: Prompt,
    /// What its run reached.
    pub reached: PromptReached,
}

/// What the run of a text reached. A run learns from all approved examples of the task, not only from those of its text.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct PromptReached {
    /// State of the run; absent if there is none.
    pub state: Option<RunState>,
    /// Examples that the run learned from.
    pub learned: Option<u64>,
    /// Loss of the result, or of the last step.
    pub loss: Option<f64>,
    /// The version that the run made.
    pub version: Option<String>,
    /// The metric that decides between versions of the task, on the held-out examples.
    pub score: Option<Metric>,
    /// Whether the version is active.
    pub active: bool,
}

/// What differs between two submitted texts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PromptDiff {
    /// The earlier text.
    pub before: PromptVersion,
    /// The later text.
    pub after: PromptVersion,
    /// Their examples.
    pub text: TextDiff,
    /// Settings that differ.
    pub settings: Vec<SettingChange>,
}

/// A setting that two texts do not have in common.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct SettingChange {
    /// Its name.
    pub name: String,
    /// Its value for the earlier text; null if unknown.
    pub before: Value,
    /// Its value for the later text; null if unknown.
    pub after: Value,
}

impl PromptReached {
    fn of(view: &RunView, version: Option<&Version>) -> Self {
        Self {
            state: Some(view.run.state),
            learned: view.run.train_samples,
            loss: view.run.final_loss.or(view.progress.as_ref().and_then(|progress| progress.loss)),
            version: version.map(|version| version.name.clone()),
            score: version.and_then(Evaluation::of).and_then(|found| found.adapter.headline().cloned()),
            active: version.is_some_and(|version| version.stage == Stage::Active),
        }
    }
}

impl Runs<'_> {
    /// The runs of submitted texts, by name.
    pub async fn runs_of_prompts(self, prompts: &[Prompt]) -> Result<HashMap<String, RunView>> {
        let ids: Vec<&str> = prompts.iter().filter_map(|prompt| prompt.run.as_deref()).collect();
        Ok(self.views_named(&ids).await?.into_iter().map(|view| (view.run.id.clone(), view)).collect())
    }

    /// A submitted text with all texts that it is a version of, and all versions of these, oldest first.
    ///
    /// # Errors
    /// There is none of this number.
    pub async fn prompt_versions(self, id: u64) -> Result<Vec<PromptVersion>> {
        self.prompt(id).await?;
        let prompts = self.engine.store.prompt_versions(id).await?;
        let views = self.runs_of_prompts(&prompts).await?;
        let mut versions = Vec::with_capacity(prompts.len());
        for prompt in prompts {
            versions.push(self.prompt_version(prompt, &views).await?);
        }
        Ok(versions)
    }

    async fn prompt_version(self, prompt: Prompt, views: &HashMap<String, RunView>) -> Result<PromptVersion> {
        let reached = match prompt.run.as_ref().and_then(|run| views.get(run)) {
            Some(view) => PromptReached::of(view, self.version_of(view.version.as_ref()).await?.as_ref()),
            None => PromptReached::default(),
        };
        Ok(PromptVersion { prompt, reached })
    }

    /// What differs between two submitted texts: their examples, their settings, and what their runs reached.
    ///
    /// # Errors
    /// There is none of one of these numbers.
    pub async fn compare_prompts(self, before: u64, after: u64) -> Result<PromptDiff> {
        let (old, new) = (self.prompt_text(before).await?, self.prompt_text(after).await?);
        let mut text = apart("compare the texts", move || Ok(compare(&old, &new))).await?;
        text.cut(SHOWN);
        let known = [self.prompt(before).await?, self.prompt(after).await?];
        let views = self.runs_of_prompts(&known).await?;
        let [before, after] = known;
        let (before, after) = (self.prompt_version(before, &views).await?, self.prompt_version(after, &views).await?);
        Ok(PromptDiff { settings: settings(&before.prompt, &after.prompt), before, after, text })
    }
}

/// The settings that differ.
fn settings(before: &Prompt, after: &Prompt) -> Vec<SettingChange> {
    let all = |prompt: &Prompt| {
        let stored = prompt.settings.as_ref().and_then(Value::as_object).cloned().unwrap_or_default();
        std::iter::once(("model_type".to_owned(), Value::from(prompt.model_type.as_str()))).chain(stored)
    };
    let [before, after] = [before, after].map(|prompt| all(prompt).collect::<serde_json::Map<_, _>>());
    let mut names: Vec<&String> =
        before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))).collect();
    names.retain(|name| before.get(*name) != after.get(*name));
    let value = |of: &serde_json::Map<String, Value>, name: &str| of.get(name).cloned().unwrap_or_default();
    let change =
        |name: &String| SettingChange { name: name.clone(), before: value(&before, name), after: value(&after, name) };
    names.into_iter().map(change).collect()
}
