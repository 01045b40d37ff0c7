use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::any::AnyRow;

use crate::changes::{Actor, Deed, record};
use crate::{Action, Error, Kind, Store, row};

names! {
    /// Where an import is.
    pub enum ImportState {
        /// Its file is being read.
        Running = "running",
        /// What it held is stored.
        Done = "done",
        /// Nothing of it is stored.
        Failed = "failed",
    }
}

/// The import of an uploaded file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Import {
    /// Its name.
    pub id: String,
    /// `slack`, `csv`, …
    pub kind: String,
    /// Name of the task, where one was given.
    pub task: Option<String>,
    /// Where it is.
    pub state: ImportState,
    /// Rows read so far.
    pub done: u64,
    /// Rows there are, once that is known.
    pub of: Option<u64>,
    /// What it did, with what it skipped.
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
    /// Notes that an import has begun.
    ///
    /// # Errors
    /// [`Error::BadName`]; the id is taken.
    pub async fn begin_import(
        &self,
        id: &str,
        kind: &str,
        task: Option<&str>,
        by: &str,
        at: Timestamp,
    ) -> Result<Import, Error> {
        row::check_name("import", id)?;
        let mut tx = self.begin().await?;
        sqlx::query(
            "insert into imports (id, kind, task, state, done, created_by, created_at)
             values ($1, $2, $3, 'running', 0, $4, $5)",
        )
        .bind(id)
        .bind(kind)
        .bind(task)
        .bind(row::text(by))
        .bind(at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        self.import_state(id).await
    }

    /// Notes how far an import is. Not in the audit trail.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn import_progress(&self, id: &str, done: u64, of: Option<u64>) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("update imports set done = $2, total = coalesce($3, total) where id = $1 and state = 'running'")
            .bind(id)
            .bind(row::big(done))
            .bind(of.map(row::big))
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    /// Notes the end of an import: its report, or its problem.
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
        sqlx::query("update imports set state = $2, report = $3, problem = $4, finished_at = $5 where id = $1")
            .bind(id)
            .bind(state.name())
            .bind(outcome.ok().map(Value::to_string))
            .bind(outcome.err().map(Value::to_string))
            .bind(at)
            .execute(&mut *tx)
            .await?;
        let deed = Deed { action: Action::State, kind: Kind::Import, task: "", subject: id };
        record(&mut tx, deed, Actor { by, at }, None, Some(&json!({"state": state}))).await?;
        tx.commit().await?;
        self.import_state(id).await
    }

    /// One import.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn import_state(&self, id: &str) -> Result<Import, Error> {
        let row = sqlx::query(
            "select id, kind, task, state, done, total, report, problem, created_by, created_at, finished_at
             from imports where id = $1",
        )
        .bind(id)
        .fetch_optional(&self.read)
        .await?;
        import(&row.ok_or_else(|| Error::NotFound { what: "import", name: id.to_owned() })?)
    }

    /// Marks imports that were running as failed: their process is gone.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn fail_running_imports(&self, before: Timestamp, problem: &Value, at: Timestamp) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let failed = sqlx::query(
            "update imports set state = 'failed', problem = $2, finished_at = $3
             where state = 'running' and created_at < $1",
        )
        .bind(before)
        .bind(problem.to_string())
        .bind(at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(failed.rows_affected())
    }
}

fn import(row: &AnyRow) -> Result<Import, Error> {
    Ok(Import {
        id: row::get(row, "id")?,
        kind: row::get(row, "kind")?,
        task: row::get(row, "task")?,
        state: row::parsed(row, "state")?,
        done: row::int(row, "done")?,
        of: row::int_opt(row, "total")?,
        report: row::json_opt(row, "report")?,
        problem: row::json_opt(row, "problem")?,
        created_by: row::get(row, "created_by")?,
        created_at: row::get(row, "created_at")?,
        finished_at: row::get(row, "finished_at")?,
    })
}
