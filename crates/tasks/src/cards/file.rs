//! Tasks as TOML. TOML has no null, which JSON Schemas use, so a schema is stored as text.

use serde_json::Value;

use super::Task;
use crate::Error;

impl Task {
    /// Reads a task from TOML.
    ///
    /// # Errors
    /// [`Error::TaskFile`]; as [`Task::checked`].
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        toml::from_str::<Self>(text).map_err(|e| Error::TaskFile(Box::new(e)))?.checked()
    }

    /// Reads a task from a file's text, in TOML or JSON; `name` takes the place of the file's own.
    ///
    /// # Errors
    /// [`Error::TaskFile`], [`Error::TaskJson`]; as [`Task::checked`].
    pub fn read(text: &str, name: Option<&str>) -> Result<Self, Error> {
        let mut task: Self = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(Error::TaskJson)?,
            false => toml::from_str(text).map_err(|e| Error::TaskFile(Box::new(e)))?,
        };
        if let Some(name) = name {
            name.clone_into(&mut task.name);
        }
        task.checked()
    }

    /// The text of a file that reads as this task.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let plain = Self { schema: None, ..self.clone() };
        let text = toml::to_string_pretty(&plain).unwrap_or_default();
        let Some(schema) = &self.schema else { return text };
        let schema = format!("{schema:#}\n");
        let quoted = match schema.contains("'''") {
            false => format!("'''\n{schema}'''"),
            true => toml::Value::String(schema).to_string(),
        };
        // Name and form, which have a line each, come first.
        let at = text.match_indices('\n').nth(1).map_or(text.len(), |(at, _)| at + 1);
        format!("{}schema = {quoted}\n{}", &text[..at], &text[at..])
    }

    /// A schema that was given as its text.
    pub(super) fn with_schema_read(mut self) -> Result<Self, Error> {
        if let Some(Value::String(text)) = &self.schema {
            let read = serde_json::from_str(text);
            self.schema = Some(read.map_err(|e| Error::bad_task(&self.name, "schema", format!("it is no JSON: {e}")))?);
        }
        Ok(self)
    }
}
