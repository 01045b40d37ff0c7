//! Constrained decoding: which tokens are allowed next in an answer.

use std::{collections::BTreeMap, sync::Arc};

use graft_core::AnswerForm;
use llguidance::Matcher;
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::SimpleVob;
use serde_json::{Value, json};

use crate::{Codec, Confidence, Error, Grounding, InputSpan, Result, TokenMask, TokenScore, Vocabulary};

/// An answer form compiled for one tokenizer, shared by all answers. Clones are cheap.
#[derive(Clone)]
pub struct Guide(Arc<Parts>);

struct Parts {
    codec: Codec,
    vocabulary: Arc<Vocabulary>,
    /// The state before the first token; `None` for free text.
    start: Option<Matcher>,
    /// Whether the tokenizer adds a space before the answer that is not part of it.
    strips_space: bool,
}

impl std::fmt::Debug for Guide {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guide").field("codec", &self.0.codec).finish_non_exhaustive()
    }
}

impl Guide {
    /// Compiles the grammar of an answer form.
    ///
    /// # Errors
    /// [`Error::Schema`] if the form is not supported, [`Error::Tokenizer`] if the tokenizer lacks a character of it,
    /// [`Error::Grammar`] if the grammar is too large.
    pub fn new(form: &AnswerForm, vocabulary: Arc<Vocabulary>) -> Result<Self> {
        let spaced = vocabulary.adds_space;
        Self::after_prompt(form, vocabulary, spaced)
    }

    /// Like [`new`](Self::new), for a prompt after which the answer's first token has a space that is not part of the answer,
    /// or has none.
    ///
    /// # Errors
    /// Like [`new`](Self::new).
    pub fn after_prompt(form: &AnswerForm, vocabulary: Arc<Vocabulary>, spaced: bool) -> Result<Self> {
        let codec = Codec::new(form)?;
        if let Some(character) = codec.characters().into_iter().find(|&c| !vocabulary.can_write(c)) {
            return Err(Error::Tokenizer(format!("it has no token for `{character}`, which the task's answers need")));
        }
        let strips_space = spaced && !codec.starts_with_space();
        let grammar = codec.grammar(if strips_space { " " } else { "" });
        let start = grammar.map(|lark| compile(&vocabulary, lark)).transpose()?;
        Ok(Self(Arc::new(Parts { codec, vocabulary, start, strips_space })))
    }

    /// Allows any text until the model ends it.
    ///
    /// # Errors
    /// None in practice; as [`new`](Self::new).
    pub fn text(vocabulary: Arc<Vocabulary>) -> Result<Self> {
        Self::new(&AnswerForm::Text, vocabulary)
    }

    /// Allows JSON text that follows a JSON Schema; the answer is that text as a string. `{"type": "object"}` allows
    /// any object.
    ///
    /// # Errors
    /// [`Error::BadSchema`] if the schema can't be enforced; the message names what is not supported.
    pub fn json(schema: &Value, vocabulary: Arc<Vocabulary>) -> Result<Self> {
        let mut schema = schema.clone();
        let Some(object) = schema.as_object_mut() else {
            return Err(Error::Schema { path: String::new(), what: "a schema that is not an object".to_owned() });
        };
        // The usual spaces of JSON. If any number of spaces were allowed, small models would write spaces endlessly.
        let style = json!({"whitespace_flexible": false, "item_separator": ", ", "key_separator": ": "});
        object.insert("x-guidance".to_owned(), style);
        let strips_space = vocabulary.adds_space;
        // Whether a space comes before the answer depends on the chat template.
        let before = if strips_space { "\" \"? " } else { "" };
        let start = compile(&vocabulary, format!("start: {before}%json {schema}\n")).map_err(Error::of_schema)?;
        let codec = Codec::new(&AnswerForm::Text)?;
        Ok(Self(Arc::new(Parts { codec, vocabulary, start: Some(start), strips_space })))
    }

    /// The codec of the answer form.
    #[must_use]
    pub fn codec(&self) -> &Codec {
        &self.0.codec
    }

    /// The tokenizer's tokens as bytes.
    #[must_use]
    pub fn vocabulary(&self) -> &Arc<Vocabulary> {
        &self.0.vocabulary
    }

    /// What an input allows at the grounded positions of the form; `None` if the form has none.
    #[must_use]
    pub fn ground(&self, input: &str) -> Option<Arc<Grounding>> {
        Grounding::new(input, &self.0.codec, |c| self.0.vocabulary.can_write(c)).map(Arc::new)
    }

    /// Starts an answer, restricted by `grounding` if given.
    #[must_use]
    pub fn start(&self, grounding: Option<Arc<Grounding>>) -> Walk {
        let matcher = self.0.start.as_ref().map(Matcher::deep_clone);
        let (bytes, tokens, scores) = (Vec::new(), Vec::new(), Vec::new());
        Walk { guide: self.clone(), grounding, matcher, bytes, tokens, scores, ended: false }
    }
}

fn compile(vocabulary: &Vocabulary, lark: String) -> Result<Matcher> {
    let parser = vocabulary.factory.create_parser(TopLevelGrammar::from_lark(lark));
    let mut matcher = Matcher::new(parser);
    if let Some(error) = matcher.get_error() {
        return Err(Error::Grammar(error.into()));
    }
    matcher.compute_mask().map_err(|error| Error::Grammar(error.into()))?;
    Ok(matcher)
}

/// An answer being decoded.
///
/// Until [`is_done`](Walk::is_done): feed the [`forced`](Walk::forced) tokens, otherwise choose one of the
/// [`allowed`](Walk::allowed) tokens and [`push`](Walk::push) it. At any point [`finish`](Walk::finish) gives an answer
/// that follows the form, so a token limit is just a limit on this loop.
pub struct Walk {
    guide: Guide,
    grounding: Option<Arc<Grounding>>,
    matcher: Option<Matcher>,
    bytes: Vec<u8>,
    tokens: Vec<u32>,
    scores: Vec<TokenScore>,
    ended: bool,
}

/// A finished answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// The answer; it follows the form.
    pub answer: Value,
    /// Its wire text; for a truncated answer, only what was written.
    pub wire: String,
    /// Whether the answer was truncated and its end filled in.
    pub cut: bool,
    /// Confidence before calibration.
    pub confidence: Confidence,
    /// Where its grounded values occur in the input, by path.
    pub spans: BTreeMap<String, InputSpan>,
}

impl Walk {
    /// Tokens that must come next, already pushed: run the model over them without choosing.
    ///
    /// They are the tokens that the tokenizer produces for the whole answer, as in training. Where those are not
    /// certain yet, nothing is forced.
    ///
    /// # Errors
    /// [`Error::Grammar`] if the grammar engine fails.
    pub fn forced(&mut self) -> Result<Vec<u32>> {
        let tokens = self.certain()?;
        for &token in &tokens {
            self.push(token, 0.0)?;
        }
        Ok(tokens)
    }

    fn certain(&mut self) -> Result<Vec<u32>> {
        if self.is_done() || !self.guide.0.vocabulary.byte_level {
            return Ok(Vec::new());
        }
        let Some(matcher) = &self.matcher else { return Ok(Vec::new()) };
        // Use the engine's bytes, not its tokens: it would choose tokens greedily, but the model learned the
        // tokenizer's.
        let mut ahead = matcher.clone();
        let forced = ahead.compute_ff_bytes();
        let whole = [self.bytes.as_slice(), &forced].concat();
        let Some(text) = std::str::from_utf8(&whole).ok().filter(|_| !forced.is_empty()) else {
            return Ok(Vec::new());
        };
        let encoding = self.guide.0.vocabulary.tokenizer.encode(text, false);
        let encoding = encoding.map_err(|error| Error::Tokenizer(error.to_string()))?;
        // If the model chose other tokens for the same text, the tokens that follow are not certain.
        let Some(mut rest) = encoding.get_ids().strip_prefix(self.tokens.as_slice()) else { return Ok(Vec::new()) };
        ahead.consume_tokens(rest).map_err(|error| Error::Grammar(error.into()))?;
        if !ahead.is_stopped() {
            // The text that follows may still change the tokens of the last word.
            let words = &encoding.get_word_ids()[self.tokens.len()..];
            let certain = words.iter().position(|word| Some(word) == words.last()).unwrap_or(0);
            rest = &rest[..certain];
        }
        Ok(rest.to_vec())
    }

    /// The tokens allowed next, including end tokens if the answer may end.
    ///
    /// # Errors
    /// [`Error::Grammar`] if the grammar engine fails.
    pub fn allowed(&mut self) -> Result<TokenMask> {
        let done = self.is_done();
        let guide = self.guide.clone();
        let vocabulary = &guide.0.vocabulary;
        let mut mask = match &mut self.matcher {
            _ if done => vocabulary.env.tok_trie().alloc_token_set(),
            Some(matcher) => matcher.compute_mask().map_err(|error| Error::Grammar(error.into()))?,
            None => vocabulary.ordinary.clone(),
        };
        if let (Some(grounding), false) = (&self.grounding, done) {
            self.hold(grounding, &mut mask);
        }
        if self.can_stop()? {
            vocabulary.eos.iter().for_each(|&eos| mask.allow_token(eos));
        }
        Ok(TokenMask(mask))
    }

    /// Removes tokens that the grammar allows but the input does not.
    fn hold(&self, grounding: &Grounding, mask: &mut SimpleVob) {
        let vocabulary = &self.guide.0.vocabulary;
        let wire = self.wire();
        let Some(progress) = self.guide.0.codec.progress(whole_characters(wire)) else { return };
        if let Some((shape, start)) = progress.open
            && let Some(place) = &shape.grounded
        {
            let trie = vocabulary.env.tok_trie();
            let mut along = trie.alloc_token_set();
            grounding.allow(shape, place, &wire[start..], trie, &mut along);
            if progress.number {
                // Tokens that continue the number before this position stay allowed.
                along.or_minus(mask, &vocabulary.spaced);
            }
            mask.and(&along);
        }
        // Check tokens that end one value and start the next. There are few; most vocabularies have none.
        let mut reaching = mask.clone();
        reaching.and(&vocabulary.reaching);
        for token in reaching.iter().filter(|token| !self.holds([wire, vocabulary.bytes(*token)].concat(), grounding)) {
            mask.disallow_token(token);
        }
    }

    /// Whether all grounded values of a wire text are allowed by the input; the last one may be incomplete.
    fn holds(&self, wire: Vec<u8>, grounding: &Grounding) -> bool {
        let Some(progress) = self.guide.0.codec.progress(whole_characters(&wire)) else { return false };
        let open = progress.open.and_then(|(shape, start)| Some((shape, shape.grounded.as_ref()?, start)));
        let complete =
            progress.complete.into_iter().filter_map(|(shape, at)| Some((shape, shape.grounded.as_ref()?, at)));
        open.is_none_or(|(shape, place, start)| grounding.begins(shape, place, &wire[start..]))
            && complete.into_iter().all(|(shape, place, at)| grounding.allows(shape, place, &wire[at]))
    }

    /// Appends the chosen token with the natural logarithm of its probability (see
    /// [`Candidates::log_prob`](crate::Candidates::log_prob)).
    ///
    /// # Errors
    /// [`Error::Token`] if the token is not allowed.
    pub fn push(&mut self, token: u32, log_prob: f64) -> Result<()> {
        let guide = self.guide.clone();
        let vocabulary = &guide.0.vocabulary;
        let start = self.bytes.len();
        if vocabulary.eos.contains(&token) {
            if !self.can_stop()? {
                return Err(Error::Token(token));
            }
            self.ended = true;
        } else {
            let bytes = vocabulary.bytes(token);
            if bytes.is_empty() || self.is_done() {
                return Err(Error::Token(token));
            }
            if let Some(matcher) = &mut self.matcher
                && matcher.try_consume_tokens(&[token]).map_err(|error| Error::Grammar(error.into()))? != 1
            {
                return Err(Error::Token(token));
            }
            self.bytes.extend_from_slice(bytes);
        }
        self.tokens.push(token);
        self.scores.push(TokenScore { start, end: self.bytes.len(), log_prob });
        Ok(())
    }

    /// Whether the answer is complete: nothing may follow.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ended || self.matcher.as_ref().is_some_and(Matcher::is_stopped)
    }

    /// Whether the answer may end here.
    ///
    /// # Errors
    /// [`Error::Grammar`] if the grammar engine fails.
    pub fn can_stop(&mut self) -> Result<bool> {
        if self.is_done() {
            return Ok(true);
        }
        match &mut self.matcher {
            None => Ok(true),
            Some(matcher) => matcher.is_accepting().map_err(|error| Error::Grammar(error.into())),
        }
    }

    /// The tokens so far.
    #[must_use]
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Their probabilities, in the same order.
    #[must_use]
    pub fn scores(&self) -> &[TokenScore] {
        &self.scores
    }

    /// The wire text so far; its last character may be incomplete.
    #[must_use]
    pub fn wire(&self) -> &[u8] {
        let stripped = usize::from(self.guide.0.strips_space && self.bytes.starts_with(b" "));
        &self.bytes[stripped..]
    }

    /// The wire text with one more token; `None` for an end token.
    pub(crate) fn wire_with(&self, token: u32) -> Option<Vec<u8>> {
        let Parts { vocabulary, strips_space, .. } = &*self.guide.0;
        let mut bytes = [&self.bytes, vocabulary.bytes(token)].concat();
        if *strips_space && bytes.starts_with(b" ") {
            bytes.remove(0);
        }
        (!vocabulary.eos.contains(&token)).then_some(bytes)
    }

    /// Ends the answer here. What is missing is filled in like [`Codec::decode_cut`] does.
    ///
    /// # Errors
    /// [`Error::Wire`] if grammar and codec disagree, which would be a bug.
    pub fn finish(mut self) -> Result<Finished> {
        let cut = if self.matcher.is_none() { !self.ended } else { !self.can_stop()? };
        let codec = &self.guide.0.codec;
        let mut wire = match String::from_utf8(self.bytes) {
            Ok(text) => text,
            Err(error) => {
                // Only a truncated answer or free text can end, or break, inside a character.
                let text = String::from_utf8_lossy(error.as_bytes());
                text.trim_end_matches(char::REPLACEMENT_CHARACTER).to_owned()
            }
        };
        let stripped = usize::from(self.guide.0.strips_space && wire.starts_with(' '));
        wire.drain(..stripped);
        for score in &mut self.scores {
            score.start = score.start.saturating_sub(stripped).min(wire.len());
            score.end = score.end.saturating_sub(stripped).min(wire.len());
        }
        let answer = if cut { codec.decode_cut(&wire)? } else { codec.decode(&wire)? };
        let confidence = match &self.matcher {
            None => Confidence::of_text(&self.scores),
            Some(_) => Confidence::new(&codec.fields(&wire)?, &self.scores),
        };
        let spans =
            self.grounding.map(|grounding| grounding.spans(&codec.grounded_strings(&answer))).unwrap_or_default();
        Ok(Finished { answer, wire, cut, confidence, spans })
    }
}

/// The text of bytes that may end inside a character.
fn whole_characters(bytes: &[u8]) -> &str {
    bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid())
}
