use std::{
    fs::{File, OpenOptions, TryLockError},
    io::Write as _,
    path::Path,
    time::{Duration, SystemTime},
};

use graft_formats::faults::{self, Op};

use crate::{Error, Result};

/// Held by the one process that trains in a run directory; the system releases it however that process ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// How long a trainer that was just started may take to come to its lock.
const GRACE: Duration = Duration::from_secs(10);

impl RunLock {
    /// Takes a run directory for this process.
    ///
    /// # Errors
    /// [`Error::Busy`] while another process trains in it.
    pub fn take(dir: &Path) -> Result<Self> {
        let file = lock(dir)?;
        // Who wants to end the process finds its id here; without it, it can only be asked to stop.
        let _ = file.set_len(0).and_then(|()| (&file).write_all(std::process::id().to_string().as_bytes()));
        // From now on only the lock shows whether the trainer is running.
        touch(dir, &file, SystemTime::UNIX_EPOCH).map(|()| Self { _file: file })
    }

    /// Keeps the directory until this process exits. Whoever follows the process takes a free directory for its end, so what it
    /// prints after that would not be read.
    pub fn keep_until_exit(self) {
        Box::leak(Box::new(self));
    }

    /// Notes that a trainer is being started, so that it counts as alive until it comes to its lock.
    ///
    /// # Errors
    /// As [`take`](Self::take).
    pub(super) fn announce(dir: &Path) -> Result<()> {
        drop(lock(dir)?);
        touch(dir, &open(dir)?, SystemTime::now())
    }

    /// Whether a trainer works in the directory, or was started a moment ago.
    #[must_use]
    pub fn is_held(dir: &Path) -> bool {
        let path = dir.join("lock");
        let Ok(file) = File::open(&path) else { return false };
        let touched = file.metadata().and_then(|about| about.modified()).ok();
        let announced = touched.and_then(|at| at.elapsed().ok()).is_some_and(|age| age < GRACE);
        announced || matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
    }
}

/// The process that took the directory last.
pub(super) fn owner(dir: &Path) -> Option<u32> {
    std::fs::read_to_string(dir.join("lock")).ok()?.trim().parse().ok()
}

fn lock(dir: &Path) -> Result<File> {
    let file = open(dir)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { dir: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(Error::Io { doing: "lock", path: dir.join("lock"), source }),
    }
}

fn open(dir: &Path) -> Result<File> {
    let path = dir.join("lock");
    let file = faults::pass(Op::Write, &path)
        .and_then(|()| OpenOptions::new().create(true).truncate(false).write(true).open(&path));
    file.map_err(|source| Error::Io { doing: "open", path, source })
}

fn touch(dir: &Path, file: &File, at: SystemTime) -> Result<()> {
    file.set_modified(at).map_err(|source| Error::Io { doing: "touch", path: dir.join("lock"), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_allows_one_process() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!RunLock::is_held(dir.path()));
        RunLock::announce(dir.path()).unwrap();
        assert!(RunLock::is_held(dir.path()), "it was just started");
        let held = RunLock::take(dir.path()).unwrap();
        assert!(matches!(RunLock::take(dir.path()), Err(Error::Busy { .. })));
        assert!(RunLock::is_held(dir.path()));
        assert_eq!(owner(dir.path()), Some(std::process::id()));
        drop(held);
        assert!(!RunLock::is_held(dir.path()), "its process is gone");
    }
}
