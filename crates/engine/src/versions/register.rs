use graft_store::{Lease, Method, NewVersion, Run, Version};
use graft_train::{AdapterCard, TrainingRun};
use serde_json::{Value, json};

use super::Versions;
use crate::{Error, Result, files::copy_folder, now};

impl Versions<'_> {
    /// Registers the adapter of a finished run as a version, with its lineage; a run is registered once. The adapter
    /// is copied, so that run directories may be deleted.
    ///
    /// # Errors
    /// [`Error::NoResult`]; the name is taken.
    pub async fn register(self, run: &Run, name: Option<&str>) -> Result<Version> {
        if let Some(version) = self.of_run(run).await? {
            return Ok(version);
        }
        let new = self.new_version(run, name).await?;
        Ok(self.engine.store.add_version(&new, &self.engine.by, now()).await?)
    }

    /// The same in the name of a worker, which must still hold the run when the version becomes visible.
    pub(crate) async fn register_held(self, run: &Run, lease: &Lease) -> Result<Version> {
        if let Some(version) = self.of_run(run).await? {
            return Ok(version);
        }
        let new = self.new_version(run, run.version.as_deref()).await?;
        Ok(self.engine.store.add_version_held(lease, &new, &self.engine.by, now()).await?)
    }

    /// Copies a finished run's adapter to its place, and describes the version that it is to be.
    async fn new_version(self, run: &Run, name: Option<&str>) -> Result<NewVersion> {
        let dir = self.engine.home.run_dir(run);
        let result = dir.result()?.ok_or_else(|| Error::NoResult { run: run.id.clone() })?;
        let card = AdapterCard::read(&dir.adapter())?;
        let adapter_dir = format!("adapters/{}/{}", run.task, run.id);
        copy_folder(&dir.adapter(), &self.engine.home.resolve(&adapter_dir))?;
        self.publish(&adapter_dir).await?;
        Ok(NewVersion {
            task: run.task.clone(),
            name: name.map(str::to_owned),
            method: Method::Adapter,
            run: Some(run.id.clone()),
            adapter_dir,
            adapter_digest: result.adapter_hash.clone(),
            base: Some(card.base),
            dataset: card.dataset,
            card: card.task,
            metrics: json!({"training": training(&result)}),
            parent: result.hyperparameters.init_from.as_ref().map(|from| from.version.clone()),
            task_revision: run.task_revision,
        })
    }

    /// The version that a run was registered as.
    pub async fn of_run(self, run: &Run) -> Result<Option<Version>> {
        let versions = self.engine.store.versions(Some(&run.task)).await?;
        Ok(versions.into_iter().find(|version| version.run.as_deref() == Some(run.id.as_str())))
    }
}

/// What training itself measured.
fn training(result: &TrainingRun) -> Value {
    json!({
        "samples": result.samples,
        "eval_samples": result.eval_samples,
        "too_long": result.too_long,
        "steps": result.steps,
        "final_loss": result.final_loss,
        "eval_loss": result.eval_loss,
        "seconds": result.train_seconds,
        "tokens_per_second": result.tokens_per_second,
        "peak_memory": result.peak_memory,
    })
}
