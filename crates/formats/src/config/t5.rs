use super::{MOST, MOST_LAYERS};
use crate::{Error, json::Fields};

/// Sizes and constants of a T5 model.
#[derive(Clone, Debug, PartialEq)]
pub struct T5Config {
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of one head.
    pub d_kv: usize,
    /// Width of the feed-forward layer.
    pub d_ff: usize,
    /// Encoder blocks.
    pub layers: usize,
    /// Decoder blocks.
    pub decoder_layers: usize,
    /// Heads, in encoder and decoder.
    pub heads: usize,
    /// Relative-position buckets; even.
    pub buckets: usize,
    /// Distances from here on share the last bucket.
    pub max_distance: usize,
    /// Added to the mean square in the layer norm (which is an RMSNorm).
    pub eps: f32,
    /// Whether the feed-forward layer is gated (`wi_0`, `wi_1`) or plain (`wi`).
    pub gated: bool,
    /// Its activation.
    pub activation: Activation,
    /// Whether the output head is the shared embedding; if so, its input is scaled by `d_model^-0.5`.
    pub tie: bool,
    /// First token of every decoder input.
    pub decoder_start: u32,
    /// Rows of the shared embedding.
    pub vocab: usize,
}

/// Activation of T5's feed-forward layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `max(0, x)` (T5 v1.0).
    Relu,
    /// GELU by its tanh approximation (T5 v1.1, flan-t5).
    GeluNew,
}

impl T5Config {
    pub(super) fn from_json(f: &Fields) -> Result<Self, Error> {
        const FORWARD: &str = "`relu` and `gated-gelu`";
        let size = |name: &str| f.need(name, f.count(name, MOST)?);
        let (gated, activation) = match f.str("feed_forward_proj")?.unwrap_or("relu") {
            "relu" => (false, Activation::Relu),
            "gelu_new" => (false, Activation::GeluNew),
            "gated-relu" => (true, Activation::Relu),
            "gated-gelu" | "gated-gelu_new" => (true, Activation::GeluNew),
            other => return Err(f.unsupported("feed_forward_proj", other, FORWARD)),
        };
        let layers = f.need("num_layers", f.count("num_layers", MOST_LAYERS)?)?;
        let start = match f.ids("decoder_start_token_id")?.first() {
            Some(id) => Some(*id),
            None => f.ids("pad_token_id")?.first().copied(),
        };
        let config = Self {
            d_model: size("d_model")?,
            d_kv: size("d_kv")?,
            d_ff: size("d_ff")?,
            layers,
            decoder_layers: f.count("num_decoder_layers", MOST_LAYERS)?.unwrap_or(layers),
            heads: size("num_heads")?,
            buckets: f.count("relative_attention_num_buckets", MOST)?.unwrap_or(32),
            max_distance: f.count("relative_attention_max_distance", MOST)?.unwrap_or(128),
            eps: f.float("layer_norm_epsilon")?.unwrap_or(1e-6) as f32,
            gated,
            activation,
            tie: f.bool("tie_word_embeddings")?.unwrap_or(true),
            decoder_start: f.need("decoder_start_token_id", start)?,
            vocab: f.need("vocab_size", f.count("vocab_size", u32::MAX as usize)?)?,
        };
        config.check().map_err(|what| f.damaged(what))?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let Self { buckets, max_distance, .. } = *self;
        if self.heads.saturating_mul(self.d_kv) > MOST {
            return Err(format!("{} heads of width {} are too large", self.heads, self.d_kv));
        }
        // Each half of the bidirectional buckets needs an exact and a logarithmic part.
        if !buckets.is_multiple_of(4) || max_distance <= buckets / 2 {
            return Err(format!("{buckets} position buckets can't cover a distance of {max_distance}"));
        }
        if self.eps < 0.0 || self.decoder_start as usize >= self.vocab {
            return Err("`layer_norm_epsilon` or `decoder_start_token_id` is out of range".into());
        }
        Ok(())
    }
}
