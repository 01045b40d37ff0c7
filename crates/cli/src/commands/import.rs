use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};
use graft_engine::{Columns, Drafts, Engine, Error, Imported};

use crate::{failure::Result, output::Reply};

/// Maximum size in bytes of a text that is read into memory.
const MAX_TEXT: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// Import a Slack export (folder, zip, one day's .json, or .xlsx) as examples of slack-rescue.
    Slack {
        /// Folder, .zip, one day's .json, or .xlsx.
        path: PathBuf,
        /// File of {"ts": …, "truth": {…}} lines; messages with a label are imported as approved.
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        /// Join consecutive messages of one user that are at most 30 minutes apart.
        #[arg(long)]
        group: bool,
        /// Task of the examples; only slack-rescue is possible.
        #[arg(long, value_parser = ["slack-rescue"], default_value = "slack-rescue")]
        task: String,
    },
    /// Import the Ask AI service's database as examples of ask-ai.
    AskAi {
        /// Path of the SQLite file, or a postgres:// URL. The database is opened read-only.
        source: String,
        /// Import at most this many, newest first.
        #[arg(long, default_value_t = 2000, value_name = "N")]
        max_samples: usize,
        /// How to import suggestions that are neither approved nor rejected.
        #[arg(long, value_enum, default_value = "approve")]
        drafts: DraftsName,
        /// The same as `--drafts skip`.
        #[arg(long, conflicts_with = "drafts")]
        approved_only: bool,
        /// Task of the examples; only ask-ai is possible.
        #[arg(long, value_parser = ["ask-ai"], default_value = "ask-ai")]
        task: String,
    },
    /// Import a table of texts and labels.
    Csv {
        /// File separated by commas, tabs, semicolons or vertical bars.
        path: PathBuf,
        /// Task of the examples.
        #[arg(long, default_value = "text-classification")]
        task: String,
        /// Heading or number of the text column.
        #[arg(long, value_name = "COLUMN")]
        text: Option<String>,
        /// Heading or number of the label column.
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
        /// Heading or number of a column with a unique, permanent key.
        #[arg(long, value_name = "COLUMN")]
        id: Option<String>,
        /// Whether the first row is a heading [default: detected; refused if it is not clear].
        #[arg(long, value_enum)]
        heading: Option<YesNo>,
    },
    /// Import JSON lines of inputs and outputs, or of chat messages.
    Jsonl {
        /// File with one JSON object per line.
        path: PathBuf,
        /// Task of the examples.
        #[arg(long, default_value = "text-classification")]
        task: String,
    },
    /// Import text: `"text" -> label` lines, Task/Input/Expected blocks, or dialogue turns.
    Text {
        /// Text file, or `-` for stdin.
        path: PathBuf,
        /// Task of the examples.
        #[arg(long, default_value = "text-classification")]
        task: String,
    },
}

/// How to import drafts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DraftsName {
    /// As approved examples.
    Approve,
    /// As pending examples, to be audited.
    Pending,
    /// Skip them.
    Skip,
}

impl DraftsName {
    fn of(self, approved_only: bool) -> Drafts {
        match self {
            Self::Skip => Drafts::Skip,
            _ if approved_only => Drafts::Skip,
            Self::Approve => Drafts::Approve,
            Self::Pending => Drafts::Pending,
        }
    }
}

/// Yes or no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

pub(crate) async fn run(engine: &Engine, command: Import) -> Result<Reply> {
    let read = match command {
        Import::Slack { path, labels, group, task: _ } => {
            engine.examples().read_slack(&path, labels.as_deref(), group)?
        }
        Import::AskAi { source, max_samples, drafts, approved_only, task: _ } => {
            engine.examples().read_ask_ai(&source, max_samples, drafts.of(approved_only)).await?
        }
        Import::Csv { path, task, text, label, id, heading } => {
            let heading = heading.map(|said| said == YesNo::Yes);
            engine.examples().read_csv(&path, &task, &Columns { text, label, id, heading })?
        }
        Import::Jsonl { path, task } => engine.examples().read_jsonl(&path, &task)?,
        Import::Text { path, task } => engine.examples().read_text(&text(&path)?, &path.to_string_lossy(), &task)?,
    };
    let imported = engine.examples().take_in(read, &mut |_| {}).await?;
    Ok(Reply::new(&imported, summary(&imported)))
}

fn text(path: &Path) -> Result<String> {
    let failed = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    if path == Path::new("-") {
        let mut text = String::new();
        io::stdin().take(MAX_TEXT).read_to_string(&mut text).map_err(failed)?;
        return Ok(text);
    }
    let size = fs::metadata(path).map_err(|_| graft_tasks::Error::Missing(path.to_owned()))?.len();
    if size > MAX_TEXT {
        return Err(graft_tasks::Error::TooLarge { place: path.display().to_string(), limit: MAX_TEXT >> 20 }.into());
    }
    Ok(fs::read_to_string(path).map_err(|source| graft_tasks::Error::Read { path: path.to_owned(), source })?)
}

/// The result of an import as text.
pub(crate) fn summary(imported: &Imported) -> String {
    let report = &imported.report;
    let mut text = format!(
        "{} examples of {} read, {} with an answer: {} added, {} updated, {} unchanged",
        imported.examples, imported.task, imported.labelled, report.added, report.updated, report.unchanged
    );
    if report.kept > 0 {
        text += &format!(", {} kept as people left them", report.kept);
    }
    text += "\n";
    for note in &imported.notes {
        text += &format!("{note}\n");
    }
    for skipped in &imported.skipped {
        text += &format!("skipped {} × {} (first: {})\n", skipped.count, skipped.kind, skipped.first_where);
    }
    for problem in &imported.problems {
        text += &format!("  {}: {}\n", problem.at, problem.reason);
    }
    if imported.pending > 0 {
        text += &format!(
            "{} wait for people to decide: `graft examples list --task {} --state pending`\n",
            imported.pending, imported.task
        );
    }
    text
}
