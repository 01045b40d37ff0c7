use std::{collections::BTreeMap, sync::Arc, time::Instant};

use graft_core::{Dataset, Digest, Example, TaskCard};
use graft_nn::{Adapter, Model};
use graft_predict::{Calibration, Decoding, Prediction, Predictor, PromptCache};
use graft_store::{Lease, Version};
use graft_tasks::score::Scores;
use serde_json::Value;

use crate::{
    Chosen, Engine, Error, Evaluation, Result, RunRequest,
    evaluate::{calibrate, field_of, kept_answers, rival, score_answers},
    now,
};

/// Hears what is being done, how much of it is done, and how much there is.
pub type Tell<'t> = &'t mut dyn FnMut(&str, usize, usize);

/// A version ready to answer.
pub struct Loaded {
    /// Prompt and answer form.
    pub card: TaskCard,
    predictor: Predictor,
    fields: BTreeMap<String, Calibration>,
}

impl Loaded {
    /// Answers each input, in order, with calibrated confidences where the version was evaluated; an input that
    /// leaves no room for an answer in the model's context gets none.
    ///
    /// # Errors
    /// The model fails.
    pub fn answer(&self, inputs: &[&str], how: Decoding, tell: Tell<'_>) -> Result<Vec<Option<Prediction>>> {
        let mut answers = self.predictor.predict(inputs, how, &mut |done| tell("answers", done, inputs.len()))?;
        for answer in answers.iter_mut().flatten() {
            for (path, confidence) in &mut answer.fields {
                if let Some(calibration) = self.fields.get(&field_of(path)) {
                    *confidence = calibration.apply(*confidence);
                }
            }
        }
        Ok(answers)
    }

    /// Tokens that the longest of these answers takes, with room for a wrong one to be longer.
    fn longest(&self, examples: &[Example]) -> Result<usize> {
        let mut longest = 0;
        for example in examples {
            let answer = self.predictor.guide().codec().encode(&example.output.clone().unwrap_or_default())?;
            longest = longest.max(self.predictor.prompter().answer(&answer)?.len());
        }
        Ok((longest * 3 / 2 + 8).min(Decoding::default().max_tokens))
    }
}

impl Engine {
    /// A version's numbers, if it was evaluated.
    #[must_use]
    pub fn evaluation(version: &Version) -> Option<Evaluation> {
        serde_json::from_value(version.metrics.get("evaluation")?.clone()).ok()
    }

    /// Loads an adapter with the base it was trained with.
    ///
    /// # Errors
    /// The base is missing or has changed; the adapter doesn't fit; its task is not known.
    pub async fn load(&self, chosen: &Chosen) -> Result<Loaded> {
        let card = chosen.known_card()?;
        let (base, files) = self.base_of(&card.base).await?;
        let model = Arc::new(Model::load(&files)?);
        let adapter = Adapter::open(&chosen.folder, &model)?;
        check_weights(chosen, &adapter)?;
        let evaluation = chosen.version.as_ref().and_then(Self::evaluation);
        let (whole, fields) = evaluation.map(|e| (e.calibration, e.fields)).unzip();
        let cache = PromptCache::new(self.home.prompts(), base.digest);
        let predictor = Predictor::new(model, &files, &card.task, Some(adapter))?;
        let predictor = predictor.with_prompt_cache(cache).with_calibration(whole);
        let fields = fields.unwrap_or_default();
        Ok(Loaded { card: card.task.clone(), predictor, fields })
    }

    /// Answers the held-out examples of a version's dataset with its adapter, the baseline and (if `with_base`) the
    /// bare base model, and keeps the numbers with the version.
    ///
    /// # Errors
    /// The version can't be loaded, or has no dataset.
    pub async fn evaluate(&self, version: &Version, with_base: bool, tell: Tell<'_>) -> Result<(Version, Evaluation)> {
        let evaluation = self.measure(version, with_base, tell).await?;
        Ok((self.keep_evaluation(version, &evaluation, None).await?, evaluation))
    }

    /// The same without keeping the numbers.
    pub(crate) async fn measure(&self, version: &Version, with_base: bool, tell: Tell<'_>) -> Result<Evaluation> {
        let data = self.dataset_of(version).await?;
        let mut chosen = self.adapter(&version.task, Some(&version.name)).await?;
        // Its own earlier calibration must not judge it.
        if let Some(version) = &mut chosen.version {
            version.metrics = Value::Null;
        }
        let loaded = self.load(&chosen).await?;
        let card = &loaded.card;
        let inputs: Vec<&str> = data.eval.iter().map(|example| example.input.as_str()).collect();
        let clock = Instant::now();
        let answers = loaded.predictor.predict(&inputs, Decoding::default(), &mut |done| {
            tell("answers of the adapter", done, inputs.len());
        })?;
        let seconds = clock.elapsed().as_secs_f64();
        let given = values(&answers);
        let adapter = score_answers(card, &data.eval, &given);
        let base = if with_base && !inputs.is_empty() {
            let how = Decoding { max_tokens: loaded.longest(&data.eval)?, ..Decoding::default() };
            let answers = loaded.predictor.bare().predict(&inputs, how, &mut |done| {
                tell("answers of the base model", done, inputs.len());
            })?;
            Some(score_answers(card, &data.eval, &values(&answers)))
        } else {
            Self::evaluation(version).filter(|old| old.adapter.truth == adapter.truth).and_then(|old| old.base)
        };
        let (calibration, fields) = calibrate(card, &data.eval, &answers, &adapter);
        let sure = |answer: &Option<Prediction>| {
            answer.as_ref().map_or(0.0, |answer| calibration.apply(answer.raw_confidence))
        };
        let confidences = Some(answers.iter().map(sure).collect());
        let (worst, right) = kept_answers(card, &data.eval, &given, &adapter);
        Ok(Evaluation {
            dataset: data.digest.clone(),
            at: now(),
            base,
            baseline: rival(card, &data.train, &data.eval, &self.home.tables()?),
            calibration,
            fields,
            confidences,
            seconds_per_answer: seconds / inputs.len().max(1) as f64,
            worst,
            right,
            adapter,
        })
    }

    /// Keeps a version's numbers with it, in the name of a run that is held if a lease is given.
    pub(crate) async fn keep_evaluation(
        &self,
        version: &Version,
        evaluation: &Evaluation,
        lease: Option<&Lease>,
    ) -> Result<Version> {
        let value = serde_json::to_value(evaluation).unwrap_or(Value::Null);
        Ok(self.store.set_metric(version, ("evaluation", &value), lease, &self.by, now()).await?)
    }

    /// Scores a version on the held-out examples of another dataset of its task.
    pub(crate) async fn score_version(&self, version: &Version, dataset: &Digest, tell: Tell<'_>) -> Result<Scores> {
        let data = self.store.dataset(&version.task, dataset).await?;
        let loaded = self.load(&self.adapter(&version.task, Some(&version.name)).await?).await?;
        let inputs: Vec<&str> = data.eval.iter().map(|example| example.input.as_str()).collect();
        let what = format!("answers of version {}", version.name);
        let answers = loaded.predictor.predict(&inputs, Decoding::default(), &mut |done| {
            tell(&what, done, inputs.len());
        })?;
        Ok(score_answers(&loaded.card, &data.eval, &values(&answers)))
    }

    /// The dataset that a version is measured on: the one it learned from, or for a version that was made elsewhere
    /// the task's examples of now.
    pub(crate) async fn dataset_of(&self, version: &Version) -> Result<Dataset> {
        if let Some(digest) = &version.dataset {
            return Ok(self.store.dataset(&version.task, digest).await?);
        }
        let prepared = self.prepare(&version.task, RunRequest::new(&version.task).rule(), None).await?;
        self.keep(&prepared).await?;
        Ok(prepared.dataset)
    }
}

/// Refuses weights that are not those that were registered.
pub(crate) fn check_weights(chosen: &Chosen, adapter: &Adapter) -> Result<()> {
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

/// Names an adapter's weights, as training does.
pub(crate) fn weights_digest(adapter: &Adapter) -> Digest {
    let bytes: Vec<u8> = adapter.params().data().iter().flat_map(|x| x.to_le_bytes()).collect();
    Digest::of(&bytes)
}

fn values(answers: &[Option<Prediction>]) -> Vec<Option<Value>> {
    answers.iter().map(|answer| answer.as_ref().map(|answer| answer.answer.clone())).collect()
}
