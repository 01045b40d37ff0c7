//! Adapters in a bucket. The folder in the home is the working copy; the bucket is where other machines find it.
//!
//! Files come first and the version's row last, so that a version that can be seen can be fetched. A version that goes
//! loses its row first. What a crash leaves in between belongs to no row, and the sweeper removes it.

use std::{fs, path::Path};

use graft_artifacts::{Artifacts, Files};
use graft_store::Version;
use serde_json::json;

use crate::{
    Engine, Error, Result, now,
    sweep::{INSTANCE, Swept},
};

/// Name of the object that ties a place to its database.
const OWNER: &str = "instance";

impl Engine {
    /// Publishes a folder of this home in the bucket, if there is one.
    pub(crate) async fn publish(&self, adapter_dir: &str) -> Result<()> {
        let Some(place) = &self.artifacts else { return Ok(()) };
        if !self.owns(place).await? {
            return Err(Error::OtherPlace { place: place.name().to_owned() });
        }
        place.publish(adapter_dir, &read_folder(&self.home.resolve(adapter_dir))?).await?;
        Ok(())
    }

    /// Brings a version's folder to this machine from the bucket, if there is one; says whether it is here.
    pub(crate) async fn bring(&self, version: &Version) -> Result<bool> {
        let folder = self.home.resolve(&version.adapter_dir);
        if folder.is_dir() {
            return Ok(true);
        }
        let Some(place) = &self.artifacts else { return Ok(false) };
        let files = place.fetch(&version.adapter_dir).await?;
        let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        graft_formats::atomic::folder(&folder, &files)?;
        Ok(true)
    }

    /// Brings the folders of all versions here, as far as the bucket has them.
    pub(crate) async fn bring_all(&self) -> Result<()> {
        for version in self.store.versions(None).await? {
            match self.bring(&version).await {
                Err(Error::Artifacts(graft_artifacts::Error::Missing { .. })) => {}
                brought => drop(brought?),
            }
        }
        Ok(())
    }

    /// Removes a deleted version's folder from the bucket, if there is one, and no other version has the same folder, as
    /// those of an adapter that was added twice do.
    pub(crate) async fn withdraw(&self, version: &Version) -> Result<()> {
        let left = self.store.versions(Some(&version.task)).await?;
        if left.iter().any(|other| other.adapter_dir == version.adapter_dir) {
            return Ok(());
        }
        match &self.artifacts {
            Some(place) if self.owns(place).await? => Ok(place.remove(&version.adapter_dir).await?),
            _ => Ok(()),
        }
    }

    /// Makes bucket and rows agree: publishes what only this machine has, and removes what is older than some hours and
    /// belongs to no version. In another database's place nothing is changed.
    pub(crate) async fn sweep_artifacts(&self, hours: u64, swept: &mut Swept) -> Result<()> {
        let Some(place) = &self.artifacts else { return Ok(()) };
        let versions = self.store.versions(None).await?;
        let stored = place.folders("adapters").await?;
        let owned = self.owns(place).await?;
        for version in &versions {
            let is_there = stored.iter().any(|found| found.is_whole && found.folder == version.adapter_dir);
            if !is_there && owned && self.home.resolve(&version.adapter_dir).is_dir() {
                self.publish(&version.adapter_dir).await?;
                swept.published.push(version.adapter_dir.clone());
            }
        }
        let oldest = now() - i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(3_600_000);
        for found in stored.iter().filter(|found| versions.iter().all(|version| version.adapter_dir != found.folder)) {
            let name = format!("{}/{}", place.name(), found.folder);
            if owned && found.written_at <= oldest {
                place.remove(&found.folder).await?;
                swept.removed.push(name);
            } else {
                swept.kept.push(name);
            }
        }
        Ok(())
    }

    /// Whether a place belongs to this database; one that is new to all does from now on.
    async fn owns(&self, place: &Artifacts) -> Result<bool> {
        // The home says first whether it knows this database.
        self.is_ours().await?;
        let word = match self.store.setting(INSTANCE).await? {
            Some(word) => word.value,
            None => {
                let word = json!(self.new_instance());
                self.store.set_setting(INSTANCE, &word, &self.by, now()).await?;
                word
            }
        };
        let word = word.as_str().unwrap_or_default().as_bytes().to_vec();
        match place.get(OWNER).await? {
            Some(found) => Ok(found == word),
            None => {
                place.put(OWNER, word).await?;
                Ok(true)
            }
        }
    }
}

/// The files of a folder with their content.
pub(crate) fn read_folder(folder: &Path) -> Result<Files> {
    let failed = |source| Error::Io { doing: "read", path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push((name, fs::read(entry.path()).map_err(failed)?));
        }
    }
    files.sort();
    Ok(files)
}
