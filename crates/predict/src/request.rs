use std::{collections::BTreeMap, sync::Arc, time::Instant};

use graft_nn::Adapter;
use serde_json::Value;

use crate::{Confidence, Error, Grounding, Guide, InputSpan, LabelBias, Result, Vocabulary};

/// Random sampling of tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Divides the logits; larger values give more random output.
    pub temperature: f32,
    /// Sample among the most likely tokens that together have this probability (nucleus sampling, Holtzman et al.
    /// 2020).
    pub top_p: f32,
    /// The same seed gives the same answers.
    pub seed: u64,
}

/// What is added to the logits before a token is chosen. The reported probabilities stay the model's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Adjustments {
    /// Subtracted from a token's logit each time that the token occurs in the answer.
    pub frequency_penalty: f32,
    /// Subtracted once from the logit of each token that occurs in the answer.
    pub presence_penalty: f32,
    /// Added to the logits of these tokens.
    pub bias: BTreeMap<u32, f32>,
}

impl Adjustments {
    /// Whether all logits stay as they are.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Checks that all tokens with a bias exist.
    ///
    /// # Errors
    /// [`Error::BiasedToken`].
    pub fn check(&self, vocabulary: &Vocabulary) -> Result<()> {
        let size = vocabulary.size();
        // The last key is the largest.
        match self.bias.keys().next_back() {
            Some(&token) if token as usize >= size => Err(Error::BiasedToken { token, size }),
            _ => Ok(()),
        }
    }
}

/// Order of waiting requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Before all others and beyond the number of slots: for requests on which others wait.
    Urgent,
    /// In order of arrival, with clients in turn; limited by the length of the queue.
    #[default]
    Normal,
    /// Only when no other request waits, for bulk work. Not limited by the length of the queue.
    Background,
}

/// One answer to generate.
pub struct Request {
    /// The adapter; `None` for the base model alone.
    pub adapter: Option<Arc<Adapter>>,
    /// Tokens that all prompts of this adapter and template start with; computed once. Empty for models with an
    /// encoder.
    pub shared: Arc<[u32]>,
    /// The remaining tokens of the prompt; for models with an encoder, the source.
    pub prompt: Vec<u32>,
    /// The constraint for decoding.
    pub guide: Guide,
    /// What the input allows at the grounded positions of the answer.
    pub grounding: Option<Arc<Grounding>>,
    /// Biases of the labels; the reported probabilities contain them.
    pub label_bias: Option<Arc<LabelBias>>,
    /// Most tokens of the answer; fewer if the context ends.
    pub max_tokens: usize,
    /// Sampling options; `None` for greedy decoding.
    pub sampling: Option<Sampling>,
    /// Changes of the logits, for greedy decoding too.
    pub adjustments: Adjustments,
    /// Makes the answers of one seed independent.
    pub stream: u64,
    /// Texts at which the answer ends.
    pub stop: Vec<String>,
    /// Report each token's probability and those of this many most likely ones.
    pub top: Option<usize>,
    /// Order among waiting requests.
    pub priority: Priority,
    /// The client. Clients take turns, so that many requests of one don't delay the few of another. Empty if clients
    /// are not distinguished.
    pub client: Arc<str>,
    /// The request is cancelled at this time.
    pub deadline: Option<Instant>,
    /// Called with progress.
    pub tell: Tell,
}

/// Called at each step of the batch; returns `false` if the answer is no longer wanted.
pub type Tell = Box<dyn FnMut(Update) -> bool + Send>;

/// Progress of an answer.
#[derive(Debug)]
pub enum Update {
    /// Nothing new: it waits, or its prompt is being read.
    Waiting,
    /// A new piece of text.
    Written(Piece),
    /// It is complete, or failed. The last update.
    Done(Result<Box<Completion>>),
}

/// A piece of an answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Piece {
    /// Its text, in whole characters; may be empty.
    pub text: String,
    /// Its tokens, if requested.
    pub tokens: Vec<TokenInfo>,
}

/// A token with its probability among the allowed ones.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenInfo {
    /// The bytes it adds to the text.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability; 0 if it was the only allowed token.
    pub log_prob: f64,
    /// The most likely tokens there, in descending order.
    pub top: Vec<(Vec<u8>, f64)>,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The model ended it.
    Whole,
    /// A stop text was generated.
    Stop,
    /// It reached the token limit.
    Length,
}

/// A finished answer.
#[derive(Clone, Debug)]
pub struct Completion {
    /// The answer; it follows the task's form.
    pub answer: Value,
    /// The model's own probabilities, before calibration.
    pub confidence: Confidence,
    /// Mean natural logarithm of the probabilities of its tokens.
    pub log_prob: f64,
    /// Where its grounded values occur in the input, by path.
    pub spans: BTreeMap<String, InputSpan>,
    /// Whether the model ended the answer itself. Otherwise it was truncated at the limit and its rest filled in.
    pub valid: bool,
    /// Number of prompt tokens.
    pub prompt_tokens: usize,
    /// Number of answer tokens.
    pub answer_tokens: usize,
    /// Its wire text.
    pub text: String,
    /// Why it ended.
    pub end: End,
    /// The part of the text that no [`Update::Written`] contained.
    pub rest: Piece,
    /// Seconds in the queue.
    pub waited: f64,
    /// Seconds from the start to the end.
    pub seconds: f64,
}
