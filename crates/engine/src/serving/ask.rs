//! Requests for answers, and the ways to receive them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use graft_contestants::{Error as ContestantError, Patience};
use graft_core::{AnswerForm, Example};
use graft_predict::{Adjustments, Completion, End, Guide, Piece, Priority, Request, Sampling, Template, Update};
use serde_json::{Value, json};
use tokio::{sync::mpsc, task::JoinSet};

use super::{
    Answer, Ended, Outcome, Serving,
    deployment::{Body, Deployment, OnBase, Pin},
    load::apart,
    rules,
};
use crate::{Error, Result};

/// Longest that a request waits and is worked on, where it doesn't say.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How an answer is to be written.
#[derive(Clone, Debug, Default)]
pub struct AnswerOptions {
    /// Maximum tokens of the answer.
    pub max_tokens: Option<usize>,
    /// `None` takes the likeliest token each time.
    pub sampling: Option<Sampling>,
    /// Changes of the logits. What needs no language model has none, and ignores them as it does `sampling`.
    pub adjustments: Adjustments,
    /// Makes several answers of one seed independent.
    pub stream: u64,
    /// Texts before which the answer ends.
    pub stop: Vec<String>,
    /// Keep each token's probability and those of so many likelier ones.
    pub top: Option<usize>,
    /// Given up after this time.
    pub timeout: Option<Duration>,
    /// Who asks: the requests of different clients take turns.
    pub client: Arc<str>,
    /// Whom or what it is about: requests of one subject are all answered by the canary of a roll-out, or none is.
    pub subject: Option<String>,
    /// Keep no trace of the text: a roll-out does not compare its versions on it.
    pub untraced: bool,
}

impl AnswerOptions {
    /// Most tokens of an answer, where the options don't say.
    pub const MAX_TOKENS: usize = Template::MAX_TOKENS;
}

/// What the model is asked.
#[derive(Clone, Debug)]
pub enum Prompt {
    /// The input of a task, in the task's own prompt.
    Input(String),
    /// A conversation: pairs of role and content.
    Messages(Vec<(String, String)>),
    /// A text to continue.
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
        answer: Box<Answer>,
    },
}

impl From<Answer> for Heard {
    /// An answer that is there already.
    fn from(answer: Answer) -> Self {
        let rest = Piece { text: answer.said(), tokens: Vec::new() };
        Self::End { end: End::Whole, rest, answer: Box::new(answer) }
    }
}

/// Who asks, which decides when a request has its turn and whether it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// Somebody who asked for the task, whichever version is active: how it goes counts for or against that version.
    ForTask,
    /// Somebody who named what is to answer.
    ForVersion,
    /// Somebody with many inputs.
    ForMany,
    /// Serving itself, before it lets a deployment answer.
    WarmUp,
    /// Serving itself, to compare two versions of a roll-out.
    ForShadow,
}

impl Asker {
    fn priority(self) -> Priority {
        match self {
            Self::ForTask | Self::ForVersion => Priority::Normal,
            Self::ForMany | Self::ForShadow => Priority::Background,
            Self::WarmUp => Priority::Urgent,
        }
    }
}

/// An answer that is being written; dropping it ends the work on it.
pub struct Answering {
    serving: Serving,
    updates: mpsc::UnboundedReceiver<Update>,
    deployment: Arc<Deployment>,
    asker: Asker,
    since: Instant,
    /// The text is in the task's short form, which is not for people.
    wire: bool,
    /// The input, where the task's rules read it beside the adapter.
    input: Option<String>,
    /// The input, where another version may answer it later, to be compared.
    pub(super) compared: Option<String>,
    /// The roll-out that chose at random which version answers: how long it takes is compared.
    pub(super) timed: Option<i64>,
    /// In the task's own form; what another one makes impossible is the request's fault.
    own: bool,
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
    /// What answers.
    #[must_use]
    pub fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// The same, for longer than the answer takes.
    pub(crate) fn shared(&self) -> Arc<Deployment> {
        Arc::clone(&self.deployment)
    }

    /// What comes next; `None` after the end.
    ///
    /// # Errors
    /// Why there will be no answer.
    pub async fn next(&mut self) -> Option<Result<Heard>> {
        loop {
            let result = match self.updates.recv().await {
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
            self.serving.judge(&self.deployment, self.asker == Asker::ForTask, &result);
            return Some(match result {
                Ok(done) => {
                    self.tell_end(Outcome::Answered, (done.prompt_tokens, done.answer_tokens));
                    self.end(*done).await
                }
                Err(error) => {
                    self.tell_end(Outcome::of(&error), (0, 0));
                    Err(error)
                }
            });
        }
    }

    fn tell_end(&self, outcome: Outcome, (prompt_tokens, answer_tokens): (usize, usize)) {
        if !matches!(self.asker, Asker::WarmUp | Asker::ForShadow) {
            let (task, seconds) = (self.deployment.task.as_str(), self.since.elapsed().as_secs_f64());
            self.serving.tell_end(&Ended { task, outcome, seconds, prompt_tokens, answer_tokens });
        }
    }

    async fn end(&self, mut done: Completion) -> Result<Heard> {
        let (end, mut rest) = (done.end, std::mem::take(&mut done.rest));
        let (serving, deployment, since) = (self.serving.clone(), Arc::clone(&self.deployment), self.since);
        let input = self.input.clone().filter(|_| done.valid);
        // The tables and rules are files.
        let finish = move || {
            if let Some(input) = input {
                done = serving.beside_rules(&deployment, &input, done);
            }
            Ok(serving.answer_of(&deployment, done, since))
        };
        let answer = apart(finish).await?;
        if let (Some(rollout), Some(version)) = (self.timed, &self.deployment.version) {
            self.serving.count_time(rollout, version, answer.seconds);
        }
        if let Some(input) = &self.compared {
            self.serving.compare_later(&self.deployment, input, &answer);
        }
        if self.wire {
            rest = Piece { text: answer.said(), tokens: Vec::new() };
        }
        Ok(Heard::End { end, rest, answer: Box::new(answer) })
    }

    /// The whole answer.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn whole(mut self) -> Result<Answer> {
        loop {
            match self.next().await {
                Some(Ok(Heard::Piece(_))) => {}
                Some(Ok(Heard::End { answer, .. })) => return Ok(*answer),
                Some(Err(error)) => return Err(error),
                None => return Err(Error::Predict(graft_predict::Error::Interrupted)),
            }
        }
    }
}

impl Serving {
    /// Puts a request into the queue of a deployment's base.
    pub(super) async fn ask(
        &self,
        deployment: &Arc<Deployment>,
        asker: Asker,
        prompt: &Prompt,
        format: &Format,
        options: &AnswerOptions,
    ) -> Result<Answering> {
        let on = match &deployment.body {
            Body::Model(on) => on,
            Body::Contestant(_) => {
                let input = input_of(deployment, prompt, format)?.to_owned();
                let (serving, deployment) = (self.clone(), Arc::clone(deployment));
                // A program or a service may take its time.
                let reply = apart(move || serving.reply(&deployment, asker, &input));
                let patience = options.timeout.unwrap_or(TIMEOUT);
                let retry_after = Duration::ZERO;
                let late = |_| Err(Error::Predict(graft_predict::Error::Deadline { retry_after }));
                return tokio::time::timeout(patience, reply).await.unwrap_or_else(late);
            }
        };
        let guide = guide_of(deployment, on, prompt, format).await?;
        let (mut request, mut answering) = self.request(deployment, on, asker, prompt, options)?;
        answering.own = *format == Format::Own;
        answering.input.take_if(|_| matches!(format, Format::Schema(_)));
        if let Some(guide) = guide {
            request.guide = guide;
        }
        if let Err(error) = on.base.service.submit(request).map_err(Error::Predict) {
            answering.ended = true;
            answering.tell_end(Outcome::of(&error), (0, 0));
            return Err(error);
        }
        Ok(answering)
    }

    /// Answers to many inputs of a task, by its active version or the one named; as [`answer_all`](Self::answer_all).
    ///
    /// # Errors
    /// As [`answer_all`](Self::answer_all); there is no such version or it can't be loaded.
    pub async fn answer_many(
        &self,
        task: &str,
        version: Option<&str>,
        inputs: &[String],
        options: &AnswerOptions,
    ) -> Result<Vec<Result<Answer>>> {
        let deployment = self.deployment(task, version).await?;
        if version.is_none() && !options.untraced {
            inputs.iter().for_each(|input| self.count_input(task, input));
        }
        self.answer_all(&deployment, inputs, options, |_| {}).await
    }

    /// Answers to many inputs, in their order; each has its own result. They have lower priority than single requests, and
    /// take no place in the queue. `tell` hears how many are done.
    ///
    /// # Errors
    /// The thread that computes is gone.
    pub async fn answer_all(
        &self,
        deployment: &Arc<Deployment>,
        inputs: &[String],
        options: &AnswerOptions,
        mut tell: impl FnMut(usize),
    ) -> Result<Vec<Result<Answer>>> {
        let (serving, asked, texts, how) = (self.clone(), Arc::clone(deployment), inputs.to_vec(), options.clone());
        let (mut going, mut answers) = apart(move || serving.begin_all(&asked, texts, &how)).await?;
        let mut done = answers.iter().flatten().count();
        while let Some(ended) = going.join_next().await {
            let (place, answer) = ended.map_err(|_| Error::Predict(graft_predict::Error::Interrupted))?;
            if let Some(slot) = answers.get_mut(place) {
                *slot = Some(answer);
            }
            done += 1;
            tell(done);
        }
        Ok(answers.into_iter().flatten().collect())
    }

    /// Answers to examples, in order; none where [`Answer::each`] has a reason.
    pub(crate) async fn answer_examples(
        &self,
        deployment: &Arc<Deployment>,
        examples: &[Example],
        options: &AnswerOptions,
        what: &str,
        tell: &mut dyn FnMut(&str, usize, usize),
    ) -> Result<Vec<Option<Answer>>> {
        let inputs: Vec<String> = examples.iter().map(|example| example.input.clone()).collect();
        let of = inputs.len();
        let answers = self.answer_all(deployment, &inputs, options, |done| tell(what, done, of)).await?;
        Ok(Answer::each(answers)?.into_iter().map(std::result::Result::ok).collect())
    }

    /// Begins to answer many inputs: those being answered, with their places, and at its place why one can't be asked.
    #[expect(clippy::type_complexity, reason = "used once")]
    fn begin_all(
        &self,
        deployment: &Arc<Deployment>,
        inputs: Vec<String>,
        options: &AnswerOptions,
    ) -> Result<(JoinSet<(usize, Result<Answer>)>, Vec<Option<Result<Answer>>>)> {
        let mut answers: Vec<Option<Result<Answer>>> = inputs.iter().map(|_| None).collect();
        let mut going = JoinSet::new();
        let on = match &deployment.body {
            Body::Model(on) => on,
            Body::Contestant(_) => {
                let mut patience = Patience::default();
                for (place, input) in inputs.iter().enumerate() {
                    if patience.is_over() {
                        answers[place] = Some(Err(Error::Contestant(ContestantError::NotAsked)));
                        continue;
                    }
                    let reply = self.reply(deployment, Asker::ForMany, input);
                    patience.note(match &reply {
                        Err(Error::Contestant(error)) => Some(error),
                        _ => None,
                    });
                    match reply {
                        Ok(answering) => drop(going.spawn(async move { (place, answering.whole().await) })),
                        Err(error) => answers[place] = Some(Err(error)),
                    }
                }
                return Ok((going, answers));
            }
        };
        let mut asked = Vec::with_capacity(inputs.len());
        for (place, input) in inputs.into_iter().enumerate() {
            match self.request(deployment, on, Asker::ForMany, &Prompt::Input(input), options) {
                Ok((request, answering)) => {
                    asked.push((place, Request { stream: place as u64, ..request }, answering));
                }
                Err(error) => answers[place] = Some(Err(error)),
            }
        }
        // The longest first, so that none is left to be written alone.
        asked.sort_by_key(|(_, request, _)| std::cmp::Reverse(request.prompt.len()));
        let mut requests = Vec::with_capacity(asked.len());
        for (place, request, answering) in asked {
            requests.push(request);
            going.spawn(async move { (place, answering.whole().await) });
        }
        on.base.service.submit_all(requests)?;
        Ok((going, answers))
    }

    /// The answer of something that needs no language model: whole. May wait for a program or a service.
    fn reply(&self, deployment: &Arc<Deployment>, asker: Asker, input: &str) -> Result<Answering> {
        let since = Instant::now();
        let Body::Contestant(fitted) = &deployment.body else {
            return Err(Error::Unsupported(format!("answer task `{}` without a model", deployment.task)));
        };
        let (send, updates) = mpsc::unbounded_channel();
        let done = fitted.complete(&deployment.task, input)?;
        let done = Completion { seconds: since.elapsed().as_secs_f64(), ..done };
        // The receiver is held here.
        let _ = send.send(Update::Done(Ok(Box::new(done))));
        let (serving, deployment) = (self.clone(), Arc::clone(deployment));
        let wire = matches!(deployment.card.answer, AnswerForm::Json { .. });
        Ok(Answering {
            serving,
            updates,
            deployment,
            asker,
            since,
            wire,
            input: None,
            compared: None,
            timed: None,
            own: true,
            ended: false,
        })
    }

    /// A request in the task's own form, and where its answer will come.
    fn request(
        &self,
        deployment: &Arc<Deployment>,
        on: &OnBase,
        asker: Asker,
        prompt: &Prompt,
        options: &AnswerOptions,
    ) -> Result<(Request, Answering)> {
        let since = Instant::now();
        let (send, updates) = mpsc::unbounded_channel();
        let held = Pin::new(deployment);
        let wire = matches!(deployment.card.answer, AnswerForm::Json { .. });
        // Pieces that are not read would wake the reader at every token.
        let silent = wire || matches!(asker, Asker::ForMany | Asker::ForShadow);
        let tell = Box::new(move |update| {
            let _held = &held;
            match update {
                Update::Waiting => !send.is_closed(),
                Update::Written(_) if silent => !send.is_closed(),
                update => send.send(update).is_ok(),
            }
        });
        let input = match prompt {
            Prompt::Input(input) if on.adapter.is_some() && rules::may_help(&deployment.card) => Some(input.clone()),
            _ => None,
        };
        let mut request = request_of(deployment, on, prompt, tell)?;
        request.max_tokens = options.max_tokens.unwrap_or(AnswerOptions::MAX_TOKENS);
        options.adjustments.check(request.guide.vocabulary())?;
        request.sampling = options.sampling;
        request.adjustments.clone_from(&options.adjustments);
        request.stream = options.stream;
        request.stop.clone_from(&options.stop);
        request.top = options.top;
        request.priority = asker.priority();
        request.client = Arc::clone(&options.client);
        // How long many inputs take depends on how many there are.
        let timeout = options.timeout.or((asker != Asker::ForMany).then_some(TIMEOUT));
        request.deadline = timeout.map(|timeout| since + timeout);
        let (serving, deployment) = (self.clone(), Arc::clone(deployment));
        let (compared, timed, own, ended) = (None, None, true, false);
        let answering =
            Answering { serving, updates, deployment, asker, since, wire, input, compared, timed, own, ended };
        Ok((request, answering))
    }
}

/// A prompt's tokens in a request: the task's own prompt for an input, otherwise the base model's.
fn request_of(deployment: &Deployment, on: &OnBase, prompt: &Prompt, tell: graft_predict::Tell) -> Result<Request> {
    let OnBase { base, adapter, template, labels } = on;
    let tokens = match prompt {
        Prompt::Input(input) => {
            let request = template.request(adapter.clone(), input, tell)?;
            let bias =
                labels.as_ref().map(|labels| labels.of(input, &deployment.card.answer, template.guide().codec()));
            return Ok(Request { label_bias: bias.transpose()?.flatten(), ..request });
        }
        _ if !matches!(deployment.card.answer, AnswerForm::Text) => {
            let what = format!("hold a conversation with task `{}`, which takes one input", deployment.task);
            return Err(Error::Unsupported(what));
        }
        Prompt::Messages(messages) => base.chat()?.conversation(messages)?.ok_or_else(|| {
            Error::Unsupported(format!("hold a conversation with `{}`, which has no chat template", base.name))
        })?,
        Prompt::Text(text) => base.chat()?.text(text)?,
    };
    let request = template.request(adapter.clone(), "", tell)?;
    Ok(Request { prompt: tokens, shared: Arc::default(), ..request })
}

/// The input of a version that needs no language model. It takes one text, and answers in the task's form only.
fn input_of<'p>(deployment: &Deployment, prompt: &'p Prompt, format: &Format) -> Result<&'p str> {
    let version = deployment.version.as_deref().unwrap_or_default();
    let is_own = match format {
        Format::Own => true,
        Format::Object => matches!(deployment.card.answer, AnswerForm::Json { .. }),
        Format::Schema(_) => false,
    };
    match prompt {
        Prompt::Input(input) if is_own => Ok(input),
        Prompt::Input(_) => {
            let what =
                format!("use another answer form for version `{version}` than that of task `{}`", deployment.task);
            Err(Error::Unsupported(what))
        }
        Prompt::Messages(_) | Prompt::Text(_) => {
            let what =
                format!("hold a conversation with version `{version}`: it is no language model and takes one input");
            Err(Error::Unsupported(what))
        }
    }
}

/// The form of the answer, where it is another than the task's own. Schemas may be large: they are compiled on a thread of
/// their own.
async fn guide_of(deployment: &Deployment, on: &OnBase, prompt: &Prompt, format: &Format) -> Result<Option<Guide>> {
    let schema = match format {
        Format::Own if matches!(prompt, Prompt::Input(_)) => return Ok(None),
        Format::Own => None,
        Format::Object if matches!(deployment.card.answer, AnswerForm::Json { .. }) => return Ok(None),
        Format::Schema(_) | Format::Object if !matches!(deployment.card.answer, AnswerForm::Text) => {
            let what = format!("use another answer form for task `{}` than its own", deployment.task);
            return Err(Error::Unsupported(what));
        }
        Format::Object => Some(json!({"type": "object"})),
        Format::Schema(schema) => Some(schema.clone()),
    };
    let base = Arc::clone(&on.base);
    apart(move || {
        let vocabulary = base.vocabulary()?;
        let guide = match schema {
            None => Guide::text(vocabulary),
            Some(schema) => Guide::json(&schema, vocabulary),
        };
        Ok(Some(guide?))
    })
    .await
}
