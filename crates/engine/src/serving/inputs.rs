use std::path::Path;

use graft_tasks::{
    SourceKind, slack,
    tabular::{self, Columns},
};
use serde_json::Value;

use crate::{Error, Result};

/// Something to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// `ts` or `id`.
    pub key: &'static str,
    /// What the source calls it: a Slack `ts`, an id, or the number of its line or row.
    pub id: String,
    /// The text.
    pub text: String,
}

/// Extensions of tables; any other text file may hold commas.
const TABLES: [&str; 4] = ["csv", "tsv", "tab", "xlsx"];

/// Reads what is to be answered, as an import would: a Slack export (folder, zip, xlsx), JSON objects or texts, a table
/// (by its extension, or where columns are named), or any other file as one text a line, in whatever encoding; with what
/// people should know of how it was read.
///
/// # Errors
/// The file can't be read, or a line or row of it has no text; there is nothing in it.
pub fn read_inputs(path: &Path, columns: &Columns) -> Result<(Vec<Input>, Vec<String>)> {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_lowercase();
    let found = graft_tasks::find_out(path)?.kind;
    let is_json = matches!(found, SourceKind::Jsonl) || matches!(extension.as_str(), "jsonl" | "ndjson" | "json");
    let is_table = TABLES.contains(&extension.as_str()) || *columns != Columns::default();
    let (mut inputs, mut notes) = match found {
        SourceKind::Slack if !is_json => from_slack(path)?,
        SourceKind::Csv if is_table && !is_json => from_table(path, columns)?,
        _ => from_text(path, is_json)?,
    };
    for input in inputs.iter_mut().filter(|input| input.text.contains('\0')) {
        notes.push(format!("{} {}: NUL characters were removed.", input.key, input.id));
        input.text.retain(|character| character != '\0');
    }
    if inputs.is_empty() {
        let (source_name, skipped) = (path.display().to_string(), "the file is empty".into());
        return Err(graft_tasks::Error::Nothing { source_name, skipped, reasons: notes }.into());
    }
    Ok((inputs, notes))
}

type Inputs = (Vec<Input>, Vec<String>);

fn from_slack(path: &Path) -> Result<Inputs> {
    let (messages, import) = slack::read(path)?;
    let mut notes = import.notes.clone();
    if !import.skipped.is_empty() {
        notes.push(format!("Not answered: {}.", import.skipped_line()));
    }
    Ok((messages.into_iter().map(|m| Input { key: "ts", id: m.ts, text: m.text }).collect(), notes))
}

fn from_table(path: &Path, columns: &Columns) -> Result<Inputs> {
    let (texts, notes) = tabular::read_csv(path, columns)?;
    let input = |text: tabular::TextOrProblem| match text {
        Ok(tabular::TableText { row, id, text }) => {
            Ok(Input { key: "id", id: id.unwrap_or_else(|| row.to_string()), text })
        }
        Err((row, reason)) => Err(Error::BadInput { path: path.to_owned(), at: format!("row {row}"), reason }),
    };
    Ok((texts.into_iter().map(input).collect::<Result<_>>()?, notes))
}

fn from_text(path: &Path, is_json: bool) -> Result<Inputs> {
    let graft_tasks::Text { text, note, .. } = graft_tasks::read_text(path)?;
    let notes = note.into_iter().collect();
    if !is_json {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty());
        let inputs = lines.map(|(number, line): (usize, _)| Input {
            key: "id",
            id: number.to_string(),
            text: line.trim().to_owned(),
        });
        return Ok((inputs.collect(), notes));
    }
    let mut inputs = Vec::new();
    graft_tasks::each_value(&text, |number, value| {
        let bad = |reason| Error::BadInput { path: path.to_owned(), at: format!("line {number}"), reason };
        inputs.push(value.and_then(|value| from_json(number, &value)).map_err(bad));
    });
    Ok((inputs.into_iter().collect::<Result<_>>()?, notes))
}

fn from_json(number: usize, value: &Value) -> std::result::Result<Input, String> {
    let text = tabular::text_of(value)?;
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
    fn encodings_are_detected_and_json_layouts_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let read = |name: &str, bytes: &[u8]| {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            let (inputs, notes) = read_inputs(&path, &Columns::default()).unwrap();
            (inputs.into_iter().map(|input| input.text).collect::<Vec<_>>(), notes)
        };
        let utf_16: Vec<u8> = "\u{feff}käse\r\nbröd\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let (texts, notes) = read("utf16.txt", &utf_16);
        assert!(texts == ["käse", "bröd"] && notes[0].contains("UTF-16LE"), "{texts:?} {notes:?}");
        let (texts, notes) = read("bom.txt", "\u{feff}kale\n".as_bytes());
        assert!(texts == ["kale"] && notes.is_empty(), "{texts:?} {notes:?}");
        let (texts, notes) = read("nul.txt", b"kale\0 and figs\nbread\n");
        assert!(texts == ["kale and figs", "bread"] && notes == ["id 1: NUL characters were removed."], "{notes:?}");
        let (texts, notes) = read("latin.txt", b"K\xe4se und Br\xf6tchen f\xfcr die K\xfcche\n");
        assert!(texts == ["Käse und Brötchen für die Küche"] && notes[0].contains("guess"), "{texts:?} {notes:?}");
        let (texts, _) = read("commas.txt", b"text, label\nkale, good\n");
        assert_eq!(texts, ["text, label", "kale, good"]);
        for json in ["[{\"text\": \"a\"}, {\"text\": \"b\"}]", "{\n \"text\": \"a\"\n}\n{\n \"text\": \"b\"\n}"] {
            assert_eq!(read("list.json", json.as_bytes()).0, ["a", "b"], "{json}");
        }
        let zip = dir.path().join("in.txt");
        fs::write(&zip, b"PAR1....PAR1").unwrap();
        assert!(matches!(
            read_inputs(&zip, &Columns::default()),
            Err(Error::Tasks(graft_tasks::Error::OtherForm { .. }))
        ));
    }

    #[test]
    fn json_lines_keep_their_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.jsonl");
        fs::write(&path, "{\"ts\":\"1.5\",\"text\":\"a\"}\n\n{\"id\":7,\"message\":\"b\"}\n\"c\"\n").unwrap();
        let found: Vec<(&str, String)> =
            read_inputs(&path, &Columns::default()).unwrap().0.into_iter().map(|i| (i.key, i.id)).collect();
        assert_eq!(found, [("ts", "1.5".into()), ("id", "7".into()), ("id", "4".into())]);
        fs::write(&path, "{\"text\":\"a\"}\n{\"x\":1}\n").unwrap();
        assert!(matches!(read_inputs(&path, &Columns::default()), Err(Error::BadInput { at, .. }) if at == "line 2"));
        fs::write(&path, "\n").unwrap();
        assert!(read_inputs(&path, &Columns::default()).is_err());
    }

    #[test]
    fn tables_are_read_like_imports() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.csv");
        let read = |text: &str, columns: &Columns| {
            fs::write(&path, text).unwrap();
            read_inputs(&path, columns).map(|(inputs, notes)| {
                (inputs.into_iter().map(|input| (input.id, input.text)).collect::<Vec<_>>(), notes)
            })
        };
        let plain = Columns::default();
        let pair = |id: &str, text: &str| (id.to_owned(), text.to_owned());
        let wanted = vec![pair("2", "kale, fresh"), pair("3", "figs")];
        for text in [
            "text,label\n\"kale, fresh\",good\nfigs,bad\n",
            "text\n\"kale, fresh\"\nfigs\n",
            "score;text\n1;kale, fresh\n2;figs\n",
        ] {
            let (inputs, notes) = read(text, &plain).unwrap();
            assert!(inputs == wanted && notes[0].contains("texts from `text`"), "{text}: {inputs:?} {notes:?}");
        }
        let keyed = "id,message,rating,stars\na7,kale,good,1\n";
        assert_eq!(read(keyed, &plain).unwrap().0, [pair("a7", "kale")], "which column is the answer doesn't matter");
        let asked = read("a,b,c\nx,kale,y\n", &plain).unwrap_err();
        assert!(asked.to_string().contains("decide which columns"), "{asked}");
        let named = Columns { text: Some("b".into()), ..Columns::default() };
        assert_eq!(read("a,b,c\nx,kale,y\n", &named).unwrap().0, [pair("2", "kale")]);
        let bad = read("text,label\nkale,good\n ,bad\n", &plain).unwrap_err();
        assert!(bad.to_string().contains("row 3") && matches!(bad, Error::BadInput { .. }), "{bad}");
    }

    #[test]
    fn json_inputs_are_read_like_training_inputs() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("in.txt");
        let lines = [
            r#"{"instruction": "Summarize", "input": "a long text"}"#,
            r#"{"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}"#,
            r#"{"content": "kale"}"#,
        ];
        fs::write(&path, lines.join("\n")).unwrap();
        let texts: Vec<String> =
            read_inputs(&path, &Columns::default()).unwrap().0.into_iter().map(|input| input.text).collect();
        assert_eq!(texts, ["Summarize\n\na long text", "hi", "kale"]);
    }
}
