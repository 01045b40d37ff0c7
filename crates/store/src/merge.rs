//! How a repeated import changes a stored example. Pure, so that the rule can be tested alone.

use graft_core::{Example, Review};

/// Result of merging an imported example into a stored one.
#[derive(Debug, PartialEq)]
pub(crate) enum Merge {
    /// The import has no new information.
    Unchanged,
    /// The import differs, but a person's review takes precedence.
    Kept,
    /// The import takes precedence; this is the updated example.
    Update(Box<Example>),
}

/// Merges an imported example into the stored one; `touched` says that a person has reviewed or edited it.
///
/// An import without an output, or with a pending review, does not change the stored output or review. So importing a
/// source again without its labels removes none. Input that changes without a new review must be reviewed again.
pub(crate) fn merge(stored: &Example, touched: bool, new: &Example) -> Merge {
    let input = new.input != stored.input;
    let output = new.output.is_some() && new.output != stored.output;
    let opinion = new.review != Review::Pending;
    let review = opinion && verdict(&new.review) != verdict(&stored.review);
    let source = new.source != stored.source;
    if touched && (input || output || review) {
        return Merge::Kept;
    }
    if !(input || output || review || source) {
        return Merge::Unchanged;
    }
    let content = input || output;
    let mut merged = stored.clone();
    merged.source = new.source.clone();
    if content {
        merged.input.clone_from(&new.input);
        merged.output = new.output.clone().or_else(|| stored.output.clone());
        merged.revision = stored.revision.saturating_add(1);
    }
    if opinion && (review || content) {
        merged.review = new.review.clone();
    } else if content {
        merged.review = Review::Pending;
    }
    Merge::Update(Box::new(merged))
}

/// The outcome and reason of a review, without who made it and when.
fn verdict(review: &Review) -> (&'static str, Option<&str>) {
    let reason = if let Review::Rejected { reason, .. } = review { Some(reason.as_str()) } else { None };
    (review.name(), reason)
}

#[cfg(test)]
mod tests {
    use graft_core::Source;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn example(input: &str, output: Option<Value>, review: Review, at: i64) -> Example {
        let source = Source { kind: "slack".into(), reference: "1".into(), at: Some(at) };
        Example { id: "e".into(), task: "t".into(), input: input.into(), output, source, review, revision: 3 }
    }

    fn approved(at: i64) -> Review {
        Review::Approved { by: "labels".into(), at }
    }

    fn update(merge: Merge) -> Example {
        let Merge::Update(example) = merge else { panic!("{merge:?} is no update") };
        *example
    }

    #[test]
    fn imported_labels_fill_missing_outputs() {
        let stored = example("a", None, Review::Pending, 0);
        let merged = update(merge(&stored, false, &example("a", Some(json!(1)), approved(9), 0)));
        assert_eq!((merged.output, merged.review, merged.revision), (Some(json!(1)), approved(9), 4));
    }

    #[test]
    fn import_without_labels_keeps_existing_labels() {
        let stored = example("a", Some(json!(1)), approved(9), 0);
        assert_eq!(merge(&stored, false, &example("a", None, Review::Pending, 0)), Merge::Unchanged);
    }

    #[test]
    fn changed_input_must_be_reviewed_again() {
        let stored = example("a", Some(json!(1)), approved(9), 0);
        let merged = update(merge(&stored, false, &example("b", None, Review::Pending, 0)));
        assert_eq!((merged.output, merged.review, merged.revision), (Some(json!(1)), Review::Pending, 4));
    }

    #[test]
    fn added_source_time_makes_no_revision() {
        let stored = example("a", Some(json!(1)), approved(9), 0);
        let merged = update(merge(&stored, true, &example("a", None, Review::Pending, 5)));
        assert_eq!((merged.source.at, merged.revision, merged.review), (Some(5), 3, approved(9)));
    }

    fn reviews() -> impl Strategy<Value = Review> {
        prop_oneof![
            Just(Review::Pending),
            Just(approved(1)),
            Just(Review::Rejected { by: "me".into(), at: 1, reason: "no".into() }),
        ]
    }

    fn examples() -> impl Strategy<Value = Example> {
        ("[ab]", proptest::option::of(0..3), reviews(), 0..2_i64)
            .prop_map(|(input, output, review, at)| example(&input, output.map(|n| json!(n)), review, at))
    }

    proptest! {
        #[test]
        fn merging_twice_changes_nothing(stored in examples(), touched: bool, new in examples()) {
            let first = merge(&stored, touched, &new);
            if let Merge::Update(merged) = &first {
                prop_assert_eq!(merge(merged, touched, &new), Merge::Unchanged);
            }
            if touched {
                let after = if let Merge::Update(merged) = first { *merged } else { stored.clone() };
                prop_assert_eq!((after.input, after.output, after.review), (stored.input, stored.output, stored.review));
            }
        }
    }
}
