use std::path::PathBuf;

use clap::Args;
use graft_engine::Engine;

use crate::{failure::Result, output::Reply};

/// Write the database, runs, adapters and tables to one backup file. The service may keep running.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// File to write. An existing file is replaced when the new one is complete.
    file: PathBuf,
}

/// Restore a backup into an empty GRAFT_HOME and an empty database (SQLite or Postgres).
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// File written by `graft backup`.
    file: PathBuf,
    /// Take over the original's bucket (GRAFT_ARTIFACTS). Use this only if the original installation no longer exists.
    #[arg(long)]
    take_over: bool,
}

/// Remove files that no run or version uses: unfinished run and adapter folders, and temporary files.
///
/// With a bucket, it also removes objects that belong to no version and uploads adapters that are missing there.
#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Keep files newer than this.
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    older_than: u64,
}

pub(crate) async fn backup(engine: &Engine, command: Backup) -> Result<Reply> {
    let made = engine.upkeep().backup(&command.file).await?;
    let text = format!("{} rows and {} files are in {}", made.rows, made.files, command.file.display());
    Ok(Reply::new(made, text))
}

pub(crate) async fn restore(engine: &Engine, command: Restore) -> Result<Reply> {
    let put = engine.upkeep().restore(&command.file, command.take_over).await?;
    let mut text = format!(
        "Restored {} rows and {} files. Base models are not in a backup: `graft base list` shows which are missing.",
        put.backup.rows, put.backup.files
    );
    if let Some(place) = &put.not_published {
        text += &format!(
            "\nNothing was published in {place}: it belongs to the original database of this copy. \
             Configure another bucket for the copy; if the original no longer exists, restore with --take-over.",
        );
    }
    Ok(Reply::new(put, text))
}

pub(crate) async fn sweep(engine: &Engine, command: Sweep) -> Result<Reply> {
    let swept = engine.upkeep().sweep(command.older_than).await?;
    let mut text = String::new();
    for (what, names) in [
        ("removed", &swept.removed),
        ("published", &swept.published),
        ("kept for now", &swept.kept),
        ("files are missing of", &swept.missing),
    ] {
        names.iter().for_each(|name| text += &format!("{what}: {name}\n"));
    }
    if text.is_empty() {
        text = "No unused files.".to_owned();
    }
    Ok(Reply::new(swept, text))
}
