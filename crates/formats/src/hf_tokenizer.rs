//! `tokenizer.json` from strangers. The `tokenizers` crate trusts its file in places: some contents make it panic or
//! take memory without end. What it would stumble over is found here first.

use std::{collections::HashSet, fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize,
    de::{Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use tokenizers::Tokenizer;

use crate::{Error, charsmap, json::read_limited};

/// The largest real ones have some 35 MB.
const MOST_BYTES: u64 = 64 << 20;
/// Steps in one sequence of normalizers and the like.
const MOST_STEPS: usize = 64;
/// Bytes of a regular expression or a replacement.
const MOST_TEXT: usize = 4096;

/// What the models here need; others bring code that was never tried on hostile files.
const STEPS: [&str; 21] = [
    "ByteFallback",
    "ByteLevel",
    "Digits",
    "Fuse",
    "Lowercase",
    "Metaspace",
    "NFC",
    "NFD",
    "NFKC",
    "NFKD",
    "Nmt",
    "Precompiled",
    "Prepend",
    "Punctuation",
    "Replace",
    "Sequence",
    "Split",
    "Strip",
    "TemplateProcessing",
    "Whitespace",
    "WhitespaceSplit",
];

/// Reads the file; every token id is below `vocab`.
pub(crate) fn open(path: &Path, vocab: usize) -> Result<Tokenizer, Error> {
    let bytes = read_limited(path, MOST_BYTES)?;
    let failed = |source| Error::Tokenizer { path: path.to_owned(), source };
    let file: File = serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.to_owned(), source })?;
    file.check(vocab).map_err(|what| Error::Damaged { path: path.to_owned(), what })?;
    let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(failed)?;
    // Some models' files cut at 512 tokens; what is too long must be seen, not lost.
    tokenizer.with_truncation(None).map_err(failed)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// The parts of the file that need a look.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    normalizer: Option<Step>,
    #[serde(default)]
    pre_tokenizer: Option<Step>,
    #[serde(default)]
    post_processor: Option<Step>,
    #[serde(default)]
    decoder: Option<Step>,
    #[serde(default)]
    added_tokens: AddedTokens,
    model: Model,
}

impl File {
    fn check(&self, vocab: usize) -> Result<(), String> {
        let steps = [&self.normalizer, &self.pre_tokenizer, &self.post_processor, &self.decoder];
        steps.into_iter().flatten().try_for_each(Step::check)?;
        let template = self.post_processor.as_ref().map_or(0, Step::highest_id);
        let highest = self.model.vocab.highest_id.max(self.added_tokens.0).max(template);
        if highest >= vocab as u64 {
            return Err(format!("its token {highest} is beyond the embedding's {vocab} rows"));
        }
        match self.model.kind.as_deref() {
            // Older files don't say, and are BPE.
            None | Some("BPE") if self.model.merges.longest > self.model.vocab.longest => {
                Err("it merges tokens into one that is not in the vocabulary".into())
            }
            None | Some("BPE") if self.model.continuing_subword_prefix.as_deref().unwrap_or_default() != "" => {
                Err("BPE with a `continuing_subword_prefix` is not supported".into())
            }
            None | Some("BPE" | "Unigram") => Ok(()),
            Some(other) => Err(format!("its model `{}` is neither BPE nor Unigram", short(other))),
        }
    }
}

/// A normalizer, pre-tokenizer, post-processor or decoder; each kind uses some of the fields.
#[derive(Deserialize)]
struct Step {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, alias = "pretokenizers", alias = "decoders", alias = "processors")]
    normalizers: Few<Step>,
    #[serde(default)]
    precompiled_charsmap: Option<String>,
    #[serde(default)]
    pattern: Option<Pattern>,
    #[serde(default, alias = "prepend")]
    content: Option<String>,
    #[serde(default)]
    stop: Option<u64>,
    #[serde(default)]
    single: Few<Piece>,
    #[serde(default)]
    special_tokens: TemplateTokens,
}

#[derive(Deserialize)]
enum Pattern {
    String(String),
    Regex(String),
}

#[derive(Deserialize)]
enum Piece {
    Sequence { id: String },
    SpecialToken {},
}

impl Step {
    fn check(&self) -> Result<(), String> {
        let kind = short(&self.kind);
        if !STEPS.contains(&self.kind.as_str()) {
            return Err(format!("its step `{kind}` is not supported"));
        }
        let too_long = |text: &String| text.len() > MOST_TEXT;
        let pattern = self.pattern.as_ref().map(|(Pattern::String(text) | Pattern::Regex(text))| text);
        if pattern.is_some_and(too_long) || self.content.as_ref().is_some_and(too_long) {
            return Err(format!("its step `{kind}` holds a text of more than {MOST_TEXT} bytes"));
        }
        if self.stop.unwrap_or(0) > 0 {
            return Err(format!("its step `{kind}` strips at the end, which is not supported"));
        }
        if self.single.0.iter().any(|piece| matches!(piece, Piece::Sequence { id } if id != "A")) {
            return Err("its template for one text names a second".into());
        }
        if let Some(charsmap) = &self.precompiled_charsmap {
            charsmap::check(charsmap)?;
        }
        self.normalizers.0.iter().try_for_each(Self::check)
    }

    /// Of the tokens that templates add.
    fn highest_id(&self) -> u64 {
        self.normalizers.0.iter().map(Self::highest_id).fold(self.special_tokens.0, u64::max)
    }
}

/// As much of a text as a message can hold.
fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "type", default)]
    kind: Option<String>,
    vocab: Vocab,
    #[serde(default)]
    merges: Merges,
    #[serde(default)]
    continuing_subword_prefix: Option<String>,
}

/// Facts about a vocabulary, which is an object of ids (BPE) or a list of scores (Unigram).
#[derive(Default)]
struct Vocab {
    /// Bytes of the longest token.
    longest: usize,
    highest_id: u64,
}

impl<'de> Deserialize<'de> for Vocab {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = Vocab;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vocabulary")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Vocab, M::Error> {
                let (mut vocab, mut seen) = (Vocab::default(), HashSet::new());
                while let Some((token, id)) = map.next_entry::<String, u32>()? {
                    vocab.longest = vocab.longest.max(token.len());
                    vocab.highest_id = vocab.highest_id.max(id.into());
                    if !seen.insert(id) {
                        return Err(M::Error::custom(format!("two tokens have the id {id}")));
                    }
                }
                Ok(vocab)
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Vocab, S::Error> {
                let mut count = 0u64;
                while let Some((_, score)) = seq.next_element::<(IgnoredAny, f64)>()? {
                    // Sums of these along a text must stay finite.
                    if score.abs() > 1e6 {
                        return Err(S::Error::custom(format!("score {score} is no log probability")));
                    }
                    count += 1;
                }
                Ok(Vocab { longest: 0, highest_id: count.saturating_sub(1) })
            }
        }
        deserializer.deserialize_any(Entries)
    }
}

/// Bytes of the longest token that a merge makes.
#[derive(Default)]
struct Merges {
    longest: usize,
}

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Merge {
            Text(String),
            Pair(String, String),
        }
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Merges, S::Error> {
                let mut longest = 0;
                while let Some(merge) = seq.next_element::<Merge>()? {
                    longest = longest.max(match &merge {
                        Merge::Text(text) => text.len().saturating_sub(1),
                        Merge::Pair(left, right) => left.len() + right.len(),
                    });
                }
                Ok(Merges { longest })
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The highest id among the added tokens.
#[derive(Default)]
struct AddedTokens(u64);

impl<'de> Deserialize<'de> for AddedTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Added {
            id: u32,
        }
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = AddedTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of added tokens")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<AddedTokens, S::Error> {
                let mut highest = 0;
                while let Some(added) = seq.next_element::<Added>()? {
                    highest = highest.max(added.id.into());
                }
                Ok(AddedTokens(highest))
            }
        }
        deserializer.deserialize_seq(List)
    }
}

/// The highest id among a template's tokens.
#[derive(Default)]
struct TemplateTokens(u64);

impl<'de> Deserialize<'de> for TemplateTokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Token {
            ids: Few<u32>,
        }
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = TemplateTokens;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the special tokens of a template")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<TemplateTokens, M::Error> {
                let mut highest = 0;
                while let Some((_, token)) = map.next_entry::<IgnoredAny, Token>()? {
                    highest = token.ids.0.into_iter().map(u64::from).fold(highest, u64::max);
                }
                Ok(TemplateTokens(highest))
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

/// At most [`MOST_STEPS`] elements.
struct Few<T>(Vec<T>);

impl<T> Default for Few<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for List<T> {
            type Value = Few<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST_STEPS}")
            }

            fn visit_seq<S: SeqAccess<'de>>(self, mut seq: S) -> Result<Few<T>, S::Error> {
                let mut list = Vec::new();
                while let Some(element) = seq.next_element()? {
                    if list.len() == MOST_STEPS {
                        return Err(S::Error::invalid_length(MOST_STEPS + 1, &self));
                    }
                    list.push(element);
                }
                Ok(Few(list))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}
