//! Follows the active versions in the store, whichever process sets them.

use std::{collections::BTreeSet, sync::Weak, time::Duration};

use graft_store::{ChangeFilter, Kind, Watch};

use super::{Inner, Serving};
use crate::{Result, home::TABLES};

/// How often a version that could not be loaded is tried again.
const RETRY: Duration = Duration::from_secs(10);

/// Runs until the last `Serving` is dropped.
pub(super) async fn follow(inner: Weak<Inner>, mut watch: Watch, mut seen: i64) {
    let mut behind: BTreeSet<String> = BTreeSet::new();
    loop {
        if let Ok(None) = tokio::time::timeout(RETRY, watch.changed()).await {
            return;
        }
        let Some(inner) = inner.upgrade() else { return };
        let serving = Serving(inner);
        // A database that doesn't answer now may do so the next time.
        if let Ok(tasks) = serving.changed_since(&mut seen).await {
            if !tasks.is_empty() && serving.follow_rollouts().await.is_err() {
                tracing::warn!("roll-outs: failed to read the running ones; Graft retries");
            }
            behind.extend(tasks);
        }
        let mut later = BTreeSet::new();
        for task in std::mem::take(&mut behind) {
            if let Err(error) = serving.catch_up(&task).await {
                serving.note_fault(&task, &error);
                later.insert(task);
            }
        }
        behind = later;
    }
}

impl Serving {
    /// Tasks whose versions, or the tables that they answer with, were changed since.
    async fn changed_since(&self, seen: &mut i64) -> Result<Vec<String>> {
        let store = &self.engine().store;
        let filter = |kind| ChangeFilter { kind: Some(kind), after: *seen, ..ChangeFilter::default() };
        // The settings first: versions that were changed before the last of them are then read.
        let tables = ChangeFilter { subject: Some(TABLES.to_owned()), ..filter(Kind::Setting) };
        let (tables, changes) = (store.changes(&tables).await?, store.changes(&filter(Kind::Version)).await?);
        *seen = tables.last().into_iter().chain(changes.last()).map(|change| change.seq).max().unwrap_or(*seen);
        let mut state = self.state();
        for change in &changes {
            state.named.remove(&(change.task.clone(), change.subject.clone()));
        }
        let mut tasks: Vec<String> = changes.into_iter().map(|change| change.task).collect();
        if !tables.is_empty() {
            state.named.clear();
            tasks.extend(state.aliases.keys().cloned());
        }
        Ok(tasks)
    }
}
