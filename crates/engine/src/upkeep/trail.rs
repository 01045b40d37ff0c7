//! The audit trail: who changed what, and when.

use graft_store::{Change, ChangeFilter, Watch};

use super::Upkeep;
use crate::Result;

impl Upkeep<'_> {
    /// Changes that match.
    pub async fn changes(self, filter: &ChangeFilter) -> Result<Vec<Change>> {
        Ok(self.engine.store.changes(filter).await?)
    }

    /// The `seq` of the newest change, 0 before the first.
    pub async fn newest_change(self) -> Result<i64> {
        Ok(self.engine.store.newest_change().await?)
    }

    /// Hears of every change from now on, whichever process makes it.
    pub async fn watch(self) -> Result<Watch> {
        Ok(self.engine.store.watch().await?)
    }
}
