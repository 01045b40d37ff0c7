//! The part of JSON Schema (2020-12) that task cards use: `type`, `enum`, `properties`, `required`,
//! `additionalProperties: false` and `items`.

use serde_json::{Map, Value};

/// Puts a value into a schema's shape: properties in the schema's order, others dropped, missing nullable ones null.
#[must_use]
pub fn conform(schema: &Value, value: &Value) -> Value {
    match (value, schema.get("properties"), schema.get("items")) {
        (Value::Object(object), Some(Value::Object(properties)), _) => {
            let mut out = Map::new();
            for (name, inner) in properties {
                match object.get(name) {
                    Some(value) => drop(out.insert(name.clone(), conform(inner, value))),
                    None if check(inner, &Value::Null).is_ok() => drop(out.insert(name.clone(), Value::Null)),
                    None => {}
                }
            }
            Value::Object(out)
        }
        (Value::Array(items), _, Some(inner)) => items.iter().map(|item| conform(inner, item)).collect(),
        _ => value.clone(),
    }
}

/// Says what is wrong with a value: a lowercase fragment that starts with the path, such as `items[2].unit is …`.
///
/// # Errors
/// The first violation found.
pub fn check(schema: &Value, value: &Value) -> Result<(), String> {
    walk(schema, value, &mut String::new())
}

fn walk(schema: &Value, value: &Value, path: &mut String) -> Result<(), String> {
    let wrong = |path: &str, what: String| Err(format!("{} {what}", if path.is_empty() { "the answer" } else { path }));
    if let Some(Value::Array(allowed)) = schema.get("enum")
        && !allowed.contains(value)
    {
        return wrong(path, format!("is {} and not one of the allowed values", brief(value)));
    }
    if let Some(types) = schema.get("type")
        && !is_of(types, value)
    {
        return wrong(path, format!("is {} and not of type {}", brief(value), types.to_string().replace('"', "")));
    }
    match value {
        Value::Object(object) => walk_object(schema, object, path),
        Value::Array(items) => match schema.get("items") {
            Some(inner) => {
                items.iter().enumerate().try_for_each(|(i, item)| inside(path, &format!("[{i}]"), inner, item))
            }
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn walk_object(schema: &Value, object: &Map<String, Value>, path: &mut String) -> Result<(), String> {
    let whole = if path.is_empty() { "the answer".to_owned() } else { path.clone() };
    let empty = Map::new();
    let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&empty);
    for name in schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
        if !object.contains_key(name) {
            return Err(format!("{whole} lacks `{name}`"));
        }
    }
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    for (name, value) in object {
        match properties.get(name) {
            Some(inner) => {
                let step = if path.is_empty() { name.clone() } else { format!(".{name}") };
                inside(path, &step, inner, value)?;
            }
            None if closed => return Err(format!("{whole} has an unknown field `{}`", brief(&Value::from(&**name)))),
            None => {}
        }
    }
    Ok(())
}

fn inside(path: &mut String, step: &str, schema: &Value, value: &Value) -> Result<(), String> {
    let length = path.len();
    path.push_str(step);
    walk(schema, value, path)?;
    path.truncate(length);
    Ok(())
}

fn is_of(types: &Value, value: &Value) -> bool {
    match types {
        Value::String(name) => match name.as_str() {
            "null" => value.is_null(),
            "boolean" => value.is_boolean(),
            "integer" => value.as_f64().is_some_and(|n| n.fract() == 0.0),
            "number" => value.is_number(),
            "string" => value.is_string(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            _ => false,
        },
        Value::Array(any) => any.iter().any(|one| one.is_string() && is_of(one, value)),
        _ => true,
    }
}

fn brief(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 40 { text } else { text.chars().take(37).chain("...".chars()).collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({"type": "object", "additionalProperties": false, "required": ["place", "items"], "properties": {
            "place": {"type": ["string", "null"]},
            "items": {"type": "array", "items": {"type": "object", "required": ["unit"],
                "properties": {"unit": {"enum": ["box", null]}}}},
        }})
    }

    #[test]
    fn error_names_path_and_reason() {
        let ok = json!({"place": null, "items": [{"unit": "box"}, {"unit": null}]});
        assert_eq!(check(&schema(), &ok), Ok(()));
        let cases = [
            (json!([]), "the answer is [] and not of type object"),
            (json!({"items": []}), "the answer lacks `place`"),
            (json!({"place": 3, "items": []}), "place is 3 and not of type [string,null]"),
            (
                json!({"place": "x", "items": [{"unit": "ox"}]}),
                "items[0].unit is \"ox\" and not one of the allowed values",
            ),
            (json!({"place": "x", "items": [{}]}), "items[0] lacks `unit`"),
            (json!({"place": "x", "items": [], "z": 1}), "the answer has an unknown field `\"z\"`"),
        ];
        for (value, message) in cases {
            assert_eq!(check(&schema(), &value), Err(message.to_owned()), "{value}");
        }
    }

    #[test]
    fn conform_orders_fields_and_drops_unknown_ones() {
        let value = json!({"items": [{"unit": "box", "lbs": 3}], "extra": 1});
        assert_eq!(conform(&schema(), &value).to_string(), r#"{"place":null,"items":[{"unit":"box"}]}"#);
    }
}
