use std::sync::Arc;

use graft_core::TaskCard;
use graft_formats::ModelFiles;
use graft_nn::{Adapter, Model, Prefix, Prompter, Session};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Calibration, Confidence, Error, Finished, Guide, Result, TokenMask, Vocabulary, Walk};

/// A task's answers from a base model with an adapter (or bare): loaded once, used for any number of inputs.
///
/// The instruction's keys and values are computed once; every answer follows the task's form.
pub struct Predictor {
    model: Arc<Model>,
    adapter: Option<Adapter>,
    prompter: Prompter,
    prefix: Prefix,
    guide: Guide,
    calibration: Option<Calibration>,
}

/// How answers are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decoding {
    /// Most tokens of one answer.
    pub max_tokens: usize,
    /// Answers written side by side.
    pub batch: usize,
    /// `None` takes the likeliest token each time.
    pub sampling: Option<Sampling>,
}

/// Random choice of tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; above 1 is wilder.
    pub temperature: f32,
    /// Choose among the likeliest tokens that together have this probability (nucleus sampling, Holtzman et al. 2020).
    pub top_p: f32,
    /// Same seed, same answers.
    pub seed: u64,
}

impl Default for Decoding {
    fn default() -> Self {
        Self { max_tokens: 400, batch: 8, sampling: None }
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The answer; it follows the task's form.
    pub answer: Value,
    /// Probability that the whole answer is right, calibrated where a calibration is known.
    pub confidence: f64,
    /// The same for each field, by path, as the model sees it.
    pub fields: std::collections::BTreeMap<String, f64>,
    /// The model's own probability of the answer, before calibration.
    pub raw_confidence: f64,
    /// Whether the model ended the answer itself; otherwise it was cut at the limit and its rest filled in.
    pub valid: bool,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
}

impl Predictor {
    /// Prepares a task on a model.
    ///
    /// # Errors
    /// The answer's form can't be enforced with this tokenizer, or the prompt can't be rendered.
    pub fn new(model: Arc<Model>, files: &ModelFiles, card: &TaskCard, adapter: Option<Adapter>) -> Result<Self> {
        let prompter = Prompter::new(files, model.has_encoder(), card).map_err(Error::Model)?;
        let vocabulary = Vocabulary::new(Arc::new(files.tokenizer.clone()), &[prompter.end()])?;
        let guide = Guide::new(&card.answer, Arc::new(vocabulary))?;
        let prefix = Prefix::new(&model, adapter.as_ref(), prompter.shared()).map_err(Error::Model)?;
        Ok(Self { model, adapter, prompter, prefix, guide, calibration: None })
    }

    /// Makes confidences mean what they say.
    #[must_use]
    pub fn with_calibration(mut self, calibration: Option<Calibration>) -> Self {
        self.calibration = calibration;
        self
    }

    /// How prompts are rendered.
    #[must_use]
    pub fn prompter(&self) -> &Prompter {
        &self.prompter
    }

    /// How answers are written and read.
    #[must_use]
    pub fn guide(&self) -> &Guide {
        &self.guide
    }

    /// Answers each input, in order. `tell` hears how many are done.
    ///
    /// # Errors
    /// An input longer than the model's context.
    pub fn predict(&self, inputs: &[&str], how: Decoding, tell: &mut dyn FnMut(usize)) -> Result<Vec<Prediction>> {
        let mut requests = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            requests.push((index, self.prompter.prompt(input).map_err(Error::Model)?));
        }
        // Neighbours of about equal length waste no cache.
        requests.sort_by_key(|(_, tokens)| tokens.len());
        let mut answers: Vec<Option<Prediction>> = vec![None; inputs.len()];
        let mut done = 0;
        for group in requests.chunks(how.batch.max(1)) {
            for ((index, _), answer) in group.iter().zip(self.answer_group(group, how)?) {
                answers[*index] = Some(answer);
            }
            done += group.len();
            tell(done);
        }
        Ok(answers.into_iter().flatten().collect())
    }

    fn answer_group(&self, group: &[(usize, Vec<u32>)], how: Decoding) -> Result<Vec<Prediction>> {
        let shared = self.prompter.shared().len();
        let (mut session, starts): (Session<'_>, Vec<Vec<u32>>) = if self.model.has_encoder() {
            let sources: Vec<&[u32]> = group.iter().map(|(_, tokens)| tokens.as_slice()).collect();
            let capacities = vec![how.max_tokens + 1; group.len()];
            let session = Session::paired(&self.model, self.adapter.as_ref(), &sources, &capacities);
            (session.map_err(Error::Model)?, vec![vec![self.model.decoder_start()]; group.len()])
        } else {
            let starts: Vec<Vec<u32>> = group.iter().map(|(_, tokens)| tokens[shared..].to_vec()).collect();
            let capacities: Vec<usize> = starts.iter().map(|start| start.len() + how.max_tokens).collect();
            let session = Session::causal(&self.model, self.adapter.as_ref(), &self.prefix, &capacities);
            (session.map_err(Error::Model)?, starts)
        };
        let mut lanes: Vec<Lane<'_>> =
            starts.into_iter().map(|fed| Lane { walk: self.guide.start(), fed, written: 0 }).collect();
        for lane in &mut lanes {
            let forced = lane.walk.forced()?;
            lane.written += forced.len();
            lane.fed.extend(forced);
        }
        loop {
            let open: Vec<usize> = (0..lanes.len()).filter(|&i| lanes[i].open(how.max_tokens)).collect();
            if open.is_empty() {
                break;
            }
            let fed: Vec<(usize, &[u32])> = open.iter().map(|&i| (i, lanes[i].fed.as_slice())).collect();
            let hidden = session.feed(&fed).map_err(Error::Model)?;
            let logits = session.logits(&hidden);
            for (row, &i) in open.iter().enumerate() {
                lanes[i].advance(logits.row(row), how, group[i].0 as u64)?;
            }
        }
        let prompts = group.iter().map(|(_, tokens)| tokens.len());
        lanes.into_iter().zip(prompts).map(|(lane, prompt)| self.prediction(lane, prompt)).collect()
    }

    fn prediction(&self, lane: Lane<'_>, prompt_tokens: usize) -> Result<Prediction> {
        let answer_tokens = lane.walk.tokens().len();
        let Finished { answer, cut, confidence: Confidence { answer: raw, fields }, .. } = lane.walk.finish()?;
        let confidence = self.calibration.as_ref().map_or(raw, |calibration| calibration.apply(raw));
        Ok(Prediction { answer, confidence, fields, raw_confidence: raw, valid: !cut, prompt_tokens, answer_tokens })
    }
}

/// An answer being written: `fed` is what the model has not read yet.
struct Lane<'g> {
    walk: Walk<'g>,
    fed: Vec<u32>,
    written: usize,
}

impl Lane<'_> {
    fn open(&self, max_tokens: usize) -> bool {
        !self.walk.is_done() && self.written < max_tokens
    }

    /// Chooses the next token and whatever follows from it.
    fn advance(&mut self, logits: &[f32], how: Decoding, stream: u64) -> Result<()> {
        let mask = self.walk.allowed()?;
        let token = match how.sampling {
            Some(sampling) => sample(&mask, logits, sampling, stream << 32 | self.written as u64),
            None => mask.argmax(logits),
        };
        let Some(token) = token else {
            // Nothing may follow: what is written is all there will be.
            self.written = usize::MAX;
            return Ok(());
        };
        self.walk.push(token, mask.log_prob(logits, token))?;
        self.fed = vec![token];
        self.written += 1;
        if !self.walk.is_done() {
            let forced = self.walk.forced()?;
            self.written += forced.len();
            self.fed.extend(forced);
        }
        Ok(())
    }
}

/// Draws an allowed token.
fn sample(mask: &TokenMask, logits: &[f32], how: Sampling, position: u64) -> Option<u32> {
    let best = mask.argmax(logits)?;
    let top = logits[best as usize];
    let temperature = how.temperature.max(1e-3);
    let mut likely: Vec<(f32, u32)> =
        mask.iter().map(|t| (((logits[t as usize] - top) / temperature).exp(), t)).filter(|(p, _)| *p > 1e-6).collect();
    likely.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let total: f32 = likely.iter().map(|(p, _)| p).sum();
    let mut kept = 0.0;
    let size = likely.iter().position(|(p, _)| {
        kept += p / total;
        kept >= how.top_p
    });
    likely.truncate(size.map_or(likely.len(), |last| last + 1));
    let mass: f32 = likely.iter().map(|(p, _)| p).sum();
    let mut point = unit(how.seed, position) * mass;
    likely
        .iter()
        .find_map(|&(p, token)| {
            point -= p;
            (point <= 0.0).then_some(token)
        })
        .or(Some(best))
}

/// Uniform in `[0, 1)`, a function of seed and position (SplitMix64).
fn unit(seed: u64, position: u64) -> f32 {
    let mut z = seed.wrapping_add(position.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 24) as f32
}
