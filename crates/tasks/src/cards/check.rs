//! Validates task definitions.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{BaselineSpec, Form, Task, task::field_of};
use crate::{
    Error,
    baseline::FOOD_RESCUE,
    rules::{BadRules, Rules},
    score,
    variants::Wordings,
};

/// Longest name, in characters.
const LONGEST_NAME: usize = 60;
/// Longest instruction, in characters: it is part of every prompt.
const LONGEST_INSTRUCTION: usize = 4000;
/// Longest guidelines, in characters.
const LONGEST_GUIDELINES: usize = 20_000;
/// Longest schema, as text in bytes.
const LONGEST_SCHEMA: usize = 100_000;
/// Longest command, in bytes with its arguments.
const LONGEST_COMMAND: usize = 4000;
/// Seconds that an answer of a command or endpoint may take at most.
const LONGEST_PATIENCE: u32 = 60;
/// Most labels.
const MOST_LABELS: usize = 1000;

/// Names that paths of the API have.
const RESERVED: [&str; 5] = ["export", "import", "mask", "new", "understand"];

/// Refuses a name that no task can have.
///
/// # Errors
/// [`Error::BadTask`].
pub fn check_name(name: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    let fits = name.len() <= LONGEST_NAME
        && name.chars().all(plain)
        && ends(name.chars().next())
        && ends(name.chars().next_back());
    let wrong = |reason: String| Err(Error::bad_task(name, "name", reason));
    if !fits {
        return wrong(format!(
            "use 1 to {LONGEST_NAME} lowercase letters, digits and `-`; `-` must not be first or last"
        ));
    }
    if RESERVED.contains(&name) {
        return wrong("it is reserved".into());
    }
    Ok(())
}

impl Task {
    /// The definition in its usual form: texts trimmed, a schema that was given as text read.
    ///
    /// # Errors
    /// [`Error::BadTask`] with the field that is wrong.
    pub fn checked(self) -> Result<Self, Error> {
        let mut task = self.with_schema_read()?;
        for text in [&mut task.title, &mut task.instruction, &mut task.guidelines] {
            *text = text.trim().to_owned();
        }
        task.labels.iter_mut().for_each(|label| *label = label.trim().to_owned());
        check_name(&task.name)?;
        task.check_texts()?;
        task.check_form()?;
        task.check_scoring()?;
        task.check_references()?;
        Ok(task)
    }

    fn wrong<T>(&self, field: &str, reason: impl Into<String>) -> Result<T, Error> {
        Err(Error::bad_task(&self.name, field, reason))
    }

    fn check_texts(&self) -> Result<(), Error> {
        let texts = [
            ("title", &self.title, 100),
            ("instruction", &self.instruction, LONGEST_INSTRUCTION),
            ("guidelines", &self.guidelines, LONGEST_GUIDELINES),
        ];
        for (field, text, most) in texts {
            let count = text.chars().count();
            if count > most {
                return self.wrong(field, format!("it has {count} characters; at most {most} are allowed"));
            }
            if text.contains('\0') {
                return self.wrong(field, "it contains a NUL character");
            }
        }
        if self.instruction.is_empty() {
            return self.wrong("instruction", "it is blank");
        }
        Ok(())
    }

    fn check_form(&self) -> Result<(), Error> {
        if self.form != Form::Labels && (!self.labels.is_empty() || self.closed) {
            return self.wrong("labels", format!("a task of the form `{}` has none", self.form.name()));
        }
        if self.form != Form::Fields && (self.schema.is_some() || !self.grounded.is_empty()) {
            return self.wrong("schema", format!("a task of the form `{}` has none", self.form.name()));
        }
        match self.form {
            Form::Labels => self.check_labels(),
            Form::Fields => self.check_schema(),
            Form::Text | Form::Dialogue => Ok(()),
        }
    }

    fn check_labels(&self) -> Result<(), Error> {
        let distinct: BTreeSet<&String> = self.labels.iter().collect();
        if self.labels.iter().any(|label| label.is_empty() || label.contains('\0')) {
            return self.wrong("labels", "one is blank or holds a NUL character");
        }
        if distinct.len() < self.labels.len() {
            return self.wrong("labels", "one occurs twice");
        }
        if self.labels.len() > MOST_LABELS {
            return self.wrong("labels", format!("there are more than {MOST_LABELS}"));
        }
        if self.closed && self.labels.len() < 2 {
            return self.wrong("labels", "a closed task needs at least two");
        }
        Ok(())
    }

    fn check_schema(&self) -> Result<(), Error> {
        let Some(schema) = &self.schema else { return self.wrong("schema", "a task with fields needs one") };
        if schema.to_string().len() > LONGEST_SCHEMA {
            return self.wrong("schema", format!("its text is longer than {LONGEST_SCHEMA} bytes"));
        }
        let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
        let properties = schema.get("properties").and_then(Value::as_object);
        if !is_object || properties.is_none_or(serde_json::Map::is_empty) {
            return self.wrong("schema", "it is not of the type `object` with `properties`");
        }
        for path in &self.grounded {
            let mut schema = schema.clone();
            let is_text = |field: &mut Value| match field.get("type") {
                Some(Value::String(name)) => name == "string",
                Some(Value::Array(names)) => names.iter().any(|name| name == "string"),
                _ => false,
            };
            if !field_of(&mut schema, path).is_some_and(is_text) {
                return self.wrong("grounded", format!("`{path}` is not a string field of the schema"));
            }
        }
        Ok(())
    }

    fn check_scoring(&self) -> Result<(), Error> {
        let Some(metric) = &self.scoring.metric else { return Ok(()) };
        let known = score::deciding(self);
        if known.contains(metric) {
            return Ok(());
        }
        self.wrong("scoring.metric", format!("`{metric}` is not one of {}", known.join(", ")))
    }

    /// What a definition names that Graft must have.
    fn check_references(&self) -> Result<(), Error> {
        if let Some(name) = &self.wordings
            && Wordings::built_in(name).is_none()
        {
            return self.wrong("wordings", format!("Graft has no wordings named `{name}`"));
        }
        self.baseline.as_ref().map_or(Ok(()), |baseline| self.check_baseline(baseline))
    }

    fn check_baseline(&self, baseline: &BaselineSpec) -> Result<(), Error> {
        let timed = |seconds: u32| match (1..=LONGEST_PATIENCE).contains(&seconds) {
            true => Ok(()),
            false => self.wrong("baseline.timeout_seconds", format!("{seconds} is not from 1 to {LONGEST_PATIENCE}")),
        };
        match baseline {
            BaselineSpec::BuiltIn { name } if name != FOOD_RESCUE => {
                self.wrong("baseline.name", format!("`{name}` is not one of {FOOD_RESCUE}"))
            }
            BaselineSpec::BuiltIn { .. } => Ok(()),
            BaselineSpec::Rules(rules) => match Rules::new(rules, self) {
                Ok(_) => Ok(()),
                Err(BadRules { field, reason }) => self.wrong(&format!("baseline.{field}"), reason),
            },
            BaselineSpec::Command { command, timeout_seconds } => {
                let size: usize = command.iter().map(String::len).sum();
                if command.first().is_none_or(String::is_empty) || size > LONGEST_COMMAND {
                    return self.wrong("baseline.command", "it names no program, or is too long");
                }
                if command.iter().any(|part| part.contains('\0')) {
                    return self.wrong("baseline.command", "it holds a NUL character");
                }
                if command[0].contains(['/', '\\']) && !std::path::Path::new(&command[0]).is_absolute() {
                    return self.wrong("baseline.command", "its program is neither an absolute path nor a plain name");
                }
                timed(*timeout_seconds)
            }
            BaselineSpec::Endpoint { url, timeout_seconds } => {
                let address = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
                let host = address.and_then(|rest| rest.split(['/', '?', '#']).next()).filter(|host| !host.is_empty());
                match host {
                    None => self.wrong("baseline.url", "it begins with neither http:// nor https://, or has no host"),
                    // Definitions are exported and shown to everybody.
                    Some(host) if host.contains('@') => self.wrong("baseline.url", "it holds a user or a password"),
                    Some(_) => timed(*timeout_seconds),
                }
            }
        }
    }
}
