//! From matched texts to values of a schema's fields.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::schema;

type Tables<'t> = (Option<&'t BTreeMap<String, Value>>, Option<&'t BTreeMap<String, f64>>);

/// The schema of the field at a path; a list is passed through to its items.
pub(super) fn field<'s>(schema: &'s Value, path: &str) -> Option<&'s Value> {
    path.split('.').try_fold(schema, |at, name| {
        let at = at.get("items").unwrap_or(at);
        at.get("properties")?.get(name)
    })
}

/// The path of the field that a group is named after, if it is a single value.
pub(super) fn path_of(schema: &Value, group: &str) -> Option<String> {
    let mut at = schema;
    let mut path = String::new();
    for part in group.split('.') {
        let (name, inner) = at.get("properties")?.as_object()?.iter().find(|(name, _)| group_name(name) == part)?;
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
        at = inner;
    }
    let is_single = at.get("items").is_none() && at.get("properties").is_none();
    is_single.then_some(path)
}

/// A field's name as a group's: letters, digits and `_`.
fn group_name(field: &str) -> String {
    field.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

/// Whether a field may have one of these types.
pub(super) fn has_type(field: &Value, types: &[&str]) -> bool {
    match field.get("type") {
        Some(Value::String(name)) => types.contains(&name.as_str()),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(|name| types.contains(&name)),
        _ => false,
    }
}

/// An answer in which nothing is known yet: empty lists, and objects that can't be null.
pub(super) fn shell(schema: &Value) -> Value {
    let mut out = Map::new();
    for (name, inner) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let is_object = inner.get("properties").is_some() && schema::check(inner, &Value::Null).is_err();
        if inner.get("items").is_some() {
            out.insert(name.clone(), Value::Array(Vec::new()));
        } else if is_object {
            out.insert(name.clone(), shell(inner));
        }
    }
    Value::Object(out)
}

/// Gives the field at a path a value, unless it has one; says whether it did. A list or an object that is empty has none.
pub(super) fn put(answer: &mut Value, path: &str, value: Value) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let Value::Object(fields) = answer else { return false };
    let empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match rest {
        Some(rest) => {
            let inner = fields.entry(first).or_insert_with(|| Value::Object(Map::new()));
            put(inner, rest, value)
        }
        None if fields.get(first).is_none_or(empty) => {
            fields.insert(first.to_owned(), value);
            true
        }
        None => false,
    }
}

/// The value of a field that a text says; none if it says none.
pub(super) fn value(text: &str, field: &Value, (aliases, units): Tables<'_>) -> Option<Value> {
    let text = text.trim();
    let folded = fold(text);
    if text.is_empty() {
        return None;
    }
    let known = aliases.into_iter().flatten().find(|(written, _)| fold(written) == folded);
    if let Some((_, value)) = known {
        return Some(value.clone());
    }
    if let Some(Value::Array(allowed)) = field.get("enum") {
        let said = |one: &&Value| match one {
            Value::String(name) => fold(name) == folded,
            Value::Number(_) => number(text, units).is_some_and(|n| one.as_f64() == Some(n)),
            _ => false,
        };
        return allowed.iter().find(said).cloned();
    }
    if has_type(field, &["string"]) || field.get("type").is_none() {
        return Some(Value::from(text));
    }
    if has_type(field, &["number", "integer"])
        && let Some(number) = number(text, units)
        && (number.fract() == 0.0 || has_type(field, &["number"]))
    {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = number.fract() == 0.0 && number.abs() < EXACT;
        return Some(if whole { Value::from(number as i64) } else { Value::from(number) });
    }
    if has_type(field, &["boolean"]) {
        return match folded.as_str() {
            "yes" | "true" | "1" | "y" => Some(Value::Bool(true)),
            "no" | "false" | "0" | "n" => Some(Value::Bool(false)),
            _ => None,
        };
    }
    None
}

/// Lower case, with single spaces.
fn fold(text: &str) -> String {
    text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The number in a text: `1,234.50 EUR`, `1.234,50`, `-3`. Of one point or comma alone, a comma before three digits divides
/// thousands, and anything else begins the fraction. Where there is a table of units, what stands beside the number must be
/// in it.
fn number(text: &str, units: Option<&BTreeMap<String, f64>>) -> Option<f64> {
    let first = text.find(|c: char| c.is_ascii_digit())?;
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | ' ' | '\u{a0}' | '\u{202f}');
    let length = text[first..].find(|c| !is_part(c)).unwrap_or(text.len() - first);
    let digits = text[first..first + length].trim_end_matches(|c: char| !c.is_ascii_digit());
    let (before, after) = (&text[..first], &text[first + digits.len()..]);
    let is_negative = before.trim_end().ends_with(['-', '\u{2212}']);
    let parsed: f64 = plain(digits)?.parse().ok()?;
    let factor = match units {
        None => 1.0,
        Some(units) => {
            let word = |side: &str| {
                fold(side.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '-' | '\u{2212}')))
            };
            let of = |word: &str| units.iter().find(|(unit, _)| fold(unit) == word).map(|(_, factor)| *factor);
            match (word(before), word(after)) {
                (left, right) if left.is_empty() && right.is_empty() => 1.0,
                (left, right) if right.is_empty() => of(&left)?,
                (_, right) => of(&right)?,
            }
        }
    };
    let number = parsed * factor * if is_negative { -1.0 } else { 1.0 };
    number.is_finite().then_some(number)
}

/// Digits with a point before the fraction and nothing else.
fn plain(digits: &str) -> Option<String> {
    let last_point = digits.rfind(['.', ',']);
    let kinds = [digits.contains('.'), digits.contains(',')];
    let decimal = last_point.filter(|&at| {
        let mark = &digits[at..=at];
        let alone = digits.matches(mark).count() == 1;
        let thousands = mark == "," && digits.len() - at == 4 && at <= 3;
        alone && (kinds == [true, true] || !thousands)
    });
    let mut out = String::new();
    for (at, c) in digits.char_indices() {
        if c.is_ascii_digit() {
            out.push(c);
        } else if Some(at) == decimal {
            out.push('.');
        } else {
            // Two numbers beside each other are none; groups of thousands have three digits.
            let group = digits[at + c.len_utf8()..].bytes().take_while(u8::is_ascii_digit).count();
            if group != 3 {
                return None;
            }
        }
    }
    Some(out)
}
