//! Fault injection: tests make each file operation fail in turn. Only builds with debug assertions contain it; in
//! others every call does nothing.
//!
//! `GRAFT_FAULT=K:KIND:MARK` makes the `K`-th operation of a process (from 1) and all later ones fail. `KIND` is `full`
//! (operations that need disk space), `read-only` (all changes) or `broken` (everything). The first failure is written
//! to the file `MARK`.

use std::{
    io::{self, Write},
    path::Path,
};

/// Kind of operation on a file or folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Create or write.
    Write,
    /// Rename or remove.
    Change,
    /// Sync.
    Sync,
}

/// A fault point: the operation fails if a test asked for it.
///
/// # Errors
/// The injected error, in tests.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub fn pass(_op: Op, _path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(debug_assertions)]
pub use plan::pass;

/// Writes all bytes. An injected failure writes the first half, as on a full disk.
///
/// # Errors
/// An I/O error of the operating system, or an injected one.
pub fn write(out: &mut (impl Write + ?Sized), bytes: &[u8], path: &Path) -> io::Result<()> {
    if let Err(refused) = pass(Op::Write, path) {
        out.write_all(&bytes[..bytes.len() / 2])?;
        return Err(refused);
    }
    out.write_all(bytes)
}

#[cfg(debug_assertions)]
mod plan {
    use std::{
        fs::File,
        io,
        path::{Path, PathBuf},
        sync::{
            LazyLock,
            atomic::{AtomicU64, Ordering},
        },
    };

    use super::Op;

    struct Plan {
        at: u64,
        kind: io::ErrorKind,
        mark: PathBuf,
        passed: AtomicU64,
    }

    static PLAN: LazyLock<Option<Plan>> = LazyLock::new(|| {
        let text = std::env::var("GRAFT_FAULT").ok()?;
        let mut parts = text.splitn(3, ':');
        let at = parts.next()?.parse().ok()?;
        let kind = match parts.next()? {
            "full" => io::ErrorKind::StorageFull,
            "read-only" => io::ErrorKind::ReadOnlyFilesystem,
            _ => io::ErrorKind::Other,
        };
        Some(Plan { at, kind, mark: parts.next()?.into(), passed: AtomicU64::new(0) })
    });

    /// A fault point: the operation fails if a test asked for it.
    ///
    /// # Errors
    /// The injected error, in tests.
    pub fn pass(op: Op, path: &Path) -> io::Result<()> {
        let Some(plan) = PLAN.as_ref() else { return Ok(()) };
        let refuses = match plan.kind {
            io::ErrorKind::StorageFull => op == Op::Write,
            io::ErrorKind::ReadOnlyFilesystem => op != Op::Sync,
            _ => true,
        };
        if !refuses || plan.passed.fetch_add(1, Ordering::Relaxed) + 1 < plan.at {
            return Ok(());
        }
        if let Ok(mut mark) = File::create_new(&plan.mark) {
            io::Write::write_all(&mut mark, format!("{op:?} {}", path.display()).as_bytes())?;
        }
        Err(plan.kind.into())
    }
}
