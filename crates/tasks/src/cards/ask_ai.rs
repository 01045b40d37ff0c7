use super::{Form, Scoring, Task};

/// Smart-home wishes, answered with the automation that fulfils them.
pub(crate) const TASK: Task = Task {
    name: "ask-ai",
    instruction: "Describe the home automation that does what the user asks, in one sentence.",
    guidelines: include_str!("../../data/guidelines/ask_ai.md"),
    form: Form::Text,
    scoring: Scoring::STRICT,
    finish: None,
    wordings: None,
    parser: None,
};
