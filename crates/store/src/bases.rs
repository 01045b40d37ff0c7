use graft_core::{BaseRef, Digest, Timestamp};
use serde::Serialize;
use serde_json::json;
use sqlx::any::AnyExecutor;
use utoipa::ToSchema;

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// A base model on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Base {
    /// Built-in name, Hub id or path, as users write it.
    pub name: String,
    /// Folder or GGUF file.
    pub path: String,
    /// Digest of the model files.
    pub digest: Digest,
    /// When it was added.
    pub added_at: Timestamp,
}

impl Store {
    /// Adds a base model, or replaces path and digest if the name exists.
    ///
    /// # Errors
    /// [`Error::BadName`] for an empty name or one with a NUL character.
    pub async fn add_base(&self, base: &BaseRef, path: &str, by: &str, at: Timestamp) -> Result<Base, Error> {
        if base.name.is_empty() || base.name.contains('\0') {
            return Err(Error::BadName { what: "base model", name: row::text(&base.name) });
        }
        let added = Base { name: base.name.clone(), path: path.to_owned(), digest: base.digest.clone(), added_at: at };
        let mut tx = self.begin().await?;
        let before = find(&mut *tx, &base.name).await?;
        let is_same = |before: &&Base| (before.path.as_str(), &before.digest) == (path, &base.digest);
        if let Some(same) = before.as_ref().filter(is_same) {
            return Ok(same.clone());
        }
        tx.execute(
            "insert into bases (name, path, digest, added_by, added_at) values ($1, $2, $3, $4, $5)
             on conflict (name) do update set path = excluded.path, digest = excluded.digest,
                 added_by = excluded.added_by, added_at = excluded.added_at",
            (&added.name, &added.path, added.digest.as_str(), row::text(by), at),
        )
        .await?;
        let entry = Entry { action: Action::Add, kind: Kind::Base, task: "", subject: &base.name };
        let before = before.map(|before| json!(before));
        record(&mut tx, entry, Actor { by, at }, before.as_ref(), Some(&json!(added))).await?;
        tx.commit().await?;
        Ok(added)
    }

    /// Every base model, in the order they were added.
    pub async fn bases(&self) -> Result<Vec<Base>, Error> {
        let mut bases: Vec<Base> =
            statement::all(&self.read, "select name, path, digest, added_at from bases", ()).await?;
        bases.sort_by(|a, b| (a.added_at, &a.name).cmp(&(b.added_at, &b.name)));
        Ok(bases)
    }

    /// One base model by name.
    ///
    /// # Errors
    /// [`Error::NoBase`].
    pub async fn base(&self, name: &str) -> Result<Base, Error> {
        find(&self.read, name).await?.ok_or_else(|| Error::NoBase(name.to_owned()))
    }

    /// Removes a base model from the database and returns it. Its files are kept.
    ///
    /// # Errors
    /// [`Error::NoBase`].
    pub async fn remove_base(&self, name: &str, by: &str, at: Timestamp) -> Result<Base, Error> {
        let mut tx = self.begin().await?;
        let gone = find(&mut *tx, name).await?.ok_or_else(|| Error::NoBase(name.to_owned()))?;
        tx.execute("delete from bases where name = $1", name).await?;
        let entry = Entry { action: Action::Delete, kind: Kind::Base, task: "", subject: name };
        record(&mut tx, entry, Actor { by, at }, Some(&json!(gone)), None).await?;
        tx.commit().await?;
        Ok(gone)
    }
}

async fn find(on: impl AnyExecutor<'_>, name: &str) -> Result<Option<Base>, Error> {
    statement::optional(on, "select name, path, digest, added_at from bases where name = $1", name).await
}

from_row!(Base { name, path, digest, added_at });
