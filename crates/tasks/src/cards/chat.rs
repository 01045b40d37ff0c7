use super::{Form, Scoring, Task};

/// Dialogues, answered turn by turn.
pub(crate) const TASK: Task = Task {
    name: "chat",
    instruction: "Write the assistant's next reply.",
    form: Form::Text,
    scoring: Scoring::STRICT,
    finish: None,
};
