use std::{ops::Range, rc::Rc};

use graft_ops::{AttentionRange, Cpu, Device, Head, Inference, Shaped as _, Tape};

use crate::{
    Adapter, Error, Model,
    adapter::{Adapt, Group, Groups},
    cache::{Cached, FreeRows},
    decoder::{Decoder, Rows},
    t5::{DecoderMemory, Mask, Pairs},
};

/// The KV caches of sequences that are generated together on one model, each with its own adapter. A sequence occupies a
/// slot from [`open`](Self::open) to [`close`](Self::close); its cache rows are reserved and freed with the slot.
///
/// The model and the adapters are arguments of every call. Pass the same ones for the same sequence each time.
#[derive(Debug)]
pub struct Session<D: Inference = Cpu> {
    cache: D::Cache,
    free: FreeRows,
    /// Keys and values of encoded sources, which the decoder's cross-attention reads.
    sources: Option<(D::Cache, FreeRows)>,
    prefixes: Vec<Option<Range<usize>>>,
    slots: Vec<Option<Slot>>,
}

/// One sequence's rows in the caches.
#[derive(Clone, Debug)]
struct Slot {
    /// Rows of the prefix it shares with other sequences.
    prefix: Range<usize>,
    /// Rows reserved for its own tokens.
    own: Range<usize>,
    /// How many of `own` are filled.
    len: usize,
    /// Rows of its encoded source; empty without an encoder.
    source: Range<usize>,
}

/// The next tokens of one sequence.
#[derive(Debug)]
pub struct Feed<'a, D: Device = Cpu> {
    /// The sequence's slot, as returned by [`Session::open`].
    pub slot: usize,
    /// Its adapter.
    pub adapter: Option<&'a Adapter<D>>,
    /// At least one.
    pub tokens: &'a [u32],
}

/// The encoder input of one sequence.
#[derive(Debug)]
pub struct Source<'a, D: Device = Cpu> {
    /// The sequence's slot, as returned by [`Session::open`].
    pub slot: usize,
    /// Its adapter.
    pub adapter: Option<&'a Adapter<D>>,
    /// Tokens of the source.
    pub tokens: &'a [u32],
}

impl<D: Inference> Session<D> {
    /// Allocates caches for `rows` tokens of all sequences and, for a model with an encoder, for as many source tokens.
    /// Memory is committed page by page, when a row is first written.
    #[must_use]
    pub fn new(model: &Model<D>, rows: usize) -> Self {
        let cache = || match model {
            Model::Decoder(decoder) => decoder.cache(rows),
            Model::T5(t5) => t5.cache(rows),
        };
        let sources = model.has_encoder().then(|| (cache(), FreeRows::new(rows)));
        Self { cache: cache(), free: FreeRows::new(rows), sources, prefixes: Vec::new(), slots: Vec::new() }
    }

    /// Computes the keys and values of a prefix that several sequences of a decoder-only model share: an adapter's soft
    /// prompt and an instruction. `None` if too few cache rows are free.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or there are more tokens than the context.
    pub fn prefix(
        &mut self,
        model: &Model<D>,
        adapter: Option<&Adapter<D>>,
        tokens: &[u32],
    ) -> Result<Option<usize>, Error> {
        let virtual_tokens = adapter.map_or(0, Adapter::virtual_tokens);
        let count = virtual_tokens + tokens.len();
        model.check_tokens(tokens, count)?;
        let Some(place) = self.free.take(count) else { return Ok(None) };
        if let (Model::Decoder(decoder), true) = (model, count > 0) {
            let all: Vec<u32> = std::iter::repeat_n(0, virtual_tokens).chain(tokens.iter().copied()).collect();
            let range = AttentionRange { queries: 0..count, prefix: 0..0, keys: place.clone(), causal: true };
            let places = (virtual_tokens > 0).then(|| Rc::from([0_usize].as_slice()));
            let (to, positions): (_, Vec<u32>) = (place.clone().collect(), (0..count as u32).collect());
            let input = DecoderInput { tokens: &all, to, positions: &positions, wanted: Rc::new([count - 1]) };
            run(decoder, adapter, input, &mut self.cache, vec![range], places);
        }
        Ok(Some(put(&mut self.prefixes, place)))
    }

    /// Keys and values of a prefix, for [`restore`](Self::restore); empty for an unknown prefix.
    #[must_use]
    pub fn numbers_of(&self, model: &Model<D>, prefix: usize) -> Vec<f32> {
        let rows = self.prefixes.get(prefix).cloned().flatten();
        rows.map_or_else(Vec::new, |rows| model.device().cached(&self.cache, rows))
    }

    /// Restores a prefix of a decoder-only model from what [`numbers_of`](Self::numbers_of) returned for the same model,
    /// adapter and tokens, perhaps in another process. `None` if too few cache rows are free. When `numbers` has the wrong
    /// length, the prefix is computed again.
    ///
    /// # Errors
    /// Like [`prefix`](Self::prefix).
    pub fn restore(
        &mut self,
        model: &Model<D>,
        adapter: Option<&Adapter<D>>,
        tokens: &[u32],
        numbers: &[f32],
    ) -> Result<Option<usize>, Error> {
        let count = adapter.map_or(0, Adapter::virtual_tokens) + tokens.len();
        if size_of_val(numbers) != count * model.session_row_bytes() {
            return self.prefix(model, adapter, tokens);
        }
        model.check_tokens(tokens, count)?;
        let Some(place) = self.free.take(count) else { return Ok(None) };
        model.device().fill(&mut self.cache, place.clone(), numbers);
        Ok(Some(put(&mut self.prefixes, place)))
    }

    /// Frees the rows of a prefix. No open sequence may still use it.
    pub fn forget(&mut self, prefix: usize) {
        if let Some(rows) = self.prefixes.get_mut(prefix).and_then(Option::take) {
            self.free.give(rows);
        }
    }

    /// Opens a slot for a sequence of at most `capacity` tokens after its prefix, and `source` encoder rows (virtual tokens
    /// included) if the model has an encoder. `None` if too few cache rows are free.
    pub fn open(&mut self, prefix: Option<usize>, source: usize, capacity: usize) -> Option<usize> {
        let own = self.free.take(capacity)?;
        let source = match &mut self.sources {
            None => 0..0,
            Some((_, free)) => match free.take(source) {
                Some(rows) => rows,
                None => {
                    self.free.give(own);
                    return None;
                }
            },
        };
        let prefix = prefix.and_then(|index| self.prefixes.get(index)?.clone()).unwrap_or(0..0);
        Some(put(&mut self.slots, Slot { prefix, own, len: 0, source }))
    }

    /// Closes a slot and frees its rows.
    pub fn close(&mut self, slot: usize) {
        let Some(slot) = self.slots.get_mut(slot).and_then(Option::take) else { return };
        self.free.give(slot.own);
        if let Some((_, free)) = &mut self.sources {
            free.give(slot.source);
        }
    }

    /// Encodes the sources of sequences that were just opened. Does nothing for a model without an encoder.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or the length of a source differs from the one given to
    /// [`open`](Self::open).
    pub fn encode(&mut self, model: &Model<D>, sources: &[Source<'_, D>]) -> Result<(), Error> {
        let (Model::T5(t5), Some((memory, _))) = (model, &mut self.sources) else { return Ok(()) };
        let (mut tokens, mut places, mut ranges, mut to) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut groups: Vec<Group<'_, D>> = Vec::new();
        let device = model.device();
        for index in by_adapter(sources.iter().map(|source| source.adapter)) {
            let source = &sources[index];
            let slot = slot_of(&mut self.slots, source.slot)?;
            let virtual_tokens = source.adapter.map_or(0, Adapter::virtual_tokens);
            let count = virtual_tokens + source.tokens.len();
            model.check_tokens(source.tokens, count)?;
            if count != slot.source.len() {
                return Err(Error::TooLong { tokens: count, context: slot.source.len() });
            }
            let rows = tokens.len()..tokens.len() + count;
            if virtual_tokens > 0 {
                places.push(rows.start);
            }
            tokens.extend(std::iter::repeat_n(0, virtual_tokens).chain(source.tokens.iter().copied()));
            to.extend(slot.source.clone());
            ranges.push(AttentionRange { queries: rows.clone(), prefix: 0..0, keys: rows.clone(), causal: false });
            grow(&mut groups, rows, source.adapter);
        }
        if tokens.is_empty() {
            return Ok(());
        }
        let adapters = Groups { all: &groups, wanted: &groups };
        let mask = Mask::new(device, ranges.into());
        let encoded = t5.encode(&mut Tape::frozen_on(device), adapters, &tokens, Some(places.into()), &mask, false);
        t5.cross_memory(adapters, &encoded, &device.indices(to.into()), memory);
        device.status().map_err(Error::Device)
    }

    /// Number of tokens that a sequence can still take.
    #[must_use]
    pub fn left(&self, slot: usize) -> usize {
        self.slots.get(slot).and_then(Option::as_ref).map_or(0, |slot| slot.own.len() - slot.len)
    }

    /// Appends tokens to some sequences (each at most once) and returns the final hidden state `(inputs, width)` of the
    /// last token of each, in the order of `inputs`.
    ///
    /// # Errors
    /// If a token is outside the vocabulary, or there are more tokens than a slot has free rows. No sequence is changed
    /// then.
    pub fn feed(&mut self, model: &Model<D>, inputs: &[Feed<'_, D>]) -> Result<D::Matrix, Error> {
        let order = by_adapter(inputs.iter().map(|input| input.adapter));
        let Layout { tokens, positions, to, wanted, groups, wanted_groups, ranges, cross } =
            self.lay_out(model, inputs, &order)?;
        let adapters = Groups { all: &groups, wanted: &wanted_groups };
        let device = model.device();
        let hidden = match model {
            Model::Decoder(decoder) => {
                let input =
                    DecoderInput { tokens: &tokens, to: to.into(), positions: &positions, wanted: wanted.into() };
                run(decoder, adapters, input, &mut self.cache, ranges, None)
            }
            Model::T5(t5) => {
                let [sources, targets, cross] =
                    [Vec::new(), ranges, cross].map(|ranges| Mask::new(device, ranges.into()));
                let pairs = Pairs { sources, targets, cross };
                let Some((encoder, _)) = &self.sources else {
                    unreachable!("models with an encoder have room for sources")
                };
                let mut memory = DecoderMemory { own: &mut self.cache, rows: &*device.indices(to.into()), encoder };
                let all = t5.decode_cached(adapters, &tokens, &pairs, &mut memory);
                device.select(all.value(), &device.indices(wanted.into()))
            }
        };
        device.status().map_err(Error::Device)?;
        if order.is_sorted() {
            return Ok(hidden);
        }
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(row, &index)| place[index] = row);
        Ok(device.select(&hidden, &device.indices(place.into())))
    }

    /// Checks the inputs and assigns their tokens to rows, grouped by adapter.
    fn lay_out<'a>(
        &mut self,
        model: &Model<D>,
        inputs: &[Feed<'a, D>],
        order: &[usize],
    ) -> Result<Layout<'a, D>, Error> {
        for input in inputs {
            model.check_tokens(input.tokens, 0)?;
            let slot = slot_of(&mut self.slots, input.slot)?;
            if input.tokens.is_empty() || slot.len + input.tokens.len() > slot.own.len() {
                return Err(Error::TooLong { tokens: slot.len + input.tokens.len(), context: slot.own.len() });
            }
        }
        let mut layout = Layout::default();
        for (row, &index) in order.iter().enumerate() {
            let Feed { slot, adapter, tokens } = inputs[index];
            let slot = slot_of(&mut self.slots, slot)?;
            let queries = layout.tokens.len()..layout.tokens.len() + tokens.len();
            layout.tokens.extend_from_slice(tokens);
            layout.positions.extend((0..tokens.len()).map(|i| (slot.prefix.len() + slot.len + i) as u32));
            layout.to.extend((0..tokens.len()).map(|i| slot.own.start + slot.len + i));
            slot.len += tokens.len();
            layout.wanted.push(queries.end - 1);
            grow(&mut layout.groups, queries.clone(), adapter);
            grow(&mut layout.wanted_groups, row..row + 1, adapter);
            let keys = slot.own.start..slot.own.start + slot.len;
            let (prefix, source) = (slot.prefix.clone(), slot.source.clone());
            layout.cross.push(AttentionRange { queries: queries.clone(), prefix: 0..0, keys: source, causal: false });
            layout.ranges.push(AttentionRange { queries, prefix, keys, causal: true });
        }
        Ok(layout)
    }
}

/// The packed rows of one [`Session::feed`]: all vectors but the last four have one entry per row.
struct Layout<'a, D: Device> {
    tokens: Vec<u32>,
    positions: Vec<u32>,
    /// Cache row that receives the row's keys and values.
    to: Vec<usize>,
    /// The last row of each sequence, whose hidden state is returned.
    wanted: Vec<usize>,
    /// Rows by adapter.
    groups: Vec<Group<'a, D>>,
    /// Entries of `wanted` by adapter.
    wanted_groups: Vec<Group<'a, D>>,
    ranges: Vec<AttentionRange>,
    cross: Vec<AttentionRange>,
}

impl<D: Device> Default for Layout<'_, D> {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            positions: Vec::new(),
            to: Vec::new(),
            wanted: Vec::new(),
            groups: Vec::new(),
            wanted_groups: Vec::new(),
            ranges: Vec::new(),
            cross: Vec::new(),
        }
    }
}

fn slot_of(slots: &mut [Option<Slot>], index: usize) -> Result<&mut Slot, Error> {
    slots.get_mut(index).and_then(Option::as_mut).ok_or(Error::NoSequence(index))
}

/// Stores a value at the first free index and returns the index.
fn put<T>(places: &mut Vec<Option<T>>, new: T) -> usize {
    let place = places.iter().position(Option::is_none).unwrap_or(places.len());
    if place == places.len() {
        places.push(None);
    }
    places[place] = Some(new);
    place
}

fn same<D: Device>(a: Option<&Adapter<D>>, b: Option<&Adapter<D>>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        _ => false,
    }
}

/// An order of the inputs in which those with the same adapter are consecutive.
fn by_adapter<'a, D: Device>(adapters: impl Iterator<Item = Option<&'a Adapter<D>>>) -> Vec<usize> {
    let mut groups: Vec<(Option<&Adapter<D>>, Vec<usize>)> = Vec::new();
    for (index, adapter) in adapters.enumerate() {
        match groups.iter_mut().find(|(of, _)| same(*of, adapter)) {
            Some((_, group)) => group.push(index),
            None => groups.push((adapter, vec![index])),
        }
    }
    groups.into_iter().flat_map(|(_, group)| group).collect()
}

/// Extends the last group by adjacent rows with the same adapter, or starts a new group.
fn grow<'a, D: Device>(groups: &mut Vec<Group<'a, D>>, rows: Range<usize>, adapter: Option<&'a Adapter<D>>) {
    match groups.last_mut() {
        Some((range, of)) if same(*of, adapter) && range.end == rows.start => range.end = rows.end,
        _ => groups.push((rows, adapter)),
    }
}

/// Input rows of one forward computation of a decoder over a cache.
struct DecoderInput<'p> {
    tokens: &'p [u32],
    /// Cache row that receives each row's keys and values.
    to: Rc<[usize]>,
    positions: &'p [u32],
    wanted: Rc<[usize]>,
}

/// Runs a decoder over a cache; returns the hidden states of the wanted rows.
fn run<'a, D: Inference>(
    decoder: &'a Decoder<D>,
    adapters: impl Adapt<'a, D> + 'a,
    input: DecoderInput<'_>,
    cache: &mut D::Cache,
    ranges: Vec<AttentionRange>,
    places: Option<Rc<[usize]>>,
) -> D::Matrix {
    let device = &decoder.device;
    let mut tape = Tape::frozen_on(device);
    // Only a prefix contains soft prompts; other input has no `places`.
    let x = decoder.embed(&mut tape, adapters, input.tokens, places);
    let (ranges, wanted) = (device.ranges(ranges.into()), device.indices(input.wanted));
    let rows = Rows { ranges, angles: decoder.angles(input.positions), wanted };
    let mut memory = Cached { cache, rows: &*device.indices(input.to) };
    decoder.forward(&mut tape, adapters, x, &rows, &mut memory, false).into_matrix(device)
}

/// Greedy continuation of one sequence: at most `limit` new tokens, ended by (and without) any of `stop`.
///
/// # Errors
/// Like [`Session::feed`].
pub fn greedy<D: Inference>(
    model: &Model<D>,
    adapter: Option<&Adapter<D>>,
    source: &[u32],
    prompt: &[u32],
    limit: usize,
    stop: &[u32],
) -> Result<Vec<u32>, Error> {
    let virtual_tokens = adapter.map_or(0, Adapter::virtual_tokens);
    let capacity = prompt.len() + limit;
    let encoded = if model.has_encoder() { virtual_tokens + source.len() } else { 0 };
    let mut session = Session::new(model, virtual_tokens + capacity.max(encoded));
    let prefix = if model.has_encoder() { None } else { session.prefix(model, adapter, &[])? };
    let Some(slot) = session.open(prefix, encoded, capacity) else { return Err(Error::NoSequence(0)) };
    session.encode(model, &[Source { slot, adapter, tokens: source }])?;
    let any = vec![u32::MAX; model.vocab().div_ceil(32)];
    let (mut new, mut fed) = (Vec::new(), prompt.to_vec());
    while new.len() < limit {
        let hidden = session.feed(model, &[Feed { slot, adapter, tokens: &fed }])?;
        let best = model.device().best(&model.head_of(&hidden, adapter), &[&any]);
        let token = best.first().and_then(|best| best.token).unwrap_or(0);
        if stop.contains(&token) {
            break;
        }
        new.push(token);
        fed = vec![token];
    }
    Ok(new)
}

impl<D: Inference> Model<D> {
    /// Logits `(rows, vocab)` of some rows of final hidden states, each with its adapter.
    #[must_use]
    pub fn logits_of(&self, hidden: &D::Matrix, rows: &[(usize, Option<&Adapter<D>>)]) -> D::Matrix {
        let device = self.device();
        let own = |adapter: Option<&Adapter<D>>| adapter.is_some_and(|adapter| adapter.head().is_some());
        let common = rows.iter().all(|(_, adapter)| !own(*adapter));
        if common && rows.len() == hidden.rows() {
            return self.head_of(hidden, None);
        }
        let logits =
            |rows: Vec<usize>, adapter| self.head_of(&device.select(hidden, &device.indices(rows.into())), adapter);
        if common {
            return logits(rows.iter().map(|(row, _)| *row).collect(), None);
        }
        let mut all = device.zeros(rows.len(), self.vocab());
        for places in by_adapter(rows.iter().map(|(_, adapter)| *adapter)).chunk_by(|a, b| same(rows[*a].1, rows[*b].1))
        {
            let part = logits(places.iter().map(|place| rows[*place].0).collect(), rows[places[0]].1);
            device.select_backward(&mut all, &part, &device.indices(places.into()));
        }
        all
    }

    /// Logits `(rows, vocab)` of final hidden states with the same adapter.
    #[must_use]
    pub fn head_of(&self, hidden: &D::Matrix, adapter: Option<&Adapter<D>>) -> D::Matrix {
        self.device().logits(hidden, &self.head(adapter))
    }
}

impl Model {
    /// Logits of some tokens after one row of final hidden states.
    ///
    /// # Panics
    /// If a token is not in the vocabulary.
    #[must_use]
    pub fn logits_among(&self, hidden: &[f32], tokens: &[u32], adapter: Option<&Adapter>) -> Vec<f32> {
        let Head { weight, scale, cap } = self.head(adapter);
        let logits = weight.forward_rows(hidden, tokens, scale);
        match cap {
            Some(cap) => logits.into_iter().map(|logit| cap * (logit / cap).tanh()).collect(),
            None => logits,
        }
    }
}

impl<D: Device> Model<D> {
    /// Bytes per row (token) of a [`Session`].
    #[must_use]
    pub fn session_row_bytes(&self) -> usize {
        match self {
            Self::Decoder(decoder) => 8 * decoder.config.layers * decoder.config.kv_heads * decoder.config.head_dim,
            Self::T5(t5) => 16 * t5.config.decoder_layers * t5.config.heads * t5.config.d_kv,
        }
    }
}
