use super::{Form, Scoring, Task};

/// A text's sentiment.
pub(crate) const TASK: Task = Task {
    name: "sentiment",
    instruction: "What is the sentiment of the text?",
    guidelines: include_str!("../../data/guidelines/sentiment.md"),
    form: Form::Labels(&["negative", "neutral", "positive"]),
    scoring: Scoring::STRICT,
    finish: None,
    wordings: None,
    parser: None,
};
