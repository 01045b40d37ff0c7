//! An agent's own side: it takes a bundle into its registry, and lets it answer.

use std::{fs, io, path::Path};

use graft_artifacts::Files;
use graft_core::{Digest, agents::bundle_digest};
use graft_store::{Error as StoreError, Stage, Version};

use super::Agents;
use crate::{
    Error, Result, Serving, now,
    versions::{Manifest, bundle_of, read_bundle},
};

impl Agents<'_> {
    /// Refuses a home that has versions of its own: an agent replaces the active version of its home.
    ///
    /// # Errors
    /// [`Error::OwnVersions`]; what the store says.
    pub async fn check_home(self) -> Result<()> {
        match self.engine.versions().list(None).await?.iter().all(|version| bundle_of(version).is_some()) {
            true => Ok(()),
            false => Err(Error::OwnVersions { home: self.engine.home.path().to_owned() }),
        }
    }

    /// The digest of the bundle that answers for a task here.
    ///
    /// # Errors
    /// Why its version can't answer, such as lost files; what the store says.
    pub async fn held(self, serving: &Serving, task: &str) -> Result<Option<Digest>> {
        let Some(active) = self.engine.store.active_version(task).await? else { return Ok(None) };
        serving.prepare(task, &active.name).await?;
        Ok(bundle_of(&active))
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
            return Err(Error::BadBundle { what });
        }
        let digest = bundle_digest(bundle);
        let Some(tables) = manifest.tables() else { return self.take(serving, manifest, files, &digest).await };
        let path = self.engine.home.tables_file();
        let before = fs::read(&path).ok();
        put(&path, tables.map(str::as_bytes))?;
        let taken = self.take(serving, manifest, files, &digest).await;
        if taken.is_err() {
            put(&path, before.as_deref())?;
        }
        taken
    }

    async fn take(self, serving: &Serving, manifest: Manifest, files: Files, bundle: &Digest) -> Result<Version> {
        let Version { task, name, .. } = self.engine.versions().add_version(manifest, files, bundle).await?;
        serving.prepare(&task, &name).await?;
        let store = &self.engine.store;
        let active = store.active_version(&task).await?.map(|version| version.name);
        let version = store.set_active(&task, &name, active.as_deref(), &self.engine.by, now()).await?;
        serving.follow_now(&task).await;
        self.forget(&version).await?;
        Ok(version)
    }

    /// Removes the versions of earlier bundles, but for the one before the active one.
    async fn forget(self, active: &Version) -> Result<()> {
        let task = active.task.as_str();
        let before = match self.engine.store.version_before(task, Some(&active.name)).await {
            Err(StoreError::NothingBefore { .. }) => None,
            found => Some(found?.name),
        };
        let all = self.engine.versions().list(Some(task)).await?;
        let old = all.iter().filter(|version| version.stage != Stage::Active && Some(&version.name) != before.as_ref());
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

/// Writes a file, or removes it.
fn put(path: &Path, content: Option<&[u8]>) -> Result<()> {
    let Some(content) = content else {
        return match fs::remove_file(path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(Error::Io { doing: "remove", path: path.to_owned(), source })
            }
            _ => Ok(()),
        };
    };
    Ok(graft_formats::atomic::bytes(path, content)?)
}
