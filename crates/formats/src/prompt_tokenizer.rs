use std::collections::HashSet;

use serde_json::Value;
use tokenizers::{NormalizerWrapper, PreTokenizerWrapper, Result, Tokenizer};

/// A part of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Text of the template, in which names of special tokens stand for these tokens.
    Template(&'t str),
    /// Text of somebody else, in which they are ordinary text.
    Content(&'t str),
}

impl<'t> Part<'t> {
    fn text(self) -> &'t str {
        match self {
            Self::Template(text) | Self::Content(text) => text,
        }
    }
}

/// Tokenizes prompts.
///
/// With SentencePiece, the tokens of a text depend on what is before it, and the start of a text may get a space of its own.
/// So the parts of a decoder-only model's prompt are tokenized as one text, as in transformers. With byte-level BPE, and for
/// models with an encoder, each part is tokenized separately.
pub struct PromptTokenizer {
    /// Recognizes the names of special tokens.
    names: Tokenizer,
    /// Treats them as ordinary text.
    plain: Tokenizer,
    /// The same two for text that continues another one, if the tokenizer puts a space before the start of a text.
    inner: Option<Box<[Tokenizer; 2]>>,
    /// Tokens that no content may contain.
    special: HashSet<u32>,
    one_text: bool,
}

impl PromptTokenizer {
    /// Prepares a model's tokenizer.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn new(tokenizer: &Tokenizer, has_encoder: bool) -> Result<Self> {
        let plain = |names: &Tokenizer| {
            let mut plain = names.clone();
            plain.set_encode_special_tokens(true);
            plain
        };
        let one_text = !has_encoder && is_sentencepiece(tokenizer);
        let inner = if one_text && starts_with_space(tokenizer, &encode(tokenizer, "a")?) {
            let names = without_first_space(tokenizer)?;
            let plain = plain(&names);
            Some(Box::new([names, plain]))
        } else {
            None
        };
        let added = tokenizer.get_added_tokens_decoder();
        let special = added.iter().filter(|(_, token)| token.special).map(|(&id, _)| id).collect();
        Ok(Self { names: tokenizer.clone(), plain: plain(tokenizer), inner, special, one_text })
    }

    /// The tokenizer that recognizes the names of special tokens.
    #[must_use]
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.names
    }

    /// Whether prompts are tokenized as one text.
    #[must_use]
    pub fn is_one_text(&self) -> bool {
        self.one_text
    }

    /// Tokens of a prompt. A text in which a special token would reach into content is tokenized part by part.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn encode(&self, parts: &[Part<'_>]) -> Result<Vec<u32>> {
        if !self.one_text {
            return self.separately(parts);
        }
        let (mut text, mut contents) = (String::new(), Vec::new());
        for part in parts {
            let start = text.len();
            text.push_str(part.text());
            if matches!(part, Part::Content(_)) {
                contents.push(start..text.len());
            }
        }
        let whole = self.names.encode(text, false)?;
        let mut special = whole.get_ids().iter().zip(whole.get_offsets()).filter(|(id, _)| self.special.contains(id));
        let reaches = special.any(|(_, &(start, end))| contents.iter().any(|c| start < c.end && c.start < end));
        if reaches { self.separately(parts) } else { Ok(whole.get_ids().to_vec()) }
    }

    /// Tokens of the parts, tokenized one by one, so that a border between parts is a border between tokens.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn separately(&self, parts: &[Part<'_>]) -> Result<Vec<u32>> {
        let mut tokens = Vec::new();
        for part in parts {
            let [names, plain] = match &self.inner {
                Some(inner) if !tokens.is_empty() => inner.each_ref(),
                _ => [&self.names, &self.plain],
            };
            tokens.extend(match part {
                Part::Template(text) => encode(names, text)?,
                Part::Content(text) => encode(plain, text)?,
            });
        }
        Ok(tokens)
    }

    /// Tokens of content that is the start of a text.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn content(&self, text: &str) -> Result<Vec<u32>> {
        encode(&self.plain, text)
    }

    /// Tokens of content that continues a text.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn continued(&self, text: &str) -> Result<Vec<u32>> {
        encode(self.inner.as_ref().map_or(&self.plain, |inner| &inner[1]), text)
    }

    /// The tokens of `before` that don't depend on the content after it.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn certain(&self, before: &str) -> Result<Vec<u32>> {
        let whole = encode(&self.names, before)?;
        if !self.one_text {
            return Ok(whole);
        }
        // SentencePiece starts a new token where a space or line break follows other characters.
        let end = before.trim_end_matches(|c: char| !c.is_whitespace()).trim_end().len();
        let certain = encode(&self.names, &before[..end])?;
        Ok(if whole.starts_with(&certain) { certain } else { Vec::new() })
    }

    /// Whether a token begins with a space, as the first of a text does in many models with SentencePiece.
    #[must_use]
    pub fn begins_with_space(&self, tokens: &[u32]) -> bool {
        starts_with_space(&self.names, tokens)
    }
}

/// Whether a tokenizer's vocabulary is SentencePiece's, with `▁` for a space.
#[must_use]
pub fn is_sentencepiece(tokenizer: &Tokenizer) -> bool {
    let decoder = serde_json::to_string(&tokenizer.get_decoder()).unwrap_or_default();
    !decoder.contains("\"ByteLevel\"") && (decoder.contains("\"Metaspace\"") || decoder.contains('▁'))
}

fn starts_with_space(tokenizer: &Tokenizer, tokens: &[u32]) -> bool {
    tokens.first().and_then(|&id| tokenizer.id_to_token(id)).is_some_and(|token| token.starts_with('▁'))
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(tokenizer.encode(text, false)?.get_ids().to_vec())
}

/// The same tokenizer without the steps that put a space before a text.
fn without_first_space(tokenizer: &Tokenizer) -> Result<Tokenizer> {
    let mut changed = tokenizer.clone();
    if let Some(normalizer) = tokenizer.get_normalizer() {
        let step = without_space(serde_json::to_value(normalizer)?);
        changed.with_normalizer(serde_json::from_value::<Option<NormalizerWrapper>>(step)?)?;
    }
    if let Some(pre_tokenizer) = tokenizer.get_pre_tokenizer() {
        let step = without_space(serde_json::to_value(pre_tokenizer)?);
        changed.with_pre_tokenizer(serde_json::from_value::<Option<PreTokenizerWrapper>>(step)?);
    }
    Ok(changed)
}

fn without_space(mut step: Value) -> Value {
    if step["type"] == "Prepend" {
        return Value::Null;
    }
    if let Some(scheme) = step.get_mut("prepend_scheme") {
        *scheme = "never".into();
    }
    for list in ["normalizers", "pretokenizers"] {
        if let Some(Value::Array(steps)) = step.get_mut(list) {
            *steps = std::mem::take(steps).into_iter().map(without_space).filter(|step| !step.is_null()).collect();
        }
    }
    step
}
