use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use graft_core::Review;
use graft_store::ImportReport;
use graft_tasks::{
    Approval, Import,
    ask_ai::{self, Drafts},
    cards::{Form, Integration, Task},
    slack::{self, Choice},
    tabular,
};
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;
use utoipa::ToSchema;

use super::Examples;
use crate::{Error, Result, now};

/// What an import read, and what it changed.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// The task it belongs to.
    pub task: String,
    /// Examples read.
    pub examples: usize,
    /// Examples that came with an output.
    pub labelled: usize,
    /// Examples that people must decide on.
    pub pending: usize,
    /// What they changed in the store.
    #[serde(flatten)]
    pub report: ImportReport,
    /// What gave no example, by kind.
    pub skipped: Vec<graft_tasks::Skipped>,
    /// The first rows that should have been examples but could not be.
    pub problems: Vec<graft_tasks::Problem>,
    /// What the importer decided by itself.
    pub notes: Vec<String>,
    /// The first examples, where nothing was stored but all was shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub preview: Vec<PreviewRow>,
}

/// An example as an import would make it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PreviewRow {
    /// Where it stands in the source.
    pub at: String,
    /// The text.
    pub input: String,
    /// The answer, if there is one.
    pub output: Option<Value>,
    /// `approved`, or `pending`: people must decide.
    pub review: &'static str,
}

/// A kind of source, and how it is read.
#[derive(Clone, Debug)]
pub enum Source {
    /// A Slack export; messages with a label are approved.
    Slack {
        /// File of labels.
        labels: Option<PathBuf>,
        /// Whether consecutive messages of a user are read as one.
        group: bool,
        /// Which conversations are read.
        choice: Choice,
    },
    /// An Ask AI database: a path, or a Postgres URL.
    AskAi {
        /// At most this many, the newest.
        max_samples: usize,
        /// What becomes of undecided suggestions.
        drafts: Drafts,
    },
    /// A table.
    Csv(tabular::Columns),
    /// JSON objects.
    Jsonl,
    /// Text in one of the forms that people paste.
    Text,
}

/// A source that can be read more than once: what comes through a pipe is kept in a file.
#[derive(Debug)]
pub struct Kept {
    path: PathBuf,
    _folder: Option<TempDir>,
}

impl Kept {
    /// Keeps a source if it can be read only once: `-` is standard input.
    ///
    /// # Errors
    /// It can't be read, or not be kept.
    pub fn new(path: &Path) -> Result<Self> {
        let is_stdin = path == Path::new("-");
        let is_pipe = || path.metadata().is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
        if !is_stdin && !is_pipe() {
            return Ok(Self { path: path.to_owned(), _folder: None });
        }
        let reading = |source| Error::Io { doing: "read", path: path.to_owned(), source };
        let folder = tempfile::tempdir().map_err(reading)?;
        let kept = folder.path().join("input");
        let mut file = File::create(&kept).map_err(reading)?;
        let input: &mut dyn io::Read =
            if is_stdin { &mut io::stdin() } else { &mut File::open(path).map_err(reading)? };
        io::copy(&mut input.take(MAX_INPUT), &mut file).map_err(reading)?;
        Ok(Self { path: kept, _folder: Some(folder) })
    }

    /// Where it can be read.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Most bytes that are kept of a pipe; importers refuse as many.
const MAX_INPUT: u64 = (1 << 30) + 1;
/// Rows that a preview shows.
const PREVIEWED: usize = 20;

impl Imported {
    /// What an import would bring; nothing is stored.
    #[must_use]
    pub fn preview(import: Import) -> Self {
        let rows = import.examples.iter().take(PREVIEWED).map(|example| PreviewRow {
            at: example.source.reference.clone(),
            input: example.input.clone(),
            output: example.output.clone(),
            review: example.review.name(),
        });
        let preview = rows.collect();
        Self { preview, ..Self::new(import, ImportReport::default()) }
    }

    fn new(import: Import, report: ImportReport) -> Self {
        Self {
            task: import.examples.first().map(|example| example.task.clone()).unwrap_or_default(),
            examples: import.examples.len(),
            labelled: import.examples.len() - import.unlabelled(),
            pending: import.examples.iter().filter(|example| example.review == Review::Pending).count(),
            report,
            skipped: import.skipped,
            problems: import.problems,
            notes: import.notes,
            preview: Vec::new(),
        }
    }
}

impl Examples<'_> {
    /// Who vouches for what is imported now; `doubtful` says that they vouch for what the importer doubts, too.
    pub(crate) fn approval(self, doubtful: bool) -> Approval {
        Approval { by: self.engine.by.clone(), at: now(), doubtful }
    }

    /// Reads a source for a task; a blank name is that of the task which belongs to Slack or Ask AI. With `doubtful`, what the importer doubts is
    /// approved, too.
    ///
    /// # Errors
    /// Importer errors.
    pub async fn read(self, path: &Path, source: &Source, task: &str, doubtful: bool) -> Result<Import> {
        let approval = self.approval(doubtful);
        let task = match source {
            Source::Slack { .. } if task.is_empty() => self.engine.tasks().with(Integration::Slack).await?.name,
            Source::AskAi { .. } if task.is_empty() => self.engine.tasks().with(Integration::AskAi).await?.name,
            _ => task.to_owned(),
        };
        let task = &self.engine.tasks().open(&task).await?.definition;
        Ok(match source {
            Source::Slack { labels, group, choice } => {
                let options = slack::Options { choice: choice.clone(), group: *group, approval };
                slack::import(path, task, labels.as_deref(), &options).await?
            }
            Source::AskAi { max_samples, drafts } => {
                self.ask_ai(&path.to_string_lossy(), task, *max_samples, *drafts).await?
            }
            Source::Csv(columns) => tabular::import_csv(path, task, columns, &approval)?,
            Source::Jsonl => tabular::import_jsonl(path, task, &approval)?,
            Source::Text => tabular::import_prompt_file(path, task, &approval)?,
        })
    }

    /// Reads the best suggestions of an Ask AI database, for the task that belongs to it.
    ///
    /// # Errors
    /// Importer errors.
    pub async fn read_ask_ai(self, source: &str, max_samples: usize, drafts: Drafts) -> Result<Import> {
        let task = self.engine.tasks().with(Integration::AskAi).await?;
        self.ask_ai(source, &task, max_samples, drafts).await
    }

    async fn ask_ai(self, source: &str, task: &Task, max_samples: usize, drafts: Drafts) -> Result<Import> {
        if !task.form.is_text() {
            let form = task.form.name();
            return Err(Error::Unsupported(format!(
                "import suggestions of Ask AI as task `{}`: its form is `{form}` and they are texts",
                task.name
            )));
        }
        let wait = std::time::Duration::from_secs(5);
        let options =
            ask_ai::Options { task: task.name.clone(), max_samples, drafts, approval: self.approval(false), wait };
        Ok(ask_ai::import(source, &options).await?)
    }

    /// Reads a file as text that people could have pasted, with what they should know of it: a spreadsheet becomes CSV, and
    /// other encodings become UTF-8.
    ///
    /// # Errors
    /// The file is neither text nor a spreadsheet.
    pub fn text_of(self, path: &Path) -> Result<(String, Vec<String>)> {
        Ok(tabular::pasted_text(path)?)
    }

    /// Reads pasted text; `name` stands for it in messages. Lines without answers are examples, too, on which people decide.
    ///
    /// # Errors
    /// Importer errors.
    pub async fn read_pasted(self, text: &str, name: &str, task: &str) -> Result<Import> {
        let task = self.engine.tasks().open(task).await?.definition;
        Ok(tabular::import_lines(text, name, &task, &self.approval(false))?)
    }

    /// Names the labels that an import would add to those of its task's approved examples. If it has none of theirs, it is
    /// refused unless `mix` allows it: most often it belongs to another task.
    ///
    /// # Errors
    /// [`Error::MixesLabels`]; store errors.
    pub async fn check_labels(self, import: &mut Import, mix: bool) -> Result<()> {
        let Some(first) = import.examples.first() else { return Ok(()) };
        let task = self.engine.tasks().definition(&first.task).await?;
        if task.form != Form::Labels || task.closed {
            return Ok(());
        }
        let has = self.labels_of(&task).await?;
        let approved = import.examples.iter().filter(|example| matches!(example.review, Review::Approved { .. }));
        let brought: BTreeSet<&str> = approved.filter_map(|example| example.output.as_ref()?.as_str()).collect();
        let is_known = |label: &str| has.iter().chain(&task.labels).any(|known| known == label);
        let new: Vec<&str> = brought.iter().copied().filter(|label| !is_known(label)).collect();
        if has.is_empty() || new.is_empty() {
            return Ok(());
        }
        let is_all_new = new.len() == brought.len();
        let (new, has) = (listed(&new), listed(&has));
        if is_all_new && !mix {
            return Err(Error::MixesLabels { task: task.name, has, new });
        }
        let only = if is_all_new { "All labels are new" } else { "New labels" };
        import.notes.push(format!("{only}: {new}. The approved examples of task `{}` have {has}.", task.name));
        Ok(())
    }

    /// Stores what an importer read; `tell` hears how many examples are written so far.
    pub async fn take_in(self, import: Import, tell: &mut (dyn FnMut(usize) + Send)) -> Result<Imported> {
        let by = format!("import by {}", self.engine.by);
        let report = self.engine.store.import_with_progress(&import.examples, &by, now(), tell).await?;
        Ok(Imported::new(import, report))
    }
}

/// The first labels of a list.
fn listed<T: AsRef<str>>(labels: &[T]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<&str> = labels.iter().take(SHOWN).map(AsRef::as_ref).collect();
    let more = labels.len().saturating_sub(SHOWN);
    shown.join(", ") + &if more > 0 { format!(" and {more} more") } else { String::new() }
}
