use std::{ops::Range, rc::Rc};

use graft_ops::{Matrix, Span, Tape, Tensor};

use crate::{
    Adapter, Cache, Error, Model,
    llama::{Llama, Memory, Rows},
    t5::{DecoderMemory, Pairs, T5},
};

/// Keys and values of the tokens that every request of an adapter starts with (soft prompt and instruction), computed
/// once.
#[derive(Debug)]
pub struct Prefix {
    cache: Option<Cache>,
    rows: usize,
}

impl Prefix {
    /// Reads the prefix. Encoder–decoder models have none: their encoder sees the whole input at once.
    ///
    /// # Errors
    /// A token outside the vocabulary or more tokens than the context.
    pub fn new(model: &Model, adapter: Option<&Adapter>, tokens: &[u32]) -> Result<Self, Error> {
        let Model::Llama(llama) = model else { return Ok(Self { cache: None, rows: 0 }) };
        let virtual_tokens = adapter.map_or(0, Adapter::virtual_tokens);
        let rows = virtual_tokens + tokens.len();
        model.check_tokens(tokens, rows)?;
        if rows == 0 {
            return Ok(Self { cache: None, rows });
        }
        let all: Vec<u32> = std::iter::repeat_n(0, virtual_tokens).chain(tokens.iter().copied()).collect();
        let mut cache = llama.cache(rows);
        let span = Span { queries: 0..rows, prefix: 0..0, keys: 0..rows, causal: true };
        let to: Vec<usize> = (0..rows).collect();
        run(llama, adapter, &all, &mut cache, &to, &to, vec![span], Rc::new([rows - 1]));
        Ok(Self { cache: Some(cache), rows })
    }

    /// Rows it takes in a cache.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// Sequences being written side by side: each is fed tokens and gives the hidden state that predicts the next.
#[derive(Debug)]
pub struct Session<'m> {
    model: &'m Model,
    adapter: Option<&'m Adapter>,
    cache: Cache,
    /// What a decoder reads from the encoder.
    encoded: Option<Cache>,
    prefix: usize,
    lanes: Vec<Lane>,
}

/// One sequence's place in the caches.
#[derive(Clone, Debug)]
struct Lane {
    start: usize,
    len: usize,
    capacity: usize,
    source: Range<usize>,
}

impl<'m> Session<'m> {
    /// Room for sequences of the given lengths (tokens that will be fed after the prefix) on a decoder-only model.
    ///
    /// # Errors
    /// A sequence longer than the model's context.
    pub fn causal(
        model: &'m Model,
        adapter: Option<&'m Adapter>,
        prefix: &Prefix,
        capacities: &[usize],
    ) -> Result<Self, Error> {
        let Model::Llama(llama) = model else { return Self::paired(model, adapter, &[], capacities) };
        for capacity in capacities {
            model.check_tokens(&[], prefix.rows + capacity)?;
        }
        let mut cache = llama.cache(prefix.rows + capacities.iter().sum::<usize>());
        if let Some(from) = &prefix.cache {
            cache.copy_rows(from, prefix.rows);
        }
        let lanes = lanes(prefix.rows, capacities, &[]);
        Ok(Self { model, adapter, cache, encoded: None, prefix: prefix.rows, lanes })
    }

    /// Encodes the sources and makes room for a target of each on an encoder–decoder model.
    ///
    /// # Errors
    /// A token outside the vocabulary or a sequence longer than the context.
    pub fn paired(
        model: &'m Model,
        adapter: Option<&'m Adapter>,
        sources: &[&[u32]],
        capacities: &[usize],
    ) -> Result<Self, Error> {
        let Model::T5(t5) = model else {
            return Self::causal(model, adapter, &Prefix { cache: None, rows: 0 }, capacities);
        };
        let virtual_tokens = adapter.map_or(0, Adapter::virtual_tokens);
        let (mut tokens, mut places, mut ranges) = (Vec::new(), Vec::new(), Vec::new());
        for source in sources {
            model.check_tokens(source, source.len() + virtual_tokens)?;
            let start = tokens.len();
            places.push(start);
            tokens.extend(std::iter::repeat_n(0, virtual_tokens).chain(source.iter().copied()));
            ranges.push(start..tokens.len());
        }
        let spans: Rc<[Span]> =
            ranges.iter().map(|r| Span { queries: r.clone(), prefix: 0..0, keys: r.clone(), causal: false }).collect();
        let encoded = t5.encode(&mut Tape::frozen(), adapter, &tokens, places.into(), &spans, false);
        let mut memory = t5.cache(tokens.len());
        let rows: Vec<usize> = (0..tokens.len()).collect();
        t5.cross_memory(adapter, &encoded, &rows, &mut memory);
        let cache = t5.cache(capacities.iter().sum());
        Ok(Self { model, adapter, cache, encoded: Some(memory), prefix: 0, lanes: lanes(0, capacities, &ranges) })
    }

    /// Tokens a lane can still take.
    #[must_use]
    pub fn room(&self, lane: usize) -> usize {
        self.lanes[lane].capacity - self.lanes[lane].len
    }

    /// Feeds tokens to some lanes (each named once, with at least one token) and returns the final hidden state
    /// `(inputs, width)` after the last token of each.
    ///
    /// # Errors
    /// A token outside the vocabulary, or more tokens than a lane has room for.
    pub fn feed(&mut self, inputs: &[(usize, &[u32])]) -> Result<Matrix, Error> {
        let (mut tokens, mut positions, mut to) = (Vec::new(), Vec::new(), Vec::new());
        let (mut spans, mut cross, mut wanted) = (Vec::new(), Vec::new(), Vec::new());
        for &(index, fed) in inputs {
            let lane = &mut self.lanes[index];
            if fed.is_empty() || lane.len + fed.len() > lane.capacity {
                return Err(Error::TooLong { tokens: lane.len + fed.len(), context: lane.capacity });
            }
            self.model.check_tokens(fed, 0)?;
            let queries = tokens.len()..tokens.len() + fed.len();
            tokens.extend_from_slice(fed);
            positions.extend((0..fed.len()).map(|i| self.prefix + lane.len + i));
            to.extend((0..fed.len()).map(|i| lane.start + lane.len + i));
            lane.len += fed.len();
            wanted.push(queries.end - 1);
            let keys = lane.start..lane.start + lane.len;
            cross.push(Span { queries: queries.clone(), prefix: 0..0, keys: lane.source.clone(), causal: false });
            spans.push(Span { queries, prefix: 0..self.prefix, keys, causal: true });
        }
        match self.model {
            Model::Llama(llama) => {
                Ok(run(llama, self.adapter, &tokens, &mut self.cache, &to, &positions, spans, wanted.into()))
            }
            Model::T5(t5) => Ok(self.feed_decoder(t5, &tokens, &to, spans, cross, &wanted)),
        }
    }

    fn feed_decoder(
        &mut self,
        t5: &T5,
        tokens: &[u32],
        to: &[usize],
        spans: Vec<Span>,
        cross: Vec<Span>,
        wanted: &[usize],
    ) -> Matrix {
        let pairs = Pairs { sources: Rc::new([]), targets: spans.into(), cross: cross.into() };
        let Some(encoded) = &self.encoded else { unreachable!("paired sessions have encoded their sources") };
        let mut memory = DecoderMemory { own: &mut self.cache, rows: to, encoder: encoded };
        let hidden = t5.decode_cached(self.adapter, tokens, &pairs, &mut memory);
        let mut last = Matrix::scratch(wanted.len(), hidden.cols());
        for (row, &index) in wanted.iter().enumerate() {
            last.row_mut(row).copy_from_slice(hidden.row(index));
        }
        last
    }

    /// Logits `(inputs, vocab)` of hidden states that [`feed`](Self::feed) returned.
    #[must_use]
    pub fn logits(&self, hidden: &Matrix) -> Matrix {
        let (head, scale) = self.model.head();
        let mut logits = Matrix::scratch(hidden.rows(), head.rows());
        head.forward(hidden.data(), logits.data_mut(), scale);
        logits
    }
}

fn lanes(first: usize, capacities: &[usize], sources: &[Range<usize>]) -> Vec<Lane> {
    let mut start = first;
    let place = |(index, &capacity): (usize, &usize)| {
        let lane = Lane { start, len: 0, capacity, source: sources.get(index).cloned().unwrap_or(0..0) };
        start += capacity;
        lane
    };
    capacities.iter().enumerate().map(place).collect()
}

/// Runs a Llama over a cache; returns the hidden states of the wanted rows.
#[expect(clippy::too_many_arguments, reason = "rows, where they go and what they see")]
fn run(
    llama: &Llama,
    adapter: Option<&Adapter>,
    tokens: &[u32],
    cache: &mut Cache,
    to: &[usize],
    positions: &[usize],
    spans: Vec<Span>,
    wanted: Rc<[usize]>,
) -> Matrix {
    let mut tape = Tape::frozen();
    let positions: Vec<u32> = positions.iter().map(|p| *p as u32).collect();
    let has_prompt = positions.first() == Some(&0) && adapter.is_some_and(|a| a.virtual_tokens() > 0);
    let places: Rc<[usize]> = if has_prompt { Rc::new([0]) } else { Rc::new([]) };
    let x: Tensor = llama.embed(&mut tape, adapter, tokens, places);
    let rows = Rows { spans: spans.into(), rope: llama.rope(&positions), wanted };
    llama.forward(&mut tape, adapter, x, &rows, Memory::Cached { cache, rows: to }, false).value().clone()
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
    let capacity = [prompt.len() + limit];
    let prefix = Prefix::new(model, adapter, &[])?;
    let mut session = if model.has_encoder() {
        Session::paired(model, adapter, &[source], &capacity)?
    } else {
        Session::causal(model, adapter, &prefix, &capacity)?
    };
    let (mut new, mut fed) = (Vec::new(), prompt.to_vec());
    while new.len() < limit {
        let hidden = session.feed(&[(0, &fed)])?;
        let logits = session.logits(&hidden);
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
