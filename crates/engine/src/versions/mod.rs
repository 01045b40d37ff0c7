//! Versions: registered adapters, their files and scores, and which one is active.

mod adapters;
mod adopt;
mod artifacts;
mod ask_ai;
mod brief;
mod bundle;
mod dataset;
mod detail;
mod drift;
mod merged;
mod modelfile;
mod numbers;
mod register;
pub(crate) mod results;
mod soft_prompt;

use std::collections::BTreeSet;

use graft_store::{Version, VersionName};

pub use adapters::Chosen;
pub use adopt::Told;
pub use ask_ai::{AskAiChange, AskAiSettings};
pub use brief::{ContestantBrief, ScoresBrief, VersionBrief};
pub use bundle::Bundle;
pub(crate) use bundle::{Manifest, bundle_of, read_bundle};
pub use dataset::{DatasetForm, ExportedDataset};
pub use detail::{Lineage, ShownAnswer, VersionDetail};
pub use drift::{
    AnswerDrift, Distance, Drift, DriftPeriod, DriftState, MovedShare, Overrides, ServedDrift, ServedPeriod, Share,
    Shift, Spread,
};
pub(crate) use drift::{HOUR, KEPT_HOURS, groups};
pub use merged::{Checked, Merged, OutType};
pub(crate) use numbers::strongest;
pub use numbers::{BaselineScores, ContestantScores, Evaluation, KeptAnswer, Measured, field_of};
pub use results::ResultFormat;
pub use soft_prompt::point_latest;

use crate::{Engine, Error, Result, now};

/// The registered adapters of all tasks.
#[derive(Clone, Copy, Debug)]
pub struct Versions<'e> {
    pub(crate) engine: &'e Engine,
}

impl Versions<'_> {
    /// The task named, or else the only one that has versions.
    ///
    /// # Errors
    /// [`Error::WhichTask`].
    pub async fn task_with_versions(self, named: Option<&str>) -> Result<String> {
        if let Some(task) = named {
            return Ok(self.engine.tasks().get(task).await?.definition.name);
        }
        let versions = self.engine.store.versions(None).await?;
        let tasks: BTreeSet<String> = versions.into_iter().map(|version| version.task).collect();
        let mut tasks = tasks.into_iter();
        match (tasks.next(), tasks.next()) {
            (Some(task), None) => Ok(task),
            (first, second) => Err(Error::WhichTask { has: first.into_iter().chain(second).chain(tasks).collect() }),
        }
    }

    /// A version.
    ///
    /// # Errors
    /// There is no such version.
    pub async fn get(self, task: &str, name: &str) -> Result<Version> {
        Ok(self.engine.store.version(task, name).await?)
    }

    /// The version of a name, or the newest.
    ///
    /// # Errors
    /// There is no such version.
    pub async fn named_or_newest(self, task: &str, name: Option<&str>) -> Result<Version> {
        match name {
            Some(name) => self.get(task, name).await,
            None => self.list(Some(task)).await?.pop().ok_or_else(|| Error::NoActive { task: task.to_owned() }),
        }
    }

    /// The versions of a task or of all, oldest first.
    pub async fn list(self, task: Option<&str>) -> Result<Vec<Version>> {
        Ok(self.engine.store.versions(task).await?)
    }

    /// The names of a task's versions or of all, in the order they were registered.
    pub async fn names(self, task: Option<&str>) -> Result<Vec<VersionName>> {
        Ok(self.engine.store.version_names(task).await?)
    }

    /// Refuses a name that a new version can't have.
    ///
    /// # Errors
    /// It is no name, or taken.
    pub async fn check_new(self, task: &str, name: &str) -> Result<()> {
        Ok(self.engine.store.check_new_version(task, name).await?)
    }

    /// Makes the version that was active before the active one again; returns it, and the one that was.
    ///
    /// # Errors
    /// No earlier one is left.
    pub async fn roll_back(self, task: &str) -> Result<(Version, Option<String>)> {
        let active = self.engine.store.active_version(task).await?.map(|version| version.name);
        Ok((self.roll_back_from(task, active.as_deref()).await?, active))
    }

    /// The same if this one is active.
    pub(crate) async fn roll_back_from(self, task: &str, active: Option<&str>) -> Result<Version> {
        let version = self.engine.store.rollback(task, active, &self.engine.by, now()).await?;
        self.show_active(&version).await?;
        Ok(version)
    }

    /// Removes a version from the registry; its files are kept.
    ///
    /// # Errors
    /// It is active and not forced.
    pub async fn delete(self, task: &str, name: &str, force: bool) -> Result<Version> {
        let gone = self.engine.store.delete_version(task, name, force, &self.engine.by, now()).await?;
        // It is removed from the registry; its files in a bucket are now unused, and the sweep removes them later.
        let _ = self.withdraw(&gone).await;
        Ok(gone)
    }
}

/// Which version the caller believes to be active.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Seen<'a> {
    /// Whichever it is.
    #[default]
    Any,
    /// This one, or none.
    Active(Option<&'a str>),
}

impl Seen<'_> {
    /// Refuses what was decided on another state than there is.
    pub(crate) fn check(self, task: &str, found: Option<&str>) -> Result<()> {
        match self {
            Self::Active(expected) if expected != found => Err(graft_store::Error::ActiveChanged {
                task: task.to_owned(),
                expected: expected.map(str::to_owned),
                found: found.map(str::to_owned),
            }
            .into()),
            _ => Ok(()),
        }
    }
}
