use std::{
    sync::{Arc, Mutex, PoisonError, mpsc},
    time::Instant,
};

use graft_core::TaskCard;
use graft_formats::ModelFiles;
use graft_nn::{Adapter, Model, Prompter};

use crate::{
    Batcher, Calibration, Decoding, Error, Guide, Limits, Prediction, PromptCache, Request, Result, Template, Update,
    Vocabulary,
};

/// A task's answers from a base model with an adapter (or bare): loaded once, used for any number of inputs.
///
/// The instruction's keys and values are computed once; every answer follows the task's form. As answers end, the next
/// inputs take their places.
#[derive(Clone)]
pub struct Predictor {
    model: Arc<Model>,
    batcher: Arc<Mutex<Option<(usize, Batcher)>>>,
    cache: Option<PromptCache>,
    template: Arc<Template>,
    adapter: Option<Arc<Adapter>>,
    calibration: Option<Calibration>,
}

impl Predictor {
    /// Prepares a task on a model.
    ///
    /// # Errors
    /// The answer's form can't be enforced with this tokenizer, or the prompt can't be rendered.
    pub fn new(model: Arc<Model>, files: &ModelFiles, card: &TaskCard, adapter: Option<Adapter>) -> Result<Self> {
        let vocabulary =
            |prompter: &Prompter| Ok(Arc::new(Vocabulary::new(Arc::new(files.tokenizer.clone()), &[prompter.end()])?));
        let template = Arc::new(Template::new(files, model.has_encoder(), card, vocabulary)?);
        Ok(Self {
            model,
            batcher: Arc::default(),
            cache: None,
            template,
            adapter: adapter.map(Arc::new),
            calibration: None,
        })
    }

    /// The same task on the same model without the adapter.
    #[must_use]
    pub fn bare(&self) -> Self {
        Self { adapter: None, calibration: None, ..self.clone() }
    }

    /// Keeps what was computed of the instruction for later processes.
    #[must_use]
    pub fn with_prompt_cache(mut self, cache: PromptCache) -> Self {
        self.cache = Some(cache);
        self
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
        self.template.prompter()
    }

    /// How answers are written and read.
    #[must_use]
    pub fn guide(&self) -> &Guide {
        self.template.guide()
    }

    /// Answers each input, in order; an input that leaves no room for an answer in the model's context gets none.
    /// `tell` hears how many are done.
    ///
    /// # Errors
    /// The model, the adapter or the answer's grammar fails.
    pub fn predict(
        &self,
        inputs: &[&str],
        how: Decoding,
        tell: &mut dyn FnMut(usize),
    ) -> Result<Vec<Option<Prediction>>> {
        let (send, done) = mpsc::channel();
        let mut requests = Vec::with_capacity(inputs.len());
        for (index, input) in inputs.iter().enumerate() {
            requests.push(self.request(index, input, how, send.clone())?);
        }
        // The longest first, so that none is left to be written alone.
        requests.sort_by_key(|request| std::cmp::Reverse(request.prompt.len()));
        let mut batcher = self.batcher.lock().unwrap_or_else(PoisonError::into_inner);
        let batcher = self.with_room(&mut batcher, &requests, how.batch);
        batcher.set_lanes(how.batch);
        requests.into_iter().for_each(|request| batcher.submit(request, Instant::now()));
        let (mut answers, mut count) = (vec![None; inputs.len()], 0);
        while !batcher.is_idle() {
            batcher.step(Instant::now());
            for (index, answer) in done.try_iter() {
                answers[index] = match answer {
                    Ok(prediction) => Some(prediction),
                    Err(Error::Model(graft_nn::Error::TooLong { .. })) => None,
                    Err(error) => {
                        batcher.clear();
                        return Err(error);
                    }
                };
                count += 1;
            }
            tell(count);
        }
        Ok(answers)
    }

    /// The batcher, with room for as many of the requests (longest first) as are answered side by side: memory that
    /// nobody will use is not even asked for.
    fn with_room<'b>(
        &self,
        batcher: &'b mut Option<(usize, Batcher)>,
        requests: &[Request],
        lanes: usize,
    ) -> &'b mut Batcher {
        let virtual_tokens = self.adapter.as_ref().map_or(0, |adapter| adapter.virtual_tokens());
        let own = |request: &Request| virtual_tokens + request.prompt.len() + request.max_tokens + 1;
        let shared = requests.first().map_or(0, |request| virtual_tokens + request.shared.len());
        let rows = shared + requests.iter().take(lanes).map(own).sum::<usize>();
        let limits = Limits::default();
        let needed = rows.saturating_mul(self.model.session_row_bytes()).min(limits.cache_bytes);
        batcher.take_if(|(room, _)| *room < needed);
        let fresh = || {
            let limits = Limits { cache_bytes: needed, ..limits };
            (needed, Batcher::new(Arc::clone(&self.model), limits).with_prompt_cache(self.cache.clone()))
        };
        &mut batcher.get_or_insert_with(fresh).1
    }

    fn request(&self, index: usize, input: &str, how: Decoding, send: Sender) -> Result<Request> {
        let calibration = self.calibration.clone();
        let tell = Box::new(move |update| {
            let Update::Done(result) = update else { return true };
            let prediction = result.map(|outcome| {
                let mut prediction = outcome.prediction;
                if let Some(calibration) = &calibration {
                    prediction.confidence = calibration.apply(prediction.raw_confidence);
                }
                prediction
            });
            send.send((index, prediction)).is_ok()
        });
        let request = self.template.request(self.adapter.clone(), input, how, tell)?;
        Ok(Request { stream: index as u64, ..request })
    }
}

type Sender = mpsc::Sender<(usize, Result<Prediction>)>;
