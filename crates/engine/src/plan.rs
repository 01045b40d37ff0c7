use std::path::PathBuf;

use graft_core::{BaseRef, TrainSpec};
use graft_store::{NewRun, Run, RunState, RunUpdate};
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

impl Engine {
    /// Checks a plan, fixes its split, and makes its run directory; the run waits to be launched.
    ///
    /// # Errors
    /// A setting out of range, nothing to learn from, or another run of the task that is active.
    pub async fn make_run(&self, plan: &Plan) -> Result<Run> {
        let (train, eval) = plan.prepared.rows()?;
        let task = plan.prepared.card.name.as_str();
        let id = match &plan.run {
            Some(id) => id.clone(),
            None => self.free_id(task).await?,
        };
        let spec = plan.spec(id.clone());
        spec.check()?;
        self.reconcile(Some(task)).await?;
        let dir = plan.dir.as_ref().map_or_else(|| format!("runs/{id}"), |dir| dir.to_string_lossy().into_owned());
        let run = self.store.add_run(NewRun { task, spec: &spec, dir: &dir }, &self.by, now()).await?;
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
            (update.state, update.error) = (Some(RunState::Failed), Some(error.to_string()));
        }
        let run = self.store.update_run(&run.id, &update, &self.by, now()).await?;
        made.map(|()| run)
    }

    /// The next name that no run has.
    async fn free_id(&self, task: &str) -> Result<String> {
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
    fn spec(&self, run: String) -> TrainSpec {
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
