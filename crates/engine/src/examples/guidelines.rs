use graft_core::Digest;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::Examples;
use crate::{Result, error::SettingProblem, now};

/// How people judge a task's examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Guidelines {
    /// Paragraphs, and lines that begin with `- `.
    pub text: String,
    /// What the task comes with.
    pub usual: String,
}

/// Longest text, in characters.
const LONGEST: usize = 20_000;

impl Guidelines {
    /// Names this exact text.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.text.as_bytes())
    }
}

/// Name of the setting in the store.
fn setting(task: &str) -> String {
    format!("guidelines-{task}")
}

impl Examples<'_> {
    /// How people judge a task's examples: in their own words, or in those that the task comes with.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn guidelines(self, task: &str) -> Result<Guidelines> {
        let task = self.engine.tasks().definition(task).await?;
        let stored = self.engine.store.setting(&setting(&task.name)).await?.map(|setting| setting.value);
        let own = stored.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty());
        Ok(Guidelines { text: own.unwrap_or(&task.guidelines).to_owned(), usual: task.guidelines.clone() })
    }

    /// Sets a task's guidelines, without checking them; a blank text brings back those that the task comes with.
    ///
    /// # Errors
    /// The task is unknown; what the store says.
    pub async fn set_guidelines(self, task: &str, text: &str) -> Result<()> {
        let task = self.engine.tasks().definition(task).await?;
        Ok(self.engine.store.set_setting(&setting(&task.name), &json!(text.trim()), &self.engine.by, now()).await?)
    }
}

/// What is wrong with a text that would be a task's guidelines.
#[must_use]
pub fn wrong_guidelines(text: &str) -> Option<SettingProblem> {
    let wrong = |detail: String| Some(SettingProblem { field: "text", detail });
    match text.chars().count() {
        long if long > LONGEST => wrong(format!("it has {long} characters; at most {LONGEST} are allowed")),
        _ if text.contains('\0') => wrong("it contains a NUL character".to_owned()),
        _ => None,
    }
}
