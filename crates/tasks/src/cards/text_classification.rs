use super::{Form, Scoring, Task};

/// Any text with one label.
pub(crate) const TASK: Task = Task {
    name: "text-classification",
    instruction: "Classify the text.",
    guidelines: include_str!("../../data/guidelines/text_classification.md"),
    form: Form::Labels(&[]),
    scoring: Scoring::STRICT,
    finish: None,
    wordings: None,
    parser: None,
};
