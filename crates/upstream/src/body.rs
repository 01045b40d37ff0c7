use serde::de::IgnoredAny;
use serde_json::Deserializer;

/// A request with another model. All other bytes stay as they came: a service may know fields, and number formats, that Graft
/// does not know. `None` if the body is no JSON object.
#[must_use]
pub fn with_model(body: &str, model: &str) -> Option<String> {
    let (mut out, mut copied) = (String::with_capacity(body.len() + model.len()), 0);
    let mut at = skip(body, 0, '{')?;
    let end = match skip(body, at, '}') {
        Some(end) => end,
        None => loop {
            let (name, end) = value::<String>(body, at)?;
            let begin = skip(body, end, ':')?;
            let (_, end) = value::<IgnoredAny>(body, begin)?;
            if name == "model" {
                out += &body[copied..begin];
                out += &serde_json::Value::from(model).to_string();
                copied = end;
            }
            match skip(body, end, ',') {
                Some(next) => at = next,
                None => break skip(body, end, '}')?,
            }
        },
    };
    body[end..].trim().is_empty().then(|| out + &body[copied..])
}

/// The place behind a character, which only white space may precede.
fn skip(body: &str, at: usize, wanted: char) -> Option<usize> {
    let rest = body.get(at..)?.trim_start_matches([' ', '\t', '\n', '\r']).strip_prefix(wanted)?;
    Some(body.len() - rest.len())
}

/// The value at a place, and the place behind it.
fn value<'b, T: serde::Deserialize<'b>>(body: &'b str, at: usize) -> Option<(T, usize)> {
    let mut values = Deserializer::from_str(body.get(at..)?).into_iter();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::with_model;

    #[test]
    fn only_the_model_changes() {
        let body =
            "{ \"big\": 12345678901234567890123,\"model\" : \"spam\", \"messages\":[{\"model\":\"x\"}] ,\"t\":0.10 }\n";
        assert_eq!(with_model(body, "gpt \"4\"").unwrap(), body.replacen(" \"spam\"", "\"gpt \\\"4\\\"\"", 1));
        assert_eq!(with_model("{}", "m").unwrap(), "{}");
        let twice = "{\"model\":1,\"a\":true,\"mod\\u0065l\":null}";
        assert_eq!(with_model(twice, "m").unwrap(), "{\"model\":\"m\",\"a\":true,\"mod\\u0065l\":\"m\"}");
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for body in ["", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1} x", "{1:2}", "{\"a\":1 \"b\":2}"] {
            assert_eq!(with_model(body, "m"), None, "{body}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(body: String) {
            let _ = with_model(&body, "m");
            let _ = with_model(&format!("{{\"model\":{body}"), "m");
        }
    }
}
