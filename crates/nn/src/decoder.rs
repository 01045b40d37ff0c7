//! Decoder-only models of all families of [`graft_formats::Family`], which describes each and names its paper: RMSNorm,
//! grouped-query attention with rotary positions, a gated MLP. Shapes: one row per token; `q (tokens, heads·dim)`, `k`,
//! `v (tokens, kv_heads·dim)`.

use std::rc::Rc;

use graft_formats::{DecoderConfig, LayerKind, Norms, QkNorm, RopeConfig, RopeScaling, Tensors};
use graft_ops::{Activation, AttentionLayer, Cpu, Device, Heads, Inference, Rope, Tape, Tensor};

use crate::{
    Error, TargetModule,
    adapter::Adapt,
    cache::{Attend, NewRows},
    linear::{Linear, Loader},
    model::load,
};

/// The frozen weights of a decoder-only model.
#[derive(Debug)]
pub struct Decoder<D: Device = Cpu> {
    pub(crate) device: D,
    pub(crate) config: DecoderConfig,
    modules: Vec<TargetModule>,
    embedding: D::Weight,
    blocks: Vec<Block<D>>,
    norm: D::Vector,
    head: Option<D::Weight>,
    /// One entry per rotary embedding of the config.
    inverse_frequencies: Vec<Vec<f32>>,
}

/// Norms of the same width, before and after attention or MLP.
#[derive(Debug)]
struct Around<D: Device> {
    before: Option<D::Vector>,
    after: Option<D::Vector>,
}

#[derive(Debug)]
struct Block<D: Device = Cpu> {
    kind: LayerKind,
    attention_norms: Around<D>,
    q: Linear<D>,
    k: Linear<D>,
    v: Linear<D>,
    o: Linear<D>,
    /// Norms of queries and keys: of each head, or of all together.
    qk_norms: Option<[D::Vector; 2]>,
    mlp_norms: Around<D>,
    gate: Linear<D>,
    up: Linear<D>,
    down: Linear<D>,
}

/// Layout of the rows that are computed together.
pub(crate) struct Rows<D: Device = Cpu> {
    pub(crate) ranges: Rc<D::Ranges>,
    /// One entry per rotary embedding of the config.
    pub(crate) angles: Rc<[Rc<D::Angles>]>,
    /// Rows whose hidden state the caller reads.
    pub(crate) wanted: Rc<D::Indices>,
}

impl Decoder {
    pub(crate) fn load(config: &DecoderConfig, tensors: &Tensors) -> Result<Self, Error> {
        let c = config.clone();
        let embedding = load::matrix(tensors, "model.embed_tokens.weight", c.vocab, c.hidden)?;
        let mut loader = Loader::new(tensors);
        let blocks = (0..c.layers).map(|layer| Block::load(&c, &mut loader, layer)).collect::<Result<_, _>>()?;
        let norm = norm(&c, tensors, "model.norm.weight", c.hidden)?;
        let head = (!c.tie).then(|| load::matrix(tensors, "lm_head.weight", c.vocab, c.hidden)).transpose()?;
        let inverse_frequencies = c.ropes.iter().map(inverse_frequencies).collect();
        let modules = loader.modules;
        Ok(Self { device: Cpu::F32, config: c, modules, embedding, blocks, norm, head, inverse_frequencies })
    }

    /// Copies the model to a device.
    pub(crate) fn upload<E: Device>(&self, device: &E) -> Decoder<E> {
        Decoder {
            device: device.clone(),
            config: self.config.clone(),
            modules: self.modules.clone(),
            embedding: device.weight(&self.embedding),
            blocks: self.blocks.iter().map(|block| block.upload(device)).collect(),
            norm: device.vector(&self.norm),
            head: self.head.as_ref().map(|head| device.weight(head)),
            inverse_frequencies: self.inverse_frequencies.clone(),
        }
    }
}

impl<D: Inference> Decoder<D> {
    /// An empty cache for `rows` tokens.
    pub(crate) fn cache(&self, rows: usize) -> D::Cache {
        self.device.cache(self.blocks.len(), rows, self.config.kv_heads * self.config.head_dim)
    }
}

impl<D: Device> Decoder<D> {
    pub(crate) fn target_modules(&self) -> &[TargetModule] {
        &self.modules
    }

    pub(crate) fn embedding(&self) -> &D::Weight {
        &self.embedding
    }

    /// All linear layers that are target modules, or parts of one.
    pub(crate) fn linears(&self) -> impl Iterator<Item = &Linear<D>> {
        self.blocks.iter().flat_map(|b| [&b.q, &b.k, &b.v, &b.o, &b.gate, &b.up, &b.down])
    }

    pub(crate) fn head(&self) -> &D::Weight {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    pub(crate) fn angles(&self, positions: &[u32]) -> Rc<[Rc<D::Angles>]> {
        let of = |(rope, inverse): (&RopeConfig, &Vec<f32>)| {
            let angles = Rope::new(inverse, positions);
            self.device.angles(if rope.stretch == 1.0 { angles } else { angles.stretched(rope.stretch) })
        };
        self.config.ropes.iter().zip(&self.inverse_frequencies).map(of).collect()
    }

    /// Embeddings of tokens, with the soft prompt (if there is one) written over the rows at `places`.
    pub(crate) fn embed<'a>(
        &self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        tokens: &[u32],
        places: Option<Rc<[usize]>>,
    ) -> Tensor<D> {
        let mut x = adapters.gather(&self.device, &self.embedding, tokens);
        let factor = self.config.embedding_scale;
        if self.config.family.form().scales_prompt {
            let x = adapters.place(tape, x, places);
            return scaled(tape, x, factor);
        }
        if factor != 1.0 {
            self.device.scale(&mut x, factor);
        }
        adapters.place(tape, x, places)
    }

    /// Hidden states (wanted, hidden) after the final norm.
    pub(crate) fn forward<'a>(
        &'a self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D> + 'a,
        mut x: Tensor<D>,
        rows: &Rows<D>,
        memory: &mut impl Attend<D>,
        recompute: bool,
    ) -> Tensor<D> {
        let last = self.blocks.len() - 1;
        for layer in 0..self.blocks.len() {
            let (ranges, angles) = (Rc::clone(&rows.ranges), Rc::clone(&rows.angles));
            let wanted = (layer == last).then(|| Rc::clone(&rows.wanted));
            x = if recompute && tape.recording() {
                tape.recomputed(&x, move |tape, x| {
                    self.block(tape, adapters, layer, x, &ranges, &angles, wanted.clone(), &mut NewRows)
                })
            } else {
                self.block(tape, adapters, layer, &x, &ranges, &angles, wanted, memory)
            };
        }
        tape.rms_norm(&x, &self.norm, self.config.rms_eps)
    }

    #[expect(clippy::too_many_arguments, reason = "a block needs the layout, the adapters and the cache")]
    fn block<'a>(
        &'a self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        layer: usize,
        x: &Tensor<D>,
        ranges: &Rc<D::Ranges>,
        angles: &[Rc<D::Angles>],
        wanted: Option<Rc<D::Indices>>,
        memory: &mut impl Attend<D>,
    ) -> Tensor<D> {
        let (c, block) = (&self.config, &self.blocks[layer]);
        let heads = Heads { heads: c.heads, kv_heads: c.kv_heads, dim: c.head_dim, scale: c.attention_scale };

        let normed = self.normed(tape, x, block.attention_norms.before.as_ref());
        let [q, k, v] = adapters.linears(tape, &normed, [&block.q, &block.k, &block.v]);
        drop(normed);
        let (q, k) = match &block.qk_norms {
            Some([of_q, of_k]) => (tape.rms_norm(&q, of_q, c.rms_eps), tape.rms_norm(&k, of_k, c.rms_eps)),
            None => (q, k),
        };
        let (q, k) = match block.kind.rope {
            Some(rope) => (tape.rope(q, &angles[rope], c.heads), tape.rope(k, &angles[rope], c.kv_heads)),
            None => (q, k),
        };
        let (ranges, window, cap) = (Rc::clone(ranges), block.kind.window, c.attention_cap);
        let mixed = memory.attend(tape, layer, [&q, &k, &v], AttentionLayer { heads, ranges, bias: None, window, cap });
        drop((q, k, v));
        // After the last attention no row depends on another, so the rest of the last block computes only the wanted
        // rows.
        let (x, mixed, adapters) = match wanted {
            Some(rows) => (tape.select(x, Rc::clone(&rows)), tape.select(&mixed, rows), adapters.of_wanted()),
            None => (x.clone(), mixed, adapters),
        };
        let attended = adapters.linear(tape, &mixed, &block.o);
        drop(mixed);
        let x = self.added(tape, &x, attended, block.attention_norms.after.as_ref());
        let normed = self.normed(tape, &x, block.mlp_norms.before.as_ref());
        let [gate, up] = adapters.linears(tape, &normed, [&block.gate, &block.up]);
        drop(normed);
        let activation = if c.family.form().gelu { Activation::GeluTanh } else { Activation::Silu };
        let inner = tape.gated(activation, gate, up);
        let down = adapters.linear(tape, &inner, &block.down);
        self.added(tape, &x, down, block.mlp_norms.after.as_ref())
    }

    fn normed<'a>(&self, tape: &mut Tape<'a, D>, x: &Tensor<D>, norm: Option<&'a D::Vector>) -> Tensor<D> {
        norm.map_or_else(|| x.clone(), |norm| tape.rms_norm(x, norm, self.config.rms_eps))
    }

    /// Adds the output of attention or MLP to the residual stream.
    fn added<'a>(
        &self,
        tape: &mut Tape<'a, D>,
        x: &Tensor<D>,
        given: Tensor<D>,
        norm: Option<&'a D::Vector>,
    ) -> Tensor<D> {
        let given = norm.map_or_else(|| given.clone(), |norm| tape.rms_norm(&given, norm, self.config.rms_eps));
        let given = scaled(tape, given, self.config.residual_scale);
        tape.add(x, given)
    }

    /// Upper bound of the activations, in bytes, that training keeps per row (token) for the backward pass.
    pub(crate) fn bytes_per_row(&self, recompute: bool) -> usize {
        let (c, form) = (&self.config, self.config.family.form());
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let qk_norms = if form.qk_norm == QkNorm::None { 0 } else { q + kv };
        let after = if form.norms == Norms::Before { 0 } else { 2 * c.hidden };
        let block = 4 * c.hidden + 2 * q + 2 * kv + 3 * c.intermediate + c.heads + qk_norms + after;
        let kept = if recompute { c.hidden * self.blocks.len() + block } else { block * self.blocks.len() };
        4 * (kept + 2 * (c.intermediate + c.hidden))
    }
}

/// `factor · x`.
fn scaled<D: Device>(tape: &mut Tape<'_, D>, x: Tensor<D>, factor: f32) -> Tensor<D> {
    if factor == 1.0 { x } else { tape.scale(x, factor) }
}

/// The weight of a norm, with the family's offset added.
fn norm(c: &DecoderConfig, tensors: &Tensors, name: &str, len: usize) -> Result<Vec<f32>, Error> {
    let mut weight = load::vector(tensors, name, len)?;
    if c.norm_offset != 0.0 {
        weight.iter_mut().for_each(|w| *w += c.norm_offset);
    }
    Ok(weight)
}

impl<D: Device> Around<D> {
    fn upload<E: Device>(&self, device: &E) -> Around<E>
    where
        D: Device<Vector = Vec<f32>>,
    {
        let up = |norm: &Option<Vec<f32>>| norm.as_ref().map(|norm| device.vector(norm));
        Around { before: up(&self.before), after: up(&self.after) }
    }
}

impl Block {
    fn load(c: &DecoderConfig, loader: &mut Loader<'_>, layer: usize) -> Result<Self, Error> {
        let (q, kv, form) = (c.heads * c.head_dim, c.kv_heads * c.head_dim, c.family.form());
        let path = |rest: &str| format!("model.layers.{layer}.{rest}");
        let tensors = loader.tensors;
        let norm = |name: &str, len| norm(c, tensors, &path(&format!("{name}.weight")), len);
        let maybe = |name: Option<&str>| name.map(|name| norm(name, c.hidden)).transpose();
        // Gemma's name for the norm after attention is, in other families, that of the norm before the MLP.
        let [before, after, before_mlp, after_mlp] = match form.norms {
            Norms::Before => [Some("input_layernorm"), None, Some("post_attention_layernorm"), None],
            Norms::After => [None, Some("post_attention_layernorm"), None, Some("post_feedforward_layernorm")],
            Norms::Around => [
                Some("input_layernorm"),
                Some("post_attention_layernorm"),
                Some("pre_feedforward_layernorm"),
                Some("post_feedforward_layernorm"),
            ],
        };
        let qk_norms = match form.qk_norm {
            QkNorm::None => None,
            QkNorm::Head => Some([norm("self_attn.q_norm", c.head_dim)?, norm("self_attn.k_norm", c.head_dim)?]),
            QkNorm::Whole => Some([norm("self_attn.q_norm", q)?, norm("self_attn.k_norm", kv)?]),
        };
        let (attention_norms, mlp_norms) = (
            Around { before: maybe(before)?, after: maybe(after)? },
            Around { before: maybe(before_mlp)?, after: maybe(after_mlp)? },
        );
        let of_qkv = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"].map(path);
        let [q, k, v] = if form.fused {
            loader.parts(&path("self_attn.qkv_proj"), [q, kv, kv], c.hidden)?
        } else {
            loader.each(&of_qkv, [q, kv, kv], c.hidden, form.qkv_bias)?
        };
        let o = loader.one(&path("self_attn.o_proj"), c.hidden, c.heads * c.head_dim)?;
        let [gate, up] = if form.fused {
            loader.parts(&path("mlp.gate_up_proj"), [c.intermediate; 2], c.hidden)?
        } else {
            loader.each(&["mlp.gate_proj", "mlp.up_proj"].map(path), [c.intermediate; 2], c.hidden, false)?
        };
        let down = loader.one(&path("mlp.down_proj"), c.hidden, c.intermediate)?;
        let kind = c.layer_kinds[layer];
        Ok(Self { kind, attention_norms, q, k, v, o, qk_norms, mlp_norms, gate, up, down })
    }

    fn upload<E: Device>(&self, device: &E) -> Block<E> {
        let Self { kind, attention_norms, q, k, v, o, qk_norms, mlp_norms, gate, up, down } = self;
        Block {
            kind: *kind,
            attention_norms: attention_norms.upload(device),
            q: q.upload(device),
            k: k.upload(device),
            v: v.upload(device),
            o: o.upload(device),
            qk_norms: qk_norms.as_ref().map(|norms| norms.each_ref().map(|norm| device.vector(norm))),
            mlp_norms: mlp_norms.upload(device),
            gate: gate.upload(device),
            up: up.upload(device),
            down: down.upload(device),
        }
    }
}

/// Inverse frequencies `(dim / 2)` with the config's RoPE scaling, computed as in transformers' `modeling_rope_utils`.
fn inverse_frequencies(c: &RopeConfig) -> Vec<f32> {
    let plain = (0..c.dim / 2).map(|i| 1.0 / (c.theta as f32).powf((2 * i) as f32 / c.dim as f32));
    match &c.scaling {
        RopeScaling::None => plain.collect(),
        RopeScaling::Linear { factor } => plain.map(|w| w / *factor as f32).collect(),
        RopeScaling::Factors(factors) => plain.zip(factors).map(|(w, factor)| w / factor).collect(),
        RopeScaling::Llama3 { factor, low_freq_factor, high_freq_factor, original_max_positions } => {
            let (factor, context) = (*factor as f32, *original_max_positions as f32);
            let (low, high) = (*low_freq_factor as f32, *high_freq_factor as f32);
            plain
                .map(|w| {
                    let wavelength = 2.0 * std::f32::consts::PI / w;
                    if wavelength < context / high {
                        w
                    } else if wavelength > context / low {
                        w / factor
                    } else {
                        let smooth = (context / wavelength - low) / (high - low);
                        (1.0 - smooth) * w / factor + smooth * w
                    }
                })
                .collect()
        }
    }
}
