//! Tables of texts that are submitted together, each with what it is for.

use serde_json::{Map, Value};

use super::{
    csv::{LABEL, is_json},
    records,
};
use crate::values;

/// A text of a table of texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PromptRow {
    /// The text: examples in any form that people paste.
    pub text: String,
    /// What it is for: a model type, or the name of a task.
    pub model_type: String,
    /// Priority of its run.
    pub priority: Option<String>,
    /// Base model of its run.
    pub base: Option<String>,
    /// What it is, for people.
    pub description: Option<String>,
}

/// A row with the line that it begins in, from 1; or what is wrong with it.
pub type PromptEntry = (usize, Result<PromptRow, String>);

/// Names of the columns, the best first.
const TEXT: [&str; 2] = ["prompt", "text"];
const MODEL_TYPE: [&str; 2] = ["model_type", "task"];
const OTHERS: [&str; 3] = ["priority", "base", "description"];

/// Whether names of columns are those of a table of texts: a column of answers makes it a table of examples.
fn is_batch<'n>(names: impl Iterator<Item = &'n str> + Clone) -> bool {
    let has = |wanted: &[&str]| names.clone().any(|name| wanted.contains(&name));
    has(&TEXT) && has(&MODEL_TYPE) && !has(&LABEL)
}

/// Reads a table or JSON lines with the columns `prompt` (or `text`) and `model_type` (or `task`), and perhaps `priority`,
/// `base` and `description`. `None` for any other text.
#[must_use]
pub fn read_prompts(text: &str) -> Option<Vec<PromptEntry>> {
    let text = text.trim_start_matches('\u{feff}');
    if is_json(text) { read_json(text) } else { read_table(text) }
}

fn read_json(text: &str) -> Option<Vec<PromptEntry>> {
    let mut entries = Vec::new();
    let mut is_known = None;
    values::each(text, |line, value| {
        if let (Ok(Value::Object(object)), None) = (&value, is_known) {
            is_known = Some(is_batch(object.keys().map(String::as_str)));
        }
        // Nothing is made of values that are examples.
        if is_known != Some(false) {
            let row = value.and_then(|value| match value {
                Value::Object(object) => of_object(&object),
                _ => Err("it is not a JSON object".into()),
            });
            entries.push((line, row));
        }
    });
    is_known?.then_some(entries)
}

fn of_object(object: &Map<String, Value>) -> Result<PromptRow, String> {
    let text = |name: &str| match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is not a text")),
    };
    row(text)
}

fn read_table(text: &str) -> Option<Vec<PromptEntry>> {
    let records::Records { rows, .. } = records::read(text, |cells| is_batch(cells.iter().map(|cell| cell.trim())));
    let mut rows = rows.into_iter();
    let names: Vec<String> = rows.next()?.cells.ok()?.iter().map(|cell| cell.trim().to_lowercase()).collect();
    if !is_batch(names.iter().map(String::as_str)) {
        return None;
    }
    let entry = |cells: Result<Vec<String>, String>| {
        let cells = cells?;
        if cells.len() > names.len() {
            let (found, known) = (cells.len(), names.len());
            return Err(format!(
                "it has {found} cells, but there are {known} columns; put texts that contain a separator in quotes"
            ));
        }
        row(|name| {
            let at = names.iter().position(|known| known == name);
            Ok(at.and_then(|at| cells.get(at)).cloned())
        })
    };
    Some(rows.map(|row| (row.line, entry(row.cells))).collect())
}

/// A row of the cells with these names.
fn row(cell: impl Fn(&str) -> Result<Option<String>, String>) -> Result<PromptRow, String> {
    let filled = |name: &str| cell(name).map(|text| text.filter(|text| !text.trim().is_empty()));
    let needed = |names: [&str; 2]| -> Result<String, String> {
        for name in names {
            if let Some(text) = filled(name)? {
                return Ok(text);
            }
        }
        Err(format!("`{}` is blank", names[0]))
    };
    let trimmed = |name: &str| filled(name).map(|text| text.map(|text| text.trim().to_owned()));
    let [priority, base, description] = OTHERS.map(trimmed);
    Ok(PromptRow {
        text: needed(TEXT)?,
        model_type: needed(MODEL_TYPE)?.trim().to_owned(),
        priority: priority?,
        base: base?,
        description: description?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str, model_type: &str) -> PromptRow {
        PromptRow { text: text.into(), model_type: model_type.into(), ..PromptRow::default() }
    }

    #[test]
    fn tables_and_json_lines_of_texts_are_read() {
        let table =
            "Prompt;Model_Type;priority\n\"\"\"a b\"\" -> x\nc -> y\";sentiment_analysis;high\n;chat;\nc d;spam;;;\n";
        let high = PromptRow { priority: Some("high".into()), ..plain("\"a b\" -> x\nc -> y", "sentiment_analysis") };
        let blank = Err("`prompt` is blank".to_owned());
        let rows = read_prompts(table).unwrap();
        assert_eq!(rows[..2], [(2, Ok(high)), (4, blank)]);
        assert!(rows[2].1.as_ref().unwrap_err().contains("5 cells"), "{:?}", rows[2]);
        let lines =
            "{\"text\": \"a -> x\", \"task\": \"spam\", \"base\": null}\n{\"text\": 7, \"task\": \"spam\"}\n[]\n";
        let wrong = |reason: &str| Err(reason.to_owned());
        assert_eq!(
            read_prompts(lines).unwrap(),
            [
                (1, Ok(plain("a -> x", "spam"))),
                (2, wrong("`text` is not a text")),
                (3, wrong("it is not a JSON object"))
            ]
        );
    }

    #[test]
    fn tables_of_examples_are_not_texts_to_submit() {
        let examples = [
            "text,label\na,x\n",
            "text,task,label\na,spam,x\n",
            "{\"prompt\": \"a\", \"completion\": \"b\", \"task\": \"spam\"}",
            "\"a b\" -> x\n\"c d\" -> y\n",
            "prompt,answer\na,b\n",
            "",
        ];
        for text in examples {
            assert_eq!(read_prompts(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..200), is_table in any::<bool>()) {
            let start = if is_table { "prompt,model_type\n" } else { "{\"prompt\": \"a\", \"task\": \"b\"}\n" };
            let text = String::from_utf8_lossy(&bytes);
            let _ = read_prompts(&text);
            let batch = read_prompts(&format!("{start}{text}"));
            prop_assert!(batch.is_some());
        }
    }
}
