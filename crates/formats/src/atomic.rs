//! Atomic writes: to a temporary file beside the target, synced, then renamed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

use crate::{
    Error,
    faults::{self, Op},
};

/// The folder that contains `path`.
pub(crate) fn parent(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes one file with this content.
///
/// # Errors
/// An I/O error of the operating system.
pub fn bytes(path: &Path, content: &[u8]) -> Result<(), Error> {
    file(path, |out| Ok(out.write_all(content)))
}

/// Writes one file.
pub(crate) fn file<E: From<Error>>(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> Result<io::Result<()>, E>,
) -> Result<(), E> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    faults::pass(Op::Write, path).map_err(failed)?;
    let temporary = tempfile::Builder::new().prefix(".graft-").tempfile_in(parent(path)).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 20, temporary);
    fill(&mut writer)?.map_err(failed)?;
    faults::pass(Op::Write, path).map_err(failed)?;
    let temporary = writer.into_inner().map_err(|e| failed(e.into_error()))?;
    faults::pass(Op::Sync, path).and_then(|()| temporary.as_file().sync_all()).map_err(failed)?;
    share(temporary.as_file()).map_err(failed)?;
    faults::pass(Op::Change, path).map_err(failed)?;
    temporary.persist(path).map_err(|e| failed(e.error))?;
    sync(parent(path)).map_err(failed)?;
    Ok(())
}

/// Writes a folder of files atomically. An existing folder is replaced as a whole.
///
/// # Errors
/// An I/O error of the operating system.
pub fn folder(path: &Path, files: &[(&str, &[u8])]) -> Result<(), Error> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let write = || -> io::Result<()> {
        faults::pass(Op::Write, path)?;
        fs::create_dir_all(parent(path))?;
        let temporary = tempfile::Builder::new().prefix(".graft-").tempdir_in(parent(path))?;
        let fresh = temporary.path().join("new");
        fs::create_dir(&fresh)?;
        for (name, bytes) in files {
            let mut file = File::create_new(fresh.join(name))?;
            faults::write(&mut file, bytes, path)?;
            file.sync_all()?;
        }
        sync(&fresh)?;
        replace(&fresh, path)?;
        sync(parent(path))
    };
    write().map_err(failed)
}

/// Lets `make` create a file or a folder of files at a path beside the target, and moves the result to the target when
/// `make` has succeeded. It replaces a file or an empty folder there.
///
/// # Errors
/// If `make` fails, or an I/O error of the operating system.
pub fn staged<T, E: From<Error>>(path: &Path, make: impl FnOnce(&Path) -> Result<T, E>) -> Result<T, E> {
    let failed = |source| Error::Write { path: path.to_owned(), source };
    let begin = || -> io::Result<tempfile::TempDir> {
        faults::pass(Op::Write, path)?;
        fs::create_dir_all(parent(path))?;
        tempfile::Builder::new().prefix(".graft-").tempdir_in(parent(path))
    };
    let temporary = begin().map_err(failed)?;
    // Readers may judge a file by its extension.
    let fresh = temporary.path().join(path.file_name().unwrap_or("new".as_ref()));
    let made = make(&fresh)?;
    let finish = || -> io::Result<()> {
        if fresh.is_dir() {
            for entry in fs::read_dir(&fresh)? {
                File::open(entry?.path())?.sync_all()?;
            }
            sync(&fresh)?;
        } else {
            File::open(&fresh)?.sync_all()?;
        }
        faults::pass(Op::Change, path)?;
        fs::rename(&fresh, path)?;
        sync(parent(path))
    };
    finish().map_err(failed)?;
    Ok(made)
}

/// Moves a folder to its final path. A rename can't replace a non-empty folder, so the two are exchanged, and the old
/// one is deleted with the temporary folder.
fn replace(fresh: &Path, path: &Path) -> io::Result<()> {
    faults::pass(Op::Change, path)?;
    if !path.exists() {
        return fs::rename(fresh, path);
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        if renameat_with(CWD, fresh, CWD, path, RenameFlags::EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    // The file system does not support the exchange.
    let old = fresh.with_file_name("old");
    fs::rename(path, &old)?;
    fs::rename(fresh, path).inspect_err(|_| drop(fs::rename(&old, path)))
}

fn sync(folder: &Path) -> io::Result<()> {
    faults::pass(Op::Sync, folder)?;
    File::open(folder)?.sync_all()
}

/// Temporary files are private; a file that replaces another gets the permissions of a new file.
fn share(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}
