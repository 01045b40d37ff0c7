//! An answer as one short JSON line, as `graft infer` and batches write it.

use graft_core::{AnswerForm, TaskCard};
use serde_json::{Map, Value, json};

use super::{Answer, Input};

/// The input's key, the fields of the answer, its confidence and the version; the reason where there is no answer.
#[must_use]
pub fn answer_line(
    input: &Input,
    answer: std::result::Result<&Answer, &String>,
    card: &TaskCard,
    version: &str,
) -> Map<String, Value> {
    let mut line = Map::new();
    if !input.key.is_empty() {
        line.insert(input.key.into(), input.id.clone().into());
    }
    let answer = match answer {
        Ok(answer) => answer,
        Err(reason) => {
            line.extend([("version".to_owned(), version.into()), ("valid".to_owned(), false.into())]);
            line.insert("error".into(), reason.as_str().into());
            return line;
        }
    };
    match (&answer.answer, &card.answer) {
        (Value::Object(fields), _) => line.extend(fields.clone()),
        (value, AnswerForm::Label { .. }) => drop(line.insert("label".into(), value.clone())),
        (value, _) => drop(line.insert("text".into(), value.clone())),
    }
    line.insert("confidence".into(), rounded(answer.confidence));
    if !answer.fields.is_empty() {
        let fields: Map<String, Value> = answer.fields.iter().map(|(path, p)| (path.clone(), rounded(*p))).collect();
        line.insert("field_confidence".into(), fields.into());
    }
    line.insert("version".into(), version.into());
    line.insert("valid".into(), answer.valid.into());
    line
}

fn rounded(probability: f64) -> Value {
    json!((probability * 1e4).round() / 1e4)
}
