//! Builds a tokenizer from GGUF metadata with llama.cpp's behaviour, from the same parts as the model's own
//! `tokenizer.json`.

use std::collections::HashSet;

use serde::{Deserialize as _, de::DeserializeOwned};
use serde_json::{Value as Json, json};
use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, Tokenizer,
    models::bpe::{BPE, Vocab},
};

use super::{
    Meta,
    reader::{Numbers, Value},
};
use crate::Error;

/// GPT-2's split pattern (the one built into `ByteLevel`).
const GPT2: &str = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2: &str =
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// ggml's `tokenizer.ggml.token_type`.
mod kind {
    pub(super) const CONTROL: i64 = 3;
    pub(super) const USER_DEFINED: i64 = 4;
}

/// Builds the tokenizer; every token id is below `vocab`.
pub(super) fn build(meta: &Meta<'_>, vocab: usize) -> Result<Tokenizer, Error> {
    let tokens = meta.texts("tokenizer.ggml.tokens")?;
    let tokens = meta.need("tokenizer.ggml.tokens", tokens)?;
    if tokens.len() > vocab {
        return Err(meta.damaged(format!("{} tokens for an embedding of {vocab} rows", tokens.len())));
    }
    let known: HashSet<&str> = tokens.iter().copied().collect();
    if known.len() != tokens.len() {
        return Err(meta.damaged("a token is in the vocabulary twice".into()));
    }
    let recipe = match meta.text("tokenizer.ggml.model")? {
        Some("gpt2") => byte_level(meta)?,
        Some("llama") => sentence_piece(meta)?,
        other => {
            let value = other.unwrap_or("missing").to_owned();
            return Err(meta.unsupported("tokenizer.ggml.model", value, "`gpt2` and `llama`"));
        }
    };
    let merges = merges(meta, tokens, &known)?;
    let failed = |source| Error::Tokenizer { path: meta.path.to_owned(), source };
    recipe.assemble(meta, tokens, merges).map_err(failed)
}

/// A tokenizer without its vocabulary, as JSON of `tokenizer.json`.
struct Recipe {
    normalizer: Json,
    pre_tokenizer: Json,
    decoder: Json,
    byte_fallback: bool,
    ignore_merges: bool,
    /// Whether llama.cpp adds BOS by default.
    add_bos: bool,
}

fn byte_level(meta: &Meta<'_>) -> Result<Recipe, Error> {
    let Some(pre) = meta.text("tokenizer.ggml.pre")? else {
        // llama.cpp guesses then, and warns that tokens may be wrong; for Llama 3 they are.
        let known = "files that say how text is split; convert the model again with a current llama.cpp";
        return Err(meta.unsupported("tokenizer.ggml.pre", "missing".into(), known));
    };
    let bytes = |use_regex: bool| json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": use_regex });
    let split = |regex: &str| json!({ "type": "Split", "pattern": { "Regex": regex }, "behavior": "Isolated", "invert": false });
    let digits = json!({ "type": "Digits", "individual_digits": true });
    let steps = match pre {
        "gpt-2" | "mpt" | "olmo" | "jais" | "trillion" => vec![bytes(true)],
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => {
            vec![digits, bytes(true)]
        }
        "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "smaug-bpe" | "dbrx" => vec![split(LLAMA3), bytes(false)],
        "qwen2" | "deepseek-r1-qwen" | "stablelm2" | "megrez" => vec![split(QWEN2), bytes(false)],
        // llama.cpp's own split patterns for files that name none.
        "default" => {
            vec![split(r"[\p{P}\$\+<=>\^~\|]+"), split(GPT2), split(r"\p{N}+"), split("[0-9][0-9][0-9]"), bytes(false)]
        }
        other => {
            let known = "`gpt-2`, `smollm`, `llama-bpe`, `qwen2`, `default` and their synonyms";
            return Err(meta.unsupported("tokenizer.ggml.pre", other.into(), known));
        }
    };
    let llama3 = matches!(pre, "llama-bpe" | "llama3" | "llama-v3" | "falcon3");
    let composed = matches!(pre, "qwen2" | "deepseek-r1-qwen");
    Ok(Recipe {
        normalizer: if composed { json!({ "type": "NFC" }) } else { Json::Null },
        pre_tokenizer: json!({ "type": "Sequence", "pretokenizers": steps }),
        decoder: bytes(true),
        byte_fallback: false,
        ignore_merges: llama3,
        add_bos: llama3,
    })
}

fn sentence_piece(meta: &Meta<'_>) -> Result<Recipe, Error> {
    let mut before = vec![json!({ "type": "Replace", "pattern": { "String": " " }, "content": "▁" })];
    let mut after = vec![
        json!({ "type": "Replace", "pattern": { "String": "▁" }, "content": " " }),
        json!({ "type": "ByteFallback" }),
        json!({ "type": "Fuse" }),
    ];
    if meta.bool("tokenizer.ggml.add_space_prefix")?.unwrap_or(true) {
        before.insert(0, json!({ "type": "Prepend", "prepend": "▁" }));
        after.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    }
    Ok(Recipe {
        normalizer: json!({ "type": "Sequence", "normalizers": before }),
        pre_tokenizer: Json::Null,
        decoder: json!({ "type": "Sequence", "decoders": after }),
        byte_fallback: true,
        ignore_merges: false,
        add_bos: true,
    })
}

type Source = Box<dyn std::error::Error + Send + Sync>;

impl Recipe {
    fn assemble(&self, meta: &Meta<'_>, tokens: &[&str], merges: Vec<(String, String)>) -> Result<Tokenizer, Source> {
        let vocab: Vocab = tokens.iter().zip(0..).map(|(token, id)| ((*token).to_owned(), id)).collect();
        let mut model = BPE::builder().vocab_and_merges(vocab, merges).ignore_merges(self.ignore_merges);
        let token_of = |role: &str| -> Result<Option<&str>, Error> {
            let id = meta.id(&format!("tokenizer.ggml.{role}_token_id"))?;
            Ok(id.and_then(|id| tokens.get(id as usize).copied()))
        };
        if self.byte_fallback {
            model =
                model.byte_fallback(true).fuse_unk(true).unk_token(token_of("unknown")?.unwrap_or("<unk>").to_owned());
        }
        let mut tokenizer = Tokenizer::new(model.build()?);
        tokenizer.with_normalizer(part::<NormalizerWrapper>(&self.normalizer)?)?;
        tokenizer.with_pre_tokenizer(part::<PreTokenizerWrapper>(&self.pre_tokenizer)?);
        tokenizer.with_decoder(part::<DecoderWrapper>(&self.decoder)?);
        let add = |key: &str, default| {
            Ok::<_, Error>(meta.bool(&format!("tokenizer.ggml.add_{key}_token"))?.unwrap_or(default))
        };
        let bos = if add("bos", self.add_bos)? { token_of("bos")? } else { None };
        let eos = if add("eos", false)? { token_of("eos")? } else { None };
        let post_processor = template(&tokenizer, bos, eos)?;
        tokenizer.with_post_processor(post_processor);
        let added = |wanted: i64| {
            let kinds = token_types(meta).into_iter().zip(tokens);
            kinds
                .filter(move |(kind, _)| *kind == wanted)
                .map(move |(_, token)| AddedToken::from(*token, wanted == kind::CONTROL).normalized(false))
        };
        tokenizer.add_special_tokens(added(kind::CONTROL).collect::<Vec<_>>())?;
        tokenizer.add_tokens(added(kind::USER_DEFINED).collect::<Vec<_>>())?;
        Ok(tokenizer)
    }
}

fn part<T: DeserializeOwned>(json: &Json) -> Result<Option<T>, serde_json::Error> {
    Option::<T>::deserialize(json)
}

/// A post-processor that puts BOS before and EOS after each text.
fn template(
    tokenizer: &Tokenizer,
    bos: Option<&str>,
    eos: Option<&str>,
) -> Result<Option<PostProcessorWrapper>, Source> {
    if bos.is_none() && eos.is_none() {
        return Ok(None);
    }
    let special = |token: Option<&str>| token.map(|t| json!({ "SpecialToken": { "id": t, "type_id": 0 } }));
    let sequence = |id: &str| Some(json!({ "Sequence": { "id": id, "type_id": 0 } }));
    let pieces = |list: Vec<Option<Json>>| list.into_iter().flatten().collect::<Vec<_>>();
    let mut described = serde_json::Map::new();
    for token in bos.into_iter().chain(eos) {
        let id = tokenizer.token_to_id(token);
        described.insert(token.to_owned(), json!({ "id": token, "ids": [id], "tokens": [token] }));
    }
    let json = json!({
        "type": "TemplateProcessing",
        "single": pieces(vec![special(bos), sequence("A"), special(eos)]),
        "pair": pieces(vec![special(bos), sequence("A"), special(eos), special(bos), sequence("B"), special(eos)]),
        "special_tokens": described,
    });
    Ok(part::<PostProcessorWrapper>(&json)?)
}

fn token_types(meta: &Meta<'_>) -> Vec<i64> {
    match meta.get("tokenizer.ggml.token_type") {
        Some(Value::Numbers(kinds)) => kinds.iter().map(|kind| kind.as_int().unwrap_or(0)).collect(),
        _ => Vec::new(),
    }
}

/// The file's merges, or those that its scores imply.
fn merges(meta: &Meta<'_>, tokens: &[&str], known: &HashSet<&str>) -> Result<Vec<(String, String)>, Error> {
    let Some(listed) = meta.texts("tokenizer.ggml.merges")? else {
        return match meta.get("tokenizer.ggml.scores") {
            Some(Value::Numbers(scores)) if scores.len() == tokens.len() => Ok(merges_by_score(tokens, scores)),
            _ => Err(meta.damaged("its tokenizer has neither merges nor scores".into())),
        };
    };
    let mut joined = String::new();
    let mut pairs = Vec::with_capacity(listed.len());
    for merge in listed {
        let pair = merge.split_once(' ').filter(|(left, right)| {
            joined.clear();
            joined.extend([*left, *right]);
            known.contains(left) && known.contains(right) && known.contains(joined.as_str())
        });
        let Some((left, right)) = pair else {
            return Err(meta.damaged(format!("merge `{}` is not of known tokens", Value::Text(merge).brief())));
        };
        pairs.push((left.to_owned(), right.to_owned()));
    }
    Ok(pairs)
}

/// Longest token in bytes for which merges are derived. Real tokens have a few dozen bytes; trying all splits of a huge
/// one would take too long.
const MOST_MERGED: usize = 512;

/// SentencePiece merges the pair whose result has the highest score. The equivalent merge list has every split of a
/// token into two other tokens, highest score first.
fn merges_by_score(tokens: &[&str], scores: &Numbers<'_>) -> Vec<(String, String)> {
    let ids: std::collections::HashMap<&str, usize> = tokens.iter().copied().zip(0..).collect();
    let mut found = Vec::new();
    for (token, score) in tokens.iter().zip(scores.iter()).filter(|(token, _)| token.len() <= MOST_MERGED) {
        let first = found.len();
        for (at, _) in token.char_indices().skip(1) {
            let (left, right) = token.split_at(at);
            if let (Some(l), Some(r)) = (ids.get(left), ids.get(right)) {
                found.push((score.as_float().unwrap_or(f64::MIN), (*l, *r), (left, right)));
            }
        }
        found[first..].sort_by_key(|(_, ids, _)| *ids);
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    found.into_iter().map(|(_, _, (left, right))| (left.to_owned(), right.to_owned())).collect()
}
