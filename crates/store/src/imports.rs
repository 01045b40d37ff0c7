use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::scope::Scope;
use crate::{Action, Error, Kind, Store, row, statement};

names! {
    /// State of an import.
    pub enum ImportState {
        /// Its file is being read.
        Running = "running",
        /// Its content is stored.
        Done = "done",
        /// Only part of its content is stored; repeating the import adds the rest.
        Failed = "failed",
    }
}

/// The import of an uploaded file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Import {
    /// Its name.
    pub id: String,
    /// Its kind: `slack`, `csv`, …
    pub kind: String,
    /// Name of the task, if one was given.
    pub task: Option<String>,
    /// Its state.
    pub state: ImportState,
    /// Rows read so far.
    pub done: u64,
    /// Total number of rows, once known.
    pub of: Option<u64>,
    /// Its result, including what was skipped.
    pub report: Option<Value>,
    /// Why it failed.
    pub problem: Option<Value>,
    /// Who uploaded it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

impl Store {
    /// Records the start of an import and the process that reads it.
    ///
    /// # Errors
    /// [`Error::BadName`]; the id exists.
    pub async fn begin_import(
        &self,
        id: &str,
        kind: &str,
        task: Option<&str>,
        reader: &str,
        by: &str,
        at: Timestamp,
    ) -> Result<Import, Error> {
        row::check_name("import", id)?;
        let mut tx = self.begin().await?;
        tx.execute(
            "insert into imports (id, kind, task, state, done, created_by, created_at, reader)
             values ($1, $2, $3, 'running', 0, $4, $5, $6)",
            (id, kind, task, row::text(by), at, reader),
        )
        .await?;
        tx.commit().await?;
        self.import_state(id).await
    }

    /// Records the progress of an import. Not in the audit trail.
    pub async fn import_progress(&self, id: &str, done: u64, of: Option<u64>) -> Result<(), Error> {
        let mut tx = self.begin_in(Scope::Statement).await?;
        tx.execute(
            "update imports set done = $2, total = coalesce($3, total) where id = $1 and state = 'running'",
            (id, done, of),
        )
        .await?;
        tx.commit().await
    }

    /// Records the end of an import: its report, or why it failed.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn end_import(
        &self,
        id: &str,
        outcome: Result<&Value, &Value>,
        by: &str,
        at: Timestamp,
    ) -> Result<Import, Error> {
        let state = if outcome.is_ok() { ImportState::Done } else { ImportState::Failed };
        let mut tx = self.begin().await?;
        tx.execute(
            "update imports set state = $2, report = $3, problem = $4, finished_at = $5 where id = $1",
            (id, state, outcome.ok(), outcome.err(), at),
        )
        .await?;
        let entry = Entry { action: Action::State, kind: Kind::Import, task: "", subject: id };
        record(&mut tx, entry, Actor { by, at }, None, Some(&json!({"state": state}))).await?;
        tx.commit().await?;
        self.import_state(id).await
    }

    /// One import.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn import_state(&self, id: &str) -> Result<Import, Error> {
        let found = statement::optional(
            &self.read,
            "select id, kind, task, state, done, total, report, problem, created_by, created_at, finished_at
             from imports where id = $1",
            id,
        )
        .await?;
        found.ok_or_else(|| Error::NotFound { what: "import", name: id.to_owned() })
    }

    /// Marks imports as failed if their process is `gone`, or if they are a day old and their process can't be checked.
    pub async fn fail_lost_imports(
        &self,
        gone: &(dyn Fn(&str) -> bool + Sync),
        problem: &Value,
        at: Timestamp,
    ) -> Result<u64, Error> {
        const LONGEST: i64 = 24 * 3_600_000;
        let mut tx = self.begin().await?;
        let running = sqlx::query("select id, reader, created_at from imports where state = 'running'");
        let mut failed = 0;
        for row in &running.fetch_all(&mut *tx).await? {
            let reader: Option<String> = row::get(row, "reader")?;
            let is_old = row::get::<Timestamp>(row, "created_at")? < at - LONGEST;
            if !is_old && reader.is_some_and(|reader| !gone(&reader)) {
                continue;
            }
            tx.execute(
                "update imports set state = 'failed', problem = $2, finished_at = $3 where id = $1",
                (row::get::<String>(row, "id")?, problem.to_string(), at),
            )
            .await?;
            failed += 1;
        }
        tx.commit().await?;
        Ok(failed)
    }
}

from_row!(Import { id, kind, task, state, done, of = "total", report, problem, created_by, created_at, finished_at });
