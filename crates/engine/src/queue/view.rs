//! A run as people look at it.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
};

use graft_core::{Event, EventKind, Phase, Timestamp};
use graft_store::{Run, RunFilter, RunKind, RunState, Version};
use graft_train::TrainingRun;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{EvaluationRequest, RunFailure, RunRequest};
use crate::{Engine, Error, Result};

/// How far a run is, from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// What it does: `prepare`, `search`, `train` or `evaluate`.
    pub phase: Option<String>,
    /// Optimiser steps taken, or held-out examples answered.
    pub step: u64,
    /// Optimiser steps in all, or held-out examples; 0 while unknown.
    pub of: u64,
    /// From 0 to 100.
    pub percent: f64,
    /// Loss of the last step.
    pub loss: Option<f64>,
    /// Seconds left at the present pace.
    pub eta_s: Option<f64>,
    /// Prompt and answer tokens a second.
    pub tokens_per_s: Option<f64>,
    /// The last event taken in: a cursor.
    pub seq: u64,
    /// When the phase began.
    #[serde(skip)]
    since: Timestamp,
}

impl Progress {
    /// Takes in one event.
    pub fn take(&mut self, event: &Event) {
        self.seq = event.seq;
        match &event.kind {
            EventKind::Phase { phase } => {
                self.phase = Some(phase.name().to_owned());
                self.since = event.at;
                if *phase == Phase::Evaluate {
                    self.eta_s = Some(0.0);
                }
            }
            EventKind::Prepared { steps, .. } => self.of = *steps,
            EventKind::Step { step, of, loss, tokens_per_s, eta_s, .. } => {
                let finite = |number: f64| Some(number).filter(|number| number.is_finite());
                (self.step, self.of) = (*step, *of);
                (self.loss, self.eta_s, self.tokens_per_s) = (finite(*loss), finite(*eta_s), finite(*tokens_per_s));
            }
            EventKind::Answered { done, of } => {
                (self.step, self.of) = (*done as u64, *of as u64);
                let spent = (event.at - self.since) as f64 / 1000.0;
                self.eta_s = (*done > 0).then(|| spent / *done as f64 * of.saturating_sub(*done) as f64);
            }
            EventKind::Resumed { step } => self.step = *step,
            EventKind::Done { steps, .. } => (self.step, self.of) = (*steps, *steps),
            _ => {}
        }
        self.percent = if self.of == 0 { 0.0 } else { 100.0 * self.step as f64 / self.of as f64 };
    }
}

/// Why a run doesn't go on, and when that is looked at again.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Waiting {
    /// Why.
    pub why: String,
    /// When it may change; absent where that depends on something else.
    pub until: Option<Timestamp>,
}

/// A run with all that belongs to it.
#[derive(Clone, Debug, Serialize)]
pub struct RunView {
    /// The run.
    pub run: Run,
    /// The version it was registered as, or that it measures.
    pub version: Option<Version>,
    /// How far it is, or was.
    pub progress: Option<Progress>,
    /// What training itself measured, once it has ended well.
    pub result: Option<TrainingRun>,
    /// Whether its trainer lives on this machine.
    pub pid_alive: bool,
    /// Why it doesn't go on, while it is queued.
    pub waiting: Option<Waiting>,
    /// Why it failed.
    pub failure: Option<RunFailure>,
    /// The command that does the same.
    pub command: Option<String>,
    /// What of its directory can't be read.
    pub damage: Option<String>,
}

/// One of the two logs of a trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogStream {
    /// Progress.
    Stdout,
    /// Errors.
    Stderr,
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct LogText {
    /// Whole characters from the offset on.
    pub text: String,
    /// The offset to go on from.
    pub next: u64,
    /// Bytes the log has now.
    pub size: u64,
}

/// Bytes of a log that are given at once.
const LOG_PART: u64 = 256 << 10;

impl Engine {
    /// One run, with everything about it.
    ///
    /// # Errors
    /// There is none.
    pub async fn run_view(&self, id: &str) -> Result<RunView> {
        let run = self.store.run(id).await?;
        let versions = self.store.versions(Some(&run.task)).await?;
        self.view(run, &versions).await
    }

    /// The runs that match, newest first, and how many there are in all.
    ///
    /// # Errors
    /// What the store says.
    pub async fn run_views(&self, filter: &RunFilter) -> Result<(Vec<RunView>, u64)> {
        let versions = self.store.versions(filter.task.as_deref()).await?;
        let mut views = Vec::new();
        for run in self.store.runs(filter).await? {
            views.push(self.view(run, &versions).await?);
        }
        Ok((views, self.store.count_runs(filter).await?))
    }

    async fn view(&self, run: Run, versions: &[Version]) -> Result<RunView> {
        let dir = self.run_dir(&run);
        let its = |version: &&Version| match run.kind {
            RunKind::Train => version.run.as_deref() == Some(run.id.as_str()),
            RunKind::Evaluate => version.task == run.task && run.version.as_deref() == Some(version.name.as_str()),
        };
        let version = versions.iter().find(its).cloned();
        // Damage of one run must not hide the others, nor what else is known of it.
        let read = self.progress(&run).and_then(|progress| Ok((progress, dir.result()?)));
        let (progress, result, damage) = match read {
            Ok((progress, result)) => (progress, result, None),
            Err(error) => (None, None, Some(format!("failed to {}", graft_core::with_causes(&error)))),
        };
        Ok(RunView {
            version,
            progress,
            result,
            damage,
            pid_alive: self.is_alive(&run),
            waiting: self.waiting(&run).await?,
            failure: RunFailure::of(&run),
            command: command_of(&run),
            run,
        })
    }

    /// How far a run is, if it ever began on this machine.
    ///
    /// # Errors
    /// Its events are damaged.
    pub fn progress(&self, run: &Run) -> Result<Option<Progress>> {
        let events = self.run_dir(run).events_after(0)?;
        if events.is_empty() {
            return Ok(None);
        }
        let mut progress = Progress::default();
        events.iter().for_each(|event| progress.take(event));
        if run.state == RunState::Succeeded {
            progress.percent = 100.0;
        }
        Ok(Some(progress))
    }

    /// The events of a run after a `seq`.
    ///
    /// # Errors
    /// They are damaged.
    pub fn events(&self, run: &Run, after: u64) -> Result<Vec<Event>> {
        Ok(self.run_dir(run).events_after(after)?)
    }

    /// Why a queued run doesn't go on.
    ///
    /// # Errors
    /// What the store says.
    pub async fn waiting(&self, run: &Run) -> Result<Option<Waiting>> {
        if run.state != RunState::Queued || run.lease_owner.is_some() {
            return Ok(None);
        }
        let now = self.store.now().await?;
        if let Some(until) = run.not_before.filter(|until| *until > now) {
            let why = "it is tried again after a failure that may pass".to_owned();
            return Ok(Some(Waiting { why, until: Some(until) }));
        }
        if let Some(after) = &run.after_run
            && self.store.run(after).await.is_ok_and(|run| run.state.is_active())
        {
            return Ok(Some(Waiting { why: format!("it follows run {after}"), until: None }));
        }
        if self.store.workers(now - crate::worker::SEEN_WITHIN).await?.is_empty() {
            let why = "no worker is running: `graft worker` or `graft serve` starts one".to_owned();
            return Ok(Some(Waiting { why, until: None }));
        }
        let why = match self.store.next_run().await? {
            Some(next) if next.id == run.id => "every worker is busy".to_owned(),
            Some(next) => format!("run {} comes first", next.id),
            None => "a worker is about to take it".to_owned(),
        };
        Ok(Some(Waiting { why, until: None }))
    }

    /// Part of a run's log, from a byte offset on.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn log(&self, run: &Run, stream: LogStream, offset: u64) -> Result<LogText> {
        let name = if stream == LogStream::Stderr { "stderr.log" } else { "stdout.log" };
        let path = self.run_dir(run).path().join(name);
        let mut file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(LogText { text: String::new(), next: 0, size: 0 });
            }
            Err(source) => return Err(Error::Io { doing: "open", path, source }),
        };
        let mut bytes = Vec::new();
        let read = file.metadata().and_then(|about| {
            let size = about.len();
            file.seek(SeekFrom::Start(offset.min(size)))?;
            (&mut file).take(LOG_PART).read_to_end(&mut bytes)?;
            Ok(size)
        });
        let size = read.map_err(|source| Error::Io { doing: "read", path, source })?;
        let offset = offset.min(size);
        let whole = whole_characters(&bytes);
        let text = String::from_utf8_lossy(&bytes[..whole]).into_owned();
        Ok(LogText { text, next: offset + whole as u64, size })
    }
}

/// The command that does the same as a run of the queue.
fn command_of(run: &Run) -> Option<String> {
    let request = run.request.clone()?;
    Some(match run.kind {
        RunKind::Train => serde_json::from_value::<RunRequest>(request).ok()?.command(),
        RunKind::Evaluate => serde_json::from_value::<EvaluationRequest>(request).ok()?.command(),
    })
}

/// Bytes that end with a whole character, or with what will never become one.
fn whole_characters(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => bytes.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_cut_between_characters() {
        assert_eq!(whole_characters("aü".as_bytes()), 3);
        assert_eq!(whole_characters(&"aü".as_bytes()[..2]), 1);
        assert_eq!(whole_characters(&[b'a', 0xff, b'b']), 3);
    }

    #[test]
    fn progress_follows_events() {
        let mut progress = Progress::default();
        let event = |seq, kind| Event { seq, at: 0, kind };
        progress.take(&event(1, EventKind::Phase { phase: Phase::Train }));
        let step = EventKind::Step {
            step: 5,
            of: 20,
            loss: f64::NAN,
            lr: 1.0,
            grad_norm: 1.0,
            tokens_per_s: 9.0,
            eta_s: 3.0,
            memory: None,
        };
        progress.take(&event(2, step));
        assert_eq!((progress.percent, progress.loss, progress.eta_s, progress.seq), (25.0, None, Some(3.0), 2));
        assert_eq!(progress.phase.as_deref(), Some("train"));
        progress.take(&event(3, EventKind::Phase { phase: Phase::Evaluate }));
        progress.take(&Event { seq: 4, at: 6000, kind: EventKind::Answered { done: 3, of: 4 } });
        assert_eq!((progress.step, progress.percent, progress.eta_s), (3, 75.0, Some(2.0)));
    }
}
