use std::{io, path::PathBuf};

use graft_core::ExitCode;

use crate::sniff::FileForm;

/// What can go wrong between a source and its examples, or between answers and their scores.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // Tasks
    /// No task has this name.
    #[error("find the task `{name}`")]
    UnknownTask {
        /// What was asked for.
        name: String,
        /// The tasks there are.
        known: Vec<String>,
    },
    /// A label task needs something to choose from.
    #[error("set up the task `{task}` with {count} label(s)")]
    FewLabels {
        /// The task's name.
        task: String,
        /// How many distinct labels were given.
        count: usize,
    },
    /// A definition of a task that can't be used.
    #[error("use the task `{task}`: `{field}`: {reason}")]
    BadTask {
        /// The task's name.
        task: String,
        /// The field that is wrong.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A task's file that is not in TOML or has other fields.
    #[error("read the definition of a task")]
    TaskFile(#[source] Box<toml::de::Error>),
    /// The same in JSON.
    #[error("read the definition of a task")]
    TaskJson(#[source] serde_json::Error),

    /// No template has this name.
    #[error("find the template `{name}`")]
    UnknownTemplate {
        /// What was asked for.
        name: String,
        /// The templates there are.
        known: Vec<String>,
    },
    /// A template that can't be used, or a variable of it.
    #[error("use the template `{template}`: `{field}`: {reason}")]
    BadTemplate {
        /// The template's name.
        template: String,
        /// The field or variable that is wrong.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A template's file that is not in TOML or has other fields.
    #[error("read the template")]
    TemplateFile(#[source] Box<toml::de::Error>),
    /// The same in JSON.
    #[error("read the template")]
    TemplateJson(#[source] serde_json::Error),

    // Files
    /// A file or folder can't be read.
    #[error("read `{path}`")]
    Read {
        /// What was being read.
        path: PathBuf,
        /// Why it can't be.
        #[source]
        source: io::Error,
    },
    /// There is no such file or folder.
    #[error("find `{0}`")]
    Missing(PathBuf),
    /// A file is larger, or unpacks to more, than an honest one would.
    #[error("read `{place}`: it has more than {limit} MiB")]
    TooLarge {
        /// The file, or the entry of an archive.
        place: String,
        /// In MiB.
        limit: u64,
    },
    /// A source was read to its end without one example.
    #[error("find an example in `{source_name}` ({skipped}){}", list(reasons))]
    Nothing {
        /// The file, folder or database.
        source_name: String,
        /// What was skipped, counted by kind.
        skipped: String,
        /// What is wrong with the first rows, and what was decided about the source.
        reasons: Vec<String>,
    },
    /// A file has another form than the one it was taken for.
    #[error("read `{path}` as text: it is {found}")]
    OtherForm {
        /// The file.
        path: PathBuf,
        /// What it is.
        found: FileForm,
    },
    /// A file's encoding can't be read.
    #[error("read `{path}`: {reason}")]
    Encoding {
        /// The file.
        path: PathBuf,
        /// Which it is.
        reason: &'static str,
    },

    // Slack
    /// Neither a Slack export's folder nor its archive.
    #[error("find `<channel>/YYYY-MM-DD.json` in `{0}`")]
    NotAnExport(PathBuf),
    /// An export has no conversation of this name.
    #[error("find the channel `{channel}` in `{path}` (it has {has})")]
    NoChannel {
        /// As it was asked for.
        channel: String,
        /// The export.
        path: PathBuf,
        /// The conversations there are.
        has: String,
    },
    /// A damaged archive.
    #[error("read the archive `{path}`")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// Why.
        #[source]
        source: zip::result::ZipError,
    },
    /// An archive entry that no export holds.
    #[error("trust the archive `{path}`: its entry `{entry}` {reason}")]
    UnsafeEntry {
        /// The archive.
        path: PathBuf,
        /// The entry's name.
        entry: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A damaged spreadsheet.
    #[error("read the spreadsheet `{path}`")]
    Sheet {
        /// The spreadsheet.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<calamine::XlsxError>,
    },
    /// A labels file's line is no label.
    #[error("read line {line} of `{path}`: {reason}")]
    BadLabel {
        /// The labels file.
        path: PathBuf,
        /// Counts from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },

    // Tables
    /// A table lacks a column.
    #[error("find the column `{column}` in `{place}` (it has {has})")]
    NoColumn {
        /// The wanted column, or the accepted names.
        column: String,
        /// The file or table.
        place: String,
        /// The columns there are.
        has: String,
    },
    /// Two columns have the name that was asked for.
    #[error("select the column `{column}` of `{place}`: several have this name")]
    TwoColumns {
        /// The name.
        column: String,
        /// The file.
        place: String,
    },
    /// Whether a table's first row names its columns can't be told.
    #[error("decide whether the first row of `{path}` (`{row}`) is a heading or an example")]
    WhichHeading {
        /// The file.
        path: PathBuf,
        /// The row.
        row: String,
    },
    /// Which columns hold texts and answers can't be told.
    #[error("decide which columns of `{path}` contain the texts and the answers (line {line}: {columns})")]
    WhichColumns {
        /// The file.
        path: PathBuf,
        /// The line of the first row.
        line: usize,
        /// The first row's cells.
        columns: String,
    },
    /// A file in CSV form can't be read.
    #[error("read `{path}` as CSV")]
    Csv {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// The text has none of the accepted forms.
    #[error("recognise the form of the text")]
    UnknownForm,
    /// The weights' file is wrong.
    #[error("read the tables of pounds")]
    Tables(#[source] Box<toml::de::Error>),
    /// A weight that is no weight.
    #[error("use {value} pounds for `{unit}`")]
    BadWeight {
        /// The unit, with its item or class.
        unit: String,
        /// What was given.
        value: f64,
    },

    // Ask AI database
    /// The file is not an SQLite database, or a damaged one.
    #[error("open `{path}` as an SQLite database")]
    NotADatabase {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// Someone else holds the database's lock.
    #[error("read `{path}`: another program has locked it")]
    Locked {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The database has no Ask AI questions.
    #[error("find the table `ask_ai_queries` in `{0}`")]
    NoTable(String),
    /// The table is there, without rows.
    #[error("find a row in the table `ask_ai_queries` of `{0}`")]
    EmptyTable(String),
    /// The database server can't be reached or refuses the login.
    #[error("connect to the Postgres database")]
    Connect(#[source] sqlx::Error),
    /// A query failed.
    #[error("query `{database}`")]
    Query {
        /// The database, without credentials.
        database: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },

    // Scores
    /// Two scores of different examples.
    #[error("compare scores of different held-out examples")]
    Unpaired,
}

impl Error {
    pub(crate) fn bad_task(task: &str, field: &str, reason: impl Into<String>) -> Self {
        Self::BadTask { task: task.to_owned(), field: field.to_owned(), reason: reason.into() }
    }

    pub(crate) fn bad_template(template: &str, field: &str, reason: impl Into<String>) -> Self {
        Self::BadTemplate { template: template.to_owned(), field: field.to_owned(), reason: reason.into() }
    }

    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::UnknownTask { known, .. } => format!("the tasks are {}", known.join(", ")),
            Self::FewLabels { .. } => "import examples with at least two different labels first".into(),
            Self::BadTask { field, .. } => format!("correct the field `{field}` of the definition"),
            Self::TaskFile(_) | Self::TaskJson(_) => "`graft tasks show NAME --toml` prints one as an example".into(),
            Self::UnknownTemplate { known, .. } => format!("the templates are {}", known.join(", ")),
            Self::BadTemplate { field, .. } => format!("correct `{field}`"),
            Self::TemplateFile(_) | Self::TemplateJson(_) => {
                "a template has a title, an instruction, a form, guidelines, examples and variables".into()
            }
            Self::Missing(_) => "check the path".into(),
            Self::Nothing { reasons, .. } if !reasons.is_empty() => "correct the problem, then import the file again".into(),
            Self::OtherForm { found, .. } => found.hint().into(),
            Self::WhichColumns { .. } => {
                "name them by heading or number: `--text COLUMN --label COLUMN`; without an answer column, `--text` alone"
                    .into()
            }
            Self::Nothing { .. } | Self::EmptyTable(_) => "check that it is the right source and has data".into(),
            Self::TooLarge { .. } => "export a shorter time span, or split the file".into(),
            Self::NotAnExport(_) => {
                "give the JSON export's folder or zip, one channel's folder, one day's .json, Slackdump's export or \
                 database, or an .xlsx with the columns Timestamp, User and Message"
                    .into()
            }
            Self::NoChannel { .. } => "name a channel as the export's folders do".into(),
            Self::UnsafeEntry { .. } => "an archive from Slack has no such entry; export it again".into(),
            Self::BadLabel { .. } => {
                "each line is {\"ts\": \"<the message's ts>\", \"truth\": {<the task's fields>}}".into()
            }
            Self::WhichHeading { .. } => "add `--heading yes` or `--heading no`, or name the columns".into(),
            Self::NoColumn { .. } => "name the column to read".into(),
            Self::TwoColumns { .. } => "give its number, counted from 1".into(),
            Self::UnknownForm => {
                "write lines of `\"text\" -> label`, blocks of Task:, Input:, Expected:, or turns of User:, Assistant:"
                    .into()
            }
            Self::BadWeight { .. } => "a weight must be a number from 0 to 10000".into(),
            Self::NotADatabase { .. } => "give the path of the service's .db file".into(),
            Self::Locked { .. } => "wait until the other program is done, or read a copy of the file".into(),
            Self::NoTable(_) => "the Ask AI service creates it; check that this is its database".into(),
            Self::Connect(_) => "check the URL, the password and that the server is running".into(),
            Self::Unpaired => "evaluate both versions on the same dataset".into(),
            Self::Read { .. }
            | Self::Encoding { .. }
            | Self::Archive { .. }
            | Self::Sheet { .. }
            | Self::Csv { .. }
            | Self::Tables(_)
            | Self::Query { .. } => return None,
        })
    }

    /// The exit code a command ends with.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::UnknownTask { .. }
            | Self::BadTask { .. }
            | Self::UnknownTemplate { .. }
            | Self::BadTemplate { .. }
            | Self::TaskFile(_)
            | Self::TaskJson(_)
            | Self::TemplateFile(_)
            | Self::TemplateJson(_)
            | Self::BadWeight { .. }
            | Self::Tables(_)
            | Self::Unpaired => ExitCode::Usage,
            Self::Connect(_) => ExitCode::Network,
            _ => ExitCode::BadData,
        }
    }
}

/// Reasons behind a message.
fn list(reasons: &[String]) -> String {
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}
