use std::{
    fs::{self, File, OpenOptions},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use graft_core::{Event, EventKind, ExitCode, Failure, FailureClass};
use graft_formats::faults::{self, Op};
use graft_store::{Run, RunState, RunUpdate};
use graft_train::{RunDir, TrainingRun};

use crate::{
    Engine, Error, EventTail, Result, RunLock, now,
    queue::{report, text_from},
};

/// How often the events of a running trainer are looked at.
const POLL: Duration = Duration::from_millis(100);

/// A trainer that was started by this process.
#[derive(Debug)]
pub struct Trainer {
    pub(crate) child: Child,
    pub(crate) tail: EventTail,
    /// Where this attempt begins in `stderr.log` and `stdout.log`.
    pub(crate) logs_from: (u64, u64),
}

/// How an attempt ended, as far as its process and its events tell.
#[derive(Debug, Default)]
pub struct End {
    pub(crate) status: Option<ExitStatus>,
    pub(crate) failed: Option<Failure>,
    pub(crate) stderr: String,
    /// Where the attempt begins in `stderr.log` and `stdout.log`.
    pub(crate) logs_from: (u64, u64),
    /// Why memory is known not to have sufficed.
    pub(crate) memory: Option<String>,
}

impl Engine {
    /// The run's directory.
    #[must_use]
    pub fn run_dir(&self, run: &Run) -> RunDir {
        RunDir::new(self.home.resolve(&run.dir))
    }

    /// Whether a trainer works on the run now.
    #[must_use]
    pub fn is_alive(&self, run: &Run) -> bool {
        RunLock::is_held(self.run_dir(run).path())
    }

    /// Finds out what became of active runs that nobody follows, and returns those whose trainer is gone. A run of the
    /// queue whose worker vanished goes back into the queue.
    ///
    /// # Errors
    /// What the store says.
    pub async fn reconcile(&self, task: Option<&str>) -> Result<Vec<Run>> {
        let mut changed = Vec::new();
        let meant = |run: &Run| task.is_none_or(|task| run.task == task);
        for run in self.store.active_runs().await?.into_iter().filter(meant) {
            if run.request.is_some() {
                changed.extend(self.give_back(&run).await?);
            } else if self.is_alive(&run) {
                // Whoever started it may have died before the trainer was ready.
                for event in self.run_dir(&run).events_after(0)? {
                    self.note(&run.id, &event, &mut End::default()).await?;
                }
            } else if !is_being_made(&run) {
                let end = End { failed: last_failure(&self.run_dir(&run)), ..End::default() };
                let _ = self.settle(&run, end).await;
                changed.push(self.store.run(&run.id).await?);
            }
        }
        Ok(changed)
    }

    /// Puts a run of the queue back if its worker and its trainer are gone; ends it if that was wanted.
    async fn give_back(&self, run: &Run) -> Result<Option<Run>> {
        let waits = run.state == RunState::Queued && run.lease_owner.is_none();
        if waits || self.is_alive(run) || self.store.is_held(run).await? {
            return Ok(None);
        }
        let (run, lease) = match self.store.take_over(run, &self.me, 10_000).await {
            Err(graft_store::Error::LeaseHeld { .. } | graft_store::Error::LeaseLost { .. }) => return Ok(None),
            taken => taken?,
        };
        if run.wants.is_some() {
            let update = RunUpdate { state: Some(RunState::Cancelled), ..RunUpdate::default() };
            return Ok(Some(self.store.update_held(&lease, &update, &self.by, now()).await?));
        }
        let at = self.store.now().await?;
        Ok(Some(self.store.requeue_run(&lease, at, &vanished(), &self.by, now()).await?))
    }

    /// Starts a trainer for a run: `program train-dir DIR`, its output kept in the run directory. It lives on when
    /// this process ends.
    ///
    /// # Errors
    /// [`Error::RunBusy`]; the program can't be started.
    pub async fn launch(&self, run: &Run, program: &Path) -> Result<Trainer> {
        let trainer = self.spawn(run, self.train_command(run, program).await)?;
        let update = RunUpdate {
            state: Some(RunState::Starting),
            pid: Some(trainer.child.id()),
            place: Some(self.home.place()),
            ..RunUpdate::default()
        };
        self.store.update_run(&run.id, &update, &self.by, now()).await?;
        Ok(trainer)
    }

    /// `program train-dir DIR`, told where the base is.
    pub(crate) async fn train_command(&self, run: &Run, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.arg("train-dir").arg(self.run_dir(run).path()).env("GRAFT_HOME", self.home.path());
        let wanted = self.run_dir(run).spec().map(|spec| spec.base);
        // What is missing is for the trainer to say, in the run's events.
        if let Ok(wanted) = wanted
            && let Ok(path) = self.find_base(&wanted).await
        {
            command.arg("--base").arg(path);
        }
        command
    }

    /// Starts a process that takes the lock of a run's directory and writes its events there.
    pub(crate) fn spawn(&self, run: &Run, mut command: Command) -> Result<Trainer> {
        let dir = self.run_dir(run);
        let failed = |source| Error::Io { doing: "prepare", path: dir.path().to_owned(), source };
        faults::pass(Op::Write, dir.path()).and_then(|()| fs::create_dir_all(dir.path())).map_err(failed)?;
        RunLock::announce(dir.path())?;
        match fs::remove_file(dir.path().join("stop")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let tail = EventTail::from_now(&dir);
        let logs_from = into_logs(&mut command, dir.path())?;
        let child = command.spawn().map_err(Error::TrainerStart)?;
        Ok(Trainer { child, tail, logs_from })
    }

    /// Tells every event of a run until its trainer ends, and takes in what became of it. Each count of `interrupts`
    /// presses harder: the first asks the trainer to stop after its step, the second ends it at once.
    ///
    /// # Errors
    /// [`Error::TrainerFailed`] or [`Error::TrainerDied`], after the run's state is stored.
    pub async fn follow(
        &self,
        run: &Run,
        trainer: Option<Trainer>,
        interrupts: &AtomicU32,
        tell: &mut dyn FnMut(&Event),
    ) -> Result<TrainingRun> {
        let dir = self.run_dir(run);
        if trainer.is_none() && dir.result()?.is_some() {
            return self.settle(run, End::default()).await;
        }
        let (mut child, mut tail, logs_from) = match trainer {
            Some(Trainer { child, tail, logs_from }) => (Some(child), tail, logs_from),
            None => (None, EventTail::new(&dir), (u64::MAX, u64::MAX)),
        };
        let (mut end, mut stopping) = (End { logs_from, ..End::default() }, false);
        loop {
            let gone = match &mut child {
                Some(child) => {
                    end.status = child.try_wait().map_err(Error::TrainerStart)?;
                    end.status.is_some()
                }
                None => !RunLock::is_held(dir.path()),
            };
            for event in tail.read()? {
                self.note(&run.id, &event, &mut end).await?;
                tell(&event);
            }
            if gone {
                break;
            }
            let pressed = interrupts.load(Ordering::Relaxed);
            if pressed > 0 && !stopping {
                stopping = true;
                self.ask_to_stop(run)?;
            }
            if let (2.., Some(child)) = (pressed, &mut child) {
                // It may have ended by itself just now.
                let _ = child.kill();
            }
            tokio::time::sleep(POLL).await;
        }
        end.stderr = text_from(&dir.path().join("stderr.log"), logs_from.0);
        self.settle(run, end).await
    }

    /// Asks the run's trainer to stop after its step.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn ask_to_stop(&self, run: &Run) -> Result<()> {
        let path = self.run_dir(run).path().join("stop");
        let made = faults::pass(Op::Write, &path).and_then(|()| File::create(&path));
        made.map(drop).map_err(|source| Error::Io { doing: "write", path, source })
    }

    /// Takes in one event.
    async fn note(&self, id: &str, event: &Event, end: &mut End) -> Result<()> {
        match &event.kind {
            EventKind::Failed(failure) => end.failed = Some(failure.clone()),
            EventKind::Prepared { train, .. } => {
                end.failed = None;
                let update = RunUpdate {
                    state: Some(RunState::Running),
                    train_samples: Some(*train as u64),
                    ..RunUpdate::default()
                };
                match self.store.update_run(id, &update, &self.by, now()).await {
                    // It runs already, or another process saw its end.
                    Err(graft_store::Error::RunState { .. }) => {}
                    updated => drop(updated?),
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Stores what became of a run whose trainer is gone.
    async fn settle(&self, run: &Run, end: End) -> Result<TrainingRun> {
        let dir = self.run_dir(run);
        let (result, logs_from) = (dir.result()?, end.logs_from);
        let outcome = match result {
            Some(result) => Ok(result),
            None => Err(end.error(&run.id)),
        };
        let update = match &outcome {
            Ok(result) => RunUpdate {
                state: Some(RunState::Succeeded),
                train_samples: Some(result.samples as u64),
                final_loss: Some(result.eval_loss.unwrap_or(result.final_loss)),
                ..RunUpdate::default()
            },
            Err(error) => RunUpdate {
                state: Some(match error.exit_code() {
                    ExitCode::Stopped => RunState::Cancelled,
                    _ => RunState::Failed,
                }),
                failure: Some(report(error, None, dir.path(), logs_from)),
                exit_code: Some(error.exit_code() as i32),
                ..RunUpdate::default()
            },
        };
        self.move_on(&run.id, &update).await?;
        outcome
    }

    /// Stores the end of a run, unless another process has done so; a run that was taken for dead may end well.
    async fn move_on(&self, id: &str, update: &RunUpdate) -> Result<()> {
        let Some(next) = update.state else { return Ok(()) };
        let state = self.store.run(id).await?.state;
        if state == next || state == RunState::Succeeded {
            return Ok(());
        }
        if !state.may_become(next) {
            let running = RunUpdate { state: Some(RunState::Running), ..RunUpdate::default() };
            self.store.update_run(id, &running, &self.by, now()).await?;
        }
        self.store.update_run(id, update, &self.by, now()).await?;
        Ok(())
    }

    /// Goes on with a run: starts a trainer if none is at work, and returns nothing if there is nothing left to do.
    ///
    /// # Errors
    /// As [`launch`](Self::launch).
    pub async fn resume(&self, run: &Run, program: &Path) -> Result<Option<Trainer>> {
        let dir = self.run_dir(run);
        if dir.result()?.is_some() || self.is_alive(run) {
            return Ok(None);
        }
        dir.spec()?;
        if run.request.is_some() {
            self.store.detach_run(&run.id).await?;
        }
        if run.state.is_active() {
            let end = End { failed: last_failure(&dir), ..End::default() };
            let _ = self.settle(run, end).await;
        }
        self.launch(run, program).await.map(Some)
    }
}

impl End {
    /// Why the attempt has no result.
    pub(crate) fn error(self, run: &str) -> Error {
        let code = self.status.and_then(|status| status.code());
        let run = run.to_owned();
        if let Some(failure) = self.failed {
            return Error::TrainerFailed { run, failure: Box::new(failure) };
        }
        let said = self.stderr.trim();
        // What Rust's allocator says before it gives up.
        let refused = said.lines().rev().find(|line| line.starts_with("memory allocation of ")).map(str::to_owned);
        if let Some(why) = self.memory.or(refused) {
            return Error::TrainerOutOfMemory { run, why };
        }
        match code {
            Some(code) if !said.is_empty() && exit_code(code) as i32 == code => {
                Error::TrainerFailed { run, failure: Box::new(Failure::new(said, exit_code(code))) }
            }
            _ => Error::TrainerDied { run, how: how(self.status, said), transient: was_ended(self.status) },
        }
    }
}

/// Whether somebody or something outside ended the process, as far as can be told: nothing of its own doing.
fn was_ended(status: Option<ExitStatus>) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        // Hangup, interrupt, kill, terminate.
        status.is_none_or(|status| matches!(status.signal(), Some(1 | 2 | 9 | 15)))
    }
    #[cfg(not(unix))]
    status.is_none()
}

fn how(status: Option<ExitStatus>, said: &str) -> String {
    let how = status.map_or_else(|| "nobody saw how".to_owned(), |status| status.to_string());
    if said.is_empty() { how } else { format!("{how}; it said: {said}") }
}

/// Lets a process add to a run's logs, in a process group of its own: an interrupt from the keyboard reaches us only.
/// Returns where its part of stderr and of stdout begins.
pub(crate) fn into_logs(command: &mut Command, dir: &Path) -> Result<(u64, u64)> {
    let open = |name: &str| {
        let path = dir.join(name);
        let opened =
            faults::pass(Op::Write, &path).and_then(|()| OpenOptions::new().create(true).append(true).open(&path));
        let sized = opened.and_then(|file| Ok((file.metadata()?.len(), file)));
        sized.map_err(|source| Error::Io { doing: "open", path, source })
    };
    let ((out_from, stdout), (err_from, stderr)) = (open("stdout.log")?, open("stderr.log")?);
    command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        command.process_group(0);
    }
    Ok((err_from, out_from))
}

/// The public exit code of a number.
pub(crate) fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::Internal, ExitCode::from)
}

/// The failure that a run's events end with, if they do.
pub(crate) fn last_failure(dir: &RunDir) -> Option<Failure> {
    match dir.events_after(0).ok()?.pop()?.kind {
        EventKind::Failed(failure) => Some(failure),
        _ => None,
    }
}

fn vanished() -> Failure {
    Failure { class: FailureClass::Lost, ..Failure::new("its worker vanished", ExitCode::Internal) }
}

/// Another process has just stored the run and is making its directory.
fn is_being_made(run: &Run) -> bool {
    run.state == RunState::Queued && now() - run.created_at < 10_000
}
