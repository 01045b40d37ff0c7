//! The numbers that decide a model's shapes and arithmetic, under the names of Hugging Face's configs.

mod llama;
mod t5;

pub use llama::{LlamaConfig, RopeScaling};
pub use t5::{Activation, T5Config};

use crate::{Error, json::Fields};

/// Maximum dimension: larger than any real one, and small enough that a product of three fits in a `usize`.
pub(crate) const MOST: usize = 1 << 20;
/// Maximum number of layers: more than any real model has.
pub(crate) const MOST_LAYERS: usize = 4096;

/// The architecture of a model and its sizes.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelConfig {
    /// Decoder only (Touvron et al. 2023).
    Llama(LlamaConfig),
    /// Encoder and decoder (Raffel et al. 2020).
    T5(T5Config),
}

impl ModelConfig {
    /// Whether an encoder reads the prompt, as in T5.
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        matches!(self, Self::T5(_))
    }

    /// Reads a Hugging Face `config.json`.
    pub(crate) fn from_json(fields: &Fields) -> Result<Self, Error> {
        const TYPES: &str = "`llama` and `t5`";
        fields.only("quantization_config", serde_json::Value::Null, "weights in F32, F16 or BF16, or a GGUF file")?;
        match fields.str("model_type")? {
            Some("llama") => Ok(Self::Llama(LlamaConfig::from_json(fields)?)),
            Some("t5") => Ok(Self::T5(T5Config::from_json(fields)?)),
            Some(other) => Err(fields.unsupported("model_type", other, TYPES)),
            None => Err(fields.unsupported("model_type", "missing", TYPES)),
        }
    }

    /// Number of rows of the token embedding.
    #[must_use]
    pub fn vocab(&self) -> usize {
        match self {
            Self::Llama(c) => c.vocab,
            Self::T5(c) => c.vocab,
        }
    }

    /// Width of the residual stream.
    #[must_use]
    pub fn hidden(&self) -> usize {
        match self {
            Self::Llama(c) => c.hidden,
            Self::T5(c) => c.d_model,
        }
    }
}
