//! T5 v1.0, v1.1 and flan-t5 (Raffel et al. 2020): RMSNorm, unscaled attention with a relative position bias shared by
//! all layers of a stack, relu or gated-gelu feed-forward. One row per token; `q`, `k`, `v (tokens, heads·d_kv)`.

use std::rc::Rc;

use graft_formats::{Activation as FeedForward, T5Config, Tensors};
use graft_ops::{
    Activation, AttentionLayer, AttentionRange, Cpu, Device, Heads, Inference, Matrix, Shaped, Tape, Tensor,
};

use crate::{
    Error, TargetModule,
    adapter::{Adapt, Groups},
    cache::{Attend, Cached, NewRows},
    linear::{Linear, Loader},
    model::load,
};

/// The frozen weights of a T5.
#[derive(Debug)]
pub struct T5<D: Device = Cpu> {
    pub(crate) device: D,
    pub(crate) config: T5Config,
    modules: Vec<TargetModule>,
    embedding: D::Weight,
    encoder: Stack<D>,
    decoder: Stack<D>,
    head: Option<D::Weight>,
}

#[derive(Debug)]
struct Stack<D: Device = Cpu> {
    blocks: Vec<Block<D>>,
    norm: D::Vector,
    /// `(buckets, heads)`.
    bias: Vec<f32>,
}

#[derive(Debug)]
struct Block<D: Device = Cpu> {
    attention: Attention<D>,
    cross: Option<Attention<D>>,
    feed_forward: Vec<Linear<D>>,
    feed_forward_norm: D::Vector,
}

#[derive(Debug)]
struct Attention<D: Device = Cpu> {
    norm: D::Vector,
    /// q, k, v, o.
    linear: [Linear<D>; 4],
}

/// The attention masks of a micro-batch of (source, target) pairs.
pub(crate) struct Pairs<D: Device = Cpu> {
    /// Encoder: each source attends to itself, in both directions.
    pub(crate) sources: Mask<D>,
    /// Decoder: each target attends to its own past.
    pub(crate) targets: Mask<D>,
    /// Cross-attention: each target attends to its source.
    pub(crate) cross: Mask<D>,
}

/// An attention mask and one more than the largest distance in it.
pub(crate) struct Mask<D: Device = Cpu> {
    ranges: Rc<D::Ranges>,
    reach: usize,
}

impl<D: Device> Mask<D> {
    pub(crate) fn new(device: &D, ranges: Rc<[AttentionRange]>) -> Self {
        let reach = ranges.iter().map(|r| r.prefix.len() + r.keys.len()).max().unwrap_or(1).max(1);
        Self { ranges: device.ranges(ranges), reach }
    }
}

/// KV caches of a decoder: its own past, and the encoder's output.
pub(crate) struct DecoderMemory<'c, D: Inference> {
    pub(crate) own: &'c mut D::Cache,
    pub(crate) rows: &'c D::Indices,
    pub(crate) encoder: &'c D::Cache,
}

impl T5 {
    pub(crate) fn load(config: &T5Config, tensors: &Tensors) -> Result<Self, Error> {
        let c = config.clone();
        let embedding = load::matrix(tensors, "shared.weight", c.vocab, c.d_model)?;
        let mut loader = Loader::new(tensors);
        let encoder = Stack::load(&c, &mut loader, "encoder", c.layers)?;
        let decoder = Stack::load(&c, &mut loader, "decoder", c.decoder_layers)?;
        let head = (!c.tie).then(|| load::matrix(tensors, "lm_head.weight", c.vocab, c.d_model)).transpose()?;
        Ok(Self { device: Cpu::F32, config: c, modules: loader.modules, embedding, encoder, decoder, head })
    }

    /// Copies the model to a device.
    pub(crate) fn upload<E: Device>(&self, device: &E) -> T5<E> {
        T5 {
            device: device.clone(),
            config: self.config.clone(),
            modules: self.modules.clone(),
            embedding: device.weight(&self.embedding),
            encoder: self.encoder.upload(device),
            decoder: self.decoder.upload(device),
            head: self.head.as_ref().map(|head| device.weight(head)),
        }
    }
}

impl<D: Inference> T5<D> {
    /// Writes the cross-attention keys and values of the encoder's output into `cache`.
    pub(crate) fn cross_memory(
        &self,
        adapters: Groups<'_, D>,
        encoded: &Tensor<D>,
        rows: &D::Indices,
        cache: &mut D::Cache,
    ) {
        for (layer, cross) in self.decoder.blocks.iter().filter_map(|b| b.cross.as_ref()).enumerate() {
            let mut tape = Tape::frozen_on(&self.device);
            let k = cross.project(&mut tape, adapters, encoded, 1);
            let v = cross.project(&mut tape, adapters, encoded, 2);
            self.device.store(cache, layer, rows, k.value(), v.value());
        }
    }

    /// Like [`decode`](Self::decode) for tokens that continue cached sequences.
    pub(crate) fn decode_cached(
        &self,
        adapters: Groups<'_, D>,
        tokens: &[u32],
        pairs: &Pairs<D>,
        memory: &mut DecoderMemory<'_, D>,
    ) -> Tensor<D> {
        let device = &self.device;
        let mut tape = Tape::frozen_on(device);
        let mut x = Tensor::constant(device.gather(&self.embedding, tokens));
        let bias = self.bias(&self.decoder, pairs.targets.reach, false);
        for (index, block) in self.decoder.blocks.iter().enumerate() {
            let layer = self.layer(&pairs.targets.ranges, Some(bias.clone()));
            let past = &mut Cached { cache: &mut *memory.own, rows: memory.rows };
            x = self.self_attention(&mut tape, adapters, (index, &block.attention), &x, layer, past);
            if let Some(cross) = &block.cross {
                let normed = tape.rms_norm(&x, &cross.norm, self.config.eps);
                let q = cross.project(&mut tape, adapters, &normed, 0);
                let layer = self.layer(&pairs.cross.ranges, None);
                let mixed = Tensor::constant(device.attend(q.value(), memory.encoder, index, &layer));
                let out = cross.project(&mut tape, adapters, &mixed, 3);
                x = tape.add(&x, out);
            }
            x = self.feed_forward(&mut tape, adapters, block, &x);
        }
        tape.rms_norm(&x, &self.decoder.norm, self.config.eps)
    }

    /// An empty cache for `rows` tokens.
    pub(crate) fn cache(&self, rows: usize) -> D::Cache {
        self.device.cache(self.decoder.blocks.len(), rows, self.config.heads * self.config.d_kv)
    }
}

impl<D: Device> T5<D> {
    pub(crate) fn target_modules(&self) -> &[TargetModule] {
        &self.modules
    }

    pub(crate) fn embedding(&self) -> &D::Weight {
        &self.embedding
    }

    pub(crate) fn head(&self) -> &D::Weight {
        self.head.as_ref().unwrap_or(&self.embedding)
    }

    /// Factor on the logits: tied heads are scaled by `d_model^-0.5`.
    pub(crate) fn head_scale(&self) -> f32 {
        if self.head.is_some() { 1.0 } else { 1.0 / (self.config.d_model as f32).sqrt() }
    }

    /// The encoder's output `(tokens, d_model)`; the soft prompt, if there is one, is written at `places`.
    pub(crate) fn encode<'a>(
        &'a self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D> + 'a,
        tokens: &[u32],
        places: Option<Rc<[usize]>>,
        mask: &Mask<D>,
        recompute: bool,
    ) -> Tensor<D> {
        let mut x = adapters.place(tape, self.device.gather(&self.embedding, tokens), places);
        let bias = self.bias(&self.encoder, mask.reach, true);
        for block in &self.encoder.blocks {
            let (ranges, bias) = (Rc::clone(&mask.ranges), bias.clone());
            let run = move |tape: &mut Tape<'a, D>, x: &Tensor<D>| {
                let layer = self.layer(&ranges, Some(bias.clone()));
                let x = self.self_attention(tape, adapters, (0, &block.attention), x, layer, &mut NewRows);
                self.feed_forward(tape, adapters, block, &x)
            };
            x = if recompute && tape.recording() { tape.recomputed(&x, run) } else { run(tape, &x) };
        }
        tape.rms_norm(&x, &self.encoder.norm, self.config.eps)
    }

    /// The decoder's output (tokens, d_model) for `tokens`, with the encoder's output as memory.
    pub(crate) fn decode<'a>(
        &'a self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        tokens: &[u32],
        encoded: &Tensor<D>,
        pairs: &Pairs<D>,
    ) -> Tensor<D> {
        let mut x = Tensor::constant(self.device.gather(&self.embedding, tokens));
        let bias = self.bias(&self.decoder, pairs.targets.reach, false);
        for block in &self.decoder.blocks {
            let layer = self.layer(&pairs.targets.ranges, Some(bias.clone()));
            x = self.self_attention(tape, adapters, (0, &block.attention), &x, layer, &mut NewRows);
            if let Some(cross) = &block.cross {
                let normed = tape.rms_norm(&x, &cross.norm, self.config.eps);
                let q = cross.project(tape, adapters, &normed, 0);
                let (k, v) = (cross.project(tape, adapters, encoded, 1), cross.project(tape, adapters, encoded, 2));
                let mixed = tape.attention(&q, &k, &v, self.layer(&pairs.cross.ranges, None));
                let out = cross.project(tape, adapters, &mixed, 3);
                x = tape.add(&x, out);
            }
            x = self.feed_forward(tape, adapters, block, &x);
        }
        tape.rms_norm(&x, &self.decoder.norm, self.config.eps)
    }

    fn self_attention<'a>(
        &self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        (index, attention): (usize, &'a Attention<D>),
        x: &Tensor<D>,
        layer: AttentionLayer<D>,
        memory: &mut impl Attend<D>,
    ) -> Tensor<D> {
        let normed = tape.rms_norm(x, &attention.norm, self.config.eps);
        let [q, k, v] = adapters.linears(tape, &normed, [0, 1, 2].map(|i| &attention.linear[i]));
        let mixed = memory.attend(tape, index, [&q, &k, &v], layer);
        let out = attention.project(tape, adapters, &mixed, 3);
        tape.add(x, out)
    }

    fn feed_forward<'a>(
        &self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        block: &'a Block<D>,
        x: &Tensor<D>,
    ) -> Tensor<D> {
        let linear = |tape: &mut Tape<'a, D>, x: &Tensor<D>, i: usize| adapters.linear(tape, x, &block.feed_forward[i]);
        let normed = tape.rms_norm(x, &block.feed_forward_norm, self.config.eps);
        let first = linear(tape, &normed, 0);
        let (inner, last) = match (self.config.gated, self.config.activation) {
            (true, FeedForward::GeluNew) => {
                let up = linear(tape, &normed, 1);
                (tape.gated(Activation::GeluTanh, first, up), 2)
            }
            (true, FeedForward::Relu) => {
                let up = linear(tape, &normed, 1);
                (tape.gated(Activation::Relu, first, up), 2)
            }
            (false, FeedForward::Relu) => (tape.relu(first), 1),
            (false, FeedForward::GeluNew) => {
                let ones = Tensor::constant(self.device.matrix(ones_like(first.value())));
                (tape.gated(Activation::GeluTanh, first, ones), 1)
            }
        };
        let out = linear(tape, &inner, last);
        tape.add(x, out)
    }

    fn layer(&self, ranges: &Rc<D::Ranges>, bias: Option<(Rc<D::Vector>, usize)>) -> AttentionLayer<D> {
        let c = &self.config;
        let heads = Heads { heads: c.heads, kv_heads: c.heads, dim: c.d_kv, scale: 1.0 };
        AttentionLayer { heads, ranges: Rc::clone(ranges), bias, window: None, cap: None }
    }

    /// The position bias `(heads, 2·reach − 1)` of every distance below `reach`, and `reach`.
    fn bias(&self, stack: &Stack<D>, reach: usize, bidirectional: bool) -> (Rc<D::Vector>, usize) {
        let c = &self.config;
        let buckets: Vec<usize> = (1 - reach as i64..reach as i64).map(|d| bucket(c, d, bidirectional)).collect();
        let numbers = (0..c.heads).flat_map(|head| buckets.iter().map(move |b| stack.bias[b * c.heads + head]));
        let table: Vec<f32> = numbers.collect();
        (Rc::new(self.device.vector(&table)), reach)
    }

    /// Upper bound of the activations, in bytes, that training one row keeps for the backward pass.
    pub(crate) fn bytes_per_row(&self) -> usize {
        let c = &self.config;
        let (width, layers) = (c.heads * c.d_kv, self.encoder.blocks.len().max(self.decoder.blocks.len()));
        4 * layers * (8 * c.d_model + 8 * width + 3 * c.d_ff + 2 * c.heads) + 8 * (c.d_ff + c.d_model)
    }
}

impl Stack {
    fn upload<E: Device>(&self, device: &E) -> Stack<E> {
        let blocks = self.blocks.iter().map(|block| block.upload(device)).collect();
        Stack { blocks, norm: device.vector(&self.norm), bias: self.bias.clone() }
    }

    fn load(c: &T5Config, loader: &mut Loader<'_>, part: &str, layers: usize) -> Result<Self, Error> {
        let blocks = (0..layers).map(|layer| Block::load(c, loader, part, layer)).collect::<Result<_, _>>()?;
        let tensors = loader.tensors;
        let norm = load::vector(tensors, &format!("{part}.final_layer_norm.weight"), c.d_model)?;
        let bias = format!("{part}.block.0.layer.0.SelfAttention.relative_attention_bias.weight");
        let bias = load::matrix(tensors, &bias, c.buckets, c.heads)?;
        let mut table = vec![0.0; c.buckets * c.heads];
        bias.dequantize(0..c.buckets, &mut table);
        Ok(Self { blocks, norm, bias: table })
    }
}

impl Block {
    fn upload<E: Device>(&self, device: &E) -> Block<E> {
        let attention = |attention: &Attention| Attention {
            norm: device.vector(&attention.norm),
            linear: attention.linear.each_ref().map(|linear| linear.upload(device)),
        };
        Block {
            attention: attention(&self.attention),
            cross: self.cross.as_ref().map(attention),
            feed_forward: self.feed_forward.iter().map(|linear| linear.upload(device)).collect(),
            feed_forward_norm: device.vector(&self.feed_forward_norm),
        }
    }

    fn load(c: &T5Config, loader: &mut Loader<'_>, part: &str, layer: usize) -> Result<Self, Error> {
        let tensors = loader.tensors;
        let path = |rest: &str| format!("{part}.block.{layer}.{rest}");
        let mut attention = |index: usize, name: &str| {
            let width = c.heads * c.d_kv;
            let mut one = |linear: &str, outputs, inputs| {
                loader.one(&path(&format!("layer.{index}.{name}.{linear}")), outputs, inputs)
            };
            let linear = [
                one("q", width, c.d_model)?,
                one("k", width, c.d_model)?,
                one("v", width, c.d_model)?,
                one("o", c.d_model, width)?,
            ];
            let norm = load::vector(tensors, &path(&format!("layer.{index}.layer_norm.weight")), c.d_model)?;
            Ok::<_, Error>(Attention { norm, linear })
        };
        let own = attention(0, "SelfAttention")?;
        let cross = (part == "decoder").then(|| attention(1, "EncDecAttention")).transpose()?;
        let index = 1 + usize::from(cross.is_some());
        let names = feed_forward_names(c.gated);
        let mut feed_forward = Vec::with_capacity(names.len());
        for name in names {
            let (rows, cols) = if *name == "wo" { (c.d_model, c.d_ff) } else { (c.d_ff, c.d_model) };
            feed_forward.push(loader.one(&path(&format!("layer.{index}.DenseReluDense.{name}")), rows, cols)?);
        }
        let feed_forward_norm = load::vector(tensors, &path(&format!("layer.{index}.layer_norm.weight")), c.d_model)?;
        Ok(Self { attention: own, cross, feed_forward, feed_forward_norm })
    }
}

impl<D: Device> Attention<D> {
    /// One of q, k, v, o.
    fn project<'a>(
        &'a self,
        tape: &mut Tape<'a, D>,
        adapters: impl Adapt<'a, D>,
        x: &Tensor<D>,
        index: usize,
    ) -> Tensor<D> {
        adapters.linear(tape, x, &self.linear[index])
    }
}

fn feed_forward_names(gated: bool) -> &'static [&'static str] {
    if gated { &["wi_0", "wi_1", "wo"] } else { &["wi", "wo"] }
}

fn ones_like(x: &impl Shaped) -> Matrix {
    let mut ones = Matrix::scratch(x.rows(), x.cols());
    ones.data_mut().fill(1.0);
    ones
}

/// The bucket of a distance (key minus query position), as `T5Attention._relative_position_bucket` of transformers.
fn bucket(c: &T5Config, distance: i64, bidirectional: bool) -> usize {
    let (mut buckets, mut first) = (c.buckets, 0);
    let away = if bidirectional {
        buckets /= 2;
        if distance > 0 {
            first = buckets;
        }
        distance.unsigned_abs() as usize
    } else {
        (-distance.min(0)) as usize
    };
    let exact = buckets / 2;
    if away < exact {
        return first + away;
    }
    let steps = (away as f32 / exact as f32).ln() / (c.max_distance as f32 / exact as f32).ln();
    let far = exact + (steps * (buckets - exact) as f32) as usize;
    first + far.min(buckets - 1)
}
