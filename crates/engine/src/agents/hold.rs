//! An agent's own side: it takes a bundle into its registry, and lets it answer.

use std::fs;

use graft_core::{Digest, agents::bundle_digest};
use graft_store::{Stage, Version};

use super::Agents;
use crate::{
    Result, Serving, now,
    versions::{bundle_of, read_bundle},
};

impl Agents<'_> {
    /// The digest of the bundle that answers for a task here.
    ///
    /// # Errors
    /// What the store says.
    pub async fn held(self, task: &str) -> Result<Option<Digest>> {
        Ok(self.engine.store.active_version(task).await?.as_ref().and_then(bundle_of))
    }

    /// Takes the version of a bundle: it is registered, loaded, asked once, and then answers. One that can't answer changes
    /// nothing. Only it and the one before it are kept.
    ///
    /// # Errors
    /// The bundle is damaged or of another task; its base model is missing; why it can't answer.
    pub async fn hold(self, serving: &Serving, task: &str, bundle: &[u8]) -> Result<Version> {
        let (manifest, files) = read_bundle(bundle)?;
        if manifest.task() != task {
            let what = format!("it is for the task `{}`, not `{task}`", manifest.task());
            return Err(crate::Error::BadBundle { what });
        }
        if let Some(tables) = manifest.tables() {
            graft_formats::atomic::bytes(&self.engine.home.path().join("tables.toml"), tables.as_bytes())?;
        }
        let version = self.engine.versions().add_version(manifest, files, &bundle_digest(bundle)).await?;
        serving.prepare(task, &version.name).await?;
        let store = &self.engine.store;
        let before = store.active_version(task).await?.map(|version| version.name);
        let version = store.set_active(task, &version.name, before.as_deref(), &self.engine.by, now()).await?;
        serving.follow_now(task).await;
        self.forget(task, before.as_deref()).await?;
        Ok(version)
    }

    /// Removes the versions of earlier bundles, but for the one before the active one.
    async fn forget(self, task: &str, before: Option<&str>) -> Result<()> {
        let all = self.engine.versions().list(Some(task)).await?;
        let old = all.iter().filter(|version| version.stage != Stage::Active && Some(version.name.as_str()) != before);
        for version in old.filter(|version| bundle_of(version).is_some()) {
            self.engine.versions().delete(task, &version.name, false).await?;
            if !all.iter().any(|kept| kept.name != version.name && kept.adapter_dir == version.adapter_dir) {
                // What is left of it takes up space, and nothing else.
                let _ = fs::remove_dir_all(self.engine.home.resolve(&version.adapter_dir));
            }
        }
        Ok(())
    }
}
