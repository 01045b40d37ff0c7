//! What belongs to nothing: half-made folders and files whose row never came, and rows whose files are gone.

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

use crate::{Engine, Error, Result, now};

/// Hours that something nobody knows is kept.
pub(crate) const KEPT_HOURS: u64 = 24;
/// Name of the setting that ties a home to its database.
pub(crate) const INSTANCE: &str = "instance";

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

impl Engine {
    /// What the last sweep found, if there was one.
    #[must_use]
    pub fn last_sweep(&self) -> Option<LastSweep> {
        serde_json::from_slice(&fs::read(self.home.path().join(LAST)).ok()?).ok()
    }

    fn note_sweep(&self, swept: &Swept) -> Result<()> {
        let (removed, kept) = (swept.removed.len(), swept.kept.len());
        let last = LastSweep { at: now(), removed, kept, missing: swept.missing.clone() };
        Ok(graft_formats::atomic::bytes(&self.home.path().join(LAST), json!(last).to_string().as_bytes())?)
    }

    /// Removes what belongs to nothing and is older than some hours: folders of runs and adapters without a row, and
    /// temporary files. In a home that another database has used nothing is removed.
    ///
    /// # Errors
    /// What the store and the disk say.
    pub async fn sweep(&self, hours: u64) -> Result<Swept> {
        let mut swept = Swept::default();
        let mut orphans = self.temporary()?;
        let runs = self.store.runs(&RunFilter::default()).await?;
        let known: BTreeSet<PathBuf> = runs.iter().map(|run| self.run_dir(run).path().to_owned()).collect();
        let folders = folders(&self.home.path().join("runs"))?;
        orphans.extend(folders.into_iter().filter(|folder| !known.contains(folder)));
        let place = self.home.place();
        let is_elsewhere = |run: &&Run| self.store.is_shared() && run.place.as_ref().is_some_and(|at| *at != place);
        let elsewhere: BTreeSet<&str> = runs.iter().filter(is_elsewhere).map(|run| run.id.as_str()).collect();
        orphans.extend(self.orphaned_adapters(&elsewhere, &mut swept.missing).await?);
        let ended_here = |run: &&Run| run.state == RunState::Succeeded && !elsewhere.contains(run.id.as_str());
        let gone = runs.iter().filter(ended_here).filter(|run| !self.run_dir(run).path().is_dir());
        swept.missing.extend(gone.map(|run| format!("run {}", run.id)));
        let ours = self.is_ours().await?;
        for path in orphans {
            let name = path.strip_prefix(self.home.path()).unwrap_or(&path).display().to_string();
            let old = age(&path).is_some_and(|age| age >= Duration::from_secs(hours.saturating_mul(3600)));
            if ours && old {
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
    async fn orphaned_adapters(&self, elsewhere: &BTreeSet<&str>, missing: &mut Vec<String>) -> Result<Vec<PathBuf>> {
        let versions = self.store.versions(None).await?;
        for version in &versions {
            let is_here = self.home.resolve(&version.adapter_dir).is_dir();
            let is_there = match &self.artifacts {
                Some(place) if !is_here => place.contains(&version.adapter_dir).await?,
                Some(_) => true,
                None => version.run.as_deref().is_some_and(|run| elsewhere.contains(run)),
            };
            if !is_here && !is_there {
                missing.push(format!("version {} of {}", version.name, version.task));
            }
        }
        let mut orphans = Vec::new();
        for task in folders(&self.home.path().join("adapters"))? {
            let name = task.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let registered = self.store.runs_ever_registered(&name).await?;
            let unknown = |folder: &PathBuf| {
                let run = folder.file_name().unwrap_or_default().to_string_lossy();
                !registered.iter().any(|known| *known == run)
                    && !versions.iter().any(|version| self.home.resolve(&version.adapter_dir) == *folder)
            };
            orphans.extend(folders(&task)?.into_iter().filter(unknown));
        }
        Ok(orphans)
    }

    /// Temporary files and folders that a killed process left.
    fn temporary(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        let mut places = vec![self.home.path().to_owned()];
        for name in ["runs", "adapters"] {
            places.push(self.home.path().join(name));
            places.extend(folders(&self.home.path().join(name))?);
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

    /// Whether this home belongs to this database: each keeps the same random word.
    pub(crate) async fn is_ours(&self) -> Result<bool> {
        let path = self.home.path().join("instance");
        let here = fs::read_to_string(&path).ok().map(|word| word.trim().to_owned());
        let there = self.store.setting(INSTANCE).await?.and_then(|word| Some(word.value.as_str()?.to_owned()));
        match (here, there) {
            (Some(here), Some(there)) => Ok(here == there),
            (None, Some(there)) => {
                // What lies in a home that is new to this database may be another's.
                let fresh = ["runs", "adapters"]
                    .iter()
                    .all(|name| folders(&self.home.path().join(name)).is_ok_and(|folders| folders.is_empty()));
                if fresh {
                    graft_formats::atomic::bytes(&path, there.as_bytes())?;
                }
                Ok(fresh)
            }
            (Some(_), None) => Ok(false),
            (None, None) => {
                let word = self.new_instance();
                self.store.set_setting(INSTANCE, &json!(word), &self.by, now()).await?;
                graft_formats::atomic::bytes(&path, word.as_bytes())?;
                Ok(true)
            }
        }
    }

    /// A word that no other database has.
    pub(crate) fn new_instance(&self) -> String {
        graft_core::Digest::of(format!("{} {}", self.me, now()).as_bytes()).short().to_owned()
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Io { doing: "list", path: folder.to_owned(), source }),
    }
}

/// Folders, without those that are links or temporary.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_folder = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    Ok(entries(folder)?.into_iter().filter(|path| is_folder(path) && !is_hidden(path)).collect())
}

/// Time since a folder or file was last changed.
fn age(path: &Path) -> Option<Duration> {
    SystemTime::now().duration_since(fs::symlink_metadata(path).ok()?.modified().ok()?).ok()
}

fn remove(path: &Path) -> Result<()> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.map_err(|source| Error::Io { doing: "remove", path: path.to_owned(), source })
}
