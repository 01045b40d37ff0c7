use graft_core::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use crate::changes::{Actor, Entry, record};
use crate::row::from_row;
use crate::{Action, Error, Kind, Store, row, statement};

/// A named value that people can change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// Who set it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

impl Store {
    /// Every stored setting, by name.
    pub async fn settings(&self) -> Result<Vec<Setting>, Error> {
        let mut settings: Vec<Setting> =
            statement::all(&self.read, "select name, value, updated_by, updated_at from settings", ()).await?;
        settings.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(settings)
    }

    /// One setting, if it is stored.
    pub async fn setting(&self, name: &str) -> Result<Option<Setting>, Error> {
        statement::optional(
            &self.read,
            "select name, value, updated_by, updated_at from settings where name = $1",
            name,
        )
        .await
    }

    /// Sets a setting.
    ///
    /// # Errors
    /// [`Error::BadName`].
    pub async fn set_setting(&self, name: &str, value: &Value, by: &str, at: Timestamp) -> Result<(), Error> {
        row::check_name("setting", name)?;
        let mut tx = self.begin().await?;
        let before: Option<Value> =
            statement::value(&mut *tx, "select value from settings where name = $1", name).await?;
        tx.execute(
            "insert into settings (name, value, updated_by, updated_at) values ($1, $2, $3, $4)
             on conflict (name) do update
             set value = excluded.value, updated_by = excluded.updated_by, updated_at = excluded.updated_at",
            (name, value.to_string(), row::text(by), at),
        )
        .await?;
        let entry = Entry { action: Action::Set, kind: Kind::Setting, task: "", subject: name };
        let before = before.map(|value| json!({"value": value}));
        record(&mut tx, entry, Actor { by, at }, before.as_ref(), Some(&json!({"value": value}))).await?;
        tx.commit().await?;
        Ok(())
    }
}

from_row!(Setting { name, value, updated_by, updated_at });
