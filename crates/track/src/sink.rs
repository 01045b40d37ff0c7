//! What every tracker can be told.

use std::{fmt, path::PathBuf, str::FromStr};

use graft_core::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Error;

/// The trackers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = TrackerKind)]
pub enum SinkKind {
    /// An MLflow server, 2.x or 3.x.
    Mlflow,
    /// A collector of OpenTelemetry metrics.
    Otlp,
}

impl SinkKind {
    /// As stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mlflow => "mlflow",
            Self::Otlp => "otlp",
        }
    }
}

impl fmt::Display for SinkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SinkKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        [Self::Mlflow, Self::Otlp]
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| format!("`{name}` is no tracker"))
    }
}

/// A run as a tracker files it: what is known when it begins, and never changes.
#[derive(Clone, Debug, Default)]
pub struct RunCard {
    /// Its name, unique within the home.
    pub run: String,
    /// The word of the home's database: two homes may have runs of the same name.
    pub instance: String,
    /// Name of the task.
    pub task: String,
    /// Who asked for it.
    pub user: String,
    /// When it was asked for.
    pub at: Timestamp,
    /// The run's page.
    pub url: Option<String>,
    /// Settings, by dotted name.
    pub params: Vec<(String, String)>,
    /// Facts that people search for.
    pub tags: Vec<(String, String)>,
    /// What it learns from, or is measured with.
    pub dataset: Option<DatasetInput>,
}

/// A dataset that a run uses.
#[derive(Clone, Debug)]
pub struct DatasetInput {
    /// Its name.
    pub name: String,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// Examples learned from.
    pub train: u64,
    /// Examples held out.
    pub eval: u64,
    /// What it is for: `training` or `evaluation`.
    pub context: &'static str,
}

/// Where a run is in its life, as trackers know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for its turn.
    Scheduled,
    /// It is under way.
    Running,
    /// It has a result.
    Finished,
    /// It ended without one.
    Failed,
    /// Somebody stopped it.
    Killed,
}

/// Where a tracker filed a run; kept between calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The tracker's own name of the run.
    pub id: String,
    /// Its page there.
    pub url: Option<String>,
    /// Where its files go.
    pub files: Option<String>,
}

/// A number of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What it measures.
    pub series: String,
    /// May be no finite number.
    pub value: f64,
    /// Optimiser steps taken.
    pub step: u64,
    /// When it was measured.
    pub at: Timestamp,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// How.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// What is known now.
    pub tags: Vec<(String, String)>,
    /// Files to be kept with the run.
    pub files: Vec<File>,
    /// The version that was made of it.
    pub model: Option<Model>,
}

/// A file to be kept with a run.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path there, with `/`.
    pub path: String,
    /// What is in it.
    pub content: Content,
}

/// What is in a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// Those of a file of this machine.
    At(PathBuf),
}

/// A version, as a registry of models files it.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name of the model: the task.
    pub name: String,
    /// Name of the version in Graft.
    pub version: String,
    /// The folder among the run's files.
    pub folder: &'static str,
    /// Facts about it.
    pub tags: Vec<(String, String)>,
}

/// A stage of a model, and the version of Graft that has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// `active`, `canary` or `shadow`.
    pub stage: String,
    /// The version, or none.
    pub version: Option<String>,
}

/// A tracker. Every call may be repeated after a failure.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Which.
    fn kind(&self) -> SinkKind;

    /// Its address without secrets.
    fn address(&self) -> &str;

    /// Whether it can be reached and lets us in; what was found.
    ///
    /// # Errors
    /// Why not.
    fn check(&self) -> Result<String, Error>;

    /// Files a run, unless it is there already.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn begin(&self, run: &RunCard, status: Status) -> Result<Place, Error>;

    /// Takes numbers. `again` says that some of them may have arrived before: they must not be there twice.
    ///
    /// # Errors
    /// As [`check`](Self::check); then some may have arrived.
    fn log(&self, run: &RunCard, place: &Place, points: &[Point], again: bool) -> Result<(), Error>;

    /// Says that a run goes on or waits again.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn go_on(&self, place: &Place, status: Status) -> Result<(), Error>;

    /// Takes the end of a run: files and the model first, the final status last.
    ///
    /// # Errors
    /// As [`check`](Self::check); a file that can't be read.
    fn end(&self, run: &RunCard, place: &Place, ending: &Ending) -> Result<(), Error>;

    /// Makes the stages of a model's versions known, of those that a home registered.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn stages(&self, model: &str, instance: &str, aliases: &[Alias]) -> Result<(), Error>;
}
