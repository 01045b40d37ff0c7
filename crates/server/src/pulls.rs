//! Downloads of base models in the background.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use graft_core::Timestamp;
use graft_engine::{Download, Engine, RunDownload, StopDownload, now};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::{Kind, Problem};

/// Downloads that are remembered.
const MOST: usize = 100;

/// Downloads under way, and how those before ended, by name; another process has others.
#[derive(Clone, Debug, Default)]
pub struct Pulls(Arc<Mutex<BTreeMap<String, Pull>>>);

/// A download.
#[derive(Clone, Debug)]
struct Pull {
    shown: PullView,
    stop: StopDownload,
}

/// The progress or result of a download.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PullView {
    /// Where it is.
    pub state: PullState,
    /// The file that is being downloaded.
    pub file: Option<String>,
    /// Bytes of it that are here.
    pub done_bytes: u64,
    /// Bytes of it in all; 0 while unknown.
    pub total_bytes: u64,
    /// Why it failed.
    pub problem: Option<Problem>,
    /// The run that downloads it; absent for a download that a person started.
    pub run: Option<String>,
    /// Who asked for it, or submitted the run.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// Where a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PullState {
    /// In progress.
    Running,
    /// All files are here.
    Done,
    /// Somebody stopped it; the next one continues it.
    Cancelled,
    /// It could not be done.
    Failed,
}

impl From<RunDownload> for PullView {
    fn from(download: RunDownload) -> Self {
        let RunDownload { base: _, run, file, done_bytes, total_bytes, by, at } = download;
        let (state, run) = (PullState::Running, Some(run));
        Self { state, file, done_bytes, total_bytes, problem: None, run, by, at }
    }
}

impl Pulls {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Pull>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a download, or returns the one of this name in progress.
    pub(crate) fn begin(&self, engine: Engine, name: String, terms_accepted: bool) -> Result<PullView, Problem> {
        let mut all = self.all();
        if let Some(pull) = all.get(&name).filter(|pull| pull.shown.state == PullState::Running) {
            return Ok(pull.shown.clone());
        }
        if all.len() >= MOST {
            all.retain(|_, pull| pull.shown.state == PullState::Running);
        }
        if all.len() >= MOST {
            return Err(Problem::new(Kind::TooManyRequests, "too many base models are being downloaded"));
        }
        let shown = PullView {
            state: PullState::Running,
            file: None,
            done_bytes: 0,
            total_bytes: 0,
            problem: None,
            run: None,
            by: engine.by.clone(),
            at: now(),
        };
        let stop = StopDownload::default();
        all.insert(name.clone(), Pull { shown: shown.clone(), stop: stop.clone() });
        let pulls = self.clone();
        tokio::spawn(async move {
            let (told, at) = (pulls.clone(), name.clone());
            let progress = move |progress: Download<'_>| {
                told.change(&at, |shown| {
                    shown.file = Some(progress.file.to_owned());
                    (shown.done_bytes, shown.total_bytes) = (progress.done_bytes, progress.total_bytes);
                });
            };
            let ended = engine.bases().pull_until(&name, terms_accepted, stop, progress).await;
            pulls.change(&name, |shown| match ended {
                Ok(_) => shown.state = PullState::Done,
                Err(error) if error.exit_code() == graft_core::ExitCode::Stopped => shown.state = PullState::Cancelled,
                Err(error) => {
                    shown.state = PullState::Failed;
                    shown.problem = Some(Problem::from(error));
                }
            });
        });
        Ok(shown)
    }

    /// Asks a download to stop.
    pub(crate) fn cancel(&self, name: &str) -> Option<PullView> {
        let all = self.all();
        let pull = all.get(name)?;
        pull.stop.ask();
        Some(pull.shown.clone())
    }

    /// Downloads by name.
    pub(crate) fn list(&self) -> BTreeMap<String, PullView> {
        self.all().iter().map(|(name, pull)| (name.clone(), pull.shown.clone())).collect()
    }

    /// Forgets how a download ended.
    pub(crate) fn forget(&self, name: &str) {
        self.all().remove(name);
    }

    fn change(&self, name: &str, change: impl FnOnce(&mut PullView)) {
        if let Some(pull) = self.all().get_mut(name) {
            change(&mut pull.shown);
        }
    }
}
