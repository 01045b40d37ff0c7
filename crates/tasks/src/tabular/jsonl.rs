use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
};

use serde_json::{Map, Value};

use super::{Builder, Draft};
use crate::{Approval, Error, Import, import::open};

/// Longest line, in bytes.
const MAX_LINE: u64 = 4 << 20;

/// Reads examples from lines of JSON. Each line says by its fields what form it has: `text`/`label`, `input`/`output`,
/// `prompt`/`completion`, `instruction` with or without `input` and `output`, or `messages` (also `conversations`) of
/// `role` and `content`, whose last answer is the output. Lines without an output are pending examples.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::UnknownTask`]; [`Error::Nothing`] where no line is usable.
pub fn import_jsonl(path: &Path, task: &str, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("jsonl", task, approval)?;
    let mut reader = BufReader::new(open(path)?);
    for number in 1.. {
        let mut line = Vec::new();
        let read = reader.by_ref().take(MAX_LINE).read_until(b'\n', &mut line);
        if read.map_err(|source| Error::Read { path: path.into(), source })? == 0 {
            break;
        }
        let at = format!("line {number}");
        if line.len() as u64 == MAX_LINE {
            reader.skip_until(b'\n').map_err(|source| Error::Read { path: path.into(), source })?;
            builder.add(&at, Err("it is longer than 4 MiB".into()));
        } else if !line.trim_ascii().is_empty() {
            builder.add(&at, draft(&line));
        }
    }
    builder.finish(path)
}

fn draft(line: &[u8]) -> Result<Draft, String> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    let Value::Object(row) = serde_json::from_slice(line).map_err(|e| format!("it is not JSON: {e}"))? else {
        return Err("it is not a JSON object".into());
    };
    let (input, output) = pair(&row)?;
    let id = ["id", "ts"].iter().find_map(|name| row.get(*name)).and_then(|id| match id {
        Value::String(id) if !id.trim().is_empty() && id.len() <= 200 => Some(id.trim().to_owned()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    });
    Ok(Draft { id, input, output: output.filter(|output| !output.is_null()) })
}

/// Input and output, by the names the row uses.
fn pair(row: &Map<String, Value>) -> Result<(String, Option<Value>), String> {
    if let Some(turns) = row.get("messages").or(row.get("conversations")) {
        return dialogue(turns);
    }
    let answer = |names: &[&str]| names.iter().find_map(|name| row.get(*name)).cloned();
    let field = |name: &str| row.get(name).map(|value| text(value, name)).transpose();
    if let Some(instruction) = field("instruction")? {
        let about = field("input")?.filter(|about| !about.trim().is_empty());
        let input = about.map_or(instruction.clone(), |about| format!("{}\n\n{}", instruction.trim(), about.trim()));
        return Ok((input, answer(&["output", "response", "completion"])));
    }
    if let Some(prompt) = field("prompt")? {
        return Ok((prompt, answer(&["completion", "response", "output", "answer"])));
    }
    for name in ["text", "input", "message", "question", "query"] {
        if let Some(input) = field(name)? {
            return Ok((input, answer(&["label", "output", "truth", "answer", "response", "completion", "category"])));
        }
    }
    let has: Vec<&str> = row.keys().take(8).map(String::as_str).collect();
    Err(format!("no text among its fields ({})", has.join(", ")))
}

fn text(value: &Value, name: &str) -> Result<String, String> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("`{name}` is not a text"))
}

/// The last answer is the output; what came before it is the input.
fn dialogue(turns: &Value) -> Result<(String, Option<Value>), String> {
    let turns = turns.as_array().ok_or("`messages` is not a list")?;
    let mut read = Vec::new();
    for (i, turn) in turns.iter().enumerate() {
        let part = |names: [&str; 2]| names.iter().find_map(|name| turn.get(*name)).and_then(Value::as_str);
        let role = part(["role", "from"]).and_then(Role::named);
        let content = part(["content", "value"]);
        match (role, content) {
            (Some(role), Some(content)) => read.push((role, content.trim().to_owned())),
            _ => return Err(format!("turn {} has no known `role` and text `content`", i + 1)),
        }
    }
    let output = match read.last() {
        Some((Role::Assistant, _)) => read.pop().map(|(_, content)| Value::from(content)),
        _ => None,
    };
    Ok((transcript(&read), output))
}

/// Who speaks in a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name.trim().to_lowercase().as_str() {
            "system" | "developer" => Self::System,
            "user" | "human" | "customer" | "you" | "q" => Self::User,
            "assistant" | "gpt" | "bot" | "ai" | "model" | "agent" | "a" => Self::Assistant,
            _ => return None,
        })
    }

    fn shown(self) -> &'static str {
        match self {
            Self::System => "System",
            Self::User => "User",
            Self::Assistant => "Assistant",
        }
    }
}

/// Turns as one text; a single turn of the user stands alone.
pub(super) fn transcript(turns: &[(Role, String)]) -> String {
    if let [(Role::User, content)] = turns {
        return content.clone();
    }
    let lines: Vec<String> = turns.iter().map(|(role, content)| format!("{}: {content}", role.shown())).collect();
    lines.join("\n")
}
