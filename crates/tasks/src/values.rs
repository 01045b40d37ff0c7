//! The values of a JSON text in any layout: a list, lines, or pretty-printed one after the other.

use serde_json::Value;

/// Begins each value of a JSON text sequence.
const SEPARATOR: char = '\u{1e}';
/// Longest single value, in bytes.
const MAX_VALUE: usize = 4 << 20;

/// Hands over each value with the line it begins in, counted from 1, or what is wrong with it. What can't be read costs
/// its own value only: the next is looked for at the next line that could begin one.
pub fn each(text: &str, mut take: impl FnMut(usize, Result<Value, String>)) {
    // Of a JSON text sequence (RFC 7464).
    let sequence = text.contains(SEPARATOR).then(|| text.replace(SEPARATOR, " "));
    let text = sequence.as_deref().unwrap_or(text);
    let mut walk = Walk { text, at: 0, line: 1, careful: false };
    walk.skip(char::is_whitespace);
    if text[walk.at..].starts_with('[') && !is_lines_of_lists(text[walk.at..].trim_end()) {
        walk.list(&mut take);
    } else {
        walk.lines(&mut take);
    }
}

/// Whether each line is a list of its own, as far as the first two say.
fn is_lines_of_lists(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let closed = |line: Option<&str>| line.is_some_and(|line| line.starts_with('[') && line.ends_with(']'));
    closed(lines.next()) && closed(lines.next())
}

struct Walk<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Something was broken: values are no longer trusted to end where their brackets say.
    careful: bool,
}

impl<'t> Walk<'t> {
    fn advance(&mut self, to: usize) {
        self.line += self.text[self.at..to].bytes().filter(|byte| *byte == b'\n').count();
        self.at = to;
    }

    fn skip(&mut self, is: impl Fn(char) -> bool) {
        let rest = &self.text[self.at..];
        let to = rest.find(|c| !is(c)).map_or(self.text.len(), |found| self.at + found);
        self.advance(to);
    }

    /// The values of a list; what follows its end is read as another.
    fn list(&mut self, take: &mut impl FnMut(usize, Result<Value, String>)) {
        let mut inside = false;
        loop {
            self.skip(|c| c.is_whitespace() || c == ',');
            match self.text[self.at..].chars().next() {
                None => {
                    if inside {
                        take(self.line, Err("the list is never closed: a `]` is missing".into()));
                    }
                    return;
                }
                Some('[') if !inside => (inside, self.at) = (true, self.at + 1),
                Some(']') => (inside, self.at) = (false, self.at + 1),
                Some(_) => {
                    let end = self.end_of_value();
                    let value = self.parsed(self.at, end);
                    let end = if value.is_err() { self.next_beginning(end) } else { end };
                    self.careful |= value.is_err();
                    take(self.line, value);
                    self.advance(end);
                }
            }
        }
    }

    /// Values one after the other, one or more a line or over several lines.
    fn lines(&mut self, take: &mut impl FnMut(usize, Result<Value, String>)) {
        loop {
            self.skip(char::is_whitespace);
            if self.at == self.text.len() {
                return;
            }
            let end = self.text[self.at..].find('\n').map_or(self.text.len(), |found| self.at + found);
            let line = self.text[self.at..end].trim_end().trim_end_matches(',');
            let values: Result<Vec<Value>, _> = match line.len() > MAX_VALUE {
                true => {
                    take(self.line, Err("it is longer than 4 MiB".into()));
                    Ok(Vec::new())
                }
                false => serde_json::Deserializer::from_str(line).into_iter().collect(),
            };
            match values {
                Ok(values) => {
                    values.into_iter().for_each(|value| take(self.line, Ok(value)));
                    self.advance(end);
                }
                Err(error) if error.is_eof() && line.starts_with('{') => self.over_lines(end, take),
                Err(_) => {
                    take(self.line, self.parsed(self.at, self.at + line.len()));
                    self.advance(end);
                }
            }
        }
    }

    /// A value that its first line, which ends there, leaves open.
    fn over_lines(&mut self, first: usize, take: &mut impl FnMut(usize, Result<Value, String>)) {
        let end = self.end_of_value();
        let value = self.parsed(self.at, end);
        if value.is_ok() {
            take(self.line, value);
            return self.advance(end);
        }
        self.careful = true;
        let is_pretty = matches!(self.text[self.at..first].trim(), "{");
        let end = if is_pretty { self.next_beginning(end) } else { first };
        let value = self.parsed(self.at, end);
        take(self.line, value);
        self.advance(end);
    }

    /// Where the value that begins here ends, by its brackets and quotes.
    fn end_of_value(&self) -> usize {
        let bytes = self.text.as_bytes();
        let (own, mut depth, mut quoted, mut at) = (self.own(), 0_usize, false, self.at);
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' if quoted => at += 1,
                b'"' => quoted = !quoted,
                b'\n' if self.careful && self.begins_value(at + 1, own) => return at,
                _ if quoted => {}
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth > 1 => depth -= 1,
                b'}' | b']' if depth == 1 => return at + 1,
                b'}' | b']' | b',' | b'\n' if depth == 0 => return at.max(self.at + 1),
                _ => {}
            }
            at += 1;
            if at - self.at > MAX_VALUE {
                break;
            }
        }
        let mut end = at.min(bytes.len());
        while !self.text.is_char_boundary(end) {
            end += 1;
        }
        end
    }

    /// The first line after this value's own that could begin a value, at most `end`.
    fn next_beginning(&self, end: usize) -> usize {
        let own = self.own();
        let mut newlines = self.text[self.at..end].match_indices('\n').map(|(i, _)| self.at + i);
        newlines.find(|newline| self.begins_value(newline + 1, own)).unwrap_or(end)
    }

    /// How deep the value here stands in its line.
    fn own(&self) -> usize {
        self.text[..self.at].rfind('\n').map_or(self.at, |newline| self.at - newline - 1)
    }

    /// Whether an object begins at a line's start, no deeper than that.
    fn begins_value(&self, line: usize, own: usize) -> bool {
        let rest = self.text.get(line..).unwrap_or_default();
        let inner = rest.trim_start_matches([' ', '\t']);
        inner.starts_with('{') && rest.len() - inner.len() <= own
    }

    fn parsed(&self, from: usize, to: usize) -> Result<Value, String> {
        let value = &self.text[from..to];
        if value.len() > MAX_VALUE {
            return Err("it is longer than 4 MiB".into());
        }
        serde_json::from_str(value).map_err(|error| self.why(&error, value))
    }

    /// What is wrong and where, in lines of the whole text.
    fn why(&self, error: &serde_json::Error, value: &str) -> String {
        let place = format!(" at line {} column {}", error.line(), error.column());
        let what = error.to_string().replace(&place, "");
        // A line break is column 0 of the next line to serde_json.
        let (line, column) = match (error.line().max(1), error.column()) {
            (line @ 2.., 0) => (line - 1, value.lines().nth(line - 2).map_or(0, |line| line.chars().count()) + 1),
            place => place,
        };
        let line = self.line + line - 1;
        let python = match is_python(value) {
            true => "; it is a Python value: write it with `json.dumps`",
            false if value.contains(['“', '”']) => "; its quotes are typographic: write `\"`",
            false if value.starts_with("//") || value.starts_with('#') => "; JSON has no comments",
            false => "",
        };
        format!("it is not JSON: {what} (line {line}, column {column}){python}")
    }
}

/// Whether a value is what Python prints, rather than JSON.
fn is_python(value: &str) -> bool {
    let inner = value.trim_start_matches(['{', '[', ' ', '\n']);
    let words = ["None", "True", "False", "nan", "NaN"];
    inner.starts_with('\'') || words.iter().any(|word| value.contains(&format!(": {word}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> (Vec<Value>, Vec<(usize, String)>) {
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        each(text, |line, value| match value {
            Ok(value) => good.push(value),
            Err(reason) => bad.push((line, reason)),
        });
        (good, bad)
    }

    #[test]
    fn every_json_layout_is_read() {
        let wanted = vec![json!({"a": 1, "b": [{"c": "}]\n\""}]}), json!({"a": 2})];
        let pretty: Vec<String> = wanted.iter().map(|value| serde_json::to_string_pretty(value).unwrap()).collect();
        let lines: Vec<String> = wanted.iter().map(Value::to_string).collect();
        let layouts = [
            lines.join("\n"),
            lines.join("\r\n\r\n"),
            lines.join(",\n"),
            lines.concat(),
            lines.iter().map(|line| format!("\u{1e}{line}\n")).collect(),
            pretty.join("\n"),
            pretty.concat(),
            format!("[{}]", lines.join(",")),
            format!("[\n{}\n]\n", lines.join(",\n")),
            format!("[{},]", lines.join(" , ")),
            serde_json::to_string_pretty(&wanted).unwrap(),
        ];
        for layout in layouts {
            assert_eq!(read(&layout), (wanted.clone(), Vec::new()), "{layout}");
        }
    }

    #[test]
    fn broken_json_value_affects_only_itself() {
        let cases = [
            ("{\"a\": 1,}\n{\"a\": 2}", 1, 1, "trailing comma (line 1, column 9)"),
            ("{\"a\": 2}\n{broken\n", 1, 2, "key must be a string (line 2, column 2)"),
            ("[{\"a\": 2},\n {\"a\": \"x},\n {\"a\": 3}]", 2, 2, "line 2"),
            ("[{\"a\": 1,}, {\"a\": 2}]", 1, 1, "trailing comma"),
            ("[\n    {\n        \"a\": [1\n    },\n    {\n        \"a\": 2\n    }\n]", 1, 2, "(line 4"),
            ("{\n  \"a\": 1,\n}\n{\n  \"a\": 2\n}\n", 1, 1, "(line 3"),
            ("{'a': 1}\n{\"a\": 2}", 1, 1, "json.dumps"),
            ("{\"a\": None}\n{\"a\": 2}", 1, 1, "json.dumps"),
            ("{\"a\": \"\\ud83d\"}\n{\"a\": 2}", 1, 1, "hex escape"),
            ("[{\"a\": \"\\ud83d\"}, {\"a\": 2}]", 1, 1, "hex escape"),
            ("[{\"a\": 2}", 1, 1, "`]` is missing"),
            ("// exported\n{\"a\": 2}", 1, 1, "no comments"),
            ("{\"a\": 1}\n# more\n", 1, 2, "no comments"),
        ];
        for (text, good, line, reason) in cases {
            let (values, bad) = read(text);
            assert_eq!((values.len(), bad.len()), (good, 1), "{text}: {bad:?}");
            assert!(bad[0].0 == line && bad[0].1.contains(reason), "{text}: {bad:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_to_its_end(text in "(\\PC{0,6}|[\\[\\]{}\",:\\\\ \n']{0,8}|\\{\"a\": 1\\})*") {
            let (good, bad) = read(&text);
            prop_assert!(!good.is_empty() || !bad.is_empty() || text.chars().all(|c| c.is_whitespace() || "[],".contains(c)));
        }
    }
}
