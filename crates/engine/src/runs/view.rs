//! A run as it is displayed.

use graft_core::{Event, EventKind, InterimScores, Phase, Timestamp};
use graft_store::{
    Findings, FollowCursor, Followed, LogStream, LogText, Run, RunFilter, RunKind, RunState, Version, VersionName,
};
use graft_train::{RunDir, TrainingRun};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{EvaluationRequest, RunFailure, RunRequest, Runs};
use crate::{RentalView, Result, TrackedRun, files::apart, upkeep::SEEN_WITHIN};

/// How far a run is, from its events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// What it does: `download`, `prepare`, `search`, `train` or `evaluate`.
    pub phase: Option<String>,
    /// Optimiser steps taken, held-out examples answered, or bytes downloaded of a file.
    pub step: u64,
    /// Optimiser steps in all, held-out examples, or bytes of the file; 0 while unknown.
    pub of: u64,
    /// From 0 to 100.
    pub percent: f64,
    /// Loss of the last step.
    pub loss: Option<f64>,
    /// The last measurement on held-out examples.
    #[serde(default)]
    pub held_out: Option<HeldOut>,
    /// Estimated seconds left.
    pub eta_s: Option<f64>,
    /// Prompt and answer tokens a second.
    pub tokens_per_s: Option<f64>,
    /// The file that is being downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The baseline's score, if it was measured before the training.
    #[serde(default)]
    pub baseline: Option<Baseline>,
    /// The last event taken in: a cursor.
    pub seq: u64,
    /// When the phase began.
    #[serde(skip)]
    since: Timestamp,
    /// Why its process seems to do nothing; told as [`RunView::waiting`].
    #[serde(skip)]
    pub(crate) stall: Option<String>,
}

impl Progress {
    /// As it is kept with the run.
    pub(crate) fn keep(&self) -> Value {
        json!({"progress": self, "since": self.since, "stall": self.stall})
    }

    /// As it was kept with the run.
    pub(crate) fn kept(kept: Option<&Value>) -> Self {
        let Some(kept) = kept else { return Self::default() };
        let progress = Self::deserialize(&kept["progress"]).unwrap_or_default();
        let stall = kept["stall"].as_str().map(str::to_owned);
        Self { since: kept["since"].as_i64().unwrap_or_default(), stall, ..progress }
    }

    /// Takes in how much of a file of the base model is here.
    pub(crate) fn downloads(&mut self, file: Option<&str>, done_bytes: u64, total_bytes: u64) {
        self.phase = Some(Phase::Download.name().to_owned());
        self.file = file.map(str::to_owned);
        (self.step, self.of) = (done_bytes, total_bytes);
        self.reckon();
    }

    fn reckon(&mut self) {
        self.percent = if self.of == 0 { 0.0 } else { 100.0 * self.step as f64 / self.of as f64 };
    }

    /// Takes in one event.
    pub fn take(&mut self, event: &Event) {
        self.seq = event.seq;
        match &event.kind {
            EventKind::Phase { phase } => {
                if self.phase.as_deref() == Some(Phase::Download.name()) {
                    (self.step, self.of, self.file) = (0, 0, None);
                }
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
            EventKind::Eval { step, loss, scores, .. } => {
                let before = self.held_out.take().and_then(|before| before.scores);
                let loss = Some(*loss).filter(|loss| loss.is_finite());
                self.held_out = Some(HeldOut { step: *step, loss, scores: scores.clone().or(before) });
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
        self.reckon();
    }
}

/// A measurement on held-out examples during a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HeldOut {
    /// Optimiser steps taken before it.
    pub step: u64,
    /// Mean loss per supervised token.
    pub loss: Option<f64>,
    /// Scores of the adapter's answers, from this measurement or from the newest one that scored answers.
    pub scores: Option<InterimScores>,
}

/// What answers without a language model, and how well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = RunBaseline)]
pub struct Baseline {
    /// What it is: `regex`, `n-grams`, …
    pub name: String,
    /// Name of the metric.
    pub metric: String,
    /// From 0 to 1, on the held-out examples.
    pub value: f64,
}

/// Why a run makes no progress, and when this is checked again.
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
    pub version: Option<VersionName>,
    /// How far it is, or was.
    pub progress: Option<Progress>,
    /// What training itself measured, once it has ended well.
    pub result: Option<TrainingRun>,
    /// Whether its trainer is running on this machine.
    pub pid_alive: bool,
    /// Why it makes no progress: it waits, or its process is stopped or silent.
    pub waiting: Option<Waiting>,
    /// Why it failed.
    pub failure: Option<RunFailure>,
    /// The command that does the same.
    pub command: Option<String>,
    /// What of its directory can't be read.
    pub damage: Option<String>,
    /// What trackers elsewhere have of it.
    pub tracking: Vec<TrackedRun>,
    /// The machines that were rented for it.
    pub rentals: Vec<RentalView>,
}

/// A base model that a run downloads now.
#[derive(Clone, Debug)]
pub struct RunDownload {
    /// Its name.
    pub base: String,
    /// The run.
    pub run: String,
    /// The file that is being downloaded.
    pub file: Option<String>,
    /// Bytes of the file that are here.
    pub done_bytes: u64,
    /// Bytes of the file; 0 while unknown.
    pub total_bytes: u64,
    /// Who submitted the run.
    pub by: String,
    /// When the run started.
    pub at: Timestamp,
}

/// How far the follower of a run has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pulse {
    /// What it has taken in.
    pub cursor: FollowCursor,
    /// Whether the run has ended, and how; it may be gone altogether.
    pub ended: Option<Option<RunState>>,
}

/// What is new of a run.
#[derive(Clone, Debug)]
pub struct News {
    /// Its next events.
    pub events: Vec<Event>,
    /// The next parts of stdout and stderr.
    pub logs: [LogText; 2],
}

impl Runs<'_> {
    /// A run.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn get(self, id: &str) -> Result<Run> {
        Ok(self.engine.store.run(id).await?)
    }

    /// The directory of a run on this machine.
    ///
    /// # Errors
    /// There is no such run.
    pub async fn dir(self, id: &str) -> Result<RunDir> {
        Ok(self.engine.home.run_dir(&self.get(id).await?))
    }

    /// Runs, newest first.
    pub async fn list(self, filter: &RunFilter) -> Result<Vec<Run>> {
        Ok(self.engine.store.runs(filter).await?)
    }

    /// One run, with everything about it.
    ///
    /// # Errors
    /// There is none.
    pub async fn view(self, id: &str) -> Result<RunView> {
        let run = self.engine.store.run(id).await?;
        let versions = self.engine.store.version_names(Some(&run.task)).await?;
        let known = self.engine.store.followed(id).await?;
        self.view_of(run, &versions, known).await
    }

    /// The runs that match, newest first, and how many there are in all.
    pub async fn views(self, filter: &RunFilter) -> Result<(Vec<RunView>, u64)> {
        let versions = self.engine.store.version_names(filter.task.as_deref()).await?;
        let runs = self.engine.store.runs(filter).await?;
        Ok((self.views_of(runs, &versions).await?, self.engine.store.count_runs(filter).await?))
    }

    /// The runs with these names, newest first; a name without a run is left out.
    pub(super) async fn views_named(self, ids: &[&str]) -> Result<Vec<RunView>> {
        let runs = self.engine.store.runs_named(ids).await?;
        self.views_of(runs, &self.engine.store.version_names(None).await?).await
    }

    /// The base models that runs download now, on this machine or another.
    pub async fn downloads(self) -> Result<Vec<RunDownload>> {
        let mut runs = self.engine.store.taken_runs().await?;
        runs.retain(|run| run.state != RunState::Queued && run.phase.as_deref() == Some(Phase::Download.name()));
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
        let mut known = self.engine.store.followed_of(&ids).await?;
        let download = |run: Run| {
            let kept = known.remove(&run.id).and_then(|followed| followed.progress);
            let progress = Progress::kept(kept.as_ref());
            RunDownload {
                base: self.engine.bases().parse(&run.base).unwrap_or(run.base),
                file: progress.file,
                done_bytes: progress.step,
                total_bytes: progress.of,
                by: run.created_by,
                at: run.started_at.unwrap_or(run.created_at),
                run: run.id,
            }
        };
        Ok(runs.into_iter().map(download).collect())
    }

    async fn views_of(self, runs: Vec<Run>, versions: &[VersionName]) -> Result<Vec<RunView>> {
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
        let mut known = self.engine.store.followed_of(&ids).await?;
        let mut views = Vec::new();
        for run in runs {
            let known = known.remove(&run.id);
            views.push(self.view_of(run, versions, known).await?);
        }
        Ok(views)
    }

    async fn view_of(self, run: Run, versions: &[VersionName], known: Option<Followed>) -> Result<RunView> {
        let its = |version: &&VersionName| match run.kind {
            RunKind::Train => version.run.as_deref() == Some(run.id.as_str()),
            RunKind::Evaluate => version.task == run.task && run.version.as_deref() == Some(version.name.as_str()),
        };
        let version = versions.iter().find(its).cloned();
        // Damage of one run must not hide the others, nor what else is known of it.
        let (known, damage) = match known {
            Some(known) => (known, None),
            None => match self.bring_in(&run).await {
                Ok(known) => (known, None),
                Err(error) => (Followed::default(), Some(format!("failed to {}", graft_core::with_causes(&error)))),
            },
        };
        let mut progress = known.progress.map(|kept| Progress::kept(Some(&kept)));
        if let Some(progress) = &mut progress
            && run.state == RunState::Succeeded
        {
            progress.percent = 100.0;
        }
        let stall = progress.as_mut().and_then(|progress| progress.stall.take()).filter(|_| run.state.is_active());
        let waiting = match stall {
            Some(why) => Some(Waiting { why, until: None }),
            None => self.waiting(&run).await?,
        };
        Ok(RunView {
            tracking: self.engine.tracking().of(&run).await?,
            version,
            progress,
            result: known.result.and_then(|result| serde_json::from_value(result).ok()),
            damage,
            pid_alive: self.looks_alive(&run).await,
            waiting,
            failure: RunFailure::of(&run),
            command: command_of(&run),
            rentals: match &run.machine {
                Some(_) => self.engine.machines().rentals(Some(&run.id)).await?,
                None => Vec::new(),
            },
            run,
        })
    }

    /// All of a version of a run.
    pub(super) async fn version_of(self, named: Option<&VersionName>) -> Result<Option<Version>> {
        Ok(match named {
            Some(named) => Some(self.engine.store.version(&named.task, &named.name).await?),
            None => None,
        })
    }

    /// As [`is_alive`](Self::is_alive), without holding others up.
    async fn looks_alive(self, run: &Run) -> bool {
        if !run.state.is_active() {
            return false;
        }
        let (engine, run) = (self.engine.clone(), run.clone());
        apart("look for its trainer", move || Ok(engine.runs().is_alive(&run))).await.unwrap_or_default()
    }

    /// What is known of a run that was never followed: one that an earlier version of Graft trained is read from its
    /// directory, once.
    async fn bring_in(self, run: &Run) -> Result<Followed> {
        if run.state.is_active() {
            return Ok(Followed::default());
        }
        let dir = self.engine.home.run_dir(run);
        let read = apart("read the run's directory", move || read_whole(&dir)).await?;
        let Some(findings) = read else { return Ok(Followed::default()) };
        self.engine.store.import_findings(run, &findings).await?;
        Ok(self.engine.store.followed(&run.id).await?.unwrap_or_default())
    }

    /// The events of a run after a `seq`; of many steps some.
    ///
    /// # Errors
    /// There is no such run; those of an earlier version's run are damaged.
    pub async fn events(self, id: &str, after: u64) -> Result<Vec<Event>> {
        self.known(id).await?;
        Ok(self.engine.store.run_events(id, after, u32::MAX).await?)
    }

    /// How far a run is, and what came of it.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub async fn known(self, id: &str) -> Result<Followed> {
        let run = self.get(id).await?;
        self.known_of(&run).await
    }

    async fn known_of(self, run: &Run) -> Result<Followed> {
        match self.engine.store.followed(&run.id).await? {
            Some(known) => Ok(known),
            None => self.bring_in(run).await,
        }
    }

    /// Why a run makes no progress: it waits in the queue, or no worker follows its process.
    pub async fn waiting(self, run: &Run) -> Result<Option<Waiting>> {
        if run.state.is_active() && run.state != RunState::Queued {
            let is_left = self.engine.store.abandoned_runs().await?.iter().any(|left| left.id == run.id);
            let why = "its worker has stopped or is unreachable; start another one: `graft worker` or `graft serve`";
            return Ok(is_left.then(|| Waiting { why: why.to_owned(), until: None }));
        }
        if run.state != RunState::Queued || run.lease_owner.is_some() {
            return Ok(None);
        }
        let now = self.engine.store.now().await?;
        if let Some(until) = run.not_before.filter(|until| *until > now) {
            let why = "it will be retried after a transient failure".to_owned();
            return Ok(Some(Waiting { why, until: Some(until) }));
        }
        if let (Some(Phase::Search), Some(study)) = (run.phase.as_deref().and_then(Phase::named), &run.search) {
            return Ok(Some(Waiting { why: format!("study {study} chooses its settings"), until: None }));
        }
        if let Some(after) = &run.after_run
            && self.engine.store.run(after).await.is_ok_and(|run| run.state.is_active())
        {
            return Ok(Some(Waiting { why: format!("it starts after run {after}"), until: None }));
        }
        if let Some(machine) = &run.machine {
            let at_it = |other: &Run| other.machine == run.machine && other.state != RunState::Queued;
            if let Some(other) = self.engine.store.taken_runs().await?.into_iter().find(at_it) {
                return Ok(Some(Waiting { why: format!("run {} is on machine {machine}", other.id), until: None }));
            }
        }
        if self.engine.store.workers(now - SEEN_WITHIN).await?.is_empty() {
            let why = "no worker is running: `graft worker` or `graft serve` starts one".to_owned();
            return Ok(Some(Waiting { why, until: None }));
        }
        let why = match self.engine.store.next_run().await? {
            Some(next) if next.id == run.id => match self.at_the_gpu_of(run).await? {
                Some((gpu, other)) => format!("run {other} computes on GPU {gpu}"),
                None => "every worker is busy".to_owned(),
            },
            Some(next) => format!("run {} comes first", next.id),
            None => "a worker will start it soon".to_owned(),
        };
        Ok(Some(Waiting { why, until: None }))
    }

    /// The GPU that a run needs, and another run that is at it.
    async fn at_the_gpu_of(self, run: &Run) -> Result<Option<(u32, String)>> {
        let there_is_one = graft_train::gpu_count() > 0;
        let Some(gpu) = run.gpu(there_is_one) else { return Ok(None) };
        let taken = self.engine.store.taken_runs().await?.into_iter();
        let at_it = |other: &Run| other.state != RunState::Queued && other.gpu(there_is_one) == Some(gpu);
        Ok(taken.filter(at_it).map(|other| (gpu, other.id)).next())
    }

    /// Part of a run's log, from a byte offset on.
    ///
    /// # Errors
    /// As [`events`](Self::events).
    pub async fn log(self, id: &str, stream: LogStream, offset: u64) -> Result<LogText> {
        self.known(id).await?;
        Ok(self.engine.store.run_log(id, stream, offset).await?)
    }

    /// How far the follower of a run has come; nothing while the database is away.
    pub async fn pulse(self, id: &str) -> Option<Pulse> {
        let store = &self.engine.store;
        // The state is read first, so that nothing is missed of a run that has just ended.
        let ended = match store.run(id).await {
            Ok(run) => (!run.state.is_active()).then_some(Some(run.state)),
            Err(error) if error.is_of_the_database() => return None,
            Err(_) => Some(None),
        };
        Some(Pulse { cursor: store.followed(id).await.ok()?.unwrap_or_default().cursor, ended })
    }

    /// What there is of a run beyond an event and beyond some bytes of stdout and stderr: at most `most` events, and the
    /// next part of each log.
    pub async fn news(self, id: &str, after: u64, told: [u64; 2], most: u32) -> Result<News> {
        let store = &self.engine.store;
        let events = store.run_events(id, after, most).await?;
        let stdout = store.run_log(id, LogStream::Stdout, told[0]).await?;
        let stderr = store.run_log(id, LogStream::Stderr, told[1]).await?;
        Ok(News { events, logs: [stdout, stderr] })
    }
}

/// What a run's directory holds, unless there is nothing.
fn read_whole(dir: &RunDir) -> Result<Option<Findings>> {
    let mut findings = Findings::default();
    let (mut progress, mut cursor) = (Progress::default(), graft_exec::Cursor::default());
    loop {
        let seen = graft_exec::read(dir.path(), cursor)?;
        if seen.cursor == cursor {
            break;
        }
        seen.events.iter().for_each(|event| progress.take(event));
        findings.events.extend(seen.events);
        findings.stdout += &seen.stdout;
        findings.stderr += &seen.stderr;
        cursor = seen.cursor;
    }
    let result = dir.result()?;
    if findings.events.is_empty() && result.is_none() {
        return Ok(None);
    }
    let graft_exec::Cursor { events, stdout, stderr } = cursor;
    findings.cursor = FollowCursor { events, stdout, stderr };
    findings.progress = (!findings.events.is_empty()).then(|| progress.keep());
    findings.result = result.and_then(|result| serde_json::to_value(result).ok());
    Ok(Some(findings))
}

/// The command that does the same as a run of the queue.
pub(crate) fn command_of(run: &Run) -> Option<String> {
    let request = run.request.clone()?;
    Some(match run.kind {
        RunKind::Train => serde_json::from_value::<RunRequest>(request).ok()?.command(),
        RunKind::Evaluate => serde_json::from_value::<EvaluationRequest>(request).ok()?.command(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_follows_events() {
        let mut progress = Progress::default();
        let event = |seq, kind| Event { seq, at: 0, kind };
        progress.downloads(Some("model.gguf"), 5_000_000, 10_000_000);
        assert_eq!((progress.phase.as_deref(), progress.percent), (Some("download"), 50.0));
        progress.take(&event(1, EventKind::Phase { phase: Phase::Train }));
        assert_eq!((progress.step, progress.of, progress.percent), (0, 0, 0.0), "bytes are no steps");
        assert_eq!(progress.file, None);
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
        let scores = Some(InterimScores { examples: 8, accuracy: 0.75, f1: None, seconds: 0.1 });
        let eval = |step, scores| EventKind::Eval { step, loss: 0.5, best: true, seconds: None, scores };
        progress.take(&event(3, eval(5, scores.clone())));
        progress.take(&event(4, eval(10, None)));
        assert_eq!(progress.held_out, Some(HeldOut { step: 10, loss: Some(0.5), scores }), "the newest scores stay");
        assert_eq!(Progress::kept(Some(&progress.keep())).held_out, progress.held_out);
        progress.take(&event(5, EventKind::Phase { phase: Phase::Evaluate }));
        progress.take(&Event { seq: 6, at: 6000, kind: EventKind::Answered { done: 3, of: 4 } });
        assert_eq!((progress.step, progress.percent, progress.eta_s), (3, 75.0, Some(2.0)));
    }
}
