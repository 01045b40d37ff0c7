//! Task templates with a dozen examples each.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    Error,
    cards::{Form, Task, check_name},
    tabular::Columns,
    understand::understand,
};

/// Longest examples of a template, in bytes.
const LONGEST_EXAMPLES: usize = 1 << 20;
/// Longest sentence about a template, in characters.
const LONGEST_ABOUT: usize = 300;
/// Longest text that is filled in, in characters.
const LONGEST_VALUE: usize = 200;
/// Most variables of a template.
const MOST_VARIABLES: usize = 20;

/// A task to begin with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Template {
    /// Names it, and is proposed as the task's name.
    pub name: String,
    /// Who saved it; absent for one that Graft comes with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub saved_by: Option<String>,
    /// What a file says.
    #[serde(flatten)]
    pub file: TemplateFile,
}

/// A template as it stands in its file. `{{name}}` in a text is replaced with the value of that variable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateFile {
    /// For people.
    pub title: String,
    /// What it is for, a sentence.
    #[serde(default)]
    pub about: String,
    /// Put before the input.
    pub instruction: String,
    /// The form of its answers.
    pub form: Form,
    /// Form `fields`: JSON Schema of the answer, as an object or as its text.
    #[serde(default, deserialize_with = "schema", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// How people judge its examples.
    #[serde(default)]
    pub guidelines: String,
    /// Examples, as text that people could paste.
    #[serde(default)]
    pub examples: String,
    /// What people fill in before they use it. When a template is saved, every `{{name}}` of its title, instruction and
    /// guidelines becomes one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<Variable>,
}

/// Something that people fill in before they use a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TemplateVariable)]
pub struct Variable {
    /// Lowercase letters, digits and `_`; `{{name}}` stands for it.
    pub name: String,
    /// For people; made of the name if it is blank.
    #[serde(default)]
    pub title: String,
    /// Filled in if nothing else is.
    #[serde(default)]
    pub value: String,
}

fn schema<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Ok(match Option::<Value>::deserialize(deserializer)? {
        Some(Value::String(text)) => Some(serde_json::from_str(&text).map_err(serde::de::Error::custom)?),
        given => given,
    })
}

impl TemplateFile {
    /// Reads a template from TOML or JSON.
    ///
    /// # Errors
    /// [`Error::TemplateFile`] or [`Error::TemplateJson`].
    pub fn read(text: &str) -> Result<Self, Error> {
        match text.trim_start().starts_with('{') {
            true => serde_json::from_str(text).map_err(Error::TemplateJson),
            false => toml::from_str(text).map_err(|error| Error::TemplateFile(Box::new(error))),
        }
    }

    /// As TOML, which [`read`](Self::read) reads.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut table = serde_json::to_value(self).unwrap_or_default();
        if let Some(schema) = table.get_mut("schema") {
            *schema = serde_json::to_string_pretty(schema).unwrap_or_default().into();
        }
        toml::to_string_pretty(&table).unwrap_or_default()
    }

    /// The template in its usual form, with every variable declared.
    ///
    /// # Errors
    /// [`Error::BadTemplate`] with the field that is wrong.
    pub fn checked(mut self, name: &str) -> Result<Self, Error> {
        let wrong = |field: &str, reason: String| Err(Error::bad_template(name, field, reason));
        if let Err(Error::BadTask { reason, .. }) = check_name(name) {
            return wrong("name", reason);
        }
        for text in [&mut self.title, &mut self.about, &mut self.instruction, &mut self.guidelines] {
            *text = text.trim().to_owned();
        }
        if self.title.is_empty() {
            return wrong("title", "it is blank".into());
        }
        if self.about.chars().count() > LONGEST_ABOUT {
            return wrong("about", format!("it has more than {LONGEST_ABOUT} characters"));
        }
        if self.examples.len() > LONGEST_EXAMPLES {
            return wrong("examples", format!("they have more than {LONGEST_EXAMPLES} bytes"));
        }
        for found in [&self.title, &self.instruction, &self.guidelines].into_iter().flat_map(|text| names(text)) {
            if self.variables.iter().all(|variable| variable.name != found) {
                self.variables.push(Variable { name: found, title: String::new(), value: String::new() });
            }
        }
        if self.variables.len() > MOST_VARIABLES {
            return wrong("variables", format!("there are more than {MOST_VARIABLES}"));
        }
        let mut known = BTreeSet::new();
        for variable in &mut self.variables {
            let wrong = |reason: &str| wrong("variables", format!("`{}`: {reason}", variable.name));
            if !is_name(&variable.name) {
                return wrong("use lowercase letters, digits and `_`");
            }
            if !known.insert(variable.name.clone()) {
                return wrong("it is there twice");
            }
            if let Some(reason) = refusal(&variable.value) {
                return wrong(reason);
            }
            variable.title = variable.title.trim().to_owned();
            if variable.title.is_empty() {
                variable.title = title(&variable.name);
            }
        }
        // With some text for each variable it must make a task.
        let some = known.into_iter().map(|name| (name, "text".to_owned())).collect();
        match self.filled(name, &some)?.task(name).checked() {
            Err(Error::BadTask { field, reason, .. }) => wrong(&field, reason),
            Err(error) => Err(error),
            Ok(_) => Ok(self),
        }
    }

    /// The template with its variables filled in; those that aren't given have their own value.
    ///
    /// # Errors
    /// [`Error::BadTemplate`]: a variable is unknown or has no value, or its value can't stand in an example.
    pub fn filled(&self, name: &str, values: &BTreeMap<String, String>) -> Result<Self, Error> {
        let wrong = |variable: &str, reason: String| Err(Error::bad_template(name, variable, reason));
        if let Some(unknown) = values.keys().find(|name| self.variables.iter().all(|known| known.name != **name)) {
            let known: Vec<&str> = self.variables.iter().map(|known| known.name.as_str()).collect();
            let has = if known.is_empty() { "none".into() } else { known.join(", ") };
            return wrong(unknown, format!("the template has no such variable (it has {has})"));
        }
        let mut filled = self.clone();
        for variable in std::mem::take(&mut filled.variables) {
            let value = values.get(&variable.name).map_or(variable.value.as_str(), |value| value.trim());
            if value.is_empty() {
                return wrong(&variable.name, "it has no value".into());
            }
            if let Some(reason) = refusal(value) {
                return wrong(&variable.name, reason.into());
            }
            let place = format!("{{{{{}}}}}", variable.name);
            let TemplateFile { title, about, instruction, guidelines, examples, .. } = &mut filled;
            for text in [title, about, instruction, guidelines, examples] {
                *text = text.replace(&place, value);
            }
            if let Some(schema) = &mut filled.schema {
                replace(schema, &place, value);
            }
        }
        Ok(filled)
    }

    /// The task that it is, by another name; its labels are those of the examples.
    #[must_use]
    pub fn task(&self, name: &str) -> Task {
        let mut task = Task::blank(name, self.form);
        task.title.clone_from(&self.title);
        task.instruction.clone_from(&self.instruction);
        task.guidelines.clone_from(&self.guidelines);
        task.schema.clone_from(&self.schema);
        if self.form == Form::Labels {
            let found = understand(&self.examples, &Columns::default()).labels;
            task.labels = found.into_iter().map(|one| one.label).collect();
            task.labels.sort();
        }
        task
    }
}

/// Replaces a text in all strings.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) => *text = text.replace(from, to),
        Value::Array(all) => all.iter_mut().for_each(|inner| replace(inner, from, to)),
        Value::Object(fields) => fields.values_mut().for_each(|inner| replace(inner, from, to)),
        _ => {}
    }
}

/// Why a text can't be filled in: it must not end a quoted text or a line of the examples, or hold a variable itself.
fn refusal(value: &str) -> Option<&'static str> {
    if value.chars().count() > LONGEST_VALUE {
        return Some("its value has more than 200 characters");
    }
    (value.contains(['"', '{', '}']) || value.contains(char::is_control))
        .then_some("its value has a line break, a double quote or a brace")
}

fn is_name(name: &str) -> bool {
    name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// The variables of a text, each once, in their order.
fn names(text: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for rest in text.split("{{").skip(1) {
        if let Some((name, _)) = rest.split_once("}}")
            && is_name(name)
            && !found.iter().any(|known| known == name)
        {
            found.push(name.to_owned());
        }
    }
    found
}

/// `kind_of_text` as people read it.
fn title(name: &str) -> String {
    let mut words = name.replace('_', " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../data/templates/", $name, ".toml")))),*]
    };
}

/// The templates that Graft comes with, in the order they are shown.
pub fn templates() -> &'static [Template] {
    static ALL: LazyLock<Vec<Template>> = LazyLock::new(|| {
        let files = files![
            "review-sentiment",
            "spam",
            "intent",
            "topic",
            "ticket-priority",
            "commit-kind",
            "invoice-fields",
            "contact-details",
            "product-attributes",
            "postal-addresses",
            "meeting-actions",
        ];
        let read = |(name, text): (&str, &str)| Template {
            name: name.to_owned(),
            saved_by: None,
            file: TemplateFile::read(text).and_then(|file| file.checked(name)).expect("a tested file"),
        };
        files.into_iter().map(read).collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    #[test]
    fn every_template_is_inferred_as_declared() {
        assert_eq!(templates().len(), 11);
        for Template { name, file, .. } in templates() {
            assert_eq!(file.clone().checked(name).unwrap(), *file, "{name}");
            assert_eq!(TemplateFile::read(&file.to_toml()).unwrap(), *file, "{name}");
            let file = &file.filled(name, &BTreeMap::new()).unwrap();
            let found = understand(&file.examples, &Columns::default());
            assert_eq!((found.form, found.counts.answered, found.counts.problems), (Some(file.form), 12, 0), "{name}");
            assert!(file.instruction.len() < 400 && !file.guidelines.trim().is_empty(), "{name}");
            assert_eq!(file.schema.is_some(), file.form == Form::Fields, "{name}");
            for example in &found.examples {
                if let (Some(schema), Some(answer)) = (&file.schema, &example.output) {
                    assert_eq!(schema::check(schema, answer), Ok(()), "{name}: {}", example.input);
                    grounded(schema, answer, &example.input, name);
                }
            }
            if file.form == Form::Labels {
                assert!(found.labels.len() >= 2 && found.labels.iter().all(|label| label.count >= 3), "{name}");
            }
        }
    }

    #[test]
    fn variables_are_filled_in_everywhere_and_declared_when_saved() {
        let file = TemplateFile::read(
            r#"
            title = "Kind of {{what}}"
            instruction = "Which kind of {{what}} for {{who}}?"
            form = "labels"
            variables = [{name = "what", value = "message"}]
            examples = """
"a {{what}} about tea" -> drink
"a {{what}} about {{pie}}" -> food
"""
            "#,
        );
        let file = file.unwrap().checked("kinds").unwrap();
        let declared: Vec<_> = file.variables.iter().map(|one| (&*one.name, &*one.title, &*one.value)).collect();
        assert_eq!(declared, [("what", "What", "message"), ("who", "Who", "")]);
        let fill = |values: &[(&str, &str)]| {
            let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            file.filled("kinds", &values)
        };
        let filled = fill(&[("who", "the kitchen")]).unwrap();
        assert_eq!(
            (&*filled.title, &*filled.instruction),
            ("Kind of message", "Which kind of message for the kitchen?")
        );
        assert_eq!(filled.examples, "\"a message about tea\" -> drink\n\"a message about {{pie}}\" -> food\n");
        assert_eq!(filled.task("kinds").labels, ["drink", "food"]);
        for (values, field, words) in [
            (&[][..], "who", "no value"),
            (&[("who", "x"), ("whom", "y")], "whom", "it has what, who"),
            (&[("who", "a \" -> b")], "who", "double quote"),
            (&[("who", "a\nb")], "who", "line break"),
        ] {
            let Err(Error::BadTemplate { field: named, reason, .. }) = fill(values) else { panic!("{values:?}") };
            assert!(named == field && reason.contains(words), "{named}: {reason}");
        }
        let fields = TemplateFile { form: Form::Fields, ..filled };
        assert!(matches!(fields.checked("kinds"), Err(Error::BadTemplate { field, .. }) if field == "schema"));
    }

    /// Whether what is to be copied from the input stands there.
    fn grounded(schema: &Value, answer: &Value, input: &str, name: &str) {
        for (field, inner) in schema["properties"].as_object().into_iter().flatten() {
            if inner.get("items").is_some() {
                for item in answer[field].as_array().into_iter().flatten() {
                    grounded(&inner["items"], item, input, name);
                }
            } else if inner["x-graft-grounded"] == true
                && let Some(text) = answer[field].as_str()
            {
                assert!(input.contains(text), "{name}: `{text}` is not in `{input}`");
            }
        }
    }
}
