use serde_json::Value;

use crate::baseline::Baseline;

/// What answers a task by rules, without a model.
#[derive(Clone, Debug)]
pub enum Parser {
    /// The regular expressions that read food-rescue messages.
    FoodRescue(Box<Baseline>),
}

impl Parser {
    /// The answer to an input, in the task's form.
    #[must_use]
    pub fn extract(&self, input: &str) -> Value {
        match self {
            Self::FoodRescue(rules) => rules.extract(input),
        }
    }
}
