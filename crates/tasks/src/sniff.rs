//! Detects the kind of a file by its first bytes and its content.

use std::{fmt, fs, path::Path};

use serde_json::Value;

use crate::{Error, ask_ai, encoding, import::cannot_read, sheet, slack, tabular, values};

/// The importers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// [`crate::slack`].
    Slack,
    /// [`crate::ask_ai`].
    AskAi,
    /// [`crate::tabular::import_csv`].
    Csv,
    /// [`crate::tabular::import_jsonl`].
    Jsonl,
    /// [`crate::tabular::import_prompt`].
    Text,
}

/// What a file is, and the task that its examples probably belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which importer reads it.
    pub kind: SourceKind,
    /// The built-in task that fits best; absent for sources that have a task of their own.
    pub task: Option<&'static str>,
}

/// The task of texts with labels.
pub(crate) const LABELS: &str = "text-classification";

/// Finds out which importer reads a file or folder.
///
/// # Errors
/// [`Error::Missing`], [`Error::Read`], [`Error::TooLarge`], [`Error::Encoding`]; [`Error::OtherForm`] where none does.
pub fn find_out(path: &Path) -> Result<Found, Error> {
    let is = |kind, task| Ok(Found { kind, task });
    if path.to_str().is_some_and(ask_ai::is_postgres) {
        return is(SourceKind::AskAi, None);
    }
    let meta = fs::metadata(path).map_err(|source| cannot_read(path, source))?;
    if meta.is_dir() {
        return match slack::may_be_export(path) || !has_tables(path) {
            true => is(SourceKind::Slack, None),
            false => Err(Error::OtherForm { path: path.into(), found: FileForm::Folder }),
        };
    }
    let text = match encoding::read(path) {
        Ok(text) => text.text,
        Err(Error::OtherForm { found: FileForm::Zip, .. }) => {
            return match sheet::is_one(path) && !is_slack_sheet(path)? {
                true => is(SourceKind::Csv, Some(LABELS)),
                false if !sheet::is_one(path) && !slack::may_be_export(path) => {
                    Err(Error::OtherForm { path: path.into(), found: FileForm::Zip })
                }
                false => is(SourceKind::Slack, None),
            };
        }
        Err(Error::OtherForm { found: FileForm::Sqlite, .. }) => {
            return match holds(path, b"ask_ai_queries")? || !holds(path, b"S_USER")? {
                true => is(SourceKind::AskAi, None),
                false => is(SourceKind::Slack, None),
            };
        }
        Err(error) => return Err(error),
    };
    if is_yaml(&text) {
        return Err(Error::OtherForm { path: path.into(), found: FileForm::Yaml });
    }
    if tabular::is_json(&text) {
        let mut first = None;
        values::each(&text[..end_of(&text, 1 << 20)], |_, value| {
            if let (Ok(value), None) = (value, &first) {
                first = Some(value);
            }
        });
        let has = |name: &str| first.as_ref().is_some_and(|value| value.get(name).is_some());
        return match first.as_ref().map(Value::is_object) {
            Some(true) if has("ts") && has("user") || has("channel_id") || is_history(first.as_ref()) => {
                is(SourceKind::Slack, None)
            }
            Some(true) if tabular::DIALOGUES.into_iter().any(has) => is(SourceKind::Jsonl, Some("chat")),
            Some(true) if has("instruction") => is(SourceKind::Jsonl, Some("instruction")),
            _ => is(SourceKind::Jsonl, Some(LABELS)),
        };
    }
    is(if tabular::is_prompt(&text) { SourceKind::Text } else { SourceKind::Csv }, Some(LABELS))
}

/// Whether a folder has files that an importer reads one at a time.
fn has_tables(folder: &Path) -> bool {
    let read = ["csv", "tsv", "xlsx", "jsonl", "ndjson", "txt", "parquet"];
    let names = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    names
        .filter_map(|name| Some(name.extension()?.to_str()?.to_lowercase()))
        .any(|ending| read.contains(&ending.as_str()))
}

/// Whether a text is a YAML list of objects: `- text: nice`, and `label: good` in the same column below it; perhaps under a
/// name.
pub(crate) fn is_yaml(text: &str) -> bool {
    let is_key = |line: &str| {
        let (key, rest) = line.split_once(':').unwrap_or_default();
        let is_name = key.starts_with(|c: char| c.is_alphabetic() || c == '_');
        is_name && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-')) && !rest.starts_with('/')
    };
    let is_said = |line: &&str| !line.trim().is_empty() && !line.starts_with(['#', '%']) && line.trim_end() != "---";
    let mut lines = text.trim_start_matches('\u{feff}').lines().filter(is_said).take(200).peekable();
    if lines.peek().is_some_and(|first| is_key(first) && first.trim_end().ends_with(':')) {
        lines.next();
    }
    let Some(first) = lines.next() else { return false };
    let Some(item) = first.trim_start().strip_prefix("- ") else { return false };
    let column = first.len() - item.trim_start().len();
    // A text may go on below its key, deeper.
    let below = lines.find(|line| line.len() - line.trim_start().len() <= column);
    is_key(item.trim_start())
        && below.is_some_and(|line| line.get(..column).is_some_and(is_blank) && is_key(line.trim_start()))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// Whether an object is what Slack's API says of a conversation.
fn is_history(value: Option<&Value>) -> bool {
    value.and_then(|value| value.pointer("/messages/0/ts")).is_some_and(Value::is_string)
}

/// The end of a line at about this byte.
fn end_of(text: &str, about: usize) -> usize {
    let bytes = text.as_bytes();
    bytes.iter().skip(about).position(|byte| *byte == b'\n').map_or(text.len(), |newline| about + newline)
}

/// Whether the first sheet's first row names what Slack's messages have.
fn is_slack_sheet(path: &Path) -> Result<bool, Error> {
    let mut first = None;
    sheet::each_row(path, sheet::Dates::Written, |_, _, cells| {
        first.get_or_insert_with(|| cells.values().map(|cell| cell.trim().to_lowercase()).collect::<Vec<_>>());
    })?;
    let has = |name: &str| first.iter().flatten().any(|cell| cell == name);
    Ok(has("timestamp") && has("message"))
}

/// Whether a database's beginning, where its tables are described, holds a name.
fn holds(path: &Path, name: &[u8]) -> Result<bool, Error> {
    use std::io::Read as _;
    let mut start = Vec::new();
    let read = fs::File::open(path).and_then(|file| file.take(1 << 20).read_to_end(&mut start));
    read.map_err(|source| cannot_read(path, source))?;
    Ok(start.windows(name.len()).any(|bytes| bytes.eq_ignore_ascii_case(name)))
}

/// A form of file that no text importer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// A folder.
    Folder,
    /// Excel's newer form, or another document that is a zip archive.
    Zip,
    /// Excel's older form.
    Xls,
    /// A document of Word.
    Docx,
    /// The same in the older form.
    Doc,
    /// A spreadsheet of LibreOffice.
    Ods,
    /// A text document of LibreOffice.
    Odt,
    /// A table in columns, as pandas and Hugging Face write it.
    Parquet,
    /// A table in columns, as Hugging Face keeps it in its cache.
    Arrow,
    /// An SQLite database.
    Sqlite,
    /// A document.
    Pdf,
    /// A page of the web.
    Html,
    /// A document with layout.
    Rtf,
    /// A compressed file.
    Compressed,
    /// A picture.
    Picture,
    /// Python objects.
    Pickle,
    /// A list in YAML.
    Yaml,
    /// JSON, where a table or plain text is wanted.
    Json,
}

impl fmt::Display for FileForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Zip => "a zip archive",
            Self::Xls => "an Excel file of the older form (.xls)",
            Self::Docx => "a Word document (.docx)",
            Self::Doc => "a Word document of the older form (.doc)",
            Self::Ods => "an OpenDocument spreadsheet (.ods)",
            Self::Odt => "an OpenDocument text (.odt)",
            Self::Parquet => "a Parquet file",
            Self::Arrow => "an Arrow file",
            Self::Sqlite => "an SQLite database",
            Self::Pdf => "a PDF",
            Self::Html => "an HTML or XML page",
            Self::Rtf => "an RTF document",
            Self::Compressed => "a compressed file",
            Self::Picture => "a picture",
            Self::Pickle => "a file of Python objects (pickle or NumPy)",
            Self::Yaml => "a YAML list",
            Self::Json => "JSON",
        })
    }
}

impl FileForm {
    /// What to do with it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Folder => "name a file in it; a Slack export's folder goes to `graft import slack`",
            Self::Zip => {
                "`graft import FILE` reads Slack exports and .xlsx tables; unpack any other archive and import its files"
            }
            Self::Xls | Self::Ods => "save it as .xlsx or as CSV in UTF-8",
            Self::Docx | Self::Doc | Self::Odt => {
                "copy its table into a spreadsheet and save that as .xlsx or .csv, or save its text as a .txt file"
            }
            Self::Yaml => {
                "convert it first: `python -c \"import json, yaml; json.dump(yaml.safe_load(open('FILE')), \
                 open('FILE.json', 'w'), default=str)\"`, then import FILE.json"
            }
            Self::Parquet => {
                "convert it first: `python -c \"import pandas; pandas.read_parquet('FILE').to_json('FILE.jsonl', \
                 orient='records', lines=True)\"`, then `graft import jsonl FILE.jsonl`"
            }
            Self::Arrow => {
                "convert it first: `python -c \"import datasets; \
                 datasets.Dataset.from_file('FILE').to_json('FILE.jsonl')\"`, then `graft import jsonl FILE.jsonl`"
            }
            Self::Sqlite => {
                "`graft import ask-ai FILE` reads Ask AI's database, `graft import slack FILE` that of Slackdump"
            }
            Self::Pdf | Self::Html | Self::Rtf => "save its table as CSV, or its text as a .txt file",
            Self::Compressed => "unpack it first",
            Self::Picture => "only texts can be imported",
            Self::Pickle => "write the data as CSV or JSON lines from Python",
            Self::Json => "`graft import jsonl FILE` reads JSON: lines, lists and pretty-printed objects",
        }
    }
}

/// The form that the first bytes give away, if it is one that is no text.
pub(crate) fn magic(bytes: &[u8]) -> Option<FileForm> {
    let known: [(&[u8], FileForm); 22] = [
        (b"PK\x03\x04", FileForm::Zip),
        (b"PK\x05\x06", FileForm::Zip),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", FileForm::Xls),
        (b"PAR1", FileForm::Parquet),
        (b"ARROW1", FileForm::Arrow),
        (b"\xff\xff\xff\xff\x10\x00\x00\x00", FileForm::Arrow),
        (b"SQLite format 3\0", FileForm::Sqlite),
        (b"%PDF-", FileForm::Pdf),
        (b"{\\rtf", FileForm::Rtf),
        (b"\x1f\x8b", FileForm::Compressed),
        (b"BZh", FileForm::Compressed),
        (b"\xfd7zXZ\0", FileForm::Compressed),
        (b"7z\xbc\xaf\x27\x1c", FileForm::Compressed),
        (b"\x28\xb5\x2f\xfd", FileForm::Compressed),
        (b"Rar!\x1a\x07", FileForm::Compressed),
        (b"\x89PNG", FileForm::Picture),
        (b"\xff\xd8\xff", FileForm::Picture),
        (b"\x93NUMPY", FileForm::Pickle),
        // Protocols 4 and 5 begin with a frame; 2 and 3 with what they hold.
        (b"\x80\x05\x95", FileForm::Pickle),
        (b"\x80\x04\x95", FileForm::Pickle),
        (b"\x80\x03", FileForm::Pickle),
        (b"\x80\x02", FileForm::Pickle),
    ];
    if let Some((_, form)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(match form {
            FileForm::Zip => in_zip(bytes),
            // The older forms of Office's files name their parts in UTF-16.
            FileForm::Xls if holds_name(bytes, b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0") => FileForm::Doc,
            form => *form,
        });
    }
    let start = bytes.trim_ascii_start();
    let html: [&[u8]; 7] = [b"<!doctype html", b"<html", b"<head", b"<body", b"<table", b"<!--", b"<?xml"];
    html.iter().any(|tag| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag))).then_some(FileForm::Html)
}

/// What a zip archive is by the names of its parts: the list of them is at its end, a declared type at its beginning.
fn in_zip(bytes: &[u8]) -> FileForm {
    let start = &bytes[..bytes.len().min(200)];
    let end = &bytes[bytes.len().saturating_sub(1 << 16)..];
    if holds_name(start, b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet") {
        FileForm::Ods
    } else if holds_name(start, b"mimetypeapplication/vnd.oasis.opendocument.text") {
        FileForm::Odt
    } else if holds_name(end, b"word/document.xml") {
        FileForm::Docx
    } else {
        FileForm::Zip
    }
}

fn holds_name(bytes: &[u8], name: &[u8]) -> bool {
    bytes.windows(name.len()).any(|some| some == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_kinds_are_detected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let cases: [(&str, SourceKind, Option<&str>); 14] = [
            ("text,label\na,x\n", SourceKind::Csv, Some(LABELS)),
            ("\"good\" -> x\n\"bad\" -> y\n", SourceKind::Text, Some(LABELS)),
            ("User: a\nAssistant: b\n", SourceKind::Text, Some(LABELS)),
            ("{\"text\": \"a\"}\n", SourceKind::Jsonl, Some(LABELS)),
            ("[\n  {\n    \"text\": \"a\"\n  }\n]", SourceKind::Jsonl, Some(LABELS)),
            ("{\"messages\": []}", SourceKind::Jsonl, Some("chat")),
            ("{\"instruction\": \"a\"}", SourceKind::Jsonl, Some("instruction")),
            ("[{\"ts\": \"1.0\", \"user\": \"U1\", \"text\": \"a\"}]", SourceKind::Slack, None),
            ("{\"ok\": true, \"messages\": [{\"ts\": \"1.0\"}]}", SourceKind::Slack, None),
            ("// exported\n{\"text\": \"a\"}\n", SourceKind::Jsonl, Some(LABELS)),
            ("{“text”: “a”, “label”: “x”}\n", SourceKind::Jsonl, Some(LABELS)),
            ("[]", SourceKind::Jsonl, Some(LABELS)),
            ("{\"contents\": []}", SourceKind::Jsonl, Some("chat")),
            ("SQLite format 3\0 create table ask_ai_queries", SourceKind::AskAi, None),
        ];
        for (text, kind, task) in cases {
            fs::write(&path, text).unwrap();
            assert_eq!(find_out(&path).unwrap(), Found { kind, task }, "{text}");
        }
        fs::write(&path, "<table><tr><td>a</td></tr></table>").unwrap();
        assert!(matches!(find_out(&path), Err(Error::OtherForm { found: FileForm::Html, .. })));
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).unwrap());
        zip.start_file("data.csv", zip::write::SimpleFileOptions::default()).unwrap();
        zip.finish().unwrap();
        let error = find_out(&path).unwrap_err();
        assert!(error.hint().unwrap().contains("unpack"), "a table in an archive is no Slack export: {error}");
        assert_eq!(find_out(dir.path()).unwrap().kind, SourceKind::Slack);
        fs::write(dir.path().join("a.csv"), "text,label\na,x\n").unwrap();
        assert!(matches!(find_out(dir.path()), Err(Error::OtherForm { found: FileForm::Folder, .. })));
        assert!(matches!(find_out(&dir.path().join("none")), Err(Error::Missing(_))));
    }

    #[test]
    fn forms_without_importer_are_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let zip = |parts: &[(&str, &str)]| {
            let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
            for (name, text) in parts {
                zip.start_file(*name, stored).unwrap();
                std::io::Write::write_all(&mut zip, text.as_bytes()).unwrap();
            }
            zip.finish().unwrap().into_inner()
        };
        let older = |part: &str| {
            let part = part.encode_utf16().flat_map(u16::to_le_bytes);
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".iter().copied().chain(vec![0; 100]).chain(part).collect::<Vec<u8>>()
        };
        let opened = "application/vnd.oasis.opendocument.spreadsheet";
        let cases: [(Vec<u8>, FileForm, &str); 9] = [
            (b"PAR1".to_vec(), FileForm::Parquet, "pandas"),
            (
                zip(&[("[Content_Types].xml", "<Types/>"), ("word/document.xml", "<w/>")]),
                FileForm::Docx,
                ".xlsx or .csv",
            ),
            (zip(&[("mimetype", opened), ("content.xml", "<x/>")]), FileForm::Ods, ".xlsx"),
            (older("WordDocument"), FileForm::Doc, ".xlsx or .csv"),
            (older("Workbook"), FileForm::Xls, ".xlsx"),
            (b"\x80\x02}q\x00".to_vec(), FileForm::Pickle, "from Python"),
            (b"\x80\x05\x95\x10\0\0\0\0\0\0\0".to_vec(), FileForm::Pickle, "from Python"),
            (b"- text: >\n    nice\n    soup\n  label: good\n".to_vec(), FileForm::Yaml, "yaml.safe_load"),
            (b"# mine\n---\nrows:\n  - text: nice\n    label: good\n".to_vec(), FileForm::Yaml, "yaml.safe_load"),
        ];
        for (bytes, form, hint) in cases {
            let path = dir.path().join("x");
            fs::write(&path, &bytes).unwrap();
            let error = find_out(&path).unwrap_err();
            assert!(matches!(error, Error::OtherForm { found, .. } if found == form), "{error}");
            assert!(error.hint().unwrap().contains(hint), "{error}");
        }
        for text in
            ["- User: hi\n- Assistant: hello\n", "- one\n- two: three\n", "Task: a\nInput: b\nExpected: c\n", "a: b\n"]
        {
            assert!(!is_yaml(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_file_gets_a_kind(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..100)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("x");
            fs::write(&path, bytes).unwrap();
            let _ = find_out(&path);
        }
    }
}
