//! Executes one run, from its claim to its end.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use graft_core::{ExitCode, Failure, FailureClass, TrainSpec, json as written, with_causes};
use graft_exec::Executor;
use graft_store::{Findings, LONGEST_WAIT, Lease, Run, RunKind, RunState, RunUpdate, Version};
use serde_json::json;
use tokio::sync::watch;
use tracing::{Level, Span, field::Empty};

use super::{Say, WorkerOptions, child, fetch, follow, measure};
use crate::{
    Engine, Error, Result, contestant_scores,
    files::apart,
    now,
    runs::{Baseline, Progress, RunRequest, estimate::Speeds, failure::report},
    versions::{Evaluation, strongest},
};

/// How often a held run is looked at for what people want of it.
pub(super) const GLANCE: Duration = Duration::from_millis(500);

/// What the keeper of a lease finds out.
#[derive(Default)]
pub(super) struct Signals {
    /// Somebody else has the run.
    pub(super) lost: AtomicBool,
    /// Somebody wants it to end.
    pub(super) cancel: AtomicBool,
}

/// Executes one run for a worker: keeps its lease and follows its process until it ends.
pub(super) struct Supervisor {
    pub(super) engine: Engine,
    pub(super) options: Arc<WorkerOptions>,
    /// Runs processes on this machine: what a run has for its trainer is another's business.
    pub(super) exec: Arc<dyn Executor>,
    pub(super) stop: watch::Receiver<bool>,
    pub(super) say: Say,
    pub(super) lease: Lease,
    pub(super) signals: Arc<Signals>,
    /// The run came from the queue, which counted this attempt; otherwise it was taken over.
    pub(super) claimed: bool,
    pub(super) spans: Spans,
}

/// The spans of a run: the run itself, and within it the current phase.
pub(super) struct Spans {
    phase: Mutex<Span>,
    run: Span,
}

impl Spans {
    pub(super) fn of(run: &Run) -> Self {
        let (kind, id, task, attempt) = (run.kind.name(), run.id.as_str(), run.task.as_str(), i64::from(run.attempts));
        let name = format!("{kind} {task}");
        let run = tracing::info_span!(
            target: "graft::trace", "run", otel.name = name, run = id, task, kind, attempt, otel.status_code = Empty
        );
        Self { phase: Mutex::new(Span::none()), run }
    }

    /// Another phase begins, and ends the one before.
    pub(super) fn phase(&self, name: &'static str) {
        let phase = tracing::info_span!(target: "graft::trace", parent: &self.run, "phase", otel.name = name);
        *self.phase.lock().unwrap_or_else(PoisonError::into_inner) = phase;
    }

    fn failed(&self) {
        self.run.record("otel.status_code", "ERROR");
    }
}

/// Why a run is left without an end.
#[derive(Debug)]
pub(super) enum Break {
    /// Somebody else has it now.
    Lost,
    /// The worker stops; the next worker continues.
    LetGo,
    /// The database is away or refuses; the run itself is as good as before.
    Trouble(Box<Error>),
    /// An attempt failed; its logs begin at these offsets.
    Failed(Box<Error>, (u64, u64)),
}

impl<E: Into<Error>> From<E> for Break {
    fn from(error: E) -> Self {
        let error = error.into();
        match error {
            Error::Store(graft_store::Error::LeaseLost { .. }) => Self::Lost,
            Error::Store(ref trouble) if trouble.is_of_the_database() => Self::Trouble(Box::new(error)),
            error => Self::Failed(Box::new(error), (u64::MAX, u64::MAX)),
        }
    }
}

impl Supervisor {
    /// Sees a run through to its end, as far as this worker comes.
    pub(super) async fn supervise(self, run: Run) {
        let keeper =
            tokio::spawn(keep(self.engine.clone(), self.lease.clone(), self.options.lease, Arc::clone(&self.signals)));
        // Nothing of a run depends on trackers.
        let _ = self.engine.tracking().note(&run).await;
        let id = run.id.clone();
        let rented = self.rented(&run).await.then(|| run.clone());
        let outcome = self.carry(run).await;
        if let Some(run) = rented.filter(|_| !matches!(outcome, Err(Break::Lost | Break::Trouble(_)))) {
            // Before anybody else can take the run, and whatever became of it.
            self.give_back(&run).await;
        }
        let outcome = match outcome {
            Err(Break::Failed(error, from)) => self.fail(&id, &error, from).await.map_err(|_| ()),
            Ok(()) => {
                (self.say)(Level::INFO, &format!("run {id}: succeeded"));
                Ok(())
            }
            Err(Break::Lost) => {
                (self.say)(Level::WARN, &format!("run {id}: another worker took it over"));
                Ok(())
            }
            Err(Break::LetGo) => self.engine.store.release_lease(&self.lease).await.map_err(|_| ()),
            Err(Break::Trouble(error)) => {
                let why = with_causes(&*error);
                (self.say)(Level::ERROR, &format!("run {id}: failed to {why}; it is retried at the next check"));
                self.engine.store.release_lease(&self.lease).await.map_err(|_| ())
            }
        };
        keeper.abort();
        if outcome.is_err() {
            // The database is unreachable: the lease expires, and the run continues from the files on disk.
            (self.say)(Level::ERROR, &format!("run {id}: cannot store its end; it will be taken over again"));
        }
    }

    async fn carry(&self, run: Run) -> std::result::Result<(), Break> {
        match run.kind {
            RunKind::Train => self.carry_training(&run).await?,
            RunKind::Evaluate => measure::carry(self, &run).await?,
        }
        self.update(&RunUpdate { state: Some(RunState::Succeeded), exit_code: Some(0), ..RunUpdate::default() })
            .await?;
        Ok(())
    }

    async fn carry_training(&self, run: &Run) -> std::result::Result<(), Break> {
        let request = self.request(run);
        let dir = self.engine.home.run_dir(run);
        let mut run = run;
        let fetched;
        if dir.result()?.is_none() {
            fetched = fetch::base(self, run).await?;
            run = &fetched;
            self.engine.runs().make_dir(run, self.options.slots as usize).await?;
            if request.baseline {
                self.measure_baseline(run).await?;
            }
            // What is missing is for the trainer to say, in the run's events.
            let base = match dir.spec() {
                Ok(spec) => self.engine.bases().locate(&spec.base).await.ok(),
                Err(_) => None,
            };
            let exec = self.executor(run).await?;
            follow::run(self, &*exec, run, RunKind::Train, vec!["train-dir".to_owned()], base).await?;
            if self.rented(run).await {
                self.give_back(run).await;
            }
        } else {
            follow::finish(self, run).await?;
        }
        self.go_on()?;
        if let Some(result) = dir.result()? {
            let update = RunUpdate {
                train_samples: Some(result.samples as u64),
                final_loss: Some(result.eval_loss.unwrap_or(result.final_loss)),
                phase: Some("evaluate"),
                ..RunUpdate::default()
            };
            // Whoever reads it may not have the files of this worker.
            let weights = std::fs::metadata(dir.adapter().join("adapter_model.safetensors")).ok();
            let mut kept = written::value(&result);
            kept["adapter_bytes"] = json!(weights.map(|file| file.len()));
            let kept = Findings { result: Some(kept), ..Findings::default() };
            self.engine.store.take_findings(&self.lease, &kept, &update, &self.engine.by, now()).await?;
            if run.machine.is_none() {
                // What is remembered about speed is worth no failure.
                let _ = Speeds::note(self.engine.home.path(), &result);
            }
        }
        if run.study.is_some() {
            // A trial is there for its loss.
            return Ok(());
        }
        let version = self.engine.versions().register_held(run, &self.lease).await?;
        self.keep_logs(run, &version);
        let measurable = version.dataset.is_some() && run.eval_samples != Some(0);
        if request.evaluate && measurable && Evaluation::of(&version).is_none() {
            measure::version(self, run, &version, request.score_base).await?;
        }
        if run.activate {
            self.activate(run, &version).await?;
            follow::finish(self, run).await?;
        }
        self.keep_logs(run, &version);
        Ok(())
    }

    /// Copies the logs of a run to `logs/<task>/<version>`, where they stay if the run is deleted.
    fn keep_logs(&self, run: &Run, version: &Version) {
        let (from, home) = (self.engine.home.run_dir(run), self.engine.home.path());
        let to = home.join("logs").join(&version.task).join(&version.name);
        let kept = std::fs::create_dir_all(&to).and_then(|()| {
            let names = ["events.jsonl", "stdout.log", "stderr.log"];
            let there = names.into_iter().filter(|name| from.path().join(name).is_file());
            there.into_iter().try_for_each(|name| std::fs::copy(from.path().join(name), to.join(name)).map(drop))
        });
        if let Err(error) = kept {
            // They are in the run's directory, too.
            (self.say)(Level::WARN, &format!("run {}: failed to copy its logs to {}: {error}", run.id, to.display()));
        }
    }

    /// Measures what answers without a language model on the held-out examples, once.
    async fn measure_baseline(&self, run: &Run) -> std::result::Result<(), Break> {
        let known = self.engine.store.followed(&run.id).await?.unwrap_or_default();
        let mut progress = Progress::kept(known.progress.as_ref());
        if progress.baseline.is_some() || run.eval_samples == Some(0) {
            return Ok(());
        }
        self.update(&RunUpdate { phase: Some("search"), ..RunUpdate::default() }).await?;
        let damaged = |source| Error::BadSpec { run: run.id.clone(), source };
        let spec: TrainSpec = serde_json::from_value(run.spec.clone()).map_err(damaged)?;
        let data = self.engine.store.dataset(&run.task, &spec.dataset).await?;
        let task = self.engine.tasks().at(&run.task, run.task_revision).await?.definition;
        let rules = self.engine.tasks().newest_baseline(&task).await?;
        let measure =
            move || Ok(contestant_scores((&spec.task, &task.scoring), &data.train, &data.eval, rules.as_ref()));
        let measured = apart("measure the baseline", measure).await?;
        let best = strongest(&measured).and_then(|best| Some((best.name.clone(), best.scores.headline()?.clone())));
        let Some((name, metric)) = best else { return Ok(()) };
        progress.baseline = Some(Baseline { name, metric: metric.name, value: metric.value });
        let kept = Findings { cursor: known.cursor, progress: Some(progress.keep()), ..Findings::default() };
        self.engine.store.take_findings(&self.lease, &kept, &RunUpdate::default(), &self.engine.by, now()).await?;
        Ok(())
    }

    /// Where the run's trainer executes. Renting a machine takes minutes, in which people may want the run to end.
    async fn executor(&self, run: &Run) -> std::result::Result<Arc<dyn Executor>, Break> {
        let say = |what: &str| (self.say)(Level::INFO, &format!("run {}: {what}", run.id));
        let machines = self.engine.machines();
        let is_rented = self.rented(run).await;
        if is_rented {
            follow::tell(self, run, Some("a machine is being rented for it".to_owned())).await?;
        }
        let stopped = async {
            loop {
                if let Err(stop) = self.go_on() {
                    return stop;
                }
                tokio::time::sleep(GLANCE / 2).await;
            }
        };
        let exec = tokio::select! {
            exec = machines.executor(run, &self.options.program, &say) => exec?,
            stop = stopped => return Err(stop),
        };
        if is_rented {
            follow::tell(self, run, None).await?;
        }
        Ok(exec)
    }

    /// Whether the run's trainer executes on a rented machine.
    async fn rented(&self, run: &Run) -> bool {
        match &run.machine {
            Some(name) => self.engine.machines().is_rented(name).await.unwrap_or_default(),
            None => false,
        }
    }

    async fn give_back(&self, run: &Run) {
        if let Err(error) = self.engine.machines().give_back(run).await {
            let why = with_causes(&error);
            (self.say)(Level::WARN, &format!("run {}: its machine may still be running: failed to {why}", run.id));
        }
    }

    /// Notes that one more trainer is being started for a run that was taken over.
    pub(super) async fn count_attempt(&self, run: &Run) -> std::result::Result<(), Break> {
        if run.state == RunState::Running {
            self.update(&RunUpdate { state: Some(RunState::Queued), ..RunUpdate::default() }).await?;
        }
        let state = (run.state != RunState::Starting).then_some(RunState::Starting);
        self.update(&RunUpdate { state, attempt: true, ..RunUpdate::default() }).await?;
        Ok(())
    }

    /// Makes the version active if it is not worse; a refusal is kept with the version and is no failure of the run.
    async fn activate(&self, run: &Run, version: &Version) -> std::result::Result<(), Break> {
        let refused = match child::activate(self, run, version).await {
            Ok(()) => return Ok(()),
            Err(Break::Failed(error, from)) => match *error {
                Error::ChildFailed { code: ExitCode::NotBetter, cause, .. } => cause.0,
                other => return Err(Break::Failed(Box::new(other), from)),
            },
            Err(other) => return Err(other),
        };
        let kept = json!({"refused": refused});
        let (lease, by) = (Some(&self.lease), &self.engine.by);
        self.engine.store.set_metric(version, ("activation", &kept), lease, by, now()).await?;
        (self.say)(Level::WARN, &format!("run {}: version {} was not made active: {refused}", run.id, version.name));
        Ok(())
    }

    /// Ends a run without a holder that may not be retried, with the events and output that it left.
    pub(super) async fn give_up(self, run: &Run) -> Result<()> {
        match follow::find_out(&self, run).await {
            Ok(()) | Err(Break::Lost | Break::LetGo) => Ok(()),
            Err(Break::Trouble(error)) => Err(*error),
            Err(Break::Failed(error, from)) => self.fail(&run.id, &error, from).await,
        }
    }

    /// Stores what an unfollowed trainer has written, and leaves the run to the next worker.
    pub(super) async fn catch_up(self, run: &Run) -> Result<()> {
        // What cannot be stored now is stored by the next worker.
        let _ = follow::take_rest(&self, run).await;
        match self.engine.store.release_lease(&self.lease).await {
            Err(graft_store::Error::LeaseLost { .. }) => Ok(()),
            released => Ok(released?),
        }
    }

    /// Ends a failed attempt: the run is retried later, or fails.
    async fn fail(&self, id: &str, error: &Error, from: (u64, u64)) -> Result<()> {
        self.spans.failed();
        let run = self.engine.store.run(id).await?;
        let failure = report(error, run.phase.as_deref(), self.engine.home.run_dir(&run).path(), from);
        self.say_failure(&run, &failure);
        let store = &self.engine.store;
        if failure.class.is_transient() && run.wants.is_none() && run.attempts < run.max_attempts {
            let pause = self.options.backoff * 4_u32.saturating_pow(run.attempts.saturating_sub(1));
            let pause = i64::try_from(pause.as_millis()).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT);
            let at = store.now().await? + pause;
            return match store.requeue_run(&self.lease, at, &failure, &self.engine.by, now()).await {
                Ok(_) | Err(graft_store::Error::LeaseLost { .. }) => Ok(()),
                Err(error) => Err(error.into()),
            };
        }
        let cancelled = failure.class == FailureClass::Cancelled || run.wants.is_some();
        let update = RunUpdate {
            state: Some(if cancelled { RunState::Cancelled } else { RunState::Failed }),
            failure: Some(failure),
            exit_code: Some(error.exit_code() as i32),
            ..RunUpdate::default()
        };
        match store.update_held(&self.lease, &update, &self.engine.by, now()).await {
            Ok(_) | Err(graft_store::Error::LeaseLost { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A failure with its causes and hint as one log line, for readers of the log who see neither the run nor the page.
    fn say_failure(&self, run: &Run, failure: &Failure) {
        let level = if failure.class == FailureClass::Cancelled { Level::INFO } else { Level::ERROR };
        let hint = failure.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
        let said = failure.to_string().replace('\n', " ");
        (self.say)(level, &format!("run {} of {}: {said}{hint}", run.id, run.task));
    }

    /// Whether there is a reason to leave the run, or to end it.
    pub(super) fn go_on(&self) -> std::result::Result<(), Break> {
        if self.signals.lost.load(Ordering::Relaxed) {
            Err(Break::Lost)
        } else if self.signals.cancel.load(Ordering::Relaxed) {
            Err(Error::Cancelled { run: self.lease.run.clone() }.into())
        } else if *self.stop.borrow() {
            Err(Break::LetGo)
        } else {
            Ok(())
        }
    }

    pub(super) async fn update(&self, update: &RunUpdate) -> std::result::Result<Run, Break> {
        Ok(self.engine.store.update_held(&self.lease, update, &self.engine.by, now()).await?)
    }

    fn request(&self, run: &Run) -> RunRequest {
        let stored = run.request.clone().and_then(|body| serde_json::from_value(body).ok());
        stored.unwrap_or_else(|| RunRequest::new(&run.task))
    }
}

/// Renews a lease at a third of it, and listens for what people want. By its own clock it gives the run up before
/// anybody else may take it, whatever the database says, or doesn't say.
async fn keep(engine: Engine, lease: Lease, length: Duration, signals: Arc<Signals>) {
    let millis = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let mut renewed = Instant::now();
    loop {
        tokio::time::sleep(GLANCE.min(length / 4)).await;
        let held = renewed.elapsed();
        let asked = Instant::now();
        let look = async {
            if held < length / 3 {
                return engine.store.run(&lease.run).await;
            }
            let seen = engine.store.renew_lease(&lease, millis).await;
            if seen.is_ok() {
                renewed = asked;
            }
            seen
        };
        // A database that can't be reached may not even refuse.
        let left = length.saturating_sub(held);
        let seen = if left.is_zero() { None } else { tokio::time::timeout(left, look).await.ok() };
        let Some(seen) = seen else {
            signals.lost.store(true, Ordering::Relaxed);
            return;
        };
        match seen {
            Ok(run) if run.fence != lease.fence => signals.lost.store(true, Ordering::Relaxed),
            Ok(run) => signals.cancel.store(run.wants.is_some(), Ordering::Relaxed),
            Err(graft_store::Error::LeaseLost { .. } | graft_store::Error::NoRun(_)) => {
                signals.lost.store(true, Ordering::Relaxed);
            }
            Err(_) => {}
        }
        if signals.lost.load(Ordering::Relaxed) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Home;

    #[tokio::test]
    async fn worker_that_cannot_renew_its_lease_stops() {
        let home = tempfile::tempdir().unwrap();
        let engine = Engine::open(Home::at(home.path()).unwrap(), "worker").await.unwrap();
        engine.store.close().await;
        let (signals, began) = (Arc::new(Signals::default()), Instant::now());
        let (lease, length) = (Lease { run: "r".into(), owner: "w".into(), fence: 1 }, Duration::from_millis(400));
        let keeper = keep(engine, lease, length, Arc::clone(&signals));
        tokio::time::timeout(Duration::from_secs(60), keeper).await.expect("it holds on for ever");
        assert!(signals.lost.load(Ordering::Relaxed) && began.elapsed() >= length);
    }
}
