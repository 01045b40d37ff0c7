use std::{ops::Range, path::Path, rc::Rc};

use graft_formats::{ModelConfig, ModelFiles};
use graft_ops::{AttentionRange, Cpu, Device, Head, Matrix, Shaped, Tape, Target, Tensor};

use crate::{
    Adapter, Error, MicroBatch, PackedRows, Sequence, TargetModule,
    cache::NewRows,
    decoder::{Decoder, Rows},
    t5::{Mask, Pairs, T5},
};

/// A frozen language model.
#[derive(Debug)]
pub enum Model<D: Device = Cpu> {
    /// Decoder only.
    Decoder(Decoder<D>),
    /// Encoder and decoder.
    T5(T5<D>),
}

/// Options of a loss computation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// Recompute blocks in the backward pass instead of storing their activations.
    pub recompute: bool,
    /// The encoder's output for each sequence, if it is already known ([`Model::encoded`]).
    pub encoded: Option<&'c [Rc<Matrix>]>,
}

impl Model {
    /// Reads the weights. They stay in the memory-mapped file until a product uses them.
    ///
    /// # Errors
    /// If a tensor is missing, or its shape does not match the config.
    pub fn load(files: &ModelFiles) -> Result<Self, Error> {
        match &files.config {
            ModelConfig::Decoder(config) => Decoder::load(config, &files.tensors).map(Self::Decoder),
            ModelConfig::T5(config) => T5::load(config, &files.tensors).map(Self::T5),
        }
    }

    /// Opens a folder or GGUF file and reads the weights.
    ///
    /// # Errors
    /// Like [`load`](Self::load); or if the files can't be read.
    pub fn open(path: &Path) -> Result<(Self, ModelFiles), Error> {
        let files = graft_formats::open(path).map_err(Error::Load)?;
        Ok((Self::load(&files)?, files))
    }

    /// Copies the model to a device.
    ///
    /// # Errors
    /// If the weights don't fit on the device.
    pub fn upload<E: Device>(&self, device: &E) -> Result<Model<E>, Error> {
        let uploaded = match self {
            Self::Decoder(model) => Model::Decoder(model.upload(device)),
            Self::T5(model) => Model::T5(model.upload(device)),
        };
        device.status().map_err(Error::Device)?;
        Ok(uploaded)
    }

    /// Logits `(rows, vocab)` of one sequence. In decoder-only models the rows of virtual tokens come first.
    ///
    /// # Errors
    /// Like [`loss`](Self::loss).
    pub fn logits(&self, adapter: Option<&Adapter>, source: &[u32], tokens: &[u32]) -> Result<Matrix, Error> {
        let sequence = Sequence { source: source.to_vec(), tokens: tokens.to_vec(), supervised_from: tokens.len() };
        self.check(&[&sequence], adapter)?;
        let mut tape = Tape::frozen();
        let hidden = match self {
            Self::Decoder(model) => {
                let batch = MicroBatch { sequences: &[&sequence], shared: 0, weight: 1.0 };
                let mut packed = PackedRows::causal(&batch, adapter.map_or(0, Adapter::virtual_tokens));
                packed.rows = (0..packed.tokens.len()).collect();
                run_decoder(model, &mut tape, adapter, packed, Context::default()).0
            }
            Self::T5(model) => {
                let pairs = [(source, tokens)];
                run_t5(model, &mut tape, adapter, &pairs, Context::default())
            }
        };
        Ok(self.head_of(hidden.value(), adapter))
    }
}

impl<D: Device> Model<D> {
    /// The device that computes it.
    #[must_use]
    pub fn device(&self) -> &D {
        match self {
            Self::Decoder(model) => &model.device,
            Self::T5(model) => &model.device,
        }
    }

    /// The target modules: linear layers that can carry LoRA weights.
    #[must_use]
    pub fn target_modules(&self) -> &[TargetModule] {
        match self {
            Self::Decoder(model) => model.target_modules(),
            Self::T5(model) => model.target_modules(),
        }
    }

    /// Whether the model has an encoder (T5).
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        matches!(self, Self::T5(_))
    }

    /// The first token of an encoder–decoder model's answers.
    #[must_use]
    pub fn decoder_start(&self) -> u32 {
        match self {
            Self::Decoder(_) => 0,
            Self::T5(model) => model.config.decoder_start,
        }
    }

    /// Size of the vocabulary.
    #[must_use]
    pub fn vocab(&self) -> usize {
        self.embedding().rows()
    }

    /// Width of an embedding.
    #[must_use]
    pub fn width(&self) -> usize {
        self.embedding().cols()
    }

    /// Blocks and attention heads of its decoder.
    #[must_use]
    pub fn depth(&self) -> (usize, usize) {
        match self {
            Self::Decoder(model) => (model.config.layers, model.config.heads),
            Self::T5(model) => (model.config.layers, model.config.heads),
        }
    }

    /// Longest sequence, in tokens.
    #[must_use]
    pub fn context(&self) -> usize {
        match self {
            Self::Decoder(model) => model.config.max_positions,
            // Relative positions set no limit; this one limits memory.
            Self::T5(_) => 1 << 14,
        }
    }

    /// Token embeddings `(vocab, width)`.
    #[must_use]
    pub fn embedding(&self) -> &D::Weight {
        match self {
            Self::Decoder(model) => model.embedding(),
            Self::T5(model) => model.embedding(),
        }
    }

    /// The output head, which may be the adapter's own.
    #[must_use]
    pub fn head<'h>(&'h self, adapter: Option<&'h Adapter<D>>) -> Head<'h, D::Weight> {
        let own = adapter.and_then(Adapter::head);
        match self {
            Self::Decoder(model) => Head {
                weight: own.unwrap_or(model.head()),
                scale: model.config.logit_scale,
                cap: model.config.logit_cap,
            },
            Self::T5(model) => Head { weight: own.unwrap_or(model.head()), scale: model.head_scale(), cap: None },
        }
    }

    /// Upper bound of the activations, in bytes, that training keeps per row for the backward pass.
    #[must_use]
    pub fn bytes_per_row(&self, recompute: bool) -> usize {
        match self {
            Self::Decoder(model) => model.bytes_per_row(recompute),
            Self::T5(model) => model.bytes_per_row(),
        }
    }

    /// Log-probability of every supervised token, in the order of the sequences. If `grads` is given (one element per
    /// parameter of the adapter), adds the gradient of `Σ weight · −log p` to it.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or a sequence longer than the context.
    pub fn loss(
        &self,
        adapter: Option<&Adapter<D>>,
        batch: &MicroBatch<'_>,
        context: Context<'_>,
        grads: Option<&mut D::Numbers>,
    ) -> Result<Vec<f32>, Error> {
        self.check(batch.sequences, adapter)?;
        if grads.is_some() && adapter.is_some_and(|adapter| !adapter.is_trainable()) {
            return Err(Error::NotTrainable);
        }
        let device = self.device();
        let mut tape = if grads.is_some() { Tape::on(device) } else { Tape::frozen_on(device) };
        let (hidden, targets) = match self {
            Self::Decoder(model) => hidden_decoder(model, &mut tape, adapter, batch, context),
            Self::T5(model) => hidden_t5(model, &mut tape, adapter, batch, context),
        };
        let (log_probs, gradient) =
            device.cross_entropy(hidden.value(), &self.head(adapter), &targets, grads.is_some());
        if let (Some(gradient), Some(grads)) = (gradient, grads) {
            tape.backward(&hidden, gradient, grads);
        }
        device.status().map_err(Error::Device)?;
        Ok(log_probs)
    }

    /// Whether the encoder's output does not depend on the adapter, because no part of the adapter is in the encoder.
    #[must_use]
    pub fn encoder_ignores(&self, adapter: &Adapter<D>) -> bool {
        let encoder = self.target_modules().iter().filter(|module| module.name.starts_with("encoder.")).count();
        self.has_encoder() && adapter.virtual_tokens() == 0 && !adapter.touches(0..encoder)
    }

    /// The encoder's output `(tokens, width)` for one source; `None` without an encoder. A source is encoded alone, so that
    /// the result is bit-identical whichever micro-batch uses it.
    ///
    /// # Errors
    /// Like [`loss`](Self::loss).
    pub fn encoded(&self, adapter: Option<&Adapter<D>>, source: &[u32]) -> Result<Option<Matrix>, Error> {
        let Self::T5(model) = self else { return Ok(None) };
        self.check_tokens(source, source.len() + adapter.map_or(0, Adapter::virtual_tokens))?;
        let rows = 0..source.len() + adapter.map_or(0, Adapter::virtual_tokens);
        let tokens: Vec<u32> =
            std::iter::repeat_n(0, rows.len() - source.len()).chain(source.iter().copied()).collect();
        let ranges: Rc<[AttentionRange]> =
            Rc::new([AttentionRange { queries: rows.clone(), prefix: 0..0, keys: rows, causal: false }]);
        let device = self.device();
        let (mut tape, mask) = (Tape::frozen_on(device), Mask::new(device, ranges));
        let x = model.encode(&mut tape, adapter, &tokens, Some(Rc::new([0])), &mask, false);
        Ok(Some(device.download(x.value())))
    }

    fn check(&self, sequences: &[&Sequence], adapter: Option<&Adapter<D>>) -> Result<(), Error> {
        let extra = adapter.map_or(0, Adapter::virtual_tokens);
        for sequence in sequences {
            self.check_tokens(&sequence.source, sequence.source.len() + extra)?;
            self.check_tokens(&sequence.tokens, sequence.tokens.len() + extra)?;
        }
        Ok(())
    }

    /// Checks that the tokens are in the vocabulary and that a sequence of `length` tokens fits the context.
    pub(crate) fn check_tokens(&self, tokens: &[u32], length: usize) -> Result<(), Error> {
        let (vocab, context) = (self.vocab(), self.context());
        if length > context {
            return Err(Error::TooLong { tokens: length, context });
        }
        match tokens.iter().find(|&&token| token as usize >= vocab) {
            Some(&token) => Err(Error::BadToken { token, vocab }),
            None => Ok(()),
        }
    }
}

fn hidden_decoder<'a, D: Device>(
    model: &'a Decoder<D>,
    tape: &mut Tape<'a, D>,
    adapter: Option<&'a Adapter<D>>,
    batch: &MicroBatch<'_>,
    context: Context<'_>,
) -> (Tensor<D>, Vec<Target>) {
    let packed = PackedRows::causal(batch, adapter.map_or(0, Adapter::virtual_tokens));
    run_decoder(model, tape, adapter, packed, context)
}

fn run_decoder<'a, D: Device>(
    model: &'a Decoder<D>,
    tape: &mut Tape<'a, D>,
    adapter: Option<&'a Adapter<D>>,
    packed: PackedRows,
    context: Context<'_>,
) -> (Tensor<D>, Vec<Target>) {
    let device = &model.device;
    let x = model.embed(tape, adapter, &packed.tokens, Some(Rc::new([0])));
    let (ranges, wanted) = (device.ranges(packed.ranges), device.indices(packed.rows));
    let rows = Rows { ranges, angles: model.angles(&packed.positions), wanted };
    (model.forward(tape, adapter, x, &rows, &mut NewRows, context.recompute), packed.targets)
}

fn hidden_t5<'a, D: Device>(
    model: &'a T5<D>,
    tape: &mut Tape<'a, D>,
    adapter: Option<&'a Adapter<D>>,
    batch: &MicroBatch<'_>,
    context: Context<'_>,
) -> (Tensor<D>, Vec<Target>) {
    // Teacher forcing: the decoder reads the answer shifted right by one, and predicts each token from those before it.
    let start = model.config.decoder_start;
    let shifted: Vec<Vec<u32>> = batch
        .sequences
        .iter()
        .map(|s| std::iter::once(start).chain(s.tokens[..s.tokens.len() - 1].iter().copied()).collect())
        .collect();
    let pairs: Vec<(&[u32], &[u32])> =
        batch.sequences.iter().zip(&shifted).map(|(s, t)| (s.source.as_slice(), t.as_slice())).collect();
    let hidden = run_t5(model, tape, adapter, &pairs, context);
    let (mut rows, mut targets, mut first) = (Vec::new(), Vec::new(), 0);
    for sequence in batch.sequences {
        for index in sequence.supervised_from..sequence.tokens.len() {
            rows.push(first + index);
            targets.push(Target { token: sequence.tokens[index], weight: batch.weight });
        }
        first += sequence.tokens.len();
    }
    let all = rows.len() == first;
    (if all { hidden } else { tape.select(&hidden, model.device.indices(rows.into())) }, targets)
}

fn run_t5<'a, D: Device>(
    model: &'a T5<D>,
    tape: &mut Tape<'a, D>,
    adapter: Option<&'a Adapter<D>>,
    pairs: &[(&[u32], &[u32])],
    context: Context<'_>,
) -> Tensor<D> {
    let virtual_tokens = adapter.map_or(0, Adapter::virtual_tokens);
    let (mut sources, mut targets, mut places) = (Vec::new(), Vec::new(), Vec::new());
    let (mut source_ranges, mut target_ranges): (Vec<Range<usize>>, Vec<Range<usize>>) = (Vec::new(), Vec::new());
    for (source, target) in pairs {
        places.push(sources.len());
        let start = sources.len();
        sources.extend(std::iter::repeat_n(0, virtual_tokens).chain(source.iter().copied()));
        source_ranges.push(start..sources.len());
        let start = targets.len();
        targets.extend_from_slice(target);
        target_ranges.push(start..targets.len());
    }
    let device = &model.device;
    let own = |ranges: &[Range<usize>], causal: bool| {
        let own = |r: &Range<usize>| AttentionRange { queries: r.clone(), prefix: 0..0, keys: r.clone(), causal };
        Mask::new(device, ranges.iter().map(own).collect())
    };
    let cross = target_ranges.iter().zip(&source_ranges);
    let cross = cross.map(|(t, s)| AttentionRange { queries: t.clone(), prefix: 0..0, keys: s.clone(), causal: false });
    let cross = Mask::new(device, cross.collect());
    let pairs = Pairs { sources: own(&source_ranges, false), targets: own(&target_ranges, true), cross };
    let encoded = match context.encoded {
        Some(known) => Tensor::constant(device.matrix(stacked(known))),
        None => {
            let places = Some(places.into());
            model.encode(tape, adapter, &sources, places, &pairs.sources, context.recompute)
        }
    };
    model.decode(tape, adapter, &targets, &encoded, &pairs)
}

/// Concatenates matrices row-wise.
fn stacked(parts: &[Rc<Matrix>]) -> Matrix {
    let cols = parts.first().map_or(0, |part| part.cols());
    let mut all = Matrix::scratch(parts.iter().map(|part| part.rows()).sum(), cols);
    let mut rest = all.data_mut();
    for part in parts {
        let (now, later) = rest.split_at_mut(part.data().len());
        now.copy_from_slice(part.data());
        rest = later;
    }
    all
}

/// Reads weights by name.
pub(crate) mod load {
    use std::sync::Arc;

    use graft_formats::{TensorBytes, Tensors};
    use graft_ops::Weight;

    use crate::Error;

    /// Makes a tensor's bytes the shared storage of a weight.
    struct Stored(TensorBytes);

    impl AsRef<[u8]> for Stored {
        fn as_ref(&self) -> &[u8] {
            self.0.bytes()
        }
    }

    /// A matrix in its storage type.
    pub(crate) fn stored(tensors: &Tensors, name: &str, rows: usize, cols: usize) -> Result<TensorBytes, Error> {
        tensors.get(name, &[rows, cols]).map_err(Error::Load)
    }

    /// A weight in its storage type.
    pub(crate) fn weight(tensor: TensorBytes) -> Weight {
        Weight::packed(tensor.rows, tensor.cols, tensor.dtype, Arc::new(Stored(tensor)))
    }

    /// Like [`weight`].
    pub(crate) fn matrix(tensors: &Tensors, name: &str, rows: usize, cols: usize) -> Result<Weight, Error> {
        stored(tensors, name, rows, cols).map(weight)
    }

    /// A vector as a weight `(1, len)`.
    pub(crate) fn row(tensors: &Tensors, name: &str, len: usize) -> Result<Weight, Error> {
        tensors.get(name, &[len]).map(weight).map_err(Error::Load)
    }

    /// A vector as f32.
    pub(crate) fn vector(tensors: &Tensors, name: &str, len: usize) -> Result<Vec<f32>, Error> {
        Ok(tensors.get(name, &[len]).map_err(Error::Load)?.to_f32())
    }
}
