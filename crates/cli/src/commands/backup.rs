use std::path::PathBuf;

use clap::Args;
use graft_engine::Engine;

use crate::{failure::Result, output::Reply};

/// Write database, runs, adapters and tables into one file, while everything goes on.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// The file to write; what is there is replaced once the new one is whole.
    file: PathBuf,
}

/// Put a backup back, into an empty GRAFT_HOME and an empty database of either kind.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The file that `graft backup` wrote.
    file: PathBuf,
    /// What was backed up is gone: its bucket (GRAFT_ARTIFACTS) is this one's from now on; otherwise a copy leaves it alone.
    #[arg(long)]
    take_over: bool,
}

/// Remove what belongs to nothing: half-made folders of runs and adapters, and temporary files. With a bucket, also what
/// it holds of no version; and what it lacks is published.
#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Keep what is younger than this.
    #[arg(long, default_value_t = 24, value_name = "HOURS")]
    older_than: u64,
}

pub(crate) async fn backup(engine: &Engine, command: Backup) -> Result<Reply> {
    let made = engine.backup(&command.file).await?;
    let text = format!("{} rows and {} files are in {}", made.rows, made.files, command.file.display());
    Ok(Reply::new(made, text))
}

pub(crate) async fn restore(engine: &Engine, command: Restore) -> Result<Reply> {
    let put = engine.restore(&command.file, command.take_over).await?;
    let mut text = format!(
        "{} rows and {} files are back. Base models are not in a backup: `graft base list` shows which are missing.",
        put.backup.rows, put.backup.files
    );
    if let Some(place) = &put.not_published {
        text += &format!(
            "\nNothing was published in {place}: it belongs to the database that this is a copy of. Give this one a place \
             of its own; where that one is gone, restore with --take-over.",
        );
    }
    Ok(Reply::new(put, text))
}

pub(crate) async fn sweep(engine: &Engine, command: Sweep) -> Result<Reply> {
    let swept = engine.sweep(command.older_than).await?;
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
        text = "Nothing is left over.".to_owned();
    }
    Ok(Reply::new(swept, text))
}
