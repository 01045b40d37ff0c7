//! Everything that decides an answer: a base model, an adapter on it, a task, a calibration; named by its contents.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use graft_core::{BaseRef, Digest, Example, TaskCard};
use graft_formats::peft;
use graft_nn::Adapter;
use graft_predict::{Calibration, Confidence, Template};
use serde_json::json;

use super::base::Base;
use crate::{
    Error, Result,
    versions::{Chosen, Evaluation, field_of, weights_digest},
};

/// What a deployment is made of; its digest is its name.
#[derive(Clone)]
pub(super) struct DeploymentSpec {
    /// Task, version (absent for a folder's adapter or the bare base), prompt and answer form.
    pub(super) task: String,
    pub(super) version: Option<String>,
    pub(super) card: TaskCard,
    pub(super) base: BaseRef,
    /// Absent for the bare base model.
    pub(super) adapter: Option<Chosen>,
    pub(super) evaluation: Option<Evaluation>,
}

impl DeploymentSpec {
    /// An adapter, calibrated where it was evaluated.
    pub(super) fn of(chosen: Chosen) -> Result<Self> {
        let card = chosen.known_card()?.clone();
        Ok(Self {
            task: card.task.name.clone(),
            version: chosen.version.as_ref().map(|version| version.name.clone()),
            card: card.task,
            base: card.base,
            evaluation: chosen.version.as_ref().and_then(Evaluation::of),
            adapter: Some(chosen),
        })
    }

    /// The same task asked of the base model alone.
    pub(super) fn bare(self) -> Self {
        Self { adapter: None, version: None, evaluation: None, ..self }
    }

    /// Digest of base, adapter, card, calibration and the version's name: of two versions that are equal to the bit,
    /// each answers in its own name.
    pub(super) fn digest(&self) -> Result<Digest> {
        let adapter = match &self.adapter {
            None => String::new(),
            Some(Chosen { version: Some(version), .. }) => version.adapter_digest.to_string(),
            Some(Chosen { folder, .. }) => peft::digest(folder)?.to_string(),
        };
        let calibration = self.evaluation.as_ref().map(|e| json!([e.calibration, e.fields]).to_string());
        let card = self.card.digest();
        let (calibration, version) = (calibration.as_deref(), self.version.as_deref());
        let parts = [
            self.base.digest.as_str(),
            &adapter,
            card.as_str(),
            calibration.unwrap_or_default(),
            version.unwrap_or_default(),
        ];
        Ok(Digest::of_parts(parts.map(str::as_bytes)))
    }
}

/// Everything that decides an answer, loaded and immutable: base model, adapter (or none), prompt, answer form and
/// calibration. Requests hold the one they began with.
pub struct Deployment {
    pub(super) digest: Digest,
    pub(super) task: String,
    pub(super) version: Option<String>,
    pub(super) card: TaskCard,
    pub(super) base: Arc<Base>,
    pub(super) adapter: Option<Arc<Adapter>>,
    pub(super) template: Arc<Template>,
    pub(super) in_flight: AtomicUsize,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Counts uses of all deployments.
    pub(super) used: AtomicU64,
    /// Absent where the version was not evaluated.
    pub(super) calibration: Option<Calibration>,
    fields: BTreeMap<String, Calibration>,
}

impl Deployment {
    /// Reads the adapter and prepares the task. Computes for long.
    pub(super) fn load(spec: DeploymentSpec, digest: Digest, base: Arc<Base>) -> Result<Self> {
        let adapter = spec.adapter.as_ref().map(|chosen| {
            let adapter = Adapter::open(&chosen.folder, &base.model)?;
            check_weights(chosen, &adapter)?;
            if adapter.params().data().iter().all(|x| x.is_finite()) {
                return Ok(Arc::new(adapter));
            }
            Err(Error::Predict(graft_predict::Error::NotFinite))
        });
        let template = base.template(&spec.card)?;
        let (calibration, fields) = spec.evaluation.map(|e| (e.calibration, e.fields)).unzip();
        Ok(Self {
            digest,
            task: spec.task,
            version: spec.version,
            card: spec.card,
            adapter: adapter.transpose()?,
            base,
            template,
            calibration,
            fields: fields.unwrap_or_default(),
            in_flight: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            used: AtomicU64::new(0),
        })
    }

    /// Bytes of the adapter's weights.
    pub(super) fn adapter_bytes(&self) -> usize {
        self.adapter.as_ref().map_or(0, |adapter| adapter.bytes())
    }

    /// Names it by its contents.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Prompt and answer form.
    #[must_use]
    pub fn card(&self) -> &TaskCard {
        &self.card
    }

    /// The name of the version, if it is one.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Makes confidences mean what they say, where the version was evaluated; the only place that does.
    pub(super) fn calibrated(&self, raw: &Confidence) -> Confidence {
        let field = |(path, raw): (&String, &f64)| {
            let calibration = self.fields.get(&field_of(path));
            (path.clone(), calibration.map_or(*raw, |calibration| calibration.apply(*raw)))
        };
        Confidence {
            answer: self.calibration.as_ref().map_or(raw.answer, |calibration| calibration.apply(raw.answer)),
            fields: raw.fields.iter().map(field).collect(),
        }
    }

    /// Tokens that the longest of these answers takes, with room for a wrong one to be longer.
    pub(crate) fn longest(&self, examples: &[Example]) -> Result<usize> {
        let mut longest = 0;
        for example in examples {
            let answer = self.template.guide().codec().encode(&example.output.clone().unwrap_or_default())?;
            longest = longest.max(self.template.prompter().answer(&answer)?.len());
        }
        Ok((longest * 3 / 2 + 8).min(Template::MAX_TOKENS))
    }
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployment").field("task", &self.task).field("version", &self.version).finish_non_exhaustive()
    }
}

/// Refuses weights that are not those that were registered.
fn check_weights(chosen: &Chosen, adapter: &Adapter) -> Result<()> {
    let Some(version) = &chosen.version else { return Ok(()) };
    if weights_digest(adapter) == version.adapter_digest {
        return Ok(());
    }
    Err(Error::BadVersion {
        task: version.task.clone(),
        version: version.name.clone(),
        what: "its adapter's weights are not those that were registered".into(),
    })
}

/// A request's hold on its deployment.
pub(super) struct Pin(Arc<Deployment>);

impl Pin {
    pub(super) fn new(deployment: &Arc<Deployment>) -> Self {
        deployment.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(deployment))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
