//! One answer of a batch while it is written.

use std::time::Instant;

use crate::{Candidates, Completion, End, Error, Finished, Piece, Request, Result, TokenInfo, TokenMask, Update, Walk};

/// An answer being written.
pub(crate) struct Slot {
    pub(crate) request: Request,
    /// Its place in the session.
    pub(crate) place: usize,
    /// Which prefix it continues.
    pub(crate) prefix: Option<usize>,
    /// What the model must read next; `fed` of it is read.
    pending: Vec<u32>,
    fed: usize,
    walk: Walk,
    prompt_tokens: usize,
    /// Steps in which it was written, and the tokens that came of them: some are forced.
    steps: usize,
    written: usize,
    most: usize,
    text: Text,
    /// Tokens that no piece has told of.
    infos: Vec<TokenInfo>,
    noted: usize,
    came: Instant,
    began: Instant,
    end: Option<End>,
}

/// How much of the text was said, and where it must end.
#[derive(Default)]
struct Text {
    said: usize,
    /// Where a text that ends the answer begins.
    stop: Option<usize>,
}

/// Where an answer begins.
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
    /// Begins the answer, or gives the request back with the reason why not.
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

    /// Tokens that are still to be read.
    pub(crate) fn pending(&self) -> &[u32] {
        &self.pending[self.fed..]
    }

    /// Takes note that so many were read; whether that was all.
    pub(crate) fn read(&mut self, count: usize) -> bool {
        self.fed += count;
        self.fed == self.pending.len()
    }

    /// Steps in which it was written.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// Steps until it is as long as it may be, with as many tokens in each as until now.
    pub(crate) fn steps_left(&self) -> usize {
        let left = self.most.saturating_sub(self.written);
        (left * self.steps.max(1)).div_ceil(self.written.max(self.steps).max(1)).max(1)
    }

    /// Whether nothing more is written.
    pub(crate) fn ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether it wants to know more than the likeliest token.
    pub(crate) fn wants_all(&self) -> bool {
        self.request.sampling.is_some() || self.request.top.is_some_and(|top| top > 0)
    }

    /// The tokens that may come next.
    pub(crate) fn allowed(&mut self) -> Result<TokenMask> {
        self.walk.allowed()
    }

    /// Chooses the next token and whatever follows from it.
    pub(crate) fn advance(&mut self, candidates: &Candidates) -> Result<()> {
        self.steps += 1;
        if candidates.is_empty() {
            // Nothing may follow: what is written is all there will be.
            self.end = Some(End::Whole);
            return Ok(());
        }
        // Each token of each input has a draw of its own, whatever it is computed beside.
        let position = self.request.stream << 32 | self.written as u64;
        let token = match self.request.sampling {
            Some(sampling) => candidates.sample(sampling, position),
            None => candidates.best(),
        };
        let token = token.ok_or(Error::NotFinite)?;
        let log_prob = candidates.log_prob(token);
        if !log_prob.is_finite() {
            return Err(Error::NotFinite);
        }
        let top = self.top(candidates);
        self.walk.push(token, log_prob)?;
        self.note(top);
        // (1 + forced,) tokens: the model reads the choice and what must follow it in one step.
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
        // A text that ends the answer may have begun in what was said before, but not further back than its length.
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

    /// Keeps the probabilities of tokens that were pushed since, where they are wanted.
    fn note(&mut self, top: Vec<(Vec<u8>, f64)>) {
        if self.request.top.is_none() {
            return;
        }
        let vocabulary = self.request.guide.vocabulary();
        let new = self.walk.tokens().iter().zip(self.walk.scores()).skip(self.noted);
        for (&token, score) in new {
            let bytes = vocabulary.bytes(token).to_vec();
            // The token that ends the answer says nothing.
            if !bytes.is_empty() {
                self.infos.push(TokenInfo { bytes, log_prob: score.log_prob, top: top.clone() });
            }
        }
        self.noted = self.walk.tokens().len();
    }

    /// Says what is new; `false` if nobody listens.
    pub(crate) fn say(&mut self) -> bool {
        let piece = self.piece(false);
        let quiet = piece.text.is_empty() && piece.tokens.is_empty();
        (self.request.tell)(if quiet { Update::Waiting } else { Update::Written(piece) })
    }

    /// What was not said yet: whole characters, and nothing that may turn out to end the answer.
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

    /// Says that it failed.
    pub(crate) fn fail(mut self, error: Error) {
        (self.request.tell)(Update::Done(Err(error)));
    }

    /// Ends the answer and says so.
    pub(crate) fn finish(mut self, now: Instant) {
        let rest = self.piece(true);
        let Self { request, walk, prompt_tokens, text: Text { stop, .. }, came, began, end, .. } = self;
        let mut tell = request.tell;
        let answer_tokens = walk.tokens().len();
        let done = walk.finish().map(|finished| {
            let Finished { answer, wire, cut, confidence, spans } = cut_at(finished, stop);
            Box::new(Completion {
                answer,
                confidence,
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

/// The text of bytes that may end within a character, and how many of them it takes.
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

/// A finished answer up to where a text that ends it begins.
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
