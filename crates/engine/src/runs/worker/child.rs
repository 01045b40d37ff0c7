//! The steps that a worker runs as separate `graft` processes: the model's memory and time stay out of the worker, and each
//! process can be ended at once.

use std::{
    collections::HashMap,
    fs,
    process::Command,
    time::{Duration, Instant},
};

use graft_exec::Helper;
use graft_store::{Run, Version};

use super::{
    WorkerOptions, follow,
    supervise::{Break, Supervisor},
};
use crate::{
    Engine, Error, Result,
    error::Said,
    runs::{failure::text_from, process::exit_code},
};

/// How often a child is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Pending examples that one process answers: its model is loaded once for them, then it is another task's turn.
const SUGGESTED: &str = "512";
/// How long a task, or all batches, are left alone after a version couldn't answer.
const PAUSE: Duration = Duration::from_secs(300);

/// Makes a version active unless it is worse.
pub(super) async fn activate(supervisor: &Supervisor, run: &Run, version: &Version) -> std::result::Result<(), Break> {
    let args = ["models", "set-active", &version.name, "--task", &run.task];
    run_child(supervisor, run, "make the version active", &args).await
}

async fn run_child(
    supervisor: &Supervisor,
    run: &Run,
    doing: &'static str,
    args: &[&str],
) -> std::result::Result<(), Break> {
    supervisor.go_on()?;
    let dir = supervisor.engine.home.run_dir(run);
    let size = |name: &str| fs::metadata(dir.path().join(name)).map_or(0, |about| about.len());
    let from = (size("stderr.log"), size("stdout.log"));
    let mut child = Helper::start(
        command(&supervisor.engine, &supervisor.options, args),
        supervisor.options.nice,
        Some(dir.path()),
    )?;
    let mut stalled = false;
    let exit = loop {
        if let Some(exit) = child.ended()? {
            break exit;
        }
        supervisor.go_on()?;
        let now_stalled = child.is_paused();
        if now_stalled != stalled {
            stalled = now_stalled;
            follow::tell_stall(supervisor, run, stalled.then(|| follow::paused(Some(child.pid())))).await?;
        }
        tokio::time::sleep(POLL).await;
    };
    if exit.code == Some(0) {
        return Ok(());
    }
    let said = text_from(&dir.path().join("stderr.log"), from.0);
    let error = match exit.code {
        Some(code) => {
            let cause = Said(said.trim().to_owned());
            Error::ChildFailed { run: run.id.clone(), doing, code: exit_code(code), cause }
        }
        None => {
            Error::TrainerDied { run: run.id.clone(), how: format!("{exit} while trying to {doing}"), transient: true }
        }
    };
    Err(Break::Failed(Box::new(error), from))
}

/// `graft` itself, in the same home and name.
pub(super) fn command(engine: &Engine, options: &WorkerOptions, args: &[&str]) -> Command {
    let mut command = Command::new(&options.program);
    command.args(args).env("GRAFT_HOME", engine.home.path()).env("GRAFT_USER", &engine.by);
    command
}

/// What is answered while nothing trains: parts of batches, or pending examples of a task.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answers {
    /// Every part that waits.
    Batches,
    /// Some pending examples of a task.
    Suggestions(String),
}

/// Answers that are being written.
#[derive(Default)]
pub(super) struct Background {
    child: Option<(Helper, Answers)>,
    /// When one failed.
    failed: HashMap<Answers, Instant>,
}

impl Background {
    /// Whether a process is at it.
    pub(super) fn is_running(&mut self) -> bool {
        let Some((child, answers)) = &mut self.child else { return false };
        match child.ended() {
            Ok(None) => true,
            Ok(Some(exit)) => {
                if exit.code != Some(0) {
                    self.failed.insert(answers.clone(), Instant::now());
                }
                self.child = None;
                false
            }
            Err(_) => false,
        }
    }

    /// Whether these failed not long ago.
    pub(super) fn is_paused(&self, answers: &Answers) -> bool {
        self.failed.get(answers).is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Begins to answer.
    pub(super) fn begin(&mut self, engine: &Engine, options: &WorkerOptions, answers: Answers) -> Result<()> {
        let args = match &answers {
            Answers::Batches => vec!["batch", "work", "--once"],
            Answers::Suggestions(task) => vec!["suggest", task, "--limit", SUGGESTED],
        };
        let command = command(engine, options, &args);
        self.child = Some((Helper::start(command, options.nice.max(15), None)?, answers));
        Ok(())
    }

    /// Ends it: a run needs the machine.
    pub(super) fn end(&mut self) {
        self.child = None;
    }
}
