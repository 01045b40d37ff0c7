use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{Board, bootstrap::Ratio, normal};
use crate::cards::Scoring;

/// True positives, false positives and false negatives of one example.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) tp: usize,
    pub(super) fp: usize,
    pub(super) fn_: usize,
}

/// The key of a list item by its compared properties.
type ItemKey = Vec<Option<String>>;

/// Scores JSON answers field by field: accuracy of single values; precision, recall and F1 of lists of objects (and of
/// each property together with the first, which names the item); and the share of answers right in all of it.
pub(super) fn score(
    schema: &Value,
    rules: &Scoring,
    pairs: &[(Value, Option<Value>)],
    board: &mut Board,
) -> &'static str {
    let mut whole: Vec<bool> = pairs.iter().map(|(_, got)| got.is_some()).collect();
    for (field, inner) in properties(schema) {
        let right: Vec<bool> = match inner.get("items") {
            Some(item) => {
                let counts = lists(pairs, field, item, rules, board);
                counts.iter().map(|c| c.fp + c.fn_ == 0).collect()
            }
            None => {
                let same = |(want, got): &(Value, Option<Value>)| {
                    got.as_ref().is_some_and(|got| {
                        normal::key(want.get(field), inner, field, rules)
                            == normal::key(got.get(field), inner, field, rules)
                    })
                };
                let right: Vec<bool> = pairs.iter().map(same).collect();
                board.share(field, right.iter().copied());
                right
            }
        };
        whole.iter_mut().zip(right).for_each(|(all, right)| *all &= right);
    }
    board.share("exact", whole);
    "exact"
}

/// The name of the F1 of the items of a schema's first list, if it has one.
pub(super) fn first_f1(schema: &Value) -> Option<String> {
    let (field, _) = properties(schema).find(|(_, inner)| inner.get("items").is_some())?;
    Some(format!("{}_f1", singular(field)))
}

/// A list's name, for one item.
fn singular(field: &str) -> &str {
    field.strip_suffix('s').unwrap_or(field)
}

/// Adds a list's metrics, named by its singular: `item_f1` for `items`.
fn lists(
    pairs: &[(Value, Option<Value>)],
    field: &str,
    item: &Value,
    rules: &Scoring,
    board: &mut Board,
) -> Vec<Counts> {
    let singular = singular(field);
    let count = |picked: &[&str]| -> Vec<Counts> {
        let keys = |answer: Option<&Value>| item_keys(answer, field, item, picked, rules);
        pairs.iter().map(|(want, got)| matched(keys(Some(want)), keys(got.as_ref()))).collect()
    };
    let names: Vec<&str> = properties(item).map(|(name, _)| name).collect();
    let scored: Vec<&str> =
        names.iter().copied().filter(|name| !rules.unscored.iter().any(|unscored| unscored == name)).collect();
    let counts = count(&scored);
    let ratio = |counts: &[Counts], num: fn(&Counts) -> usize, den: fn(&Counts) -> usize| -> Vec<Ratio> {
        counts.iter().map(|c| Ratio { num: num(c) as f64, den: den(c) as f64 }).collect()
    };
    board.ratio(format!("{singular}_precision"), ratio(&counts, |c| c.tp, |c| c.tp + c.fp));
    board.ratio(format!("{singular}_recall"), ratio(&counts, |c| c.tp, |c| c.tp + c.fn_));
    let f1 = |counts: &[Counts]| ratio(counts, |c| 2 * c.tp, |c| 2 * c.tp + c.fp + c.fn_);
    board.ratio(format!("{singular}_f1"), f1(&counts));
    for (i, name) in names.iter().enumerate() {
        let picked: Vec<&str> = if i == 0 { vec![name] } else { vec![names[0], name] };
        board.ratio(format!("{singular}_{name}_f1"), f1(&count(&picked)));
    }
    counts
}

/// The keys of an answer's list, by the picked properties; what is no object (for schemas of objects) is left out.
pub(super) fn item_keys(
    answer: Option<&Value>,
    field: &str,
    item: &Value,
    picked: &[&str],
    rules: &Scoring,
) -> Vec<ItemKey> {
    let list = answer.and_then(|answer| answer.get(field)).and_then(Value::as_array);
    let list = list.into_iter().flatten();
    if picked.is_empty() {
        return list.map(|value| vec![normal::key(Some(value), item, field, rules)]).collect();
    }
    let empty = Map::new();
    let schemas = item.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    let of = |object: &Map<String, Value>| {
        let one = |name: &&str| normal::key(object.get(*name), schemas.get(*name).unwrap_or(&Value::Null), name, rules);
        picked.iter().map(one).collect()
    };
    list.filter_map(Value::as_object).map(of).collect()
}

/// Matches two lists as multisets.
pub(super) fn matched(want: Vec<ItemKey>, got: Vec<ItemKey>) -> Counts {
    let mut left: HashMap<ItemKey, usize> = HashMap::new();
    let (wanted, given) = (want.len(), got.len());
    want.into_iter().for_each(|key| *left.entry(key).or_default() += 1);
    let tp = got.into_iter().filter(|key| left.get_mut(key).filter(|n| **n > 0).map(|n| *n -= 1).is_some()).count();
    Counts { tp, fp: given - tp, fn_: wanted - tp }
}

/// A schema's properties in order.
pub(super) fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let object = schema.get("properties").and_then(Value::as_object);
    object.into_iter().flatten().map(|(name, inner)| (name.as_str(), inner))
}
