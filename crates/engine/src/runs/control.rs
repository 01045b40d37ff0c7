use std::{collections::BTreeSet, fs};

use graft_core::{ExampleId, Timestamp, TrainSpec};
use graft_exec::Stop;
use graft_store::{Again, Due, Run};

use super::{Preflight, RunRequest, Runs, interim::ScoringFile, plan::Order};
use crate::{
    Error, Result,
    files::{apart, copy_folder},
    now,
};

/// Trainers that may be started for a run: the first, and two more after transient failures.
pub(crate) const MAX_ATTEMPTS: u32 = 3;

impl Runs<'_> {
    /// Puts a run into the queue, with its dataset; it is durable when this returns. The same `key` stands for the same
    /// run, however often and to whomever it is sent.
    ///
    /// # Errors
    /// [`Error::NotReady`] with every problem found; [`graft_store::Error::RunActive`] while the task has a run.
    pub async fn submit(self, request: &RunRequest, key: Option<&str>) -> Result<Run> {
        self.submit_of(request, None, key).await
    }

    /// The same with these of the approved examples, if they are named.
    pub(crate) async fn submit_of(
        self,
        request: &RunRequest,
        only: Option<&BTreeSet<ExampleId>>,
        key: Option<&str>,
    ) -> Result<Run> {
        if let Some(run) = self.engine.store.requested_run(key).await? {
            return Ok(run);
        }
        if let Some(run) = self.engine.store.active_run(&request.task).await? {
            return Err(graft_store::Error::RunActive { task: run.task, run: run.id }.into());
        }
        let preflight = self.preflight_of(request, only).await?;
        self.submit_checked(request, preflight, None, key).await
    }

    /// Puts a checked run into the queue, for a time of a schedule if it is for one.
    pub(crate) async fn submit_checked(
        self,
        request: &RunRequest,
        mut preflight: Preflight,
        due: Option<Due<'_>>,
        key: Option<&str>,
    ) -> Result<Run> {
        let plan = preflight.plan.take().filter(|_| preflight.ok);
        let Some(plan) = plan else { return Err(Error::NotReady(Box::new(preflight))) };
        self.queue_plan(&plan, Order { request, max_attempts: MAX_ATTEMPTS, due, key, search: None }).await
    }

    /// Asks for a run to end. One that waits is cancelled at once; one that trains stops after its step, and its last
    /// checkpoint is kept.
    ///
    /// # Errors
    /// It has ended already; there is none.
    pub async fn cancel(self, id: &str) -> Result<Run> {
        let run = self.engine.store.cancel_run(id, &self.engine.by, now()).await?;
        if run.state.is_active() && run.machine.is_none() {
            // Its follower does the same; its trainer may have outlived that. On another machine that takes a while, and
            // is left to whoever follows it next.
            self.stop_process(&run, Stop::AfterStep).await?;
        }
        if !run.state.is_active() && run.machine.is_some() && run.attempts > 0 {
            // Nobody followed the trainer that an earlier attempt may have left there.
            if let Err(error) = self.stop_process(&run, Stop::AfterStep).await {
                tracing::warn!(
                    "run {}: its trainer may still be running: failed to {}",
                    run.id,
                    graft_core::with_causes(&error)
                );
            }
            self.engine.machines().give_back(&run).await?;
        }
        Ok(run)
    }

    /// Puts a failed or cancelled run back into the queue, to start again.
    ///
    /// # Errors
    /// It has not failed, or another run of the task is active; the disk refuses.
    pub async fn retry(self, id: &str) -> Result<Run> {
        let forget = |run: &Run| {
            let dir = self.engine.home.run_dir(run);
            super::evaluation::forget(dir.path())?;
            let path = dir.checkpoints();
            match fs::remove_dir_all(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::Io { doing: "remove", path, source })
                }
                _ => Ok(()),
            }
        };
        let how = Again { max_attempts: MAX_ATTEMPTS, ..Again::default() };
        self.engine.store.queue_again(id, how, &self.engine.by, now(), forget).await
    }

    /// Deletes a run that has ended, with its directory; versions made by it stay.
    ///
    /// # Errors
    /// It is active; there is none; the disk refuses.
    pub async fn delete(self, id: &str) -> Result<Run> {
        let run = self.engine.store.delete_run(id, &self.engine.by, now()).await?;
        let path = self.engine.home.run_dir(&run).path().to_owned();
        // A directory elsewhere was named by a person, who may keep other things there.
        if path.starts_with(self.engine.home.path()) {
            let remove = move || match fs::remove_dir_all(&path) {
                Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                    Err(Error::Io { doing: "remove", path, source })
                }
                _ => Ok(()),
            };
            apart("remove a run's directory", remove).await?;
        }
        Ok(run)
    }

    /// Deletes every run that ended before a time; returns how many.
    ///
    /// # Errors
    /// As [`delete_run`](Self::delete).
    pub async fn delete_before(self, at: Timestamp) -> Result<u64> {
        let mut deleted = 0;
        for run in self.engine.store.runs_finished_before(at).await? {
            self.delete(&run.id).await?;
            deleted += 1;
        }
        Ok(deleted)
    }

    /// Makes the directory of a queued run on this machine, unless it is there: its spec and its dataset say all.
    pub(crate) async fn make_dir(self, run: &Run, threads: usize) -> Result<()> {
        // Another machine has other processors; its trainer takes what there is.
        let threads = run.machine.is_none().then_some(threads);
        let dir = self.engine.home.run_dir(run);
        if dir.path().join("spec.json").exists() {
            return Ok(());
        }
        let damaged = |source| Error::BadSpec { run: run.id.clone(), source };
        let mut spec: TrainSpec = serde_json::from_value(run.spec.clone()).map_err(damaged)?;
        // The base may lie elsewhere on this machine; its digest is the same.
        spec.base = self.engine.bases().open(&spec.base).await?.0;
        spec.limits.threads = spec.limits.threads.or(threads);
        let dataset = match &run.study {
            Some(study) => self.engine.studies().dataset(study).await?,
            None => self.engine.store.dataset(&run.task, &spec.dataset).await?,
        };
        let only = self.learned(&run.task, spec.init_from.as_ref(), &dataset).await?;
        let task = self.engine.tasks().at(&run.task, run.task_revision).await?;
        let prepared = crate::Prepared { task, card: spec.task.clone(), dataset, unfit: 0 };
        let (train, eval) = prepared.rows_to_train(&spec.optim, only.as_ref())?;
        if let Some(from) = &spec.init_from {
            let chosen = self.engine.versions().adapter(&run.task, Some(&from.version)).await?;
            copy_folder(&chosen.folder, &dir.init())?;
        }
        // A trial is there for its loss.
        if spec.eval.score_examples > 0 && !eval.is_empty() && run.study.is_none() {
            let definition = &prepared.task.definition;
            ScoringFile::new(definition, &spec.task, || self.engine.home.tables()).write(&dir)?;
        }
        Ok(dir.create(&spec, &train, &eval)?)
    }
}
