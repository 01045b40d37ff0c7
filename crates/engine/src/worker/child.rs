//! What a worker lets `graft` itself do in processes of their own: the model's memory and time stay out of the worker,
//! and each can be ended at once.

use std::collections::HashMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use graft_store::{Run, Version};

use super::{
    WorkerOptions,
    attend::{Attendance, Break},
    trainer,
};
use crate::{
    Engine, Error, Result,
    error::Said,
    queue::text_from,
    runs::{exit_code, into_logs},
};

/// How often a child is looked at.
const POLL: Duration = Duration::from_millis(50);
/// Pending examples that one process answers: its model is loaded once for them, then it is another task's turn.
const SUGGESTED: &str = "512";
/// How long a task is left alone whose version couldn't answer.
const PAUSE: Duration = Duration::from_secs(300);

/// Makes a version active unless it is worse.
pub(super) async fn activate(at: &Attendance, run: &Run, version: &Version) -> std::result::Result<(), Break> {
    let args = ["models", "set-active", &version.name, "--task", &run.task];
    run_child(at, run, "make the version active", &args).await
}

async fn run_child(at: &Attendance, run: &Run, doing: &'static str, args: &[&str]) -> std::result::Result<(), Break> {
    at.go_on()?;
    let dir = at.engine.run_dir(run);
    let mut command = command(&at.engine, &at.options, args);
    let from = into_logs(&mut command, dir.path())?;
    let mut child = Running(command.spawn().map_err(Error::TrainerStart)?);
    trainer::tune(child.0.id(), at.options.nice, None);
    let status = loop {
        if let Some(status) = child.0.try_wait().map_err(Error::TrainerStart)? {
            break status;
        }
        at.go_on()?;
        tokio::time::sleep(POLL).await;
    };
    if status.success() {
        return Ok(());
    }
    let said = text_from(&dir.path().join("stderr.log"), from.0);
    let error = match status.code() {
        Some(code) => {
            let cause = Said(said.trim().to_owned());
            Error::ChildFailed { run: run.id.clone(), doing, code: exit_code(code), cause }
        }
        None => Error::TrainerDied {
            run: run.id.clone(),
            how: format!("{status} while it was to {doing}"),
            transient: true,
        },
    };
    Err(Break::Failed(Box::new(error), from))
}

/// `graft` itself, in the same home and name.
pub(super) fn command(engine: &Engine, options: &WorkerOptions, args: &[&str]) -> Command {
    let mut command = Command::new(&options.program);
    command.args(args).env("GRAFT_HOME", engine.home.path()).env("GRAFT_USER", &engine.by);
    command
}

/// A process that ends with its owner's interest in it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Suggestions that are being made.
#[derive(Default)]
pub(super) struct Background {
    /// With its task.
    child: Option<(Running, String)>,
    /// When a task failed.
    failed: HashMap<String, Instant>,
}

impl Background {
    /// Whether a process is at it.
    pub(super) fn is_running(&mut self) -> bool {
        let Some((child, task)) = &mut self.child else { return false };
        match child.0.try_wait() {
            Ok(None) => true,
            Ok(Some(status)) => {
                if !status.success() {
                    self.failed.insert(std::mem::take(task), Instant::now());
                }
                self.child = None;
                false
            }
            Err(_) => false,
        }
    }

    /// Whether a task failed not long ago.
    pub(super) fn is_paused(&self, task: &str) -> bool {
        self.failed.get(task).is_some_and(|at| at.elapsed() < PAUSE)
    }

    /// Answers some pending examples of a task.
    pub(super) fn begin(&mut self, engine: &Engine, options: &WorkerOptions, task: String) -> Result<()> {
        let mut command = command(engine, options, &["suggest", &task, "--limit", SUGGESTED]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = Running(command.spawn().map_err(Error::TrainerStart)?);
        trainer::tune(child.0.id(), options.nice.max(15), None);
        self.child = Some((child, task));
        Ok(())
    }

    /// Ends it: a run needs the machine.
    pub(super) fn end(&mut self) {
        self.child = None;
    }
}
