//! Answers that a split keeps from being learned or from being measured.

use std::collections::{BTreeMap, BTreeSet};

use graft_core::Example;
use graft_tasks::cards::Form;
use serde_json::Value;

use super::Prepared;

/// Most values of a field that is a choice, and the length of one in bytes.
const MAX_VALUES: usize = 20;
const MAX_VALUE: usize = 60;
/// Values that are named.
const SHOWN: usize = 5;

/// A field, without a name for a label, and one of its values.
type Choice<'e> = (&'e str, &'e str);

impl Prepared {
    /// What can't be learned or measured because of the split, and what to do about it.
    pub(crate) fn lopsided(&self) -> Vec<(String, &'static str)> {
        let is_label = self.task.definition.form == Form::Labels;
        let (train, eval) = (counts(&self.dataset.train, is_label), counts(&self.dataset.eval, is_label));
        let mut values: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (field, value) in train.keys().chain(eval.keys()) {
            values.entry(field).or_default().insert(value);
        }
        let half = (self.dataset.train.len() + self.dataset.eval.len()) / 2;
        let is_choice =
            |field: &str| is_label || values.get(field).is_some_and(|all| all.len() <= MAX_VALUES.min(half));
        let unlearned = eval.iter().filter(|(choice, _)| is_choice(choice.0) && !train.contains_key(*choice));
        let unmeasured = train.iter().filter(|(choice, count)| is_label && **count == 1 && !eval.contains_key(*choice));
        let mut found = Vec::new();
        if let Some(named) = named(unlearned) {
            let hint = "approve more such examples; if they were imported sorted, hold out a random choice (`split`: `random`)";
            found.push((format!("learn {named}: all examples with it are held out"), hint));
        }
        // Without held-out examples nothing is measured, which is told elsewhere.
        if let Some(named) = named(unmeasured).filter(|_| !self.dataset.eval.is_empty()) {
            let hint = "approve more of them: a label with two or more examples is both learned and measured";
            found.push((format!("measure {named}: it has one example, which is learned"), hint));
        }
        found
    }
}

/// How often each label or each short value of a field occurs.
fn counts(examples: &[Example], is_label: bool) -> BTreeMap<Choice<'_>, usize> {
    let mut counts = BTreeMap::new();
    for output in examples.iter().filter_map(|example| example.output.as_ref()) {
        let fields = output.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value));
        for (field, value) in fields.chain(is_label.then_some(("", output))) {
            let value = match value {
                Value::String(text) if is_label || text.len() <= MAX_VALUE => text,
                Value::Bool(true) => "true",
                Value::Bool(false) => "false",
                _ => continue,
            };
            *counts.entry((field, value)).or_default() += 1;
        }
    }
    counts
}

/// The first of some choices with how often each occurs.
fn named<'e>(choices: impl Iterator<Item = (&'e Choice<'e>, &'e usize)>) -> Option<String> {
    let all: Vec<String> = choices
        .map(|((field, value), count)| match *field {
            "" => format!("`{value}` ({count} ×)"),
            field => format!("`{field}` = `{value}` ({count} ×)"),
        })
        .collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    (!all.is_empty()).then(|| if more > 0 { format!("{shown} and {more} more") } else { shown })
}
