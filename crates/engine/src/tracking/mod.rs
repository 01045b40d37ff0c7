//! Sends runs to external trackers, and reads runs of MLflow's experiments. Sending reads only the database, never the
//! process of a run, and no run waits for it.
//!
//! The stored cursor of each run and tracker is the only queue. Processes that execute runs also send, one process at a
//! time for each run; if one is killed, it or another one continues from the cursor.

mod card;
mod found;
mod send;

use std::sync::Arc;

use graft_core::{Timestamp, with_causes};
use graft_store::{Run, RunState, StudyState, Tracked};
use graft_track::{Access, Mlflow, Otlp, Place, Sink, SinkKind};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use card::flatten;
pub use found::{ComparedVersion, MlflowRuns};
pub(crate) use send::Sending;

use crate::{Engine, Error, Result, files::apart};

/// Where trackers are, and how to get in.
#[derive(Clone, Debug, Default)]
pub struct TrackingOptions {
    /// An MLflow server.
    pub mlflow: Option<(String, Access)>,
    /// A collector of OpenTelemetry metrics.
    pub otlp: Option<(String, Access)>,
    /// Where the page of this home is, for links.
    pub url: Option<String>,
}

/// The trackers of this process.
#[derive(Debug, Default)]
pub struct Trackers {
    sinks: Vec<Arc<dyn Sink>>,
    /// The one of them whose runs can be read.
    mlflow: Option<Arc<Mlflow>>,
    url: Option<String>,
}

impl Trackers {
    /// Those that are configured; none is called yet.
    ///
    /// # Errors
    /// An address or a file of certificates that can't be used.
    pub fn open(options: TrackingOptions) -> Result<Self> {
        let open = |(address, access): (String, Access)| Mlflow::new(&address, access).map(Arc::new);
        let mlflow = options.mlflow.map(open).transpose()?;
        let mut sinks: Vec<Arc<dyn Sink>> = Vec::new();
        sinks.extend(mlflow.iter().map(|mlflow| Arc::clone(mlflow) as Arc<dyn Sink>));
        if let Some((address, access)) = options.otlp {
            sinks.push(Arc::new(Otlp::new(&address, access)?));
        }
        Ok(Self { sinks, mlflow, url: options.url })
    }
}

/// What a tracker has of a run.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct TrackedRun {
    /// The tracker.
    pub tracker: SinkKind,
    /// How far it is.
    pub state: TrackedState,
    /// The run's page there.
    pub url: Option<String>,
    /// Why it could not be told, the last time.
    pub error: Option<String>,
    /// When it is tried again after that.
    pub retry_at: Option<Timestamp>,
    /// When it was last told something.
    pub sent_at: Option<Timestamp>,
}

graft_core::names! {
    /// How far a tracker is with a run.
    pub enum TrackedState {
        /// It was told nothing yet.
        Waiting = "waiting",
        /// It follows the run.
        Following = "following",
        /// It could not be told what is new; that is kept and sent later.
        Failing = "failing",
        /// It has everything.
        Sent = "sent",
    }
}

/// Trackers elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Tracking<'e> {
    pub(crate) engine: &'e Engine,
}

impl Engine {
    /// The same engine with trackers.
    #[must_use]
    pub fn with_trackers(self, trackers: Trackers) -> Self {
        Self { trackers: Arc::new(trackers), ..self }
    }

    /// Trackers elsewhere.
    #[must_use]
    pub fn tracking(&self) -> Tracking<'_> {
        Tracking { engine: self }
    }
}

impl Tracking<'_> {
    /// The trackers to which runs are sent.
    #[must_use]
    pub fn kinds(self) -> Vec<SinkKind> {
        self.engine.trackers.sinks.iter().map(|sink| sink.kind()).collect()
    }

    /// Refuses a run that is to be tracked where there is no tracker.
    pub(crate) fn check_wish(self, track: Option<bool>) -> Result<()> {
        if track == Some(true) && self.engine.trackers.sinks.is_empty() { Err(Error::NoTracker) } else { Ok(()) }
    }

    /// Notes that a run is to be sent to this process's trackers, unless the caller opted out.
    pub(crate) async fn note(self, run: &Run) -> Result<()> {
        if run.request.as_ref().is_some_and(|request| request["track"] == false) {
            return Ok(());
        }
        for sink in &self.engine.trackers.sinks {
            self.engine.store.track_run(&run.id, sink.kind().name()).await?;
        }
        Ok(())
    }

    /// Sends a run to the trackers that was not to be sent, such as one from before the trackers were configured.
    ///
    /// # Errors
    /// There is no such run, or no tracker.
    pub async fn add(self, run: &str) -> Result<Vec<TrackedRun>> {
        self.check_wish(Some(true))?;
        let run = self.engine.runs().get(run).await?;
        // The events of a run that an earlier version of Graft made are in its directory.
        self.engine.runs().known(&run.id).await?;
        for sink in &self.engine.trackers.sinks {
            self.engine.store.track_run(&run.id, sink.kind().name()).await?;
        }
        self.of(&run).await
    }

    /// Sends all that trackers lack, as far as that goes in some seconds.
    pub async fn send_now(self) {
        let say: crate::Say = Arc::new(|_, _| {});
        Sending::begin(self.engine, true, &say).end().await;
    }

    /// What each tracker has of a run.
    pub async fn of(self, run: &Run) -> Result<Vec<TrackedRun>> {
        let known = self.engine.store.tracked(&run.id).await?;
        let newest = if known.is_empty() { None } else { self.engine.store.last_event(&run.id).await? };
        let newest = newest.map_or(0, |event| event.seq);
        Ok(known.iter().filter_map(|known| shown(known, run, newest)).collect())
    }

    /// Calls each tracker; what was found, and what it still lacks.
    pub(crate) async fn look(self) -> Vec<(SinkKind, Result<String>)> {
        let mut found = Vec::new();
        for sink in &self.engine.trackers.sinks {
            let kind = sink.kind();
            let called = Arc::clone(sink);
            let answer = apart("call a tracker", move || Ok(called.check()?)).await;
            let answer = match (answer, self.engine.store.tracker_backlog(kind.name()).await) {
                (Ok(text), Ok((0, _))) => Ok(text),
                (Ok(text), Ok((behind, why))) => {
                    let why = why.map(|why| format!(", the last time it failed to {why}")).unwrap_or_default();
                    Ok(format!("{text}; {behind} runs still have to be sent{why}"))
                }
                (Ok(_), Err(error)) => Err(error.into()),
                (Err(error), _) => Err(error),
            };
            found.push((kind, answer));
        }
        found
    }
}

fn shown(known: &Tracked, run: &Run, newest: u64) -> Option<TrackedRun> {
    let place: Option<Place> = known.place.clone().and_then(|place| serde_json::from_value(place).ok());
    let is_whole = known.state == Some(run.state) && known.seq >= newest;
    let state = match &known.error {
        Some(_) => TrackedState::Failing,
        None if is_whole && !run.state.is_active() => TrackedState::Sent,
        None if place.is_some() => TrackedState::Following,
        None => TrackedState::Waiting,
    };
    Some(TrackedRun {
        tracker: known.tracker.parse().ok()?,
        state,
        url: place.and_then(|place| place.url),
        error: known.error.as_ref().map(|error| format!("failed to {error}")),
        retry_at: known.error.is_some().then_some(known.not_before),
        sent_at: known.sent_at,
    })
}

/// What trackers call a state.
fn status(state: RunState) -> graft_track::Status {
    use graft_track::Status;
    match state {
        RunState::Queued => Status::Scheduled,
        RunState::Starting | RunState::Running => Status::Running,
        RunState::Succeeded => Status::Finished,
        RunState::Failed => Status::Failed,
        RunState::Cancelled => Status::Killed,
    }
}

/// What trackers call the state of a study.
fn study_status(state: StudyState) -> graft_track::Status {
    use graft_track::Status;
    match state {
        StudyState::Running => Status::Running,
        StudyState::Done => Status::Finished,
        StudyState::Stopped => Status::Killed,
    }
}

/// An error as it is kept with a run.
fn kept(error: &Error) -> String {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}{hint}", with_causes(error))
}
