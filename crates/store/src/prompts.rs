use graft_core::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::row::from_row;
use crate::{Error, Store, row, statement};

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
    /// The text that it is a new version of.
    pub parent: Option<u64>,
    /// How it asks to be trained on.
    pub settings: &'a Value,
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
    /// The first 200 characters of the text.
    pub preview: String,
    /// Number of the text that it is a new version of.
    pub parent: Option<u64>,
    /// How it asked to be trained on; absent for texts of earlier releases.
    #[schema(value_type = Option<Object>)]
    pub settings: Option<Value>,
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
        select_prompts!("", $tail)
    };
    ($with:literal, $tail:literal) => {
        concat!(
            $with,
            "select id, dataset, description, task, model_type, substr(text, 1, 200) as preview, parent, settings, examples,
                    pending, run, note, created_by, created_at
             from prompts ",
            $tail
        )
    };
}

impl Store {
    /// Stores a submitted text and deletes its author's draft.
    ///
    /// # Errors
    /// [`Error::NoPrompt`] for an unknown parent.
    pub async fn add_prompt(&self, new: NewPrompt<'_>, by: &str, at: Timestamp) -> Result<Prompt, Error> {
        let mut tx = self.begin().await?;
        let last: i64 = sqlx::query_scalar("select coalesce(max(id), 0) from prompts").fetch_one(&mut *tx).await?;
        let id = last + 1;
        if let Some(parent) = new.parent {
            find(&mut *tx, parent).await?;
        }
        tx.execute(
            "insert into prompts (id, dataset, description, task, model_type, text, csv, examples, pending, created_by,
                                  created_at, parent, settings)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            (
                id,
                format!("prompt_{id}_{}", new.model_type),
                row::text(new.description),
                new.task,
                new.model_type,
                row::text(new.text),
                row::text(new.csv),
                new.examples,
                new.pending,
                row::text(by),
                at,
                new.parent,
                row::text(&new.settings.to_string()),
            ),
        )
        .await?;
        tx.execute("delete from prompt_drafts where owner = $1", row::text(by)).await?;
        let found = find(&mut *tx, id as u64).await?;
        tx.commit().await?;
        Ok(found)
    }

    /// Records which run was queued for submitted texts, or why none was.
    pub async fn prompt_outcome(&self, ids: &[u64], run: Option<&str>, note: Option<&str>) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        for id in ids {
            tx.execute("update prompts set run = $2, note = $3 where id = $1", (*id, run, note.map(row::text))).await?;
        }
        tx.commit().await
    }

    /// Submitted texts, newest first.
    pub async fn prompts(&self, limit: u32, offset: u32) -> Result<Vec<Prompt>, Error> {
        statement::all(&self.read, select_prompts!("order by id desc limit $1 offset $2"), (limit, offset)).await
    }

    /// A submitted text.
    ///
    /// # Errors
    /// [`Error::NoPrompt`].
    pub async fn prompt(&self, id: u64) -> Result<Prompt, Error> {
        find(&self.read, id).await
    }

    /// A submitted text with all texts that it is a version of, and all versions of these, oldest first.
    pub async fn prompt_versions(&self, id: u64) -> Result<Vec<Prompt>, Error> {
        // A parent is older than its versions, so neither walk goes in circles.
        statement::all(
            &self.read,
            select_prompts!(
                "with recursive
                 above (id, parent) as (
                     select id, parent from prompts where id = $1
                     union all
                     select p.id, p.parent from prompts p join above on p.id = above.parent),
                 family (id) as (
                     select id from above where parent is null
                     union all
                     select p.id from prompts p join family on p.parent = family.id) ",
                "where id in (select id from family) order by id"
            ),
            id,
        )
        .await
    }

    /// Submitted texts before a time without a run and without a reason for that: whoever stored them was stopped in
    /// between.
    pub async fn prompts_left(&self, before: Timestamp) -> Result<Vec<Prompt>, Error> {
        // Without settings nobody knows what was asked for.
        statement::all(
            &self.read,
            select_prompts!(
                "where run is null and note is null and settings is not null and created_at < $1 order by id"
            ),
            before,
        )
        .await
    }

    /// The whole of a submitted text.
    ///
    /// # Errors
    /// [`Error::NoPrompt`].
    pub async fn prompt_text(&self, id: u64) -> Result<String, Error> {
        statement::value(&self.read, "select text from prompts where id = $1", id).await?.ok_or(Error::NoPrompt(id))
    }

    /// The examples of a submitted text as CSV.
    ///
    /// # Errors
    /// [`Error::NoPrompt`].
    pub async fn prompt_csv(&self, id: u64) -> Result<String, Error> {
        statement::value(&self.read, "select csv from prompts where id = $1", id).await?.ok_or(Error::NoPrompt(id))
    }

    /// A person's draft that is not submitted yet. Not in the audit trail.
    pub async fn prompt_draft(&self, owner: &str) -> Result<Option<Value>, Error> {
        statement::value(&self.read, "select draft from prompt_drafts where owner = $1", row::text(owner)).await
    }

    /// Stores a person's draft.
    pub async fn save_prompt_draft(&self, owner: &str, draft: &Value, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        tx.execute(
            "insert into prompt_drafts (owner, draft, updated_at) values ($1, $2, $3)
             on conflict (owner) do update set draft = excluded.draft, updated_at = excluded.updated_at",
            (row::text(owner), row::text(&draft.to_string()), at),
        )
        .await?;
        tx.commit().await
    }
}

async fn find(on: impl AnyExecutor<'_>, id: u64) -> Result<Prompt, Error> {
    let found = statement::optional(on, select_prompts!("where id = $1"), id).await?;
    found.ok_or(Error::NoPrompt(id))
}

from_row!(Prompt {
    id,
    dataset,
    description,
    task,
    model_type,
    preview,
    parent,
    settings,
    examples,
    pending,
    run,
    note,
    created_by,
    created_at,
});
