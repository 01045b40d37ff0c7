//! The training service of `CEREBROS_URL`, which runs name as a machine: it trains by itself, and what it made becomes the
//! result of the run.

use graft_exec::Service;
use graft_formats::peft;
use graft_nn::{Adapter, Model};
use graft_store::Run;
use graft_train::{AdapterCard, TrainingRun, weights_digest};
use serde_json::Value;

use super::Machines;
use crate::{Error, Result, Told, now};

/// The name of the training service, which runs give as `on`.
pub(super) const SERVICE: &str = "cerebros";

impl Machines<'_> {
    /// The training service, if `CEREBROS_URL` names one; `CEREBROS_TOKEN` is its token.
    ///
    /// # Errors
    /// The variable is no address.
    pub fn service(self) -> Result<Option<Service>> {
        let given = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let Some(address) = given("CEREBROS_URL") else { return Ok(None) };
        Ok(Some(Service::new(&address, given("CEREBROS_TOKEN"))?))
    }

    /// Whether runs on this name are trained by the service. A machine of the user's own that has it comes first.
    pub(crate) async fn is_service(self, name: &str) -> Result<bool> {
        Ok(name == SERVICE && !self.has(name).await?)
    }

    pub(super) fn known_service(self) -> Result<Service> {
        self.service()?.ok_or(Error::NoTrainingService)
    }

    /// Makes the adapter that a training service sent the result of its run; does nothing for other runs. The adapter must fit
    /// the run's base model.
    ///
    /// # Errors
    /// It was trained for another base model or task; its files are damaged.
    pub(crate) async fn take_in(self, run: &Run) -> Result<()> {
        let dir = self.engine.home.run_dir(run);
        let received = dir.path().join(Service::RECEIVED);
        if !received.is_dir() || dir.result()?.is_some() {
            return Ok(());
        }
        let mut spec = dir.spec()?;
        let told = Told { task: Some(&run.task), base: Some(&spec.base.name) };
        let known = self.engine.versions().adopt(&received, told).await?.known_card()?.clone();
        let trained_for = match peft::read(&received)?.base {
            // Where Graft trained it, its card has the digest.
            Some(name) if !received.join(AdapterCard::FILE).exists() => self.engine.bases().find(&name).await?.0,
            _ => known.base.clone(),
        };
        let (base, files) = self.engine.bases().open(&spec.base).await?;
        if trained_for.digest != base.digest {
            let path = files.path.display().to_string();
            return Err(Error::OtherBase { name: base.name, path, wanted: trained_for.digest });
        }
        let adapter_hash = weights_digest(&Adapter::open(&received, &Model::load(&files)?)?);
        // It learned from the examples that this run sent.
        let card = AdapterCard { base, dataset: Some(spec.dataset.clone()), ..known };
        self.engine.versions().keep_files(&received, &card, &dir.adapter())?;
        spec.adapter = card.adapter;
        let said = Service::told(dir.path())?;
        let metric = |name: &str| said.as_ref().and_then(|said| said["said"]["metrics"][name].as_f64());
        let rows = |side| Ok::<_, Error>(dir.rows(side)?.len());
        dir.publish(&TrainingRun {
            run_id: run.id.clone(),
            status: "completed".into(),
            started_at: run.started_at.unwrap_or_else(now),
            finished_at: now(),
            base_model: spec.base.name.clone(),
            base_digest: spec.base.digest.clone(),
            samples: rows("train")?,
            eval_samples: rows("eval")?,
            too_long: 0,
            epochs: 0.0,
            steps: 0,
            eval_losses: Vec::new(),
            final_loss: metric("loss").unwrap_or(f64::NAN),
            // The service's own is of other examples.
            eval_loss: None,
            best_step: 0,
            dataset_hash: spec.dataset.clone(),
            adapter_hash,
            train_seconds: 0.0,
            tokens_per_second: 0.0,
            computed_tokens_per_second: 0.0,
            peak_memory: 0,
            products: None,
            graft_version: spec.graft.clone(),
            hyperparameters: spec,
            service: Some(said.unwrap_or(Value::Null)),
        })?;
        Ok(())
    }
}
