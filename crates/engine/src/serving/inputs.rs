use std::{fs, path::Path};

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
/// Largest file of inputs, in bytes.
const MAX_FILE: u64 = 1 << 30;

/// Reads what is to be answered: a Slack export (folder, zip, xlsx), JSON lines with a text and a `ts` or `id`, or any
/// other file as one text a line.
///
/// # Errors
/// The file can't be read, or a line of it has no text; there is nothing in it.
pub fn read_inputs(path: &Path) -> Result<Vec<Input>> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    if path.is_dir() || matches!(extension.as_str(), "zip" | "xlsx") {
        let (messages, _) = slack::read(path)?;
        return Ok(messages.into_iter().map(|m| Input { key: "ts", id: m.ts, text: m.text }).collect());
    }
    let about = fs::metadata(path).map_err(|_| graft_tasks::Error::Missing(path.to_owned()))?;
    if about.len() > MAX_FILE {
        let place = path.display().to_string();
        return Err(graft_tasks::Error::TooLarge { place, limit: MAX_FILE >> 20 }.into());
    }
    let text = fs::read_to_string(path).map_err(|source| graft_tasks::Error::Read { path: path.to_owned(), source })?;
    let json = matches!(extension.as_str(), "jsonl" | "ndjson" | "json");
    let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
    let read = |(number, line): (usize, &str)| {
        if json {
            let bad = |reason| Error::BadInput { path: path.to_owned(), line: number, reason };
            from_json(number, line).map_err(bad)
        } else {
            Ok(Input { key: "id", id: number.to_string(), text: line.trim().to_owned() })
        }
    };
    let inputs = lines.map(read).collect::<Result<Vec<_>>>()?;
    if inputs.is_empty() {
        let (source_name, skipped) = (path.display().to_string(), "the file is empty".into());
        return Err(graft_tasks::Error::Nothing { source_name, skipped, reasons: Vec::new() }.into());
    }
    Ok(inputs)
}

fn from_json(number: usize, line: &str) -> std::result::Result<Input, String> {
    let value: Value = serde_json::from_str(line).map_err(|e| format!("it is no JSON ({e})"))?;
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
    use super::*;

    #[test]
    fn json_lines_keep_their_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.jsonl");
        fs::write(&path, "{\"ts\":\"1.5\",\"text\":\"a\"}\n\n{\"id\":7,\"message\":\"b\"}\n\"c\"\n").unwrap();
        let found: Vec<(&str, String)> = read_inputs(&path).unwrap().into_iter().map(|i| (i.key, i.id)).collect();
        assert_eq!(found, [("ts", "1.5".into()), ("id", "7".into()), ("id", "4".into())]);
        fs::write(&path, "{\"text\":\"a\"}\n{\"x\":1}\n").unwrap();
        assert!(matches!(read_inputs(&path), Err(Error::BadInput { line: 2, .. })));
        fs::write(&path, "\n").unwrap();
        assert!(read_inputs(&path).is_err());
    }
}
