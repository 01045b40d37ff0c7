use std::{ops::Range, rc::Rc};

use graft_ops::{Matrix, Span, Tape};

use crate::{
    Adapter, Cache, Error, Model,
    adapter::{Adapters, Group},
    cache::Rows as Room,
    llama::{Llama, Memory, Rows},
    t5::{DecoderMemory, Pairs, T5},
};

/// Sequences being written side by side on one model, each with an adapter of its own: memory for their keys and
/// values, handed out and taken back as sequences come and go.
///
/// The model and the adapters are arguments of every call, and must be the same ones for the same sequence.
#[derive(Debug)]
pub struct Session {
    cache: Cache,
    room: Room,
    /// What decoders read from encoders.
    sources: Option<(Cache, Room)>,
    prefixes: Vec<Option<Range<usize>>>,
    lanes: Vec<Option<Lane>>,
}

/// One sequence's place in the caches.
#[derive(Clone, Debug)]
struct Lane {
    prefix: Range<usize>,
    own: Range<usize>,
    len: usize,
    source: Range<usize>,
}

/// Tokens for a sequence.
#[derive(Clone, Copy, Debug)]
pub struct Feed<'a> {
    /// The sequence, as [`Session::open`] named it.
    pub lane: usize,
    /// Its adapter.
    pub adapter: Option<&'a Adapter>,
    /// At least one.
    pub tokens: &'a [u32],
}

/// A sequence whose source is encoded.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// The sequence, as [`Session::open`] named it.
    pub lane: usize,
    /// Its adapter.
    pub adapter: Option<&'a Adapter>,
    /// Tokens of the source.
    pub tokens: &'a [u32],
}

impl Session {
    /// Room for `rows` tokens of all sequences together (and, with an encoder, as many of their sources). The system
    /// gives the memory as it is used.
    #[must_use]
    pub fn new(model: &Model, rows: usize) -> Self {
        let cache = || match model {
            Model::Llama(llama) => llama.cache(rows),
            Model::T5(t5) => t5.cache(rows),
        };
        let sources = model.has_encoder().then(|| (cache(), Room::new(rows)));
        Self { cache: cache(), room: Room::new(rows), sources, prefixes: Vec::new(), lanes: Vec::new() }
    }

    /// Reads what several sequences of a decoder-only model start with: an adapter's soft prompt and an instruction.
    /// `None` if there is no room now.
    ///
    /// # Errors
    /// A token outside the vocabulary or more tokens than the context.
    pub fn prefix(&mut self, model: &Model, adapter: Option<&Adapter>, tokens: &[u32]) -> Result<Option<usize>, Error> {
        let virtual_tokens = adapter.map_or(0, Adapter::virtual_tokens);
        let count = virtual_tokens + tokens.len();
        model.check_tokens(tokens, count)?;
        let Some(place) = self.room.take(count) else { return Ok(None) };
        if let (Model::Llama(llama), true) = (model, count > 0) {
            let all: Vec<u32> = std::iter::repeat_n(0, virtual_tokens).chain(tokens.iter().copied()).collect();
            let span = Span { queries: 0..count, prefix: 0..0, keys: place.clone(), causal: true };
            let places: Rc<[usize]> = if virtual_tokens > 0 { Rc::new([0]) } else { Rc::new([]) };
            let (to, positions): (Vec<usize>, Vec<u32>) = (place.clone().collect(), (0..count as u32).collect());
            let pass = Pass { tokens: &all, to: &to, positions: &positions, wanted: Rc::new([count - 1]) };
            run(llama, adapter.into(), pass, &mut self.cache, vec![span], places);
        }
        Ok(Some(put(&mut self.prefixes, place)))
    }

    /// Keys and values of a prefix, for [`restore`](Self::restore); none for a prefix that is not there.
    #[must_use]
    pub fn numbers_of(&self, prefix: usize) -> Vec<f32> {
        let rows = self.prefixes.get(prefix).cloned().flatten();
        rows.map_or_else(Vec::new, |rows| self.cache.numbers(rows))
    }

    /// Takes up a prefix of a decoder-only model that was read before, in another session, with the same model, adapter
    /// and tokens: what [`numbers_of`](Self::numbers_of) gave then. `None` if there is no room now.
    ///
    /// # Errors
    /// As [`prefix`](Self::prefix), which it also is where `numbers` are not of this length.
    pub fn restore(
        &mut self,
        model: &Model,
        adapter: Option<&Adapter>,
        tokens: &[u32],
        numbers: &[f32],
    ) -> Result<Option<usize>, Error> {
        let count = adapter.map_or(0, Adapter::virtual_tokens) + tokens.len();
        if size_of_val(numbers) != count * model.session_row_bytes() {
            return self.prefix(model, adapter, tokens);
        }
        model.check_tokens(tokens, count)?;
        let Some(place) = self.room.take(count) else { return Ok(None) };
        self.cache.fill(place.clone(), numbers);
        Ok(Some(put(&mut self.prefixes, place)))
    }

    /// Gives the rows of a prefix back; no open sequence may use it.
    pub fn forget(&mut self, prefix: usize) {
        if let Some(rows) = self.prefixes.get_mut(prefix).and_then(Option::take) {
            self.room.give(rows);
        }
    }

    /// Begins a sequence that will be fed at most `capacity` tokens after its prefix, and has a source of `source` rows
    /// (virtual tokens included) where there is an encoder. `None` if there is no room now.
    pub fn open(&mut self, prefix: Option<usize>, source: usize, capacity: usize) -> Option<usize> {
        let own = self.room.take(capacity)?;
        let source = match &mut self.sources {
            None => 0..0,
            Some((_, room)) => match room.take(source) {
                Some(rows) => rows,
                None => {
                    self.room.give(own);
                    return None;
                }
            },
        };
        let prefix = prefix.and_then(|index| self.prefixes.get(index)?.clone()).unwrap_or(0..0);
        Some(put(&mut self.lanes, Lane { prefix, own, len: 0, source }))
    }

    /// Ends a sequence and gives its rows back.
    pub fn close(&mut self, lane: usize) {
        let Some(lane) = self.lanes.get_mut(lane).and_then(Option::take) else { return };
        self.room.give(lane.own);
        if let Some((_, room)) = &mut self.sources {
            room.give(lane.source);
        }
    }

    /// Encodes the sources of sequences that were just opened; nothing to do without an encoder.
    ///
    /// # Errors
    /// A token outside the vocabulary, or a source of another length than was said.
    pub fn encode(&mut self, model: &Model, sources: &[Source<'_>]) -> Result<(), Error> {
        let (Model::T5(t5), Some((memory, _))) = (model, &mut self.sources) else { return Ok(()) };
        let (mut tokens, mut places, mut spans, mut to) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut groups: Vec<Group<'_>> = Vec::new();
        for index in by_adapter(sources.iter().map(|source| source.adapter)) {
            let source = &sources[index];
            let lane = lane_of(&mut self.lanes, source.lane)?;
            let virtual_tokens = source.adapter.map_or(0, Adapter::virtual_tokens);
            let count = virtual_tokens + source.tokens.len();
            model.check_tokens(source.tokens, count)?;
            if count != lane.source.len() {
                return Err(Error::TooLong { tokens: count, context: lane.source.len() });
            }
            let rows = tokens.len()..tokens.len() + count;
            if virtual_tokens > 0 {
                places.push(rows.start);
            }
            tokens.extend(std::iter::repeat_n(0, virtual_tokens).chain(source.tokens.iter().copied()));
            to.extend(lane.source.clone());
            spans.push(Span { queries: rows.clone(), prefix: 0..0, keys: rows.clone(), causal: false });
            grow(&mut groups, rows, source.adapter);
        }
        if tokens.is_empty() {
            return Ok(());
        }
        let adapters = Adapters::Many { all: &groups, wanted: &groups };
        let encoded = t5.encode(&mut Tape::frozen(), adapters, &tokens, places.into(), &spans.into(), false);
        t5.cross_memory(adapters, &encoded, &to, memory);
        Ok(())
    }

    /// Tokens a sequence can still take.
    #[must_use]
    pub fn left(&self, lane: usize) -> usize {
        self.lanes.get(lane).and_then(Option::as_ref).map_or(0, |lane| lane.own.len() - lane.len)
    }

    /// Feeds tokens to some sequences (each named once) and returns the final hidden state `(inputs, width)` after the
    /// last token of each, in the order given.
    ///
    /// # Errors
    /// A token outside the vocabulary, or more tokens than a sequence has room for; then nothing was fed.
    pub fn feed(&mut self, model: &Model, inputs: &[Feed<'_>]) -> Result<Matrix, Error> {
        let order = by_adapter(inputs.iter().map(|input| input.adapter));
        let Layout { tokens, positions, to, wanted, groups, wanted_groups, spans, cross } =
            self.lay_out(model, inputs, &order)?;
        let adapters = Adapters::Many { all: &groups, wanted: &wanted_groups };
        let hidden = match model {
            Model::Llama(llama) => {
                let pass = Pass { tokens: &tokens, to: &to, positions: &positions, wanted: wanted.into() };
                run(llama, adapters, pass, &mut self.cache, spans, Rc::new([]))
            }
            Model::T5(t5) => {
                let pairs = Pairs { sources: Rc::new([]), targets: spans.into(), cross: cross.into() };
                let all = self.feed_decoder(t5, adapters, &tokens, &to, &pairs);
                rows_of(&all, &wanted)
            }
        };
        if order.is_sorted() {
            return Ok(hidden);
        }
        let mut place = vec![0; order.len()];
        order.iter().enumerate().for_each(|(row, &index)| place[index] = row);
        Ok(rows_of(&hidden, &place))
    }

    /// Checks the inputs, then says which row is what.
    fn lay_out<'a>(&mut self, model: &Model, inputs: &[Feed<'a>], order: &[usize]) -> Result<Layout<'a>, Error> {
        for input in inputs {
            model.check_tokens(input.tokens, 0)?;
            let lane = lane_of(&mut self.lanes, input.lane)?;
            if input.tokens.is_empty() || lane.len + input.tokens.len() > lane.own.len() {
                return Err(Error::TooLong { tokens: lane.len + input.tokens.len(), context: lane.own.len() });
            }
        }
        let mut pass = Layout::default();
        for (row, &index) in order.iter().enumerate() {
            let Feed { lane, adapter, tokens } = inputs[index];
            let lane = lane_of(&mut self.lanes, lane)?;
            let queries = pass.tokens.len()..pass.tokens.len() + tokens.len();
            pass.tokens.extend_from_slice(tokens);
            pass.positions.extend((0..tokens.len()).map(|i| (lane.prefix.len() + lane.len + i) as u32));
            pass.to.extend((0..tokens.len()).map(|i| lane.own.start + lane.len + i));
            lane.len += tokens.len();
            pass.wanted.push(queries.end - 1);
            grow(&mut pass.groups, queries.clone(), adapter);
            grow(&mut pass.wanted_groups, row..row + 1, adapter);
            let keys = lane.own.start..lane.own.start + lane.len;
            let (prefix, source) = (lane.prefix.clone(), lane.source.clone());
            pass.cross.push(Span { queries: queries.clone(), prefix: 0..0, keys: source, causal: false });
            pass.spans.push(Span { queries, prefix, keys, causal: true });
        }
        Ok(pass)
    }

    fn feed_decoder(&mut self, t5: &T5, adapters: Adapters<'_>, tokens: &[u32], to: &[usize], pairs: &Pairs) -> Matrix {
        let Some((encoded, _)) = &self.sources else { unreachable!("models with an encoder have room for sources") };
        let mut memory = DecoderMemory { own: &mut self.cache, rows: to, encoder: encoded };
        t5.decode_cached(adapters, tokens, pairs, &mut memory)
    }
}

/// A copy of some rows, in this order.
fn rows_of(from: &Matrix, rows: &[usize]) -> Matrix {
    let mut to = Matrix::scratch(rows.len(), from.cols());
    for (row, &index) in rows.iter().enumerate() {
        to.row_mut(row).copy_from_slice(from.row(index));
    }
    to
}

/// Which row of a pass is what.
#[derive(Default)]
struct Layout<'a> {
    tokens: Vec<u32>,
    positions: Vec<u32>,
    to: Vec<usize>,
    wanted: Vec<usize>,
    groups: Vec<Group<'a>>,
    wanted_groups: Vec<Group<'a>>,
    spans: Vec<Span>,
    cross: Vec<Span>,
}

fn lane_of(lanes: &mut [Option<Lane>], index: usize) -> Result<&mut Lane, Error> {
    lanes.get_mut(index).and_then(Option::as_mut).ok_or(Error::NoSequence(index))
}

/// Puts something in the first free place.
fn put<T>(places: &mut Vec<Option<T>>, new: T) -> usize {
    let place = places.iter().position(Option::is_none).unwrap_or(places.len());
    if place == places.len() {
        places.push(None);
    }
    places[place] = Some(new);
    place
}

fn same(a: Option<&Adapter>, b: Option<&Adapter>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => std::ptr::eq(a, b),
        _ => false,
    }
}

/// An order in which those with the same adapter stand together.
fn by_adapter<'a>(adapters: impl Iterator<Item = Option<&'a Adapter>>) -> Vec<usize> {
    let mut groups: Vec<(Option<&Adapter>, Vec<usize>)> = Vec::new();
    for (index, adapter) in adapters.enumerate() {
        match groups.iter_mut().find(|(of, _)| same(*of, adapter)) {
            Some((_, group)) => group.push(index),
            None => groups.push((adapter, vec![index])),
        }
    }
    groups.into_iter().flat_map(|(_, group)| group).collect()
}

/// Adds rows to the last group if they follow it and have the same adapter.
fn grow<'a>(groups: &mut Vec<Group<'a>>, rows: Range<usize>, adapter: Option<&'a Adapter>) {
    match groups.last_mut() {
        Some((range, of)) if same(*of, adapter) && range.end == rows.start => range.end = rows.end,
        _ => groups.push((rows, adapter)),
    }
}

/// What a Llama reads at once.
struct Pass<'p> {
    tokens: &'p [u32],
    /// Rows of the cache.
    to: &'p [usize],
    positions: &'p [u32],
    wanted: Rc<[usize]>,
}

/// Runs a Llama over a cache; returns the hidden states of the wanted rows.
fn run(
    llama: &Llama,
    adapters: Adapters<'_>,
    pass: Pass<'_>,
    cache: &mut Cache,
    spans: Vec<Span>,
    places: Rc<[usize]>,
) -> Matrix {
    let mut tape = Tape::frozen();
    // Soft prompts are only ever part of a prefix.
    let x = llama.embed(&mut tape, adapters, pass.tokens, places);
    let rows = Rows { spans: spans.into(), rope: llama.rope(pass.positions), wanted: pass.wanted };
    llama.forward(&mut tape, adapters, x, &rows, Memory::Cached { cache, rows: pass.to }, false).value().clone()
}

/// Greedy continuation of one sequence: at most `limit` new tokens, ended by (and without) any of `stop`.
///
/// # Errors
/// As [`Session::feed`].
pub fn greedy(
    model: &Model,
    adapter: Option<&Adapter>,
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
    let Some(lane) = session.open(prefix, encoded, capacity) else { return Err(Error::NoSequence(0)) };
    session.encode(model, &[Source { lane, adapter, tokens: source }])?;
    let (mut new, mut fed) = (Vec::new(), prompt.to_vec());
    while new.len() < limit {
        let hidden = session.feed(model, &[Feed { lane, adapter, tokens: &fed }])?;
        let logits = model.head_of(&hidden);
        let best =
            logits.data().iter().enumerate().fold((0, f32::NEG_INFINITY), |best, (token, &logit)| {
                if logit > best.1 { (token, logit) } else { best }
            });
        let token = best.0 as u32;
        if stop.contains(&token) {
            break;
        }
        new.push(token);
        fed = vec![token];
    }
    Ok(new)
}

impl Model {
    /// Logits `(rows, vocab)` of some rows of final hidden states.
    #[must_use]
    pub fn logits_of(&self, hidden: &Matrix, rows: &[usize]) -> Matrix {
        if rows.len() == hidden.rows() { self.head_of(hidden) } else { self.head_of(&rows_of(hidden, rows)) }
    }

    /// Logits `(rows, vocab)` of final hidden states.
    #[must_use]
    pub fn head_of(&self, hidden: &Matrix) -> Matrix {
        let (head, scale) = self.head();
        let mut logits = Matrix::scratch(hidden.rows(), head.rows());
        head.forward(hidden.data(), logits.data_mut(), scale, &[]);
        logits
    }

    /// Logits of some tokens after one row of final hidden states.
    ///
    /// # Panics
    /// When a token is not of the vocabulary.
    #[must_use]
    pub fn logits_among(&self, hidden: &[f32], tokens: &[u32]) -> Vec<f32> {
        let (head, scale) = self.head();
        head.forward_rows(hidden, tokens, scale)
    }

    /// Bytes that one row (token) of a [`Session`] takes.
    #[must_use]
    pub fn session_row_bytes(&self) -> usize {
        match self {
            Self::Llama(llama) => 8 * llama.config.layers * llama.config.kv_heads * llama.config.head_dim,
            Self::T5(t5) => 16 * t5.config.decoder_layers * t5.config.heads * t5.config.d_kv,
        }
    }
}
