use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{Digest, json};

/// Everything that determines how an input becomes a prompt and how an answer becomes a value.
///
/// It is stored in the run directory and in the adapter folder, so training, evaluation and inference can't use
/// different cards. Its [digest](TaskCard::digest) identifies it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TaskCard {
    /// `slack-rescue`, `ask-ai`, `text-classification`, …
    pub name: String,
    /// The instruction before the input. It is the same for all examples, so that its computation is shared.
    pub instruction: String,
    /// The form of the answer.
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
        /// The labels, in a fixed order.
        labels: Vec<String>,
    },
    /// A JSON object that follows a schema. The model writes only its values in the schema's order, which takes a third
    /// of the tokens (see `graft_predict::Codec`).
    Json {
        /// JSON Schema (2020-12) of the answer.
        #[schema(value_type = Object)]
        schema: Value,
    },
}

impl TaskCard {
    /// Identifies this prompt and answer form.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(json::line(self).as_bytes())
    }
}
