use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A part of a text, in UTF-16 code units as JavaScript counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Span {
    /// First unit.
    pub start: u32,
    /// One past the last.
    pub end: u32,
}

/// Values shorter than this are found everywhere and tell nothing.
const SHORTEST: usize = 2;
/// Most places shown of one value.
const MOST: usize = 20;

/// Where the values of an answer stand in a text, by path; case aside, at the borders of words.
pub(super) fn find(text: &str, answer: &Value) -> BTreeMap<String, Vec<Span>> {
    let mut spans = BTreeMap::new();
    let folded = Folded::of(text);
    walk(answer, String::new(), &mut |path, value| {
        let found = folded.places(value);
        if !found.is_empty() {
            spans.insert(path, found);
        }
    });
    spans
}

fn walk(value: &Value, path: String, tell: &mut impl FnMut(String, &str)) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                walk(inner, path, tell);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                walk(inner, format!("{path}[{index}]"), tell);
            }
        }
        Value::String(text) if text.trim().chars().count() >= SHORTEST => tell(path, text.trim()),
        Value::Number(number) => tell(path, &number.to_string()),
        _ => {}
    }
}

/// A text in lower case, with the place of each character in the original.
struct Folded {
    chars: Vec<char>,
    /// UTF-16 offset of each character's original, and of the end.
    offsets: Vec<u32>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let (mut chars, mut offsets, mut offset) = (Vec::new(), Vec::new(), 0);
        for c in text.chars() {
            for lower in c.to_lowercase() {
                chars.push(lower);
                offsets.push(offset);
            }
            offset += c.len_utf16() as u32;
        }
        offsets.push(offset);
        Self { chars, offsets }
    }

    fn places(&self, value: &str) -> Vec<Span> {
        let wanted: Vec<char> = value.to_lowercase().chars().collect();
        let mut spans = Vec::new();
        let mut from = 0;
        while spans.len() < MOST && !wanted.is_empty() && from + wanted.len() <= self.chars.len() {
            let end = from + wanted.len();
            if self.chars[from..end] == wanted[..] && self.is_border(from) && self.is_border(end) {
                spans.push(Span { start: self.offsets[from], end: self.offsets[end] });
                from = end;
            } else {
                from += 1;
            }
        }
        spans
    }

    /// Whether no word (or number) goes on across this place.
    fn is_border(&self, at: usize) -> bool {
        let inside = |c: Option<&char>| c.is_some_and(|c| c.is_alphanumeric());
        let (before, after) = (at.checked_sub(1).and_then(|i| self.chars.get(i)), self.chars.get(at));
        !(inside(before) && inside(after) && before.map(|c| c.is_numeric()) == after.map(|c| c.is_numeric()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spans_give_positions_of_values() {
        let text = "🍌 2 cases of Bananas from Aldi, 12 boxes; ALDI again";
        let answer = json!({"rescue_location": "Aldi", "items": [{"name": "bananas", "quantity": 2, "unit": "case"}]});
        let spans = find(text, &answer);
        let units: Vec<u16> = text.encode_utf16().collect();
        let said = |span: &Span| String::from_utf16(&units[span.start as usize..span.end as usize]).unwrap();
        assert_eq!(spans["rescue_location"].iter().map(said).collect::<Vec<_>>(), ["Aldi", "ALDI"]);
        assert_eq!(spans["items[0].name"].iter().map(said).collect::<Vec<_>>(), ["Bananas"]);
        // Not the 2 of 12, and not a part of "cases".
        assert_eq!(spans["items[0].quantity"].len(), 1);
        assert!(!spans.contains_key("items[0].unit"));
    }

    #[test]
    fn spans_work_for_unusual_texts() {
        assert!(find("", &json!({"a": "xx"})).is_empty());
        assert!(find("İİ", &json!({"a": "i̇i̇"})).len() <= 1);
        assert!(find("aaaa", &json!(["", " ", null, true])).is_empty());
    }
}
