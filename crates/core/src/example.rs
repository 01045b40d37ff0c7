use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Milliseconds since the Unix epoch, UTC.
pub type Timestamp = i64;

/// Identifies an example within its task. Importers derive it from the source (`slack:<ts>`, `ask-ai:<query_id>`), so
/// importing again updates examples instead of duplicating them.
pub type ExampleId = String;

/// An input with its output, its source and its review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Example {
    /// Unique within the task.
    #[schema(value_type = String)]
    pub id: ExampleId,
    /// Name of the task it belongs to.
    pub task: String,
    /// The text for the model.
    pub input: String,
    /// The correct answer: a string for text and label tasks, an object for extraction; `None` until there is one.
    pub output: Option<Value>,
    /// Where it came from.
    pub source: Source,
    /// The decision of people.
    pub review: Review,
    /// Number of the revision, from 1.
    pub revision: u32,
}

/// Where an example came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// `slack`, `ask-ai`, `csv`, `jsonl`, `prompt`.
    pub kind: String,
    /// Key in the source: a Slack `ts`, a query id, a row number.
    pub reference: String,
    /// When it was made, according to the source; orders examples in time.
    pub at: Option<Timestamp>,
}

/// Review state of an example. Only approved examples are trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Review {
    /// Not reviewed yet.
    Pending,
    /// Its output is correct.
    Approved {
        /// Who decided.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// It is excluded from training.
    Rejected {
        /// Who decided.
        by: String,
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

impl Review {
    /// The state's name, as stored and printed.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Rejected { .. } => "rejected",
        }
    }
}
