//! Continuous batching: many answers in one matrix of token rows.
//!
//! Each step feeds the model a packed matrix without padding, (tokens of all slots, width): each row is one token of
//! one slot. A slot in decoding gives one row (more if tokens are forced); a slot in prefill gives up to a chunk of its
//! prompt. The session's attention ranges decide which keys a row may see (the slot's prefix and its own rows), so
//! slots with different adapters and lengths share the products with the base model's weights.

use std::{
    collections::HashMap,
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::{Duration, Instant},
};

use graft_kernels::pool;
use graft_nn::{Adapter, Generator, Matrix, Model, Next, OnHost};

use crate::{
    Candidates, Error, Priority, PromptCache, Request, Result, TokenMask, Update,
    pace::{Pace, Step},
    service::Ticket,
    slot::{Slot, Start},
};

/// Limits of a [`Batcher`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Answers decoded at once. A client without a running answer may exceed this, up to twice as many in total.
    pub slots: usize,
    /// The same on a GPU, which reads its weights once per step for all slots; at least `slots`.
    pub gpu_slots: usize,
    /// Bytes of the KV cache for all answers and prefixes.
    pub cache_bytes: usize,
    /// Prompt tokens per step while other answers are being decoded, so that these are not delayed.
    pub chunk: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { slots: 12, gpu_slots: 64, cache_bytes: 512 << 20, chunk: 128 }
    }
}

/// Prompt tokens per step while no answer is being decoded: enough rows for the products to run at full speed, and few
/// enough that a request arriving meanwhile does not wait long.
const HOST_CHUNK: usize = 256;
/// The same on a GPU. Also the number of source tokens per step for an encoder, which can't read a source in parts.
pub(crate) const WHOLE_CHUNK: usize = 1024;
/// Up to this many pending tokens count as a decoding step (a chosen token and the tokens forced after it), not as a
/// prompt.
const STEP: usize = 24;

/// If at most one token in `PART` is allowed next, the head is computed for these tokens alone. Otherwise the whole
/// head is faster: single rows are vector products, which read their weights more slowly than the product of whole
/// blocks.
const PART: usize = 16;

/// Continuous batching (Yu et al. 2022): requests join and leave the batch at each step of the model.
///
/// Rows of several adapters share the base model's products; each adapter's prefix is computed once. Apart from
/// rounding, an answer does not depend on the other answers in its batch.
pub struct Batcher {
    model: Arc<Model>,
    generator: Box<dyn Generator>,
    limits: Limits,
    prefixes: Vec<Prefix>,
    cache: Option<PromptCache>,
    /// Sorted by priority, then by arrival.
    waiting: Vec<Waiting>,
    /// In the order in which they started.
    running: Vec<Slot>,
    /// For each client, the turn in which a request of it last started.
    turns: HashMap<Arc<str>, u64>,
    steps: u64,
    pace: Pace,
}

/// A request in the queue.
struct Waiting {
    request: Request,
    came: Instant,
    /// Its place in the service's queue count, released when it starts or is cancelled.
    ticket: Option<Ticket>,
}

/// A prefix in the cache: soft prompt and instruction.
struct Prefix {
    /// Weak, so that the prefix does not keep an unused adapter in memory. While the weak reference exists, no other
    /// adapter can have the same address.
    adapter: Option<Weak<Adapter>>,
    tokens: Arc<[u32]>,
    place: usize,
    users: usize,
    used: u64,
}

/// Whether a request can start.
enum Begin {
    Now(Box<Slot>),
    /// There is no room yet.
    Later(Request),
    Never(Request, Error),
}

/// State of choosing one token.
enum Choice {
    /// Not chosen yet; the hidden states are in this row.
    Open(usize),
    /// Many tokens are allowed, so the whole head is needed for this row.
    Masked(usize, TokenMask),
    /// Chosen, or nothing to choose.
    Made,
    Failed(Error),
}

/// Prompt tokens that a slot must still read; 0 in decoding.
fn reading(slot: &Slot) -> usize {
    Some(slot.pending().len()).filter(|pending| *pending > STEP).unwrap_or(0)
}

/// Divides a budget max-min fairly: no one gets more than it wants, and all that want more get equal shares.
fn shares(budget: usize, wanted: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&index| wanted[index]);
    let (mut left, mut shares) = (budget, vec![0; wanted.len()]);
    for (place, &index) in order.iter().enumerate() {
        shares[index] = wanted[index].min(left.div_ceil(order.len() - place));
        left -= shares[index];
    }
    shares
}

/// Divides a budget among the prompts of one client, ordered from oldest to newest. The prompts with the fewest
/// remaining tokens come first, so that most answers start soon; a quarter is reserved for the oldest, so that it
/// finishes too.
fn turns(budget: usize, wanted: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; wanted.len()];
    let mut left = budget;
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|&index| wanted[index]);
    for (index, most) in std::iter::once((0, budget.div_ceil(4))).chain(order.into_iter().map(|index| (index, budget)))
    {
        let count = (wanted[index] - counts[index]).min(most).min(left);
        counts[index] += count;
        left -= count;
    }
    counts
}

impl Batcher {
    /// An empty batch on the CPU.
    #[must_use]
    pub fn new(model: Arc<Model>, limits: Limits) -> Self {
        let rows = (limits.cache_bytes / model.session_row_bytes().max(1)).max(64);
        let generator = Box::new(OnHost::new(Arc::clone(&model), rows));
        Self::on(generator, model, limits)
    }

    /// An empty batch on a device.
    #[must_use]
    pub fn on(generator: Box<dyn Generator>, model: Arc<Model>, limits: Limits) -> Self {
        Self {
            model,
            generator,
            limits,
            prefixes: Vec::new(),
            cache: None,
            waiting: Vec::new(),
            running: Vec::new(),
            turns: HashMap::new(),
            steps: 0,
            pace: Pace::default(),
        }
    }

    /// Stores computed instructions in this cache.
    #[must_use]
    pub fn with_prompt_cache(mut self, cache: Option<PromptCache>) -> Self {
        self.cache = cache;
        self
    }

    /// The model.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Queues a request behind those of the same or a higher priority.
    pub fn submit(&mut self, request: Request, now: Instant) {
        self.enqueue(request, now, None);
    }

    pub(crate) fn enqueue(&mut self, request: Request, came: Instant, ticket: Option<Ticket>) {
        let place = self.waiting.partition_point(|waiting| waiting.request.priority <= request.priority);
        self.waiting.insert(place, Waiting { request, came, ticket });
    }

    /// Number of requests in the queue.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Number of answers being written.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_empty()
    }

    /// Expected time until the next running answer ends, from the recent speed and what is left of each answer; `None`
    /// before any speed is known.
    #[must_use]
    pub fn until_next_end(&self) -> Option<Duration> {
        let left: Vec<(usize, usize)> = self.running.iter().map(|slot| (reading(slot), self.pace.left(slot))).collect();
        self.pace.until_next_end(&left, self.limits.chunk)
    }

    /// One step: requests start, each answer gets its next token, and complete answers are delivered.
    pub fn step(&mut self, now: Instant) {
        self.steps += 1;
        self.pace.took(now);
        self.drop_late(now);
        let encoded = self.begin(now);
        let plan = self.plan();
        if plan.is_empty() {
            return;
        }
        let read: usize =
            plan.iter().filter(|(index, _)| reading(&self.running[*index]) > 0).map(|(_, count)| count).sum();
        let writes = self.running.iter().any(|slot| reading(slot) == 0);
        let inputs: Vec<Next<'_>> = plan
            .iter()
            .map(|&(index, count)| {
                let slot = &self.running[index];
                let adapter = slot.request.adapter.as_ref();
                Next { slot: slot.place, adapter, tokens: &slot.pending()[..count] }
            })
            .collect();
        // (slots of the plan, width): the hidden state of each slot's last token in this step.
        let hidden = match self.generator.feed(&inputs) {
            Ok(hidden) => hidden,
            Err(error) => return self.fail(&plan, error),
        };
        let mut ready = Vec::new();
        for (row, &(index, count)) in plan.iter().enumerate() {
            // A slot whose prompt is not read completely has no token to choose yet.
            if self.running[index].read(count) {
                ready.push((row, index));
            }
        }
        self.advance(hidden.as_ref(), &ready);
        self.end();
        self.deliver();
        if !self.is_idle() {
            self.pace.began = Some(Step { at: now, read: read + encoded, writes });
        }
    }

    /// Chooses the next token of each answer that is ready, given as pairs (row of hidden states, index of the slot).
    /// `hidden` is `None` if the states are on the device.
    fn advance(&mut self, hidden: Option<&Matrix>, ready: &[(usize, usize)]) {
        let mut choices: Vec<Choice> = self.running.iter().map(|_| Choice::Made).collect();
        ready.iter().for_each(|&(row, index)| choices[index] = Choice::Open(row));
        let model = Arc::clone(&self.model);
        // Where few tokens are allowed (fixed values, grounded strings), each slot computes their logits alone:
        // (allowed,).
        self.choose(&mut choices, |slot, choice| {
            let Choice::Open(row) = choice else { return Ok(choice) };
            let mask = slot.allowed()?;
            let Some(hidden) = hidden.filter(|_| mask.count() * PART <= model.vocab()) else {
                return Ok(Choice::Masked(row, mask));
            };
            let ids: Vec<u32> = mask.iter().collect();
            let logits = model.logits_among(hidden.row(row), &ids, slot.request.adapter.as_deref());
            slot.advance(&Candidates::few(ids, logits))?;
            Ok(Choice::Made)
        });
        match hidden {
            Some(hidden) => self.choose_masked(&mut choices, hidden),
            None => self.choose_on_device(&mut choices),
        }
        // From last to first, because removing a slot shifts those after it.
        for (index, choice) in choices.into_iter().enumerate().rev() {
            if let Choice::Failed(error) = choice {
                self.remove(index).fail(error);
            }
        }
    }

    /// Slots with many allowed tokens share one product with the head.
    fn choose_masked(&mut self, choices: &mut [Choice], hidden: &Matrix) {
        let masked = self.running.iter().zip(&*choices).filter_map(|(slot, choice)| match choice {
            Choice::Masked(row, _) => Some((*row, slot.request.adapter.as_deref())),
            _ => None,
        });
        let (rows, adapters): (Vec<usize>, Vec<_>) = masked.unzip();
        if rows.is_empty() {
            return;
        }
        // (rows, vocabulary).
        let with: Vec<_> = rows.iter().copied().zip(adapters).collect();
        let logits = self.model.logits_of(hidden, &with);
        self.choose(choices, |slot, choice| {
            let Choice::Masked(row, mask) = choice else { return Ok(choice) };
            let place = rows.iter().position(|r| *r == row).unwrap_or(0);
            slot.advance(&Candidates::masked(&mask, logits.row(place)))?;
            Ok(Choice::Made)
        });
    }

    /// The device finds the most likely tokens; whole rows of logits come back only if a request needs them.
    fn choose_on_device(&mut self, choices: &mut [Choice]) {
        let (mut rows, mut masks, mut whole) = (Vec::new(), Vec::new(), Vec::new());
        for (slot, choice) in self.running.iter().zip(&*choices) {
            let Choice::Masked(row, mask) = choice else { continue };
            if slot.wants_all() {
                whole.push(*row);
            } else {
                rows.push(*row);
                masks.push(mask.words());
            }
        }
        let best = if rows.is_empty() { Ok(Vec::new()) } else { self.generator.best(&rows, &masks) };
        let logits = if whole.is_empty() { Ok(Matrix::scratch(0, 0)) } else { self.generator.logits(&whole) };
        let (best, logits) = match (best, logits) {
            (Ok(best), Ok(logits)) => (best, logits),
            (Err(error), _) | (_, Err(error)) => {
                let mut error = Some(Error::Model(error));
                for choice in choices.iter_mut().filter(|choice| matches!(choice, Choice::Masked(..))) {
                    *choice = Choice::Failed(error.take().unwrap_or(Error::Interrupted));
                }
                return;
            }
        };
        self.choose(choices, |slot, choice| {
            let Choice::Masked(row, mask) = choice else { return Ok(choice) };
            let candidates = match whole.iter().position(|r| *r == row) {
                Some(place) => Candidates::masked(&mask, logits.row(place)),
                None => Candidates::likeliest_of_all(best[rows.iter().position(|r| *r == row).unwrap_or(0)]),
            };
            slot.advance(&candidates)?;
            Ok(Choice::Made)
        });
    }

    /// Advances each choice by one step, on all threads.
    fn choose(&mut self, choices: &mut [Choice], step: impl Fn(&mut Slot, Choice) -> Result<Choice> + Sync) {
        let panic = Mutex::new(None);
        pool::for_each_chunks((&mut self.running, 1), (choices, 1), |_, slots, choices| {
            let Some((slot, choice)) = slots.first_mut().zip(choices.first_mut()) else { return };
            let taken = mem::replace(choice, Choice::Made);
            match catch_unwind(AssertUnwindSafe(|| step(slot, taken))) {
                Ok(next) => *choice = next.unwrap_or_else(Choice::Failed),
                Err(what) => *panic.lock().unwrap_or_else(PoisonError::into_inner) = Some(what),
            }
        });
        // Rethrown here, so that the service catches the panic as if a single thread had run.
        if let Some(what) = panic.into_inner().unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(what);
        }
    }

    /// Ends requests that were cancelled or passed their deadline.
    fn drop_late(&mut self, now: Instant) {
        let retry_after = self.until_next_end().unwrap_or_default();
        let late = |request: &Request| request.deadline.is_some_and(|deadline| deadline <= now);
        self.waiting.retain_mut(|Waiting { request, .. }| {
            if late(request) {
                (request.tell)(Update::Done(Err(Error::Deadline { retry_after })));
                return false;
            }
            (request.tell)(Update::Waiting)
        });
        for index in (0..self.running.len()).rev() {
            if late(&self.running[index].request) {
                self.remove(index).fail(Error::Deadline { retry_after });
            }
        }
    }

    /// Sends each client its new text, and ends answers whose client is gone.
    fn deliver(&mut self) {
        for index in (0..self.running.len()).rev() {
            if !self.running[index].deliver() {
                drop(self.remove(index));
            }
        }
    }

    /// Starts requests while there is room, taking clients in turn. Returns how many tokens an encoder read.
    fn begin(&mut self, now: Instant) -> usize {
        let (first, encoder) = (self.running.len(), self.model.has_encoder());
        let mut sources = 0;
        while sources < WHOLE_CHUNK {
            let Some(index) = self.next() else { break };
            let Waiting { request, came, ticket } = self.waiting.remove(index);
            let (client, tokens) = (Arc::clone(&request.client), request.prompt.len());
            match self.place(request, came, now) {
                Begin::Now(slot) => {
                    self.running.push(*slot);
                    let turn = self.turn();
                    self.turns.insert(client, turn);
                    sources += if encoder { tokens } else { 0 };
                }
                Begin::Later(request) => {
                    self.waiting.insert(index, Waiting { request, came, ticket });
                    break;
                }
                Begin::Never(mut request, error) => drop((request.tell)(Update::Done(Err(error)))),
            }
        }
        if !encoder || first == self.running.len() {
            return 0;
        }
        let new = self.running[first..].iter().map(|slot| Next {
            slot: slot.place,
            adapter: slot.request.adapter.as_ref(),
            tokens: &slot.request.prompt,
        });
        if let Err(error) = self.generator.encode(&new.collect::<Vec<_>>()) {
            let new: Vec<(usize, usize)> = (first..self.running.len()).map(|index| (index, 0)).collect();
            self.fail(&new, error);
        }
        sources
    }

    /// Which waiting request starts next, if any: within the highest priority, one of the client with the fewest
    /// running answers, and among such clients the one whose last turn is longest ago.
    fn next(&self) -> Option<usize> {
        let first = self.waiting.first()?.request.priority;
        if first == Priority::Urgent {
            return Some(0);
        }
        let most = if first == Priority::Normal { 2 * self.limits.slots } else { self.limits.slots };
        if self.running.len() >= most {
            return None;
        }
        let mut written: HashMap<&str, usize> = HashMap::new();
        self.running.iter().for_each(|slot| *written.entry(&slot.request.client).or_default() += 1);
        let turn = |waiting: &Waiting| {
            let client = &waiting.request.client;
            (written.get(&**client).copied().unwrap_or(0), self.turns.get(client).copied().unwrap_or(0))
        };
        let equals = self.waiting.iter().take_while(|waiting| waiting.request.priority == first);
        let (index, (written, _)) = equals.map(turn).enumerate().min_by_key(|(_, turn)| *turn)?;
        (self.running.len() < self.limits.slots || written == 0).then_some(index)
    }

    /// The next turn number. Clients without waiting or running requests are removed from the list.
    fn turn(&mut self) -> u64 {
        if self.turns.len() > 1000 {
            let (waiting, running) = (&self.waiting, &self.running);
            let asks = |client: &Arc<str>| {
                waiting.iter().any(|waiting| waiting.request.client == *client)
                    || running.iter().any(|slot| slot.request.client == *client)
            };
            self.turns.retain(|client, _| asks(client));
        }
        self.turns.values().max().map_or(1, |last| last + 1)
    }

    /// Reserves a slot and cache rows for a request.
    fn place(&mut self, request: Request, came: Instant, now: Instant) -> Begin {
        let virtual_tokens = request.adapter.as_ref().map_or(0, |adapter| adapter.virtual_tokens());
        let prompt_tokens = request.shared.len() + request.prompt.len();
        let room = match self.room(&request, virtual_tokens) {
            Ok(room) => room,
            Err(error) => return Begin::Never(request, error),
        };
        let encoder = self.model.has_encoder();
        let (source, first) = match encoder {
            true => (virtual_tokens + request.prompt.len(), vec![self.model.decoder_start()]),
            false => (0, request.prompt.clone()),
        };
        let (prefix, place) = match self.rows(&request, source, first.len() + room) {
            Ok(Some(found)) => found,
            Ok(None) => return Begin::Later(request),
            Err(error) => return Begin::Never(request, error),
        };
        if let Some(prefix) = self.prefixes.iter_mut().find(|p| Some(p.place) == prefix) {
            prefix.users += 1;
        }
        let start = Start { place, prefix, first, prompt_tokens, most: room, came, now };
        match Slot::new(request, start) {
            Ok(slot) => Begin::Now(Box::new(slot)),
            Err(failed) => {
                let (request, error) = *failed;
                self.release(place, prefix);
                Begin::Never(request, error)
            }
        }
    }

    /// Reserves a prefix and rows in the session, evicting unused prefixes if needed.
    fn rows(&mut self, request: &Request, source: usize, capacity: usize) -> Result<Option<(Option<usize>, usize)>> {
        loop {
            let prefix = match self.model.has_encoder() {
                true => None,
                false => match self.prefix(request)? {
                    None => return Ok(None),
                    found => found,
                },
            };
            loop {
                match self.generator.open(prefix, source, capacity) {
                    Some(place) => return Ok(Some((prefix, place))),
                    None if self.evict(prefix) => {}
                    None => break,
                }
            }
            // If no other answer is running, the request's own prefix splits the free space: evict it and read it again
            // at the start.
            if !self.running.is_empty() || !self.evict(None) {
                return Ok(None);
            }
        }
    }

    /// Number of answer tokens that fit into the context and the cache.
    fn room(&self, request: &Request, virtual_tokens: usize) -> Result<usize> {
        let encoder = self.model.has_encoder();
        if request.prompt.is_empty() {
            return Err(Error::EmptyPrompt);
        }
        let prompt = virtual_tokens + request.shared.len() + request.prompt.len();
        let limit = self.model.context().min(self.generator.rows());
        let taken = if encoder { 1 } else { prompt + 1 };
        let room = limit.saturating_sub(taken).min(request.max_tokens);
        if room == 0 || prompt >= limit {
            return Err(Error::Model(graft_nn::Error::TooLong { tokens: prompt + 1, context: limit }));
        }
        let vocab = self.model.vocab();
        match request.prompt.iter().find(|&&token| token as usize >= vocab) {
            Some(&token) => Err(Error::Model(graft_nn::Error::BadToken { token, vocab })),
            None => Ok(room),
        }
    }

    /// Index of the prefix that a request starts with, computed now if it is new; `None` if there is no room for it.
    fn prefix(&mut self, request: &Request) -> Result<Option<usize>> {
        let same = |prefix: &Prefix| {
            let adapter = match (&prefix.adapter, &request.adapter) {
                (None, None) => true,
                (Some(a), Some(b)) => std::ptr::eq(a.as_ptr(), Arc::as_ptr(b)),
                _ => false,
            };
            adapter && prefix.tokens == request.shared
        };
        if let Some(found) = self.prefixes.iter_mut().find(|prefix| same(prefix)) {
            found.used = self.steps;
            return Ok(Some(found.place));
        }
        // Prefixes of dropped adapters can't be used again.
        while self.evict_where(|prefix| prefix.adapter.as_ref().is_some_and(|a| a.strong_count() == 0)) {}
        let (adapter, shared) = (request.adapter.as_ref(), &*request.shared);
        let kept = self.cache.as_ref().and_then(|cache| cache.read(adapter.map(|a| &**a), shared));
        loop {
            let place = match &kept {
                Some(numbers) => self.generator.restore(adapter, shared, numbers),
                None => self.generator.prefix(adapter, shared),
            };
            if let Some(place) = place.map_err(Error::Model)? {
                if let (Some(cache), None) = (&self.cache, &kept) {
                    cache.write(adapter.map(|a| &**a), shared, &self.generator.numbers_of(place));
                }
                let (adapter, tokens) = (request.adapter.as_ref().map(Arc::downgrade), Arc::clone(&request.shared));
                self.prefixes.push(Prefix { adapter, tokens, place, users: 0, used: self.steps });
                return Ok(Some(place));
            }
            if !self.evict(None) {
                return Ok(None);
            }
        }
    }

    /// Evicts the least recently used prefix without users; returns whether there was one.
    fn evict(&mut self, keep: Option<usize>) -> bool {
        let oldest = self.prefixes.iter().filter(|p| p.users == 0 && Some(p.place) != keep).map(|p| p.used).min();
        oldest.is_some_and(|used| self.evict_where(|prefix| prefix.used == used && Some(prefix.place) != keep))
    }

    fn evict_where(&mut self, which: impl Fn(&Prefix) -> bool) -> bool {
        let Some(index) = self.prefixes.iter().position(|prefix| prefix.users == 0 && which(prefix)) else {
            return false;
        };
        self.generator.forget(self.prefixes.remove(index).place);
        true
    }

    /// How many tokens each slot is fed: all of a slot in decoding, and a bounded number of prompt tokens, divided
    /// among clients.
    fn plan(&self) -> Vec<(usize, usize)> {
        let mut counts: Vec<usize> = self.running.iter().map(|slot| slot.pending().len()).collect();
        let mut prompts: Vec<(&str, Vec<usize>)> = Vec::new();
        for (index, slot) in self.running.iter().enumerate().filter(|(_, slot)| reading(slot) > 0) {
            let client = &*slot.request.client;
            match prompts.iter_mut().find(|(other, _)| *other == client) {
                Some((_, its)) => its.push(index),
                None => prompts.push((client, vec![index])),
            }
        }
        let writes = self.running.iter().any(|slot| reading(slot) == 0);
        let budget = if writes { self.limits.chunk.max(1) } else { self.limits.chunk.max(HOST_CHUNK) };
        let wanted: Vec<usize> = prompts.iter().map(|(_, its)| its.iter().map(|&index| counts[index]).sum()).collect();
        for ((_, its), share) in prompts.iter().zip(shares(budget, &wanted)) {
            let wanted: Vec<usize> = its.iter().map(|&index| counts[index]).collect();
            its.iter().zip(turns(share, &wanted)).for_each(|(&index, count)| counts[index] = count);
        }
        counts.into_iter().enumerate().filter(|(_, count)| *count > 0).collect()
    }

    fn remove(&mut self, index: usize) -> Slot {
        let slot = self.running.remove(index);
        self.release(slot.place, slot.prefix);
        slot
    }

    fn release(&mut self, place: usize, prefix: Option<usize>) {
        self.generator.close(place);
        if let Some(prefix) = self.prefixes.iter_mut().find(|p| Some(p.place) == prefix) {
            prefix.users -= 1;
        }
    }

    /// The session failed: the answers of the plan fail.
    fn fail(&mut self, plan: &[(usize, usize)], error: graft_nn::Error) {
        let mut error = Some(Error::Model(error));
        for &(index, _) in plan.iter().rev() {
            self.remove(index).fail(error.take().unwrap_or(Error::Interrupted));
        }
    }

    /// Delivers complete answers.
    fn end(&mut self) {
        let now = Instant::now();
        let mut index = 0;
        while index < self.running.len() {
            if self.running[index].ended() {
                let slot = self.remove(index);
                self.pace.answered(&slot);
                slot.finish(now);
            } else {
                index += 1;
            }
        }
    }
}
