//! Finds unused files: incomplete folders, files without a row, and rows whose files are missing.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use graft_core::Timestamp;
use graft_store::{Run, RunFilter, RunState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::Upkeep;
use crate::{
    Error, Result,
    files::{entries, folders},
    now,
};

/// Hours for which an unreferenced file is kept.
pub(crate) const KEPT_HOURS: u64 = 24;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Removed.
    pub removed: Vec<String>,
    /// Belongs to nothing, but is too young to be removed, or may belong to another database.
    pub kept: Vec<String>,
    /// Folders that only this machine had, and that are in the bucket now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub published: Vec<String>,
    /// Rows whose files are gone: `run …`, `version …`. What another machine keeps for itself is none of these.
    pub missing: Vec<String>,
}

/// What the last sweep of a home found, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = SweepView)]
pub struct LastSweep {
    /// When.
    pub at: Timestamp,
    /// How many folders and files were removed.
    pub removed: usize,
    /// How many belong to nothing but were kept.
    pub kept: usize,
    /// Rows whose files are gone: `run …`, `version …`.
    pub missing: Vec<String>,
}

/// Where a home keeps that.
const LAST: &str = "sweep.json";

impl Upkeep<'_> {
    /// What the last sweep found, if there was one.
    pub(super) fn last_sweep(self) -> Option<LastSweep> {
        serde_json::from_slice(&fs::read(self.engine.home.path().join(LAST)).ok()?).ok()
    }

    fn note_sweep(self, swept: &Swept) -> Result<()> {
        let (removed, kept) = (swept.removed.len(), swept.kept.len());
        let last = LastSweep { at: now(), removed, kept, missing: swept.missing.clone() };
        Ok(graft_formats::atomic::bytes(&self.engine.home.path().join(LAST), json!(last).to_string().as_bytes())?)
    }

    /// Removes what belongs to nothing and is older than some hours: folders of runs and adapters without a row, and
    /// temporary files. In a home that another database has used nothing is removed, nor on a day on which the clock was
    /// set.
    ///
    /// # Errors
    /// What the store and the disk say.
    pub async fn sweep(self, hours: u64) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut orphans = self.temporary()?;
        let runs = self.engine.store.runs(&RunFilter::default()).await?;
        let known: BTreeSet<PathBuf> = runs.iter().map(|run| self.engine.home.run_dir(run).path().to_owned()).collect();
        let folders = folders(&self.engine.home.path().join("runs"))?;
        orphans.extend(folders.into_iter().filter(|folder| !known.contains(folder)));
        let place = self.engine.place();
        let is_elsewhere =
            |run: &&Run| self.engine.store.is_shared() && run.place.as_ref().is_some_and(|at| *at != place);
        let elsewhere: BTreeSet<&str> = runs.iter().filter(is_elsewhere).map(|run| run.id.as_str()).collect();
        orphans.extend(self.orphaned_adapters(&elsewhere, &mut swept.missing).await?);
        let ended_here = |run: &&Run| run.state == RunState::Succeeded && !elsewhere.contains(run.id.as_str());
        let gone = runs.iter().filter(ended_here).filter(|run| !self.engine.home.run_dir(run).path().is_dir());
        swept.missing.extend(gone.map(|run| format!("run {}", run.id)));
        let steady = self.engine.store.clock_is_steady();
        let ours = self.engine.is_ours().await?;
        for path in orphans {
            let name = path.strip_prefix(self.engine.home.path()).unwrap_or(&path).display().to_string();
            let old = age(&path).is_some_and(|age| age >= Duration::from_secs(hours.saturating_mul(3600)));
            if ours && old && steady {
                remove(&path)?;
                swept.removed.push(name);
            } else {
                swept.kept.push(name);
            }
        }
        self.sweep_artifacts(hours, &mut swept).await?;
        self.note_sweep(&swept)?;
        Ok(swept)
    }

    /// Folders of adapters that were copied but never registered. What was registered once stays, as its deletion
    /// promises.
    async fn orphaned_adapters(self, elsewhere: &BTreeSet<&str>, missing: &mut Vec<String>) -> Result<Vec<PathBuf>> {
        let versions = self.engine.store.versions(None).await?;
        for version in &versions {
            let is_here = self.engine.home.resolve(&version.adapter_dir).is_dir();
            let is_there = match &self.engine.artifacts {
                Some(place) if !is_here => place.contains(&version.adapter_dir).await?,
                Some(_) => true,
                None => version.run.as_deref().is_some_and(|run| elsewhere.contains(run)),
            };
            if !is_here && !is_there {
                missing.push(format!("version {} of {}", version.name, version.task));
            }
        }
        let mut orphans = Vec::new();
        for task in folders(&self.engine.home.path().join("adapters"))? {
            let name = task.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let registered = self.engine.store.runs_ever_registered(&name).await?;
            let unknown = |folder: &PathBuf| {
                let run = folder.file_name().unwrap_or_default().to_string_lossy();
                !registered.iter().any(|known| *known == run)
                    && !versions.iter().any(|version| self.engine.home.resolve(&version.adapter_dir) == *folder)
            };
            orphans.extend(folders(&task)?.into_iter().filter(unknown));
        }
        Ok(orphans)
    }

    /// Makes bucket and rows agree: publishes what only this machine has, and removes what is older than some hours and
    /// belongs to no version. In another database's place nothing is changed.
    async fn sweep_artifacts(self, hours: u64, swept: &mut Swept) -> Result<()> {
        let Some(place) = &self.engine.artifacts else { return Ok(()) };
        let versions = self.engine.store.versions(None).await?;
        let stored = place.folders("adapters").await?;
        let owned = self.engine.versions().owns(place).await?;
        for version in &versions {
            let is_there = stored.iter().any(|found| found.is_whole && found.folder == version.adapter_dir);
            if !is_there && owned && self.engine.home.resolve(&version.adapter_dir).is_dir() {
                self.engine.versions().publish(&version.adapter_dir).await?;
                swept.published.push(version.adapter_dir.clone());
            }
        }
        let oldest = now() - i64::try_from(hours).unwrap_or(i64::MAX).saturating_mul(3_600_000);
        for found in stored.iter().filter(|found| versions.iter().all(|version| version.adapter_dir != found.folder)) {
            let name = format!("{}/{}", place.name(), found.folder);
            if owned && found.written_at <= oldest && self.engine.store.clock_is_steady() {
                place.remove(&found.folder).await?;
                swept.removed.push(name);
            } else {
                swept.kept.push(name);
            }
        }
        Ok(())
    }

    /// Temporary files and folders that a killed process left.
    fn temporary(self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut places = vec![self.engine.home.path().to_owned()];
        for name in ["runs", "adapters"] {
            places.push(self.engine.home.path().join(name));
            places.extend(folders(&self.engine.home.path().join(name))?);
        }
        for place in places {
            let entries = entries(&place)?;
            found.extend(
                entries
                    .into_iter()
                    .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(".graft-"))),
            );
        }
        Ok(found)
    }
}

/// Time since a folder or file was last changed.
fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::symlink_metadata(path).ok()?.modified().ok()?).ok()
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|source| Error::Io { doing: "remove", path: path.to_owned(), source })
}
