//! Whether a version's answers are distributed like those to the held-out examples: its labels, and for objects which fields
//! are empty, how many items they have, and the values of fields with few different values.
//!
//! They are compared with its own answers, not with the truths: a version may prefer a label without any drift.

use std::collections::{BTreeMap, BTreeSet};

use graft_store::Suggested;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::numbers::{Distance, apart};
use super::signals::{few, percent};
use super::{DriftState, ENOUGH, MovedShare};

/// Texts of a field with more different values than these are compared by their lengths.
const VALUES: usize = 20;
/// Lists with more items than these are one group.
const ITEMS: usize = 5;
/// Groups that are named, those that moved furthest.
const NAMED: usize = 5;

const TEST: &str = "It drifts if the share of a label, of a value of a field, of empty fields or of lists with a number of \
                    items differs by 10 points or more and Fisher's exact test, corrected for the number of shares, gives \
                    p < 0.01.";

/// Whether the answers are distributed like those to the held-out examples.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AnswerDrift {
    /// What follows.
    pub state: DriftState,
    /// The numbers as a sentence, or why there are none.
    pub text: String,
    /// The test and its threshold.
    pub test: &'static str,
    /// How many of the newest suggestions are compared.
    pub window: usize,
    /// Answers to held-out examples that they are compared with.
    pub reference: usize,
    /// What became more or less frequent, what moved furthest first.
    pub moved: Vec<MovedShare>,
}

impl AnswerDrift {
    pub(super) fn unknown(window: usize, reference: usize, why: &str) -> Self {
        Self { state: DriftState::Unknown, text: why.into(), test: TEST, window, reference, moved: Vec::new() }
    }
}

/// The answers to held-out examples, counted by what they have in common.
pub(super) struct Kinds {
    all: u64,
    counts: BTreeMap<String, u64>,
    /// Fields whose texts are compared by their lengths.
    long: BTreeSet<String>,
}

impl Kinds {
    pub(super) fn of(held_out: &[Value]) -> Self {
        let mut texts: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for answer in held_out {
            walk(answer, "", &mut |path, value| {
                if let Value::String(text) = value {
                    texts.entry(path.to_owned()).or_default().insert(text);
                }
            });
        }
        let long = texts.into_iter().filter(|(_, values)| values.len() > VALUES).map(|(path, _)| path).collect();
        let mut kinds = Self { all: held_out.len() as u64, counts: BTreeMap::new(), long };
        kinds.counts = kinds.count(held_out.iter());
        kinds
    }

    fn count<'v>(&self, answers: impl Iterator<Item = &'v Value>) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for answer in answers {
            // An answer counts once in each group, so that the counts are those of independent answers.
            let mut groups = BTreeSet::new();
            walk(answer, "", &mut |path, value| {
                groups.insert(self.group(path, value));
            });
            groups.into_iter().for_each(|group| *counts.entry(group).or_default() += 1);
        }
        counts
    }

    /// What a value has in common with others, in words.
    fn group(&self, path: &str, value: &Value) -> String {
        let of = if path.is_empty() { String::new() } else { format!("{path} ") };
        match value {
            Value::Null => format!("{of}empty"),
            Value::Bool(value) => format!("{of}{value}"),
            Value::Number(_) => format!("{of}with a number"),
            Value::String(text) if self.long.contains(path) => {
                let power = text.chars().count().max(1).ilog2();
                format!("{of}of {} to {} characters", 1_u64 << power, (2_u64 << power) - 1)
            }
            Value::String(text) => format!("{of}“{text}”"),
            Value::Array(items) if items.len() > ITEMS => format!("{of}longer than {ITEMS}"),
            Value::Array(items) => format!("{of}of length {}", items.len()),
            Value::Object(_) => format!("{of}given"),
        }
    }

    /// What differs in these suggestions, furthest first, and how far the furthest are apart. `None` without held-out
    /// answers or suggestions.
    pub(super) fn apart(&self, newest: &[Suggested]) -> Option<(Vec<MovedShare>, Distance)> {
        if self.all == 0 || newest.is_empty() {
            return None;
        }
        let (now, n) = (self.count(newest.iter().map(|one| &one.answer)), newest.len() as u64);
        let names: Vec<&String> = now.keys().chain(self.counts.keys()).collect::<BTreeSet<_>>().into_iter().collect();
        let of = |counts: &BTreeMap<String, u64>, name| counts.get(name).copied().unwrap_or_default();
        let counts: Vec<(u64, u64)> = names.iter().map(|name| (of(&now, *name), of(&self.counts, *name))).collect();
        let (groups, distance) = apart(&counts, n, self.all);
        let share = |group: usize| MovedShare {
            what: names[group].clone(),
            now: counts[group].0 as f64 / n as f64,
            then: counts[group].1 as f64 / self.all as f64,
        };
        Some((groups.into_iter().take(NAMED).map(share).collect(), distance))
    }
}

/// Visits the answer and the fields of objects in it. Items of lists are not visited: how many there are says enough.
fn walk<'v>(value: &'v Value, path: &str, visit: &mut impl FnMut(&str, &'v Value)) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(value, &path, visit);
            }
        }
        value => visit(path, value),
    }
}

/// Compares the newest suggestions with the answers to the held-out examples.
pub(super) fn answers(kinds: &Kinds, newest: &[Suggested]) -> AnswerDrift {
    let (window, reference) = (newest.len(), kinds.all as usize);
    let unknown = |why: &str| AnswerDrift::unknown(window, reference, why);
    if reference == 0 {
        return unknown("Unknown: the answers to the held-out examples were not stored; evaluate the version again.");
    }
    let found = kinds.apart(newest).filter(|_| window >= ENOUGH);
    let Some((moved, distance)) = found else { return unknown(&few("it has made", "suggestions", window)) };
    let (state, text) = match moved.first() {
        None => (
            DriftState::Stable,
            format!("Its last {window} answers are distributed like its {reference} answers to the held-out examples."),
        ),
        Some(first) => (
            DriftState::Drifting,
            format!(
                "Answers with {} are {} of its last {window} and {} of {reference} to the held-out examples, {}.",
                first.what,
                percent(first.now),
                percent(first.then),
                distance.said()
            ),
        ),
    };
    AnswerDrift { state, text, moved, ..unknown("") }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn suggested(answers: Vec<Value>) -> Vec<Suggested> {
        let one = |answer| Suggested { answer, confidence: 0.9, made_at: 1, chars: 10, truth: None };
        answers.into_iter().map(one).collect()
    }

    fn labels(spam: usize, all: usize) -> Vec<Value> {
        (0..all).map(|i| json!(if i < spam { "spam" } else { "ham" })).collect()
    }

    #[test]
    fn labels_that_became_frequent_are_drift() {
        let kinds = Kinds::of(&labels(40, 300));
        let found = answers(&kinds, &suggested(labels(60, 100)));
        assert_eq!(found.state, DriftState::Drifting);
        assert_eq!(
            found.text,
            "Answers with “ham” are 40 % of its last 100 and 87 % of 300 to the held-out examples, p < 0.001."
        );
        assert_eq!(found.moved.len(), 2);
        // A label that it gave to no held-out example.
        let other = [labels(0, 60), vec![json!("newsletter"); 40]].concat();
        assert_eq!(answers(&kinds, &suggested(other)).moved[0].what, "“newsletter”");
        assert_eq!(answers(&kinds, &suggested(labels(14, 100))).state, DriftState::Stable);
        // Of few answers nothing is said.
        let few = answers(&kinds, &suggested(labels(19, 19)));
        assert_eq!((few.state, few.window), (DriftState::Unknown, 19));
        assert_eq!(answers(&Kinds::of(&[]), &suggested(labels(5, 100))).state, DriftState::Unknown);
    }

    #[test]
    fn fields_that_became_empty_and_longer_lists_are_drift() {
        let answer = |i: usize, direction: &str, place: Value, items: usize| json!({"direction": direction, "from": {"place": place, "n": i}, "items": vec![1; items]});
        let held_out: Vec<Value> =
            (0..200).map(|i| answer(i, ["in", "out"][i % 2], json!(format!("place {i}")), 1 + i % 2)).collect();
        let kinds = Kinds::of(&held_out);
        assert_eq!(kinds.long.iter().collect::<Vec<_>>(), ["from.place"]);
        let same: Vec<Value> = held_out[100..180].to_vec();
        assert_eq!(answers(&kinds, &suggested(same)).state, DriftState::Stable);
        let empty: Vec<Value> = (0..80).map(|i| answer(i, ["in", "out"][i % 2], Value::Null, 9)).collect();
        let moved = answers(&kinds, &suggested(empty)).moved;
        let what: Vec<&str> = moved.iter().map(|moved| moved.what.as_str()).collect();
        assert!(what[..2] == ["from.place empty", "items longer than 5"], "{what:?}");
    }
}
