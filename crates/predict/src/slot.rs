//! One answer of a batch while it is decoded.

use std::time::Instant;

use crate::{Candidates, Completion, End, Error, Finished, Piece, Request, Result, TokenInfo, TokenMask, Update, Walk};

/// An answer being decoded.
pub(crate) struct Slot {
    pub(crate) request: Request,
    /// Its index in the session.
    pub(crate) place: usize,
    /// The prefix it continues.
    pub(crate) prefix: Option<usize>,
    /// Tokens for the model to read; the first `fed` are read.
    pending: Vec<u32>,
    fed: usize,
    walk: Walk,
    prompt_tokens: usize,
    /// Steps in which it was decoded, and tokens they produced: some are forced.
    steps: usize,
    written: usize,
    most: usize,
    text: Text,
    /// Tokens not reported yet.
    infos: Vec<TokenInfo>,
    noted: usize,
    came: Instant,
    began: Instant,
    end: Option<End>,
}

/// How much of the text was sent, and where it must end.
#[derive(Default)]
struct Text {
    said: usize,
    /// Byte at which a stop text begins.
    stop: Option<usize>,
}

/// What a new answer starts with.
pub(crate) struct Start {
    pub(crate) place: usize,
    pub(crate) prefix: Option<usize>,
    pub(crate) first: Vec<u32>,
    pub(crate) prompt_tokens: usize,
    pub(crate) most: usize,
    pub(crate) came: Instant,
    pub(crate) now: Instant,
}

impl Slot {
    /// Starts the answer, or returns the request with the error.
    pub(crate) fn new(request: Request, start: Start) -> std::result::Result<Self, Box<(Request, Error)>> {
        let Start { place, prefix, first: mut pending, prompt_tokens, most, came, now: began } = start;
        let mut walk = request.guide.start(request.grounding.clone());
        let forced = match walk.forced() {
            Ok(forced) => forced,
            Err(error) => return Err(Box::new((request, error))),
        };
        let written = forced.len();
        pending.extend(forced);
        let mut slot = Self {
            request,
            place,
            prefix,
            pending,
            fed: 0,
            walk,
            prompt_tokens,
            steps: 0,
            written,
            most,
            text: Text::default(),
            infos: Vec::new(),
            noted: 0,
            came,
            began,
            end: None,
        };
        slot.note(Vec::new());
        Ok(slot)
    }

    /// Tokens still to read.
    pub(crate) fn pending(&self) -> &[u32] {
        &self.pending[self.fed..]
    }

    /// Records that `count` tokens were read; returns whether that was the last of them.
    pub(crate) fn read(&mut self, count: usize) -> bool {
        self.fed += count;
        self.fed == self.pending.len()
    }

    /// Steps in which it was decoded.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Steps until its token limit, at its present number of tokens per step.
    pub(crate) fn steps_left(&self) -> usize {
        let left = self.most.saturating_sub(self.written);
        (left * self.steps.max(1)).div_ceil(self.written.max(self.steps).max(1)).max(1)
    }

    /// Whether decoding has ended.
    pub(crate) fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it needs more than the most likely token.
    pub(crate) fn wants_all(&self) -> bool {
        let Request { sampling, adjustments, label_bias, top, .. } = &self.request;
        sampling.is_some() || label_bias.is_some() || !adjustments.is_none() || top.is_some_and(|top| top > 0)
    }

    /// The tokens allowed next.
    pub(crate) fn allowed(&mut self) -> Result<TokenMask> {
        self.walk.allowed()
    }

    /// Chooses the next token, and appends the tokens forced after it.
    pub(crate) fn advance(&mut self, candidates: &Candidates) -> Result<()> {
        self.steps += 1;
        if candidates.is_empty() {
            // No token is allowed: the text is complete.
            self.end = Some(End::Whole);
            return Ok(());
        }
        let biased = self.request.label_bias.as_ref().map(|bias| bias.apply(candidates, &self.walk));
        let candidates = biased.as_ref().unwrap_or(candidates);
        // Each token of each input has its own random draw, independent of the batch.
        let position = self.request.stream << 32 | self.written as u64;
        let adjusted = candidates.adjusted(&self.request.adjustments, self.walk.tokens());
        let token = match self.request.sampling {
            Some(sampling) => adjusted.sample(sampling, position),
            None => adjusted.best(),
        };
        let token = token.ok_or(Error::NotFinite)?;
        let log_prob = candidates.log_prob(token);
        if !log_prob.is_finite() {
            return Err(Error::NotFinite);
        }
        let top = self.top(candidates);
        self.walk.push(token, log_prob)?;
        self.note(top);
        // (1 + forced,) tokens: the model reads the chosen token and the forced ones in one step.
        (self.pending, self.fed) = (vec![token], 0);
        self.written += 1;
        if !self.walk.is_done() {
            let forced = self.walk.forced()?;
            self.written += forced.len();
            self.pending.extend(forced);
            self.note(Vec::new());
        }
        self.look_for_end();
        Ok(())
    }

    fn look_for_end(&mut self) {
        let wire = self.walk.wire();
        // A stop text may have started in text that was sent before, but not further back than its own length.
        let longest = self.request.stop.iter().map(String::len).max().unwrap_or(0);
        let from = self.text.said.saturating_sub(longest).min(wire.len());
        let find = |stop: &String| wire[from..].windows(stop.len().max(1)).position(|part| part == stop.as_bytes());
        self.text.stop = self.request.stop.iter().filter_map(find).min().map(|at| from + at);
        self.end = match () {
            () if self.text.stop.is_some() => Some(End::Stop),
            () if self.walk.is_done() => Some(End::Whole),
            () if self.written >= self.most => Some(End::Length),
            () => None,
        };
    }

    fn top(&self, candidates: &Candidates) -> Vec<(Vec<u8>, f64)> {
        let vocabulary = self.request.guide.vocabulary();
        let count = self.request.top.unwrap_or(0);
        let tokens = if count == 0 { Vec::new() } else { candidates.likeliest(count) };
        tokens.iter().map(|&token| (vocabulary.bytes(token).to_vec(), candidates.log_prob(token))).collect()
    }

    /// Stores the probabilities of new tokens, if requested.
    fn note(&mut self, top: Vec<(Vec<u8>, f64)>) {
        if self.request.top.is_none() {
            return;
        }
        let vocabulary = self.request.guide.vocabulary();
        let new = self.walk.tokens().iter().zip(self.walk.scores()).skip(self.noted);
        for (&token, score) in new {
            let bytes = vocabulary.bytes(token).to_vec();
            // The end token adds no text.
            if !bytes.is_empty() {
                self.infos.push(TokenInfo { bytes, log_prob: score.log_prob, top: top.clone() });
            }
        }
        self.noted = self.walk.tokens().len();
    }

    /// Sends what is new; returns `false` if the client is gone.
    pub(crate) fn deliver(&mut self) -> bool {
        let piece = self.piece(false);
        let quiet = piece.text.is_empty() && piece.tokens.is_empty();
        (self.request.tell)(if quiet { Update::Waiting } else { Update::Written(piece) })
    }

    /// The unsent text: whole characters, without a suffix that may become a stop text.
    fn piece(&mut self, last: bool) -> Piece {
        let wire = self.walk.wire();
        let longest = self.request.stop.iter().map(String::len).max().unwrap_or(0);
        let end = match self.text.stop {
            Some(stop) => stop,
            None if last => wire.len(),
            None => wire.len().saturating_sub(longest.saturating_sub(1)),
        };
        let from = self.text.said.min(wire.len());
        let (text, said) = whole_characters(&wire[from..end.max(from)], last);
        self.text.said = from + said;
        Piece { text, tokens: std::mem::take(&mut self.infos) }
    }

    /// Reports that it failed.
    pub(crate) fn fail(mut self, error: Error) {
        (self.request.tell)(Update::Done(Err(error)));
    }

    /// Ends the answer and delivers it.
    pub(crate) fn finish(mut self, now: Instant) {
        let rest = self.piece(true);
        let Self { request, walk, prompt_tokens, text: Text { stop, .. }, came, began, end, .. } = self;
        let mut tell = request.tell;
        let answer_tokens = walk.tokens().len();
        let log_prob = walk.scores().iter().map(|score| score.log_prob).sum::<f64>() / answer_tokens.max(1) as f64;
        let done = walk.finish().map(|finished| {
            let Finished { answer, wire, cut, confidence, spans } = cut_at(finished, stop);
            Box::new(Completion {
                answer,
                confidence,
                log_prob,
                spans,
                valid: !cut,
                prompt_tokens,
                answer_tokens,
                text: wire,
                end: end.unwrap_or(End::Length),
                rest,
                waited: (began - came).as_secs_f64(),
                seconds: (now - began).as_secs_f64(),
            })
        });
        tell(Update::Done(done));
    }
}

/// The text of bytes that may end inside a character, and the number of bytes used.
fn whole_characters(bytes: &[u8], last: bool) -> (String, usize) {
    let (mut text, mut taken) = (String::new(), 0);
    for chunk in bytes.utf8_chunks() {
        text += chunk.valid();
        taken += chunk.valid().len();
        let whole = taken + chunk.invalid().len() < bytes.len();
        if !chunk.invalid().is_empty() && (whole || chunk.invalid().len() > 3) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        if whole || last {
            taken += chunk.invalid().len();
        }
    }
    (text, taken)
}

/// A finished answer, cut where a stop text begins.
fn cut_at(mut finished: Finished, stop: Option<usize>) -> Finished {
    let Some(stop) = stop else { return finished };
    let text = &mut finished.wire;
    let at = (0..=stop.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    text.truncate(at);
    if finished.answer.is_string() {
        finished.answer = text.clone().into();
    }
    finished.cut = false;
    finished
}
