use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use graft_engine::{
    Choice, Columns, Drafts, Engine, Imported, Integration, Kept, ReadImport, Source, SourceKind, find_out,
};

use super::examples;
use crate::{
    failure::{Failure, Result},
    output::Reply,
    progress::Counter,
};

/// Characters of a text and of an answer that a preview shows.
const SHOWN: usize = 70;

#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct Import {
    /// File or folder, or `-` for stdin; its kind is detected. The commands below read one kind each and have more options.
    path: Option<PathBuf>,
    /// Task of the examples; detected by default.
    #[arg(long)]
    task: Option<String>,
    /// Show the first examples and what would be left out; store nothing.
    #[arg(long, global = true)]
    preview: bool,
    /// Approve rows with an answer even where the importer doubts that it read them right.
    #[arg(long, global = true)]
    approve_doubtful: bool,
    /// Import labels even if they are all others than those of the task's approved examples.
    #[arg(long, global = true)]
    mix_labels: bool,
    #[command(subcommand)]
    kind: Option<Kind>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Kind {
    /// Import a Slack export (folder, zip, one day's .json, or .xlsx).
    Slack {
        /// Folder, .zip, one channel's folder, one day's .json, .xlsx, or Slackdump's export or database.
        path: PathBuf,
        /// File of {"ts": …, "truth": {…}} lines; messages with a label are imported as approved.
        #[arg(long, value_name = "FILE")]
        labels: Option<PathBuf>,
        /// Join consecutive messages of one user that are at most 30 minutes apart.
        #[arg(long)]
        group: bool,
        /// Import only this channel, by name or id; may be repeated. Direct messages are imported only if named here or
        /// with `--direct`.
        #[arg(long = "channel", value_name = "NAME")]
        channels: Vec<String>,
        /// Import direct messages as well.
        #[arg(long)]
        direct: bool,
        /// Task of the examples [default: the one that belongs to Slack].
        #[arg(long, default_value = "", hide_default_value = true)]
        task: String,
    },
    /// Import the Ask AI service's database.
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
        /// Task of the examples [default: the one that belongs to Ask AI].
        #[arg(long, default_value = "", hide_default_value = true)]
        task: String,
    },
    /// Import a table of texts and labels.
    Csv {
        /// File separated by commas, tabs, semicolons or vertical bars, or an .xlsx.
        path: PathBuf,
        /// Task of the examples.
        #[arg(long, default_value = "text-classification")]
        task: String,
        /// Heading or number of the label column.
        #[arg(long, value_name = "COLUMN")]
        label: Option<String>,
        #[command(flatten)]
        table: TableColumns,
    },
    /// Import JSON objects of inputs and outputs, or of chat messages.
    Jsonl {
        /// File of JSON objects: one per line, a list, or pretty-printed.
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

/// Where the texts of a table are.
#[derive(Debug, Args)]
#[command(next_help_heading = "Tables")]
pub(crate) struct TableColumns {
    /// Heading or number of the text column.
    #[arg(long, value_name = "COLUMN")]
    text: Option<String>,
    /// Heading or number of a column with a unique, permanent key.
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// Whether the first row is a heading [default: detected; refused if it is not clear].
    #[arg(long, value_enum)]
    heading: Option<YesNo>,
}

impl TableColumns {
    pub(crate) fn with_label(self, label: Option<String>) -> Columns {
        let Self { text, id, heading } = self;
        Columns { text, label, id, heading: heading.map(|said| said == YesNo::Yes) }
    }
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
    let Import { path, task, preview, approve_doubtful, mix_labels, kind } = command;
    let mut import = match (kind, path) {
        (Some(kind), None) if task.is_none() => kind.read(engine, approve_doubtful).await?,
        (None, Some(path)) => detected(engine, &path, task, approve_doubtful).await?,
        _ => {
            let hint = "either name a file alone, or give the task after the kind: `graft import csv FILE --task TASK`";
            return Err(Failure::usage("read a kind and a file at once", hint));
        }
    };
    engine.examples().check_labels(&mut import, mix_labels || preview).await?;
    if preview {
        let imported = Imported::preview(import);
        return Ok(Reply::new(&imported, shown(&imported)));
    }
    let of = import.examples.len();
    let mut counter = Counter::new("examples", of);
    let imported = engine.examples().take_in(import, &mut |done| counter.set(done, of)).await?;
    drop(counter);
    Ok(Reply::new(&imported, summary(&imported)))
}

impl Kind {
    async fn read(self, engine: &Engine, doubtful: bool) -> Result<ReadImport> {
        let (path, source, task) = match self {
            Self::Slack { path, labels, group, channels, direct, task } => {
                (path, Source::Slack { labels, group, choice: Choice { channels, direct } }, task)
            }
            Self::AskAi { source, max_samples, drafts, approved_only, task } => {
                (source.into(), Source::AskAi { max_samples, drafts: drafts.of(approved_only) }, task)
            }
            Self::Csv { path, task, label, table } => (path, Source::Csv(table.with_label(label)), task),
            Self::Jsonl { path, task } => (path, Source::Jsonl, task),
            Self::Text { path, task } => (path, Source::Text, task),
        };
        let kept = Kept::new(&path)?;
        let read = engine.examples().read(kept.path(), &source, &task, doubtful).await;
        read.map_err(|error| Failure::from(error).renamed(kept.path(), &path))
    }
}

/// Reads a file of any kind.
async fn detected(engine: &Engine, path: &Path, task: Option<String>, doubtful: bool) -> Result<ReadImport> {
    let kept = Kept::new(path)?;
    let by_own_name = |failure: Failure| failure.renamed(kept.path(), path);
    let found = find_out(kept.path()).map_err(|error| by_own_name(error.into()))?;
    let (name, source) = match found.kind {
        SourceKind::Slack => ("slack", Source::Slack { labels: None, group: false, choice: Choice::default() }),
        SourceKind::AskAi => ("ask-ai", Source::AskAi { max_samples: 2000, drafts: Drafts::Approve }),
        SourceKind::Csv => ("csv", Source::Csv(Columns::default())),
        SourceKind::Jsonl => ("jsonl", Source::Jsonl),
        SourceKind::Text => ("text", Source::Text),
    };
    let task = match (task, found.kind) {
        (Some(task), _) => task,
        (None, SourceKind::Slack) => engine.tasks().with(Integration::Slack).await?.name,
        (None, SourceKind::AskAi) => engine.tasks().with(Integration::AskAi).await?.name,
        (None, _) => found.task.unwrap_or_default().to_owned(),
    };
    let read = engine.examples().read(kept.path(), &source, &task, doubtful).await;
    let mut import = read.map_err(|error| by_own_name(error.into()))?;
    import.notes.insert(0, format!("Detected: the same as `graft import {name} {} --task {task}`.", path.display()));
    Ok(import)
}

/// A preview as text.
fn shown(imported: &Imported) -> String {
    let brief = |text: &str| {
        let line = text.replace('\n', "⏎");
        let short: String = line.chars().take(SHOWN).collect();
        if short.len() < line.len() { short + "…" } else { short }
    };
    let mut text = format!(
        "{} examples of {} would be imported, {} with an answer, {} as pending; the first are:\n",
        imported.examples, imported.task, imported.labelled, imported.pending
    );
    for row in &imported.preview {
        let output = row.output.as_ref().map_or_else(|| "(no answer)".to_owned(), |out| brief(&examples::answer(out)));
        text += &format!("  {} {}: {} -> {output}\n", row.at, row.review, brief(&row.input));
    }
    text + &left_out(imported) + "Nothing was stored; leave out `--preview` to import.\n"
}

/// The result of an import as text.
pub(crate) fn summary(imported: &Imported) -> String {
    let report = &imported.report;
    let mut text = format!(
        "{} examples of {} read, {} with an answer: {} added, {} updated, {} unchanged",
        imported.examples, imported.task, imported.labelled, report.added, report.updated, report.unchanged
    );
    if report.kept > 0 {
        text += &format!(", {} kept as people decided", report.kept);
    }
    text += "\n";
    text += &left_out(imported);
    if imported.pending > 0 {
        text += &format!(
            "{} are pending: `graft examples list --task {} --state pending`\n",
            imported.pending, imported.task
        );
    }
    text
}

/// What was decided, and what is left out.
fn left_out(imported: &Imported) -> String {
    let mut text = String::new();
    for note in &imported.notes {
        text += &format!("{note}\n");
    }
    for skipped in &imported.skipped {
        text += &format!("skipped {} × {} (first: {})\n", skipped.count, skipped.kind, skipped.first_where);
    }
    for problem in &imported.problems {
        text += &format!("  {}: {}\n", problem.at, problem.reason);
    }
    text
}
