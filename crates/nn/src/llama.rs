//! Llama 2, 3, 3.2 and SmolLM2 (Touvron et al. 2023; Dubey et al. 2024): RMSNorm, rotary grouped-query attention,
//! SwiGLU. Shapes: tokens are rows; `q (tokens, heads·dim)`, `k`, `v (tokens, kv_heads·dim)`.

use std::rc::Rc;

use graft_formats::{LlamaConfig, RopeScaling, Tensors};
use graft_ops::{Activation, AttentionLayer, Cpu, Device, Heads, Inference, Rope, Shaped, Tape, Tensor};

use crate::{
    Error, TargetModule,
    adapter::Adapt,
    cache::{Attend, NewRows},
    model::load,
};

/// The frozen weights of a Llama.
#[derive(Debug)]
pub struct Llama<D: Device = Cpu> {
    pub(crate) device: D,
    pub(crate) config: LlamaConfig,
    embedding: D::Weight,
    blocks: Vec<Block<D>>,
    norm: D::Vector,
    head: Option<D::Weight>,
    inverse_frequencies: Vec<f32>,
}

#[derive(Debug)]
struct Block<D: Device = Cpu> {
    attention_norm: D::Vector,
    /// Query, key, value, output, gate, up, down: the order of [`LINEAR`].
    linear: [D::Weight; 7],
    mlp_norm: D::Vector,
}

/// The linear layers of a block, which are its target modules.
const LINEAR: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];
const Q: usize = 0;
const K: usize = 1;
const V: usize = 2;
const O: usize = 3;
const GATE: usize = 4;
const UP: usize = 5;
const DOWN: usize = 6;

/// Layout of the rows that are computed together.
pub(crate) struct Rows<D: Device = Cpu> {
    pub(crate) ranges: Rc<D::Ranges>,
    pub(crate) rope: Rc<D::Angles>,
    /// Rows whose hidden state the caller reads.
    pub(crate) wanted: Rc<D::Indices>,
}

impl Llama {
    pub(crate) fn load(config: &LlamaConfig, tensors: &Tensors) -> Result<Self, Error> {
        let c = config.clone();
        let embedding = load::matrix(tensors, "model.embed_tokens.weight", c.vocab, c.hidden)?;
        let blocks = (0..c.layers).map(|layer| Block::load(&c, tensors, layer)).collect::<Result<_, _>>()?;
        let norm = load::vector(tensors, "model.norm.weight", c.hidden)?;
        let head = (!c.tie).then(|| load::matrix(tensors, "lm_head.weight", c.vocab, c.hidden)).transpose()?;
        let inverse_frequencies = inverse_frequencies(&c);
        Ok(Self { device: Cpu::F32, config: c, embedding, blocks, norm, head, inverse_frequencies })
    }

    /// The same model on a device.
    pub(crate) fn upload<E: Device>(&self, device: &E) -> Llama<E> {
        let block = |block: &Block| Block {
            attention_norm: device.vector(&block.attention_norm),
            linear: block.linear.each_ref().map(|weight| device.weight(weight)),
            mlp_norm: device.vector(&block.mlp_norm),
        };
        Llama {
            device: device.clone(),
            config: self.config.clone(),
            embedding: device.weight(&self.embedding),
            blocks: self.blocks.iter().map(block).collect(),
            norm: device.vector(&self.norm),
            head: self.head.as_ref().map(|head| device.weight(head)),
            inverse_frequencies: self.inverse_frequencies.clone(),
        }
    }
}

impl<D: Inference> Llama<D> {
    /// An empty cache for `rows` tokens.
    pub(crate) fn cache(&self, rows: usize) -> D::Cache {
        self.device.cache(self.blocks.len(), rows, self.config.kv_heads * self.config.head_dim)
    }
}

impl<D: Device> Llama<D> {
    pub(crate) fn target_modules(&self) -> Vec<TargetModule> {
        let mut modules = Vec::with_capacity(7 * self.blocks.len());
        for (layer, block) in self.blocks.iter().enumerate() {
            for (name, weight) in LINEAR.iter().zip(&block.linear) {
                let name = format!("model.layers.{layer}.{name}");
                modules.push(TargetModule { name, inputs: weight.cols(), outputs: weight.rows() });
            }
        }
        modules
    }

    pub(crate) fn target_module_weight(&self, module: usize) -> &D::Weight {
        &self.blocks[module / 7].linear[module % 7]
    }

    pub(crate) fn embedding(&self) -> &D::Weight {
        &self.embedding
    }

    pub(crate) fn head(&self) -> &D::Weight {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    pub(crate) fn rope(&self, positions: &[u32]) -> Rc<D::Angles> {
        self.device.angles(Rope::new(&self.inverse_frequencies, positions))
    }

    /// Embeddings of tokens, with the soft prompt (if there is one) written over the rows at `places`.
    pub(crate) fn embed<'a>(
        &self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        tokens: &[u32],
        places: Option<Rc<[usize]>>,
    ) -> Tensor<D> {
        adapters.place(tape, self.device.gather(&self.embedding, tokens), places)
    }

    /// Hidden states `(wanted, hidden)` after the final norm.
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
            let (ranges, rope) = (Rc::clone(&rows.ranges), Rc::clone(&rows.rope));
            let wanted = (layer == last).then(|| Rc::clone(&rows.wanted));
            x = if recompute && tape.recording() {
                tape.recomputed(&x, move |tape, x| {
                    self.block(tape, adapters, layer, x, &ranges, &rope, wanted.clone(), &mut NewRows)
                })
            } else {
                self.block(tape, adapters, layer, &x, &ranges, &rope, wanted, memory)
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
        rope: &Rc<D::Angles>,
        wanted: Option<Rc<D::Indices>>,
        memory: &mut impl Attend<D>,
    ) -> Tensor<D> {
        let (c, block) = (&self.config, &self.blocks[layer]);
        let module = |index: usize| layer * 7 + index;
        let heads =
            Heads { heads: c.heads, kv_heads: c.kv_heads, dim: c.head_dim, scale: 1.0 / (c.head_dim as f32).sqrt() };

        let normed = tape.rms_norm(x, &block.attention_norm, c.rms_eps);
        let [q, k, v] = adapters.linears(tape, &normed, [Q, K, V].map(|i| &block.linear[i]), module(Q));
        drop(normed);
        let (q, k) = (tape.rope(q, rope, c.heads), tape.rope(k, rope, c.kv_heads));
        let attention = AttentionLayer { heads, ranges: Rc::clone(ranges), bias: None };
        let mixed = memory.attend(tape, layer, [&q, &k, &v], attention);
        drop((q, k, v));
        // After the last attention no row depends on another, so the rest of the last block computes only wanted rows.
        let (x, mixed, adapters) = match wanted {
            Some(rows) => (tape.select(x, Rc::clone(&rows)), tape.select(&mixed, rows), adapters.of_wanted()),
            None => (x.clone(), mixed, adapters),
        };
        let attended = adapters.linear(tape, &mixed, &block.linear[O], module(O));
        drop(mixed);
        let x = tape.add(&x, attended);
        let normed = tape.rms_norm(&x, &block.mlp_norm, c.rms_eps);
        let [gate, up] = adapters.linears(tape, &normed, [GATE, UP].map(|i| &block.linear[i]), module(GATE));
        drop(normed);
        let inner = tape.gated(Activation::Silu, gate, up);
        let down = adapters.linear(tape, &inner, &block.linear[DOWN], module(DOWN));
        tape.add(&x, down)
    }

    /// Upper bound of the activations, in bytes, that training one row (token) keeps for the backward pass.
    pub(crate) fn bytes_per_row(&self, recompute: bool) -> usize {
        let c = &self.config;
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let block = 4 * c.hidden + 2 * q + 2 * kv + 3 * c.intermediate + c.heads;
        let kept = if recompute { c.hidden * self.blocks.len() + block } else { block * self.blocks.len() };
        4 * (kept + 2 * (c.intermediate + c.hidden))
    }
}

impl Block {
    fn load(c: &LlamaConfig, tensors: &Tensors, layer: usize) -> Result<Self, Error> {
        let (q, kv) = (c.heads * c.head_dim, c.kv_heads * c.head_dim);
        let shapes = [
            (q, c.hidden),
            (kv, c.hidden),
            (kv, c.hidden),
            (c.hidden, q),
            (c.intermediate, c.hidden),
            (c.intermediate, c.hidden),
            (c.hidden, c.intermediate),
        ];
        let mut linear = Vec::with_capacity(7);
        for (name, (rows, cols)) in LINEAR.iter().zip(shapes) {
            linear.push(load::matrix(tensors, &format!("model.layers.{layer}.{name}.weight"), rows, cols)?);
        }
        let norm = |name| load::vector(tensors, &format!("model.layers.{layer}.{name}.weight"), c.hidden);
        let Ok(linear) = linear.try_into() else { unreachable!("seven weights were pushed") };
        Ok(Self { attention_norm: norm("input_layernorm")?, linear, mlp_norm: norm("post_attention_layernorm")? })
    }
}

/// Inverse frequencies `(head_dim / 2)` with the config's RoPE scaling, computed as in transformers'
/// `modeling_rope_utils`.
fn inverse_frequencies(c: &LlamaConfig) -> Vec<f32> {
    let plain = (0..c.head_dim / 2).map(|i| 1.0 / (c.rope_theta as f32).powf((2 * i) as f32 / c.head_dim as f32));
    match &c.rope_scaling {
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
