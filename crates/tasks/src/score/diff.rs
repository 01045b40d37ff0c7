use graft_core::{AnswerForm, TaskCard};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{fields, normal};
use crate::cards::Scoring;

/// Two answers to one message, field by field.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Diff {
    /// Single values, in the schema's order; one unnamed field for texts and labels.
    pub fields: Vec<FieldDiff>,
    /// List items in both answers.
    pub both: Vec<Value>,
    /// List items only in the left answer.
    pub only_left: Vec<Value>,
    /// List items only in the right answer.
    pub only_right: Vec<Value>,
    /// Right count of list items minus left count.
    pub item_count_difference: i64,
    /// The share of fields and items that agree, from 0 to 1.
    pub score: f64,
}

/// One field of two answers.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FieldDiff {
    /// The field's name.
    pub field: String,
    /// The left answer's value.
    pub left: Value,
    /// The right answer's value.
    pub right: Value,
    /// Whether they mean the same.
    pub same: bool,
}

/// Says where two answers differ, by the same rules as [`score`](super::score).
#[must_use]
pub fn diff(card: &TaskCard, rules: &Scoring, left: &Value, right: &Value) -> Diff {
    let mut out = Diff {
        fields: Vec::new(),
        both: Vec::new(),
        only_left: Vec::new(),
        only_right: Vec::new(),
        item_count_difference: 0,
        score: 0.0,
    };
    let single = |name: &str, schema: &Value, left: Option<&Value>, right: Option<&Value>| FieldDiff {
        field: name.to_owned(),
        left: left.cloned().unwrap_or_default(),
        right: right.cloned().unwrap_or_default(),
        same: normal::key(left, schema, name, rules) == normal::key(right, schema, name, rules),
    };
    match &card.answer {
        AnswerForm::Json { schema } => {
            for (name, inner) in fields::properties(schema) {
                match inner.get("items") {
                    Some(item) => out.list(name, item, left, right, rules),
                    None => out.fields.push(single(name, inner, left.get(name), right.get(name))),
                }
            }
        }
        AnswerForm::Text | AnswerForm::Label { .. } => {
            out.fields.push(single("", &Value::Object(Map::new()), Some(left), Some(right)));
        }
    }
    let same = out.fields.iter().filter(|field| field.same).count() + out.both.len();
    let all = out.fields.len() + out.both.len() + out.only_left.len() + out.only_right.len();
    out.score = if all == 0 { 1.0 } else { same as f64 / all as f64 };
    out
}

impl Diff {
    fn list(&mut self, field: &str, item: &Value, left: &Value, right: &Value, rules: &Scoring) {
        let names: Vec<&str> = fields::properties(item).map(|(name, _)| name).collect();
        let scored: Vec<&str> =
            names.into_iter().filter(|name| !rules.unscored.iter().any(|unscored| unscored == name)).collect();
        let side = |answer: &Value| -> Vec<(Vec<Option<String>>, Value)> {
            let list = answer.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
            let kept = list.into_iter().filter(|value| scored.is_empty() || value.is_object());
            fields::item_keys(Some(answer), field, item, &scored, rules).into_iter().zip(kept).collect()
        };
        let (left, mut right) = (side(left), side(right));
        self.item_count_difference += right.len() as i64 - left.len() as i64;
        for (key, value) in left {
            match right.iter().position(|(other, _)| *other == key) {
                Some(at) => {
                    right.remove(at);
                    self.both.push(value);
                }
                None => self.only_left.push(value),
            }
        }
        self.only_right.extend(right.into_iter().map(|(_, value)| value));
    }
}
