//! A deployment is everything that determines an answer: a base model with an adapter (or a contestant), a task, a
//! calibration. It is named by the digest of its content.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use graft_contestants::{Contestant, Error as ContestantError, Parser};
use graft_core::{BaseRef, Digest, Example, TaskCard};
use graft_formats::peft;
use graft_nn::Adapter;
use graft_predict::{Calibration, Codec, Completion, Confidence, End, Piece, Template};
use graft_store::{Method, Version};
use graft_tasks::{cards::Task, pounds::Tables};
use graft_train::AdapterCard;
use serde_json::{Value, json};

use super::{base::Base, labels::Labels};
use crate::{
    Error, Home, Result,
    versions::{Chosen, Evaluation, field_of},
};

/// What a deployment is made of; its digest is its name.
#[derive(Clone)]
pub(super) struct DeploymentSpec {
    /// The task as it was when the version was trained.
    pub(super) definition: Task,
    /// Task, version (absent for a folder's adapter or the bare base), prompt and answer form.
    pub(super) task: String,
    pub(super) version: Option<String>,
    pub(super) card: TaskCard,
    pub(super) source: Source,
    pub(super) evaluation: Option<Evaluation>,
}

/// What answers.
#[derive(Clone)]
pub(super) enum Source {
    /// A base model, with an adapter or bare.
    Model(BaseRef, Option<Chosen>),
    /// A version that needs no language model; rules answer with the home's tables.
    Contestant(Chosen, Option<Box<Tables>>),
}

impl DeploymentSpec {
    /// A version or an adapter's folder, calibrated where it was evaluated.
    pub(super) fn of(chosen: Chosen, definition: Task, home: &Home) -> Result<Self> {
        if let Some(version) = chosen.contestant() {
            let tables = (version.method == Method::Rules).then(|| home.tables().map(Box::new)).transpose()?;
            return Ok(Self {
                definition,
                task: version.task.clone(),
                version: Some(version.name.clone()),
                card: version.card.clone(),
                evaluation: Evaluation::of(version),
                source: Source::Contestant(chosen, tables),
            });
        }
        let card = chosen.known_card()?.clone();
        Ok(Self {
            definition,
            task: task_of(&chosen, &card),
            version: chosen.version.as_ref().map(|version| version.name.clone()),
            card: card.task,
            evaluation: chosen.version.as_ref().and_then(Evaluation::of),
            source: Source::Model(card.base, Some(chosen)),
        })
    }

    /// The same task asked of the base model of an adapter alone.
    pub(super) fn bare(chosen: &Chosen, definition: Task) -> Result<Self> {
        let card = chosen.known_card()?.clone();
        let (task, source) = (task_of(chosen, &card), Source::Model(card.base, None));
        Ok(Self { definition, task, version: None, card: card.task, source, evaluation: None })
    }

    /// Digest of base, adapter, card, calibration, biases of labels, n-grams, rules with their tables, and the version's name: of
    /// two versions that are equal to the bit, each answers in its own name.
    pub(super) fn digest(&self) -> Result<Digest> {
        let (base, chosen, rules) = match &self.source {
            Source::Model(base, chosen) => (base.digest.as_str(), chosen.as_ref(), None),
            Source::Contestant(chosen, tables) => {
                let rules = tables.as_ref().map(|tables| json!([self.definition.baseline, tables]).to_string());
                ("", Some(chosen), rules)
            }
        };
        let adapter = match chosen {
            None => String::new(),
            Some(Chosen { version: Some(version), .. }) => version.adapter_digest.to_string(),
            Some(Chosen { folder, .. }) => peft::digest(folder)?.to_string(),
        };
        let calibration = self.evaluation.as_ref().map(|e| json!([e.calibration, e.fields]).to_string());
        let about = chosen.and_then(|chosen| chosen.card.as_ref());
        let biases = about.map(|card| &card.label_bias).filter(|biases| !biases.is_empty());
        let biases = biases.map(|biases| json!(biases).to_string());
        let n_grams = about.and_then(|card| card.n_grams.as_ref()).map(|n_grams| json!(n_grams).to_string());
        let card = self.card.digest();
        let (calibration, version) = (calibration.as_deref(), self.version.as_deref());
        let parts = [base, &adapter, card.as_str(), calibration.unwrap_or_default(), version.unwrap_or_default()];
        let others = [rules, biases, n_grams];
        Ok(Digest::of_parts(parts.into_iter().chain(others.iter().flatten().map(String::as_str)).map(str::as_bytes)))
    }
}

/// The task of an adapter: that of its version, which may have another name since it was trained, or that of its card.
fn task_of(chosen: &Chosen, card: &AdapterCard) -> String {
    chosen.version.as_ref().map_or_else(|| card.task.name.clone(), |version| version.task.clone())
}

/// Everything that decides an answer, loaded and immutable: what answers, its prompt and answer form, and its calibration.
/// Requests hold the one they began with.
pub struct Deployment {
    pub(super) digest: Digest,
    pub(super) definition: Task,
    pub(super) task: String,
    pub(super) version: Option<String>,
    pub(super) card: TaskCard,
    pub(super) body: Body,
    pub(super) in_flight: AtomicUsize,
    pub(super) answered: AtomicU64,
    pub(super) failed: AtomicU64,
    /// Counts uses of all deployments.
    pub(super) used: AtomicU64,
    /// Absent where the version was not evaluated.
    pub(super) calibration: Option<Calibration>,
    fields: BTreeMap<String, Calibration>,
}

/// What answers.
pub(super) enum Body {
    /// A language model.
    Model(OnBase),
    /// Something that needs none.
    Contestant(Box<Fitted>),
}

/// A base model, an adapter on it (or none), and the task's prompt and answer form.
pub(super) struct OnBase {
    pub(super) base: Arc<Base>,
    pub(super) adapter: Option<Arc<Adapter>>,
    pub(super) template: Arc<Template>,
    /// What takes part in the choice of a label beside the adapter.
    pub(super) labels: Option<Box<Labels>>,
}

/// A contestant, with what names the fields of its answers.
pub(super) struct Fitted {
    contestant: Contestant,
    codec: Codec,
    bytes: usize,
}

impl Fitted {
    /// The answer to an input, as a model completes it. Rules may know labels that the version's card does not.
    pub(super) fn complete(&self, task: &str, input: &str) -> Result<Completion> {
        let said = self.contestant.answer(input)?;
        let misfit =
            |error: graft_predict::Error| ContestantError::NoAnswer { task: task.into(), why: error.to_string() };
        let fields = self.codec.fields(&self.codec.encode(&said.answer).map_err(misfit)?)?;
        let text = said.answer.as_str().map_or_else(|| said.answer.to_string(), str::to_owned);
        Ok(Completion {
            // A contestant is as sure of each field as of the whole; calibration tells them apart.
            confidence: Confidence {
                answer: said.confidence,
                fields: fields.into_iter().map(|field| (field.path, said.confidence)).collect(),
            },
            answer: said.answer,
            log_prob: said.confidence.ln(),
            spans: BTreeMap::new(),
            valid: true,
            prompt_tokens: 0,
            answer_tokens: 0,
            rest: Piece { text: text.clone(), tokens: Vec::new() },
            text,
            end: End::Whole,
            waited: 0.0,
            seconds: 0.0,
        })
    }
}

impl Deployment {
    /// Reads a contestant's file.
    pub(super) fn of_contestant(
        spec: DeploymentSpec,
        digest: Digest,
        chosen: &Chosen,
        tables: Option<&Tables>,
    ) -> Result<Self> {
        let path = chosen.folder.join(Contestant::FILE);
        let bytes = std::fs::read(&path).map_err(|source| Error::Io { doing: "read", path, source })?;
        if let Some(version) = &chosen.version
            && Digest::of(&bytes) != version.adapter_digest
        {
            return Err(bad(version, "its file is not the one that was registered"));
        }
        let rules = tables.map(|tables| Parser::of(&spec.definition, tables)).transpose()?.flatten();
        let contestant = Contestant::from_bytes(&bytes, &spec.card, rules.as_ref())?;
        let codec = Codec::new(&spec.card.answer)?;
        Ok(Self::new(spec, digest, Body::Contestant(Box::new(Fitted { contestant, codec, bytes: bytes.len() }))))
    }

    /// Reads the adapter and prepares the task. Computes for long.
    pub(super) fn of_model(
        spec: DeploymentSpec,
        digest: Digest,
        base: Arc<Base>,
        chosen: Option<&Chosen>,
    ) -> Result<Self> {
        let adapter = chosen.map(|chosen| {
            let adapter = Adapter::open(&chosen.folder, &base.model)?;
            chosen.check_weights(&adapter)?;
            if adapter.params().data().iter().all(|x| x.is_finite()) {
                return Ok(Arc::new(adapter));
            }
            Err(Error::Predict(graft_predict::Error::NotFinite))
        });
        let template = base.template(&spec.card)?;
        let labels =
            chosen.map(|chosen| Labels::read(chosen, chosen.known_card()?, template.guide().codec()).map(Box::new));
        let adapter = adapter.transpose()?;
        let on = OnBase { adapter, base, template, labels: labels.transpose()? };
        Ok(Self::new(spec, digest, Body::Model(on)))
    }

    fn new(spec: DeploymentSpec, digest: Digest, body: Body) -> Self {
        let (calibration, fields) = spec.evaluation.map(|e| (e.calibration, e.fields)).unzip();
        Self {
            digest,
            definition: spec.definition,
            task: spec.task,
            version: spec.version,
            card: spec.card,
            body,
            calibration,
            fields: fields.unwrap_or_default(),
            in_flight: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            used: AtomicU64::new(0),
        }
    }

    /// The task as it was when the version was trained.
    #[must_use]
    pub fn definition(&self) -> &Task {
        &self.definition
    }

    /// The base model, unless it needs none.
    pub(super) fn base(&self) -> Option<&Arc<Base>> {
        match &self.body {
            Body::Model(on) => Some(&on.base),
            Body::Contestant(_) => None,
        }
    }

    /// Whether a language model answers.
    #[must_use]
    pub fn is_model(&self) -> bool {
        self.base().is_some()
    }

    /// Whether a GPU computes its answers.
    #[must_use]
    pub fn is_on_gpu(&self) -> bool {
        self.base().is_some_and(|base| base.service.device().starts_with("gpu"))
    }

    /// Bytes of the adapter's weights and its n-grams' file, or of the contestant's file.
    pub(super) fn own_bytes(&self) -> usize {
        match &self.body {
            Body::Model(on) => {
                on.adapter.as_ref().map_or(0, |adapter| adapter.bytes())
                    + on.labels.as_ref().map_or(0, |labels| labels.bytes())
            }
            Body::Contestant(fitted) => fitted.bytes,
        }
    }

    /// Names it by its contents.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The task's name.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.task
    }

    /// Prompt and answer form.
    #[must_use]
    pub fn card(&self) -> &TaskCard {
        &self.card
    }

    /// Whether its confidences are probabilities: only a version that was evaluated is calibrated.
    #[must_use]
    pub fn is_calibrated(&self) -> bool {
        self.calibration.is_some()
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
        let Body::Model(OnBase { template, .. }) = &self.body else { return Ok(Template::MAX_TOKENS) };
        Ok(template.longest(examples.iter().map(|example| example.output.as_ref().unwrap_or(&Value::Null)))?)
    }
}

impl std::fmt::Debug for Deployment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Deployment").field("task", &self.task).field("version", &self.version).finish_non_exhaustive()
    }
}

fn bad(version: &Version, what: &str) -> Error {
    Error::BadVersion { task: version.task.clone(), version: version.name.clone(), what: what.to_owned() }
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
