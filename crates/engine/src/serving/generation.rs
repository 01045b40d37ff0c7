//! What answers: a base model at work, and an adapter on it for one task, named by their contents.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use graft_core::{BaseRef, Digest, TaskCard};
use graft_formats::{ModelFiles, peft};
use graft_nn::{Adapter, Model, Prompter};
use graft_predict::{Calibration, ChatPrompter, Limits, Prediction, Service, Template, Vocabulary};
use serde_json::json;

use super::Options;
use crate::{Chosen, Engine, Error, Evaluation, Result, base::file_bytes, field_of, predictor::check_weights};

/// A base model, loaded once for all its adapters, with the thread that computes.
pub(super) struct Base {
    pub(super) name: String,
    pub(super) digest: Digest,
    pub(super) model: Arc<Model>,
    pub(super) files: Arc<ModelFiles>,
    pub(super) vocabulary: Arc<Vocabulary>,
    pub(super) chat: ChatPrompter,
    pub(super) service: Service,
    pub(super) bytes: usize,
    templates: Mutex<HashMap<Digest, Arc<Template>>>,
}

impl Base {
    /// Loads a model and starts its thread. Computes for long.
    pub(super) fn load(base: &BaseRef, files: ModelFiles, options: &Options) -> Result<Self> {
        let model = Arc::new(Model::load(&files)?);
        let files = Arc::new(files);
        let vocabulary = Vocabulary::new(Arc::new(files.tokenizer.clone()), &files.tokens.eos)?;
        let limits = Limits { lanes: options.lanes, cache_bytes: options.cache_bytes, ..Limits::default() };
        let failed = |source| Error::Io { doing: "start a thread for", path: files.path.clone(), source };
        let service = Service::start(Arc::clone(&model), limits, options.queue).map_err(failed)?;
        Ok(Self {
            name: base.name.clone(),
            digest: base.digest.clone(),
            bytes: usize::try_from(file_bytes(&files.path)).unwrap_or(usize::MAX),
            chat: ChatPrompter::new(Arc::clone(&files), model.has_encoder()),
            vocabulary: Arc::new(vocabulary),
            templates: Mutex::default(),
            model,
            files,
            service,
        })
    }

    /// A task's prompt and answer form, made once for all its adapters.
    fn template(&self, card: &TaskCard) -> Result<Arc<Template>> {
        let key = card.digest();
        if let Some(found) = self.templates.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(found));
        }
        // Answers of tasks end as in training: with the tokenizer's own end token, not with any that may end a chat.
        let end = |prompter: &Prompter| match self.files.tokens.eos.as_slice() {
            [only] if *only == prompter.end() => Ok(Arc::clone(&self.vocabulary)),
            _ => Ok(Arc::new(Vocabulary::new(Arc::new(self.files.tokenizer.clone()), &[prompter.end()])?)),
        };
        let made = Arc::new(Template::new(&self.files, self.model.has_encoder(), card, end)?);
        let mut templates = self.templates.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(templates.entry(key).or_insert(made)))
    }
}

/// What a generation is made of; its digest is its name.
#[derive(Clone)]
pub(super) struct Recipe {
    /// Task, version (absent for a folder's adapter or the bare base), prompt and answer form.
    pub(super) task: String,
    pub(super) version: Option<String>,
    pub(super) card: TaskCard,
    pub(super) base: BaseRef,
    /// Absent for the bare base model.
    pub(super) adapter: Option<Chosen>,
    pub(super) evaluation: Option<Evaluation>,
}

impl Recipe {
    /// An adapter, calibrated where it was evaluated.
    pub(super) fn of(chosen: Chosen) -> Result<Self> {
        let card = chosen.known_card()?.clone();
        Ok(Self {
            task: card.task.name.clone(),
            version: chosen.version.as_ref().map(|version| version.name.clone()),
            card: card.task,
            base: card.base,
            evaluation: chosen.version.as_ref().and_then(Engine::evaluation),
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

/// Everything that decides an answer, immutable. Requests hold the one they began with.
pub(super) struct Generation {
    pub(super) digest: Digest,
    pub(super) task: String,
    pub(super) version: Option<String>,
    pub(super) card: TaskCard,
    pub(super) base: Arc<Base>,
    pub(super) adapter: Option<Arc<Adapter>>,
    pub(super) template: Arc<Template>,
    pub(super) calibrated: bool,
    pub(super) in_flight: AtomicUsize,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Counts uses of all generations.
    pub(super) used: AtomicU64,
    calibration: Option<Calibration>,
    fields: BTreeMap<String, Calibration>,
}

impl Generation {
    /// Reads the adapter and prepares the task. Computes for long.
    pub(super) fn load(recipe: Recipe, digest: Digest, base: Arc<Base>) -> Result<Self> {
        let adapter = recipe.adapter.as_ref().map(|chosen| {
            let adapter = Adapter::open(&chosen.folder, &base.model)?;
            check_weights(chosen, &adapter)?;
            if adapter.params().data().iter().all(|x| x.is_finite()) {
                return Ok(Arc::new(adapter));
            }
            Err(Error::Predict(graft_predict::Error::NotFinite))
        });
        let template = base.template(&recipe.card)?;
        let (calibration, fields) = recipe.evaluation.map(|e| (e.calibration, e.fields)).unzip();
        Ok(Self {
            digest,
            task: recipe.task,
            version: recipe.version,
            card: recipe.card,
            adapter: adapter.transpose()?,
            base,
            template,
            calibrated: calibration.is_some(),
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

    /// Makes confidences mean what they say.
    pub(super) fn calibrate(&self, prediction: &mut Prediction) {
        if let Some(calibration) = &self.calibration {
            prediction.confidence = calibration.apply(prediction.raw_confidence);
        }
        for (path, confidence) in &mut prediction.fields {
            if let Some(calibration) = self.fields.get(&field_of(path)) {
                *confidence = calibration.apply(*confidence);
            }
        }
    }
}

/// A request's hold on its generation.
pub(super) struct Pin(Arc<Generation>);

impl Pin {
    pub(super) fn new(generation: &Arc<Generation>) -> Self {
        generation.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(generation))
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}
