//! What may be asked, and how answers come.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use graft_core::{AnswerForm, Digest};
use graft_predict::{Decoding, End, Guide, Outcome as Done, Piece, Prediction, Request, Sampling, Update};
use graft_tasks::cards;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{
    Ended, Outcome, Serving,
    generation::{Generation, Pin},
};
use crate::{Error, Result};

/// Longest that a request waits and is worked on, where it doesn't say.
const PATIENCE: Duration = Duration::from_secs(300);

/// How an answer is wanted.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Most tokens of the answer.
    pub max_tokens: Option<usize>,
    /// `None` takes the likeliest token each time.
    pub sampling: Option<Sampling>,
    /// Texts before which the answer ends.
    pub stop: Vec<String>,
    /// Keep each token's probability and those of so many likelier ones.
    pub top: Option<usize>,
    /// Given up after this time.
    pub patience: Option<Duration>,
    /// Before all others and not counted: for what serving asks itself.
    pub urgent: bool,
}

/// What the model is asked.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// The input of a task, in the task's own prompt.
    Input(String),
    /// A conversation: pairs of role and content.
    Messages(Vec<(String, String)>),
    /// A text to go on with.
    Text(String),
}

/// The form an answer must have, beyond the task's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Format {
    /// As the task says; any text where no task is asked.
    Own,
    /// Any JSON object; a task that answers with JSON gives its own.
    Object,
    /// JSON that follows this JSON Schema.
    Schema(Value),
}

/// An answer with everything that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answered {
    /// The task.
    pub task: String,
    /// The version that answered; absent for a bare base model.
    pub version: Option<String>,
    /// Digest of base, adapter, prompt, calibration and version: exactly what answered.
    pub generation: Digest,
    /// The answer, with what is computed from it.
    pub answer: Value,
    /// Probability that the whole answer is right, calibrated where the version was evaluated.
    pub confidence: f64,
    /// The same for each field.
    pub fields: BTreeMap<String, f64>,
    /// Whether the model ended the answer itself.
    pub valid: bool,
    /// Seconds from the request to the answer.
    pub seconds: f64,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
}

/// What comes of an answer that is being written.
#[derive(Debug)]
pub enum Heard {
    /// More of its text.
    Piece(Piece),
    /// The end; the last of the text is in `rest`.
    End {
        /// Why it ended.
        end: End,
        /// The last of the text.
        rest: Piece,
        /// The answer.
        answered: Box<Answered>,
    },
}

/// An answer that is being written; dropping it ends the work on it.
pub struct Answering {
    serving: Serving,
    updates: mpsc::UnboundedReceiver<Update>,
    generation: Arc<Generation>,
    since: Instant,
    /// Through the task's alias, so it counts for or against the version that became active.
    by_alias: bool,
    /// The text is the task's wire form, which nobody wants to see.
    wire: bool,
    /// In the task's own form; what another one makes impossible is the request's fault.
    own: bool,
    /// Whether its end is told.
    counted: bool,
    ended: bool,
}

impl Drop for Answering {
    fn drop(&mut self) {
        if !self.ended {
            self.tell_end(Outcome::Abandoned, (0, 0));
        }
    }
}

impl Answering {
    /// The generation that answers.
    #[must_use]
    pub fn generation(&self) -> &Digest {
        &self.generation.digest
    }

    /// What comes next; `None` after the end.
    ///
    /// # Errors
    /// Why there will be no answer.
    pub async fn next(&mut self) -> Option<Result<Heard>> {
        loop {
            let result = match self.updates.recv().await {
                Some(Update::Written(_)) if self.wire => continue,
                Some(Update::Written(piece)) => return Some(Ok(Heard::Piece(piece))),
                Some(Update::Waiting) => continue,
                Some(Update::Done(Err(error))) if !self.own => Err(Error::Predict(error.of_schema())),
                Some(Update::Done(result)) => result.map_err(Error::Predict),
                None if self.ended => return None,
                // The thread met a bug and dropped what it was at.
                None => Err(Error::Predict(graft_predict::Error::Interrupted)),
            };
            self.updates.close();
            self.ended = true;
            self.serving.judge(&self.generation, self.by_alias, &result);
            return Some(match result {
                Ok(done) => {
                    self.tell_end(Outcome::Answered, (done.prediction.prompt_tokens, done.prediction.answer_tokens));
                    Ok(self.end(*done))
                }
                Err(error) => {
                    self.tell_end(Outcome::of(&error), (0, 0));
                    Err(error)
                }
            });
        }
    }

    fn tell_end(&self, outcome: Outcome, (prompt_tokens, answer_tokens): (usize, usize)) {
        if self.counted {
            let (task, seconds) = (self.generation.task.as_str(), self.since.elapsed().as_secs_f64());
            self.serving.tell_end(&Ended { task, outcome, seconds, prompt_tokens, answer_tokens });
        }
    }

    fn end(&self, done: Done) -> Heard {
        let Done { prediction, end, mut rest, .. } = done;
        let answered = Box::new(self.answered(prediction));
        if self.wire {
            rest = Piece { text: said(&answered.answer), tokens: Vec::new() };
        }
        Heard::End { end, rest, answered }
    }

    fn answered(&self, mut prediction: Prediction) -> Answered {
        let generation = &self.generation;
        generation.calibrate(&mut prediction);
        let answer = match self.serving.engine().home.tables() {
            Ok(tables) => cards::finish(&generation.task, prediction.answer, &tables),
            Err(_) => prediction.answer,
        };
        Answered {
            task: generation.task.clone(),
            version: generation.version.clone(),
            generation: generation.digest.clone(),
            answer,
            confidence: prediction.confidence,
            fields: prediction.fields,
            valid: prediction.valid,
            seconds: self.since.elapsed().as_secs_f64(),
            prompt_tokens: prediction.prompt_tokens,
            answer_tokens: prediction.answer_tokens,
        }
    }

    /// The whole answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn whole(mut self) -> Result<Answered> {
        loop {
            match self.next().await {
                Some(Ok(Heard::Piece(_))) => {}
                Some(Ok(Heard::End { answered, .. })) => return Ok(*answered),
                Some(Err(error)) => return Err(error),
                None => return Err(Error::Predict(graft_predict::Error::Interrupted)),
            }
        }
    }
}

/// A text as it is, anything else as JSON.
fn said(answer: &Value) -> String {
    answer.as_str().map_or_else(|| answer.to_string(), str::to_owned)
}

impl Serving {
    /// Puts a request for a generation into its base's queue.
    pub(super) async fn ask(
        &self,
        generation: &Arc<Generation>,
        by_alias: bool,
        prompt: &Prompt,
        format: &Format,
        wish: &Wish,
    ) -> Result<Answering> {
        let since = Instant::now();
        let (send, updates) = mpsc::unbounded_channel();
        let held = Pin::new(generation);
        let tell = Box::new(move |update| {
            let _held = &held;
            match update {
                Update::Waiting => !send.is_closed(),
                update => send.send(update).is_ok(),
            }
        });
        let how =
            Decoding { max_tokens: wish.max_tokens.unwrap_or(Decoding::default().max_tokens), ..Decoding::default() };
        let adapter = generation.adapter.clone();
        let mut request = generation.template.request(adapter, "", how, tell)?;
        self.fill(&mut request, generation, prompt)?;
        if let Some(guide) = guide_of(generation, prompt, format).await? {
            request.guide = guide;
        }
        request.sampling = wish.sampling;
        request.stop.clone_from(&wish.stop);
        request.top = wish.top;
        request.urgent = wish.urgent;
        request.deadline = Some(since + wish.patience.unwrap_or(PATIENCE));
        let wire = matches!(generation.card.answer, AnswerForm::Json { .. });
        let submitted = generation.base.service.submit(request).map_err(Error::Predict);
        let (serving, generation, counted) = (self.clone(), Arc::clone(generation), !wish.urgent);
        let own = *format == Format::Own;
        let mut answering =
            Answering { serving, updates, generation, since, by_alias, wire, own, counted, ended: false };
        if let Err(error) = submitted {
            answering.ended = true;
            answering.tell_end(Outcome::of(&error), (0, 0));
            return Err(error);
        }
        Ok(answering)
    }

    /// Writes the prompt into a request.
    fn fill(&self, request: &mut Request, generation: &Generation, prompt: &Prompt) -> Result<()> {
        let (base, template) = (&generation.base, &generation.template);
        let free = matches!(generation.card.answer, AnswerForm::Text);
        match prompt {
            Prompt::Input(input) => {
                request.prompt = template.prompter().prompt(input)?[request.shared.len()..].to_vec();
            }
            Prompt::Messages(_) | Prompt::Text(_) if !free => {
                let what = format!("hold a conversation with task `{}`, which takes one input", generation.task);
                return Err(Error::Unsupported(what));
            }
            Prompt::Messages(messages) => {
                let Some(tokens) = base.chat.conversation(messages)? else {
                    let what = format!("hold a conversation with `{}`, which has no chat template", base.name);
                    return Err(Error::Unsupported(what));
                };
                (request.prompt, request.shared) = (tokens, Arc::default());
            }
            Prompt::Text(text) => {
                (request.prompt, request.shared) = (base.chat.text(text)?, Arc::default());
            }
        }
        Ok(())
    }
}

/// The form of the answer, where it is another than the task's own. Schemas may be large: they are compiled on a thread of
/// their own.
async fn guide_of(generation: &Generation, prompt: &Prompt, format: &Format) -> Result<Option<Guide>> {
    let vocabulary = Arc::clone(&generation.base.vocabulary);
    let schema = match format {
        Format::Own if matches!(prompt, Prompt::Input(_)) => return Ok(None),
        Format::Own => return Ok(Some(Guide::text(vocabulary)?)),
        Format::Object if matches!(generation.card.answer, AnswerForm::Json { .. }) => return Ok(None),
        Format::Schema(_) | Format::Object if !matches!(generation.card.answer, AnswerForm::Text) => {
            let what = format!("give answers of task `{}` another form than its own", generation.task);
            return Err(Error::Unsupported(what));
        }
        Format::Object => json!({"type": "object"}),
        Format::Schema(schema) => schema.clone(),
    };
    let compiled = tokio::task::spawn_blocking(move || Guide::json(&schema, vocabulary)).await;
    let guide = compiled.unwrap_or(Err(graft_predict::Error::Interrupted))?;
    Ok(Some(guide))
}
