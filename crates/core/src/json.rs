//! Graft's own values as JSON.
//!
//! Writing one fails only where a `Serialize` refuses or a map has keys that are no texts. No value of ours does either,
//! so a failure is a bug: it must not become an empty file or row in silence, and no caller could do anything about it.

use serde::Serialize;
use serde_json::Value;

/// In one line.
#[must_use]
pub fn line(value: &impl Serialize) -> String {
    sure(serde_json::to_string(value))
}

/// Over several lines, for files that people read; ends with a newline.
#[must_use]
pub fn pretty(value: &impl Serialize) -> String {
    sure(serde_json::to_string_pretty(value)) + "\n"
}

/// As a value.
#[must_use]
pub fn value(value: &impl Serialize) -> Value {
    sure(serde_json::to_value(value))
}

fn sure<T>(written: serde_json::Result<T>) -> T {
    written.expect("a value of Graft's own can be written as JSON")
}
