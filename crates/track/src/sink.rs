//! The interface of all trackers.

use std::{fmt, path::PathBuf, str::FromStr};

use graft_core::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

graft_core::names! {
    /// The kinds of trackers.
    #[schema(as = TrackerKind)]
    pub enum SinkKind {
        /// An MLflow server, 2.x or 3.x.
        Mlflow = "mlflow",
        /// A collector of OpenTelemetry metrics.
        Otlp = "otlp",
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
        Self::named(name).ok_or_else(|| format!("`{name}` is not a tracker"))
    }
}

/// What is known of a run when it starts and never changes.
#[derive(Clone, Debug, Default)]
pub struct RunCard {
    /// Its name, unique within the home.
    pub run: String,
    /// Id of the home's database: two homes may have runs of the same name.
    pub instance: String,
    /// Name of the task.
    pub task: String,
    /// Who requested it.
    pub user: String,
    /// When it was requested.
    pub at: Timestamp,
    /// URL of the run's page.
    pub url: Option<String>,
    /// Settings, by dotted name.
    pub params: Vec<(String, String)>,
    /// Tags for searching.
    pub tags: Vec<(String, String)>,
    /// The dataset that it is trained on or evaluated with.
    pub dataset: Option<DatasetInput>,
    /// The run that it is a part of, by the tracker's id.
    pub parent: Option<String>,
}

/// A dataset that a run uses.
#[derive(Clone, Debug)]
pub struct DatasetInput {
    /// Its name.
    pub name: String,
    /// Its digest, in hexadecimal.
    pub digest: String,
    /// Number of training examples.
    pub train: u64,
    /// Number of held-out examples.
    pub eval: u64,
    /// Its purpose: `training` or `evaluation`.
    pub context: &'static str,
}

/// State of a run, as trackers define it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits in the queue.
    Scheduled,
    /// It is running.
    Running,
    /// It succeeded.
    Finished,
    /// It failed.
    Failed,
    /// A person stopped it.
    Killed,
}

/// Location of a run on a tracker; stored between calls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The tracker's id of the run.
    pub id: String,
    /// URL of its page there.
    pub url: Option<String>,
    /// Where its files are uploaded.
    pub files: Option<String>,
}

/// A number of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Name of the series.
    pub series: String,
    /// May be NaN or infinite.
    pub value: f64,
    /// Optimizer steps taken.
    pub step: u64,
    /// When it was measured.
    pub at: Timestamp,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Its final state.
    pub status: Status,
    /// When.
    pub at: Timestamp,
    /// Tags that are known now.
    pub tags: Vec<(String, String)>,
    /// Files to store with the run.
    pub files: Vec<File>,
    /// The version that it made.
    pub model: Option<Model>,
}

/// A file to store with a run.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path there, separated by `/`.
    pub path: String,
    /// Its content.
    pub content: Content,
}

/// Content of a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The content of a file of this machine.
    At(PathBuf),
}

/// A version for the tracker's model registry.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name of the model: the task.
    pub name: String,
    /// Name of the version in Graft.
    pub version: String,
    /// Its folder among the run's files.
    pub folder: &'static str,
    /// Tags.
    pub tags: Vec<(String, String)>,
}

/// A stage of a model, and its version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// `active`, `canary` or `shadow`.
    pub stage: String,
    /// The version, or none.
    pub version: Option<String>,
}

/// A tracker. All calls are idempotent.
pub trait Sink: Send + Sync + fmt::Debug {
    /// Its kind.
    fn kind(&self) -> SinkKind;

    /// Its address without secrets.
    fn address(&self) -> &str;

    /// Checks that it can be reached and accepts the credentials; returns a description.
    ///
    /// # Errors
    /// If not.
    fn check(&self) -> Result<String, Error>;

    /// Creates a run on the tracker, unless it exists.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn begin(&self, run: &RunCard, status: Status) -> Result<Place, Error>;

    /// Sends points. With `again`, some of them may have arrived before; they must not be stored twice.
    ///
    /// # Errors
    /// As [`check`](Self::check); some points may have arrived then.
    fn log(&self, run: &RunCard, place: &Place, points: &[Point], again: bool) -> Result<(), Error>;

    /// Reports that a run is running or waiting again.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn go_on(&self, place: &Place, status: Status) -> Result<(), Error>;

    /// Sends the end of a run: files and model first, the final status last.
    ///
    /// # Errors
    /// As [`check`](Self::check); or if a file can't be read.
    fn end(&self, run: &RunCard, place: &Place, ending: &Ending) -> Result<(), Error>;

    /// Sends the stages of those versions of a model that this home registered.
    ///
    /// # Errors
    /// As [`check`](Self::check).
    fn stages(&self, model: &str, instance: &str, aliases: &[Alias]) -> Result<(), Error>;
}
