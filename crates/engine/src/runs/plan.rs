use std::{collections::BTreeSet, path::PathBuf};

use graft_core::{BaseRef, ExampleId, ExitCode, TrainSpec, json};
use graft_store::{Due, NewRun, NewStudy, Run, RunFilter, RunKind, RunState, Submission};
use serde_json::Value;

use super::{MAX_ATTEMPTS, RunRequest, Runs, WarmStart, recipes::Recipe};
use crate::{Error, Result, compact, examples::Prepared, now};

/// A training that could be queued.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Card and dataset.
    pub prepared: Prepared,
    /// The frozen model; [unseen](BaseRef::unseen) if the run has to download it first.
    pub base: BaseRef,
    /// All settings.
    pub recipe: Recipe,
    /// The version that it starts from; a new adapter otherwise.
    pub start: Option<WarmStart>,
    /// Name of the run; one is made up otherwise.
    pub run: Option<String>,
    /// Run directory; `runs/<id>` in `GRAFT_HOME` otherwise.
    pub dir: Option<PathBuf>,
}

/// A run that was queued for the command that asked for it.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The run.
    pub run: Run,
    /// Whether it was begun before with the same settings and data, and only interrupted.
    pub continued: bool,
    /// Runs of the task that were found dead now.
    pub found_dead: Vec<Run>,
}

/// What a run of the queue has beside its plan.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    /// What was asked for.
    pub(crate) request: &'a RunRequest,
    /// Maximum number of trainers that are started for it.
    pub(crate) max_attempts: u32,
    /// The time of a schedule that it is for.
    pub(crate) due: Option<Due<'a>>,
    /// Names the request among all.
    pub(crate) key: Option<&'a str>,
    /// The study that chooses its settings first, with its plan.
    pub(crate) search: Option<(&'a str, &'a Value)>,
}

impl Runs<'_> {
    /// Queues a plan for a command that shows it from its first try to its end. A run of the same settings and data
    /// that was interrupted is taken up again instead.
    ///
    /// # Errors
    /// A setting out of range, nothing to learn from, or another run of the task that is active.
    pub async fn submit_plan(self, plan: &Plan, request: &RunRequest) -> Result<Submitted> {
        plan.prepared.rows()?;
        let task = plan.prepared.card.name.as_str();
        let spec = plan.spec(plan.run.clone().unwrap_or_default());
        spec.check()?;
        let found_dead = self.reconcile(Some(task)).await?;
        if let Some(run) = self.interrupted(task, plan.run.as_deref(), &spec, request.on.as_deref()).await? {
            let run = self.prepare_again(&run, request.version.as_deref(), Some(request)).await?;
            return Ok(Submitted { run, continued: true, found_dead });
        }
        // A run on another machine may fail for transient reasons, which a person here cannot fix; so it is retried.
        let max_attempts = if request.on.is_some() { MAX_ATTEMPTS } else { 1 };
        let order = Order { request, max_attempts, due: None, key: None, search: None };
        Ok(Submitted { run: self.queue_plan(plan, order).await?, continued: false, found_dead })
    }

    /// Puts a plan into the queue, with its dataset.
    pub(crate) async fn queue_plan(self, plan: &Plan, order: Order<'_>) -> Result<Run> {
        self.engine.tracking().check_wish(order.request.track)?;
        if plan.prepared.task.archived {
            return Err(Error::Archived { task: plan.prepared.card.name.clone() });
        }
        if let (Some(name), Some(_)) = (&order.request.on, &plan.start)
            && self.engine.machines().is_service(name).await?
        {
            return Err(Error::Unsupported("start from a version at the training service: it trains anew".to_owned()));
        }
        let task = plan.prepared.card.name.as_str();
        let task_revision = Some(self.engine.tasks().keep(&plan.prepared.task).await?);
        let id = match &plan.run {
            Some(id) => id.clone(),
            None => self.free_id(task).await?,
        };
        let dir = plan.dir.as_ref().map_or_else(|| format!("runs/{id}"), |dir| dir.to_string_lossy().into_owned());
        let spec = plan.spec(id);
        let request = order.request;
        let body = json::value(request);
        let submission = Submission {
            priority: request.priority,
            after: request.after.as_deref(),
            activate: request.activate,
            version: request.version.as_deref(),
            max_attempts: order.max_attempts,
            request: &body,
            due: order.due,
            task_revision,
            key: order.key,
            machine: request.on.as_deref(),
        };
        let new = NewRun { task, spec: &spec, dir: &dir };
        let (store, dataset, by) = (&self.engine.store, &plan.prepared.dataset, &self.engine.by);
        let run = match order.search {
            None => store.submit_run(new, &submission, dataset, by, now()).await?,
            Some((id, study)) => {
                let study = NewStudy { id, task, plan: study, waiting: Some((new, &submission)) };
                store.add_study(study, dataset, by, now()).await?;
                store.run(&spec.run).await?
            }
        };
        // Whoever claims it notes it, too: a run is never held up for a tracker.
        let _ = self.engine.tracking().note(&run).await;
        Ok(run)
    }

    /// A run of the same settings and data that was stopped, killed, or never registered.
    async fn interrupted(
        self,
        task: &str,
        named: Option<&str>,
        spec: &TrainSpec,
        on: Option<&str>,
    ) -> Result<Option<Run>> {
        let filter = RunFilter { task: Some(task.to_owned()), kind: Some(RunKind::Train), ..RunFilter::default() };
        for run in self.engine.store.runs(&filter).await? {
            let Ok(mut other) = serde_json::from_value::<TrainSpec>(run.spec.clone()) else { continue };
            other.run.clone_from(&spec.run);
            let unfinished = match run.state {
                RunState::Cancelled => true,
                RunState::Failed => run.exit_code == Some(ExitCode::Internal as i32),
                RunState::Succeeded => self.engine.versions().of_run(&run).await?.is_none(),
                // Its worker vanished, and no other has come yet.
                RunState::Queued => run.attempts > 0 && run.lease_owner.is_none(),
                RunState::Starting | RunState::Running => false,
            };
            let same_place = run.machine.as_deref() == on;
            if unfinished && same_place && other == *spec && named.is_none_or(|name| name == run.id) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The newest training of a plan's task, if it made a version that still exists of the same examples and settings.
    pub async fn same(self, plan: &Plan) -> Result<Option<Run>> {
        let filter = RunFilter {
            task: Some(plan.prepared.card.name.clone()),
            kind: Some(RunKind::Train),
            state: Some(RunState::Succeeded),
            limit: Some(1),
            ..RunFilter::default()
        };
        let Some(last) = self.engine.store.runs(&filter).await?.pop() else { return Ok(None) };
        let same =
            serde_json::from_value::<TrainSpec>(last.spec.clone()).is_ok_and(|spec| spec == plan.spec(last.id.clone()));
        Ok(if same && self.engine.versions().of_run(&last).await?.is_some() { Some(last) } else { None })
    }

    /// The next name that no run has.
    pub(crate) async fn free_id(self, task: &str) -> Result<String> {
        let stamp = format!("{task}-{}", compact(now()).replace('_', "-"));
        let mut id = stamp.clone();
        for number in 2.. {
            match self.engine.store.run(&id).await {
                Err(graft_store::Error::NoRun(_)) => break,
                Err(error) => return Err(error.into()),
                Ok(_) => id = format!("{stamp}-{number}"),
            }
        }
        Ok(id)
    }
}

impl Plan {
    pub(crate) fn spec(&self, run: String) -> TrainSpec {
        TrainSpec {
            run,
            graft: env!("CARGO_PKG_VERSION").to_owned(),
            base: self.base.clone(),
            task: self.prepared.card.clone(),
            dataset: self.prepared.dataset.digest.clone(),
            adapter: self.recipe.adapter.clone(),
            optim: self.recipe.optim.clone(),
            eval: self.recipe.eval.clone(),
            limits: self.recipe.limits.clone(),
            init_from: self.start.as_ref().map(|start| start.init.clone()),
        }
    }

    /// The examples that it learns; `None` for all of its dataset.
    pub(crate) fn learned(&self) -> Option<&BTreeSet<ExampleId>> {
        self.start.as_ref().map(|start| &start.learned.ids)
    }
}
