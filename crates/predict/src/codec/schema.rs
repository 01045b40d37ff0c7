//! Compiles a JSON Schema (2020-12) to the shape of its wire form.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::number::LARGEST;
use super::shape::{Array, Grounded, Length, Property, Range, Shape};
use crate::{Error, Result};

/// Longest string if the schema has no `maxLength`.
const MAX_CHARS: usize = 200;
/// Largest `maxLength` that a schema may have.
const MOST_CHARS: usize = 10_000;
/// Largest `maxItems` that a schema may have.
const MOST_ITEMS: usize = 10_000;
/// Deepest nesting; also stops recursive references.
const MAX_DEPTH: usize = 32;
/// Most positions of an answer; references can multiply them.
const MAX_SHAPES: usize = 2_000;

/// Annotation of a string that is taken from the input. Its value is `true`, or an object: its `known` names are
/// allowed if the input contains something similar, its `always` names for any input. `false` prevents it from being
/// inferred.
pub const GROUNDED: &str = "x-graft-grounded";

/// Annotation of a list that is taken from the task's rules if they agree with the model on everything else.
pub const FROM_RULES: &str = "x-graft-rules";

/// Keywords that describe but don't restrict.
const ANNOTATIONS: &[&str] = &[
    FROM_RULES,
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "definitions",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "format",
];
/// Supported restricting keywords.
const RESTRICTIONS: &[&str] = &[
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "minItems",
    "maxItems",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
];

/// Compiles the schema of an answer; its root must be an object.
pub(crate) fn compile(schema: &Value) -> Result<Shape> {
    let mut compiler = Compiler { root: schema, shapes: 0, grounded: 0 };
    let mut shape = compiler.shape(schema, "", 0)?;
    shape.seal(false);
    if shape.object.is_none() || shape.object_opens() {
        return Err(refuse("", "a root that is not an object"));
    }
    Ok(shape)
}

fn refuse(path: &str, what: impl Into<String>) -> Error {
    let path = if path.is_empty() { "/" } else { path };
    Error::Schema { path: path.to_owned(), what: what.into() }
}

struct Compiler<'a> {
    root: &'a Value,
    shapes: usize,
    /// Number of grounded positions so far.
    grounded: usize,
}

impl<'a> Compiler<'a> {
    /// The shape of one schema, before literals are sealed.
    fn shape(&mut self, schema: &'a Value, path: &str, depth: usize) -> Result<Shape> {
        self.shapes += 1;
        if depth > MAX_DEPTH || self.shapes > MAX_SHAPES {
            return Err(refuse(path, "recursion, or more than 32 levels or 2000 places"));
        }
        let keys = schema.as_object().ok_or_else(|| refuse(path, "a schema that is not an object"))?;
        let restricting: Vec<&str> =
            keys.keys().map(String::as_str).filter(|k| !ANNOTATIONS.contains(k) && !k.starts_with("x-")).collect();
        for whole in ["$ref", "anyOf", "oneOf"] {
            if let Some(inner) = keys.get(whole) {
                if let Some(other) = restricting.iter().find(|k| **k != whole) {
                    return Err(refuse(path, format!("`{other}` beside `{whole}`")));
                }
                let shape = match inner {
                    Value::String(reference) => self.reference(reference, path, depth),
                    inner => self.union(whole, inner, path, depth),
                };
                return self.ground(shape?, keys, path);
            }
        }
        if let Some(other) = restricting.iter().find(|k| !RESTRICTIONS.contains(k)) {
            return Err(refuse(path, format!("keyword `{other}`")));
        }
        let shape = self.typed(keys, path, depth)?;
        self.ground(shape, keys, path)
    }

    /// Applies the grounding annotation of a schema to its shape.
    fn ground(&mut self, mut shape: Shape, keys: &Map<String, Value>, path: &str) -> Result<Shape> {
        let names = |name: &str, from: &Map<String, Value>| -> Result<Vec<String>> {
            let names: Option<Vec<String>> = match from.get(name) {
                None => Some(Vec::new()),
                Some(list) => list.as_array().and_then(|l| l.iter().map(|n| n.as_str().map(str::to_owned)).collect()),
            };
            names.ok_or_else(|| refuse(path, format!("`{GROUNDED}` whose `{name}` is not a list of names")))
        };
        let (known, always) = match keys.get(GROUNDED) {
            None | Some(Value::Bool(false)) => return Ok(shape),
            Some(Value::Bool(true)) => (Vec::new(), Vec::new()),
            Some(Value::Object(given)) if given.keys().all(|key| key == "known" || key == "always") => {
                (names("known", given)?, names("always", given)?)
            }
            Some(_) => {
                return Err(refuse(path, format!("`{GROUNDED}` that is not true, false or `known` and `always`")));
            }
        };
        if shape.string.is_none() || shape.number.is_some() || shape.array.is_some() || shape.object.is_some() {
            return Err(refuse(
                path,
                format!("`{GROUNDED}` where no string may stand, or more than a string and fixed values"),
            ));
        }
        shape.grounded = Some(Arc::new(Grounded { id: self.grounded, known, always }));
        self.grounded += 1;
        Ok(shape)
    }

    fn reference(&mut self, reference: &str, path: &str, depth: usize) -> Result<Shape> {
        let target = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
        let target = target.ok_or_else(|| refuse(path, format!("`$ref` to `{reference}`")))?;
        self.shape(target, path, depth + 1)
    }

    fn union(&mut self, keyword: &str, inner: &'a Value, path: &str, depth: usize) -> Result<Shape> {
        let path = format!("{path}/{keyword}");
        let inner = inner.as_array().filter(|list| !list.is_empty());
        let inner = inner.ok_or_else(|| refuse(&path, format!("`{keyword}` that is not a list")))?;
        let mut all = Shape::default();
        for (i, schema) in inner.iter().enumerate() {
            let path = format!("{path}/{i}");
            let one = self.shape(schema, &path, depth + 1)?;
            merge(&mut all, one, &path)?;
        }
        let texts = all.literals.iter().any(|l| l.value.as_ref().is_some_and(Value::is_string));
        let numbers = all.literals.iter().any(|l| l.value.as_ref().is_some_and(Value::is_number));
        if keyword == "oneOf" && (texts && all.string.is_some() || numbers && all.number.is_some()) {
            return Err(refuse(&path, "`oneOf` alternatives that overlap"));
        }
        Ok(all)
    }

    fn typed(&mut self, keys: &'a Map<String, Value>, path: &str, depth: usize) -> Result<Shape> {
        let types = types(keys, path)?;
        let fixed = match (keys.get("enum"), keys.get("const")) {
            (None, None) => None,
            (Some(Value::Array(values)), None) => Some(values.clone()),
            (None, Some(value)) => Some(vec![value.clone()]),
            _ => return Err(refuse(path, "`enum` that is not a list, or beside `const`")),
        };
        if let Some(values) = fixed {
            return fixed_values(values, &types, keys, path);
        }
        let mut all = Shape::default();
        for name in &types {
            let one = match *name {
                "null" => Shape::of_literals([Value::Null]),
                "boolean" => Shape::of_literals([true.into(), false.into()]),
                "integer" => Shape { number: Some(range(keys, true, path)?), ..Shape::default() },
                "number" => Shape { number: Some(range(keys, false, path)?), ..Shape::default() },
                "string" => Shape { string: Some(length(keys, path)?), ..Shape::default() },
                "array" => Shape { array: Some(Box::new(self.array(keys, path, depth)?)), ..Shape::default() },
                "object" => Shape { object: Some(self.object(keys, path, depth)?), ..Shape::default() },
                other => return Err(refuse(path, format!("type `{other}`"))),
            };
            merge(&mut all, one, path)?;
        }
        Ok(all)
    }

    fn array(&mut self, keys: &'a Map<String, Value>, path: &str, depth: usize) -> Result<Array> {
        let items = keys.get("items").ok_or_else(|| refuse(path, "an array without `items`"))?;
        let mut element = self.shape(items, &format!("{path}/items"), depth + 1)?;
        element.seal(false);
        let min = count(keys, "minItems", path)?.unwrap_or(0);
        let max = count(keys, "maxItems", path)?;
        if max.is_some_and(|max| max < min || max > MOST_ITEMS) {
            return Err(refuse(path, format!("`maxItems` below `minItems` or above {MOST_ITEMS}")));
        }
        if min.saturating_mul(element.least_values()) > MAX_SHAPES {
            return Err(refuse(path, "`minItems` that makes more than 2000 values"));
        }
        Ok(Array { element, min, max })
    }

    fn object(&mut self, keys: &'a Map<String, Value>, path: &str, depth: usize) -> Result<Vec<Property>> {
        if !matches!(keys.get("additionalProperties"), None | Some(Value::Bool(_))) {
            return Err(refuse(path, "`additionalProperties` that is a schema"));
        }
        let properties = keys.get("properties").and_then(Value::as_object).filter(|p| !p.is_empty());
        let properties = properties.ok_or_else(|| refuse(path, "an object without `properties`"))?;
        let required: Vec<&str> = match keys.get("required") {
            None => Vec::new(),
            Some(list) => list.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
        };
        if let Some(name) = required.iter().find(|name| !properties.contains_key(**name)) {
            return Err(refuse(path, format!("required property `{name}` that is not in `properties`")));
        }
        let mut shapes = Vec::with_capacity(properties.len());
        for (name, schema) in properties {
            let mut shape = self.shape(schema, &format!("{path}/properties/{name}"), depth + 1)?;
            if !required.contains(&name.as_str()) {
                shape.make_optional();
            }
            shapes.push(Property { name: name.clone(), shape });
        }
        let digit_next: Vec<bool> = shapes.iter().map(|p| p.shape.may_start_with_digit()).collect();
        for (i, property) in shapes.iter_mut().enumerate() {
            property.shape.seal(digit_next.get(i + 1).copied().unwrap_or(true));
        }
        Ok(shapes)
    }
}

/// Adds the alternatives of one shape to another; two alternatives of one kind can't be distinguished on the wire.
fn merge(all: &mut Shape, one: Shape, path: &str) -> Result<()> {
    let doubled = all.number.is_some() && one.number.is_some()
        || all.string.is_some() && one.string.is_some()
        || all.array.is_some() && one.array.is_some()
        || all.object.is_some() && one.object.is_some()
        || one.literals.iter().any(|l| all.literals.contains(l));
    if doubled {
        return Err(refuse(path, "two alternatives of one type"));
    }
    all.literals.extend(one.literals);
    all.number = all.number.or(one.number);
    all.string = all.string.or(one.string);
    all.array = all.array.take().or(one.array);
    all.object = all.object.take().or(one.object);
    all.grounded = all.grounded.take().or(one.grounded);
    Ok(())
}

/// The types that a schema names, or the one that its keywords imply.
fn types<'a>(keys: &'a Map<String, Value>, path: &str) -> Result<Vec<&'a str>> {
    match keys.get("type") {
        Some(Value::String(name)) => Ok(vec![name]),
        Some(Value::Array(names)) if !names.is_empty() => {
            let names: Option<Vec<&str>> = names.iter().map(Value::as_str).collect();
            names.ok_or_else(|| refuse(path, "`type` that is not a name or a list of names"))
        }
        None if keys.contains_key("enum") || keys.contains_key("const") => Ok(Vec::new()),
        None if keys.contains_key("properties") => Ok(vec!["object"]),
        _ => Err(refuse(path, "a schema without `type`")),
    }
}

/// The members of an enum that its types allow too.
fn fixed_values(values: Vec<Value>, types: &[&str], keys: &Map<String, Value>, path: &str) -> Result<Shape> {
    if let Some(other) = keys.keys().find(|k| !["type", "enum", "const"].contains(&k.as_str()) && is_restriction(k)) {
        return Err(refuse(path, format!("`{other}` beside `enum` or `const`")));
    }
    let named = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if types.contains(&"integer") && n.as_f64().is_some_and(|n| n.fract() == 0.0) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) | Value::Object(_) => "list or object",
    };
    if let Some(Value::Array(_) | Value::Object(_)) = values.iter().find(|v| v.is_array() || v.is_object()) {
        return Err(refuse(path, "`enum` or `const` of lists or objects"));
    }
    for value in &values {
        if let Value::Number(n) = value {
            super::number::write(n).map_err(|_| refuse(path, format!("the number `{n}`")))?;
        }
    }
    let mut kept: Vec<Value> = Vec::new();
    for value in values.into_iter().filter(|v| types.is_empty() || types.contains(&named(v))) {
        if kept.contains(&value) {
            return Err(refuse(path, format!("`{value}` twice")));
        }
        kept.push(value);
    }
    if kept.is_empty() {
        return Err(refuse(path, "an `enum` without a member of its type"));
    }
    Ok(Shape::of_literals(kept))
}

fn is_restriction(key: &str) -> bool {
    RESTRICTIONS.contains(&key)
}

fn count(keys: &Map<String, Value>, name: &str, path: &str) -> Result<Option<usize>> {
    let Some(value) = keys.get(name) else { return Ok(None) };
    let count = value.as_u64().and_then(|n| usize::try_from(n).ok());
    count.map(Some).ok_or_else(|| refuse(path, format!("`{name}` that is not a count")))
}

fn length(keys: &Map<String, Value>, path: &str) -> Result<Length> {
    let min = count(keys, "minLength", path)?.unwrap_or(0);
    let max = count(keys, "maxLength", path)?.unwrap_or(MAX_CHARS.max(min));
    if min > max || max > MOST_CHARS {
        return Err(refuse(path, format!("`minLength` above `maxLength`, or a length above {MOST_CHARS}")));
    }
    Ok(Length { min, max })
}

fn range(keys: &Map<String, Value>, integer: bool, path: &str) -> Result<Range> {
    let bound = |inclusive: &str, exclusive: &str, unset: i64, inward: i64| -> Result<(i64, i64)> {
        let (name, step) = match (keys.get(inclusive), keys.get(exclusive)) {
            (None, None) => return Ok((unset, unset)),
            (Some(_), None) => (inclusive, 0),
            (None, Some(_)) => (exclusive, inward),
            (Some(_), Some(_)) => return Err(refuse(path, format!("`{inclusive}` beside `{exclusive}`"))),
        };
        let value = keys.get(name).and_then(Value::as_f64).filter(|n| n.fract() == 0.0 && n.abs() <= 1e15);
        let value =
            value.ok_or_else(|| refuse(path, format!("`{name}` that is not a whole number up to 1e15")))? as i64;
        if step != 0 && !integer && value != 0 {
            return Err(refuse(path, format!("`{name}` other than 0 for a number that need not be whole")));
        }
        Ok((value + step, value))
    };
    let (low, open_low) = bound("minimum", "exclusiveMinimum", -LARGEST, 1)?;
    let (high, open_high) = bound("maximum", "exclusiveMaximum", LARGEST, -1)?;
    if low > high && (integer || open_low >= open_high) {
        return Err(refuse(path, "a range without a number"));
    }
    Ok(Range { integer, whole: (low, high), open: (open_low, open_high) })
}
