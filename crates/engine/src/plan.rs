use std::path::PathBuf;

use graft_core::{BaseRef, ExitCode, TrainSpec};
use graft_store::{NewRun, Run, RunFilter, RunKind, RunState, RunUpdate};
use graft_train::RunDir;

use crate::{Engine, Error, Prepared, Result, compact, now, recipes::Recipe};

/// A training that could be started.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Card and dataset.
    pub prepared: Prepared,
    /// The frozen model.
    pub base: BaseRef,
    /// All settings.
    pub recipe: Recipe,
    /// Name of the run; one is made up otherwise.
    pub run: Option<String>,
    /// Run directory; `runs/<id>` in `GRAFT_HOME` otherwise.
    pub dir: Option<PathBuf>,
}

/// A run that can be launched.
#[derive(Clone, Debug)]
pub struct Made {
    /// The run.
    pub run: Run,
    /// Whether it was begun before with the same settings and data, and only interrupted.
    pub continued: bool,
    /// Runs of the task whose trainer was found dead now.
    pub found_dead: Vec<Run>,
}

impl Engine {
    /// Checks a plan, fixes its split, and makes its run directory; the run waits to be launched. A run of the same
    /// settings and data that was interrupted is taken up again instead.
    ///
    /// # Errors
    /// A setting out of range, nothing to learn from, or another run of the task that is active.
    pub async fn make_run(&self, plan: &Plan) -> Result<Made> {
        let (train, eval) = plan.prepared.rows()?;
        let task = plan.prepared.card.name.as_str();
        let mut spec = plan.spec(plan.run.clone().unwrap_or_default());
        spec.check()?;
        let found_dead = self.reconcile(Some(task)).await?;
        if let Some(run) = self.interrupted(task, plan.run.as_deref(), &spec).await? {
            return Ok(Made { run, continued: true, found_dead });
        }
        if plan.run.is_none() {
            spec.run = self.free_id(task).await?;
        }
        let id = &spec.run;
        let dir = plan.dir.as_ref().map_or_else(|| format!("runs/{id}"), |dir| dir.to_string_lossy().into_owned());
        let run = self.store.add_run(NewRun { task, spec: &spec, dir: &dir, holder: None }, &self.by, now()).await?;
        let made = match self.keep(&plan.prepared).await {
            Ok(()) => RunDir::new(self.home.resolve(&dir)).create(&spec, &train, &eval).map_err(Error::from),
            Err(error) => Err(error),
        };
        let mut update = RunUpdate {
            train_samples: Some(train.len() as u64),
            eval_samples: Some(eval.len() as u64),
            ..RunUpdate::default()
        };
        if let Err(error) = &made {
            (update.state, update.failure) = (Some(RunState::Failed), Some(error.failure()));
        }
        let run = self.store.update_run(&run.id, &update, &self.by, now()).await?;
        made.map(|()| Made { run, continued: false, found_dead })
    }

    /// A run of the same settings and data that was stopped, killed, or never registered.
    async fn interrupted(&self, task: &str, named: Option<&str>, spec: &TrainSpec) -> Result<Option<Run>> {
        let filter = RunFilter { task: Some(task.to_owned()), kind: Some(RunKind::Train), ..RunFilter::default() };
        for run in self.store.runs(&filter).await? {
            let Ok(mut other) = serde_json::from_value::<TrainSpec>(run.spec.clone()) else { continue };
            other.run.clone_from(&spec.run);
            let unfinished = match run.state {
                RunState::Cancelled => true,
                RunState::Failed => run.exit_code == Some(ExitCode::Internal as i32),
                RunState::Succeeded => self.version_of(&run).await?.is_none(),
                RunState::Queued | RunState::Starting | RunState::Running => false,
            };
            let whole = self.run_dir(&run).path().join("spec.json").exists();
            if unfinished && whole && other == *spec && named.is_none_or(|name| name == run.id) {
                return Ok(Some(run));
            }
        }
        Ok(None)
    }

    /// The next name that no run has.
    pub(crate) async fn free_id(&self, task: &str) -> Result<String> {
        let stamp = format!("{task}-{}", compact(now()).replace('_', "-"));
        let mut id = stamp.clone();
        for number in 2.. {
            match self.store.run(&id).await {
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
        }
    }
}
