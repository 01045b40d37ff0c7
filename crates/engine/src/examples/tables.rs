use std::fs;

use graft_core::Digest;
use graft_tasks::pounds::Tables;
use serde::Serialize;
use utoipa::ToSchema;

use super::Examples;
use crate::{Error, Result, home::TABLES, now};

/// The tables that people edit, as a file and as they are used.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TablesReply)]
pub struct TableText {
    /// The text that people edit, which is put over the built-in tables; empty where there is none.
    pub toml: String,
    /// The file's own entries.
    pub own: Tables,
    /// What Graft comes with.
    pub builtin: Tables,
    /// The file's entries put over the built-in ones.
    pub parsed: Tables,
    /// Changes with the text.
    #[serde(skip)]
    pub digest: Digest,
}

impl Examples<'_> {
    /// Weights, food classes and places.
    ///
    /// # Errors
    /// The file is damaged, or the disk refuses.
    pub fn tables(self) -> Result<TableText> {
        let path = self.engine.home.tables_file();
        let toml = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(source) => return Err(Error::Io { doing: "read", path, source }),
        };
        let digest = Digest::of(toml.as_bytes());
        let (own, parsed) = (Tables::entries(&toml)?, Tables::from_toml(&toml)?);
        Ok(TableText { own, builtin: Tables::builtin(), parsed, toml, digest })
    }

    /// Replaces the file, after a check, and notes the change in the audit trail.
    ///
    /// # Errors
    /// The text is not in the form of the tables; the disk refuses.
    pub async fn set_tables(self, toml: &str) -> Result<TableText> {
        Tables::from_toml(toml)?;
        let path = self.engine.home.tables_file();
        graft_formats::atomic::bytes(&path, toml.as_bytes())?;
        self.engine.store.set_setting(TABLES, &toml.into(), &self.engine.by, now()).await?;
        self.tables()
    }
}
