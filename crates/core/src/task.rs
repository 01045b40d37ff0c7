use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Digest, json};

/// Everything that decides how an input becomes a prompt and an answer becomes a value.
///
/// It is frozen into the run directory and travels inside the adapter folder, so training, evaluation and
/// inference can't use different ones. Its [digest](TaskCard::digest) names it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskCard {
    /// `slack-rescue`, `ask-ai`, `text-classification`, …
    pub name: String,
    /// The instruction, put before the input; the same for every example, so its computation is shared.
    pub instruction: String,
    /// What the model must write.
    pub answer: AnswerForm,
}

/// The form of a task's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "form", rename_all = "kebab-case")]
pub enum AnswerForm {
    /// Free text.
    Text,
    /// Exactly one of these labels.
    Label {
        /// In a fixed order.
        labels: Vec<String>,
    },
    /// A JSON object that follows a schema. The model writes only its values, in the schema's order, which says the
    /// same in a third of the tokens (see `graft_predict::Codec`).
    Json {
        /// JSON Schema (2020-12) of the answer as people see it.
        #[schema(value_type = Object)]
        schema: Value,
    },
}

impl TaskCard {
    /// Names this exact prompt and answer form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(json::line(self).as_bytes())
    }
}
