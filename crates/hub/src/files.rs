//! Atomic writes, and locks between processes.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use crate::Error;

/// Creates the folder that `path` will be in.
pub(crate) fn make_parent(path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(Error::io("create", parent))
}

/// Opens a regular file for reading. Opening a pipe could block forever.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    if fs::metadata(path)?.is_file() {
        return File::open(path);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}

/// Renames a finished file to its final name and syncs.
pub(crate) fn publish(from: &Path, to: &Path) -> Result<(), Error> {
    File::open(from).and_then(|file| file.sync_all()).map_err(Error::io("save", from))?;
    fs::rename(from, to).map_err(Error::io("write", to))?;
    sync_parent(to)
}

/// Writes a small file atomically.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    make_parent(path)?;
    let parent = path.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new();
    temporary.prefix(".graft-").suffix(".incomplete");
    // Others may share the cache; the user's umask still applies.
    #[cfg(unix)]
    temporary.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = temporary.tempfile_in(parent).map_err(Error::io("write", path))?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(Error::io("write", path))?;
    file.persist(path).map_err(|error| Error::io("write", path)(error.error))?;
    sync_parent(path)
}

/// Waits until no other process holds the lock; held until the file is dropped.
pub(crate) fn lock(path: &Path) -> Result<File, Error> {
    make_parent(path)?;
    let file = File::options().create(true).append(true).open(path).map_err(Error::io("open", path))?;
    file.lock().map_err(Error::io("lock", path))?;
    Ok(file)
}

/// Deletes a file if it exists.
pub(crate) fn delete(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("delete", path)(error)),
        _ => Ok(()),
    }
}

/// Deletes the folders above `path`, up to `top` (kept), as far as they are empty.
pub(crate) fn prune(path: &Path, top: &Path) {
    let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(top) && *folder != top);
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

fn sync_parent(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        File::open(parent).and_then(|folder| folder.sync_all()).map_err(Error::io("save", parent))?;
    }
    Ok(())
}
