//! Answers of a task from a language model: their wire form, constrained decoding, batching, and confidence.
//!
//! - [`Codec`] encodes an answer into the short text that the model generates, and decodes it.
//! - [`Vocabulary`] and [`Guide`] restrict decoding to the answer form; a [`Walk`] is one answer being decoded.
//! - [`Grounding`] restricts strings to words of the input.
//! - [`LabelBias`] makes labels more or less likely.
//! - [`Confidence`] combines token probabilities into one number per field and per answer.
//! - [`Template`] is a task's prompt and answer form on a model; it makes a [`Request`] from an input.
//! - [`Batcher`] decodes many answers at once, for several adapters on one model; [`Service`] runs one on its own
//!   thread.
//! - [`Calibration`] maps confidences to probabilities of being correct.

mod batcher;
mod calibrate;
mod candidates;
mod chat;
mod codec;
mod confidence;
mod device;
mod error;
mod grounding;
mod guide;
mod label_bias;
mod pace;
mod prompt_cache;
mod request;
mod service;
mod slot;
mod template;
mod vocabulary;

pub use batcher::{Batcher, Limits};
pub use calibrate::{Bin, Calibration, Method, Reliability};
pub use candidates::Candidates;
pub use chat::ChatPrompter;
pub use codec::{Codec, FROM_RULES, FieldSpan, GROUNDED, WIRE_VERSION};
pub use confidence::{Confidence, TokenScore};
pub use error::Error;
pub use grounding::{Found, Grounding, InputSpan, find_in, spans_of, typos_apart};
pub use guide::{Finished, Guide, Walk};
pub use label_bias::LabelBias;
pub use prompt_cache::PromptCache;
pub use request::{Adjustments, Completion, End, Piece, Priority, Request, Sampling, Tell, TokenInfo, Update};
pub use service::{Service, Status, leave_devices};
pub use template::Template;
pub use vocabulary::{TokenMask, Vocabulary};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
