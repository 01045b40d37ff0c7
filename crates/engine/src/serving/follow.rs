//! Follows the active versions in the store, whichever process sets them.

use std::{collections::BTreeSet, sync::Weak, time::Duration};

use graft_store::{ChangeFilter, Kind, Watch};

use super::{Inner, Serving};
use crate::Result;

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
    /// Tasks whose versions were changed since.
    async fn changed_since(&self, seen: &mut i64) -> Result<Vec<String>> {
        let filter = ChangeFilter { kind: Some(Kind::Version), after: *seen, ..ChangeFilter::default() };
        let changes = self.engine().store.changes(&filter).await?;
        *seen = changes.last().map_or(*seen, |change| change.seq);
        let mut state = self.state();
        for change in &changes {
            state.named.remove(&(change.task.clone(), change.subject.clone()));
        }
        Ok(changes.into_iter().map(|change| change.task).collect())
    }
}
