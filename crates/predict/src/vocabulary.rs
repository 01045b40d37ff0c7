//! A tokenizer's vocabulary as bytes: what each token adds to the text, and the trie for constrained decoding.

use std::sync::Arc;

use graft_formats::is_sentencepiece;
use llguidance::ParserFactory;
use llguidance::toktrie::{InferenceCapabilities, SimpleVob, TokEnv, TokRxInfo, TokTrie, TokenizerEnv};
use serde_json::Value;
use tokenizers::Tokenizer;

use crate::{Error, Result};

/// Longest token that is allowed; longer ones are runs of spaces.
const LONGEST_TOKEN: usize = 512;

/// A tokenizer prepared for constrained decoding, shared by all guides.
pub struct Vocabulary {
    pub(crate) tokenizer: Arc<Tokenizer>,
    pub(crate) factory: ParserFactory,
    pub(crate) env: TokEnv,
    /// Tokens that end an answer.
    pub(crate) eos: Vec<u32>,
    /// All tokens except special ones.
    pub(crate) ordinary: SimpleVob,
    /// Whether it is byte-level: the same text has the same tokens wherever it starts.
    pub(crate) byte_level: bool,
    /// The tokenizer puts a space before the text (SentencePiece).
    pub(crate) adds_space: bool,
    /// Tokens that begin with a space.
    pub(crate) spaced: SimpleVob,
    /// Tokens with a space after their first byte, which may span two values.
    pub(crate) reaching: SimpleVob,
}

impl Vocabulary {
    /// Maps a tokenizer's tokens to bytes. `eos` are the tokens that end an answer, at least one.
    ///
    /// # Errors
    /// [`Error::Tokenizer`] if it is neither byte-level BPE nor SentencePiece, or lacks an end token.
    pub fn new(tokenizer: Arc<Tokenizer>, eos: &[u32]) -> Result<Self> {
        let spelling = Spelling::of(&tokenizer)?;
        let vocab = tokenizer.get_vocab(true);
        let size = vocab.values().max().map_or(0, |&id| id as usize + 1);
        let (Some(&first_eos), true) = (eos.first(), eos.iter().all(|&id| (id as usize) < size)) else {
            return Err(Error::Tokenizer("it does not have the model's end token".to_owned()));
        };
        let added = tokenizer.get_added_tokens_decoder();
        let mut words = vec![Vec::new(); size];
        let mut ordinary = SimpleVob::alloc(size);
        for (text, &id) in &vocab {
            let word = match added.get(&id) {
                Some(token) if token.special || eos.contains(&id) => {
                    words[id as usize] = special(text);
                    continue;
                }
                Some(token) => token.content.clone().into_bytes(),
                None if eos.contains(&id) => {
                    words[id as usize] = special(text);
                    continue;
                }
                None => spelling.bytes(text),
            };
            if !word.is_empty() && word.len() <= LONGEST_TOKEN {
                ordinary.allow_token(id);
                words[id as usize] = word;
            }
        }
        let trie = TokTrie::from(&TokRxInfo::new(size as u32, first_eos), &words).with_eos_tokens(eos);
        let with = |has: fn(&[u8]) -> bool| {
            let mut set = SimpleVob::alloc(size);
            let ordinary = words.iter().enumerate().filter(|(id, word)| ordinary.get(*id) && has(word));
            ordinary.for_each(|(id, _)| set.set(id, true));
            set
        };
        let (spaced, reaching) =
            (with(|word| word.starts_with(b" ")), with(|word| word.iter().skip(1).any(|b| *b == b' ')));
        let env: TokEnv = Arc::new(Env(trie));
        let mut factory = ParserFactory::new(&env, InferenceCapabilities::default(), &slices())
            .map_err(|error| Error::Grammar(error.into()))?;
        factory.quiet();
        let adds_space = spelling == Spelling::Metaspace && begins_with_space(&tokenizer)?;
        let byte_level = spelling == Spelling::ByteLevel;
        Ok(Self { tokenizer, factory, env, eos: eos.to_vec(), ordinary, byte_level, adds_space, spaced, reaching })
    }

    /// The largest token id plus one.
    #[must_use]
    pub fn size(&self) -> usize {
        self.env.tok_trie().vocab_size()
    }

    /// Whether the vocabulary has a token for a character, or for each of its bytes.
    pub(crate) fn can_write(&self, character: char) -> bool {
        let trie = self.env.tok_trie();
        let text = character.to_string();
        trie.token_id_at_bytes(text.as_bytes()).is_some()
            || text.bytes().all(|byte| trie.token_id_at_bytes(&[byte]).is_some())
    }

    /// The bytes a token adds to the text; none for special tokens.
    pub(crate) fn bytes(&self, token: u32) -> &[u8] {
        if self.ordinary.len() > token as usize && self.ordinary.is_allowed(token) {
            self.env.tok_trie().token(token)
        } else {
            &[]
        }
    }
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary").field("size", &self.size()).field("eos", &self.eos).finish_non_exhaustive()
    }
}

/// Character classes that any string of an answer may contain; their masks are computed once.
fn slices() -> Vec<String> {
    vec![r"[^\\;\n\r\t]{1,12}".to_owned(), r"[^\\;\n\r\t]{1,30}".to_owned()]
}

/// Bytes that stand for a special token; no text contains them.
fn special(text: &str) -> Vec<u8> {
    [&[TokTrie::SPECIAL_TOKEN_MARKER], text.as_bytes()].concat()
}

fn begins_with_space(tokenizer: &Tokenizer) -> Result<bool> {
    let encoding = tokenizer.encode("a", false).map_err(|error| Error::Tokenizer(error.to_string()))?;
    Ok(encoding.get_tokens().first().is_some_and(|token| token.starts_with('▁')))
}

struct Env(TokTrie);

impl TokenizerEnv for Env {
    fn tok_trie(&self) -> &TokTrie {
        &self.0
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<u32> {
        self.0.greedy_tokenize(bytes)
    }

    /// [`crate::Walk::forced`] finds forced tokens, because it sees the whole answer.
    fn tokenize_is_canonical(&self) -> bool {
        false
    }
}

/// How a vocabulary represents bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    /// Like GPT-2: a printable character for every byte.
    ByteLevel,
    /// Like SentencePiece: `▁` for a space, `<0x0A>` for a byte.
    Metaspace,
}

impl Spelling {
    fn of(tokenizer: &Tokenizer) -> Result<Self> {
        let decoder = serde_json::to_value(tokenizer.get_decoder()).unwrap_or(Value::Null).to_string();
        if decoder.contains("\"ByteLevel\"") {
            Ok(Self::ByteLevel)
        } else if is_sentencepiece(tokenizer) {
            Ok(Self::Metaspace)
        } else {
            Err(Error::Tokenizer("its tokens can't be mapped to bytes".to_owned()))
        }
    }

    fn bytes(self, token: &str) -> Vec<u8> {
        match self {
            Self::ByteLevel => {
                token.chars().map(byte_of).collect::<Option<Vec<u8>>>().unwrap_or_else(|| token.as_bytes().to_vec())
            }
            Self::Metaspace => {
                let byte = token.strip_prefix("<0x").and_then(|hex| hex.strip_suffix('>'));
                match byte.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
                    Some(byte) => vec![byte],
                    None => token.replace('▁', " ").into_bytes(),
                }
            }
        }
    }
}

/// The byte that this character represents in GPT-2's byte-level alphabet.
fn byte_of(c: char) -> Option<u8> {
    let code = c as u32;
    match code {
        0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff => u8::try_from(code).ok(),
        // The other 68 bytes are, in order, the characters from 256 on.
        0x100..=0x120 => u8::try_from(code - 0x100).ok(),
        0x121..=0x142 => u8::try_from(code - 0x121 + 0x7f).ok(),
        0x143 => Some(0xad),
        _ => None,
    }
}

/// The tokens allowed next.
#[derive(Clone, Debug)]
pub struct TokenMask(pub(crate) SimpleVob);

impl TokenMask {
    /// Whether a token is allowed; ids beyond the vocabulary never are.
    #[must_use]
    pub fn allows(&self, token: u32) -> bool {
        (token as usize) < self.0.len() && self.0.is_allowed(token)
    }

    /// Number of allowed tokens.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.num_set()
    }

    /// One bit per token, 32 in a word from the lowest up.
    pub(crate) fn words(&self) -> &[u32] {
        self.0.as_slice()
    }

    /// The allowed tokens, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter()
    }

    /// Sets the logits of tokens that are not allowed to minus infinity.
    pub fn apply(&self, logits: &mut [f32]) {
        let words = self.0.as_slice().iter().copied().chain(std::iter::repeat(0));
        for (logits, word) in logits.chunks_mut(32).zip(words) {
            match word {
                u32::MAX => {}
                0 => logits.fill(f32::NEG_INFINITY),
                _ => {
                    let forbidden = logits.iter_mut().enumerate().filter(|(bit, _)| word >> bit & 1 == 0);
                    forbidden.for_each(|(_, logit)| *logit = f32::NEG_INFINITY);
                }
            }
        }
    }
}
