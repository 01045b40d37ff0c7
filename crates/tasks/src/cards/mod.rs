//! Task cards: each task's instruction, answer form and scoring rules, one file a task.
//!
//! To add a task, add a file with a [`Task`] beside these and name it in `TASKS`.

pub(crate) mod ask_ai;
mod chat;
mod instruction;
mod sentiment;
pub(crate) mod slack_rescue;
mod text_classification;

use std::collections::BTreeSet;

use graft_core::{AnswerForm, TaskCard};
use serde_json::Value;

use crate::{Error, baseline::Baseline, pounds::Tables, variants::Wordings};

/// Every task, in the order they are shown.
static TASKS: [&Task; 6] =
    [&slack_rescue::TASK, &ask_ai::TASK, &text_classification::TASK, &sentiment::TASK, &instruction::TASK, &chat::TASK];

/// All that is declared about a task.
#[derive(Debug)]
pub struct Task {
    /// As users type it.
    pub name: &'static str,
    /// Put before the input; short, for it is part of every prompt.
    pub instruction: &'static str,
    /// How people judge its examples, unless they wrote their own guidelines: paragraphs, and lines that begin with "- ".
    pub guidelines: &'static str,
    /// What the model must write.
    pub form: Form,
    /// How answers are compared with the truth.
    pub scoring: Scoring,
    /// Adds what is computed rather than learned.
    pub finish: Option<fn(Value, &Tables) -> Value>,
    /// The words in which answers can be told, for training.
    pub wordings: Option<fn() -> Wordings>,
    /// Makes the parser that answers by rules, without a model, where there is one.
    pub parser: Option<fn(&Tables) -> Baseline>,
}

/// The form of a task's answer before its data is known.
#[derive(Debug)]
pub enum Form {
    /// Free text.
    Text,
    /// One of the data's labels, or of these when the data names none.
    Labels(&'static [&'static str]),
    /// A JSON object; the function builds its schema.
    Json(fn() -> Value),
}

/// Exceptions from the usual comparison of JSON answers. Texts are compared without case, extra spaces, outer
/// punctuation and a leading "the"; numbers to three decimals; the order of a list doesn't matter.
#[derive(Debug, Default)]
pub struct Scoring {
    /// Top-level fields compared to the letter.
    pub exact: &'static [&'static str],
    /// Properties of list items that don't decide whether an item is right; they are scored on their own.
    pub unscored: &'static [&'static str],
    /// Property, its value, and the value it stands for (`None` is null).
    pub synonyms: &'static [(&'static str, &'static str, Option<&'static str>)],
}

impl Scoring {
    /// No exceptions.
    pub const STRICT: Self = Self { exact: &[], unscored: &[], synonyms: &[] };
}

/// The names of all tasks.
pub fn names() -> impl Iterator<Item = &'static str> {
    TASKS.iter().map(|task| task.name)
}

/// What is declared about a task.
///
/// # Errors
/// [`Error::UnknownTask`].
pub fn task(name: &str) -> Result<&'static Task, Error> {
    TASKS.iter().find(|task| task.name == name).copied().ok_or_else(|| Error::UnknownTask(name.to_owned()))
}

/// The card that travels with an adapter. `labels` are those of the data; only label tasks look at them.
///
/// # Errors
/// [`Error::UnknownTask`]; [`Error::FewLabels`] where a label task has fewer than two.
pub fn card(name: &str, labels: &[String]) -> Result<TaskCard, Error> {
    let task = task(name)?;
    let answer = match task.form {
        Form::Text => AnswerForm::Text,
        Form::Json(schema) => AnswerForm::Json { schema: schema() },
        Form::Labels(known) => AnswerForm::Label { labels: all_labels(name, known, labels)? },
    };
    Ok(TaskCard { name: name.to_owned(), instruction: task.instruction.to_owned(), answer })
}

fn all_labels(task: &str, known: &[&str], given: &[String]) -> Result<Vec<String>, Error> {
    let mut labels: BTreeSet<&str> = given.iter().map(|label| label.trim()).filter(|label| !label.is_empty()).collect();
    if labels.is_empty() {
        labels.extend(known);
    }
    if labels.len() < 2 {
        return Err(Error::FewLabels { task: task.to_owned(), count: labels.len() });
    }
    Ok(labels.into_iter().map(str::to_owned).collect())
}

/// Puts an answer into the form the task wants: labels and texts trimmed to strings, objects in the schema's order and
/// without fields the schema doesn't have.
///
/// # Errors
/// What is wrong with the answer, as a lowercase fragment.
pub fn accept(task: &Task, answer: &Value) -> Result<Value, String> {
    match (&task.form, answer) {
        (Form::Json(schema), Value::Object(_)) => {
            let schema = schema();
            let shaped = crate::schema::conform(&schema, answer);
            crate::schema::check(&schema, &shaped).map(|()| shaped)
        }
        (Form::Json(schema), Value::String(text)) => {
            let inner: Value = serde_json::from_str(text).map_err(|e| format!("the answer is not JSON: {e}"))?;
            if inner.is_object() {
                accept(task, &inner)
            } else {
                crate::schema::check(&schema(), &inner).map(|()| inner)
            }
        }
        (Form::Json(_), _) => Err("the answer is not a JSON object".into()),
        (_, Value::String(text)) if text.trim().is_empty() => Err("the answer is blank".into()),
        (_, Value::String(text)) => Ok(Value::from(text.trim())),
        (_, Value::Number(_) | Value::Bool(_)) => Ok(Value::from(answer.to_string())),
        (Form::Text, Value::Object(_) | Value::Array(_)) => Ok(Value::from(answer.to_string())),
        _ => Err(format!("the answer is {answer} and not a text")),
    }
}

/// Adds what is computed rather than learned to an answer: for `slack-rescue`, the estimated pounds.
#[must_use]
pub fn finish(task: &str, value: Value, tables: &Tables) -> Value {
    match TASKS.iter().find(|t| t.name == task).and_then(|t| t.finish) {
        Some(finish) => finish(value, tables),
        None => value,
    }
}

/// The parser that answers a task by rules, without a model, if it has one.
#[must_use]
pub fn parser(task: &str, tables: &Tables) -> Option<Baseline> {
    TASKS.iter().find(|t| t.name == task)?.parser.map(|parser| parser(tables))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_task_makes_a_card() {
        for name in names() {
            let card = card(name, &["b".into(), " a ".into(), "b".into()]).unwrap();
            assert!(card.instruction.len() < 400 && card.instruction.trim() == card.instruction, "{name}");
            assert!(task(name).unwrap().guidelines.contains("\n- "), "{name}");
            if let AnswerForm::Label { labels } = card.answer {
                assert_eq!(labels, ["a", "b"]);
            }
        }
        assert!(matches!(card("slack", &[]), Err(Error::UnknownTask(_))));
        assert!(matches!(card("text-classification", &["spam".into()]), Err(Error::FewLabels { count: 1, .. })));
        assert!(card("sentiment", &[]).is_ok());
    }

    #[test]
    fn slack_fields_keep_their_order() {
        let AnswerForm::Json { schema } = card("slack-rescue", &[]).unwrap().answer else { panic!("no schema") };
        let keys = |v: &Value| v["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&schema), ["direction", "rescue_location", "drop_off_location", "items"]);
        assert_eq!(keys(&schema["properties"]["items"]["items"]), ["name", "quantity", "unit", "subcategory"]);
        assert_eq!(schema["required"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn answers_take_the_tasks_form() {
        let slack = task("slack-rescue").unwrap();
        let item = json!({"subcategory": "dairy", "name": "milk", "quantity": 2, "unit": "case", "estimated_lbs": 36});
        let answer =
            json!({"items": [item], "direction": "inbound", "rescue_location": null, "drop_off_location": null});
        let shaped = accept(slack, &answer).unwrap();
        assert!(shaped.to_string().starts_with(r#"{"direction":"inbound""#) && !shaped.to_string().contains("lbs"));
        assert_eq!(accept(slack, &Value::from(answer.to_string())).unwrap(), shaped);
        assert!(accept(slack, &json!({"direction": "up"})).is_err());
        let label = task("text-classification").unwrap();
        assert_eq!(accept(label, &json!(1)), Ok(json!("1")));
        assert!(accept(label, &json!("  ")).is_err() && accept(label, &Value::Null).is_err());
    }
}
