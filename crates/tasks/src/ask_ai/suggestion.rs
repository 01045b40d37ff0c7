use serde_json::Value;

use super::MAX_TEXT;

/// The suggestion that answers a question.
#[derive(Debug, PartialEq)]
pub(super) struct Best {
    pub(super) description: String,
    /// People approved or deployed it.
    pub(super) approved: bool,
}

/// Why a row has no usable suggestion.
#[derive(Debug, PartialEq)]
pub(super) enum Left {
    Null,
    Malformed(String),
    Empty,
    Blank,
    Rejected,
    NotApproved,
}

impl Left {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Malformed(_) => "malformed",
            Self::Empty => "empty",
            Self::Blank => "blank",
            Self::Rejected => "rejected",
            Self::NotApproved => "not approved",
        }
    }
}

/// The suggestion with the highest confidence; a missing confidence counts as 0, and the first wins a tie. Rejected
/// ones don't take part, nor with `approved_only` drafts.
pub(super) fn best(json: Option<&[u8]>, approved_only: bool) -> Result<Best, Left> {
    let json = json.ok_or(Left::Null)?;
    if json.len() >= MAX_TEXT {
        return Err(Left::Malformed("the suggestions are longer than 1 MiB".into()));
    }
    if json.trim_ascii().is_empty() {
        return Err(Left::Empty);
    }
    let suggestions = match serde_json::from_slice(json) {
        Ok(Value::Array(suggestions)) => suggestions,
        Ok(Value::Null) => return Err(Left::Null),
        Ok(_) => return Err(Left::Malformed("the suggestions are not a list".into())),
        Err(error) => return Err(Left::Malformed(error.to_string())),
    };
    if suggestions.is_empty() {
        return Err(Left::Empty);
    }
    let status = |s: &Value| s.get("status").and_then(Value::as_str).unwrap_or_default().trim().to_lowercase();
    let approved = |s: &Value| matches!(status(s).as_str(), "approved" | "deployed");
    let objects: Vec<&Value> = suggestions.iter().filter(|s| s.is_object()).collect();
    if objects.is_empty() {
        return Err(Left::Malformed("the list holds no suggestion".into()));
    }
    let standing: Vec<&Value> = objects.into_iter().filter(|s| status(s) != "rejected").collect();
    if standing.is_empty() {
        return Err(Left::Rejected);
    }
    let candidates = standing.into_iter().filter(|s| !approved_only || approved(s));
    let first_best = candidates.reduce(|best, s| if confidence(s) > confidence(best) { s } else { best });
    let best = first_best.ok_or(Left::NotApproved)?;
    match best.get("description").and_then(Value::as_str).map(str::trim) {
        Some(description) if !description.is_empty() => {
            Ok(Best { description: description.to_owned(), approved: approved(best) })
        }
        _ => Err(Left::Blank),
    }
}

/// A number, or a number in quotes.
fn confidence(suggestion: &Value) -> f64 {
    let value = suggestion.get("confidence");
    let number = value.and_then(|v| v.as_f64().or_else(|| v.as_str()?.trim().parse().ok()));
    number.filter(|n: &f64| n.is_finite()).unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pick(json: &str) -> Result<Best, Left> {
        best(Some(json.as_bytes()), false)
    }

    fn text(json: &str) -> String {
        pick(json).unwrap().description
    }

    #[test]
    fn the_highest_confidence_wins() {
        assert_eq!(text(r#"[{"description":"a","confidence":0.2},{"description":" b ","confidence":0.9}]"#), "b");
        assert_eq!(text(r#"[{"description":"a","confidence":0.9},{"description":"b","confidence":0.9}]"#), "a");
        assert_eq!(
            text(r#"[{"description":"a"},{"description":"b","confidence":"0.1"},{"description":"c","confidence":[]}]"#),
            "b"
        );
    }

    #[test]
    fn rejected_suggestion_is_never_a_target() {
        let list = r#"[{"description":"a","confidence":0.9,"status":"Rejected"},{"description":"b","confidence":0.1,"status":"draft"}]"#;
        assert_eq!(pick(list), Ok(Best { description: "b".into(), approved: false }));
        assert_eq!(best(Some(list.as_bytes()), true), Err(Left::NotApproved));
        assert_eq!(pick(r#"[{"description":"a","status":"rejected"}]"#), Err(Left::Rejected));
        let deployed = r#"[{"description":"a","confidence":0.9},{"description":"b","status":"deployed"}]"#;
        assert_eq!(best(Some(deployed.as_bytes()), true), Ok(Best { description: "b".into(), approved: true }));
    }

    #[test]
    fn each_malformed_row_has_its_own_reason() {
        let kind = |json: &str| pick(json).unwrap_err().kind();
        assert_eq!(best(None, false), Err(Left::Null));
        assert_eq!([kind("null"), kind("[]"), kind("  "), kind("[{}]")], ["null", "empty", "empty", "blank"]);
        assert_eq!([kind("[{"), kind("{}"), kind("[1]"), kind("\"x\"")], ["malformed"; 4]);
        assert_eq!([kind(r#"[{"description":"  "}]"#), kind(r#"[{"description":7}]"#)], ["blank"; 2]);
        assert_eq!(best(Some(&[b'['; MAX_TEXT]), false).unwrap_err().kind(), "malformed");
        assert_eq!(best(Some(&b"[".repeat(100_000)), false).unwrap_err().kind(), "malformed");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), json in "[\\[\\]{}\":,a-z0-9. ]{0,80}") {
            let _ = best(Some(&bytes), false);
            let _ = best(Some(json.as_bytes()), true);
        }
    }
}
