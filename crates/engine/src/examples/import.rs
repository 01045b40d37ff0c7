use std::path::Path;

use graft_core::Review;
use graft_store::ImportReport;
use graft_tasks::{
    Approval, Import,
    ask_ai::{self, Drafts},
    slack, tabular,
};
use serde::Serialize;

use super::Examples;
use crate::{Result, now};

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
}

impl Examples<'_> {
    /// Who vouches for what is imported now.
    fn approval(self) -> Approval {
        Approval { by: self.engine.by.clone(), at: now(), doubtful: false }
    }

    /// Reads a Slack export; messages with a label are approved.
    ///
    /// # Errors
    /// What the importer says.
    pub fn read_slack(self, path: &Path, labels: Option<&Path>, group: bool) -> Result<Import> {
        let options = slack::Options { group, approval: self.approval() };
        Ok(slack::import(path, labels, &options)?)
    }

    /// Reads the best suggestions of an Ask AI database.
    ///
    /// # Errors
    /// What the importer says.
    pub async fn read_ask_ai(self, source: &str, max_samples: usize, drafts: Drafts) -> Result<Import> {
        let wait = std::time::Duration::from_secs(5);
        let options = ask_ai::Options { max_samples, drafts, approval: self.approval(), wait };
        Ok(ask_ai::import(source, &options).await?)
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What the importer says.
    pub fn read_csv(self, path: &Path, task: &str, columns: &tabular::Columns) -> Result<Import> {
        Ok(tabular::import_csv(path, task, columns, &self.approval())?)
    }

    /// Reads JSON lines.
    ///
    /// # Errors
    /// What the importer says.
    pub fn read_jsonl(self, path: &Path, task: &str) -> Result<Import> {
        Ok(tabular::import_jsonl(path, task, &self.approval())?)
    }

    /// Reads pasted text; `name` stands for it in messages.
    ///
    /// # Errors
    /// What the importer says.
    pub fn read_text(self, text: &str, name: &str, task: &str) -> Result<Import> {
        Ok(tabular::import_prompt(text, name, task, &self.approval())?)
    }

    /// Stores what an importer read; `tell` hears how many examples are written so far.
    ///
    /// # Errors
    /// What the store says.
    pub async fn take_in(self, import: Import, tell: &mut (dyn FnMut(usize) + Send)) -> Result<Imported> {
        let by = format!("import by {}", self.engine.by);
        let report = self.engine.store.import_telling(&import.examples, &by, now(), tell).await?;
        Ok(Imported {
            task: import.examples.first().map(|example| example.task.clone()).unwrap_or_default(),
            examples: import.examples.len(),
            labelled: import.examples.len() - import.unlabelled(),
            pending: import.examples.iter().filter(|example| example.review == Review::Pending).count(),
            report,
            skipped: import.skipped,
            problems: import.problems,
            notes: import.notes,
        })
    }
}
