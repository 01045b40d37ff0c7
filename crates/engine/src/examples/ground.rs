//! Decides which strings of an answer are copied from the input, and collects the names that a task knows from its
//! examples.

use std::collections::BTreeMap;

use graft_core::{AnswerForm, Example, TaskCard};
use graft_predict::{Found, GROUNDED, find_in};
use serde_json::{Value, json};

/// Fewer values than this say nothing about a field.
const ENOUGH: usize = 20;
/// A field is grounded if at least this share of its values occur in their inputs.
const SHARE: f64 = 0.9;
/// Most names that a field knows; the most frequent stay.
const MOST_NAMES: usize = 1000;

/// Completes a card with what its training examples say. A string that the schema calls grounded, or, where it says
/// nothing, one whose values nearly all occur in their inputs, gets the names that were given: those that the inputs have,
/// perhaps in another spelling, and those that they don't have.
pub(crate) fn ground(card: &mut TaskCard, train: &[Example]) {
    let AnswerForm::Json { schema } = &mut card.answer else { return };
    within(schema, &all(train), &|schema, examples| {
        if is_of(schema, &["string"]) {
            annotate(schema, examples);
        }
    });
}

/// Bounds a card's numbers where its schema doesn't: a million, or ten times the largest that the examples have, in both
/// directions. No example is refused by that, no answer is a number that nobody could mean, and a message that tells of more
/// than any example can still be answered rightly.
pub(crate) fn bound(card: &mut TaskCard, examples: &[Example]) {
    const TIMES: f64 = 10.0;
    const LEAST: i64 = 1_000_000;
    let AnswerForm::Json { schema } = &mut card.answer else { return };
    within(schema, &all(examples), &|schema, examples| {
        if !is_of(schema, &["number", "integer"]) {
            return;
        }
        let sizes = examples.iter().flat_map(|(_, values)| values).filter_map(|value| value.as_f64()).map(f64::abs);
        let Some(largest) = sizes.reduce(f64::max) else { return };
        let bound = ((largest * TIMES).ceil() as i64).clamp(LEAST, LARGEST_NUMBER);
        for (edge, exclusive, value) in
            [("minimum", "exclusiveMinimum", -bound), ("maximum", "exclusiveMaximum", bound)]
        {
            if schema.get(edge).is_none() && schema.get(exclusive).is_none() {
                schema[edge] = json!(value);
            }
        }
    });
}

/// The largest whole number that answers can have.
const LARGEST_NUMBER: i64 = 999_999_999_999_999_999;

/// All inputs with their answers.
fn all(examples: &[Example]) -> Vec<At<'_>> {
    examples.iter().filter_map(|example| Some((example.input.as_str(), vec![example.output.as_ref()?]))).collect()
}

/// An input, and the values that stand at one place of its answer.
type At<'e> = (&'e str, Vec<&'e Value>);

/// Completes the schemas of single values at and below one place.
fn within(schema: &mut Value, examples: &[At<'_>], complete: &impl Fn(&mut Value, &[At<'_>])) {
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        for (name, inner) in properties {
            within(inner, &below(examples, |value| value.get(name).into_iter()), complete);
        }
    } else if let Some(items) = schema.get_mut("items") {
        within(items, &below(examples, |value| value.as_array().into_iter().flatten()), complete);
    } else {
        complete(schema, examples);
    }
}

/// Takes the names of a string into its schema.
fn annotate(schema: &mut Value, examples: &[At<'_>]) {
    let annotation = match schema.get(GROUNDED) {
        Some(Value::Bool(true)) => names(examples).0,
        // Whoever wrote names, or that it is none, knows better.
        Some(_) => return,
        None => match names(examples) {
            (names, true) => names,
            (_, false) => return,
        },
    };
    schema[GROUNDED] = annotation;
}

/// The same examples, with what is one step below their values.
fn below<'e, I: Iterator<Item = &'e Value>>(examples: &[At<'e>], step: impl Fn(&'e Value) -> I) -> Vec<At<'e>> {
    examples.iter().map(|(input, values)| (*input, values.iter().flat_map(|value| step(value)).collect())).collect()
}

/// Whether a schema is of one of these types without a fixed list, or of null beside it.
fn is_of(schema: &Value, wanted: &[&str]) -> bool {
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return false,
    };
    let fixed = schema.get("enum").is_some() || schema.get("const").is_some();
    let is_wanted = |kind: &&str| wanted.contains(kind);
    !fixed && kinds.iter().any(is_wanted) && kinds.iter().all(|kind| is_wanted(kind) || *kind == "null")
}

/// The names of a field, and whether nearly all values occur in their inputs.
fn names(examples: &[At<'_>]) -> (Value, bool) {
    // For each name, how often it was given, and whether an input had nothing like it.
    let mut names: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    let (mut all, mut exact) = (0, 0);
    for (input, values) in examples {
        let values: Vec<&str> = values.iter().filter_map(|value| value.as_str()).collect();
        for (value, found) in values.iter().zip(find_in(input, &values)) {
            all += 1;
            exact += usize::from(found == Found::Exact);
            let name = names.entry(value).or_default();
            name.0 += 1;
            name.1 |= found == Found::Not;
        }
    }
    let mut names: Vec<(&str, (usize, bool))> = names.into_iter().filter(|(name, _)| !name.is_empty()).collect();
    names.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    names.truncate(MOST_NAMES);
    names.sort_unstable();
    let list = |absent: bool| -> Vec<&str> {
        names.iter().filter(|(_, (_, is_absent))| *is_absent == absent).map(|(name, _)| *name).collect()
    };
    let (known, always) = (list(false), list(true));
    let grounded = all >= ENOUGH && exact as f64 >= SHARE * all as f64;
    (json!({"known": known, "always": always}), grounded)
}

#[cfg(test)]
mod tests {
    use graft_core::{Review, Source};

    use super::*;

    fn example(input: String, output: Value) -> Example {
        Example {
            id: input.clone(),
            task: "t".into(),
            input,
            output: Some(output),
            source: Source { kind: "csv".into(), reference: String::new(), at: None },
            review: Review::Approved { by: "me".into(), at: 0 },
            revision: 1,
        }
    }

    #[test]
    fn fields_with_values_from_the_input_are_grounded() {
        let schema = json!({"type": "object", "properties": {
            "place": {"type": ["string", "null"]}, "mood": {"type": "string"},
            "off": {"type": "string", "x-graft-grounded": false}, "kind": {"enum": ["a"]},
            "items": {"type": "array", "items": {"type": "object", "properties": {
                "name": {"type": "string", "x-graft-grounded": true},
            }}},
        }});
        let output = |i: usize| {
            let place = if i == 3 { json!("Nowhere Farm") } else { json!(format!("farm {i}")) };
            json!({"place": place, "mood": "fine", "off": "kale", "kind": "a", "items": [{"name": "kale"}]})
        };
        let train: Vec<Example> =
            (0..30).map(|i| example(format!("Farm: farm {i} had kael and kale"), output(i))).collect();
        let mut card = TaskCard { name: "t".into(), instruction: String::new(), answer: AnswerForm::Json { schema } };
        ground(&mut card, &train);
        let AnswerForm::Json { schema } = &card.answer else { unreachable!() };
        let fields = &schema["properties"];
        assert_eq!(fields["place"][GROUNDED]["always"], json!(["Nowhere Farm"]));
        assert_eq!(fields["place"][GROUNDED]["known"].as_array().unwrap().len(), 29);
        assert_eq!((&fields["mood"].get(GROUNDED), &fields["off"][GROUNDED]), (&None, &json!(false)));
        let name = &fields["items"]["items"]["properties"]["name"][GROUNDED];
        assert_eq!(*name, json!({"known": ["kale"], "always": []}));
        assert!(graft_predict::Codec::new(&card.answer).is_ok());
    }

    #[test]
    fn numbers_are_bounded_by_a_million_or_ten_times_the_largest_example() {
        let schema = json!({"type": "object", "properties": {
            "boxes": {"type": ["number", "null"]}, "share": {"type": "number", "maximum": 1}, "kind": {"enum": [1]},
            "none": {"type": "integer"}, "kilos": {"type": "number"}, "loss": {"type": "number"},
        }});
        let output = json!({"boxes": 12.5, "share": 0.4, "kind": 1, "kilos": 250_000.5, "loss": -3});
        let mut card = TaskCard { name: "t".into(), instruction: String::new(), answer: AnswerForm::Json { schema } };
        bound(&mut card, &[example("a".into(), output), example("b".into(), json!({"boxes": null}))]);
        let codec = graft_predict::Codec::new(&card.answer).unwrap();
        let AnswerForm::Json { schema } = &card.answer else { unreachable!() };
        let edges =
            |name: &str| (schema["properties"][name]["minimum"].clone(), schema["properties"][name]["maximum"].clone());
        assert_eq!(edges("boxes"), (json!(-1_000_000), json!(1_000_000)));
        assert_eq!(edges("share"), (json!(-1_000_000), json!(1)));
        assert_eq!(edges("kilos"), (json!(-2_500_005), json!(2_500_005)));
        assert_eq!((edges("none"), edges("kind")), ((Value::Null, Value::Null), (Value::Null, Value::Null)));
        let of = |boxes: f64| json!({"boxes": boxes, "share": 1, "kind": 1, "none": 1, "kilos": 0, "loss": 1});
        assert!(codec.encode(&of(1250.0)).is_ok() && codec.encode(&of(1.2e17)).is_err());
    }
}
