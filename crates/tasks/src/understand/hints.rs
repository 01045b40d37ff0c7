//! Hints that would improve pasted examples before they are stored.

use std::collections::{BTreeMap, HashMap, HashSet};

use graft_core::{Example, Review, near_duplicates};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Form, Understanding, Understood, are, counted};

/// A suggestion that would improve the examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hint {
    /// Of what kind.
    pub kind: HintKind,
    /// A sentence or two.
    pub text: String,
    /// The first lines that it concerns.
    pub lines: Vec<usize>,
}

/// Kinds of hints, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HintKind {
    /// The same text has different answers, here or among the task's examples.
    Contradiction,
    /// Labels that differ only in case, spaces or punctuation.
    Spelling,
    /// Labels that the task does not have.
    OtherLabels,
    /// A label task has one label.
    OneLabel,
    /// A label of the task has no example.
    MissingLabel,
    /// Some texts have no answer.
    Unanswered,
    /// Fewer examples than a training needs.
    Few,
    /// A label has one example.
    Rare,
    /// A label has at least five times as many examples as another.
    Unbalanced,
    /// The text is an example of the task already.
    Known,
    /// The same text more than once.
    Duplicate,
    /// Texts that say nearly the same.
    NearDuplicate,
    /// Texts of one or two characters.
    Short,
    /// Texts that a small model may not read to their end.
    Long,
}

/// What is known of the task that examples are for.
#[derive(Clone, Debug, Default)]
pub struct KnownTask {
    /// The labels of its definition.
    pub labels: Vec<String>,
    /// The labels of its approved examples.
    pub used: Vec<String>,
    /// Its examples, newest first.
    pub examples: Vec<Example>,
}

/// Approved examples that a training needs.
const NEEDED: usize = 10;
/// From how many times as many examples on a label outweighs another.
const OUTWEIGHS: usize = 5;
/// Most lines that a hint names.
const MOST_LINES: usize = 20;
/// Most labels that a hint names.
const MOST_LABELS: usize = 5;
/// Longest text that says nothing, in characters.
const SHORT: usize = 2;
/// Text whose tokens may be more than fit, in characters.
const LONG: usize = 4_000;

/// All hints about examples that are for this task.
pub(super) fn of(understanding: &Understanding, task: &KnownTask) -> Vec<Hint> {
    let examples = &understanding.examples;
    let folded: Vec<String> = examples.iter().map(|example| fold(&example.input)).collect();
    let mut known: HashMap<String, &Example> = HashMap::new();
    for example in &task.examples {
        known.entry(fold(&example.input)).or_insert(example);
    }
    let known_of: Vec<Option<&Example>> = folded.iter().map(|text| known.get(text).copied()).collect();
    let mut hints = same_texts(examples, &folded);
    hints.extend(known_texts(examples, &known_of));
    // Each turn of a dialogue repeats the turns before it.
    if understanding.form != Some(Form::Dialogue) {
        hints.extend(near_texts(examples, &folded, task));
    }
    let approved: Vec<&Example> = task.examples.iter().filter(|example| is_approved(example)).collect();
    let new = examples.iter().zip(&known_of).filter(|(_, known)| !known.is_some_and(is_approved));
    let new: Vec<&Understood> = new.map(|(example, _)| example).filter(|example| example.output.is_some()).collect();
    if understanding.form == Some(Form::Labels) {
        hints.extend(labels(understanding, task, &approved, &new));
    }
    let mut about = |kind, is: &dyn Fn(&Understood) -> bool, text: &dyn Fn(usize) -> String| {
        let lines: Vec<usize> = examples.iter().filter(|example| is(example)).map(|example| example.line).collect();
        hints.extend(hint(kind, lines.len(), lines, text));
    };
    about(HintKind::Unanswered, &|example| example.output.is_none(), &|count| {
        let it = if count == 1 { "it waits" } else { "they wait" };
        format!("{} no answer: {it} for a person to add one.", have(count, "text"))
    });
    about(HintKind::Short, &|example| example.input.chars().count() <= SHORT, &|count| {
        format!("{} at most {SHORT} characters.", have(count, "text"))
    });
    about(HintKind::Long, &|example| example.input.chars().count() > LONG, &|count| {
        format!("{} more than {LONG} characters, which may be too long for a small model.", have(count, "text"))
    });
    if !examples.is_empty() && approved.len() + new.len() < NEEDED {
        let beside = match approved.len() {
            0 => String::new(),
            count => format!(", and the task has {count} already"),
        };
        let answered = have(new.len(), "example");
        let text = format!("A training needs {NEEDED} approved examples; {answered} an answer{beside}.");
        hints.push(Hint { kind: HintKind::Few, text, lines: Vec::new() });
    }
    hints.sort_by_key(|hint| hint.kind);
    hints
}

/// A hint about something that occurs so often; none where it does not.
fn hint(kind: HintKind, count: usize, mut lines: Vec<usize>, text: impl Fn(usize) -> String) -> Option<Hint> {
    lines.sort_unstable();
    lines.truncate(MOST_LINES);
    (count > 0).then(|| Hint { kind, text: text(count), lines })
}

/// A text without its case and spaces.
fn fold(text: &str) -> String {
    text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

fn is_approved(example: &Example) -> bool {
    matches!(example.review, Review::Approved { .. })
}

/// Texts that occur more than once.
fn same_texts(examples: &[Understood], folded: &[String]) -> Vec<Hint> {
    let mut groups: HashMap<&str, Vec<&Understood>> = HashMap::new();
    for (example, text) in examples.iter().zip(folded) {
        groups.entry(text).or_default().push(example);
    }
    let (mut contradictions, mut duplicates) = (Vec::new(), Vec::new());
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let answers: Vec<&Value> = group.iter().filter_map(|example| example.output.as_ref()).collect();
        let list = if answers.windows(2).any(|two| two[0] != two[1]) { &mut contradictions } else { &mut duplicates };
        list.push(group.into_iter().map(|example| example.line).collect::<Vec<_>>());
    }
    let hint = |kind, groups: Vec<Vec<usize>>, what: &str| {
        hint(kind, groups.len(), groups.concat(), |count| format!("{} {what}", counted(count, "text")))
    };
    [
        hint(HintKind::Contradiction, contradictions, "with different answers: keep the correct one."),
        hint(HintKind::Duplicate, duplicates, "more than once: keep one."),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Texts that are examples of the task already.
fn known_texts(examples: &[Understood], known_of: &[Option<&Example>]) -> Vec<Hint> {
    let (mut same, mut other) = (Vec::new(), Vec::new());
    for (example, known) in examples.iter().zip(known_of) {
        let Some(known) = known else { continue };
        let differs = matches!((&example.output, &known.output), (Some(new), Some(old)) if !are_same(new, old));
        if differs { &mut other } else { &mut same }.push(example.line);
    }
    let of_task = |count, rest: &str| {
        let what = if count == 1 { "an example" } else { "examples" };
        format!("{} {what} of the task already{rest}", are(count, "text"))
    };
    [
        hint(HintKind::Contradiction, other.len(), other, |count| {
            of_task(count, ", with another answer: keep the correct one.")
        }),
        hint(HintKind::Known, same.len(), same, |count| of_task(count, ": nothing new is learned.")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether two answers are the same; a field that is null is as good as none.
fn are_same(a: &Value, b: &Value) -> bool {
    let (Value::Object(a), Value::Object(b)) = (a, b) else { return a == b };
    let is_in = |(name, value): (&String, &Value), other: &serde_json::Map<String, Value>| {
        are_same(value, other.get(name).unwrap_or(&Value::Null))
    };
    a.iter().all(|field| is_in(field, b)) && b.iter().all(|field| is_in(field, a))
}

/// Texts that say nearly the same as an example of the task or as a text before them.
fn near_texts(examples: &[Understood], folded: &[String], task: &KnownTask) -> Option<Hint> {
    let known = task.examples.iter().filter(|example| !matches!(example.review, Review::Rejected { .. }));
    let known: Vec<&Example> = known.collect();
    let texts: Vec<&str> =
        known.iter().map(|example| &*example.input).chain(examples.iter().map(|e| &*e.input)).collect();
    let clusters = near_duplicates(&texts);
    // What each cluster says, and the first answer to it.
    let mut said: HashMap<usize, (HashSet<String>, Option<&Value>)> = HashMap::new();
    for (example, cluster) in known.iter().zip(&clusters) {
        let (texts, answer) = said.entry(*cluster).or_default();
        texts.insert(fold(&example.input));
        *answer = answer.or(example.output.as_ref());
    }
    let (mut lines, mut differing) = (Vec::new(), 0);
    for ((example, text), cluster) in examples.iter().zip(folded).zip(&clusters[known.len()..]) {
        // Texts without words are all alike.
        if !text.chars().any(char::is_alphanumeric) {
            continue;
        }
        let (texts, answer) = said.entry(*cluster).or_default();
        if !texts.contains(text) {
            if !texts.is_empty() {
                lines.push(example.line);
                let differs = matches!((*answer, &example.output), (Some(old), Some(new)) if !are_same(old, new));
                differing += usize::from(differs);
            }
            texts.insert(text.clone());
        }
        *answer = answer.or(example.output.as_ref());
    }
    let answers = match differing {
        0 => String::new(),
        count => format!(" ({count} with another answer)"),
    };
    let another = if known.is_empty() { "another" } else { "another or an example of the task" };
    hint(HintKind::NearDuplicate, lines.len(), lines, |count| {
        let says = if count == 1 { "says" } else { "say" };
        format!("{} {says} nearly the same as {another}{answers}: new texts teach more.", counted(count, "text"))
    })
}

/// Hints about the labels of a text, together with those of the task's approved examples; `new` are the examples that it
/// does not have yet.
fn labels(understanding: &Understanding, task: &KnownTask, approved: &[&Example], new: &[&Understood]) -> Vec<Hint> {
    let here: Vec<&str> = understanding.labels.iter().map(|label| label.label.as_str()).collect();
    let lines = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let has = |example: &&Understood| example.output.as_ref().and_then(Value::as_str).is_some_and(is);
        understanding.examples.iter().filter(has).map(|example| example.line).take(MOST_LINES).collect()
    };
    let mut hints = Vec::new();
    let of_task: Vec<&str> = task.used.iter().chain(&task.labels).map(String::as_str).collect();
    let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for &label in of_task.iter().chain(&here) {
        let letters = label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        let spelled = spellings.entry(letters.collect()).or_default();
        if !spelled.contains(&label) {
            spelled.push(label);
        }
    }
    let mut misspelled: HashSet<&str> = HashSet::new();
    for (_, spelled) in spellings.into_iter().filter(|(letters, spelled)| spelled.len() > 1 && !letters.is_empty()) {
        misspelled.extend(&spelled[1..]);
        if spelled[1..].iter().any(|label| here.contains(label)) {
            let text = format!("One label in several spellings: `{}`.", spelled.join("`, `"));
            hints.push(Hint { kind: HintKind::Spelling, text, lines: lines(&|label| spelled[1..].contains(&label)) });
        }
    }
    let is_other = |label: &str| !of_task.contains(&label) && !misspelled.contains(label);
    let others: Vec<&str> = here.iter().copied().filter(|label| is_other(label)).collect();
    if !of_task.is_empty() && !others.is_empty() {
        let has = if task.used.is_empty() { &task.labels } else { &task.used };
        let verb = if others.len() == 1 { "is not a label" } else { "are not labels" };
        let text = format!("{} {verb} of the task, which has {}.", listed(&others), listed(has));
        hints.push(Hint { kind: HintKind::OtherLabels, text, lines: lines(&is_other) });
    }
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let outputs = approved.iter().map(|example| &example.output).chain(new.iter().map(|example| &example.output));
    for label in outputs.filter_map(|output| output.as_ref()?.as_str()) {
        *counts.entry(label).or_default() += 1;
    }
    // Where examples have labels of their own, those of the definition do not count.
    let missing: Vec<&str> = task.labels.iter().map(String::as_str).filter(|label| !here.contains(label)).collect();
    let missing: Vec<&str> = missing.into_iter().filter(|label| !task.used.iter().any(|used| used == label)).collect();
    if !missing.is_empty() && missing.len() < task.labels.len() {
        let verb = if missing.len() == 1 { "has" } else { "have" };
        let text = format!("{} {verb} no example: add at least {NEEDED} of each label.", listed(&missing));
        hints.push(Hint { kind: HintKind::MissingLabel, text, lines: Vec::new() });
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    if let [(only, _)] = counts.as_slice() {
        let text = format!("All examples have the label `{only}`; a task needs at least two labels.");
        hints.push(Hint { kind: HintKind::OneLabel, text, lines: Vec::new() });
        return hints;
    }
    if counts.iter().map(|(_, count)| count).sum::<usize>() < NEEDED {
        return hints;
    }
    let rare: Vec<&str> =
        counts.iter().filter(|(label, count)| *count == 1 && here.contains(label)).map(|(label, _)| *label).collect();
    if !rare.is_empty() {
        let text = format!("{} one example only: {}.", have(rare.len(), "label"), listed(&rare));
        hints.push(Hint { kind: HintKind::Rare, text, lines: lines(&|label| rare.contains(&label)) });
    }
    let Some(&(most, count)) = counts.first() else { return hints };
    let few: Vec<String> = counts[1..]
        .iter()
        .filter(|(label, few)| few * OUTWEIGHS <= count && !misspelled.contains(label))
        .map(|(label, few)| format!("{} of `{label}` (now {few})", count / OUTWEIGHS + 1 - few))
        .collect();
    if !few.is_empty() {
        let more = few.len().saturating_sub(MOST_LABELS);
        let more = if more > 0 { format!(" and of {} more", counted(more, "label")) } else { String::new() };
        let add = few[..few.len().min(MOST_LABELS)].join(", ");
        let text = format!("`{most}` has {count} examples, {OUTWEIGHS} times as many as others: add {add}{more}.");
        hints.push(Hint { kind: HintKind::Unbalanced, text, lines: Vec::new() });
    }
    hints
}

/// The first of some labels.
fn listed<T: AsRef<str>>(labels: &[T]) -> String {
    let shown: Vec<String> = labels.iter().take(MOST_LABELS).map(|label| format!("`{}`", label.as_ref())).collect();
    let more = labels.len().saturating_sub(MOST_LABELS);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}

/// `1 text has`, `3 texts have`.
fn have(count: usize, noun: &str) -> String {
    are(count, noun).replace(" is", " has").replace(" are", " have")
}
