use serde_json::Value;

use crate::cards::Scoring;

/// A value in the form that two answers are compared in: two are the same where their keys are equal.
pub(super) fn key(value: Option<&Value>, schema: &Value, field: &str, rules: &Scoring) -> Option<String> {
    let value = value.filter(|value| !value.is_null())?;
    if rules.exact.iter().any(|exact| exact == field) {
        return Some(value.to_string());
    }
    if is_numeric(schema) {
        return number(value).map(|n| format!("{n:.3}"));
    }
    let text = match value {
        Value::String(text) => normal(text)?,
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        other => other.to_string(),
    };
    match rules.synonyms.iter().find(|synonym| synonym.field == field && synonym.value == text) {
        Some(synonym) => synonym.means.clone(),
        None => Some(text),
    }
}

/// Lowercase, single spaces, no outer ` .,:;`, no leading "the"; `None` for an empty text.
pub(super) fn normal(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let spaced = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let bare = spaced.trim_matches([' ', '.', ',', ':', ';']);
    Some(bare.strip_prefix("the ").unwrap_or(bare).to_owned())
}

fn number(value: &Value) -> Option<f64> {
    let n = match value {
        Value::Number(n) => n.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        Value::Bool(yes) => f64::from(u8::from(*yes)),
        _ => return None,
    };
    // Adding zero turns -0 into 0.
    Some(n + 0.0)
}

fn is_numeric(schema: &Value) -> bool {
    let numeric = |name: &Value| matches!(name.as_str(), Some("number" | "integer"));
    match schema.get("type") {
        Some(Value::Array(names)) => names.iter().any(numeric),
        Some(name) => numeric(name),
        None => false,
    }
}
