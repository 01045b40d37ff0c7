use std::collections::BTreeSet;

use graft_store::Version;

use crate::{Engine, Error, Result, now};

impl Engine {
    /// The task named, or else the only one that has versions.
    ///
    /// # Errors
    /// [`Error::WhichTask`].
    pub async fn task_with_versions(&self, named: Option<&str>) -> Result<String> {
        if let Some(task) = named {
            return Ok(graft_tasks::cards::task(task)?.name.to_owned());
        }
        let versions = self.store.versions(None).await?;
        let tasks: BTreeSet<String> = versions.into_iter().map(|version| version.task).collect();
        let mut tasks = tasks.into_iter();
        match (tasks.next(), tasks.next()) {
            (Some(task), None) => Ok(task),
            (first, second) => Err(Error::WhichTask { has: first.into_iter().chain(second).chain(tasks).collect() }),
        }
    }

    /// Makes the version that was active before the active one again; returns it, and the one that was.
    ///
    /// # Errors
    /// No earlier one is left.
    pub async fn roll_back(&self, task: &str) -> Result<(Version, Option<String>)> {
        let active = self.store.active_version(task).await?.map(|version| version.name);
        Ok((self.roll_back_from(task, active.as_deref()).await?, active))
    }

    /// The same if this one is active.
    pub(crate) async fn roll_back_from(&self, task: &str, active: Option<&str>) -> Result<Version> {
        let version = self.store.rollback(task, active, &self.by, now()).await?;
        self.show_active(&version).await?;
        Ok(version)
    }

    /// Takes a version out of the registry; its files stay.
    ///
    /// # Errors
    /// It is active and not forced.
    pub async fn delete_version(&self, task: &str, name: &str, force: bool) -> Result<Version> {
        let gone = self.store.delete_version(task, name, force, &self.by, now()).await?;
        // It is out of the registry; what a bucket keeps of it now belongs to nothing, and the sweeper tries again.
        let _ = self.withdraw(&gone).await;
        Ok(gone)
    }
}
