use std::path::{Path, PathBuf};

use graft_core::Review;
use graft_store::ImportReport;
use graft_tasks::{
    Approval, Import,
    ask_ai::{self, Drafts},
    cards::{Integration, Task},
    slack::{self, Choice},
    tabular,
};
use serde::Serialize;
use serde_json::Value;
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

    /// Reads pasted text; `name` stands for it in messages.
    ///
    /// # Errors
    /// Importer errors.
    pub async fn read_text(self, text: &str, name: &str, task: &str, doubtful: bool) -> Result<Import> {
        let task = self.engine.tasks().open(task).await?.definition;
        Ok(tabular::import_prompt(text, name, &task, &self.approval(doubtful))?)
    }

    /// As [`Self::read_text`], where also lines without answers are examples, on which people decide.
    ///
    /// # Errors
    /// Importer errors.
    pub async fn read_pasted(self, text: &str, name: &str, task: &str) -> Result<Import> {
        let task = self.engine.tasks().open(task).await?.definition;
        Ok(tabular::import_lines(text, name, &task, &self.approval(false))?)
    }

    /// Stores what an importer read; `tell` hears how many examples are written so far.
    ///
    /// # Errors
    /// Store errors.
    pub async fn take_in(self, import: Import, tell: &mut (dyn FnMut(usize) + Send)) -> Result<Imported> {
        let by = format!("import by {}", self.engine.by);
        let report = self.engine.store.import_with_progress(&import.examples, &by, now(), tell).await?;
        Ok(Imported::new(import, report))
    }
}
