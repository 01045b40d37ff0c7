//! The Ask AI workflow: import its database, train an adapter, and copy the adapter into the folder of its settings as
//! `latest`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use graft_formats::peft;
use graft_store::{Method, Version};
use graft_tasks::cards::Integration;

use super::Versions;
use crate::{
    Error, Result,
    files::{apart, borrowed, read_folder},
};

/// Points to the adapter that is in use.
pub(crate) const LATEST: &str = "latest";
/// What a run says of itself, if it is still there.
const ABOUT_RUN: &str = "training_run.json";

impl Versions<'_> {
    /// Lets others see a version that has become active: the one of Ask AI is copied into the folder that the settings
    /// name, with its run's description, and `latest` points to it. A folder that is itself an adapter was chosen by a
    /// person and stays.
    pub(crate) async fn show_active(self, version: &Version) -> Result<()> {
        // `latest` is for programs that read adapters.
        let task = self.engine.tasks().definition(&version.task).await?;
        if task.integration != Some(Integration::AskAi) || version.method != Method::Adapter {
            return Ok(());
        }
        let settings = self.ask_ai_settings().await?;
        let place = self.engine.home.resolve(&settings.soft_prompt_model_dir);
        if !self.bring(version).await? {
            return Ok(());
        }
        let run = match &version.run {
            Some(run) => match self.engine.store.run(run).await {
                Ok(run) => Some(self.engine.home.run_dir(&run).path().join(ABOUT_RUN)),
                Err(graft_store::Error::NoRun(_)) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let (folder, own) = (place.join(name_of(version)), self.engine.home.resolve(&version.adapter_dir));
        let copy = move || {
            if place.join(peft::CONFIG).exists() {
                return Ok(());
            }
            let mut files = read_folder(&own)?;
            files.extend(run.and_then(|run| fs::read(run).ok()).map(|about| (ABOUT_RUN.to_owned(), about)));
            graft_formats::atomic::folder(&folder, &borrowed(&files))?;
            point_latest(&place, &folder)
        };
        apart("copy the active version's files", copy).await
    }

    /// The version whose adapter lies in a folder: its own, or a copy of it under its name, such as a run's.
    pub(crate) async fn version_in(self, folder: &Path, task: &str) -> Result<Option<Version>> {
        let named = |folder: Option<&Path>, name: &str| folder.and_then(Path::file_name).is_some_and(|of| of == name);
        for version in self.engine.store.versions(Some(task)).await? {
            let own = self.engine.home.resolve(&version.adapter_dir);
            let is_own = own.canonicalize().is_ok_and(|own| own == folder);
            let name = name_of(&version);
            let may_be_copy = named(Some(folder), &name) || named(folder.parent(), &name);
            let same = || peft::digest(&own).is_ok_and(|own| peft::digest(folder).is_ok_and(|copy| own == copy));
            if is_own || (may_be_copy && same()) {
                return Ok(Some(version));
            }
        }
        Ok(None)
    }
}

/// A version's folder without what is around it: its run's name, where it has one.
fn name_of(version: &Version) -> String {
    version.adapter_dir.rsplit('/').next().unwrap_or_default().to_owned()
}

/// Switches `latest` in a folder to another target; a reader sees either the old or the new one.
///
/// # Errors
/// The disk refuses, or `latest` is there and no link.
pub fn point_latest(place: &Path, target: &Path) -> Result<()> {
    let failed = |source| Error::Io { doing: "link", path: place.join(LATEST), source };
    let place = std::path::absolute(place).map_err(failed)?;
    let target = target.strip_prefix(&place).unwrap_or(target);
    let fresh: PathBuf = place.join(format!(".latest-{}", std::process::id()));
    fs::create_dir_all(&place).map_err(failed)?;
    // Left behind by a process of the same number that was killed.
    let _ = fs::remove_file(&fresh);
    #[cfg(unix)]
    std::os::unix::fs::symlink(target, &fresh).map_err(failed)?;
    #[cfg(windows)]
    std::os::windows::fs::symlink_dir(target, &fresh).map_err(failed)?;
    fs::rename(&fresh, place.join(LATEST)).map_err(|source| {
        // What couldn't take its place is of no use.
        let _ = fs::remove_file(&fresh);
        failed(source)
    })
}
