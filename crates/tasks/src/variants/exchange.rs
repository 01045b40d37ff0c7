//! Exchanges names and amounts in an input and its answer together.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use graft_core::{Example, is_joined};
use rand::{Rng, RngExt as _, rngs::ChaCha8Rng, seq::IndexedRandom as _};
use serde_json::{Map, Value};

use super::{
    Draft, Part, Wordings,
    wordings::{ListWords, OneOrMany},
};

/// Names and objects to exchange with others, from examples and wordings.
#[derive(Debug, Default)]
pub(super) struct Pools {
    /// Known names of each grounded field of the answer.
    pub(super) names: BTreeMap<String, BTreeSet<String>>,
    /// What invented names of a field end with.
    pub(super) kinds: BTreeMap<String, Vec<String>>,
    lists: BTreeMap<String, ListPool>,
}

/// What the objects of a list may be.
#[derive(Debug, Default)]
struct ListPool {
    /// The grounded field of its objects.
    name: String,
    /// Names with what they imply.
    known: Vec<Map<String, Value>>,
    /// The same from the wordings.
    others: Vec<Map<String, Value>>,
    /// What may stand before a name of `others`.
    before: Vec<String>,
}

impl Pools {
    /// The grounded fields of a schema, with their values in the examples. Deeper fields than those of listed objects stay
    /// as they are.
    pub(super) fn new(schema: &Value, examples: &[Example], wordings: &Wordings) -> Self {
        let mut pools = Self::default();
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in properties.into_iter().flatten() {
            let outputs = examples.iter().filter_map(|example| example.output.as_ref()?.get(name));
            if is_grounded(inner) {
                let names: BTreeSet<String> = outputs.filter_map(Value::as_str).map(str::to_owned).collect();
                let last = |name: &String| name.split_whitespace().next_back().map(str::to_owned);
                let kinds = wordings.names.get(name).cloned();
                pools.kinds.insert(name.clone(), kinds.unwrap_or_else(|| names.iter().filter_map(last).collect()));
                pools.names.insert(name.clone(), names);
            } else if let Some(item) = inner.get("items") {
                let objects: Vec<&Map<String, Value>> =
                    outputs.filter_map(Value::as_array).flatten().filter_map(Value::as_object).collect();
                let words = wordings.lists.get(name);
                pools.lists.extend(ListPool::new(item, &objects, words).map(|pool| (name.clone(), pool)));
            }
        }
        pools
    }

    /// An input with other names and amounts, where it is certain which words they are.
    pub(super) fn exchange(&self, input: &str, output: Value, random: &mut ChaCha8Rng) -> Draft {
        let mut swaps = Swaps { input, output, taken: Vec::new() };
        for (name, known) in &self.names {
            let Some(value) = swaps.output.get(name).and_then(Value::as_str).map(str::to_owned) else { continue };
            if !random.random_bool(0.6) {
                continue;
            }
            let other = if random.random_bool(0.2) {
                known.iter().nth(random.random_range(0..known.len().max(1))).cloned().unwrap_or_default()
            } else {
                self.invent(name, random)
            };
            swaps.name(&format!("/{name}"), &value, &other, usize::MAX);
        }
        for (list, pool) in &self.lists {
            let count = swaps.output.get(list).and_then(Value::as_array).map_or(0, Vec::len);
            for at in 0..count {
                let path = format!("/{list}/{at}");
                let object = swaps.output.pointer(&path).and_then(Value::as_object).cloned().unwrap_or_default();
                let value = object.get(&pool.name).and_then(Value::as_str).map(str::to_owned);
                if let Some(value) = value.filter(|_| random.random_bool(0.42)) {
                    let mut other = object.clone();
                    pool.replace(&mut other, random);
                    let name = other.get(&pool.name).and_then(Value::as_str).unwrap_or_default().to_owned();
                    let twice = |object: &Value| object.get(&pool.name).and_then(Value::as_str) == Some(name.as_str());
                    let known = swaps.output[list].as_array().is_some_and(|all| all.iter().any(twice));
                    if !known && swaps.name(&format!("{path}/{}", pool.name), &value, &name, 1) {
                        swaps.output[list][at] = Value::Object(other);
                    }
                }
                for (name, value) in object.iter().filter(|(_, value)| value.is_number()) {
                    if random.random_bool(0.36) {
                        swaps.number(&format!("{path}/{name}"), value, random);
                    }
                }
            }
        }
        swaps.draft(|text| {
            self.names.values().any(|names| names.contains(text)) || self.lists.values().any(|p| p.knows(text))
        })
    }

    /// Puts another name and what it implies into an object of a list.
    pub(super) fn replace(&self, list: &str, object: &mut Map<String, Value>, random: &mut impl Rng) {
        if let Some(pool) = self.lists.get(list) {
            pool.replace(object, random);
        }
    }

    /// Whether the examples have this name in a list.
    pub(super) fn knows(&self, list: &str, name: &str) -> bool {
        self.lists.get(list).is_some_and(|pool| pool.knows(name))
    }

    /// Leaves only the first of the objects that have the same name.
    pub(super) fn only_once(&self, list: &str, objects: &mut Vec<Value>) {
        let Some(pool) = self.lists.get(list) else { return };
        let mut seen = BTreeSet::new();
        objects.retain(|object| object.get(&pool.name).is_none_or(|name| seen.insert(name.to_string().to_lowercase())));
    }
}

impl ListPool {
    /// The pool of a list whose objects have one grounded field.
    fn new(item: &Value, objects: &[&Map<String, Value>], words: Option<&ListWords>) -> Option<Self> {
        let fields = item.get("properties")?.as_object()?;
        let name = fields.iter().find(|(_, schema)| is_grounded(schema))?.0.clone();
        let decides = |field: &String| {
            let mut values: BTreeMap<&str, &Value> = BTreeMap::new();
            objects.iter().all(|object| match (object.get(&name).and_then(Value::as_str), object.get(field)) {
                (Some(name), Some(value)) => *values.entry(name).or_insert(value) == value,
                _ => true,
            })
        };
        let choices = fields.iter().filter(|(_, schema)| schema.get("enum").is_some()).map(|(field, _)| field);
        // A field that frames speak of is said beside the name.
        let said = |field: &&String| words.is_some_and(|words| words.spelled.contains_key(*field));
        let implied: Vec<String> = choices.filter(|field| !said(field) && decides(field)).cloned().collect();
        let mut known: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
        for object in objects {
            let Some(text) = object.get(&name).and_then(Value::as_str) else { continue };
            let kept = object.iter().filter(|(field, _)| **field == name || implied.contains(field));
            known.entry(text).or_insert_with(|| kept.map(|(field, value)| (field.clone(), value.clone())).collect());
        }
        let (mut others, mut before) = (Vec::new(), Vec::new());
        if let Some(words) = words {
            for values in &words.values {
                let Some(OneOrMany::Many(names)) = values.get(&name) else { continue };
                let rest = values.iter().filter_map(|(field, value)| match value {
                    OneOrMany::One(value) => Some((field.clone(), Value::from(value.as_str()))),
                    OneOrMany::Many(_) => None,
                });
                let rest: Vec<(String, Value)> = rest.collect();
                let object = |text: &String| {
                    let named = [(name.clone(), Value::from(text.as_str()))];
                    named.into_iter().chain(rest.iter().cloned()).collect()
                };
                others.extend(names.iter().filter(|text| !known.contains_key(text.as_str())).map(object));
            }
            before = words.before.get(&name).cloned().unwrap_or_default();
        }
        Some(Self { known: known.into_values().collect(), others, before, name })
    }

    fn knows(&self, name: &str) -> bool {
        self.known.iter().any(|object| object.get(&self.name).and_then(Value::as_str) == Some(name))
    }

    fn replace(&self, object: &mut Map<String, Value>, random: &mut impl Rng) {
        let kind = random.random_range(0..10);
        let from = if self.others.is_empty() || kind < 3 { &self.known } else { &self.others };
        let Some(other) = from.choose(random) else { return };
        for (field, value) in other {
            object.insert(field.clone(), value.clone());
        }
        if kind < 6 {
            return;
        }
        let mut before = self.before.choose(random).cloned();
        if before.is_none() || kind == 9 {
            before = Some(super::words::word(random).to_lowercase());
        }
        if let (Some(before), Some(Value::String(name))) = (before, object.get_mut(&self.name)) {
            *name = format!("{before} {name}");
        }
    }
}

/// Whether a schema is of a string that stands in the input.
fn is_grounded(schema: &Value) -> bool {
    schema.get("x-graft-grounded").is_some_and(|grounded| *grounded != Value::Bool(false))
}

/// A plausible number.
pub(super) fn quantity(random: &mut impl Rng) -> Value {
    match random.random_range(0..12) {
        0..2 => Value::from(1),
        2..6 => Value::from(random.random_range(2..10)),
        6..9 => Value::from(random.random_range(2..30)),
        9 => Value::from(random.random_range(10..100)),
        10 => Value::from(random.random_range(20..300)),
        _ => Value::from([0.5, 1.5, 2.5][random.random_range(0..3)]),
    }
}

/// Words of an input that are exchanged.
struct Swaps<'i> {
    input: &'i str,
    output: Value,
    /// Where, what stands there now, and the value's place in the answer.
    taken: Vec<(Range<usize>, String, String)>,
}

impl Swaps<'_> {
    /// Exchanges a name wherever it stands, at most so often; whether it could.
    fn name(&mut self, path: &str, value: &str, other: &str, most: usize) -> bool {
        let found = occurrences(self.input, value);
        // Two fields with one value, or a name within another: it is ambiguous which one is meant.
        let unsure = found
            .iter()
            .any(|range| self.taken.iter().any(|(taken, ..)| range.start < taken.end && taken.start < range.end));
        if found.is_empty() || found.len() > most || unsure || other.is_empty() || self.is_within_another(path, value) {
            return false;
        }
        let lower = value.chars().any(char::is_uppercase)
            && found.iter().all(|range| !self.input[range.clone()].chars().any(char::is_uppercase));
        let other = if lower { other.to_lowercase() } else { other.to_owned() };
        self.taken.extend(found.into_iter().map(|range| (range, other.clone(), path.to_owned())));
        if let Some(place) = self.output.pointer_mut(path) {
            *place = Value::from(other);
        }
        true
    }

    /// Whether some other text of the answer has this value among its words.
    fn is_within_another(&self, path: &str, value: &str) -> bool {
        fn texts<'v>(value: &'v Value, path: String, found: &mut Vec<(String, &'v str)>) {
            match value {
                Value::String(text) => found.push((path, text)),
                Value::Array(all) => {
                    all.iter().enumerate().for_each(|(at, value)| texts(value, format!("{path}/{at}"), found));
                }
                Value::Object(all) => {
                    all.iter().for_each(|(name, value)| texts(value, format!("{path}/{name}"), found))
                }
                _ => {}
            }
        }
        let mut all = Vec::new();
        texts(&self.output, String::new(), &mut all);
        all.iter().any(|(other, text)| other != path && !occurrences(text, value).is_empty())
    }

    /// Exchanges a whole number that is written once, and once in the answer.
    fn number(&mut self, path: &str, value: &Value, random: &mut impl Rng) {
        let Some(number) = value.as_f64().filter(|number| number.fract() == 0.0 && *number >= 2.0) else { return };
        let found = numbers(self.input, &number.to_string());
        let [range] = &found[..] else { return };
        if self.taken.iter().any(|(taken, ..)| range.start < taken.end && taken.start < range.end)
            || self.counts(number) != 1
        {
            return;
        }
        let other = [random.random_range(2..20), random.random_range(2..100), random.random_range(2..300)];
        let other: i64 = *other.choose(random).unwrap_or(&2);
        if let Some(place) = self.output.pointer_mut(path) {
            *place = Value::from(other);
            self.taken.push((range.clone(), other.to_string(), path.to_owned()));
        }
    }

    /// How often the answer has a number.
    fn counts(&self, number: f64) -> usize {
        fn count(value: &Value, number: f64) -> usize {
            match value {
                Value::Number(_) => usize::from(value.as_f64() == Some(number)),
                Value::Array(all) => all.iter().map(|value| count(value, number)).sum(),
                Value::Object(all) => all.values().map(|value| count(value, number)).sum(),
                _ => 0,
            }
        }
        count(&self.output, number)
    }

    fn draft(mut self, known: impl Fn(&str) -> bool) -> Draft {
        self.taken.sort_by_key(|(range, ..)| range.start);
        let (mut parts, mut at) = (Vec::new(), 0);
        for (range, text, path) in self.taken {
            parts.push(Part::plain(&self.input[at..range.start]));
            at = range.end;
            let name = (!known(&text)).then_some(path);
            parts.push(Part { text, name });
        }
        parts.push(Part::plain(&self.input[at..]));
        Draft { parts, output: self.output }
    }
}

/// Where a value stands between word borders, in any case.
fn occurrences(text: &str, value: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = value.chars().flat_map(char::to_lowercase).collect();
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut before: Option<char> = None;
    for (start, c) in text.char_indices() {
        let inside = before.is_some_and(|before| is_joined(before, c));
        before = Some(c);
        if inside || wanted.is_empty() || found.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let (mut matched, mut end) = (0, start);
        for c in text[start..].chars() {
            let lower: Vec<char> = c.to_lowercase().collect();
            if matched == wanted.len() || !wanted[matched..].starts_with(&lower) {
                break;
            }
            matched += lower.len();
            end += c.len_utf8();
        }
        let after = text[end..].chars().next();
        let cut = text[..end].chars().next_back().zip(after).is_some_and(|(a, b)| is_joined(a, b));
        if matched == wanted.len() && !cut {
            found.push(start..end);
        }
    }
    found
}

/// Where a number stands that is no part of a date, a time, a price or a name.
fn numbers(text: &str, digits: &str) -> Vec<Range<usize>> {
    let joined = |c: Option<char>, signs: &str| c.is_some_and(|c| c.is_alphanumeric() || signs.contains(c));
    let stands = |(start, found): (usize, &str)| {
        let end = start + found.len();
        let (before, after) = (text[..start].chars().next_back(), text[end..].chars().next());
        let hour =
            text[end..].trim_start().get(..2).is_some_and(|next| matches!(next.to_lowercase().as_str(), "am" | "pm"));
        (!joined(before, "_.,/:-$#") && !joined(after, "_/:") && !hour && !is_decimal(&text[end..]))
            .then_some(start..end)
    };
    text.match_indices(digits).filter_map(stands).collect()
}

/// Whether a number continues here: `.5`, `,000`.
fn is_decimal(rest: &str) -> bool {
    let mut chars = rest.chars();
    matches!(chars.next(), Some('.' | ',')) && chars.next().is_some_and(|c| c.is_ascii_digit())
}
