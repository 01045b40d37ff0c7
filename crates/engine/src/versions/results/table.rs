//! Results as rows.

use graft_core::json;
use serde_json::Value;

use super::{Results, Row};
use crate::examples::cell;

/// A row for each example, under a heading. Answers that are no text are cells of JSON.
pub(super) fn csv(results: &Results) -> String {
    let mut csv = String::from("id,input,expected,answer,correct,score,confidence\n");
    for Row { id, input, expected, answer, correct, score, confidence, .. } in &results.rows {
        let text = |text: &str| cell(&Value::from(text));
        let answer_of = |answer: &Option<Value>| answer.as_ref().map_or_else(String::new, written);
        let cells = [
            text(id),
            text(input),
            answer_of(expected),
            answer_of(answer),
            correct.to_string(),
            score.to_string(),
            confidence.map_or_else(String::new, |confidence| confidence.to_string()),
        ];
        csv += &cells.join(",");
        csv.push('\n');
    }
    csv
}

/// An answer as a cell: its JSON is a text for spreadsheets, too.
fn written(answer: &Value) -> String {
    match answer {
        Value::Array(_) | Value::Object(_) => cell(&Value::from(answer.to_string())),
        plain => cell(plain),
    }
}

/// A line for each example.
pub(super) fn jsonl(results: &Results) -> String {
    results.rows.iter().map(|row| json::line(row) + "\n").collect()
}
