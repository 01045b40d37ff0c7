//! The numbers that determine a model's shapes and arithmetic, under the names of Hugging Face's configs.

mod decoder;
mod family;
mod t5;

pub use decoder::{DecoderConfig, LayerKind, RopeConfig, RopeScaling};
pub(crate) use family::ARCHITECTURES;
pub use family::{Family, Form, Norms, QkNorm};
pub use t5::{Activation, T5Config};

use self::family::MODEL_TYPES;
use crate::{Error, json::Fields};

/// Maximum dimension: larger than any real one, and small enough that a product of three fits in a `usize`.
pub(crate) const MOST: usize = 1 << 20;
/// Maximum number of layers: more than any real model has.
pub(crate) const MOST_LAYERS: usize = 4096;

/// The architecture of a model and its sizes.
#[derive(Clone, Debug, PartialEq)]
pub enum ModelConfig {
    /// A decoder-only model of one of several families.
    Decoder(DecoderConfig),
    /// Encoder and decoder (Raffel et al. 2020).
    T5(T5Config),
}

impl ModelConfig {
    /// Whether the model has an encoder that reads the prompt, as in T5.
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        matches!(self, Self::T5(_))
    }

    /// Reads a Hugging Face `config.json`.
    pub(crate) fn from_json(fields: &Fields) -> Result<Self, Error> {
        fields.only("quantization_config", serde_json::Value::Null, "weights in F32, F16 or BF16, or a GGUF file")?;
        match fields.str("model_type")? {
            Some("t5") => Ok(Self::T5(T5Config::from_json(fields)?)),
            other => {
                let other = other.unwrap_or("missing");
                let unknown = || fields.unsupported("model_type", other, MODEL_TYPES);
                let family = Family::of_model_type(other).ok_or_else(unknown)?;
                Ok(Self::Decoder(DecoderConfig::from_json(fields, family)?))
            }
        }
    }

    /// Number of rows of the token embedding.
    #[must_use]
    pub fn vocab(&self) -> usize {
        match self {
            Self::Decoder(c) => c.vocab,
            Self::T5(c) => c.vocab,
        }
    }

    /// Width of the residual stream.
    #[must_use]
    pub fn hidden(&self) -> usize {
        match self {
            Self::Decoder(c) => c.hidden,
            Self::T5(c) => c.d_model,
        }
    }
}
