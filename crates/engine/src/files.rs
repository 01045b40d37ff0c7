//! Folders, disks, and blocking file operations.

use std::{
    fs,
    path::{Path, PathBuf},
};

use graft_artifacts::Files;

use crate::{Error, Result};

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

/// Files as they are written.
pub(crate) fn borrowed(files: &Files) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect()
}

/// Copies the files of a folder, which is seen whole or not at all.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    Ok(graft_formats::atomic::folder(to, &borrowed(&read_folder(from)?))?)
}

pub(crate) fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(Error::Io { doing: "list", path: folder.to_owned(), source }),
    }
}

/// Folders, without those that are links or temporary.
pub(crate) fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let is_folder = |path: &PathBuf| fs::symlink_metadata(path).is_ok_and(|about| about.is_dir());
    let is_hidden = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    Ok(entries(folder)?.into_iter().filter(|path| is_folder(path) && !is_hidden(path)).collect())
}

#[cfg(unix)]
pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(path).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

#[cfg(not(unix))]
pub(crate) fn free_bytes(_path: &Path) -> Option<u64> {
    None
}

/// Works on a thread that may wait for a disk or compute for long: others are served by this one. `what` completes
/// "failed to" where the work can't end.
pub(crate) async fn apart<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| Err(Error::Unsupported(what.to_owned())))
}
