//! Serializes Graft's own values as JSON.
//!
//! Serialization only fails if a `Serialize` impl fails or a map has keys that are not strings. None of our types does
//! either, so a failure is a bug and panics: it must not become an empty file or row, and no caller could handle it.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// On one line.
#[must_use]
pub fn line(value: &impl Serialize) -> String {
    sure(serde_json::to_string(value))
}

/// Indented, for files that people read; ends with a newline.
#[must_use]
pub fn pretty(value: &impl Serialize) -> String {
    sure(serde_json::to_string_pretty(value)) + "\n"
}

/// As a value.
#[must_use]
pub fn value(value: &impl Serialize) -> Value {
    sure(serde_json::to_value(value))
}

/// Reads a number. JSON can't express NaN and infinity, which are written as null.
///
/// # Errors
/// If it is neither a number nor null.
pub fn number<'de, D: Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::NAN))
}

fn sure<T>(written: serde_json::Result<T>) -> T {
    written.expect("a value of Graft's own can be written as JSON")
}
