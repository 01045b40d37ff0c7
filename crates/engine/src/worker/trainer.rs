//! A trainer's process, from outside.

use std::{
    path::Path,
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use graft_core::{Event, EventKind};
use graft_store::{Run, RunKind, RunState, RunUpdate};
use graft_train::RunDir;

use super::{
    attend::{Attendance, Break},
    memory,
};
use crate::{
    Error, EventTail, RunLock, Trainer,
    error::Said,
    queue::{evaluation, text_from},
    runs::{End, last_failure},
};

/// How often a trainer is looked at.
const POLL: Duration = Duration::from_millis(100);
/// How long a trainer may take to stop after its step before it is ended.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a trainer may take beyond what it predicts for itself.
const SLACK: u64 = 512 << 20;

/// Memory that a process of a run may take: what the settings allow a training, or what the machine has.
pub(super) fn memory_limit(dir: &RunDir, job: RunKind) -> Option<u64> {
    let given = dir.spec().ok().filter(|_| job == RunKind::Train).and_then(|spec| spec.limits.memory);
    Some(given.or_else(graft_train::available_memory)?.saturating_add(SLACK))
}

/// Gives a process its priority and its limit of memory.
pub(super) fn tune(pid: u32, nice: i32, limit: Option<u64>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, Resource, Rlimit, prlimit, setpriority_process};
        let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
        // It may have ended already; then there is nothing to tune.
        let _ = setpriority_process(Some(pid), nice);
        if let Some(limit) = limit {
            // What it holds is watched from outside; this stands behind, with room for what an allocator sets aside
            // and never touches. The data segment counts no files that are mapped.
            let limit = Some(limit.saturating_add(2 << 30));
            let limit = Rlimit { current: limit, maximum: limit };
            let _ = prlimit(Some(pid), Resource::Data, limit);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (pid, nice, limit);
}

/// Follows a process that trains or measures to its end: one that was just started, or one that another worker had
/// started.
pub(super) async fn follow(
    at: &Attendance,
    run: &Run,
    trainer: Option<Trainer>,
    job: RunKind,
) -> std::result::Result<(), Break> {
    let dir = at.engine.run_dir(run);
    let (mut child, mut tail, logs_from) = match trainer {
        Some(Trainer { child, tail, logs_from }) => (Some(child), tail, logs_from),
        None => (None, EventTail::new(&dir), (u64::MAX, u64::MAX)),
    };
    let pid = child.as_ref().map(std::process::Child::id).or(run.pid);
    let mut end = End { logs_from, ..End::default() };
    let mut memory = memory::Watch::new(pid, memory_limit(&dir, job));
    let mut asked: Option<Instant> = None;
    loop {
        let gone = match &mut child {
            Some(child) => {
                end.status = child.try_wait().map_err(Error::TrainerStart)?;
                end.status.is_some()
            }
            None => !RunLock::is_held(dir.path()),
        };
        for event in tail.read()? {
            note(at, run, &event, &mut end).await?;
        }
        if gone {
            break;
        }
        if at.signals.lost.load(Ordering::Relaxed) {
            // The trainer lives on for the worker of this machine that has it, or ends where it can't publish.
            leave(at, run).await;
            return Err(Break::Lost);
        }
        if *at.stop.borrow() {
            return Err(Break::LetGo);
        }
        if at.signals.cancel.load(Ordering::Relaxed) {
            let since = *asked.get_or_insert_with(Instant::now);
            at.engine.ask_to_stop(run)?;
            // A measurement has nothing half done that is worth to be kept.
            if job == RunKind::Evaluate || since.elapsed() >= PATIENCE {
                kill(pid, dir.path());
            }
        }
        if memory.is_exceeded() {
            kill(pid, dir.path());
        }
        tokio::time::sleep(POLL).await;
    }
    let is_done = match job {
        RunKind::Train => dir.result()?.is_some(),
        RunKind::Evaluate => evaluation::result(&dir)?.is_some(),
    };
    if is_done {
        return Ok(());
    }
    if asked.is_some() && job == RunKind::Evaluate {
        return Err(Error::Cancelled { run: run.id.clone() }.into());
    }
    end.memory = memory.evidence();
    end.stderr = text_from(&dir.path().join("stderr.log"), logs_from.0);
    if end.failed.is_none() && end.status.is_none() {
        end.failed = last_failure(&dir);
    }
    let error = end.error(&run.id);
    let error = if job == RunKind::Evaluate { of_measuring(error) } else { error };
    Err(Break::Failed(Box::new(error), logs_from))
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
            Error::TrainerDied { run, how: format!("{how} while it was to {doing}"), transient }
        }
        other => other,
    }
}

/// Takes in one event.
async fn note(at: &Attendance, run: &Run, event: &Event, end: &mut End) -> std::result::Result<(), Break> {
    let update = match &event.kind {
        EventKind::Failed(failure) => {
            end.failed = Some(failure.clone());
            return Ok(());
        }
        EventKind::Phase { phase } => {
            // Whatever ended an earlier attempt.
            end.failed = None;
            at.spans.phase(phase.name());
            let state = (run.kind == RunKind::Evaluate).then_some(RunState::Running);
            RunUpdate { state, phase: Some(phase.name()), ..RunUpdate::default() }
        }
        EventKind::Prepared { train, .. } => {
            end.failed = None;
            RunUpdate { state: Some(RunState::Running), train_samples: Some(*train as u64), ..RunUpdate::default() }
        }
        _ => return Ok(()),
    };
    match at.engine.store.update_held(&at.lease, &update, &at.engine.by, crate::now()).await {
        // It runs already: these are events from before it was taken over.
        Ok(_) | Err(graft_store::Error::RunState { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Ends a trainer whose run went to another place, which can't see its lock.
async fn leave(at: &Attendance, run: &Run) {
    let place = |owner: &str| owner.split('/').next().map(str::to_owned);
    let Ok(now) = at.engine.store.run(&run.id).await else { return };
    let elsewhere = now.lease_owner.as_deref().and_then(place) != place(&at.engine.me);
    if elsewhere && now.lease_owner.is_some() {
        kill(now.pid.or(run.pid), at.engine.run_dir(run).path());
    }
}

/// Kills a process if it still is the trainer of this directory.
fn kill(pid: Option<u32>, dir: &Path) {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let Some(pid) = pid else { return };
        let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let is_trainer = command.split(|byte| *byte == 0).any(|word| word == dir.as_os_str().as_encoded_bytes());
        if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw).filter(|_| is_trainer) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    #[cfg(not(unix))]
    let _ = (pid, dir);
}
