//! What a file is, by its first bytes.

use std::fmt;

/// A form of file that no text importer reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileForm {
    /// A folder.
    Folder,
    /// Excel's newer form, or another document that is a zip archive.
    Zip,
    /// Excel's older form.
    Xls,
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
    /// JSON, where a table or plain text is wanted.
    Json,
}

impl fmt::Display for FileForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Folder => "a folder",
            Self::Zip => "a zip archive (perhaps an .xlsx, .docx or a Slack export)",
            Self::Xls => "an Excel file of the older form (.xls)",
            Self::Parquet => "a Parquet file",
            Self::Arrow => "an Arrow file",
            Self::Sqlite => "an SQLite database",
            Self::Pdf => "a PDF",
            Self::Html => "an HTML page",
            Self::Rtf => "an RTF document",
            Self::Compressed => "a compressed file",
            Self::Picture => "a picture",
            Self::Pickle => "a file of Python objects (pickle or NumPy)",
            Self::Json => "JSON",
        })
    }
}

impl FileForm {
    /// What to do with it.
    pub(crate) fn hint(self) -> &'static str {
        match self {
            Self::Folder => "name a file in it; a Slack export's folder goes to `graft import slack`",
            Self::Zip => "`graft import FILE` finds out what it is and reads Slack exports and .xlsx tables",
            Self::Xls => "save it as .xlsx or as CSV in UTF-8",
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
    let known: [(&[u8], FileForm); 19] = [
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
        (b"\x80\x04\x95", FileForm::Pickle),
    ];
    if let Some((_, form)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(*form);
    }
    let start = bytes.trim_ascii_start();
    let html: [&[u8]; 3] = [b"<!doctype html", b"<html", b"<?xml"];
    html.iter().any(|tag| start.get(..tag.len()).is_some_and(|s| s.eq_ignore_ascii_case(tag))).then_some(FileForm::Html)
}
