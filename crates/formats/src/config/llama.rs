use super::{MOST, MOST_LAYERS};
use crate::{Error, json::Fields};

/// Sizes and constants of a Llama model.
#[derive(Clone, Debug, PartialEq)]
pub struct LlamaConfig {
    /// Width of the residual stream.
    pub hidden: usize,
    /// Width of the gated MLP.
    pub intermediate: usize,
    /// Blocks.
    pub layers: usize,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads; divides `heads`.
    pub kv_heads: usize,
    /// Width of one head; even.
    pub head_dim: usize,
    /// Rows of the token embedding.
    pub vocab: usize,
    /// Epsilon of RMSNorm.
    pub rms_eps: f32,
    /// Base of the rotary embedding's wavelengths.
    pub rope_theta: f64,
    /// RoPE scaling.
    pub rope_scaling: RopeScaling,
    /// Whether the output head is the token embedding.
    pub tie: bool,
    /// Longest sequence it was made for, in tokens.
    pub max_positions: usize,
}

/// RoPE scaling for longer contexts.
#[derive(Clone, Debug, PartialEq)]
pub enum RopeScaling {
    /// None.
    None,
    /// All divided by one factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Low frequencies divided by a factor, high ones kept, those between blended (Llama 3.1).
    Llama3 {
        /// The factor.
        factor: f64,
        /// Where low frequencies end, as a fraction of the original context.
        low_freq_factor: f64,
        /// Where high frequencies begin.
        high_freq_factor: f64,
        /// Context before the change.
        original_max_positions: usize,
    },
    /// Each of the `head_dim / 2` frequencies divided by its own factor (how GGUF stores Llama 3.1's).
    Factors(Vec<f32>),
}

impl LlamaConfig {
    pub(super) fn from_json(f: &Fields) -> Result<Self, Error> {
        const DENSE: &str = "Llama 2, 3 and models of the same computation";
        f.only("hidden_act", "silu", DENSE)?;
        f.only("attention_bias", false, DENSE)?;
        f.only("mlp_bias", false, DENSE)?;
        f.only("partial_rotary_factor", 1.0, DENSE)?;
        for experts in ["num_local_experts", "num_experts"] {
            f.only(experts, 1, DENSE)?;
        }
        let hidden = f.need("hidden_size", f.count("hidden_size", MOST)?)?;
        let heads = f.need("num_attention_heads", f.count("num_attention_heads", MOST)?)?;
        // transformers 5 moved both rope fields into `rope_parameters`.
        let rope = match f.object("rope_scaling")? {
            Some(rope) => Some(rope),
            None => f.object("rope_parameters")?,
        };
        let theta_within = rope.as_ref().map_or(Ok(None), |rope| rope.float("rope_theta"))?;
        let config = Self {
            hidden,
            heads,
            intermediate: f.need("intermediate_size", f.count("intermediate_size", MOST)?)?,
            layers: f.need("num_hidden_layers", f.count("num_hidden_layers", MOST_LAYERS)?)?,
            kv_heads: f.count("num_key_value_heads", MOST)?.unwrap_or(heads),
            head_dim: f.count("head_dim", MOST)?.unwrap_or(hidden / heads),
            vocab: f.need("vocab_size", f.count("vocab_size", u32::MAX as usize)?)?,
            rms_eps: f.float("rms_norm_eps")?.unwrap_or(1e-6) as f32,
            rope_theta: f.float("rope_theta")?.or(theta_within).unwrap_or(10_000.0),
            rope_scaling: rope.map_or(Ok(RopeScaling::None), |rope| RopeScaling::from_json(&rope))?,
            tie: f.bool("tie_word_embeddings")?.unwrap_or(false),
            max_positions: f.count("max_position_embeddings", u32::MAX as usize)?.unwrap_or(2048),
        };
        config.check().map_err(|what| f.damaged(what))?;
        Ok(config)
    }

    /// What every Llama must satisfy, whatever file it comes from.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { heads, kv_heads, head_dim, .. } = *self;
        if !heads.is_multiple_of(kv_heads) {
            return Err(format!("{heads} query heads can't share {kv_heads} key heads"));
        }
        if head_dim == 0 || !head_dim.is_multiple_of(2) || heads.saturating_mul(head_dim) > MOST {
            return Err(format!("{heads} heads of width {head_dim} can't be"));
        }
        if self.rms_eps < 0.0 || self.rope_theta <= 0.0 {
            return Err("`rms_norm_eps` and `rope_theta` must be positive".into());
        }
        match &self.rope_scaling {
            RopeScaling::Factors(factors)
                if factors.len() != head_dim / 2 || factors.iter().any(|x| x.is_nan() || *x <= 0.0) =>
            {
                Err("the rope factors don't fit the heads".into())
            }
            RopeScaling::Linear { factor } | RopeScaling::Llama3 { factor, .. } if *factor <= 0.0 => {
                Err("the rope factor must be positive".into())
            }
            RopeScaling::Llama3 { low_freq_factor: low, high_freq_factor: high, .. } if !(*low > 0.0 && high > low) => {
                Err("`low_freq_factor` must be positive and below `high_freq_factor`".into())
            }
            _ => Ok(()),
        }
    }
}

impl RopeScaling {
    fn from_json(f: &Fields) -> Result<Self, Error> {
        let kind = match f.str("rope_type")? {
            Some(kind) => Some(kind),
            None => f.str("type")?,
        };
        let float = |name: &str| f.need(name, f.float(name)?);
        match kind {
            None | Some("default") => Ok(Self::None),
            Some("linear") => Ok(Self::Linear { factor: float("factor")? }),
            Some("llama3") => Ok(Self::Llama3 {
                factor: float("factor")?,
                low_freq_factor: float("low_freq_factor")?,
                high_freq_factor: float("high_freq_factor")?,
                original_max_positions: f.need(
                    "original_max_position_embeddings",
                    f.count("original_max_position_embeddings", u32::MAX as usize)?,
                )?,
            }),
            Some(other) => Err(f.unsupported("rope_type", other, "`default`, `linear` and `llama3`")),
        }
    }
}
