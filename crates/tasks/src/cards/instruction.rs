use super::{Form, Scoring, Task};

/// Instructions, with what they are about, and the wanted answer.
pub(crate) const TASK: Task = Task {
    name: "instruction",
    instruction: "Follow the instruction.",
    guidelines: include_str!("../../data/guidelines/instruction.md"),
    form: Form::Text,
    scoring: Scoring::STRICT,
    finish: None,
    wordings: None,
    parser: None,
};
