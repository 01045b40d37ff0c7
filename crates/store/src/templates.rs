//! Templates of tasks that people saved.

use graft_core::Timestamp;
use serde_json::Value;

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// A template that somebody saved.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredTemplate {
    /// Its name.
    pub name: String,
    /// What it says.
    pub file: Value,
    /// Who saved it.
    pub saved_by: String,
}

impl Store {
    /// The saved templates, by name.
    pub async fn templates(&self) -> Result<Vec<StoredTemplate>, Error> {
        statement::all(&self.read, "select name, file, saved_by from templates order by name", ()).await
    }

    /// Saves a template, or deletes it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is none to delete.
    pub async fn set_template(&self, name: &str, file: Option<&Value>, by: &str, at: Timestamp) -> Result<(), Error> {
        let mut tx = self.begin().await?;
        let before: Option<Value> =
            statement::value(&mut *tx, "select file from templates where name = $1", name).await?;
        let action = match (&before, file) {
            (None, None) => return Err(Error::NotFound { what: "template", name: name.to_owned() }),
            (Some(before), Some(file)) if before == file => return Ok(()),
            (_, Some(_)) => Action::Set,
            (Some(_), None) => Action::Delete,
        };
        let change = match file {
            None => sqlx::query("delete from templates where name = $1").bind(name),
            Some(file) => sqlx::query(
                "insert into templates (name, file, saved_by, saved_at) values ($1, $2, $3, $4)
                 on conflict (name) do update set file = excluded.file, saved_by = excluded.saved_by,
                     saved_at = excluded.saved_at",
            )
            .bind(name)
            .bind(row::text(&file.to_string()))
            .bind(row::text(by))
            .bind(at),
        };
        change.execute(&mut *tx).await?;
        let entry = Entry { action, kind: Kind::Template, task: "", subject: name };
        record(&mut tx, entry, Actor { by, at }, before.as_ref(), file).await?;
        tx.commit().await
    }
}

from_row!(StoredTemplate { name, file, saved_by });
