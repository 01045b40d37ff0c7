//! Checks a response against the OpenAPI description.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use serde_json::Value;

use crate::service::Said;

/// Compares status, media type and JSON of an answer with what its operation promises.
pub(crate) fn check(api: &Value, operation: &Value, said: &Said) -> Result<(), String> {
    let responses = &operation["responses"];
    let named = responses.get(said.status.as_str()).or_else(|| responses.get("default")).ok_or("no such status")?;
    let Some(content) = followed(api, named)["content"].as_object() else { return Ok(()) };
    let media = said.header("content-type").split(';').next().unwrap_or_default();
    let schema = &content.get(media).ok_or_else(|| format!("no media type `{media}`"))?["schema"];
    if media.ends_with("json") { fits(api, schema, &said.json()) } else { Ok(()) }
}

/// What a `$ref` leads to.
fn followed<'a>(api: &'a Value, at: &'a Value) -> &'a Value {
    match at["$ref"].as_str() {
        Some(path) => api.pointer(&path[1..]).unwrap(),
        None => at,
    }
}

/// Checks a value by the words of JSON Schema that the description uses for answers.
fn fits(api: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let schema = followed(api, schema);
    let all = |word: &str| schema[word].as_array().into_iter().flatten();
    for part in all("allOf") {
        fits(api, part, value)?;
    }
    let options = all("oneOf").chain(all("anyOf"));
    if options.clone().next().is_some() && !options.clone().any(|option| fits(api, option, value).is_ok()) {
        return Err(format!("none of the forms of {schema} fits {value}"));
    }
    let kinds = schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |kinds| kinds.iter().collect());
    if !kinds.iter().any(|kind| is(kind.as_str().unwrap_or("anything"), value)) {
        return Err(format!("{value} is no {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|names| !names.contains(value)) {
        return Err(format!("{value} is none of {}", schema["enum"]));
    }
    if let Some(missing) = all("required").find(|name| value.get(name.as_str().unwrap()).is_none()) {
        return Err(format!("{missing} is missing"));
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(property) => fits(api, property, inner).map_err(|odd| format!("{name}: {odd}"))?,
            None if schema["additionalProperties"] == false => return Err(format!("{name} is not described")),
            None if schema["additionalProperties"].is_object() => fits(api, &schema["additionalProperties"], inner)?,
            None => {}
        }
    }
    value.as_array().into_iter().flatten().try_for_each(|item| fits(api, &schema["items"], item))
}

fn is(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    }
}
