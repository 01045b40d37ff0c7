//! Tables and texts of examples: CSV, JSON lines, and the forms people paste into a page.

mod csv;
mod jsonl;
mod prompt;

use std::{collections::HashMap, path::Path};

use graft_core::{Digest, Example, Review, Source};
use serde_json::Value;

pub use self::{
    csv::{Columns, import_csv},
    jsonl::import_jsonl,
    prompt::{PromptForm, detect, import_prompt},
};
use crate::{
    Approval, Error, Import,
    cards::{self, Task},
};

/// Longest text of one example, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// Turns rows into examples, all of one source.
struct Builder<'a> {
    kind: &'static str,
    task: &'static Task,
    approval: &'a Approval,
    import: Import,
    seen: HashMap<String, usize>,
}

/// What a row says of an example.
#[derive(Debug, Default, PartialEq)]
struct Draft {
    id: Option<String>,
    input: String,
    output: Option<Value>,
}

impl<'a> Builder<'a> {
    fn new(kind: &'static str, task: &str, approval: &'a Approval) -> Result<Self, Error> {
        Ok(Self { kind, task: cards::task(task)?, approval, import: Import::default(), seen: HashMap::new() })
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
        let output = draft.output.map(|output| cards::accept(self.task, &output)).transpose()?;
        // Named by content, so that importing an edited file again doesn't rename what stayed.
        let mut key = draft.id.unwrap_or_else(|| Digest::of(input.as_bytes()).short().to_owned());
        let times = self.seen.entry(key.clone()).or_default();
        *times += 1;
        if *times > 1 {
            key = format!("{key}-{times}");
        }
        self.import.examples.push(Example {
            id: format!("{}:{key}", self.kind),
            task: self.task.name.to_owned(),
            input: input.to_owned(),
            review: if output.is_some() { self.approval.review() } else { Review::Pending },
            output,
            source: Source { kind: self.kind.into(), reference: at.to_owned(), at: None },
            revision: 1,
        });
        Ok(())
    }

    /// Says what was decided by itself.
    fn note(&mut self, note: String) {
        self.import.notes.push(note);
    }

    fn finish(self, path: &Path) -> Result<Import, Error> {
        self.import.or_nothing(&path.display().to_string())
    }
}

#[cfg(test)]
mod tests;
