use std::{
    fs::{self, File, OpenOptions},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use graft_core::{Event, EventKind, ExitCode};
use graft_store::{Run, RunFilter, RunState, RunUpdate};
use graft_train::{RunDir, TrainingRun};

use crate::{Engine, Error, EventTail, Result, RunLock, error::Said, now};

/// How often the events of a running trainer are looked at.
const POLL: Duration = Duration::from_millis(100);

/// A trainer that was started by this process.
#[derive(Debug)]
pub struct Trainer {
    child: Child,
    tail: EventTail,
    /// Where this attempt begins in `stderr.log`.
    stderr_from: u64,
}

/// How an attempt ended, as far as its process and its events tell.
#[derive(Debug, Default)]
pub struct End {
    status: Option<ExitStatus>,
    failed: Option<(u8, String)>,
    stderr: String,
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

    /// Finds out what became of active runs that nobody follows, and returns those whose trainer is gone.
    ///
    /// # Errors
    /// What the store says.
    pub async fn reconcile(&self, task: Option<&str>) -> Result<Vec<Run>> {
        let filter = RunFilter { task: task.map(str::to_owned), ..RunFilter::default() };
        let mut changed = Vec::new();
        for run in self.store.runs(&filter).await?.into_iter().filter(|run| run.state.is_active()) {
            if self.is_alive(&run) {
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

    /// Starts a trainer for a run: `program train-dir DIR`, its output kept in the run directory. It lives on when
    /// this process ends.
    ///
    /// # Errors
    /// [`Error::RunBusy`]; the program can't be started.
    pub async fn launch(&self, run: &Run, program: &Path) -> Result<Trainer> {
        let dir = self.run_dir(run);
        let failed = |source| Error::Io { doing: "prepare", path: dir.path().to_owned(), source };
        fs::create_dir_all(dir.path()).map_err(failed)?;
        RunLock::announce(dir.path())?;
        match fs::remove_file(dir.path().join("stop")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let log = |name: &str| OpenOptions::new().create(true).append(true).open(dir.path().join(name)).map_err(failed);
        let (stdout, stderr) = (log("stdout.log")?, log("stderr.log")?);
        let stderr_from = stderr.metadata().map_err(failed)?.len();
        let tail = EventTail::from_now(&dir);
        let mut command = Command::new(program);
        command.arg("train-dir").arg(dir.path()).env("GRAFT_HOME", self.home.path());
        command.stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        #[cfg(unix)]
        {
            use std::os::unix::process::CommandExt as _;
            // An interrupt from the keyboard reaches us only; we ask the trainer to stop after its step.
            command.process_group(0);
        }
        let child = command.spawn().map_err(Error::TrainerStart)?;
        let update = RunUpdate { state: Some(RunState::Starting), pid: Some(child.id()), ..RunUpdate::default() };
        self.store.update_run(&run.id, &update, &self.by, now()).await?;
        Ok(Trainer { child, tail, stderr_from })
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
        let (mut child, mut tail, stderr_from) = match trainer {
            Some(Trainer { child, tail, stderr_from }) => (Some(child), tail, stderr_from),
            None => (None, EventTail::new(&dir), u64::MAX),
        };
        let (mut end, mut stopping) = (End::default(), false);
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
        end.stderr = text_from(&dir.path().join("stderr.log"), stderr_from);
        self.settle(run, end).await
    }

    /// Asks the run's trainer to stop after its step.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn ask_to_stop(&self, run: &Run) -> Result<()> {
        let path = self.run_dir(run).path().join("stop");
        File::create(&path).map(drop).map_err(|source| Error::Io { doing: "write", path, source })
    }

    /// Takes in one event.
    async fn note(&self, id: &str, event: &Event, end: &mut End) -> Result<()> {
        match &event.kind {
            EventKind::Failed { code, message } => end.failed = Some((*code, message.clone())),
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
        let result = self.run_dir(run).result()?;
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
                error: Some(whole_message(error)),
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
        if run.state.is_active() {
            let end = End { failed: last_failure(&dir), ..End::default() };
            let _ = self.settle(run, end).await;
        }
        self.launch(run, program).await.map(Some)
    }
}

impl End {
    fn error(self, run: &str) -> Error {
        let code = self.status.and_then(|status| status.code());
        let hint = self.stderr.lines().rev().find_map(|line| line.strip_prefix("hint: ")).map(str::to_owned);
        let run = run.to_owned();
        if let Some((code, message)) = self.failed {
            return Error::TrainerFailed { run, code: exit_code(code.into()), cause: Said(message), hint };
        }
        let said: Vec<&str> = self.stderr.lines().filter(|line| !line.starts_with("hint: ")).collect();
        let said = said.join("\n").trim().to_owned();
        match code {
            Some(code) if !said.is_empty() && exit_code(code) as i32 == code => {
                Error::TrainerFailed { run, code: exit_code(code), cause: Said(said), hint }
            }
            _ => Error::TrainerDied { run, how: how(self.status, &said) },
        }
    }
}

fn how(status: Option<ExitStatus>, said: &str) -> String {
    let how = status.map_or_else(|| "nobody saw how".to_owned(), |status| status.to_string());
    if said.is_empty() { how } else { format!("{how}; it said: {said}") }
}

/// The public exit code of a number.
fn exit_code(code: i32) -> ExitCode {
    use ExitCode as E;
    let all =
        [E::Usage, E::BadData, E::ModelMissing, E::OutOfMemory, E::Diverged, E::Network, E::NotBetter, E::Stopped];
    all.into_iter().find(|known| *known as i32 == code).unwrap_or(E::Internal)
}

/// The failure that a run's events end with, if they do.
fn last_failure(dir: &RunDir) -> Option<(u8, String)> {
    match dir.events_after(0).ok()?.pop()?.kind {
        EventKind::Failed { code, message } => Some((code, message)),
        _ => None,
    }
}

/// Another process has just stored the run and is making its directory.
fn is_being_made(run: &Run) -> bool {
    run.state == RunState::Queued && now() - run.created_at < 10_000
}

/// An error with its causes, on one line each.
fn whole_message(error: &Error) -> String {
    let mut text = format!("failed to {error}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text += &format!("\n{cause}");
        source = cause.source();
    }
    text
}

fn text_from(path: &Path, offset: u64) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        file.seek(SeekFrom::Start(offset))?;
        file.read_to_end(&mut bytes)
    });
    if read.is_err() {
        return String::new();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
