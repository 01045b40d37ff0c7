use std::{
    io::{self, Write as _},
    process::ExitCode as Status,
};

use graft_core::{ExitCode, json};
use serde::Serialize;
use serde_json::Value;

/// What a command answers: a document for machines, a text for people.
#[derive(Debug)]
pub(crate) struct Reply {
    json: Value,
    text: String,
    code: ExitCode,
}

impl Reply {
    pub(crate) fn new(json: impl Serialize, text: impl Into<String>) -> Self {
        let json = json::value(&json);
        Self { json, text: text.into(), code: ExitCode::Success }
    }

    /// Nothing more to say.
    pub(crate) fn silent() -> Self {
        Self::new(Value::Null, "")
    }

    /// The same with one more field in the document.
    pub(crate) fn with_field(mut self, name: &str, value: impl Serialize) -> Self {
        self.json[name] = json::value(&value);
        self
    }

    /// An answer that is bad news.
    pub(crate) fn with_code(self, code: ExitCode) -> Self {
        Self { code, ..self }
    }

    /// Writes it to stdout.
    pub(crate) fn print(self, json: bool) -> Status {
        if json && !self.json.is_null() {
            print(&format!("{:#}", self.json));
        } else if !json && !self.text.is_empty() {
            print(self.text.trim_end());
        }
        Status::from(self.code as u8)
    }
}

/// A line on stdout; a reader that has gone away is no error.
pub(crate) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A line on stderr. Where that can't be written (it is a log on a full disk), nothing else must fail for it.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Rows under headings, in columns.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new<const N: usize>(headings: [&str; N]) -> Self {
        Self { rows: vec![headings.map(str::to_owned).to_vec()] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.to_vec());
    }

    /// The table, or another text if there are only headings.
    pub(crate) fn or(&self, none: &str) -> String {
        if self.rows.len() == 1 { none.to_owned() } else { self.to_string() }
    }
}

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let columns = self.rows[0].len();
        let width = |column: usize| self.rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
            writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        Ok(())
    }
}

/// Lines of a name and its value.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, value): &(&str, String)| format!("{name:<width$}  {}\n", value.replace('\n', "\n    "));
    facts.iter().map(line).collect()
}

/// The first line of a text, cut to a width.
pub(crate) fn brief(text: &str, width: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= width {
        return line;
    }
    line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
}

/// A size in bytes for people.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    let mut size = bytes as f64;
    let mut unit = "bytes";
    for next in UNITS {
        if size < 1000.0 {
            break;
        }
        (size, unit) = (size / 1000.0, next);
    }
    if unit == "bytes" { format!("{bytes} bytes") } else { format!("{size:.1} {unit}") }
}

/// A duration in seconds for people.
pub(crate) fn seconds(seconds: f64) -> String {
    let whole = seconds.max(0.0).round() as u64;
    match whole {
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}
