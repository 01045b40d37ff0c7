//! Infers the schema of answers that are objects, with the evidence for each part.

use std::collections::BTreeMap;

use graft_core::is_joined;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::counted;

/// What a field was inferred from.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct FieldGuess {
    /// As people name it: `items[].unit`.
    pub path: String,
    /// Where its schema stands, a JSON pointer: `/properties/items/items/properties/unit`.
    pub pointer: String,
    /// Its types: `string`, `number`, `integer`, `boolean`, `array`, `object`.
    pub types: Vec<&'static str>,
    /// Whether it is null or missing in some answers.
    pub optional: bool,
    /// Whether its text is taken from the input.
    pub grounded: bool,
    /// Whether only these values are allowed.
    pub fixed: bool,
    /// Its different texts, the most frequent first; none where there are many.
    pub values: Vec<String>,
    /// Why, a sentence each.
    pub evidence: Vec<String>,
}

/// An input, if there is one, and a value that stands at one place of its answer.
type At<'e> = (Option<&'e str>, &'e Value);

/// Deepest nesting that is inferred.
const MAX_DEPTH: usize = 12;
/// Most fields of a schema.
const MAX_FIELDS: usize = 200;
/// Most values that a field may be limited to.
const MOST_VALUES: usize = 12;
/// Fewest values that say something about a field.
const FEW: usize = 3;
/// Longest text of an answer where its schema doesn't say another.
const USUAL_LENGTH: usize = 200;

/// Infers the schema of answers: `None` where nothing is in them.
pub fn infer<'e>(answers: impl Iterator<Item = (Option<&'e str>, &'e Value)>) -> (Option<Value>, Vec<FieldGuess>) {
    let answers: Vec<At<'e>> = answers.collect();
    let mut inference = Inference { fields: Vec::new() };
    let schema = inference.object(&answers, "", "", 0);
    (schema, inference.fields)
}

struct Inference {
    fields: Vec<FieldGuess>,
}

impl Inference {
    /// The schema of objects; `None` where they have no field.
    fn object(&mut self, objects: &[At<'_>], path: &str, pointer: &str, depth: usize) -> Option<Value> {
        let mut names: Vec<&str> = Vec::new();
        let mut values: BTreeMap<&str, Vec<At<'_>>> = BTreeMap::new();
        for (input, object) in objects {
            for (name, value) in object.as_object().into_iter().flatten() {
                let at = values.entry(name).or_insert_with(|| {
                    names.push(name);
                    Vec::new()
                });
                at.push((*input, value));
            }
        }
        let mut properties = Map::new();
        for name in names {
            if self.fields.len() >= MAX_FIELDS {
                break;
            }
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let step = name.replace('~', "~0").replace('/', "~1");
            let pointer = format!("{pointer}/properties/{step}");
            let missing = objects.len() - values[name].len();
            let before = self.fields.len();
            match self.value(&values[name], missing, path, pointer, depth) {
                Some(schema) => drop(properties.insert(name.to_owned(), schema)),
                None => self.fields.truncate(before),
            }
        }
        if properties.is_empty() {
            return None;
        }
        let required: Vec<&String> = properties.keys().collect();
        let required = json!(required);
        Some(json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false}))
    }

    /// The schema of values of one field; `None` where nothing can be said.
    fn value(
        &mut self,
        values: &[At<'_>],
        missing: usize,
        path: String,
        pointer: String,
        depth: usize,
    ) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        let said: Vec<At<'_>> = values.iter().filter(|(_, value)| !value.is_null()).copied().collect();
        let nulls = values.len() - said.len() + missing;
        let kinds: Vec<&'static str> = kinds(&said);
        let mut guess = FieldGuess {
            types: if kinds.is_empty() { vec!["string"] } else { kinds.clone() },
            optional: nulls > 0,
            grounded: false,
            fixed: false,
            values: Vec::new(),
            evidence: vec![match nulls {
                0 => format!("In {0} of {0}.", values.len()),
                _ => format!("Empty or missing in {nulls} of {}.", values.len() + missing),
            }],
            path,
            pointer,
        };
        let mut schema = Map::new();
        let index = self.fields.len();
        self.fields.push(guess.clone());
        for kind in &kinds {
            let more = match *kind {
                "string" => strings(&said, kinds.len() == 1, &mut guess),
                "integer" | "number" => numbers(&said, &mut guess),
                "array" => {
                    let elements: Vec<At<'_>> = said
                        .iter()
                        .flat_map(|(input, list)| list.as_array().into_iter().flatten().map(|v| (*input, v)))
                        .collect();
                    let longest = said.iter().filter_map(|(_, list)| Some(list.as_array()?.len())).max().unwrap_or(0);
                    guess.evidence.push(format!("A list; the longest has {}.", counted(longest, "element")));
                    let items = self.element(&elements, &guess, depth)?;
                    Map::from_iter([("items".to_owned(), items)])
                }
                "object" => match self.object(&objects(&said), &guess.path, &guess.pointer, depth + 1)? {
                    Value::Object(object) => object,
                    _ => Map::new(),
                },
                _ => Map::new(),
            };
            schema.extend(more);
        }
        if kinds.is_empty() {
            guess.evidence.push("Always empty; assumed to be a text.".into());
        }
        if kinds.len() > 1 {
            guess.evidence.push(format!("Of more than one type: {}.", kinds.join(", ")));
        }
        if guess.fixed {
            let values = guess.values.iter().map(|value| json!(value)).chain(guess.optional.then_some(Value::Null));
            schema.insert("enum".into(), values.collect());
        } else {
            let mut types: Vec<&str> = guess.types.clone();
            types.extend(guess.optional.then_some("null"));
            let types = if let [only] = types[..] { json!(only) } else { json!(types) };
            schema.remove("type");
            schema = Map::from_iter([("type".to_owned(), types)]).into_iter().chain(schema).collect();
        }
        self.fields[index] = guess;
        Some(Value::Object(schema))
    }

    /// The schema of a list's elements.
    fn element(&mut self, elements: &[At<'_>], list: &FieldGuess, depth: usize) -> Option<Value> {
        let (path, pointer) = (format!("{}[]", list.path), format!("{}/items", list.pointer));
        if !elements.is_empty() && elements.iter().all(|(_, value)| value.is_object()) {
            return self.object(elements, &path, &pointer, depth + 1);
        }
        self.value(elements, 0, path, pointer, depth + 1)
    }
}

fn objects<'e>(values: &[At<'e>]) -> Vec<At<'e>> {
    values.iter().filter(|(_, value)| value.is_object()).copied().collect()
}

/// The types of values, in a fixed order; whole numbers are `integer` where all are.
fn kinds(values: &[At<'_>]) -> Vec<&'static str> {
    let any = |is: fn(&Value) -> bool| values.iter().any(|(_, value)| is(value));
    let whole = |value: &Value| value.is_i64() || value.is_u64();
    let number = if values.iter().all(|(_, value)| !value.is_number() || whole(value)) { "integer" } else { "number" };
    let all = [
        (any(Value::is_string), "string"),
        (any(Value::is_number), number),
        (any(Value::is_boolean), "boolean"),
        (any(Value::is_array), "array"),
        (any(Value::is_object), "object"),
    ];
    all.into_iter().filter_map(|(is, kind)| is.then_some(kind)).collect()
}

fn strings(values: &[At<'_>], only: bool, guess: &mut FieldGuess) -> Map<String, Value> {
    let texts: Vec<(Option<&str>, &str)> =
        values.iter().filter_map(|(input, value)| Some((*input, value.as_str()?))).collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, text) in &texts {
        *counts.entry(text).or_default() += 1;
    }
    let judged: Vec<bool> = texts
        .iter()
        .filter(|(_, text)| !text.is_empty())
        .filter_map(|(input, text)| Some(occurs((*input)?, text)))
        .collect();
    let found = judged.iter().filter(|found| **found).count();
    if only && judged.len() >= FEW && found * 10 >= judged.len() * 9 {
        guess.grounded = true;
    }
    if !judged.is_empty() {
        let occur = if found == 1 { "occurs in its input" } else { "occur in their inputs" };
        guess.evidence.push(format!("{found} of {} {occur}.", counted(judged.len(), "text")));
    }
    let few = counts.len() <= MOST_VALUES && counts.keys().all(|text| !text.is_empty() && text.chars().count() <= 40);
    if few {
        let mut values: Vec<(&str, usize)> = counts.iter().map(|(text, count)| (*text, *count)).collect();
        values.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        guess.values = values.into_iter().map(|(text, _)| text.to_owned()).collect();
    }
    if few && texts.len() > FEW && counts.len() * 2 <= texts.len() {
        guess.evidence.push(format!("Only {} different in {}.", counts.len(), counted(texts.len(), "text")));
        guess.fixed = only && !guess.grounded;
    }
    let mut schema = Map::new();
    let longest = texts.iter().map(|(_, text)| text.chars().count()).max().unwrap_or(0);
    if !guess.fixed && longest > USUAL_LENGTH {
        let most = (longest * 2).min(10_000);
        guess.evidence.push(format!("The longest text has {longest} characters; {most} are allowed."));
        schema.insert("maxLength".into(), json!(most));
    }
    if guess.grounded {
        schema.insert("x-graft-grounded".into(), json!(true));
    }
    schema
}

fn numbers(values: &[At<'_>], guess: &mut FieldGuess) -> Map<String, Value> {
    let numbers = values.iter().filter(|(_, value)| value.is_number());
    let (mut least, mut most): (Option<&Value>, Option<&Value>) = (None, None);
    let size = |value: &Value| value.as_f64().unwrap_or(0.0);
    for (_, value) in numbers {
        least = least.filter(|least| size(least) <= size(value)).or(Some(value));
        most = most.filter(|most| size(most) >= size(value)).or(Some(value));
    }
    let (Some(least), Some(most)) = (least, most) else { return Map::new() };
    guess.evidence.push(format!("From {least} to {most}."));
    let bound = (size(least) >= 0.0).then(|| ("minimum".to_owned(), json!(0)));
    bound.into_iter().collect()
}

/// Whether a text stands in an input between two word borders.
fn occurs(input: &str, text: &str) -> bool {
    let (Some(first), Some(last)) = (text.chars().next(), text.chars().next_back()) else { return false };
    input.match_indices(text).any(|(at, _)| {
        let before = input[..at].chars().next_back();
        let after = input[at + text.len()..].chars().next();
        !before.is_some_and(|before| is_joined(before, first)) && !after.is_some_and(|after| is_joined(last, after))
    })
}
