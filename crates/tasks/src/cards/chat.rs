use super::{Form, Scoring, Task};

/// Dialogues, answered turn by turn.
pub(crate) const TASK: Task = Task {
    name: "chat",
    instruction: "Write the assistant's next reply.",
    guidelines: include_str!("../../data/guidelines/chat.md"),
    form: Form::Text,
    scoring: Scoring::STRICT,
    finish: None,
    wordings: None,
    parser: None,
};
