//! Requests for tasks that have an upstream: who answers, and what becomes of the answers.

use std::{sync::Arc, time::Duration};

use graft_store::{Recording, Upstream, UpstreamCounts};
use graft_tasks::{
    cards::{Form, Task},
    schema, score,
};
use graft_upstream::{Client, Error as UpstreamError, Reply, Target, Transcript, check_key, with_model};
use serde_json::Value;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    task::spawn_blocking,
};

use super::record::{Recorded, bare};
use crate::{
    Error, Result, now,
    serving::{Answer, AnswerOptions, Deployment, Format, Prompt, Serving},
};

/// Requests that are passed on at once; each has a thread.
const PLACES: usize = 128;
/// Longest that Graft may take for an answer before the upstream is asked instead.
const OWN: Duration = Duration::from_secs(30);
/// Bytes that are handed on at once, and how many of these pieces may wait for the client.
const PIECE: usize = 16 << 10;
const WAITING: usize = 16;
/// Told to a client whose stream broke off; it has its status already.
const BROKEN: &str = "\n\ndata: {\"error\":{\"message\":\"failed to read the answer of the upstream: it broke off\",\
                      \"type\":\"server_error\",\"param\":null,\"code\":\"upstream_error\"}}\n\n";

/// Answers requests for tasks that have an upstream.
#[derive(Clone, Debug)]
pub struct Proxy(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    serving: Serving,
    client: Client,
    places: Arc<Semaphore>,
}

/// A request for a chat completion.
#[derive(Debug)]
pub struct ChatRequest {
    /// As it came: a JSON object.
    pub body: String,
    /// What it asks, if a task can answer it.
    pub plain: Option<PlainRequest>,
    /// Whether the upstream's answer may be recorded.
    pub record: bool,
}

/// A request that a task can answer: one text and no tools.
#[derive(Debug)]
pub struct PlainRequest {
    /// The task's input.
    pub input: String,
    /// The form that the answer must have.
    pub format: Format,
    /// How it is to be written.
    pub options: AnswerOptions,
}

/// Who answered.
#[derive(Debug)]
pub enum Proxied {
    /// Graft did.
    Own(Box<Answer>),
    /// The upstream did, or refused to.
    Upstream(Passed),
}

/// What an upstream replied.
#[derive(Debug)]
pub struct Passed {
    /// The HTTP status.
    pub status: u16,
    /// Headers that concern who asked.
    pub headers: Vec<(String, String)>,
    /// The bytes as they came.
    pub body: PassedBody,
}

/// The bytes of a reply.
#[derive(Debug)]
pub enum PassedBody {
    /// All of them.
    Whole(Vec<u8>),
    /// Piece by piece, as they come.
    Stream(mpsc::Receiver<Vec<u8>>),
}

/// An answer of Graft, and what gave it.
struct Own {
    answer: Answer,
    by: Arc<Deployment>,
}

/// A request on its way to the upstream.
struct Job {
    proxy: Proxy,
    task: Task,
    upstream: Upstream,
    body: String,
    /// The text, if the answer to it is recorded.
    recorded: Option<String>,
}

impl Proxy {
    /// With what answers if Graft does.
    #[must_use]
    pub fn new(serving: Serving) -> Self {
        let places = Arc::new(Semaphore::new(PLACES));
        Self(Arc::new(Inner { serving, client: Client::default(), places }))
    }

    /// The upstream of a model's name, which is that of its task.
    pub async fn upstream(&self, model: &str) -> Result<Option<Upstream>> {
        Ok(self.0.serving.engine().store.upstream(model).await?)
    }

    /// Answers a request for a task, or passes it on.
    ///
    /// # Errors
    /// [`Error::Upstream`]: it had to be passed on and there is no answer.
    pub async fn answer(&self, task: &str, upstream: Upstream, asked: ChatRequest) -> Result<Proxied> {
        let task = self.0.serving.engine().tasks().get(task).await?;
        let is_recorded = asked.record && upstream.record != Recording::Off && !task.archived;
        let task = task.definition;
        let plain = asked.plain.filter(|plain| plain.format == Format::Own || task.form == Form::Fields);
        let own = match &plain {
            Some(plain) if upstream.answer_above.is_some() => self.own(&task.name, plain, !is_recorded).await,
            _ => None,
        };
        let recorded = plain.map(|plain| plain.input).filter(|_| is_recorded);
        let job = Job { proxy: self.clone(), task, upstream, body: asked.body, recorded };
        let Some(own) = own.filter(|own| is_sure(&job.upstream, own.answer.confidence)) else {
            return job.pass_on().await.map(Proxied::Upstream);
        };
        let answer = own.answer.clone();
        tokio::spawn(job.note_own(own));
        Ok(Proxied::Own(Box::new(answer)))
    }

    /// Graft's answer, if it has one whose confidence means something and which has the form that is asked for.
    async fn own(&self, task: &str, plain: &PlainRequest, untraced: bool) -> Option<Own> {
        let options = AnswerOptions {
            // Calibration is of the likeliest answer.
            sampling: None,
            stop: Vec::new(),
            timeout: Some(OWN),
            untraced,
            ..plain.options.clone()
        };
        let prompt = Prompt::Input(plain.input.clone());
        let answer = async {
            let answering = self.0.serving.begin(task, None, &prompt, &Format::Own, &options).await?;
            let by = answering.shared();
            Ok::<_, Error>(Own { answer: answering.whole().await?, by })
        };
        match answer.await {
            Ok(own) if own.answer.valid && own.by.is_calibrated() && plain.takes(&own.answer) => Some(own),
            Ok(_) => None,
            Err(error) => {
                tracing::debug!(task, "the upstream is asked: failed to {}", graft_core::with_causes(&error));
                None
            }
        }
    }
}

impl PlainRequest {
    /// Whether an answer of a task has the form that is asked for.
    fn takes(&self, answer: &Answer) -> bool {
        let text = answer.said();
        let stops = self.options.stop.iter().any(|stop| text.contains(stop.as_str()));
        let fits = match &self.format {
            Format::Own => true,
            // An older form of the task may have been labels.
            Format::Object => answer.answer.is_object(),
            Format::Schema(asked) => is_checked(asked) && schema::check(asked, &answer.answer).is_ok(),
        };
        fits && !stops
    }
}

/// Whether Graft answers with this confidence.
fn is_sure(upstream: &Upstream, confidence: f64) -> bool {
    upstream.answer_above.is_some_and(|above| confidence >= above)
}

/// Whether the upstream is asked, too, for a number that is drawn from 0 to 1.
fn is_compared(upstream: &Upstream, drawn: f64) -> bool {
    drawn < upstream.compare_share
}

/// Whether [`schema::check`] knows all of a schema: it ignores what it does not know.
fn is_checked(schema: &Value) -> bool {
    let Some(object) = schema.as_object() else { return false };
    object.iter().all(|(name, value)| match name.as_str() {
        "properties" => value.as_object().is_some_and(|all| all.values().all(is_checked)),
        "items" => is_checked(value),
        "additionalProperties" => value.is_boolean(),
        "type" | "enum" | "required" | "title" | "description" | "default" | "examples" | "$schema" => true,
        _ => false,
    })
}

impl Job {
    fn place(&self) -> std::result::Result<OwnedSemaphorePermit, UpstreamError> {
        Arc::clone(&self.proxy.0.places).try_acquire_owned().map_err(|_| UpstreamError::Busy)
    }

    /// Asks the upstream; returns as soon as its answer begins.
    async fn pass_on(self) -> Result<Passed> {
        let place = match self.place() {
            Ok(place) => place,
            Err(busy) => {
                self.count(UpstreamCounts { failed: 1, ..UpstreamCounts::default() }).await;
                return Err(busy.into());
            }
        };
        let (begin, begun) = oneshot::channel();
        let handle = Handle::current();
        spawn_blocking(move || {
            let _place = place;
            let counts = match self.hand_on(begin) {
                Some(heard) => handle.block_on(self.take(&heard, UpstreamCounts { upstream: 1, ..Default::default() })),
                None => UpstreamCounts { failed: 1, ..UpstreamCounts::default() },
            };
            handle.block_on(self.count(counts));
        });
        // A thread that met a bug tells nothing.
        begun.await.unwrap_or(Err(UpstreamError::Broken)).map_err(Into::into)
    }

    /// Hands the upstream's answer on as it comes; what was heard of it, if there was one.
    fn hand_on(&self, begin: oneshot::Sender<std::result::Result<Passed, UpstreamError>>) -> Option<Transcript> {
        let told = |reply: &mut Reply, body| Passed {
            status: reply.status,
            headers: std::mem::take(&mut reply.headers),
            body,
        };
        let mut reply = match self.ask() {
            Ok(reply) => reply,
            Err(error) => {
                self.warn(&error);
                // The client may be gone.
                let _ = begin.send(Err(error));
                return None;
            }
        };
        if reply.is_stream() {
            let (give, pieces) = mpsc::channel(WAITING);
            let _ = begin.send(Ok(told(&mut reply, PassedBody::Stream(pieces))));
            let mut is_heard = true;
            let heard = listen(&mut reply, |piece| {
                is_heard = give.blocking_send(piece.to_vec()).is_ok();
                is_heard
            });
            // Who went away before the end got an answer.
            if heard.is_whole() || !is_heard {
                return Some(heard);
            }
            self.warn(&UpstreamError::Broken);
            let _ = give.blocking_send(BROKEN.as_bytes().to_vec());
            return None;
        }
        let mut passed = told(&mut reply, PassedBody::Whole(Vec::new()));
        match reply.whole() {
            Ok(bytes) => {
                let heard = (200..300).contains(&passed.status).then(|| Transcript::of(&bytes));
                passed.body = PassedBody::Whole(bytes);
                let _ = begin.send(Ok(passed));
                heard
            }
            Err(error) => {
                self.warn(&error);
                let _ = begin.send(Err(error));
                None
            }
        }
    }

    fn ask(&self) -> std::result::Result<Reply, UpstreamError> {
        let body = with_model(&self.body, &self.upstream.model).ok_or(UpstreamError::BadRequest)?;
        let key = self.upstream.key_env.as_ref().map(|name| match std::env::var(name) {
            Ok(key) if check_key(key.trim()) => Ok(key.trim().to_owned()),
            Ok(key) if !key.trim().is_empty() => Err(UpstreamError::BadKey(name.clone())),
            _ => Err(UpstreamError::NoKey(name.clone())),
        });
        let key = key.transpose()?;
        let timeout = Duration::from_secs(self.upstream.timeout_seconds.into());
        self.proxy.0.client.send(Target { url: &self.upstream.url, key: key.as_deref(), timeout }, &body)
    }

    fn warn(&self, error: &UpstreamError) {
        tracing::warn!(task = self.task.name, "failed to {}", graft_core::with_causes(error));
    }

    /// What an answer of the upstream adds to the counts, once it is recorded.
    async fn take(&self, heard: &Transcript, mut counts: UpstreamCounts) -> UpstreamCounts {
        counts.prompt_tokens += heard.usage().prompt;
        counts.answer_tokens += heard.usage().answer;
        let (Some(input), Some(answer)) = (&self.recorded, heard.answer()) else { return counts };
        match self.proxy.0.serving.engine().upstreams().record(&self.task, &self.upstream, input, answer).await {
            Ok(Recorded::Added) => counts.recorded += 1,
            Ok(Recorded::Known) => counts.known += 1,
            Ok(Recorded::Unfit) => counts.unfit += 1,
            Err(error) => {
                tracing::warn!(
                    task = self.task.name,
                    "an answer of the upstream is not recorded: failed to {}",
                    graft_core::with_causes(&error)
                );
            }
        }
        counts
    }

    async fn count(&self, counts: UpstreamCounts) {
        let day = now().div_euclid(86_400_000);
        if let Err(error) = self.proxy.0.serving.engine().store.count_upstream(&self.task.name, day, &counts).await {
            tracing::warn!(task = self.task.name, "failed to {}", graft_core::with_causes(&error));
        }
    }

    /// Counts an answer of Graft, and compares it with the upstream's for the share that is compared.
    async fn note_own(self, own: Own) {
        self.count(UpstreamCounts { graft: 1, ..UpstreamCounts::default() }).await;
        // Without a source of random numbers, none is compared.
        let drawn = getrandom::u32().map_or(1.0, |drawn| f64::from(drawn) / (f64::from(u32::MAX) + 1.0));
        if !is_compared(&self.upstream, drawn) {
            return;
        }
        // What is compared may wait for the next time.
        let Ok(place) = self.place() else { return };
        let handle = Handle::current();
        spawn_blocking(move || {
            let _place = place;
            let mut reply = match self.ask() {
                Ok(reply) if (200..300).contains(&reply.status) => reply,
                Ok(_) => return,
                Err(error) => return self.warn(&error),
            };
            let heard = match reply.is_stream() {
                true => listen(&mut reply, |_| true),
                false => reply.whole().map(|bytes| Transcript::of(&bytes)).unwrap_or_default(),
            };
            let mut counts = handle.block_on(self.take(&heard, UpstreamCounts::default()));
            if let Some(agreement) = heard.answer().and_then(|answer| own.agreement(&self.task, answer)) {
                (counts.compared, counts.agreement) = (1, agreement);
            }
            handle.block_on(self.count(counts));
        });
    }
}

impl Own {
    /// How much of an answer of the upstream is the same, by the task's scoring; nothing if it hasn't the task's form.
    fn agreement(&self, task: &Task, answer: &str) -> Option<f64> {
        let theirs = task.accept(&Value::from(bare(task, answer))).ok()?;
        Some(score::diff(self.by.card(), &self.by.definition().scoring, &theirs, &self.answer.written).score)
    }
}

/// Hears a stream to its end, or until `pass_on` says that nobody wants the next piece.
fn listen(reply: &mut Reply, mut pass_on: impl FnMut(&[u8]) -> bool) -> Transcript {
    let (mut heard, mut buffer) = (Transcript::default(), vec![0; PIECE]);
    // A stream that breaks off is not whole.
    while let Ok(count @ 1..) = reply.read(&mut buffer) {
        heard.take(&buffer[..count]);
        if !pass_on(&buffer[..count]) {
            break;
        }
    }
    heard
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn graft_answers_from_the_threshold_on() {
        let above = |answer_above| Upstream { answer_above, ..Upstream::new("https://host/v1", "m") };
        let sure: Vec<bool> = [0.0, 0.89, 0.9, 1.0].iter().map(|p| is_sure(&above(Some(0.9)), *p)).collect();
        assert_eq!(sure, [false, false, true, true]);
        assert!(
            !is_sure(&above(None), 1.0) && !is_sure(&above(Some(0.0)), f64::NAN) && is_sure(&above(Some(0.0)), 0.0)
        );
    }

    #[test]
    fn all_none_or_a_share_is_compared() {
        let share = |compare_share| Upstream { compare_share, ..Upstream::new("https://host/v1", "m") };
        assert!(!is_compared(&share(0.0), 0.0) && is_compared(&share(1.0), 0.999_999));
        assert!(is_compared(&share(0.1), 0.09) && !is_compared(&share(0.1), 0.1));
    }

    #[test]
    fn only_schemas_that_are_checked_completely_are_answered() {
        let asked = json!({"type": "object", "additionalProperties": false, "required": ["a"], "properties": {
            "a": {"type": ["string", "null"], "description": "A."}, "b": {"type": "array", "items": {"enum": [1, 2]}}}});
        assert!(is_checked(&asked));
        for other in [
            json!({"$ref": "#/$defs/a"}),
            json!({"properties": {"a": {"anyOf": []}}}),
            json!({"items": {"pattern": "x"}}),
            json!({"additionalProperties": {"type": "string"}}),
            json!(true),
        ] {
            assert!(!is_checked(&other), "{other}");
        }
    }
}
