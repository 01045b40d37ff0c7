//! Checks untrusted `tokenizer.json` files. Some contents make the `tokenizers` crate panic or allocate without limit;
//! they are refused here first.

mod facts;

use std::path::Path;

use serde::Deserialize;
use tokenizers::Tokenizer;

use self::facts::{AddedTokens, Few, Merges, TemplateTokens, Vocab, WellFormed};
use crate::{Error, charsmap, json::read_limited};

/// Maximum file size; the largest known files have about 35 MB.
const MOST_BYTES: u64 = 64 << 20;
/// Maximum bytes of a regular expression or a replacement.
const MOST_TEXT: usize = 4096;

/// The kinds of steps that supported models need. Others are refused, because their code was not tested with untrusted
/// files.
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
    let malformed = |source| Error::Json { path: path.to_owned(), source };
    serde_json::from_slice::<WellFormed>(&bytes).map_err(malformed)?;
    let file: File = serde_json::from_slice(&bytes).map_err(malformed)?;
    file.check(vocab).map_err(|what| Error::Damaged { path: path.to_owned(), what })?;
    let mut tokenizer = Tokenizer::from_bytes(&bytes).map_err(failed)?;
    // Some models' files truncate at 512 tokens. Inputs that are too long must be detected instead.
    tokenizer.with_truncation(None).map_err(failed)?;
    tokenizer.with_padding(None);
    Ok(tokenizer)
}

/// The added tokens of a file, with their ids.
pub(crate) fn added_tokens(path: &Path) -> Result<Vec<(String, Option<u64>)>, Error> {
    #[derive(Deserialize)]
    struct Added {
        id: u64,
        content: String,
    }
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        added_tokens: Vec<Added>,
    }
    let bytes = read_limited(path, MOST_BYTES)?;
    let file: File = serde_json::from_slice(&bytes).map_err(|source| Error::Json { path: path.to_owned(), source })?;
    Ok(file.added_tokens.into_iter().map(|token| (token.content, Some(token.id))).collect())
}

/// The parts of the file that are checked.
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
            // Older files have no type; they are BPE.
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

/// A normalizer, pre-tokenizer, post-processor or decoder; each kind uses some of these fields.
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
    pair: Few<Piece>,
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
    SpecialToken { id: String },
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
        let described = |name: &String| self.special_tokens.0.iter().any(|(described, _)| described == name);
        let undescribed = |piece: &Piece| matches!(piece, Piece::SpecialToken { id } if !described(id));
        if self.single.0.iter().chain(&self.pair.0).any(undescribed) {
            return Err("its template names a special token that it doesn't describe".into());
        }
        match &self.precompiled_charsmap {
            Some(charsmap) => charsmap::check(charsmap)?,
            None if self.kind == "Precompiled" => return Err("its `precompiled_charsmap` is missing".into()),
            None => {}
        }
        self.normalizers.0.iter().try_for_each(Self::check)
    }

    /// The highest id among the tokens that templates add.
    fn highest_id(&self) -> u64 {
        let own = self.special_tokens.0.iter().map(|(_, id)| *id);
        own.chain(self.normalizers.0.iter().map(Self::highest_id)).max().unwrap_or(0)
    }
}

/// Shortens a text for an error message.
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
