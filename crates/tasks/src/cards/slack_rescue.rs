use serde_json::{Value, json};

use super::{Form, Scoring, Task};
use crate::variants::Wordings;

/// What volunteers picked up and dropped off, read from their Slack messages.
pub(crate) const TASK: Task = Task {
    name: "slack-rescue",
    instruction: "Extract the food rescue from the message: direction, rescue location, drop-off location, \
                  and every item as name, quantity, unit, subcategory. Correct typos; use null for what is not said.",
    guidelines: include_str!("../../data/guidelines/slack_rescue.md"),
    form: Form::Json(schema),
    scoring: Scoring {
        exact: &["direction"],
        unscored: &["subcategory"],
        synonyms: &[("unit", "each", None), ("unit", "loaves", Some("loaf"))],
    },
    finish: Some(crate::pounds::add_pounds),
    wordings: Some(wordings),
    parser: Some(crate::baseline::Baseline::new),
};

/// Units as they are written in answers; a plain count has none.
pub(crate) const UNITS: [&str; 19] = [
    "bag",
    "bin",
    "bottle",
    "box",
    "bunch",
    "can",
    "case",
    "clamshell",
    "crate",
    "dozen",
    "flat",
    "gallon",
    "jar",
    "lb",
    "loaf",
    "package",
    "pallet",
    "tote",
    "tray",
];

/// Kinds of food, and what else a pantry takes.
pub(crate) const SUBCATEGORIES: [&str; 10] =
    ["produce", "bakery", "dairy", "protein", "seafood", "prepared", "dry goods", "snacks", "beverage", "household"];

/// How people tell of rescues.
fn wordings() -> Wordings {
    Wordings::from_toml(include_str!("../../data/wordings/slack_rescue.toml")).expect("a tested file")
}

fn schema() -> Value {
    let units: Vec<Value> = UNITS.iter().map(|unit| json!(unit)).chain([Value::Null]).collect();
    let item = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "x-graft-grounded": true},
            "quantity": {"type": ["number", "null"]},
            "unit": {"enum": units},
            "subcategory": {"enum": SUBCATEGORIES},
        },
        "required": ["name", "quantity", "unit", "subcategory"],
        "additionalProperties": false,
    });
    json!({
        "type": "object",
        "properties": {
            "direction": {"enum": ["inbound", "outbound", "both", "unknown"]},
            "rescue_location": {"type": ["string", "null"], "x-graft-grounded": true},
            "drop_off_location": {"type": ["string", "null"], "x-graft-grounded": true},
            "items": {"type": "array", "items": item, "x-graft-rules": true},
        },
        "required": ["direction", "rescue_location", "drop_off_location", "items"],
        "additionalProperties": false,
    })
}
