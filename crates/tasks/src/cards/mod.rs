//! Tasks: instruction, answer form, scoring rules and baseline, as data.
//!
//! A [`Task`] is what people write, in TOML or JSON. Those that Graft comes with are the files of `data/tasks`; people
//! make their own, which the engine keeps.

mod check;
mod file;
mod task;

use std::sync::LazyLock;

pub use self::{
    check::check_name,
    task::{BaselineSpec, Computed, Form, Integration, Scoring, Synonym, Task, Training},
};
use crate::Error;
use graft_core::TaskCard;

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
    BUILT_IN
        .iter()
        .find(|task| task.name == name)
        .ok_or_else(|| Error::UnknownTask { name: name.to_owned(), known: names().map(str::to_owned).collect() })
}

/// The card of a task that Graft comes with: [`Task::card`].
///
/// # Errors
/// [`Error::UnknownTask`]; as [`Task::card`].
pub fn card(name: &str, labels: &[String]) -> Result<TaskCard, Error> {
    task(name)?.card(labels)
}

#[cfg(test)]
mod tests;
