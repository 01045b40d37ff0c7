//! A Hugging Face model folder.

use std::{path::Path, sync::Arc};

use serde_json::Value;
use tokenizers::Tokenizer;

use crate::{
    ChatTemplate, Error, ModelConfig, ModelFiles, SpecialTokens, hf_tokenizer,
    json::{Fields, open_regular, read_small_if_any},
    safetensors_in,
    tensors::{Entry, RowOrder, Tensors},
};

pub(crate) const CONFIG: &str = "config.json";
pub(crate) const WEIGHTS: &str = "model.safetensors";
pub(crate) const INDEX: &str = "model.safetensors.index.json";
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// Optional files of a model that also determine what it computes.
pub(crate) const OPTIONAL: [&str; 4] =
    ["tokenizer_config.json", "special_tokens_map.json", "generation_config.json", "chat_template.jinja"];

/// Opens the folder.
pub(crate) fn open(folder: &Path) -> Result<ModelFiles, Error> {
    let (config_fields, mut config) = config(folder)?;
    let tensors = weights(folder, &config)?;
    if let ModelConfig::Decoder(decoder) = &mut config {
        // A stored head is used, whatever the config says.
        decoder.tie &= !tensors.contains("lm_head.weight");
    }
    let tokenizer_path = folder.join(TOKENIZER);
    if !tokenizer_path.exists() {
        return Err(Error::Missing { folder: folder.to_owned(), file: TOKENIZER });
    }
    let tokenizer = hf_tokenizer::open(&tokenizer_path, config.vocab())?;
    let [tokenizer_config, special_map, generation, _] = OPTIONAL.map(|name| fields_if_any(folder, name));
    let (tokenizer_config, special_map) = (tokenizer_config?, special_map?);
    let named = |role: &str| named_token(&tokenizer_config, role).or_else(|| named_token(&special_map, role));
    let tokens = special_tokens(&config, &config_fields, &generation?, &tokenizer, named)?;
    let chat_template = chat_template(folder, &tokenizer_config)?
        .map(|source| ChatTemplate::new(source, named("bos_token"), named("eos_token")))
        .transpose()?;
    Ok(ModelFiles { path: folder.to_owned(), config, tensors, tokenizer, chat_template, tokens })
}

/// Refuses an adapter's folder whose own chat template or added tokens are others than the base model's: they would be
/// ignored.
///
/// # Errors
/// If they differ, or a file is damaged.
pub(crate) fn check_beside(folder: &Path, base: &ModelFiles) -> Result<(), Error> {
    let differs = |what: String| Err(Error::OtherBeside { path: folder.to_owned(), what });
    let template = chat_template(folder, &fields_if_any(folder, OPTIONAL[0])?)?;
    let same = |template: &String| base.chat_template.as_ref().is_some_and(|b| b.source().trim() == template.trim());
    if template.is_some_and(|template| !same(&template)) {
        return differs("the adapter has another chat template".into());
    }
    let other = |content: &str, id: Option<u64>| base.tokenizer.token_to_id(content).map(u64::from) != id;
    let added = fields_if_any(folder, "added_tokens.json")?;
    let mut found = added.map.iter().map(|(content, id)| (content.clone(), id.as_u64())).collect::<Vec<_>>();
    if folder.join(TOKENIZER).exists() {
        found.extend(hf_tokenizer::added_tokens(&folder.join(TOKENIZER))?);
    }
    match found.into_iter().find(|(content, id)| other(content, *id)) {
        Some((content, _)) => {
            differs(format!("the adapter's tokenizer has the token `{content}`, the model's does not"))
        }
        None => Ok(()),
    }
}

/// The folder's `config.json`.
pub(crate) fn config(folder: &Path) -> Result<(Fields, ModelConfig), Error> {
    let Some(bytes) = read_small_if_any(&folder.join(CONFIG))? else {
        return Err(Error::NotAModel(folder.to_owned()));
    };
    let fields = Fields::parse(&folder.join(CONFIG), &bytes)?;
    let config = ModelConfig::from_json(&fields)?;
    Ok((fields, config))
}

fn fields_if_any(folder: &Path, name: &str) -> Result<Fields, Error> {
    let path = folder.join(name);
    match read_small_if_any(&path)? {
        Some(bytes) => Fields::parse(&path, &bytes),
        None => Ok(Fields::none(&path)),
    }
}

/// Files that hold the weights of a folder.
pub(crate) fn weight_files(folder: &Path) -> Result<Vec<std::path::PathBuf>, Error> {
    let single = folder.join(WEIGHTS);
    if single.exists() {
        return Ok(vec![single]);
    }
    let index = folder.join(INDEX);
    match read_small_if_any(&index)? {
        Some(bytes) => safetensors_in::shards(&index, &bytes),
        None => {
            let pickles = ["pytorch_model.bin", "pytorch_model.bin.index.json", "consolidated.00.pth"];
            match pickles.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
                Some(pickle) => Err(Error::Pickle(pickle)),
                None => Err(Error::Missing { folder: folder.to_owned(), file: WEIGHTS }),
            }
        }
    }
}

fn weights(folder: &Path, config: &ModelConfig) -> Result<Tensors, Error> {
    let mut tensors = Tensors::new(folder);
    for path in weight_files(folder)? {
        let map = Arc::new(map(&path)?);
        for listed in safetensors_in::list(&path, &map)? {
            let (dtype, shape, range) = (listed.dtype, listed.shape, listed.range);
            tensors.insert(listed.name, Entry { map: map.clone(), range, dtype, shape, order: RowOrder::Plain })?;
        }
    }
    if matches!(config, ModelConfig::T5(_)) {
        // Shared tensors are stored once, under any of their names.
        let other_names = ["encoder.embed_tokens.weight", "decoder.embed_tokens.weight"];
        tensors.alias("shared.weight", &other_names);
    }
    Ok(tensors)
}

/// Maps a file, which must not be empty.
pub(crate) fn map(path: &Path) -> Result<graft_kernels::Map, Error> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = open_regular(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.len() == 0 {
        return Err(Error::Damaged { path: path.to_owned(), what: "it is empty".into() });
    }
    graft_kernels::map_file(&file).map_err(failed)
}

/// The text of `bos_token` and the like, which is a string or an object with `content`.
fn named_token<'a>(fields: &'a Fields, role: &str) -> Option<&'a str> {
    let value = fields.get(role)?;
    value.as_str().or_else(|| value.get("content").and_then(Value::as_str))
}

fn special_tokens<'a>(
    config: &ModelConfig,
    fields: &Fields,
    generation: &Fields,
    tokenizer: &Tokenizer,
    named: impl Fn(&str) -> Option<&'a str>,
) -> Result<SpecialTokens, Error> {
    let id_of = |role| named(role).and_then(|text| tokenizer.token_to_id(text));
    let configured = |name: &str| -> Result<Vec<u32>, Error> {
        let ids = generation.ids(name)?;
        if ids.is_empty() { fields.ids(name) } else { Ok(ids) }
    };
    let mut eos: Vec<u32> = id_of("eos_token").into_iter().collect();
    for id in configured("eos_token_id")? {
        if !eos.contains(&id) {
            eos.push(id);
        }
    }
    let decoder_start = match config {
        ModelConfig::T5(t5) => Some(configured("decoder_start_token_id")?.first().copied().unwrap_or(t5.decoder_start)),
        ModelConfig::Decoder(_) => None,
    };
    let bos = id_of("bos_token").or(configured("bos_token_id")?.first().copied());
    let pad = id_of("pad_token").or(configured("pad_token_id")?.first().copied());
    let tokens = SpecialTokens { bos, eos, pad, decoder_start };
    tokens.check(config).map_err(|what| fields.damaged(what))?;
    Ok(tokens)
}

impl SpecialTokens {
    /// Checks that every id has an embedding, and that an end token exists.
    pub(crate) fn check(&self, config: &ModelConfig) -> Result<(), String> {
        let all = self.eos.iter().chain(&self.bos).chain(&self.pad).chain(&self.decoder_start);
        if let Some(id) = all.into_iter().find(|id| **id as usize >= config.vocab()) {
            return Err(format!("special token {id} is outside the vocabulary of {}", config.vocab()));
        }
        if self.eos.is_empty() { Err("it has no end-of-sequence token".into()) } else { Ok(()) }
    }
}

/// The chat template, from its own file or from the tokenizer's config (a single one, or `default` of several).
fn chat_template(folder: &Path, tokenizer_config: &Fields) -> Result<Option<String>, Error> {
    let path = folder.join("chat_template.jinja");
    if let Some(bytes) = read_small_if_any(&path)? {
        let text = String::from_utf8(bytes);
        return text.map(Some).map_err(|_| Error::Damaged { path, what: "it is not UTF-8".into() });
    }
    let named = |list: &Vec<Value>| {
        let default = list.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some("default"))?;
        Some(default.get("template")?.as_str()?.to_owned())
    };
    Ok(match tokenizer_config.get("chat_template") {
        Some(Value::String(source)) => Some(source.clone()),
        Some(Value::Array(list)) => named(list),
        _ => None,
    })
}
