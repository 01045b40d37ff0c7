use std::{
    fs, io,
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::{Subcommand, ValueEnum};
use graft_engine::{Columns, Drafts, Engine, Error, Imported};

use crate::{failure::Result, output::Reply};

/// Longest text that is read whole, in bytes.
const MAX_TEXT: u64 = 64 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// A Slack export (folder, zip, one day of it, or xlsx), as examples of slack-rescue.
    Slack {
        /// Folder, zip, one day's .json, or xlsx.
        path: PathBuf,
        /// Lines of {"ts": …, "truth": {…}}; messages with a label are approved.
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        /// Read consecutive messages of one user, at most 30 minutes apart, as one.
        #[arg(long)]
        group: bool,
        /// Only slack-rescue is read from Slack.
        #[arg(long, value_parser = ["slack-rescue"], default_value = "slack-rescue")]
        task: String,
    },
    /// The Ask AI service's database, as examples of ask-ai.
    AskAi {
        /// Path of the SQLite file, or a postgres:// URL.
        source: String,
        /// At most this many, the newest.
        #[arg(long, default_value_t = 2000, value_name = "N")]
        max_samples: usize,
        /// What becomes of suggestions that are neither approved nor rejected.
        #[arg(long, value_enum, default_value = "approve")]
        drafts: DraftsName,
        /// The same as `--drafts skip`.
        #[arg(long, conflicts_with = "drafts")]
        approved_only: bool,
        /// Only ask-ai is read from this database.
        #[arg(long, value_parser = ["ask-ai"], default_value = "ask-ai")]
        task: String,
    },
    /// A table of texts and labels.
    Csv {
        /// CSV, or separated by tabs, semicolons or bars.
        path: PathBuf,
        /// The task they belong to.
        #[arg(long, default_value = "text-classification")]
        task: String,
        /// Heading or number of the column with the text.
        #[arg(long, value_name = "COLUMN")]
        text: Option<String>,
        /// Heading or number of the column with the answer.
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
        /// Heading or number of the column with a lasting key.
        #[arg(long, value_name = "COLUMN")]
        id: Option<String>,
        /// Whether the first row names the columns; found out otherwise, where that can be told.
        #[arg(long, value_enum)]
        heading: Option<YesNo>,
    },
    /// JSON lines of inputs and outputs, or of chat messages.
    Jsonl {
        /// One JSON object a line.
        path: PathBuf,
        /// The task they belong to.
        #[arg(long, default_value = "text-classification")]
        task: String,
    },
    /// Pasted text: `"text" -> label` lines, Task/Input/Expected blocks, or dialogue turns.
    Text {
        /// A file, or `-` for stdin.
        path: PathBuf,
        /// The task they belong to.
        #[arg(long, default_value = "text-classification")]
        task: String,
    },
}

/// What becomes of drafts.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DraftsName {
    /// They become approved examples.
    Approve,
    /// They become pending examples, to be audited.
    Pending,
    /// They are left out.
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

/// An answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum YesNo {
    /// It does.
    Yes,
    /// It doesn't.
    No,
}

pub(crate) async fn run(engine: &Engine, command: Import) -> Result<Reply> {
    let read = match command {
        Import::Slack { path, labels, group, task: _ } => engine.read_slack(&path, labels.as_deref(), group)?,
        Import::AskAi { source, max_samples, drafts, approved_only, task: _ } => {
            engine.read_ask_ai(&source, max_samples, drafts.of(approved_only)).await?
        }
        Import::Csv { path, task, text, label, id, heading } => {
            let heading = heading.map(|said| said == YesNo::Yes);
            engine.read_csv(&path, &task, &Columns { text, label, id, heading })?
        }
        Import::Jsonl { path, task } => engine.read_jsonl(&path, &task)?,
        Import::Text { path, task } => engine.read_text(&text(&path)?, &path.to_string_lossy(), &task)?,
    };
    let imported = engine.take_in(read, &mut |_| {}).await?;
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

/// What an import did, for people.
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
