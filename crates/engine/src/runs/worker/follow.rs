//! Follows the process of a run from the cursor of its last follower: copies events and output into the database, where
//! every server reads them, together with the new cursor.

use std::{
    path::PathBuf,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use graft_core::{Event, EventKind, Phase};
use graft_exec::{Cursor, Executor, Observation, Process, RunRef, Start, Stop};
use graft_store::{Findings, FollowCursor, LogStream, Run, RunKind, RunState, RunUpdate};
use graft_train::RunDir;
use tracing::Level;

use super::{
    outcome::End,
    supervise::{Break, Supervisor},
};
use crate::{
    Error,
    error::Said,
    now,
    runs::{Progress, evaluation},
};

/// How often a process is looked at.
const POLL: Duration = Duration::from_millis(100);
/// How long steps and output may wait to be written together.
const GATHER: Duration = Duration::from_millis(500);
/// Bytes of output that are written without waiting for more.
const MUCH: usize = 256 << 10;
/// How long a trainer may take to stop after its step before it is ended.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a process may be silent before this is reported.
const QUIET: Duration = Duration::from_secs(5 * 60);
/// How long a machine may be unreachable before this is reported.
const AWAY: Duration = Duration::from_secs(20);
/// How long a machine that can't be reached is tried, to stop a process there or to bring its results over.
const FORBEARANCE: Duration = Duration::from_secs(120);
/// What a trainer may take beyond what it predicts for itself.
const SLACK: u64 = 512 << 20;

type Outcome<T> = std::result::Result<T, Break>;

/// Where the follower of a run is.
pub(super) struct Follower<'a> {
    supervisor: &'a Supervisor,
    exec: &'a dyn Executor,
    run: &'a Run,
    place: RunRef,
    /// Read so far.
    cursor: Cursor,
    progress: Progress,
    /// Read, and not written yet.
    findings: Findings,
    update: RunUpdate,
    written: Instant,
    /// When something new was last seen.
    heard: Instant,
    pid: Option<u32>,
    /// Where the newest attempt begins.
    attempt: FollowCursor,
    end: End,
}

impl<'a> Follower<'a> {
    /// At the place where the last follower of the run stopped.
    async fn open(supervisor: &'a Supervisor, exec: &'a dyn Executor, run: &'a Run) -> Outcome<Self> {
        let known = supervisor.engine.store.followed(&run.id).await?.unwrap_or_default();
        let FollowCursor { events, stdout, stderr } = known.cursor;
        let mut end = End::default();
        supervisor.engine.store.last_event(&run.id).await?.iter().for_each(|event| end.take(event));
        Ok(Self {
            supervisor,
            exec,
            run,
            place: supervisor.engine.runs().run_ref(run),
            cursor: Cursor { events, stdout, stderr },
            progress: Progress::kept(known.progress.as_ref()),
            findings: Findings { cursor: known.cursor, ..Findings::default() },
            update: RunUpdate::default(),
            written: Instant::now(),
            heard: Instant::now(),
            pid: run.pid,
            attempt: known.attempt,
            end,
        })
    }

    /// Looks once; says what became of the process and whether everything that it wrote was read.
    async fn look(&mut self) -> Outcome<(Process, bool)> {
        let seen = self.exec.observe(&self.place, self.cursor).await?;
        let is_all = seen.cursor == self.cursor;
        if !is_all {
            self.heard = Instant::now();
        }
        let process = seen.process.clone();
        self.take(seen);
        Ok((process, is_all))
    }

    fn take(&mut self, seen: Observation) {
        for event in &seen.events {
            self.progress.take(event);
            self.end.take(event);
            self.note(event);
        }
        self.findings.events.extend(seen.events);
        self.findings.stdout += &seen.stdout;
        self.findings.stderr += &seen.stderr;
        self.cursor = seen.cursor;
    }

    /// What an event says about the run itself.
    fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::Phase { phase } => {
                self.supervisor.spans.phase(phase.name());
                self.update.phase = Some(phase.name());
                // A training service prepares nothing that could be told.
                if self.run.kind == RunKind::Evaluate || *phase == Phase::Train {
                    self.update.state = Some(RunState::Running);
                }
            }
            EventKind::Prepared { train, .. } => {
                self.update.state = Some(RunState::Running);
                self.update.train_samples = Some(*train as u64);
            }
            _ => {}
        }
    }

    fn has_any(&self) -> bool {
        let Findings { events, stdout, stderr, .. } = &self.findings;
        !events.is_empty() || !stdout.is_empty() || !stderr.is_empty()
    }

    /// Whether what was read should be written now: at once what people wait for, together what comes often.
    fn is_due(&self) -> bool {
        let Findings { events, stdout, stderr, .. } = &self.findings;
        let often = |event: &Event| matches!(event.kind, EventKind::Step { .. } | EventKind::Answered { .. });
        let is_urgent = !events.iter().all(often) || stdout.len() + stderr.len() >= MUCH;
        self.has_any() && (is_urgent || self.written.elapsed() >= GATHER)
    }

    /// Writes what was read, and how far.
    async fn write(&mut self) -> Outcome<()> {
        let Cursor { events, stdout, stderr } = self.cursor;
        self.findings.cursor = FollowCursor { events, stdout, stderr };
        self.findings.progress = Some(self.progress.keep());
        let (store, by) = (&self.supervisor.engine.store, &self.supervisor.engine.by);
        store.take_findings(&self.supervisor.lease, &self.findings, &self.update, by, now()).await?;
        (self.findings, self.update, self.written) = (Findings::default(), RunUpdate::default(), Instant::now());
        Ok(())
    }

    /// Takes in what earlier attempts left, and returns whether a process is at work.
    async fn catch_up(&mut self) -> Outcome<bool> {
        loop {
            let (process, is_all) = self.look().await?;
            let is_alive = process.is_alive() || process == Process::Unknown;
            if !is_alive {
                // Nothing of it is true any more.
                self.update = RunUpdate::default();
            }
            if self.is_due() || (is_all && self.has_any()) {
                self.write().await?;
            }
            if is_all {
                return Ok(is_alive);
            }
        }
    }

    /// Reports, in the log and with the run, that its process is stopped or silent, and that it has continued.
    async fn note_stall(&mut self, process: &Process) -> Outcome<()> {
        let stall = stall(process, self.pid, self.heard.elapsed(), self.run.machine.as_deref());
        if stall == self.progress.stall {
            return Ok(());
        }
        self.tell_stall(stall).await
    }

    async fn tell_stall(&mut self, stall: Option<String>) -> Outcome<()> {
        match &stall {
            Some(why) => (self.supervisor.say)(Level::WARN, &format!("run {}: {why}", self.run.id)),
            None => (self.supervisor.say)(Level::INFO, &format!("run {}: its trainer continues", self.run.id)),
        }
        self.progress.stall = stall;
        self.write().await
    }

    async fn stop(&self, how: Stop) -> Outcome<()> {
        Ok(self.exec.stop(&self.place, how).await?)
    }

    /// Follows the process to its end.
    async fn follow(&mut self, job: RunKind) -> Outcome<()> {
        let (mut asked, mut is_told): (Option<Instant>, bool) = (None, false);
        loop {
            let (process, is_all) = self.look().await?;
            let has_ended = is_all && matches!(process, Process::Exited(_) | Process::Gone);
            if self.is_due() || (has_ended && self.has_any()) {
                self.write().await?;
            }
            if has_ended {
                self.end.exit = if let Process::Exited(exit) = process { Some(exit) } else { None };
                break;
            }
            if is_all {
                self.note_stall(&process).await?;
            }
            if self.supervisor.signals.lost.load(Ordering::Relaxed) {
                // The trainer keeps running for the worker of this machine that holds the run, or ends when it cannot publish.
                self.leave().await;
                return Err(Break::Lost);
            }
            if *self.supervisor.stop.borrow() {
                return Err(Break::LetGo);
            }
            if self.supervisor.signals.cancel.load(Ordering::Relaxed) {
                let is_first = asked.is_none();
                let since = *asked.get_or_insert_with(Instant::now);
                // A measurement has nothing half done that is worth to be kept.
                let how = match job {
                    RunKind::Train if since.elapsed() < PATIENCE => Stop::AfterStep,
                    _ => Stop::Now,
                };
                if is_first || !is_told || how == Stop::Now {
                    match self.exec.stop(&self.place, how).await {
                        Ok(()) => is_told = true,
                        // It may be reached again in a moment.
                        Err(error) if error.is_passing() && since.elapsed() < FORBEARANCE => {}
                        Err(error) => return Err(error.into()),
                    }
                }
            }
            if is_all {
                tokio::time::sleep(POLL).await;
            }
        }
        self.collect().await?;
        if job == RunKind::Train {
            self.supervisor.engine.machines().take_in(self.run).await?;
        }
        let dir = RunDir::new(&self.place.dir);
        let is_done = match job {
            RunKind::Train => dir.result()?.is_some(),
            RunKind::Evaluate => evaluation::result(&dir)?.is_some(),
        };
        if is_done {
            return Ok(());
        }
        if asked.is_some() && job == RunKind::Evaluate {
            return Err(Error::Cancelled { run: self.run.id.clone() }.into());
        }
        Err(self.failure(job).await?)
    }

    /// Brings over what the process made. A connection that is down for a while is no reason to lose a result.
    async fn collect(&self) -> Outcome<()> {
        let began = Instant::now();
        loop {
            match self.exec.collect(&self.place).await {
                Err(error) if error.is_passing() && began.elapsed() < FORBEARANCE => {
                    self.supervisor.go_on()?;
                    tokio::time::sleep(POLL * 10).await;
                }
                collected => return Ok(collected?),
            }
        }
    }

    /// Why the newest attempt has no result.
    async fn failure(&mut self, job: RunKind) -> Outcome<Break> {
        let mut end = std::mem::take(&mut self.end);
        let from = self.attempt.stderr.max(self.cursor.stderr.saturating_sub(MUCH as u64));
        end.stderr = self.supervisor.engine.store.run_log(&self.run.id, LogStream::Stderr, from).await?.text;
        let error = end.error(&self.run.id);
        let error = if job == RunKind::Evaluate { of_measuring(error) } else { error };
        Ok(Break::Failed(Box::new(error), (self.attempt.stderr, self.attempt.stdout)))
    }

    /// Ends a trainer whose run went to another place, which can't see it.
    async fn leave(&self) {
        let place = |owner: &str| owner.split('/').next().map(str::to_owned);
        let Ok(run) = self.supervisor.engine.store.run(&self.run.id).await else { return };
        let elsewhere = run.lease_owner.as_deref().and_then(place) != place(&self.supervisor.engine.me);
        if elsewhere && run.lease_owner.is_some() {
            // It can't publish anything, either way.
            let _ = self.stop(Stop::Now).await;
        }
    }
}

/// Why a running process seems to make no progress.
fn stall(process: &Process, pid: Option<u32>, quiet: Duration, machine: Option<&str>) -> Option<String> {
    if *process == Process::Unknown && quiet >= AWAY {
        let machine = machine.unwrap_or("its machine");
        return Some(format!("{machine} cannot be reached; a trainer that was started there continues meanwhile"));
    }
    if let Process::Waiting(why) = process {
        return Some(format!("it waits in the queue of {} ({why})", machine.unwrap_or("its cluster")));
    }
    if *process == Process::Paused {
        return Some(paused(pid));
    }
    let minutes = quiet.as_secs() / QUIET.as_secs() * (QUIET.as_secs() / 60);
    (minutes > 0).then(|| format!("its process is running, but wrote nothing for {minutes} minutes"))
}

/// The message that a process is stopped, and how to continue it.
pub(super) fn paused(pid: Option<u32>) -> String {
    let pid = pid.map_or_else(|| "PID".to_owned(), |pid| pid.to_string());
    format!("its process is stopped by a signal or a debugger; `kill -CONT {pid}` resumes it")
}

/// Reports, in the log and with the run, that a process is silent or stopped, or that it has continued.
pub(super) async fn tell_stall(supervisor: &Supervisor, run: &Run, stall: Option<String>) -> Outcome<()> {
    let mut follower = Follower::open(supervisor, &*supervisor.exec, run).await?;
    follower.tell_stall(stall).await
}

/// Stores with the run why it does not continue yet, without a log line.
pub(super) async fn tell(supervisor: &Supervisor, run: &Run, why: Option<String>) -> Outcome<()> {
    let mut follower = Follower::open(supervisor, &*supervisor.exec, run).await?;
    follower.progress.stall = why;
    follower.write().await
}

/// Runs the process that does a part of a run to its end, or attaches to the one that is at it already.
pub(super) async fn run(
    supervisor: &Supervisor,
    exec: &dyn Executor,
    run: &Run,
    job: RunKind,
    args: Vec<String>,
    base: Option<PathBuf>,
) -> Outcome<()> {
    let mut follower = Follower::open(supervisor, exec, run).await?;
    if !follower.catch_up().await? {
        // A training's attempts are those of its trainers; what measures its version afterwards is none.
        if !supervisor.claimed && job == run.kind {
            match run.attempts {
                attempts if attempts < run.max_attempts => {}
                attempts @ 2.. => return Err(Error::Poisoned { run: run.id.clone(), attempts }.into()),
                _ => return Err(follower.failure(job).await?),
            }
            supervisor.count_attempt(run).await?;
        }
        supervisor.go_on()?;
    }
    // What another machine has is for its trainer to find out.
    let is_here = run.machine.is_none() || job == RunKind::Evaluate;
    let memory = if is_here { memory_limit(&supervisor.engine.home.run_dir(run), job) } else { None };
    let start = Start { args, base, nice: supervisor.options.nice, memory };
    let started = loop {
        match exec.start(&follower.place, &start).await {
            // A trainer that was started before continues meanwhile; wait for it.
            Err(graft_exec::Error::Unreachable { .. } | graft_exec::Error::NoRay { .. }) if run.pid.is_some() => {
                supervisor.go_on()?;
                follower.note_stall(&Process::Unknown).await?;
                tokio::time::sleep(POLL * 20).await;
            }
            started => break started?,
        }
    };
    follower.pid = started.pid;
    if started.fresh {
        follower.attempt = FollowCursor {
            events: follower.cursor.events,
            stdout: follower.cursor.stdout,
            stderr: follower.cursor.stderr,
        };
        follower.end = End::default();
        follower.findings.attempt = Some(follower.attempt);
        (follower.update.pid, follower.update.place) = (started.pid, Some(supervisor.engine.place().to_owned()));
        follower.write().await?;
    }
    follower.follow(job).await
}

/// Takes in what a part of the run that has its result wrote unseen, or is still writing.
pub(super) async fn finish(supervisor: &Supervisor, run: &Run) -> Outcome<()> {
    let mut follower = Follower::open(supervisor, &*supervisor.exec, run).await?;
    if !follower.catch_up().await? {
        return Ok(());
    }
    // It may be at the next part already, which finds out by itself what became of that.
    match follower.follow(RunKind::Evaluate).await {
        Err(Break::Failed(..)) => supervisor.go_on(),
        ended => ended,
    }
}

/// Takes in what was written without being followed.
pub(super) async fn take_rest(supervisor: &Supervisor, run: &Run) -> Outcome<()> {
    Follower::open(supervisor, &*supervisor.exec, run).await?.catch_up().await.map(drop)
}

/// Takes in what a dead run left, and says why it has no result.
pub(super) async fn find_out(supervisor: &Supervisor, run: &Run) -> Outcome<()> {
    let mut follower = Follower::open(supervisor, &*supervisor.exec, run).await?;
    follower.catch_up().await?;
    Err(follower.failure(run.kind).await?)
}

/// Memory that a process of a run may take: what the settings allow a training, or what the machine has.
fn memory_limit(dir: &RunDir, job: RunKind) -> Option<u64> {
    let given = dir.spec().ok().filter(|_| job == RunKind::Train).and_then(|spec| spec.limits.memory);
    Some(given.or_else(graft_train::available_memory)?.saturating_add(SLACK))
}

/// The error of a process that was to measure.
fn of_measuring(error: Error) -> Error {
    let doing = "score the version";
    match error {
        Error::TrainerFailed { run, failure } => {
            let cause = Said(failure.to_string());
            Error::ChildFailed { run, doing, code: failure.code, cause }
        }
        Error::TrainerDied { run, how, transient } => {
            Error::TrainerDied { run, how: format!("{how} while trying to {doing}"), transient }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopped_or_silent_process_is_reported() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let second = Duration::from_secs(1);
        assert_eq!(stall(&Process::Running, Some(7), minutes(5) - second, None), None);
        for (quiet, told) in [(5, "for 5 minutes"), (9, "for 5 minutes"), (61, "for 60 minutes")] {
            let why = stall(&Process::Running, Some(7), minutes(quiet), None).unwrap();
            assert!(why.contains("wrote nothing") && why.ends_with(told), "{why}");
        }
        assert!(stall(&Process::Paused, Some(7), second, None).unwrap().contains("`kill -CONT 7`"));
        assert!(stall(&Process::Paused, None, second, None).unwrap().contains("`kill -CONT PID`"));
        let queued = stall(&Process::Waiting("Priority".to_owned()), None, second, Some("hpc")).unwrap();
        assert_eq!(queued, "it waits in the queue of hpc (Priority)");
        assert_eq!(stall(&Process::Unknown, None, second, Some("attic")), None);
        assert!(stall(&Process::Unknown, None, AWAY, Some("attic")).unwrap().starts_with("attic cannot be reached"));
    }
}
