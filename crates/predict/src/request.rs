use std::{collections::BTreeMap, sync::Arc, time::Instant};

use graft_nn::Adapter;
use serde_json::Value;

use crate::{Confidence, Grounding, Guide, InputSpan, Result};

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

/// Which of the waiting requests is taken first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Before all others and beside the slots: for requests on which others wait.
    Urgent,
    /// In the order they came, clients in turn; counted against the queue's limit.
    #[default]
    Normal,
    /// When no other request waits: for many inputs at once. Not counted against the queue's limit.
    Background,
}

/// One answer to be written.
pub struct Request {
    /// Whose answer; `None` is the bare base model.
    pub adapter: Option<Arc<Adapter>>,
    /// Tokens that every prompt of this adapter and template starts with; they are read once for all. Empty for
    /// models with an encoder.
    pub shared: Arc<[u32]>,
    /// Tokens of the prompt after those; for models with an encoder, the source.
    pub prompt: Vec<u32>,
    /// What may be written.
    pub guide: Guide,
    /// What the input allows at the grounded places of the answer.
    pub grounding: Option<Arc<Grounding>>,
    /// Most tokens of the answer, fewer where the context ends.
    pub max_tokens: usize,
    /// `None` takes the likeliest token each time.
    pub sampling: Option<Sampling>,
    /// Tells answers of one seed apart.
    pub stream: u64,
    /// Texts before which the answer ends.
    pub stop: Vec<String>,
    /// Keep each token's probability and those of so many likelier ones.
    pub top: Option<usize>,
    /// Which of the waiting requests is taken first.
    pub priority: Priority,
    /// Who asks: clients take turns, so that many requests of one don't hold up the few of another. Empty where nobody
    /// tells them apart.
    pub client: Arc<str>,
    /// Given up at this time.
    pub deadline: Option<Instant>,
    /// Hears how it goes.
    pub tell: Tell,
}

/// Hears of an answer at each step of the batch; `false` says that nobody wants it any longer.
pub type Tell = Box<dyn FnMut(Update) -> bool + Send>;

/// How an answer goes.
#[derive(Debug)]
pub enum Update {
    /// Nothing new: it waits, or its prompt is being read.
    Waiting,
    /// More of it is written.
    Written(Piece),
    /// It is complete, or failed. Nothing follows.
    Done(Result<Box<Completion>>),
}

/// A piece of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Its text; whole characters. May be empty.
    pub text: String,
    /// Its tokens, if they were asked for.
    pub tokens: Vec<TokenInfo>,
}

/// A token with its probability among those that could stand there.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenInfo {
    /// The bytes it adds.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability; 0 where nothing else could stand.
    pub log_prob: f64,
    /// The likeliest tokens there, from the likeliest down.
    pub top: Vec<(Vec<u8>, f64)>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The model ended it.
    Whole,
    /// One of the texts that end it came.
    Stop,
    /// It has as many tokens as were allowed.
    Length,
}

/// A finished answer.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The answer; it follows the task's form.
    pub answer: Value,
    /// The model's own probabilities, before calibration.
    pub confidence: Confidence,
    /// Where its grounded values stand in the input, by path.
    pub spans: BTreeMap<String, InputSpan>,
    /// Whether the model ended the answer itself; otherwise it was cut at the limit and its rest filled in.
    pub valid: bool,
    /// Tokens of the prompt.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub answer_tokens: usize,
    /// Its wire text.
    pub text: String,
    /// Why it ended.
    pub end: End,
    /// What of the text no [`Update::Written`] said.
    pub rest: Piece,
    /// Seconds in the queue.
    pub waited: f64,
    /// Seconds from there to the end.
    pub seconds: f64,
}
