use std::{collections::HashMap, io::Read as _, path::Path};

use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;

use super::{Builder, Draft};
use crate::{Approval, Error, Import, import::open};

/// Which columns to read; each is a heading, or a number counted from 1. `None` finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// The text the model will see.
    pub text: Option<String>,
    /// The wanted answer.
    pub label: Option<String>,
    /// A key that stays the same when the file changes.
    pub id: Option<String>,
    /// Whether the first row names the columns; `None` finds out.
    pub heading: Option<bool>,
}

/// Headings that say what a column is, best first.
const TEXT: [&str; 12] = [
    "text",
    "message",
    "input",
    "prompt",
    "sentence",
    "question",
    "instruction",
    "content",
    "review",
    "sms",
    "body",
    "query",
];
const LABEL: [&str; 11] = [
    "label",
    "output",
    "class",
    "category",
    "completion",
    "response",
    "answer",
    "target",
    "sentiment",
    "expected",
    "truth",
];
const ID: [&str; 3] = ["id", "key", "uuid"];

/// Where the columns are, counted from 0.
struct Found {
    text: usize,
    label: Option<usize>,
    id: Option<usize>,
    heading: bool,
}

/// Reads examples from a file in CSV form (RFC 4180; the separator `,`, `;`, tab or `|` is found by its count in the
/// first line). Whether the first row names the columns is found out unless `columns` says so: names that are asked for
/// or known tell, and otherwise how its label compares with the others. Without a heading, the first column is the text
/// and the second the label. Rows without a label are pending examples.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::Csv`], [`Error::NoColumn`],
/// [`Error::WhichHeading`], [`Error::UnknownTask`]; [`Error::Nothing`] where no row is usable.
pub fn import_csv(path: &Path, task: &str, columns: &Columns, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("csv", task, approval)?;
    let table = Table { path, delimiter: delimiter(path)? };
    let mut found = None;
    table.rows(|row, cells| {
        let at = format!("row {row}");
        let Some(cells) = cells else {
            builder.add(&at, Err("the text is not UTF-8".into()));
            return Ok(true);
        };
        if let Some(columns) = &found {
            builder.add(&at, draft(&cells, columns));
            return Ok(true);
        }
        let decided = table.find(&cells, columns)?;
        builder.note(said(&cells, &decided));
        if !decided.heading {
            builder.add(&at, draft(&cells, &decided));
        }
        found = Some(decided);
        Ok(true)
    })?;
    builder.finish(path)
}

fn draft(cells: &[&str], columns: &Found) -> Result<Draft, String> {
    let cell = |i: usize| cells.get(i).map(|cell| cell.trim());
    let wanted = columns.text.max(columns.label.unwrap_or(0)) + 1;
    if cells.len() < wanted {
        return Err(format!("it has {} column(s) where {wanted} are needed", cells.len()));
    }
    let filled = |i: Option<usize>| i.and_then(cell).filter(|cell| !cell.is_empty());
    Ok(Draft {
        id: filled(columns.id).map(str::to_owned),
        input: cell(columns.text).unwrap_or_default().to_owned(),
        output: filled(columns.label).map(Value::from),
    })
}

/// What was decided about the columns, in a sentence.
fn said(first: &[&str], found: &Found) -> String {
    let name = |at: usize| match found.heading {
        true => format!("`{}`", first.get(at).map_or("", |cell| cell.trim())),
        false => format!("column {}", at + 1),
    };
    let label = found.label.map_or_else(|| "no column".to_owned(), name);
    let row = if found.heading { "The first row names the columns" } else { "The first row is an example" };
    format!("{row}: texts from {}, answers from {label}.", name(found.text))
}

/// A file in CSV form.
struct Table<'p> {
    path: &'p Path,
    delimiter: u8,
}

impl Table<'_> {
    /// Hands over each row with its number from 1, without cells where it is not UTF-8, until `take` has enough.
    fn rows(&self, mut take: impl FnMut(u64, Option<Vec<&str>>) -> Result<bool, Error>) -> Result<(), Error> {
        let bad = |source| Error::Csv { path: self.path.into(), source };
        let mut reader = ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).delimiter(self.delimiter);
        let mut reader = reader.from_reader(open(self.path)?);
        let (mut record, mut row) = (ByteRecord::new(), 0);
        while reader.read_byte_record(&mut record).map_err(bad)? {
            row += 1;
            if !take(row, record.iter().map(std::str::from_utf8).collect::<Result<_, _>>().ok())? {
                break;
            }
        }
        Ok(())
    }

    /// The columns, as the first row and what is wanted tell them.
    fn find(&self, first: &[&str], wanted: &Columns) -> Result<Found, Error> {
        let headings =
            Headings { path: self.path, names: first.iter().map(|cell| cell.trim().to_lowercase()).collect() };
        let asked = [
            headings.asked(wanted.text.as_deref())?,
            headings.asked(wanted.label.as_deref())?,
            headings.asked(wanted.id.as_deref())?,
        ];
        let by_name = asked.iter().flatten().any(|asked| asked.by_name);
        let [text, label, id] = asked.map(|asked| asked.map(|asked| asked.at));
        let columns = (text.unwrap_or(0), label.or((first.len() > 1).then_some(1)));
        let heading = match wanted.heading {
            Some(said) => said,
            None => by_name || headings.are_known() || self.is_heading(first, columns)?,
        };
        if !heading {
            let (text, label) = (columns.0, columns.1.filter(|at| label.is_some() || *at != columns.0));
            return Ok(Found { text, label, id, heading });
        }
        let not = |other: Option<usize>| move |at: &usize| Some(*at) != other;
        let text = text.or(headings.known(&TEXT).filter(not(label)));
        let label = label.or(headings.known(&LABEL).filter(not(text)));
        let id = id.or(headings.known(&ID).filter(|at| not(text)(at) && not(label)(at)));
        let mut rest = (0..first.len()).filter(|at| ![text, label, id].contains(&Some(*at)));
        let (text, label) = match (text, label, (rest.next(), rest.next())) {
            (Some(text), None, (only, None)) if !by_name => (text, only),
            (Some(text), label, _) => (text, label),
            (None, None, (Some(text), label)) => (text, label),
            (None, label, (Some(only), None)) => (only, label),
            (None, ..) => return Err(headings.lacks(&TEXT.join("` or `"))),
        };
        Ok(Found { text, label, id, heading })
    }

    /// Whether the first row, whose columns have no known names, names them nevertheless.
    fn is_heading(&self, first: &[&str], (text, label): (usize, Option<usize>)) -> Result<bool, Error> {
        let cell = |at: Option<usize>| at.and_then(|at| first.get(at)).map_or("", |cell| cell.trim());
        let (name, value) = (cell(Some(text)), cell(label));
        if label.is_none() || !could_be_name(name) || !could_be_name(value) {
            return Ok(false);
        }
        let mut others: HashMap<String, usize> = HashMap::new();
        let (mut recurs, mut numbers, mut longer) = (false, true, true);
        self.rows(|row, cells| {
            let (Some(cells), true) = (cells, row > 1) else { return Ok(true) };
            let of = |at: Option<usize>| at.and_then(|at| cells.get(at)).map_or("", |cell| cell.trim());
            let other = of(label);
            recurs = other == value;
            numbers &= other.is_empty() || other.parse::<f64>().is_ok();
            longer &= of(Some(text)).len() > name.len() && (other.is_empty() || other.len() > value.len());
            if !other.is_empty() && (others.len() < MANY || others.contains_key(other)) {
                *others.entry(other.to_owned()).or_default() += 1;
            }
            Ok(!recurs)
        })?;
        if recurs || others.is_empty() {
            return Ok(false);
        }
        let mut names = first.iter().map(|cell| cell.trim().to_lowercase());
        if numbers || names.any(|cell| TEXT.contains(&&*cell) || LABEL.contains(&&*cell)) {
            return Ok(true);
        }
        if longer || others.values().any(|times| *times > 1) {
            let row = first.join(", ").chars().take(100).collect();
            return Err(Error::WhichHeading { path: self.path.into(), row });
        }
        Ok(false)
    }
}

/// Different labels that are counted; more of them are no labels but texts.
const MANY: usize = 10_000;

/// Whether a cell is as short and plain as the name of a column.
fn could_be_name(cell: &str) -> bool {
    let few = cell.len() <= 40 && cell.split_whitespace().count() <= 4;
    few && cell.starts_with(char::is_alphabetic) && !cell.ends_with(['.', '!', '?', ',', ';'])
}

/// The first row's cells in lower case.
struct Headings<'p> {
    path: &'p Path,
    names: Vec<String>,
}

/// A column that was asked for.
struct Asked {
    at: usize,
    by_name: bool,
}

impl Headings<'_> {
    fn known(&self, names: &[&str]) -> Option<usize> {
        names.iter().find_map(|name| self.names.iter().position(|heading| heading == name))
    }

    /// Whether they name a text and a label, or the only column.
    fn are_known(&self) -> bool {
        self.known(&TEXT).is_some() && (self.known(&LABEL).is_some() || self.names.len() == 1)
    }

    fn asked(&self, column: Option<&str>) -> Result<Option<Asked>, Error> {
        let Some(column) = column else { return Ok(None) };
        if let Some(at) = self.known(&[column.trim().to_lowercase().as_str()]) {
            return Ok(Some(Asked { at, by_name: true }));
        }
        match column.trim().parse::<usize>() {
            Ok(number) if (1..=self.names.len()).contains(&number) => {
                Ok(Some(Asked { at: number - 1, by_name: false }))
            }
            _ => Err(self.lacks(column)),
        }
    }

    fn lacks(&self, column: &str) -> Error {
        Error::NoColumn {
            column: column.to_owned(),
            place: self.path.display().to_string(),
            has: self.names.join(", ").chars().take(300).collect(),
        }
    }
}

/// The separator that the first line has most of.
fn delimiter(path: &Path) -> Result<u8, Error> {
    let mut start = Vec::new();
    let read = open(path)?.take(64 << 10).read_to_end(&mut start);
    read.map_err(|source| Error::Read { path: path.into(), source })?;
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| line.iter().filter(|byte| **byte == separator).count();
    Ok(b",;\t|".iter().copied().rev().max_by_key(|separator| count(*separator)).unwrap_or(b','))
}
