//! Hints that would improve pasted examples before they are stored.

use std::collections::{BTreeMap, HashMap};

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
    /// The same text has different answers.
    Contradiction,
    /// Labels that differ only in case, spaces or punctuation.
    Spelling,
    /// A label task has one label.
    OneLabel,
    /// Some texts have no answer.
    Unanswered,
    /// Fewer examples than a training needs.
    Few,
    /// A label has one example.
    Rare,
    /// One label has nearly all examples.
    Unbalanced,
    /// The same text more than once.
    Duplicate,
    /// Texts of one or two characters.
    Short,
    /// Texts that a small model may not read to their end.
    Long,
}

/// Approved examples that a training needs.
const NEEDED: usize = 10;
/// Most lines that a hint names.
const MOST_LINES: usize = 20;
/// Longest text that says nothing, in characters.
const SHORT: usize = 2;
/// Text whose tokens may be more than fit, in characters.
const LONG: usize = 4_000;

/// All hints about examples.
pub(super) fn of(understanding: &Understanding) -> Vec<Hint> {
    let examples = &understanding.examples;
    let answered = examples.iter().filter(|example| example.output.is_some()).count();
    let mut hints = same_texts(examples);
    if understanding.form == Some(Form::Labels) {
        hints.extend(labels(understanding));
    }
    let mut about = |kind, is: &dyn Fn(&Understood) -> bool, text: &dyn Fn(usize) -> String| {
        let lines: Vec<usize> = examples.iter().filter(|example| is(example)).map(|example| example.line).collect();
        if !lines.is_empty() {
            hints.push(Hint { kind, text: text(lines.len()), lines: lines.into_iter().take(MOST_LINES).collect() });
        }
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
    if !examples.is_empty() && answered < NEEDED {
        let text = format!("A training needs {NEEDED} approved examples; {} an answer.", have(answered, "example"));
        hints.push(Hint { kind: HintKind::Few, text, lines: Vec::new() });
    }
    hints.sort_by_key(|hint| hint.kind);
    hints
}

/// Texts that occur more than once, case and spaces aside.
fn same_texts(examples: &[Understood]) -> Vec<Hint> {
    let mut groups: HashMap<String, Vec<&Understood>> = HashMap::new();
    for example in examples {
        let words: Vec<String> = example.input.split_whitespace().map(str::to_lowercase).collect();
        groups.entry(words.join(" ")).or_default().push(example);
    }
    let (mut contradictions, mut duplicates) = (Vec::new(), Vec::new());
    for group in groups.into_values().filter(|group| group.len() > 1) {
        let answers: Vec<&Value> = group.iter().filter_map(|example| example.output.as_ref()).collect();
        let list = if answers.windows(2).any(|two| two[0] != two[1]) { &mut contradictions } else { &mut duplicates };
        list.push(group.into_iter().map(|example| example.line).collect::<Vec<_>>());
    }
    let hint = |kind, groups: Vec<Vec<usize>>, what: &str| {
        let mut lines: Vec<usize> = groups.iter().flatten().copied().collect();
        lines.sort_unstable();
        lines.truncate(MOST_LINES);
        let text = format!("{} {what}", counted(groups.len(), "text"));
        (!groups.is_empty()).then_some(Hint { kind, text, lines })
    };
    [
        hint(HintKind::Contradiction, contradictions, "with different answers: keep the correct one."),
        hint(HintKind::Duplicate, duplicates, "more than once: keep one."),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn labels(understanding: &Understanding) -> Vec<Hint> {
    let labels = &understanding.labels;
    let all: usize = labels.iter().map(|label| label.count).sum();
    let lines = |is: &dyn Fn(&str) -> bool| -> Vec<usize> {
        let has = |example: &&Understood| example.output.as_ref().and_then(Value::as_str).is_some_and(is);
        understanding.examples.iter().filter(has).map(|example| example.line).take(MOST_LINES).collect()
    };
    let mut spellings: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for label in labels {
        let letters = label.label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        spellings.entry(letters.collect()).or_default().push(&label.label);
    }
    let mut hints = Vec::new();
    for (_, spelled) in spellings.into_iter().filter(|(letters, spelled)| spelled.len() > 1 && !letters.is_empty()) {
        let text = format!("One label in several spellings: `{}`.", spelled.join("`, `"));
        hints.push(Hint { kind: HintKind::Spelling, text, lines: lines(&|label| spelled[1..].contains(&label)) });
    }
    if let [only] = labels.as_slice() {
        let text = format!("All examples have the label `{}`; a task needs at least two labels.", only.label);
        hints.push(Hint { kind: HintKind::OneLabel, text, lines: Vec::new() });
        return hints;
    }
    let rare: Vec<&str> = labels.iter().filter(|label| label.count == 1).map(|label| label.label.as_str()).collect();
    if !rare.is_empty() && all >= NEEDED {
        let text =
            format!("{} one example only: `{}`.", have(rare.len(), "label"), rare[..rare.len().min(5)].join("`, `"));
        hints.push(Hint { kind: HintKind::Rare, text, lines: lines(&|label| rare.contains(&label)) });
    }
    let most = &labels[0];
    if all >= NEEDED && most.count * 10 >= all * 9 {
        let text = format!("`{}` has {} of {all} examples: add some of the others.", most.label, most.count);
        hints.push(Hint { kind: HintKind::Unbalanced, text, lines: Vec::new() });
    }
    hints
}

/// `1 text has`, `3 texts have`.
fn have(count: usize, noun: &str) -> String {
    are(count, noun).replace(" is", " has").replace(" are", " have")
}
