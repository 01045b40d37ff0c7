//! A task's answers from a model: how an answer is written, what the model may write next, and how far to trust it.
//!
//! - [`Codec`] turns an answer into the short text that the model reads and writes, and back.
//! - [`Vocabulary`] and [`Guide`] keep a model within the answer's form; a [`Walk`] is one answer being written.
//! - [`Grounding`] keeps strings within the words of the input.
//! - [`Confidence`] turns token probabilities into one number per field and per answer.
//! - [`Template`] is a task's prompt and answer form on a model; it makes a [`Request`] of an input.
//! - [`Batcher`] writes many answers at once, of several adapters on one model; [`Service`] runs one on its own thread.
//! - [`Calibration`] makes those numbers mean what they say.

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
pub use prompt_cache::PromptCache;
pub use request::{Completion, End, Piece, Priority, Request, Sampling, Tell, TokenInfo, Update};
pub use service::{Service, Status, leave_devices};
pub use template::Template;
pub use vocabulary::{TokenMask, Vocabulary};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
