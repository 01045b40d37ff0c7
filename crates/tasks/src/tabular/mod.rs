//! Tables and texts of examples: CSV, JSON lines, and pasted text.

mod csv;
mod jsonl;
mod paste;
mod prompt;
mod prompts;
mod records;

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use encoding_rs::WINDOWS_1252;
use graft_core::{Digest, Example, Review, Source};
use serde_json::Value;

pub use self::{
    csv::{Columns, Text as TableText, TextOrProblem, import_csv, pasted_text, read_csv},
    jsonl::{import_jsonl, text_of},
    paste::{Layout, import_lines, import_prompt, import_prompt_file},
    prompts::{PromptEntry, PromptRow, read_prompts},
};
pub(crate) use self::{
    csv::{cell, is_json},
    jsonl::DIALOGUES,
    paste::parse,
    prompt::is_prompt,
};
use crate::{
    Approval, Error, Import,
    cards::{Form, Task},
    encoding::Text,
    import::{Doubts, without_nul},
};

/// Longest text of one example, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// What programs write into a label where there is none.
const MISSING: [&str; 12] =
    ["nan", "null", "n/a", "#n/a", "<na>", "undefined", "#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!"];

/// Whether a text stands for nothing. `NA` and `NaT` are of R and pandas; in small letters they are words.
fn is_missing(text: &str) -> bool {
    matches!(text, "NA" | "NaT" | "\\N") || MISSING.contains(&text.to_lowercase().as_str())
}

/// Whether a text holds what letters in UTF-8 look like when they are read as Latin-1 or Windows-1252.
fn is_mojibake(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let mut letters = text.chars().zip(text.chars().skip(1));
    if text.contains("â€") || letters.any(|two| matches!(two, ('Ã' | 'Â', '\u{80}'..='\u{bf}'))) {
        return true;
    }
    let (bytes, _, is_lossy) = WINDOWS_1252.encode(text);
    // One letter before a quotation mark may look like another by chance.
    let beyond = |text: &str| text.chars().filter(|c| !c.is_ascii()).count();
    !is_lossy && std::str::from_utf8(&bytes).is_ok_and(|read| beyond(read) > 1)
}

/// Whether a text holds characters that no one types: escapes of terminals, or of an encoding that was not read.
fn has_controls(text: &str) -> bool {
    text.contains(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
}

/// Turns rows into examples, all of one source.
struct Builder<'a> {
    kind: &'static str,
    task: &'a Task,
    approval: &'a Approval,
    import: Import,
    doubts: Doubts,
    seen: HashMap<String, usize>,
    /// Letters beyond ASCII were read by a guess.
    guessed: bool,
}

/// An example of one text that a program answered, by the rules for rows of a file: what they doubt is pending.
///
/// # Errors
/// What is wrong with the text or the answer.
pub fn import_answer(
    kind: &'static str,
    at: &str,
    (input, answer): (&str, &str),
    task: &Task,
    approval: &Approval,
) -> Result<Example, String> {
    let mut builder = Builder::new(kind, task, approval);
    let output = Some(Value::from(answer));
    builder.push(at, Draft { input: input.to_owned(), output, ..Draft::default() })?;
    builder.import.examples.pop().ok_or_else(|| "the text is blank".to_owned())
}

/// What a row says of an example.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Draft {
    pub(crate) id: Option<String>,
    pub(crate) input: String,
    pub(crate) output: Option<Value>,
    /// Why people should look at it before it counts as approved.
    pub(crate) doubt: Option<&'static str>,
}

/// An example of a text, or what is wrong where one should be.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The line it begins in, from 1.
    pub(crate) line: usize,
    pub(crate) draft: Result<Draft, String>,
}

impl<'a> Builder<'a> {
    fn new(kind: &'static str, task: &'a Task, approval: &'a Approval) -> Self {
        Self {
            kind,
            task,
            approval,
            import: Import::default(),
            doubts: Doubts::default(),
            seen: HashMap::new(),
            guessed: false,
        }
    }

    /// Takes note of how a file's text was read, and hands the text on.
    fn text(&mut self, text: Text) -> String {
        self.import.notes.extend(text.note);
        self.guessed = text.guessed;
        text.text
    }

    /// Adds a row, or reports it as `bad row`.
    fn add(&mut self, at: &str, draft: Result<Draft, String>) {
        if let Err(reason) = draft.and_then(|draft| self.push(at, draft)) {
            self.import.problem("bad row", at, reason);
        }
    }

    fn push(&mut self, at: &str, draft: Draft) -> Result<(), String> {
        let input = draft.input.trim();
        if input.is_empty() {
            return Err("the text is blank".into());
        }
        if input.len() > MAX_TEXT {
            return Err("the text is longer than 1 MiB".into());
        }
        without_nul("the text", input)?;
        without_nul("the id", draft.id.as_deref().unwrap_or_default())?;
        let is_list = matches!(draft.output, Some(Value::Array(_) | Value::Object(_)));
        let output = draft.output.map(|output| self.task.accept(&output)).transpose()?;
        let answer = output.as_ref().map(|output| output.as_str().map_or_else(|| output.to_string(), str::to_owned));
        let answer = answer.unwrap_or_default();
        without_nul("the answer", &answer)?;
        let doubt = draft.doubt.or_else(|| match [input, &answer] {
            both if both.iter().any(|text| text.contains('\u{fffd}')) => {
                Some("the text contains \u{fffd}, which replaces unreadable characters")
            }
            both if self.guessed && !both.iter().all(|text| text.is_ascii()) => {
                Some("the text was read in a guessed encoding")
            }
            both if both.iter().any(|text| is_mojibake(text)) => {
                Some("the text seems to be in another encoding (`Ã¶` instead of `ö`)")
            }
            both if both.iter().any(|text| has_controls(text)) => Some("the text contains control characters"),
            _ if is_missing(input) => Some("the text is a placeholder for a missing value"),
            _ if [('\'', '\''), ('“', '”'), ('„', '“'), ('«', '»')]
                .iter()
                .any(|(open, close)| input.len() > 2 && input.starts_with(*open) && input.ends_with(*close)) =>
            {
                Some("the text is in quotation marks that have no meaning in a table or JSON")
            }
            _ => self.doubt_of(&answer, is_list),
        });
        if let Some(doubt) = doubt.filter(|_| output.is_some()) {
            self.doubts.add(doubt, at);
        }
        let approved = output.is_some() && (doubt.is_none() || self.approval.doubtful);
        // Named by content, so that importing an edited file again doesn't rename what stayed.
        let mut key = draft.id.unwrap_or_else(|| Digest::of(input.as_bytes()).short().to_owned());
        if let Some(times) = self.seen.get(&key) {
            // A row may have such a name of its own.
            let (mut times, mut made) = (*times, key.clone());
            while self.seen.contains_key(&made) {
                times += 1;
                made = format!("{key}-{times}");
            }
            self.seen.insert(key, times);
            key = made;
        }
        self.seen.insert(key.clone(), 1);
        self.import.examples.push(Example {
            id: format!("{}:{key}", self.kind),
            task: self.task.name.to_owned(),
            input: input.to_owned(),
            review: if approved { self.approval.review() } else { Review::Pending },
            output,
            source: Source { kind: self.kind.into(), reference: at.to_owned(), at: None },
            revision: 1,
        });
        Ok(())
    }

    /// Why an answer may not be meant as one.
    fn doubt_of(&self, answer: &str, is_list: bool) -> Option<&'static str> {
        let within = |open: char, close: char| answer.starts_with(open) && answer.ends_with(close);
        match self.task.form {
            Form::Labels if is_missing(answer) => Some("the label is a placeholder for a missing value"),
            Form::Labels if within('[', ']') || within('{', '}') => {
                Some("the label is written as a list: an example has one label")
            }
            Form::Text if is_list => Some("the answer is a list or an object and was read as JSON text"),
            _ => None,
        }
    }

    /// Says what was decided by itself.
    fn note(&mut self, note: String) {
        self.import.notes.push(note);
    }

    /// Doubts every example with an answer.
    fn doubt_all(&mut self, why: &str) {
        for example in self.import.examples.iter_mut().filter(|example| example.output.is_some()) {
            self.doubts.add(why, &example.source.reference);
            if !self.approval.doubtful {
                example.review = Review::Pending;
            }
        }
    }

    /// Whether the answers of a label task look like texts: each occurs once, and they are as long as the inputs.
    fn has_texts_as_labels(&self) -> bool {
        let answered = self.import.examples.iter().filter_map(|e| Some((&e.input, e.output.as_ref()?.as_str()?)));
        let (mut rows, mut inputs, mut answers, mut distinct) = (0, 0, 0, HashSet::new());
        for (input, answer) in answered {
            (rows, inputs, answers) = (rows + 1, inputs + input.len(), answers + answer.len());
            distinct.insert(answer);
        }
        let is_label_task = self.task.form == Form::Labels;
        is_label_task && rows >= 3 && distinct.len() * 10 >= rows * 9 && answers >= rows * 12 && answers * 2 >= inputs
    }

    fn finish(mut self, path: &Path) -> Result<Import, Error> {
        if self.has_texts_as_labels() {
            self.doubt_all("the label is as long as the text, and each occurs once");
        }
        self.import.notes.extend(self.doubts.said(self.approval));
        self.import.or_nothing(&path.display().to_string())
    }
}

#[cfg(test)]
mod tests;
