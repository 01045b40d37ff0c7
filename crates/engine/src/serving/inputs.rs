use std::path::Path;

use graft_tasks::slack;
use serde_json::Value;

use crate::{Error, Result};

/// Something to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// `ts` or `id`.
    pub key: &'static str,
    /// What the source calls it: a Slack `ts`, an id, or a line number.
    pub id: String,
    /// The text.
    pub text: String,
}

/// Names that the text of a JSON line may have.
const TEXT: [&str; 7] = ["text", "message", "input", "prompt", "question", "query", "content"];

/// Reads what is to be answered: a Slack export (folder, zip, xlsx), JSON (lines or a list) with a text and a `ts` or `id`,
/// or any other file as one text a line, in whatever encoding; with what people should know of how it was read.
///
/// # Errors
/// The file can't be read, or a line of it has no text; there is nothing in it.
pub fn read_inputs(path: &Path) -> Result<(Vec<Input>, Vec<String>)> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    if path.is_dir() || matches!(extension.as_str(), "zip" | "xlsx") {
        let (messages, _) = slack::read(path)?;
        let inputs = messages.into_iter().map(|m| Input { key: "ts", id: m.ts, text: m.text }).collect();
        return Ok((inputs, Vec::new()));
    }
    let graft_tasks::Text { text, note, .. } = graft_tasks::read_text(path)?;
    let (mut inputs, mut failed) = (Vec::new(), None);
    let mut take = |number: usize, read: std::result::Result<Input, String>| match read {
        Ok(input) => inputs.push(input),
        Err(reason) if failed.is_none() => {
            failed = Some(Error::BadInput { path: path.to_owned(), line: number, reason });
        }
        Err(_) => {}
    };
    if matches!(extension.as_str(), "jsonl" | "ndjson" | "json") {
        graft_tasks::each_value(&text, |number, value| take(number, value.and_then(|value| from_json(number, value))));
    } else {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        lines.for_each(|(number, line)| {
            take(number, Ok(Input { key: "id", id: number.to_string(), text: line.trim().to_owned() }));
        });
    }
    if let Some(failed) = failed {
        return Err(failed);
    }
    let mut notes: Vec<String> = note.into_iter().collect();
    if matches!(extension.as_str(), "csv" | "tsv") {
        notes.push(
            "A table is read as plain lines, with its heading and separators; JSON lines say which text is meant."
                .into(),
        );
    }
    for input in inputs.iter_mut().filter(|input| input.text.contains('\0')) {
        notes.push(format!("{} {}: NUL characters were left out.", input.key, input.id));
        input.text.retain(|character| character != '\0');
    }
    if inputs.is_empty() {
        let (source_name, skipped) = (path.display().to_string(), "the file is empty".into());
        return Err(graft_tasks::Error::Nothing { source_name, skipped, reasons: Vec::new() }.into());
    }
    Ok((inputs, notes))
}

fn from_json(number: usize, value: Value) -> std::result::Result<Input, String> {
    if let Value::String(text) = value {
        return Ok(Input { key: "id", id: number.to_string(), text });
    }
    let text = TEXT.iter().find_map(|name| value.get(*name)?.as_str());
    let text = text.ok_or_else(|| format!("it has none of {}", TEXT.join(", ")))?.to_owned();
    let named = |key: &'static str| {
        let id = match value.get(key)? {
            Value::String(id) => id.clone(),
            Value::Number(id) => id.to_string(),
            _ => return None,
        };
        Some((key, id))
    };
    let (key, id) = named("ts").or_else(|| named("id")).unwrap_or_else(|| ("id", number.to_string()));
    Ok(Input { key, id, text })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn encodings_are_found_out_and_json_may_be_laid_out_as_one_likes() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            let (inputs, notes) = read_inputs(&path).unwrap();
            (inputs.into_iter().map(|input| input.text).collect::<Vec<_>>(), notes)
        };
        let utf_16: Vec<u8> = "\u{feff}käse\r\nbröd\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (texts, notes) = read("utf16.txt", &utf_16);
        assert!(texts == ["käse", "bröd"] && notes[0].contains("UTF-16LE"), "{texts:?} {notes:?}");
        let (texts, notes) = read("bom.txt", "\u{feff}kale\n".as_bytes());
        assert!(texts == ["kale"] && notes.is_empty(), "{texts:?} {notes:?}");
        let (texts, notes) = read("nul.txt", b"kale\0 and figs\nbread\n");
        assert!(texts == ["kale and figs", "bread"] && notes == ["id 1: NUL characters were left out."], "{notes:?}");
        let (texts, notes) = read("latin.txt", b"K\xe4se und Br\xf6tchen f\xfcr die K\xfcche\n");
        assert!(texts == ["Käse und Brötchen für die Küche"] && notes[0].contains("guess"), "{texts:?} {notes:?}");
        let (texts, notes) = read("table.csv", b"text,label\nkale,good\n");
        assert!(texts == ["text,label", "kale,good"] && notes[0].contains("heading"), "{texts:?} {notes:?}");
        for json in ["[{\"text\": \"a\"}, {\"text\": \"b\"}]", "{\n \"text\": \"a\"\n}\n{\n \"text\": \"b\"\n}"] {
            assert_eq!(read("list.json", json.as_bytes()).0, ["a", "b"], "{json}");
        }
        let zip = dir.path().join("in.txt");
        fs::write(&zip, b"PAR1....PAR1").unwrap();
        assert!(matches!(read_inputs(&zip), Err(Error::Tasks(graft_tasks::Error::OtherForm { .. }))));
    }

    #[test]
    fn json_lines_keep_their_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.jsonl");
        fs::write(&path, "{\"ts\":\"1.5\",\"text\":\"a\"}\n\n{\"id\":7,\"message\":\"b\"}\n\"c\"\n").unwrap();
        let found: Vec<(&str, String)> = read_inputs(&path).unwrap().0.into_iter().map(|i| (i.key, i.id)).collect();
        assert_eq!(found, [("ts", "1.5".into()), ("id", "7".into()), ("id", "4".into())]);
        fs::write(&path, "{\"text\":\"a\"}\n{\"x\":1}\n").unwrap();
        assert!(matches!(read_inputs(&path), Err(Error::BadInput { line: 2, .. })));
        fs::write(&path, "\n").unwrap();
        assert!(read_inputs(&path).is_err());
    }
}
