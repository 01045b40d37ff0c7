use std::{
    fs::File,
    io::{self, Read, Seek},
    path::Path,
};

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
/// first line). A first line that names known or asked-for columns is a heading; without one, the first column is the
/// text and the second the label. Rows without a label are pending examples.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::Csv`], [`Error::NoColumn`],
/// [`Error::UnknownTask`]; [`Error::Nothing`] where no row is usable.
pub fn import_csv(path: &Path, task: &str, columns: &Columns, approval: &Approval) -> Result<Import, Error> {
    let mut builder = Builder::new("csv", task, approval)?;
    let bad = |source| Error::Csv { path: path.into(), source };
    let mut file = open(path)?;
    let delimiter = delimiter(&mut file).map_err(|source| Error::Read { path: path.into(), source })?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(file);
    let (mut record, mut found, mut row) = (ByteRecord::new(), None, 0);
    while reader.read_byte_record(&mut record).map_err(bad)? {
        row += 1;
        let at = format!("row {row}");
        let Ok(cells) = record.iter().map(std::str::from_utf8).collect::<Result<Vec<&str>, _>>() else {
            builder.add(&at, Err("the text is not UTF-8".into()));
            continue;
        };
        if found.is_none() && found.insert(find(&cells, columns, path)?).heading {
            continue;
        }
        if let Some(columns) = &found {
            builder.add(&at, draft(&cells, columns));
        }
    }
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

fn find(first: &[&str], wanted: &Columns, path: &Path) -> Result<Found, Error> {
    let headings: Vec<String> = first.iter().map(|cell| cell.trim().to_lowercase()).collect();
    let named = |name: &str| headings.iter().position(|heading| heading == name);
    let asked = |column: &Option<String>| -> Result<Option<(usize, bool)>, Error> {
        let Some(column) = column.as_deref() else { return Ok(None) };
        if let Some(at) = named(&column.trim().to_lowercase()) {
            return Ok(Some((at, true)));
        }
        match column.parse::<usize>() {
            Ok(number) if (1..=headings.len()).contains(&number) => Ok(Some((number - 1, false))),
            _ => Err(Error::NoColumn {
                column: column.to_owned(),
                place: path.display().to_string(),
                has: headings.join(", ").chars().take(300).collect(),
            }),
        }
    };
    let (text, label, id) = (asked(&wanted.text)?, asked(&wanted.label)?, asked(&wanted.id)?);
    let known = |names: &[&str]| names.iter().find_map(|name| named(name));
    let guess = known(&TEXT);
    let by_name = [text, label, id].iter().flatten().any(|(_, named)| *named);
    let heading = by_name || (guess.is_some() && (known(&LABEL).is_some() || headings.len() == 1));
    let position = |asked: Option<(usize, bool)>| asked.map(|(at, _)| at);
    let text = position(text).or(guess.filter(|_| heading)).unwrap_or(0);
    let other = |at: &usize| *at != text;
    let label_by_name = known(&LABEL).filter(|_| heading).filter(other);
    Ok(Found {
        text,
        label: position(label).or(label_by_name).or(Some(1).filter(|_| !heading && headings.len() > 1).filter(other)),
        id: position(id).or(known(&ID).filter(|_| heading).filter(other)),
        heading,
    })
}

/// The separator that the first line has most of; the file is left at its start.
fn delimiter(file: &mut File) -> io::Result<u8> {
    let mut start = Vec::new();
    file.by_ref().take(64 << 10).read_to_end(&mut start)?;
    file.rewind()?;
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| line.iter().filter(|byte| **byte == separator).count();
    Ok(b",;\t|".iter().copied().rev().max_by_key(|separator| count(*separator)).unwrap_or(b','))
}
