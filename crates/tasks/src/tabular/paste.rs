//! Converts pasted text of any form to rows.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    Builder, Columns, Draft, Entry,
    csv::{Pasted, is_json, pasted},
    jsonl::{self, Unread},
    prompt::{self, PromptForm},
};
use crate::{Approval, Error, FileForm, Import, cards::Task, encoding, sniff::is_yaml, values};

/// How a text says its examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// Lines of `"text" -> label`, numbered or plain.
    LabelLines,
    /// Blocks of `Task:`, `Input:` and `Expected:`.
    Blocks,
    /// Turns of `User:` and `Assistant:`; each answer is an example whose input is the dialogue before it.
    Dialogue,
    /// Rows of cells: CSV, or lines with tabs.
    Table,
    /// JSON objects with an input.
    Json,
    /// Texts, each with its answer as JSON below it.
    TextAndJson,
    /// JSON objects without an input: answers alone.
    Answers,
    /// One JSON Schema of an answer.
    Schema,
    /// Lines without answers.
    Lines,
}

/// A text as rows.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    pub(crate) layout: Layout,
    /// In the text's order.
    pub(crate) entries: Vec<Entry>,
    /// Of [`Layout::Answers`], with their lines; of [`Layout::Schema`], the schema.
    pub(crate) answers: Vec<(usize, Value)>,
    /// What was decided about the text, a sentence each.
    pub(crate) notes: Vec<String>,
    /// What stands above the examples.
    pub(crate) heading: Option<String>,
}

/// Reads pasted text; `columns` says what can't be found out about a table.
pub(crate) fn parse(text: &str, columns: &Columns) -> Parsed {
    let old = (!text.contains('\n') && text.contains('\r')).then(|| text.replace('\r', "\n"));
    let text = old.as_deref().unwrap_or(text);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json(text) {
        return json(text);
    }
    if is_yaml(text) {
        let reason = format!("it is {}, which is not read; write it as JSON or CSV", FileForm::Yaml);
        return Parsed::of(Layout::Lines, vec![Entry { line: 1, draft: Err(reason) }]);
    }
    let of_table = |table: Pasted| Parsed { notes: table.notes, ..Parsed::of(Layout::Table, table.entries) };
    let (form, table) = (prompt::detect(text), pasted(text, columns));
    if let Some(table) = table.as_ref().filter(|table| table.is_named) {
        return of_table(table.clone());
    }
    if let Some(form) = form.filter(|_| prompt::is_prompt(text) || prompt::has_blocks(text)) {
        return lines(text, form);
    }
    if has_json_lines(text) {
        let entries = text_and_json(text);
        if entries.iter().any(|entry| entry.draft.as_ref().is_ok_and(|draft| draft.output.is_some())) {
            return Parsed::of(Layout::TextAndJson, entries);
        }
    }
    match (table, form) {
        (Some(table), _) => of_table(table),
        (None, Some(form)) => lines(text, form),
        (None, None) => Parsed::of(Layout::Lines, plain(text)),
    }
}

impl Parsed {
    fn of(layout: Layout, entries: Vec<Entry>) -> Self {
        Self { layout, entries, answers: Vec::new(), notes: Vec::new(), heading: None }
    }
}

fn lines(text: &str, form: PromptForm) -> Parsed {
    let layout = match form {
        PromptForm::Labels => Layout::LabelLines,
        PromptForm::Blocks => Layout::Blocks,
        PromptForm::Dialogue => Layout::Dialogue,
    };
    Parsed { heading: prompt::heading(text), ..Parsed::of(layout, prompt::entries(text, form)) }
}

/// Each line that says something, as an input without an answer.
fn plain(text: &str) -> Vec<Entry> {
    let lines = text.lines().enumerate().map(|(i, line)| (i + 1, prompt::bare(line)));
    let said = lines.filter(|(_, line)| !line.is_empty());
    said.map(|(line, input)| Entry { line, draft: Ok(Draft { input, ..Draft::default() }) }).collect()
}

fn json(text: &str) -> Parsed {
    let (mut entries, mut answers, mut unread) = (Vec::new(), Vec::new(), Unread::default());
    let (mut inputs, mut is_rest) = (0, false);
    values::each(text, |line, value| {
        let value = match value {
            Ok(value) => value,
            Err(reason) => return entries.push(Entry { line, draft: Err(reason) }),
        };
        match jsonl::drafts(&value, &mut unread) {
            Ok(drafts) => {
                inputs += 1;
                for mut draft in drafts {
                    if draft.output.is_none() {
                        draft.output = jsonl::rest(&value);
                        is_rest |= draft.output.is_some();
                    }
                    entries.push(Entry { line, draft: Ok(draft) });
                }
            }
            Err(reason) => {
                if value.is_object() {
                    answers.push((line, value));
                }
                entries.push(Entry { line, draft: Err(reason) });
            }
        }
    });
    if inputs > 0 || answers.is_empty() {
        let notes = unread.said().filter(|_| !is_rest).into_iter().collect();
        return Parsed { notes, ..Parsed::of(Layout::Json, entries) };
    }
    let layout = match answers.as_slice() {
        [(_, only)] if is_schema(only) => Layout::Schema,
        _ => Layout::Answers,
    };
    entries.retain(|entry| !answers.iter().any(|(line, _)| *line == entry.line));
    Parsed { answers, ..Parsed::of(layout, entries) }
}

/// Whether an object describes answers rather than being one.
fn is_schema(value: &Value) -> bool {
    let is_described = |inner: &Value| inner.is_object() || inner.is_boolean();
    let properties = value.get("properties").and_then(Value::as_object);
    properties.is_some_and(|properties| !properties.is_empty() && properties.values().all(is_described))
        && value.get("type").is_none_or(|kind| kind == "object")
}

/// Whether an object begins a line, below text.
fn has_json_lines(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.next().is_some_and(|first| !first.starts_with('{')) && lines.any(|line| line.starts_with('{'))
}

/// Texts, each with an object below it.
fn text_and_json(text: &str) -> Vec<Entry> {
    let (mut entries, mut input, mut start) = (Vec::new(), String::new(), None);
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let end = text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1);
        let one = text[at..end].trim();
        let mut next = end;
        let value = one.starts_with('{').then(|| {
            let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
            (values.next(), values.byte_offset())
        });
        match value {
            Some((Some(Ok(output)), length)) => {
                let rest = text[at + length..].find('\n').map_or(text.len(), |newline| at + length + newline + 1);
                next = rest;
                let arrows = |c: char| c.is_whitespace() || "->=→".contains(c);
                let draft = match input.trim_end_matches(arrows).trim() {
                    "" => Err("there is no text above this answer".into()),
                    input => Ok(Draft { input: input.to_owned(), output: Some(output), ..Draft::default() }),
                };
                entries.push(Entry { line: start.take().unwrap_or(line), draft });
                input.clear();
            }
            Some((Some(Err(error)), _)) => {
                entries.push(Entry { line, draft: Err(format!("it is not JSON: {error}")) });
                (start, input) = (None, String::new());
            }
            _ if one.is_empty() && input.is_empty() => {}
            _ => {
                start.get_or_insert(line);
                input.push_str(&text[at..end]);
            }
        }
        line += text[at..next].bytes().filter(|byte| *byte == b'\n').count();
        at = next;
    }
    if let Some(line) = start {
        let draft = Draft { input: input.trim().to_owned(), ..Draft::default() };
        entries.push(Entry { line, draft: Ok(draft) });
    }
    entries
}

/// Reads examples from pasted text of any form; `name` stands for the text in errors.
///
/// # Errors
/// [`Error::UnknownForm`] where no line has an answer; [`Error::Nothing`] where nothing is usable.
pub fn import_prompt(text: &str, name: &str, task: &Task, approval: &Approval) -> Result<Import, Error> {
    read(text, Path::new(name), Builder::new("prompt", task, approval), false)
}

/// As [`import_prompt`], where also lines without answers are examples, on which people decide.
///
/// # Errors
/// The same.
pub fn import_lines(text: &str, name: &str, task: &Task, approval: &Approval) -> Result<Import, Error> {
    read(text, Path::new(name), Builder::new("prompt", task, approval), true)
}

/// As [`import_prompt`], from a file.
///
/// # Errors
/// The same; [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::OtherForm`], [`Error::Encoding`].
pub fn import_prompt_file(path: &Path, task: &Task, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("prompt", task, approval);
    let text = builder.text(encoding::read(path)?);
    read(&text, path, builder, false)
}

fn read(text: &str, name: &Path, mut builder: Builder<'_>, lines: bool) -> Result<Import, Error> {
    if is_yaml(text) {
        return Err(Error::OtherForm { path: name.into(), found: FileForm::Yaml });
    }
    let parsed = parse(text, &Columns::default());
    match parsed.layout {
        Layout::Answers | Layout::Schema => return Err(Error::UnknownForm),
        Layout::Lines if !lines => return Err(Error::UnknownForm),
        _ => {}
    }
    parsed.notes.into_iter().for_each(|note| builder.note(note));
    for Entry { line, draft } in parsed.entries {
        builder.add(&format!("line {line}"), draft);
    }
    builder.finish(name)
}
