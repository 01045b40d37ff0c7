use serde_json::Value;

/// Longest line of a stream, and longest text, that is kept in bytes. Longer answers are handed on, but not known.
const LONGEST: usize = 1 << 20;

/// Tokens, as a service reports them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt.
    pub prompt: u64,
    /// Tokens of the answer.
    pub answer: u64,
}

/// Hears an answer and knows at the end what it was.
#[derive(Debug, Default)]
pub struct Transcript {
    /// The beginning of a line that is not complete yet.
    line: Vec<u8>,
    text: String,
    usage: Usage,
    finish: Option<String>,
    /// `[DONE]` came.
    done: bool,
    /// It is no plain text: a tool is called, it refuses, there are several answers, an error came, or it is too long.
    other: bool,
}

impl Transcript {
    /// Hears an answer that came as a whole.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let mut heard = Self::default();
        match serde_json::from_slice(body) {
            Ok(value) => heard.hear(&value, "message"),
            Err(_) => heard.other = true,
        }
        heard.done = true;
        heard
    }

    /// Hears the next bytes of a stream of events.
    pub fn take(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    self.take_line(&line);
                }
                _ if self.line.len() < LONGEST => self.line.push(byte),
                _ => self.other = true,
            }
        }
    }

    fn take_line(&mut self, line: &[u8]) {
        let Some(data) = std::str::from_utf8(line).ok().and_then(|line| line.strip_prefix("data:")) else { return };
        match data.trim() {
            "[DONE]" => self.done = true,
            data => match serde_json::from_str(data) {
                Ok(value) => self.hear(&value, "delta"),
                Err(_) => self.other = true,
            },
        }
    }

    /// Hears a chunk, whose text is in `place`, or the whole answer.
    fn hear(&mut self, value: &Value, place: &str) {
        if let Some(usage) = value.get("usage").filter(|usage| usage.is_object()) {
            let tokens = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or_default();
            self.usage = Usage { prompt: tokens("prompt_tokens"), answer: tokens("completion_tokens") };
        }
        let is_said = |value: Option<&Value>| match value {
            None | Some(Value::Null) => false,
            Some(Value::Array(list)) => !list.is_empty(),
            Some(_) => true,
        };
        self.other |= is_said(value.get("error"));
        for choice in value.get("choices").and_then(Value::as_array).into_iter().flatten() {
            self.other |= choice.get("index").and_then(Value::as_u64).unwrap_or_default() != 0;
            let Some(part) = choice.get(place) else { continue };
            self.other |=
                ["tool_calls", "function_call", "refusal", "audio"].iter().any(|name| is_said(part.get(*name)));
            match part.get("content") {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if self.text.len() + text.len() <= LONGEST => self.text += text,
                Some(_) => self.other = true,
            }
            if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str) {
                self.finish = Some(reason.to_owned());
            }
        }
    }

    /// Whether the answer came to its end.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.done || self.finish.is_some()
    }

    /// The answer, if it is one whole text.
    #[must_use]
    pub fn answer(&self) -> Option<&str> {
        let is_plain = !self.other && self.finish.as_deref() == Some("stop") && !self.text.trim().is_empty();
        is_plain.then_some(self.text.as_str())
    }

    /// Its tokens; none if the service doesn't report them.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn chunk(delta: Value, finish: Value) -> String {
        format!("data: {}\r\n\r\n", json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}))
    }

    fn heard(text: &str) -> Transcript {
        let mut heard = Transcript::default();
        heard.take(text.as_bytes());
        heard
    }

    #[test]
    fn deltas_become_the_answer() {
        let usage = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2}}\n\n";
        let text = [
            ": comment\n\n".to_owned(),
            chunk(json!({"role": "assistant", "content": ""}), Value::Null),
            chunk(json!({"content": "sp"}), Value::Null),
            chunk(json!({"content": "ä", "tool_calls": []}), Value::Null),
            chunk(json!({}), json!("stop")),
            usage.to_owned(),
        ];
        let mut one = heard(&text.concat());
        assert!(one.is_whole() && one.answer() == Some("spä") && one.usage() == Usage { prompt: 7, answer: 2 });
        one.take(b"data: [DONE]\n");
        assert_eq!(one.answer(), Some("spä"));
        assert!(!heard(&text[..4].concat()).is_whole());
        assert_eq!(heard(&text[..4].concat()).answer(), None, "it broke off");
    }

    #[test]
    fn whole_answer_is_read() {
        let of = |message: Value, finish: &str| {
            let choice = json!({"index": 0, "message": message, "finish_reason": finish});
            Transcript::of(json!({"choices": [choice], "usage": {"prompt_tokens": 3}}).to_string().as_bytes())
        };
        let spam = of(json!({"content": "spam", "refusal": null, "tool_calls": null}), "stop");
        assert_eq!((spam.answer(), spam.usage()), (Some("spam"), Usage { prompt: 3, answer: 0 }));
        let others = [
            of(json!({"content": "spam"}), "length"),
            of(json!({"content": null, "tool_calls": [{"id": "1"}]}), "tool_calls"),
            of(json!({"content": "x", "refusal": "I can't"}), "stop"),
            of(json!({"content": " "}), "stop"),
            of(json!({"content": ["a"]}), "stop"),
            Transcript::of(b"<html>"),
        ];
        assert!(others.iter().all(|one| one.answer().is_none()));
    }

    #[test]
    fn other_answers_are_no_text() {
        let end = chunk(json!({}), json!("stop"));
        let tool = chunk(json!({"tool_calls": [{"index": 0}]}), Value::Null);
        let second = "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"b\"}}]}\n";
        let long = chunk(json!({"content": "x".repeat(LONGEST)}), Value::Null);
        for other in [tool.as_str(), second, "data: {\"error\":{\"message\":\"x\"}}\n", "data: {\n", &long] {
            let text = [chunk(json!({"content": "a"}), Value::Null), other.to_owned(), end.clone()].concat();
            assert!(heard(&text).answer().is_none() && heard(&text).is_whole(), "{:.60}", other);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_pieces_say_the_same(bytes: Vec<u8>, cut in 0usize..200) {
            let text = [chunk(json!({"content": "ok"}), json!("stop")).as_bytes(), b"\n", &bytes, b"\n"].concat();
            let (mut whole, mut pieces) = (Transcript::default(), Transcript::default());
            whole.take(&text);
            text.chunks(cut + 1).for_each(|piece| pieces.take(piece));
            prop_assert_eq!((whole.answer(), whole.is_whole()), (pieces.answer(), pieces.is_whole()));
        }
    }
}
