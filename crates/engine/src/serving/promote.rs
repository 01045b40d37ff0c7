//! Which version answers for a task: the active one in the store, after it has answered once in this process.

use std::sync::{Arc, Weak};

use graft_store::Version;

use super::{Fault, Inner, Serving, deployment::Deployment};
use crate::{Engine, Error, Result, versions::Seen};

/// Loads the active version of every task, as far as memory allows, so that no request waits for it.
pub(super) async fn preload(inner: Weak<Inner>) {
    let Some(versions) = inner.upgrade().map(Serving) else { return };
    let versions = versions.engine().store.versions(None).await.unwrap_or_default();
    for version in versions.into_iter().filter(|version| version.stage == graft_store::Stage::Active) {
        let Some(serving) = inner.upgrade().map(Serving) else { return };
        if serving.state().bytes() >= serving.0.options.memory {
            return;
        }
        if let Err(error) = serving.active(&version.task).await {
            serving.note_fault(&version.task, &error);
        }
    }
}

impl Serving {
    /// Makes the version active that was before, if it still answers. Returns it and the one it replaced.
    ///
    /// # Errors
    /// Another one is active than `seen`; no earlier one is left, or it can't be loaded.
    pub async fn roll_back(&self, engine: &Engine, task: &str, seen: Seen<'_>) -> Result<(Version, Option<String>)> {
        let active = engine.store.active_version(task).await?.map(|version| version.name);
        seen.check(task, active.as_deref())?;
        let before = engine.store.version_before(task, active.as_deref()).await?;
        self.prepare(task, &before.name).await?;
        let version = engine.versions().roll_back_from(task, active.as_deref()).await?;
        self.follow_now(task).await;
        Ok((version, active))
    }

    /// Lets the version answer that has just become active, without waiting until the change is noticed.
    pub(crate) async fn follow_now(&self, task: &str) {
        if let Err(error) = self.catch_up(task).await {
            self.note_fault(task, &error);
        }
    }

    /// Lets a task's active version answer, if the task is being served.
    pub(super) async fn catch_up(&self, task: &str) -> Result<()> {
        let _turn = self.0.turning.lock().await;
        if !self.state().aliases.contains_key(task) {
            // What could not be loaded may be another version by now: the next request finds out.
            self.state().faults.retain(|of, fault| of != task || !fault.behind);
            return Ok(());
        }
        if self.engine().store.active_version(task).await?.is_none() {
            // The next request reports it.
            self.state().aliases.remove(task);
            return Ok(());
        }
        self.load_active(task).await.map(drop)
    }

    /// Loads a task's active version and lets it answer; the caller must hold the lock.
    pub(super) async fn load_active(&self, task: &str) -> Result<Arc<Deployment>> {
        let deployment = self.load_chosen(task, None).await?;
        let mut state = self.state();
        let moved = state.point(task, &deployment);
        if moved || state.faults.get(task).is_some_and(|fault| fault.behind) {
            state.faults.remove(task);
        }
        Ok(deployment)
    }

    /// People must be able to see why a version doesn't answer.
    pub(super) fn note_fault(&self, task: &str, error: &Error) {
        let text = format!("failed to {}", graft_core::with_causes(error));
        self.state().faults.insert(task.to_owned(), Fault { text, behind: true });
    }
}
