//! What a task's baseline is: the rules of Graft or of the task, or something outside that answers.

use graft_tasks::{
    baseline::Baseline,
    cards::{BaselineSpec, Task},
    pounds::Tables,
    rules::{BadRules, Rules},
};
use serde_json::Value;

use crate::{Error, outside};

/// What answers a task by rules, without a model.
#[derive(Clone, Debug)]
pub struct Parser {
    task: Box<Task>,
    by: By,
}

#[derive(Clone, Debug)]
enum By {
    FoodRescue(Box<Baseline>),
    Rules(Box<Rules>),
    Command { command: Vec<String>, timeout_seconds: u32 },
    Endpoint { url: String, timeout_seconds: u32 },
}

impl Parser {
    /// The baseline of a task, if it has one.
    ///
    /// # Errors
    /// [`Error::Rules`] where its rules are those of another schema or other labels.
    pub fn of(task: &Task, tables: &Tables) -> Result<Option<Self>, Error> {
        let Some(baseline) = &task.baseline else { return Ok(None) };
        let by = match baseline {
            BaselineSpec::BuiltIn { .. } => By::FoodRescue(Box::new(Baseline::new(tables))),
            BaselineSpec::Rules(rules) => {
                let misfit = |BadRules { field, reason }| Error::Rules { task: task.name.clone(), field, reason };
                By::Rules(Box::new(Rules::new(rules, task).map_err(misfit)?))
            }
            BaselineSpec::Command { command, timeout_seconds } => {
                By::Command { command: command.clone(), timeout_seconds: *timeout_seconds }
            }
            BaselineSpec::Endpoint { url, timeout_seconds } => {
                By::Endpoint { url: url.clone(), timeout_seconds: *timeout_seconds }
            }
        };
        Ok(Some(Self { task: Box::new(task.clone()), by }))
    }

    /// What people read: `regex`, `command`, `endpoint`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.by {
            By::FoodRescue(_) | By::Rules(_) => "regex",
            By::Command { .. } => "command",
            By::Endpoint { .. } => "endpoint",
        }
    }

    /// Whether a program or a service answers, which takes time and may fail.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        matches!(self.by, By::Command { .. } | By::Endpoint { .. })
    }

    /// The answer to an input, in the task's form. May wait for a program or a service.
    ///
    /// # Errors
    /// [`Error::NoAnswer`] where the rules find none; [`Error::Outside`] where a program or a service fails, is late or
    /// answers in another form.
    pub fn answer(&self, input: &str) -> Result<Value, Error> {
        let no_answer = |why| Error::NoAnswer { task: self.task.name.clone(), why };
        let said = match &self.by {
            By::FoodRescue(rules) => return self.task.accept(&rules.extract(input)).map_err(no_answer),
            By::Rules(rules) => return rules.read(input).answer.map_err(no_answer),
            By::Command { command, timeout_seconds } => outside::run(command, *timeout_seconds, input)?,
            By::Endpoint { url, timeout_seconds } => outside::post(url, *timeout_seconds, &self.task.name, input)?,
        };
        let said = said.trim();
        let answer = serde_json::from_str(said).unwrap_or_else(|_| Value::from(said));
        let misfit = |why| Error::Outside { by: self.name(), why: format!("answered in another form: {why}") };
        self.task.accept(&answer).map_err(misfit)
    }

    /// The answer to an input, and which of the rules gave something, by their places; none for what is no list of rules.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn explain(&self, input: &str) -> (Result<Value, Error>, Vec<usize>) {
        match &self.by {
            By::Rules(rules) => {
                let found = rules.read(input);
                let no_answer = |why| Error::NoAnswer { task: self.task.name.clone(), why };
                (found.answer.map_err(no_answer), found.used)
            }
            _ => (self.answer(input), Vec::new()),
        }
    }
}

/// Failures in a row after which a program or a service is asked nothing more.
const GIVE_UP: usize = 3;

/// Counts the failures of a program or a service that is asked many inputs, so that one that is gone does not cost its time
/// for each of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patience {
    in_a_row: usize,
}

impl Patience {
    /// Whether it failed too often in a row to be asked again.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.in_a_row >= GIVE_UP
    }

    /// Takes note of an answer, or of why there is none. That no rule fits is no failure.
    pub fn note(&mut self, error: Option<&Error>) {
        match error {
            None => self.in_a_row = 0,
            Some(Error::Outside { .. }) => self.in_a_row += 1,
            Some(_) => {}
        }
    }
}
