//! Prints scores and answers as tables.

use anyhow::Context as _;
use serde_json::Value;

/// Metrics of `slack-rescue` in plain words.
const METRICS: [(&str, &str); 6] = [
    ("direction", "direction right"),
    ("rescue_location", "picked-up-at right"),
    ("drop_off_location", "dropped-at right"),
    ("item_f1", "items right (F1)"),
    ("item_subcategory_f1", "items' kinds right (F1)"),
    ("exact", "whole messages right"),
];

/// Prints the scores of regex baseline, bare base model and adapter side by side.
pub(super) fn comparison(evaluation: &Value) -> anyhow::Result<()> {
    let columns = [
        ("regex", &evaluation["baseline"]["scores"]),
        ("base model", &evaluation["base"]),
        ("ADAPTER", &evaluation["adapter"]),
    ];
    let count = evaluation["adapter"]["n"].as_u64().context("the evaluation has no count")?;
    println!("\nOn the {count} newest messages, which the adapter never saw, in %:\n");
    println!("{:<26}{:>10}{:>13}{:>11}   95 % interval", "", columns[0].0, columns[1].0, columns[2].0);
    for (metric, words) in METRICS {
        let found = columns.map(|(_, scores)| find(scores, metric));
        let percent = |field: &str| found.map(|metric| metric.and_then(|m| m[field].as_f64()).map(|x| 100.0 * x));
        let cell = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.0}"));
        let [regex, base, adapter] = percent("value").map(cell);
        let interval = format!("{}–{}", cell(percent("low")[2]), cell(percent("high")[2]));
        println!("{words:<26}{regex:>10}{base:>13}{adapter:>11}   {interval}");
    }
    let error = |when: &str| evaluation["calibration"][when]["ece"].as_f64().map_or(f64::NAN, |ece| 100.0 * ece);
    println!(
        "\nCalibration error of its confidence: {:.0} points on average; {:.0} before calibration.",
        error("after"),
        error("before")
    );
    Ok(())
}

fn find<'s>(scores: &'s Value, metric: &str) -> Option<&'s Value> {
    scores["metrics"].as_array()?.iter().find(|found| found["name"] == metric)
}

/// Prints a message and its extracted answer.
pub(super) fn answer(message: &str, answer: &Value) {
    println!("{message}\n");
    let text = |value: &Value| match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    for (field, words) in
        [("direction", "direction"), ("rescue_location", "picked up at"), ("drop_off_location", "dropped at")]
    {
        println!("  {words:<14}{}", text(&answer[field]));
    }
    println!("\n  {:>8}  {:<10}{:<24}{:<14}{:>8}", "amount", "unit", "item", "kind", "pounds");
    for item in answer["items"].as_array().into_iter().flatten() {
        let [amount, unit, name, kind, pounds] =
            ["quantity", "unit", "name", "subcategory", "estimated_lbs"].map(|field| text(&item[field]));
        println!("  {amount:>8}  {unit:<10}{name:<24}{kind:<14}{pounds:>8}");
    }
    println!("  {:>8}  {:<10}{:<24}{:<14}{:>8}", "", "", "", "in all", text(&answer["estimated_lbs"]));
    let confidence = answer["confidence"].as_f64().map_or(f64::NAN, |confidence| 100.0 * confidence);
    println!("\n  {:.0} % confident that everything is correct (version {})", confidence, text(&answer["version"]));
}
