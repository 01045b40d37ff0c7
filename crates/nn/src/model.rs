use std::{ops::Range, path::Path, rc::Rc};

use graft_formats::{ModelConfig, ModelFiles};
use graft_ops::{Matrix, Span, Tape, Target, Tensor, Weight, cross_entropy};

use crate::{
    Adapter, Batch, Error, Pass, Sequence, Site,
    llama::{Llama, Memory, Rows},
    t5::{Pairs, T5},
};

/// A frozen language model.
#[derive(Debug)]
pub enum Model {
    /// Decoder only.
    Llama(Llama),
    /// Encoder and decoder.
    T5(T5),
}

/// How a loss is computed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'c> {
    /// Recompute blocks in the backward pass instead of keeping their activations.
    pub recompute: bool,
    /// What the encoder writes for each sequence, where that is known ([`Model::encoded`]).
    pub encoded: Option<&'c [Rc<Matrix>]>,
}

impl Model {
    /// Reads the weights; they stay in the file's map until they are used.
    ///
    /// # Errors
    /// A tensor that is missing or has another shape than the config says.
    pub fn load(files: &ModelFiles) -> Result<Self, Error> {
        match &files.config {
            ModelConfig::Llama(config) => Llama::load(config, &files.tensors).map(Self::Llama),
            ModelConfig::T5(config) => T5::load(config, &files.tensors).map(Self::T5),
        }
    }

    /// Opens a folder or GGUF file and reads the weights.
    ///
    /// # Errors
    /// As [`load`](Self::load), and whatever is wrong with the files.
    pub fn open(path: &Path) -> Result<(Self, ModelFiles), Error> {
        let files = graft_formats::open(path).map_err(Error::Load)?;
        Ok((Self::load(&files)?, files))
    }

    /// The linear layers that can carry LoRA weights.
    #[must_use]
    pub fn sites(&self) -> Vec<Site> {
        match self {
            Self::Llama(model) => model.sites(),
            Self::T5(model) => model.sites(),
        }
    }

    /// The frozen weight at a site.
    #[must_use]
    pub fn site_weight(&self, site: usize) -> Option<&Weight> {
        match self {
            Self::Llama(model) => Some(model.site_weight(site)),
            Self::T5(model) => model.site_weight(site),
        }
    }

    /// Whether it reads its input with an encoder.
    #[must_use]
    pub fn has_encoder(&self) -> bool {
        matches!(self, Self::T5(_))
    }

    /// The token an encoder–decoder model's answers start from.
    #[must_use]
    pub fn decoder_start(&self) -> u32 {
        match self {
            Self::Llama(_) => 0,
            Self::T5(model) => model.config.decoder_start,
        }
    }

    /// Number of tokens it knows.
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
            Self::Llama(model) => (model.config.layers, model.config.heads),
            Self::T5(model) => (model.config.layers, model.config.heads),
        }
    }

    /// Longest sequence it can take, in tokens.
    #[must_use]
    pub fn context(&self) -> usize {
        match self {
            Self::Llama(model) => model.config.max_positions,
            // Relative positions have no end; this bounds memory.
            Self::T5(_) => 1 << 14,
        }
    }

    /// Token embeddings `(vocab, width)`.
    #[must_use]
    pub fn embedding(&self) -> &Weight {
        match self {
            Self::Llama(model) => model.embedding(),
            Self::T5(model) => model.embedding(),
        }
    }

    /// The output head and the factor on its logits.
    #[must_use]
    pub fn head(&self) -> (&Weight, f32) {
        match self {
            Self::Llama(model) => (model.head(), 1.0),
            Self::T5(model) => (model.head(), model.head_scale()),
        }
    }

    /// Bytes that training one row keeps until its backward, at most.
    #[must_use]
    pub fn bytes_per_row(&self, recompute: bool) -> usize {
        match self {
            Self::Llama(model) => model.bytes_per_row(recompute),
            Self::T5(model) => model.bytes_per_row(),
        }
    }

    /// Log-probability of every supervised token, in the order of the sequences. With `grads` (one number for each of
    /// the adapter's), the gradient of `Σ weight · −log p` is added to it.
    ///
    /// # Errors
    /// A token outside the vocabulary or a sequence longer than the context.
    pub fn loss(
        &self,
        adapter: Option<&Adapter>,
        batch: &Batch<'_>,
        context: Context<'_>,
        grads: Option<&mut [f32]>,
    ) -> Result<Vec<f32>, Error> {
        self.check(batch.sequences, adapter)?;
        let mut tape = if grads.is_some() { Tape::new() } else { Tape::frozen() };
        let (hidden, targets) = match self {
            Self::Llama(model) => hidden_llama(model, &mut tape, adapter, batch, context),
            Self::T5(model) => hidden_t5(model, &mut tape, adapter, batch, context),
        };
        let (head, scale) = self.head();
        let (log_probs, gradient) = cross_entropy(hidden.value(), head, scale, &targets, grads.is_some());
        if let (Some(gradient), Some(grads)) = (gradient, grads) {
            tape.backward(&hidden, gradient, grads);
        }
        Ok(log_probs)
    }

    /// Whether what the encoder writes is the same whatever the adapter learns: no part of it is in the encoder.
    #[must_use]
    pub fn encodes_alike(&self, adapter: &Adapter) -> bool {
        let encoder = self.sites().iter().filter(|site| site.name.starts_with("encoder.")).count();
        self.has_encoder() && adapter.virtual_tokens() == 0 && !adapter.touches(0..encoder)
    }

    /// What the encoder writes for a source, `(tokens, width)`; `None` without an encoder. A source is encoded alone, so
    /// that the result is the same to the bit beside whatever it is used.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn encoded(&self, adapter: Option<&Adapter>, source: &[u32]) -> Result<Option<Matrix>, Error> {
        let Self::T5(model) = self else { return Ok(None) };
        self.check_tokens(source, source.len() + adapter.map_or(0, Adapter::virtual_tokens))?;
        let rows = 0..source.len() + adapter.map_or(0, Adapter::virtual_tokens);
        let tokens: Vec<u32> =
            std::iter::repeat_n(0, rows.len() - source.len()).chain(source.iter().copied()).collect();
        let spans: Rc<[Span]> = Rc::new([Span { queries: rows.clone(), prefix: 0..0, keys: rows, causal: false }]);
        let x = model.encode(&mut Tape::frozen(), adapter, &tokens, Rc::new([0]), &spans, false);
        Ok(Some(x.value().clone()))
    }

    /// Logits `(rows, vocab)` of one sequence; rows of virtual tokens come first where the decoder sees them.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub fn logits(&self, adapter: Option<&Adapter>, source: &[u32], tokens: &[u32]) -> Result<Matrix, Error> {
        let sequence = Sequence { source: source.to_vec(), tokens: tokens.to_vec(), supervised_from: tokens.len() };
        self.check(&[&sequence], adapter)?;
        let mut tape = Tape::frozen();
        let hidden = match self {
            Self::Llama(model) => {
                let batch = Batch { sequences: &[&sequence], shared: 0, weight: 1.0 };
                let mut pass = Pass::causal(&batch, adapter.map_or(0, Adapter::virtual_tokens));
                pass.rows = (0..pass.tokens.len()).collect();
                run_llama(model, &mut tape, adapter, pass, Context::default()).0
            }
            Self::T5(model) => {
                let pairs = [(source, tokens)];
                run_t5(model, &mut tape, adapter, &pairs, Context::default())
            }
        };
        let (head, scale) = self.head();
        let mut logits = Matrix::scratch(hidden.value().rows(), head.rows());
        head.forward(hidden.value().data(), logits.data_mut(), scale, &[]);
        Ok(logits)
    }

    fn check(&self, sequences: &[&Sequence], adapter: Option<&Adapter>) -> Result<(), Error> {
        let extra = adapter.map_or(0, Adapter::virtual_tokens);
        for sequence in sequences {
            self.check_tokens(&sequence.source, sequence.source.len() + extra)?;
            self.check_tokens(&sequence.tokens, sequence.tokens.len() + extra)?;
        }
        Ok(())
    }

    /// Tokens are in the vocabulary, and a sequence of `length` tokens fits the context.
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

fn hidden_llama<'a>(
    model: &'a Llama,
    tape: &mut Tape<'a>,
    adapter: Option<&'a Adapter>,
    batch: &Batch<'_>,
    context: Context<'_>,
) -> (Tensor, Vec<Target>) {
    let pass = Pass::causal(batch, adapter.map_or(0, Adapter::virtual_tokens));
    run_llama(model, tape, adapter, pass, context)
}

fn run_llama<'a>(
    model: &'a Llama,
    tape: &mut Tape<'a>,
    adapter: Option<&'a Adapter>,
    pass: Pass,
    context: Context<'_>,
) -> (Tensor, Vec<Target>) {
    let places: Rc<[usize]> = Rc::new([0]);
    let x = model.embed(tape, adapter, &pass.tokens, places);
    let rows = Rows { spans: pass.spans, rope: model.rope(&pass.positions), wanted: pass.rows };
    (model.forward(tape, adapter, x, &rows, Memory::Own, context.recompute), pass.targets)
}

fn hidden_t5<'a>(
    model: &'a T5,
    tape: &mut Tape<'a>,
    adapter: Option<&'a Adapter>,
    batch: &Batch<'_>,
    context: Context<'_>,
) -> (Tensor, Vec<Target>) {
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
    (if all { hidden } else { tape.select(&hidden, rows.into()) }, targets)
}

fn run_t5<'a>(
    model: &'a T5,
    tape: &mut Tape<'a>,
    adapter: Option<&'a Adapter>,
    pairs: &[(&[u32], &[u32])],
    context: Context<'_>,
) -> Tensor {
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
    let own = |ranges: &[Range<usize>], causal: bool| -> Rc<[Span]> {
        ranges.iter().map(|r| Span { queries: r.clone(), prefix: 0..0, keys: r.clone(), causal }).collect()
    };
    let cross = target_ranges.iter().zip(&source_ranges);
    let spans = Pairs {
        sources: own(&source_ranges, false),
        targets: own(&target_ranges, true),
        cross: cross.map(|(t, s)| Span { queries: t.clone(), prefix: 0..0, keys: s.clone(), causal: false }).collect(),
    };
    let encoded = match context.encoded {
        Some(known) => Tensor::constant(stacked(known)),
        None => model.encode(tape, adapter, &sources, places.into(), &spans.sources, context.recompute),
    };
    model.decode(tape, adapter, &targets, &encoded, &spans)
}

/// All rows under each other.
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

/// Reading weights by name.
pub(crate) mod load {
    use std::sync::Arc;

    use graft_formats::{TensorBytes, Tensors};
    use graft_ops::Weight;

    use crate::Error;

    /// Lets a tensor's bytes be shared as a weight's storage.
    struct Stored(TensorBytes);

    impl AsRef<[u8]> for Stored {
        fn as_ref(&self) -> &[u8] {
            self.0.bytes()
        }
    }

    /// A weight that stays as it is stored.
    pub(crate) fn matrix(tensors: &Tensors, name: &str, rows: usize, cols: usize) -> Result<Weight, Error> {
        let tensor = tensors.get(name, &[rows, cols]).map_err(Error::Load)?;
        Ok(Weight::packed(rows, cols, tensor.dtype, Arc::new(Stored(tensor))))
    }

    /// A vector of plain numbers.
    pub(crate) fn vector(tensors: &Tensors, name: &str, len: usize) -> Result<Vec<f32>, Error> {
        Ok(tensors.get(name, &[len]).map_err(Error::Load)?.to_f32())
    }
}
