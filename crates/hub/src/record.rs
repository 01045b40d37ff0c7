//! Records of base models: one JSON file per base model in `GRAFT_HOME/bases/records/`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Component, Path, PathBuf},
};

use graft_core::Digest;
use serde::{Deserialize, Serialize};

use crate::{Error, HubId, Reference, Resolved, Settings, cache::RepoCache, files};

/// A base that Graft pulled or the user added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// What users type.
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) resolved: Resolved,
    /// The files that Graft created, which it may delete.
    pub(crate) placed: Vec<PathBuf>,
}

/// A base in the list of those pulled or added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// What users type for it.
    pub name: String,
    /// The model and its path.
    #[serde(flatten)]
    pub resolved: Resolved,
    /// Size of its files in bytes.
    pub bytes: u64,
    /// Whether all its files still exist.
    pub present: bool,
}

/// Result of [`crate::Hub::remove`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// Names that were removed.
    pub names: Vec<String>,
    /// Deleted files, all of which Graft created.
    pub deleted: Vec<PathBuf>,
    /// Freed bytes.
    pub freed_bytes: u64,
    /// Files that were kept because something else uses them.
    pub kept: Vec<PathBuf>,
}

impl Record {
    pub(crate) fn path(home: &Path, name: &str) -> PathBuf {
        let digest = Digest::of(name.as_bytes());
        let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(60).collect();
        folder(home).join(format!("{word}-{}.json", digest.short()))
    }

    /// The record of a name, if it exists and can be read.
    pub(crate) fn load(home: &Path, name: &str) -> Option<Self> {
        let bytes = fs::read(Self::path(home, name)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    pub(crate) fn save(&self, home: &Path) -> Result<(), Error> {
        let path = Self::path(home, &self.name);
        let json = serde_json::to_vec_pretty(self).map_err(|error| Error::io("write", &path)(error.into()))?;
        files::write(&path, &json)
    }
}

fn folder(home: &Path) -> PathBuf {
    home.join("bases").join("records")
}

fn records(home: &Path) -> Result<Vec<Record>, Error> {
    let folder = folder(home);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut records = Vec::new();
    for entry in fs::read_dir(&folder).map_err(Error::io("read", &folder))?.flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let bytes = fs::read(&path).map_err(Error::io("read", &path))?;
        let damaged = |error: serde_json::Error| Error::Damaged { path: path.clone(), reason: error.to_string() };
        records.push(serde_json::from_slice::<Record>(&bytes).map_err(damaged)?);
    }
    records.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(records)
}

/// The bases that were pulled or added, by name.
///
/// # Errors
/// If a record can't be read.
pub fn installed(home: &Path) -> Result<Vec<Installed>, Error> {
    let describe = |record: Record| {
        let sizes: Vec<Option<u64>> =
            record.resolved.files.iter().map(|file| fs::metadata(file).ok().map(|found| found.len())).collect();
        Installed {
            name: record.name,
            bytes: sizes.iter().flatten().sum(),
            present: !sizes.is_empty() && sizes.iter().all(Option::is_some),
            resolved: record.resolved,
        }
    };
    Ok(records(home)?.into_iter().map(describe).collect())
}

/// Removes the records of `names`, and the files that Graft created for them unless something else uses them.
pub(crate) fn remove(settings: &Settings, names: &[String]) -> Result<Removed, Error> {
    let (mut gone, mut others): (Vec<_>, Vec<_>) =
        records(&settings.home)?.into_iter().partition(|record| names.contains(&record.name));
    let mut removed = Removed::default();
    for record in &mut gone {
        hand_over(record, &mut others, &settings.home)?;
        delete_placed(record, settings, &mut removed)?;
        files::delete(&Record::path(&settings.home, &record.name))?;
        removed.names.push(record.name.clone());
    }
    Ok(removed)
}

/// Transfers the ownership of files that another record uses to that record.
fn hand_over(record: &mut Record, others: &mut [Record], home: &Path) -> Result<(), Error> {
    for other in others {
        let used: BTreeSet<PathBuf> = other
            .resolved
            .files
            .iter()
            .flat_map(|file| [Some(file.clone()), file.canonicalize().ok()])
            .flatten()
            .collect();
        let is_used =
            |file: &PathBuf| used.contains(file) || file.canonicalize().is_ok_and(|file| used.contains(&file));
        let (shared, own): (Vec<_>, Vec<_>) = record.placed.drain(..).partition(is_used);
        record.placed = own;
        if !shared.is_empty() {
            other.placed.extend(shared);
            other.save(home)?;
        }
    }
    Ok(())
}

fn delete_placed(record: &Record, settings: &Settings, removed: &mut Removed) -> Result<(), Error> {
    let hub = record.resolved.reference.parse().ok().and_then(|reference| match reference {
        Reference::Hub(HubId { repo, revision: Some(commit), .. }) => {
            Some((RepoCache::new(&settings.cache, &repo), commit))
        }
        _ => None,
    });
    let (links, blobs): (Vec<_>, Vec<_>) =
        record.placed.iter().filter(|file| file.symlink_metadata().is_ok()).partition(|file| file.is_symlink());
    for link in links {
        delete(link, settings, removed)?;
    }
    let used = hub.as_ref().map(|(cache, _)| cache.used_blobs()).unwrap_or_default();
    for blob in blobs {
        if blob.canonicalize().is_ok_and(|blob| used.contains(&blob)) && !is_snapshot(blob) {
            removed.kept.push(blob.clone());
        } else {
            delete(blob, settings, removed)?;
        }
    }
    if let Some((cache, commit)) = hub {
        cache.forget(&commit);
    }
    Ok(())
}

/// Deletes one file, but only below the folders that Graft writes to.
fn delete(file: &Path, settings: &Settings, removed: &mut Removed) -> Result<(), Error> {
    let tops = [settings.cache.clone(), settings.home.join("bases")];
    let straight = file.components().all(|part| part != Component::ParentDir);
    let Some(top) = tops.iter().find(|top| straight && file.starts_with(top)) else {
        removed.kept.push(file.into());
        return Ok(());
    };
    let bytes = file.symlink_metadata().map_or(0, |found| if found.is_file() { found.len() } else { 0 });
    files::delete(file)?;
    files::prune(file, top);
    removed.freed_bytes += bytes;
    removed.deleted.push(file.into());
    Ok(())
}

/// On systems without links, a snapshot contains copies.
fn is_snapshot(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "snapshots")
}
