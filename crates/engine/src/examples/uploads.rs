//! Imports of uploaded files, which continue after the request that started them.

use graft_store::Import;
use serde_json::Value;

use super::Examples;
use crate::{Result, now};

impl Examples<'_> {
    /// Notes that this process begins to read an upload.
    pub async fn begin_import(self, id: &str, kind: &str, task: Option<&str>) -> Result<Import> {
        let engine = self.engine;
        Ok(engine.store.begin_import(id, kind, task, engine.process(), &engine.by, now()).await?)
    }

    /// Where an import is.
    ///
    /// # Errors
    /// There is none of the id.
    pub async fn import(self, id: &str) -> Result<Import> {
        Ok(self.engine.store.import_state(id).await?)
    }

    /// Notes that all rows of an import are stored.
    pub async fn import_is_stored(self, id: &str, rows: u64) -> Result<()> {
        Ok(self.engine.store.import_progress(id, rows, Some(rows)).await?)
    }

    /// Notes the end of an import: its report, or its problem.
    pub async fn end_import(self, id: &str, outcome: std::result::Result<&Value, &Value>) -> Result<Import> {
        Ok(self.engine.store.end_import(id, outcome, &self.engine.by, now()).await?)
    }

    /// Ends the imports of processes that are gone with a problem.
    pub async fn fail_lost_imports(self, problem: &Value) -> Result<u64> {
        let gone = |process: &str| self.engine.is_gone(process);
        Ok(self.engine.store.fail_lost_imports(&gone, problem, now()).await?)
    }
}
