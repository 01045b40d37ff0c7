use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{Understanding, Understood, understand};
use crate::tabular::Columns;

/// What differs between the examples of two texts, in the order of the texts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct TextDiff {
    /// What stands above the examples, where that differs.
    pub heading: Option<HeadingChange>,
    /// Examples that only the later text has.
    pub added: Vec<Understood>,
    /// Examples that only the earlier text has.
    pub removed: Vec<Understood>,
    /// Inputs with another answer.
    pub changed: Vec<AnswerChange>,
    /// Number of each, also where the lists are cut.
    pub counts: DiffCounts,
}

/// What stands above the examples of two texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HeadingChange {
    /// Of the earlier text.
    pub before: Option<String>,
    /// Of the later text.
    pub after: Option<String>,
}

/// An input with another answer.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct AnswerChange {
    /// The input.
    pub input: String,
    /// The earlier answer, if it has one.
    pub before: Option<Value>,
    /// The later answer, if it has one.
    pub after: Option<Value>,
}

/// Number of examples by what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct DiffCounts {
    /// Only in the later text.
    pub added: usize,
    /// Only in the earlier text.
    pub removed: usize,
    /// With another answer.
    pub changed: usize,
    /// In both texts.
    pub same: usize,
}

/// Compares the examples of two texts: not their bytes, so another layout or order of the same examples is no difference.
#[must_use]
pub fn compare(before: &str, after: &str) -> TextDiff {
    let [before, after] = [before, after].map(|text| understand(text, &Columns::default()));
    let mut diff = TextDiff::default();
    if before.instruction != after.instruction {
        let heading = |of: &Understanding| of.instruction.clone();
        diff.heading = Some(HeadingChange { before: heading(&before), after: heading(&after) });
    }
    // The answers of an input that are left over; a text may say an input several times.
    let mut left: HashMap<&str, Vec<&Understood>> = HashMap::new();
    for example in before.examples.iter().rev() {
        left.entry(&example.input).or_default().push(example);
    }
    let mut new: Vec<&Understood> = Vec::new();
    for example in &after.examples {
        let rest = left.get_mut(example.input.as_str());
        let same = rest.and_then(|rest| {
            let at = rest.iter().rposition(|one| one.output == example.output)?;
            Some(rest.remove(at))
        });
        match same {
            Some(_) => diff.counts.same += 1,
            None => new.push(example),
        }
    }
    for example in new {
        match left.get_mut(example.input.as_str()).and_then(Vec::pop) {
            Some(old) => diff.changed.push(AnswerChange {
                input: example.input.clone(),
                before: old.output.clone(),
                after: example.output.clone(),
            }),
            None => diff.added.push(example.clone()),
        }
    }
    diff.removed = left.into_values().flatten().cloned().collect();
    diff.removed.sort_by_key(|example| example.line);
    diff.counts.added = diff.added.len();
    diff.counts.removed = diff.removed.len();
    diff.counts.changed = diff.changed.len();
    diff
}

impl TextDiff {
    /// Keeps so many of each list at most; the counts stay.
    pub fn cut(&mut self, most: usize) {
        self.added.truncate(most);
        self.removed.truncate(most);
        self.changed.truncate(most);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const TEXT: &str = "Classify the mood:\n\"good day\" -> good\n\"bad day\" -> bad\n\"odd day\" -> bad\n";

    #[test]
    fn another_layout_and_order_of_the_same_examples_is_no_difference() {
        let table = "text,label\nodd day,bad\ngood day,good\nbad day,bad\n";
        let diff = compare(TEXT, table);
        assert_eq!(diff.counts, DiffCounts { same: 3, ..DiffCounts::default() });
        let heading = HeadingChange { before: Some("Classify the mood".into()), after: None };
        assert_eq!(diff.heading, Some(heading));
        assert_eq!(compare(TEXT, TEXT).heading, None);
    }

    #[test]
    fn label_with_another_name_changes_answers_only() {
        let renamed = TEXT.replace("-> bad", "-> negative");
        let diff = compare(TEXT, &renamed);
        assert_eq!(diff.counts, DiffCounts { changed: 2, same: 1, ..DiffCounts::default() });
        let inputs: Vec<&str> = diff.changed.iter().map(|one| one.input.as_str()).collect();
        assert_eq!(inputs, ["bad day", "odd day"]);
        assert_eq!((&diff.changed[0].before, &diff.changed[0].after), (&Some(json!("bad")), &Some(json!("negative"))));
    }

    #[test]
    fn repeated_input_is_compared_as_often_as_it_is_there() {
        let diff =
            compare("\"a b\" -> x\n\"a b\" -> y\n\"c\" -> x", "\"a b\" -> y\n\"a b\" -> z\n\"a b\" -> z\n\"c\" -> x");
        assert_eq!(diff.counts, DiffCounts { added: 1, changed: 1, same: 2, removed: 0 });
    }

    proptest! {
        #[test]
        fn swapped_texts_swap_the_difference(
            one in prop::collection::vec(("[a-d]{1,2}", "[xyz]"), 1..9),
            two in prop::collection::vec(("[a-d]{1,2}", "[xyz]"), 1..9),
        ) {
            let text = |rows: &[(String, String)]| -> String {
                rows.iter().map(|(input, label)| format!("\"{input} it\" -> {label}\n")).collect()
            };
            let (there, back) = (compare(&text(&one), &text(&two)), compare(&text(&two), &text(&one)));
            let inputs = |list: &[Understood]| -> Vec<String> {
                let mut inputs: Vec<String> = list.iter().map(|one| one.input.clone()).collect();
                inputs.sort();
                inputs
            };
            prop_assert_eq!(inputs(&there.added), inputs(&back.removed));
            prop_assert_eq!(inputs(&there.removed), inputs(&back.added));
            prop_assert_eq!(there.counts.changed, back.counts.changed);
            prop_assert_eq!(there.counts.same + there.counts.changed + there.counts.added, two.len());
            prop_assert_eq!(there.counts.same + there.counts.changed + there.counts.removed, one.len());
        }

        #[test]
        fn any_texts_can_be_compared(one in ".{0,200}", two in ".{0,200}") {
            let _ = compare(&one, &two);
        }
    }
}
