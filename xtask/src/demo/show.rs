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

/// Prints the scores of contestants, bare base model and adapter side by side.
pub(super) fn comparison(evaluation: &Value) -> anyhow::Result<()> {
    let mut columns: Vec<(String, &Value)> = Vec::new();
    for one in evaluation["contestants"].as_array().into_iter().flatten() {
        columns.push((one["name"].as_str().unwrap_or_default().to_owned(), &one["scores"]));
    }
    columns.extend([("base model".to_owned(), &evaluation["base"]), ("ADAPTER".to_owned(), &evaluation["adapter"])]);
    let count = evaluation["adapter"]["n"].as_u64().context("the evaluation has no count")?;
    println!("\nOn the {count} newest messages, which none of them saw before, in %:\n");
    let head: String = columns.iter().map(|(name, _)| format!("{name:>17}")).collect();
    println!("{:<24}{head}   95 % interval", "");
    for (metric, words) in METRICS {
        let cell = |scores: &Value, field: &str| {
            let value = find(scores, metric).and_then(|metric| metric[field].as_f64());
            value.map_or_else(|| "–".to_owned(), |value| format!("{:.0}", 100.0 * value))
        };
        let row: String = columns.iter().map(|(_, scores)| format!("{:>17}", cell(scores, "value"))).collect();
        let adapter = &evaluation["adapter"];
        println!("{words:<24}{row}   {}–{}", cell(adapter, "low"), cell(adapter, "high"));
    }
    if let Some(from @ 1..) = evaluation["from_parser"].as_u64() {
        println!("\n{from} of these answers were approved as the regex proposed them: its score is flattered.");
    }
    let error = |when: &str| evaluation["calibration"][when]["ece"].as_f64().map_or(f64::NAN, |ece| 100.0 * ece);
    println!(
        "\nCalibration error of its confidence: {:.0} points on average; {:.0} before calibration.",
        error("after"),
        error("before")
    );
    Ok(())
}

/// The contestant with the most whole messages right.
pub(super) fn strongest(evaluation: &Value) -> Option<&Value> {
    let name = &evaluation["baseline"]["name"];
    evaluation["contestants"].as_array()?.iter().find(|one| one["name"] == *name)
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
