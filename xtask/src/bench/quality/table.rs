//! The tables: a page to read and the same numbers as JSON.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    process::Command,
};

use serde_json::{Value, json};

use super::{
    Who,
    job::{Job, Kind},
    options::Options,
    scores::{Confidence, PRECISION, Row},
    sets::{Data, MORE, Set},
};

/// The page's name.
pub(super) const FILE: &str = "quality.md";
const JSON: &str = "quality.json";

/// The metric that is shown for a set, and its heading.
fn columns(set: Set) -> &'static [(&'static str, &'static str)] {
    match set {
        Set::Slack => &[
            ("direction", "direction"),
            ("rescue_location", "rescue location"),
            ("drop_off_location", "drop-off location"),
            ("item_f1", "item F1"),
            ("exact", "whole message"),
        ],
        Set::Sms | Set::Sentiment => &[("accuracy", "accuracy"), ("macro_f1", "macro F1")],
        Set::AskAi => &[("exact", "whole answer"), ("token_f1", "token F1"), ("rouge_l", "ROUGE-L")],
    }
}

/// Writes page and JSON of what was measured so far.
pub(super) fn write(
    options: &Options,
    data: &BTreeMap<Set, Data>,
    jobs: &[Job],
    measured: &BTreeMap<usize, Vec<Row>>,
) -> anyhow::Result<()> {
    let missing: Vec<&Job> =
        jobs.iter().enumerate().filter(|(place, _)| !measured.contains_key(place)).map(|(_, job)| job).collect();
    let rows: Vec<&Row> = measured.values().flatten().collect();
    let page = page(options, data, &rows, &missing)?;
    fs::write(options.results.join(FILE), page)?;
    let json = json!({
        "precision": PRECISION,
        "rows": rows.iter().map(|row| as_json(row, data)).collect::<Vec<_>>(),
        "not_measured": missing.iter().map(|job| job.name()).collect::<Vec<_>>(),
    });
    Ok(fs::write(options.results.join(JSON), serde_json::to_string_pretty(&json)? + "\n")?)
}

fn as_json(row: &Row, data: &BTreeMap<Set, Data>) -> Value {
    let confidence = |confidence: &Confidence| {
        json!({
            "ece": confidence.raw,
            "ece_calibrated": confidence.calibrated,
            "ece_by_chance": confidence.by_chance,
            "coverage": confidence.coverage,
        })
    };
    let metrics = row.metrics.iter().map(|m| (m.name.clone(), json!([m.value, m.low, m.high])));
    let more = match row.kind {
        Kind::LoraAndMore(place) => data.get(&row.set).and_then(|data| data.more.get(place)),
        Kind::Lora | Kind::SoftPrompt | Kind::Base => None,
    };
    let fields = row.fields.iter().map(|(field, measured)| (field.clone(), confidence(measured)));
    json!({
        "set": row.set.name(), "test": row.test, "messages": row.count,
        "who": row.who.title().trim_matches('*'), "examples": row.size,
        "more": more.map(|more| format!("{} of {}", more.learned.len(), more.name)),
        "metrics": metrics.collect::<serde_json::Map<_, _>>(),
        "confidence": confidence(&row.confidence),
        "fields": fields.collect::<serde_json::Map<_, _>>(),
    })
}

fn page(options: &Options, data: &BTreeMap<Set, Data>, rows: &[&Row], missing: &[&Job]) -> anyhow::Result<String> {
    let mut page = String::from("# Quality\n\n");
    writeln!(
        page,
        "Made by `cargo xtask bench quality`{}. [bench/README.md](../README.md) says what is measured and how.\n",
        circumstances(options)
    )?;
    page.push_str(
        "Shares have 95 % intervals in parentheses: Wilson's, and the bootstrap's for F1 and ROUGE-L. \"Calibration error\" \
         is the expected\ncalibration error of whole answers, as answered → calibrated by other answers of the same test, \
         and in parentheses what\nperfect confidences would show by chance on as many answers. \"Sure\" is the largest share of the\nanswers, the surest first, of which 95 % are right.\n",
    );
    for (&set, data) in data {
        let rows: Vec<&Row> = rows.iter().copied().filter(|row| row.set == set).collect();
        if rows.is_empty() {
            continue;
        }
        write!(page, "\n## {}\n", set.heading())?;
        for test in &data.tests {
            results(&mut page, set, &test.name, &rows)?;
        }
        added(&mut page, set, data, &rows)?;
        fields(&mut page, data, &rows)?;
    }
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|job| format!("`{}`", job.name())).collect();
        write!(page, "\n## Not measured\n\n{}.\n", names.join(", "))?;
    }
    Ok(page)
}

/// When, of which commit and where.
pub(in crate::bench) fn circumstances(options: &Options) -> String {
    let said = |command: &mut Command| {
        let out = command.output().ok().filter(|out| out.status.success())?;
        Some(String::from_utf8_lossy(&out.stdout).trim().to_owned()).filter(|text| !text.is_empty())
    };
    let date = said(Command::new("date").args(["-u", "+%F"]));
    let commit =
        said(Command::new("git").args(["rev-parse", "--short", "HEAD"])).map(|commit| format!("commit {commit}"));
    let device = options.device.as_ref().map(|device| format!("`--device {device}`"));
    let epochs = options.epochs.as_ref().map(|epochs| format!("**a trial with {epochs} epochs**"));
    let parts = [date, commit, device, epochs];
    parts.into_iter().flatten().map(|part| format!(", {part}")).collect()
}

/// The table of one test.
fn results(page: &mut String, set: Set, test: &str, rows: &[&Row]) -> std::fmt::Result {
    let mut rows: Vec<&Row> =
        rows.iter().copied().filter(|row| row.test == test && !matches!(row.kind, Kind::LoraAndMore(_))).collect();
    // Those that learn nothing first, once each, then the most examples.
    rows.sort_by_key(|row| (!row.who.learns_nothing(), std::cmp::Reverse(row.size), row.who));
    let mut seen = BTreeSet::new();
    rows.retain(|row| !row.who.learns_nothing() || seen.insert(row.who));
    let Some(first) = rows.first() else { return Ok(()) };
    write!(page, "\n### {test}{}\n\n", messages(first))?;
    head(page, set, "examples | who")?;
    let mut before = None;
    for row in rows {
        let size = if row.who.learns_nothing() { "–".to_owned() } else { row.size.to_string() };
        let shown = if before.as_ref() == Some(&size) { "" } else { &size };
        line(page, set, &format!("{shown} | {}", row.who.title()), row)?;
        before = Some(size);
    }
    Ok(())
}

/// How many messages test, where the name does not say it.
fn messages(row: &Row) -> String {
    if row.test.contains(&row.count.to_string()) { String::new() } else { format!(" ({} messages)", row.count) }
}

fn head(page: &mut String, set: Set, first: &str) -> std::fmt::Result {
    let names: Vec<&str> = columns(set).iter().map(|(_, name)| *name).collect();
    writeln!(page, "| {first} | {} | calibration error | sure |", names.join(" | "))?;
    writeln!(page, "|{}", "---|".repeat(first.split('|').count() + names.len() + 2))
}

fn line(page: &mut String, set: Set, first: &str, row: &Row) -> std::fmt::Result {
    let cell = |(name, _): &(&str, &str)| match row.metrics.iter().find(|metric| metric.name == *name) {
        Some(metric) => format!("{:.3} ({:.2}–{:.2})", metric.value, metric.low, metric.high),
        None => "–".to_owned(),
    };
    let cells: Vec<String> = columns(set).iter().map(cell).collect();
    writeln!(page, "| {first} | {} | {} |", cells.join(" | "), confidence(&row.confidence))
}

fn confidence(measured: &Confidence) -> String {
    let Confidence { raw, calibrated, by_chance, coverage } = measured;
    format!("{raw:.3} → {calibrated:.3} ({by_chance:.3}) | {:.0} %", 100.0 * coverage)
}

/// What a few approved messages of another wording bring.
fn added(page: &mut String, set: Set, data: &Data, rows: &[&Row]) -> std::fmt::Result {
    let with = |row: &Row, place: usize| row.kind == Kind::LoraAndMore(place);
    if !rows.iter().any(|row| matches!(row.kind, Kind::LoraAndMore(_))) {
        return Ok(());
    }
    write!(
        page,
        "\n### With {MORE} approved messages of the other wording\n\nThe {MORE} were chosen by a seed; the others of that \
         wording test. Before: learned from the sample only. After: from the\nsample and the {MORE}.\n\n"
    )?;
    head(page, set, "test | learned from | who")?;
    for (place, more) in data.more.iter().enumerate() {
        for test in [&more.rest, &data.tests[0]] {
            let of_test = rows.iter().copied().filter(|row| row.test == test.name);
            let largest = set.sizes().first().copied().unwrap_or_default();
            let before = of_test.clone().filter(|row| row.kind == Kind::Lora && row.size == largest);
            for row in before.filter(|row| row.who == Who::Lora) {
                line(page, set, &format!("{} | the sample | {}", test.name, row.who.title()), row)?;
            }
            for row in of_test.filter(|row| with(row, place) && (row.who == Who::Lora || test.name == more.rest.name)) {
                line(page, set, &format!("{} | + {MORE} of {} | {}", test.name, more.name, row.who.title()), row)?;
            }
        }
    }
    Ok(())
}

/// Calibration and coverage of single fields, for LoRA with the most examples.
fn fields(page: &mut String, data: &Data, rows: &[&Row]) -> std::fmt::Result {
    let lora = || rows.iter().filter(|row| row.who == Who::Lora && row.kind == Kind::Lora && !row.fields.is_empty());
    let Some(size) = lora().map(|row| row.size).max() else { return Ok(()) };
    write!(
        page,
        "\n### Confidence of single fields, LoRA with {size} examples\n\nA list counts as one field: right if all of it is \
         right, and as sure as its parts together.\n\n| test | field | calibration error | sure |\n|---|---|---|---|\n"
    )?;
    for test in &data.tests {
        for row in lora().filter(|row| row.size == size && row.test == test.name) {
            for (field, measured) in &row.fields {
                writeln!(page, "| {} | {} | {} |", test.name, field.replace('_', " "), confidence(measured))?;
            }
        }
    }
    Ok(())
}
