use graft_core::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyRow;
use utoipa::ToSchema;

use crate::{Error, Store, row};

/// A submitted text with its examples, to be added.
#[derive(Clone, Copy, Debug)]
pub struct NewPrompt<'a> {
    /// The task that its examples belong to.
    pub task: &'a str,
    /// The requested model type: `text_classification`, …, or the task's own name.
    pub model_type: &'a str,
    /// Description for people.
    pub description: &'a str,
    /// The submitted text.
    pub text: &'a str,
    /// Its examples as CSV.
    pub csv: &'a str,
    /// Number of examples.
    pub examples: u64,
    /// Number of examples that people must review.
    pub pending: u64,
}

/// A text that was submitted for training.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Prompt {
    /// Number of the text, from 1.
    pub id: u64,
    /// Name of its dataset: `prompt_<id>_<model type>`.
    pub dataset: String,
    /// Description for people.
    pub description: String,
    /// The task that its examples belong to.
    pub task: String,
    /// The requested model type.
    pub model_type: String,
    /// The submitted text.
    pub text: String,
    /// Number of examples.
    pub examples: u64,
    /// Number of examples that people had to review.
    pub pending: u64,
    /// The run that was queued.
    pub run: Option<String>,
    /// Why no run was queued.
    pub note: Option<String>,
    /// Who submitted it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

macro_rules! select_prompts {
    ($tail:literal) => {
        concat!(
            "select id, dataset, description, task, model_type, text, examples, pending, run, note, created_by, created_at
             from prompts ",
            $tail
        )
    };
}

impl Store {
    /// Stores a submitted text and deletes its author's draft.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn add_prompt(&self, new: NewPrompt<'_>, by: &str, at: Timestamp) -> Result<Prompt, Error> {
        let mut tx = self.begin().await?;
        let last = sqlx::query("select coalesce(max(id), 0) as id from prompts").fetch_one(&mut *tx).await?;
        let id = row::get::<i64>(&last, "id")? + 1;
        sqlx::query(
            "insert into prompts (id, dataset, description, task, model_type, text, csv, examples, pending, created_by,
                                  created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(id)
        .bind(format!("prompt_{id}_{}", new.model_type))
        .bind(row::text(new.description))
        .bind(new.task)
        .bind(new.model_type)
        .bind(row::text(new.text))
        .bind(row::text(new.csv))
        .bind(row::big(new.examples))
        .bind(row::big(new.pending))
        .bind(row::text(by))
        .bind(at)
        .execute(&mut *tx)
        .await?;
        sqlx::query("delete from prompt_drafts where owner = $1").bind(row::text(by)).execute(&mut *tx).await?;
        let found = sqlx::query(select_prompts!("where id = $1")).bind(id).fetch_one(&mut *tx).await?;
        let found = prompt(&found)?;
        tx.commit().await?;
        Ok(found)
    }

    /// Records which run was queued for a submitted text, or why none was.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn prompt_outcome(&self, id: u64, run: Option<&str>, note: Option<&str>) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query("update prompts set run = $2, note = $3 where id = $1")
            .bind(row::big(id))
            .bind(run)
            .bind(note.map(row::text))
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }

    /// Submitted texts, newest first.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn prompts(&self, limit: u32) -> Result<Vec<Prompt>, Error> {
        let rows = sqlx::query(select_prompts!("order by id desc limit $1"))
            .bind(i64::from(limit))
            .fetch_all(&self.read)
            .await?;
        rows.iter().map(prompt).collect()
    }

    /// The examples of a submitted text as CSV, if the text exists.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn prompt_csv(&self, id: u64) -> Result<Option<String>, Error> {
        let found = sqlx::query("select csv from prompts where id = $1").bind(row::big(id));
        found.fetch_optional(&self.read).await?.map(|found| row::get(&found, "csv")).transpose()
    }

    /// A person's draft that is not submitted yet. Not in the audit trail.
    ///
    /// # Errors
    /// When the database can't be read.
    pub async fn prompt_draft(&self, owner: &str) -> Result<Option<Value>, Error> {
        let found = sqlx::query("select draft from prompt_drafts where owner = $1").bind(row::text(owner));
        found.fetch_optional(&self.read).await?.map(|found| row::json(&found, "draft")).transpose()
    }

    /// Stores a person's draft.
    ///
    /// # Errors
    /// When the database can't be written.
    pub async fn save_prompt_draft(&self, owner: &str, draft: &Value, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        sqlx::query(
            "insert into prompt_drafts (owner, draft, updated_at) values ($1, $2, $3)
             on conflict (owner) do update set draft = excluded.draft, updated_at = excluded.updated_at",
        )
        .bind(row::text(owner))
        .bind(row::text(&draft.to_string()))
        .bind(at)
        .execute(&mut *tx)
        .await?;
        tx.commit().await
    }
}

fn prompt(row: &AnyRow) -> Result<Prompt, Error> {
    Ok(Prompt {
        id: row::int(row, "id")?,
        dataset: row::get(row, "dataset")?,
        description: row::get(row, "description")?,
        task: row::get(row, "task")?,
        model_type: row::get(row, "model_type")?,
        text: row::get(row, "text")?,
        examples: row::int(row, "examples")?,
        pending: row::int(row, "pending")?,
        run: row::get(row, "run")?,
        note: row::get(row, "note")?,
        created_by: row::get(row, "created_by")?,
        created_at: row::get(row, "created_at")?,
    })
}
