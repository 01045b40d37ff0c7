//! Tasks: instruction, answer form, scoring rules and baseline, as data.
//!
//! A [`Task`] is what people write, in TOML or JSON. Those that Graft comes with are the files of `data/tasks`; people
//! make their own, which the engine keeps.

mod check;
mod file;
mod task;

use std::sync::LazyLock;

use graft_core::TaskCard;
use serde_json::Value;

pub use self::{
    check::check_name,
    task::{BaselineSpec, Computed, Form, Integration, Scoring, Synonym, Task, Training},
};
use crate::{Error, baseline::Baseline, pounds::Tables};

/// Every task that Graft comes with, in the order they are shown.
static BUILT_IN: LazyLock<Vec<Task>> = LazyLock::new(|| {
    let files = [
        include_str!("../../data/tasks/slack-rescue.toml"),
        include_str!("../../data/tasks/ask-ai.toml"),
        include_str!("../../data/tasks/text-classification.toml"),
        include_str!("../../data/tasks/sentiment.toml"),
        include_str!("../../data/tasks/instruction.toml"),
        include_str!("../../data/tasks/chat.toml"),
    ];
    files.into_iter().map(|text| Task::from_toml(text).expect("a tested file")).collect()
});

/// The tasks that Graft comes with, in the order they are shown.
#[must_use]
pub fn built_in() -> &'static [Task] {
    &BUILT_IN
}

/// The names of the tasks that Graft comes with.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILT_IN.iter().map(|task| task.name.as_str())
}

/// A task that Graft comes with.
///
/// # Errors
/// [`Error::UnknownTask`].
pub fn task(name: &str) -> Result<&'static Task, Error> {
    BUILT_IN.iter().find(|task| task.name == name).ok_or_else(|| Error::UnknownTask(name.to_owned()))
}

/// The card of a task that Graft comes with: [`Task::card`].
///
/// # Errors
/// [`Error::UnknownTask`]; as [`Task::card`].
pub fn card(name: &str, labels: &[String]) -> Result<TaskCard, Error> {
    task(name)?.card(labels)
}

/// Puts an answer into the form the task wants: [`Task::accept`].
///
/// # Errors
/// What is wrong with the answer, as a lowercase fragment.
pub fn accept(task: &Task, answer: &Value) -> Result<Value, String> {
    task.accept(answer)
}

/// Adds what is computed rather than learned to an answer.
#[must_use]
pub fn finish(name: &str, value: Value, tables: &Tables) -> Value {
    match task(name) {
        Ok(task) => task.finish(value, tables),
        Err(_) => value,
    }
}

/// The parser that answers a task by rules, without a model, if it has one.
#[must_use]
pub fn parser(name: &str, tables: &Tables) -> Option<Baseline> {
    task(name).ok()?.parser(tables)
}

#[cfg(test)]
mod tests;
