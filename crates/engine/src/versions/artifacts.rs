//! Adapters in a bucket. The folder in the home is the working copy; other machines download from the bucket.
//!
//! Files are published first and the version's row last, so every visible version can be downloaded. A deleted version
//! loses its row first. A crash in between leaves files without a row, which the sweep removes.

use graft_artifacts::Artifacts;
use graft_store::Version;
use serde_json::json;

use super::Versions;
use crate::{
    Error, Result,
    files::{apart, borrowed, read_folder},
    instance::INSTANCE,
    now,
};

/// Name of the object that ties a place to its database.
const OWNER: &str = "instance";

impl Versions<'_> {
    /// Publishes a folder of this home in the bucket, if there is one.
    pub(crate) async fn publish(self, adapter_dir: &str) -> Result<()> {
        let Some(place) = &self.engine.artifacts else { return Ok(()) };
        if !self.owns(place).await? {
            return Err(Error::OtherPlace { place: place.name().to_owned() });
        }
        place.publish(adapter_dir, &read_folder(&self.engine.home.resolve(adapter_dir))?).await?;
        Ok(())
    }

    /// Brings a version's folder to this machine from the bucket, if there is one; says whether it is here.
    pub(crate) async fn bring(self, version: &Version) -> Result<bool> {
        let folder = self.engine.home.resolve(&version.adapter_dir);
        let wanted = folder.clone();
        if apart("look for a version's files", move || Ok(wanted.is_dir())).await? {
            return Ok(true);
        }
        let Some(place) = &self.engine.artifacts else { return Ok(false) };
        let files = place.fetch(&version.adapter_dir).await?;
        let write = move || Ok(graft_formats::atomic::folder(&folder, &borrowed(&files))?);
        apart("write a version's files", write).await?;
        Ok(true)
    }

    /// Brings the folders of all versions here, as far as the bucket has them.
    pub(crate) async fn bring_all(self) -> Result<()> {
        for version in self.engine.store.versions(None).await? {
            match self.bring(&version).await {
                Err(Error::Artifacts(graft_artifacts::Error::Missing { .. })) => {}
                brought => drop(brought?),
            }
        }
        Ok(())
    }

    /// Removes a deleted version's folder from the bucket, if there is one, and no other version has the same folder, as
    /// those of an adapter that was added twice do.
    pub(crate) async fn withdraw(self, version: &Version) -> Result<()> {
        let left = self.engine.store.versions(Some(&version.task)).await?;
        if left.iter().any(|other| other.adapter_dir == version.adapter_dir) {
            return Ok(());
        }
        match &self.engine.artifacts {
            Some(place) if self.owns(place).await? => Ok(place.remove(&version.adapter_dir).await?),
            _ => Ok(()),
        }
    }

    /// Whether a place belongs to this database; one that is new to all does from now on.
    pub(crate) async fn owns(self, place: &Artifacts) -> Result<bool> {
        // The home says first whether it knows this database.
        self.engine.is_ours().await?;
        let word = match self.engine.store.setting(INSTANCE).await? {
            Some(word) => word.value,
            None => {
                let word = json!(self.engine.new_instance());
                self.engine.store.set_setting(INSTANCE, &word, &self.engine.by, now()).await?;
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
