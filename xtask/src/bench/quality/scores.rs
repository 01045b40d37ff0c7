//! Scores of answers: how many are correct, and how well confidences predict it.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    io::ErrorKind,
    path::Path,
    process::Command,
};

use anyhow::{Context as _, ensure};
use graft_core::{AnswerForm, TaskCard};
use graft_predict::Calibration;
use graft_tasks::score::{self, Metric};
use serde_json::{Map, Value, json};

use super::{
    Who,
    job::{Job, Kind},
    options::Options,
    sets::{Data, Message, Set, Test},
};

/// The sample's own script.
const SCRIPT: &str = "bench/peers/score_slack.py";
/// What the script prints; Graft's scores have the same names.
const SCRIPT_NUMBERS: [&str; 5] = ["direction", "rescue_location", "drop_off_location", "item_f1", "exact"];
/// Seed of the intervals.
const SEED: u64 = 42;
/// The share of right answers that coverage is measured at.
pub(super) const PRECISION: f64 = 0.95;

/// What one contestant or version reached on one test.
pub(super) struct Row {
    pub(super) set: Set,
    pub(super) kind: Kind,
    /// Examples learned from, without those of another wording.
    pub(super) size: usize,
    pub(super) who: Who,
    pub(super) test: String,
    /// Messages of the test.
    pub(super) count: usize,
    pub(super) metrics: Vec<Metric>,
    /// Of whole answers.
    pub(super) confidence: Confidence,
    /// Of single fields, where the answer has them.
    pub(super) fields: BTreeMap<String, Confidence>,
}

/// What confidences are worth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Confidence {
    /// Expected calibration error as answered: no version here was calibrated, because nothing is held out.
    pub(super) raw: f64,
    /// The same after calibration by other answers of the test (cross-fitted in five parts), as `graft eval` does it.
    pub(super) calibrated: f64,
    /// What the latter would be on average if these confidences were exactly right.
    pub(super) by_chance: f64,
    /// The largest share of the answers, the surest first, of which 95 % are right.
    pub(super) coverage: f64,
}

/// The scores of all answers of a job.
pub(super) fn of(options: &Options, job: &Job, data: &Data) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for who in Who::all(job.kind, job.set) {
        let path = job.answers(options, who);
        let answers = read(&path)?;
        for test in job.tests(data) {
            let row = row(job, who, &data.card, test, &answers);
            if job.set == Set::Slack {
                compare_with_script(&job.folder(options), test, &answers, &row)
                    .with_context(|| format!("{} on {}", path.display(), test.name))?;
            }
            rows.push(row);
        }
    }
    Ok(rows)
}

/// The lines of `graft infer` by id.
fn read(path: &Path) -> anyhow::Result<HashMap<String, Value>> {
    let text = fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line)?;
        let id = value["id"].as_str().context("an answer has no id")?.to_owned();
        Ok((id, value))
    };
    text.lines().map(line).collect()
}

/// The answer of a line in the task's form; none where there was no room for one.
fn answer(card: &TaskCard, line: &Value) -> Option<Value> {
    if line.get("error").is_some() {
        return None;
    }
    match &card.answer {
        AnswerForm::Json { schema } => {
            let names = schema.get("properties").and_then(Value::as_object)?.keys();
            Some(names.filter_map(|name| Some((name.clone(), line.get(name)?.clone()))).collect::<Map<_, _>>().into())
        }
        AnswerForm::Label { .. } => line.get("label").cloned(),
        AnswerForm::Text => line.get("text").cloned(),
    }
}

/// The true answers with those that were given.
fn pairs(card: &TaskCard, messages: &[Message], answers: &HashMap<String, Value>) -> Vec<(Value, Option<Value>)> {
    let answered = |message: &Message| answers.get(&message.id).and_then(|line| answer(card, line));
    messages.iter().map(|message| (message.truth.clone(), answered(message))).collect()
}

/// Which messages were answered wholly right in a file that `graft infer` wrote.
pub(in crate::bench) fn right(data: &Data, messages: &[Message], path: &Path) -> anyhow::Result<Vec<bool>> {
    let (card, rules) = (&data.card, rules_of(&data.card));
    let pairs = pairs(card, messages, &read(path)?);
    let is_right = |(truth, given): &(Value, Option<Value>)| {
        given.as_ref().is_some_and(|given| score::all_right(card, &rules, truth, given))
    };
    Ok(pairs.iter().map(is_right).collect())
}

fn row(job: &Job, who: Who, card: &TaskCard, test: &Test, answers: &HashMap<String, Value>) -> Row {
    let pairs = pairs(card, &test.messages, answers);
    let rules = &rules_of(card);
    let mut whole = Vec::new();
    let mut fields: BTreeMap<String, Vec<(f64, bool)>> = BTreeMap::new();
    for (message, (truth, given)) in test.messages.iter().zip(&pairs) {
        let (Some(given), Some(line)) = (given, answers.get(&message.id)) else { continue };
        whole.push((line["confidence"].as_f64().unwrap_or_default(), score::all_right(card, rules, truth, given)));
        for (field, point) in field_points(card, truth, given, line) {
            fields.entry(field).or_default().push(point);
        }
    }
    let count = test.messages.len();
    Row {
        set: job.set,
        kind: job.kind,
        size: job.size,
        who,
        test: test.name.clone(),
        count,
        metrics: score::score(card, rules, &pairs, SEED).metrics,
        confidence: Confidence::of(&whole, count),
        fields: fields.into_iter().map(|(field, points)| (field, Confidence::of(&points, count))).collect(),
    }
}

/// How answers of a built-in task are compared.
fn rules_of(card: &TaskCard) -> graft_tasks::cards::Scoring {
    graft_tasks::cards::task(&card.name).map(|task| task.scoring.clone()).unwrap_or_default()
}

/// How sure an answer is of each field, and whether the field is right. A list is one field.
fn field_points(card: &TaskCard, truth: &Value, given: &Value, line: &Value) -> Vec<(String, (f64, bool))> {
    let Some(sure) = line.get("field_confidence").and_then(Value::as_object) else { return Vec::new() };
    let of_list = |path: &str, list: &str| path.strip_prefix(list).is_some_and(|rest| rest.starts_with('['));
    let difference = score::diff(card, &rules_of(card), truth, given);
    let mut points: Vec<(String, (f64, bool))> = Vec::new();
    for field in &difference.fields {
        if let Some(confidence) = sure.get(&field.field).and_then(Value::as_f64) {
            points.push((field.field.clone(), (confidence, field.same)));
        }
    }
    let lists = given.as_object().into_iter().flatten().filter(|(_, value)| value.is_array());
    let lists: Vec<&String> = lists.map(|(name, _)| name).collect();
    // The differences don't say of which list they are.
    if let [list] = lists[..] {
        let parts = sure.iter().filter(|(path, _)| *path == list || of_list(path, list));
        let confidence = parts.filter_map(|(_, part)| part.as_f64()).product();
        let right = difference.only_left.is_empty() && difference.only_right.is_empty();
        points.push((list.clone(), (confidence, right)));
    }
    points
}

impl Confidence {
    /// Of answers to `count` messages.
    fn of(points: &[(f64, bool)], count: usize) -> Self {
        let calibration = Calibration::fit(points);
        Self {
            raw: calibration.before.ece,
            calibrated: calibration.after.ece,
            by_chance: calibration.after.ece_by_chance(),
            coverage: covered(points) as f64 / count.max(1) as f64,
        }
    }
}

/// The largest number of answers, the surest first, of which at least [`PRECISION`] are right. Equally sure ones go together.
fn covered(points: &[(f64, bool)]) -> usize {
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut best) = (0, 0);
    for (place, &(confidence, is_right)) in sorted.iter().enumerate() {
        let count = place + 1;
        right += usize::from(is_right);
        let is_last_of_equals = sorted.get(count).is_none_or(|next| next.0 < confidence);
        if is_last_of_equals && right as f64 >= PRECISION * count as f64 {
            best = count;
        }
    }
    best
}

/// Scores the same answers with the sample's own script, whose numbers must be the same. Left out without Python.
fn compare_with_script(folder: &Path, test: &Test, answers: &HashMap<String, Value>, row: &Row) -> anyhow::Result<()> {
    let (labels, predictions) = (folder.join("labels.jsonl"), folder.join("predictions.jsonl"));
    let text = |lines: Vec<Value>| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let label = |message: &Message| json!({"ts": message.id, "truth": message.truth});
    fs::write(&labels, text(test.messages.iter().map(label).collect()))?;
    let prediction = |message: &Message| {
        let mut line = answers.get(&message.id).filter(|line| line.get("error").is_none())?.clone();
        line["ts"] = message.id.clone().into();
        Some(line)
    };
    fs::write(&predictions, text(test.messages.iter().filter_map(prediction).collect()))?;
    let said = match Command::new("python3").arg(SCRIPT).arg(&labels).arg(&predictions).output() {
        Ok(said) => said,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    ensure!(said.status.success(), "{SCRIPT} failed: {}", String::from_utf8_lossy(&said.stderr));
    let said: Value = serde_json::from_slice(&said.stdout).context("the script printed no JSON")?;
    for name in SCRIPT_NUMBERS {
        let ours = row.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.value);
        let (ours, theirs) = (ours.context("a score is missing")?, said[name].as_f64().context("a score is missing")?);
        ensure!((ours - theirs).abs() < 1e-4, "{name}: {ours} by Graft, {theirs} by {SCRIPT}");
    }
    for path in [labels, predictions] {
        fs::remove_file(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_most_confident_answers_with_ties() {
        let points = |right: &[(f64, bool)]| covered(right);
        assert_eq!(points(&[(0.9, true), (0.8, true), (0.7, false)]), 2);
        // The surest is wrong.
        assert_eq!(points(&[(0.9, false), (0.8, true), (0.7, true)]), 0);
        // Equally sure: no threshold parts them.
        assert_eq!(points(&[(0.5, true), (0.5, false)]), 0);
        let nineteen_of_twenty: Vec<(f64, bool)> = (0..20).map(|i| (1.0 - f64::from(i) / 100.0, i != 3)).collect();
        assert_eq!(points(&nineteen_of_twenty), 20);
        assert_eq!(points(&[]), 0);
    }

    #[test]
    fn list_confidence_is_the_product_of_its_parts() {
        let card = graft_tasks::cards::card("slack-rescue", &[]).unwrap();
        let given = json!({"direction": "inbound", "rescue_location": "Aldi", "drop_off_location": null, "items": []});
        let truth = json!({"direction": "inbound", "rescue_location": "Lidl", "drop_off_location": null, "items": []});
        let line = json!({"field_confidence": {
            "direction": 0.9, "rescue_location": 0.8, "items": 0.5, "items[0].name": 0.5, "items[0].unit": 0.5
        }});
        let points: BTreeMap<_, _> = field_points(&card, &truth, &given, &line).into_iter().collect();
        assert_eq!(points["direction"], (0.9, true));
        assert_eq!(points["rescue_location"], (0.8, false));
        assert_eq!(points["items"], (0.125, true));
    }
}
