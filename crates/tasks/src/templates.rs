//! Task templates with a dozen examples each.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::cards::Form;

/// A task to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = TaskTemplate)]
pub struct Template {
    /// Names it, and is proposed as the task's name.
    pub name: &'static str,
    /// What a file says.
    #[serde(flatten)]
    pub file: TemplateFile,
}

/// A template as it stands in its file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TemplateFile {
    /// For people.
    pub title: String,
    /// What it is for, a sentence.
    pub about: String,
    /// Put before the input.
    pub instruction: String,
    /// The form of its answers.
    pub form: Form,
    /// Form `fields`: JSON Schema of the answer.
    #[serde(default, deserialize_with = "from_text", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub schema: Option<Value>,
    /// How people judge its examples.
    pub guidelines: String,
    /// Examples, as text that people could paste.
    pub examples: String,
}

fn from_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    let text = String::deserialize(deserializer)?;
    serde_json::from_str(&text).map(Some).map_err(serde::de::Error::custom)
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../data/templates/", $name, ".toml")))),*]
    };
}

/// All templates, in the order they are shown.
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
        let read =
            |(name, text): (&'static str, &str)| Template { name, file: toml::from_str(text).expect("a tested file") };
        files.into_iter().map(read).collect()
    });
    &ALL
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{schema, tabular::Columns, understand::understand};

    #[test]
    fn every_template_is_inferred_as_declared() {
        assert_eq!(templates().len(), 11);
        for Template { name, file } in templates() {
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
