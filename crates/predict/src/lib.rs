//! A task's answers from a model: how an answer is written, what the model may write next, and how far to trust it.
//!
//! - [`Codec`] turns an answer into the short text that the model reads and writes, and back.
//! - [`Vocabulary`] and [`Guide`] keep a model within the answer's form; a [`Walk`] is one answer being written.
//! - [`Confidence`] turns token probabilities into one number per field and per answer.
//! - [`Predictor`] does all of it for one task on one model.
//! - [`Calibration`] makes those numbers mean what they say.

mod calibrate;
mod codec;
mod confidence;
mod error;
mod guide;
mod predictor;
mod vocabulary;

pub use calibrate::{Bin, Calibration, Method, Reliability};
pub use codec::{Codec, FieldSpan, WIRE_VERSION};
pub use confidence::{Confidence, TokenScore};
pub use error::Error;
pub use guide::{Finished, Guide, Walk};
pub use predictor::{Decoding, Prediction, Predictor, Sampling};
pub use vocabulary::{TokenMask, Vocabulary};

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
