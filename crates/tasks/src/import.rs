use std::{collections::BTreeSet, io, path::Path};

use graft_core::{Example, Review, Timestamp, without_secrets};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::Error;

/// How many problems an [`Import`] spells out; the rest are only counted.
pub const MAX_PROBLEMS: usize = 20;
/// Kinds come from the source (Slack subtypes), so their number is bounded.
const MAX_KINDS: usize = 64;

/// What an importer found in a source, and what it left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Import {
    /// In the source's order.
    pub examples: Vec<Example>,
    /// Everything left out, counted by kind.
    pub skipped: Vec<Skipped>,
    /// The first [`MAX_PROBLEMS`] rows that should have been examples but could not be; all are counted in `skipped`.
    pub problems: Vec<Problem>,
    /// What the importer decided by itself and people should know, a sentence each.
    pub notes: Vec<String>,
}

/// Things of one kind that gave no example.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SkippedRows)]
pub struct Skipped {
    /// `channel_join`, `null`, `malformed`, …
    pub kind: String,
    /// How many.
    pub count: usize,
    /// Where the first one is: a file, row, line or key.
    pub first_where: String,
}

/// One bad row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = BadRow)]
pub struct Problem {
    /// `row 17`, `line 3`, `2025-03-01.json`, …
    pub at: String,
    /// What is wrong with it.
    pub reason: String,
}

/// Who vouches for the outputs a source brings along, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// A person, or the name of the source.
    pub by: String,
    /// Milliseconds since the Unix epoch.
    pub at: Timestamp,
    /// Also for what the importer doubts; otherwise that waits for people to decide.
    pub doubtful: bool,
}

impl Approval {
    pub(crate) fn review(&self) -> Review {
        Review::Approved { by: self.by.clone(), at: self.at }
    }
}

/// What keeps rows from being approved, each with the rows it concerns.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Vec<(String, usize, String)>);

impl Doubts {
    /// Counts one row that is doubtful.
    pub(crate) fn add(&mut self, why: &str, at: &str) {
        let full = self.0.len() >= MAX_KINDS;
        match self.0.iter_mut().find(|(known, ..)| known == why) {
            Some((_, count, _)) => *count += 1,
            None if full => {}
            None => self.0.push((why.to_owned(), 1, at.to_owned())),
        }
    }

    /// A sentence for each.
    pub(crate) fn said(self, approval: &Approval) -> impl Iterator<Item = String> {
        let fate = match approval.doubtful {
            true => "approved, as you asked",
            false => "imported as pending",
        };
        self.0
            .into_iter()
            .map(move |(why, count, first)| format!("Doubtful: {why} ({count} ×, first: {first}); {fate}."))
    }
}

/// Says where a text holds a character that no database keeps.
pub(crate) fn without_nul(what: &str, text: &str) -> Result<(), String> {
    match text.find('\0') {
        Some(at) => Err(format!("{what} contains a NUL character, at byte {}", at + 1)),
        None => Ok(()),
    }
}

impl Import {
    /// Counts one thing left out on purpose.
    pub(crate) fn skip(&mut self, kind: &str, at: impl Into<String>) {
        let kind: String = kind.chars().take(60).collect();
        let full = self.skipped.len() >= MAX_KINDS;
        match self.skipped.iter_mut().find(|s| s.kind == kind) {
            Some(skipped) => skipped.count += 1,
            None if full && kind != "other" => self.skip("other", at),
            None => self.skipped.push(Skipped { kind, count: 1, first_where: at.into() }),
        }
    }

    /// Counts one thing that should have been an example, and says why it is not.
    pub(crate) fn problem(&mut self, kind: &str, at: impl Into<String>, reason: impl Into<String>) {
        let at = at.into();
        self.skip(kind, at.clone());
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem { at, reason: reason.into() });
        }
    }

    /// How many things of this kind were left out.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.skipped.iter().find(|s| s.kind == kind).map_or(0, |s| s.count)
    }

    /// How many examples came without an output.
    #[must_use]
    pub fn unlabelled(&self) -> usize {
        self.examples.iter().filter(|e| e.output.is_none()).count()
    }

    /// The distinct text outputs, sorted: the labels of a label task.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let labels = self.examples.iter().filter_map(|e| e.output.as_ref().and_then(Value::as_str));
        labels.map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// What was left out, on one line: `36 null, 7 malformed`.
    #[must_use]
    pub fn skipped_line(&self) -> String {
        let parts: Vec<String> = self.skipped.iter().map(|s| format!("{} {}", s.count, s.kind)).collect();
        if parts.is_empty() { "nothing skipped".into() } else { parts.join(", ") }
    }

    /// Refuses an import without examples, with the reasons.
    pub(crate) fn or_nothing(self, source_name: &str) -> Result<Self, Error> {
        if self.examples.is_empty() {
            let reasons = self.problems.iter().take(5).map(|problem| format!("{}: {}", problem.at, problem.reason));
            return Err(Error::Nothing {
                source_name: source_name.into(),
                skipped: self.skipped_line(),
                reasons: reasons.chain(self.notes.iter().cloned()).collect(),
            });
        }
        Ok(self)
    }
}

/// The error of a path that can't be opened: missing, or unreadable.
pub(crate) fn cannot_read(path: &Path, source: io::Error) -> Error {
    // It may be a mistyped address with a password.
    let path = path.to_str().map_or_else(|| path.into(), |text| without_secrets(text).into());
    match source.kind() {
        io::ErrorKind::NotFound => Error::Missing(path),
        _ => Error::Read { path, source },
    }
}
