use graft_core::{ExitCode, json};
use graft_exec::{RunRef, Stop};
use graft_store::{Again, NewRun, Run, RunState};
use graft_train::RunDir;

use super::{MAX_ATTEMPTS, Runs};
use crate::{Error, Result, now};

impl Runs<'_> {
    /// Whether a process works on the run on this machine now.
    #[must_use]
    pub fn is_alive(self, run: &Run) -> bool {
        run.state.is_active() && graft_exec::is_alive(self.engine.home.run_dir(run).path())
    }

    /// Makes a run that failed or was stopped ready for whoever works on it next: a command, which tries it once, and
    /// whose version gets this name. One that is queued or at work, or that has succeeded, stays as it is.
    ///
    /// # Errors
    /// Another run of the task is active; the name can't be a new version's.
    pub async fn prepare_again(
        self,
        run: &Run,
        version: Option<&str>,
        request: Option<&super::RunRequest>,
    ) -> Result<Run> {
        if let Some(name) = version {
            self.engine.versions().check_new(&run.task, name).await?;
        }
        if !matches!(run.state, RunState::Failed | RunState::Cancelled) {
            return Ok(run.clone());
        }
        let request = request.map(json::value);
        let max_attempts = if run.machine.is_some() { MAX_ATTEMPTS } else { 1 };
        let how = Again { max_attempts, request: request.as_ref(), version };
        self.engine.store.queue_again(&run.id, how, &self.engine.by, now(), |_| Ok(())).await
    }

    /// The run of a directory with a spec, made ready as by [`prepare_again`](Self::prepare_again); one that this home
    /// doesn't know is added.
    ///
    /// # Errors
    /// Another run of the task is active; the spec is damaged.
    pub async fn of_dir(self, dir: &RunDir) -> Result<Run> {
        let spec = dir.spec()?;
        match self.engine.store.run(&spec.run).await {
            Ok(run) => self.prepare_again(&run, None, None).await,
            Err(graft_store::Error::NoRun(_)) => {
                let new = NewRun { task: &spec.task.name, spec: &spec, dir: &dir.path().to_string_lossy() };
                Ok(self.engine.store.add_run(new, &self.engine.by, now()).await?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a failed or cancelled run back into the queue, to continue from its last checkpoint.
    ///
    /// # Errors
    /// It has not failed, or another run of the task is active.
    pub async fn resume(self, id: &str) -> Result<Run> {
        let how = Again { max_attempts: MAX_ATTEMPTS, ..Again::default() };
        self.engine.store.queue_again(id, how, &self.engine.by, now(), |_| Ok(())).await
    }

    /// Ends the process of a run at once.
    ///
    /// # Errors
    /// The system refuses.
    pub async fn end_now(self, run: &Run) -> Result<()> {
        self.stop_process(run, Stop::Now).await
    }

    pub(crate) async fn stop_process(self, run: &Run, how: Stop) -> Result<()> {
        let Some(exec) = self.engine.machines().executor_now(run).await? else { return Ok(()) };
        Ok(exec.stop(&self.run_ref(run), how).await?)
    }

    /// The run as executors know it.
    pub(crate) fn run_ref(self, run: &Run) -> RunRef {
        RunRef { id: run.id.clone(), dir: self.engine.home.run_dir(run).path().to_owned() }
    }
}

/// Why a run that has ended has no result, as an error.
///
/// # Errors
/// [`Error::Cancelled`] or [`Error::TrainerFailed`], unless it has succeeded.
pub fn outcome_of(run: &Run) -> Result<()> {
    if run.state == RunState::Succeeded {
        return Ok(());
    }
    let id = run.id.clone();
    Err(match run.failure.clone() {
        Some(failure) => Error::TrainerFailed { run: id, failure: Box::new(failure) },
        None => Error::Cancelled { run: id },
    })
}

/// The public exit code of a number.
pub(crate) fn exit_code(code: i32) -> ExitCode {
    u8::try_from(code).map_or(ExitCode::Internal, ExitCode::from)
}
