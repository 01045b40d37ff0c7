use super::{Family, MOST, MOST_LAYERS};
use crate::{Error, json::Fields};

/// Sizes and constants of a decoder-only model.
#[derive(Clone, Debug, PartialEq)]
pub struct DecoderConfig {
    /// The family, which determines the structure of its blocks.
    pub family: Family,
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
    /// Width of one head.
    pub head_dim: usize,
    /// Rows of the token embedding.
    pub vocab: usize,
    /// Epsilon of RMSNorm.
    pub rms_eps: f32,
    /// Whether the output head is the token embedding.
    pub tie: bool,
    /// Longest sequence of its training, in tokens.
    pub max_positions: usize,
    /// The rotary embeddings of its layers: one, or two if windowed layers have their own.
    pub ropes: Vec<RopeConfig>,
    /// Differences between layers; one entry per layer.
    pub layer_kinds: Vec<LayerKind>,
    /// Factor on the attention scores.
    pub attention_scale: f32,
    /// Attention scores become `cap · tanh(score / cap)`.
    pub attention_cap: Option<f32>,
    /// Factor on the token embeddings.
    pub embedding_scale: f32,
    /// Factor on the outputs of attention and MLP.
    pub residual_scale: f32,
    /// Factor on the logits.
    pub logit_scale: f32,
    /// Logits become `cap · tanh(logit / cap)`.
    pub logit_cap: Option<f32>,
    /// Added to the stored weights of all norms.
    pub norm_offset: f32,
}

/// What differs between the layers of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerKind {
    /// Most tokens that a token attends to, including itself; `None` for all before it.
    pub window: Option<usize>,
    /// Index of its rotary embedding in `ropes`; `None` for a layer without positions.
    pub rope: Option<usize>,
}

/// A rotary embedding (RoPE, Su et al. 2021).
#[derive(Clone, Debug, PartialEq)]
pub struct RopeConfig {
    /// Base of the wavelengths.
    pub theta: f64,
    /// Number of rotated elements of a head; even.
    pub dim: usize,
    /// Scaling for longer contexts.
    pub scaling: RopeScaling,
    /// Factor on the rotated elements (LongRoPE).
    pub stretch: f32,
}

/// RoPE scaling for longer contexts.
#[derive(Clone, Debug, PartialEq)]
pub enum RopeScaling {
    /// None.
    None,
    /// All frequencies divided by one factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Low frequencies divided by a factor, high ones unchanged, those between interpolated (Llama 3.1).
    Llama3 {
        /// The factor.
        factor: f64,
        /// End of the low frequencies, as a fraction of the original context.
        low_freq_factor: f64,
        /// Start of the high frequencies.
        high_freq_factor: f64,
        /// Original context length.
        original_max_positions: usize,
    },
    /// Each frequency divided by its own factor (LongRoPE; also how GGUF stores Llama 3.1's scaling).
    Factors(Vec<f32>),
}

/// Defaults of fields that a family's configs omit.
struct Defaults {
    /// `rms_norm_eps`.
    eps: f64,
    /// `rope_theta`.
    theta: f64,
    /// `sliding_window`.
    window: Option<usize>,
}

impl Family {
    fn defaults(self) -> Defaults {
        let eps = if matches!(self, Self::Phi3 | Self::Olmo2) { 1e-5 } else { 1e-6 };
        let theta = match self {
            Self::Gemma3 => 1e6,
            Self::SmolLm3 => 2e6,
            _ => 1e4,
        };
        let window = matches!(self, Self::Mistral | Self::Qwen2 | Self::Qwen3 | Self::Gemma2 | Self::Gemma3);
        Defaults { eps, theta, window: window.then_some(4096) }
    }
}

impl DecoderConfig {
    pub(super) fn from_json(f: &Fields, family: Family) -> Result<Self, Error> {
        const DENSE: &str = "dense models of the same computation";
        let form = family.form();
        let (gate, act) = if form.gelu { ("hidden_activation", "gelu_pytorch_tanh") } else { ("hidden_act", "silu") };
        f.only(gate, act, DENSE)?;
        for other in ["attention_bias", "mlp_bias", "use_bidirectional_attention"] {
            f.only(other, false, DENSE)?;
        }
        if family != Family::Phi3 {
            f.only("partial_rotary_factor", 1.0, DENSE)?;
        }
        for experts in ["num_local_experts", "num_experts"] {
            f.only(experts, 1, DENSE)?;
        }
        let Defaults { eps, .. } = family.defaults();
        let hidden = f.need("hidden_size", f.count("hidden_size", MOST)?)?;
        let heads = f.need("num_attention_heads", f.count("num_attention_heads", MOST)?)?;
        let head_dim = match f.count("head_dim", MOST)? {
            Some(dim) => dim,
            // Their classes' own defaults; all configs of these families have the field.
            None if matches!(family, Family::Gemma2 | Family::Gemma3 | Family::Qwen3) => f.need("head_dim", None)?,
            None => hidden / heads,
        };
        let layers = f.need("num_hidden_layers", f.count("num_hidden_layers", MOST_LAYERS)?)?;
        let max_positions = f.count("max_position_embeddings", u32::MAX as usize)?.unwrap_or(2048);
        let factor = |name: &str| f.float(name).map(|x| x.map(|x| x as f32));
        let gemma = matches!(family, Family::Gemma2 | Family::Gemma3);
        let query_scalar = if gemma { factor("query_pre_attn_scalar")?.or(Some(256.0)) } else { None };
        let granite = |name: &str| if family == Family::Granite { factor(name) } else { Ok(None) };
        let cap = |name: &str| if gemma { factor(name) } else { Ok(None) };
        let mut config = Self {
            family,
            hidden,
            heads,
            head_dim,
            layers,
            intermediate: f.need("intermediate_size", f.count("intermediate_size", MOST)?)?,
            kv_heads: f.count("num_key_value_heads", MOST)?.unwrap_or(heads),
            vocab: f.need("vocab_size", f.count("vocab_size", u32::MAX as usize)?)?,
            rms_eps: f.float("rms_norm_eps")?.unwrap_or(eps) as f32,
            tie: f.bool("tie_word_embeddings")?.unwrap_or(form.tie),
            max_positions,
            ropes: Vec::new(),
            layer_kinds: Vec::new(),
            attention_scale: granite("attention_multiplier")?
                .unwrap_or_else(|| 1.0 / query_scalar.unwrap_or(head_dim as f32).sqrt()),
            attention_cap: cap("attn_logit_softcapping")?,
            embedding_scale: if gemma {
                (hidden as f64).sqrt() as f32
            } else {
                granite("embedding_multiplier")?.unwrap_or(1.0)
            },
            residual_scale: granite("residual_multiplier")?.unwrap_or(1.0),
            logit_scale: 1.0 / granite("logits_scaling")?.unwrap_or(1.0),
            logit_cap: cap("final_logit_softcapping")?,
            norm_offset: form.norm_offset,
        };
        config.ropes = ropes(f, &mut config)?;
        config.layer_kinds = layer_kinds(f, &config)?;
        config.check().map_err(|what| f.damaged(what))?;
        Ok(config)
    }

    /// Checks the constraints for every model, from any kind of file.
    pub(crate) fn check(&self) -> Result<(), String> {
        let Self { heads, kv_heads, head_dim, .. } = *self;
        if !heads.is_multiple_of(kv_heads) {
            return Err(format!("{heads} query heads can't be divided among {kv_heads} key heads"));
        }
        if head_dim == 0 || !head_dim.is_multiple_of(2) || heads.saturating_mul(head_dim) > MOST {
            return Err(format!("{heads} heads of width {head_dim} are not supported"));
        }
        if self.rms_eps < 0.0 {
            return Err("`rms_norm_eps` must be positive".into());
        }
        let factors = [self.attention_scale, self.embedding_scale, self.residual_scale, self.logit_scale];
        if factors.iter().any(|x| !x.is_finite() || *x == 0.0) {
            return Err("a factor of its config is zero or too large".into());
        }
        if [self.attention_cap, self.logit_cap].iter().flatten().any(|cap| *cap <= 0.0) {
            return Err("the caps of scores and logits must be positive".into());
        }
        let known = |kind: &LayerKind| kind.window != Some(0) && kind.rope.is_none_or(|rope| rope < self.ropes.len());
        if self.layer_kinds.len() != self.layers || !self.layer_kinds.iter().all(known) {
            return Err(format!("the descriptions of its layers don't fit {} layers", self.layers));
        }
        self.ropes.iter().try_for_each(|rope| rope.check(head_dim))
    }
}

impl RopeConfig {
    fn check(&self, head_dim: usize) -> Result<(), String> {
        if self.theta <= 0.0 {
            return Err("`rope_theta` must be positive".into());
        }
        if self.dim == 0 || !self.dim.is_multiple_of(2) || self.dim > head_dim {
            return Err(format!("{} rotary dimensions of a head of {head_dim} are not supported", self.dim));
        }
        match &self.scaling {
            RopeScaling::Factors(factors)
                if factors.len() != self.dim / 2 || factors.iter().any(|x| x.is_nan() || *x <= 0.0) =>
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

/// The model's rotary embeddings. LongRoPE's factors for short texts limit the context to the original length.
fn ropes(f: &Fields, config: &mut DecoderConfig) -> Result<Vec<RopeConfig>, Error> {
    // transformers 5 moved all rope fields into `rope_parameters`; some models have one per kind of layer.
    let own = match f.object("rope_scaling")? {
        Some(own) => Some(own),
        None => f.object("rope_parameters")?,
    };
    let of_kind = |kind: &str| own.as_ref().map_or(Ok(None), |own| own.object(kind));
    let (full, local) = (of_kind("full_attention")?, of_kind("sliding_attention")?);
    let full = full.or_else(|| own.filter(|own| own.get("sliding_attention").is_none()));
    let theta = config.family.defaults().theta;
    let mut ropes = vec![rope(f, full.as_ref(), config, f.float("rope_theta")?, theta)?];
    if config.family == Family::Gemma3 {
        ropes.push(rope(f, local.as_ref(), config, f.float("rope_local_base_freq")?, 1e4)?);
    }
    Ok(ropes)
}

fn rope(
    f: &Fields,
    own: Option<&Fields>,
    config: &mut DecoderConfig,
    outer_theta: Option<f64>,
    default_theta: f64,
) -> Result<RopeConfig, Error> {
    let float = |name: &str| own.map_or(Ok(None), |own| own.float(name));
    let theta = outer_theta.or(float("rope_theta")?).unwrap_or(default_theta);
    let part = f.float("partial_rotary_factor")?.or(float("partial_rotary_factor")?).unwrap_or(1.0);
    if !(0.0..=1.0).contains(&part) {
        return Err(f.damaged(format!("`partial_rotary_factor` is {part}")));
    }
    let dim = (config.head_dim as f64 * part) as usize;
    let (scaling, stretch) = match own {
        Some(own) => RopeScaling::from_json(own, f, config)?,
        None => (RopeScaling::None, 1.0),
    };
    Ok(RopeConfig { theta, dim, scaling, stretch })
}

/// From `layer_types`, or from the family's rule if an older config lacks it.
fn layer_kinds(f: &Fields, config: &DecoderConfig) -> Result<Vec<LayerKind>, Error> {
    let family = config.family;
    let window = match (f.has("sliding_window"), family) {
        (_, Family::Qwen2 | Family::Qwen3 | Family::SmolLm3) if f.bool("use_sliding_window")? != Some(true) => None,
        (_, Family::Llama | Family::Olmo2 | Family::Granite) => None,
        (true, _) => f.count("sliding_window", u32::MAX as usize)?,
        (false, _) => family.defaults().window,
    };
    let listed = f.texts("layer_types")?;
    let no_rope = f.ids("no_rope_layers")?;
    let interval = f.count("no_rope_layer_interval", MOST_LAYERS)?.unwrap_or(4);
    let pattern = match f.count("sliding_window_pattern", MOST_LAYERS)? {
        Some(pattern) => pattern,
        None => f.count("_sliding_window_pattern", MOST_LAYERS)?.unwrap_or(6),
    };
    let first_windowed = f.whole("max_window_layers")?;
    let kind = |layer: usize| {
        let rotary = match (family, no_rope.get(layer)) {
            (Family::SmolLm3, Some(own)) => *own != 0,
            (Family::SmolLm3, None) => !(layer + 1).is_multiple_of(interval),
            _ => true,
        };
        let windowed = match (listed.get(layer).copied(), family) {
            (Some("full_attention"), _) => false,
            (Some("sliding_attention"), _) => true,
            (Some(other), _) => return Err(f.unsupported("layer_types", other, "full and sliding attention")),
            (None, Family::Gemma2) => layer.is_multiple_of(2),
            (None, Family::Gemma3) => !(layer + 1).is_multiple_of(pattern),
            (None, Family::Qwen2 | Family::Qwen3) => layer >= first_windowed.unwrap_or(28),
            (None, Family::SmolLm3) => !rotary,
            (None, _) => true,
        };
        let local = usize::from(windowed && config.ropes.len() > 1);
        Ok(LayerKind { window: window.filter(|_| windowed), rope: rotary.then_some(local) })
    };
    (0..config.layers).map(kind).collect()
}

impl RopeScaling {
    /// The scaling, and the factor on the rotated elements.
    fn from_json(own: &Fields, f: &Fields, config: &mut DecoderConfig) -> Result<(Self, f32), Error> {
        let kind = match own.str("rope_type")? {
            Some(kind) => Some(kind),
            None => own.str("type")?,
        };
        let float = |name: &str| own.need(name, own.float(name)?);
        let original = "original_max_position_embeddings";
        let scaling = match kind {
            None | Some("default") => Self::None,
            Some("linear") => Self::Linear { factor: float("factor")? },
            Some("llama3") => Self::Llama3 {
                factor: float("factor")?,
                low_freq_factor: float("low_freq_factor")?,
                high_freq_factor: float("high_freq_factor")?,
                original_max_positions: own.need(original, own.count(original, u32::MAX as usize)?)?,
            },
            Some("longrope" | "su") => {
                let outer = f.count(original, u32::MAX as usize)?;
                let context = own.need(original, own.count(original, u32::MAX as usize)?.or(outer))?;
                let factor = own.float("factor")?.unwrap_or(config.max_positions as f64 / context as f64);
                let stretch = if factor > 1.0 { (1.0 + factor.ln() / (context as f64).ln()).sqrt() } else { 1.0 };
                config.max_positions = config.max_positions.min(context);
                let factors = own.floats("short_factor")?.into_iter().map(|x| x as f32).collect();
                return Ok((Self::Factors(factors), own.float("attention_factor")?.unwrap_or(stretch) as f32));
            }
            Some(other) => {
                return Err(f.unsupported("rope_type", other, "`default`, `linear`, `llama3` and `longrope`"));
            }
        };
        Ok((scaling, 1.0))
    }
}
