//! A model in one GGUF file, as llama.cpp's `convert_hf_to_gguf.py` writes it.

mod reader;
mod tokenizer;

use std::{io::Read as _, path::Path, sync::Arc};

use graft_kernels::{Dtype, Map};

use self::reader::{Gguf, Listed, Value};
use crate::{
    ChatTemplate, Error, LlamaConfig, ModelConfig, ModelFiles, RopeScaling, SpecialTokens,
    config::{MOST, MOST_LAYERS},
    json::open_regular,
    tensors::{Entry, RowOrder, Tensors},
};

/// Opens the file.
pub(crate) fn open(path: &Path) -> Result<ModelFiles, Error> {
    let map = Arc::new(crate::hf::map(path)?);
    let meta = Meta::parse(path, &map)?;
    let config = config(&meta)?;
    let tensors = tensors(&meta, &map, &config)?;
    let config = ModelConfig::Llama(config);
    let tokenizer = tokenizer::build(&meta, config.vocab())?;
    let tokens = special_tokens(&meta)?;
    tokens.check(&config).map_err(|what| meta.damaged(what))?;
    let text = |id: Option<u32>| id.and_then(|id| tokenizer.id_to_token(id));
    let (bos, eos) = (text(tokens.bos), text(tokens.eos.first().copied()));
    let chat_template = meta
        .text("tokenizer.chat_template")?
        .map(|source| ChatTemplate::new(source.to_owned(), bos.as_deref(), eos.as_deref()))
        .transpose()?;
    Ok(ModelFiles { path: path.to_owned(), config, tensors, tokenizer, chat_template, tokens })
}

/// Whether the file starts with GGUF's magic bytes.
pub(crate) fn is_gguf(path: &Path) -> bool {
    let mut magic = [0; 4];
    open_regular(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"GGUF"
}

/// A file's metadata, with errors that name file and key.
pub(super) struct Meta<'a> {
    path: &'a Path,
    file: &'a [u8],
    gguf: Gguf<'a>,
}

impl<'a> Meta<'a> {
    fn parse(path: &'a Path, file: &'a [u8]) -> Result<Self, Error> {
        let gguf = Gguf::parse(file).map_err(|what| Error::Damaged { path: path.to_owned(), what })?;
        Ok(Self { path, file, gguf })
    }

    fn damaged(&self, what: String) -> Error {
        Error::Damaged { path: self.path.to_owned(), what }
    }

    fn unsupported(&self, field: &str, value: String, supported: &'static str) -> Error {
        Error::UnsupportedModel { path: self.path.to_owned(), field: field.into(), value, supported }
    }

    fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.gguf.metadata.get(key)
    }

    fn typed<'m, T>(
        &'m self,
        key: &str,
        what: &str,
        read: impl Fn(&'m Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| self.damaged(format!("`{key}` is {}, not {what}", value.brief())))
    }

    fn text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        self.typed(key, "a text", |v| if let Value::Text(text) = v { Some(*text) } else { None })
    }

    fn texts(&self, key: &str) -> Result<Option<&[&'a str]>, Error> {
        self.typed(key, "a list of texts", |v| if let Value::Texts(list) = v { Some(list.as_slice()) } else { None })
    }

    fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "true or false", |v| if let Value::Bool(b) = v { Some(*b) } else { None })
    }

    fn id(&self, key: &str) -> Result<Option<u32>, Error> {
        self.typed(key, "a token id", Value::as_int)
    }

    fn float(&self, key: &str) -> Result<Option<f64>, Error> {
        self.typed(key, "a finite number", Value::as_float)
    }

    fn count(&self, key: &str, most: usize) -> Result<Option<usize>, Error> {
        let within = |v: &Value<'a>| v.as_int::<usize>().filter(|n| (1..=most).contains(n));
        self.typed(key, &format!("a whole number from 1 to {most}"), within)
    }

    fn need<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.damaged(format!("`{key}` is missing")))
    }

    fn tensor(&self, name: &str) -> Option<&Listed<'a>> {
        self.gguf.tensors.iter().find(|t| t.name == name)
    }
}

fn config(meta: &Meta<'_>) -> Result<LlamaConfig, Error> {
    const LLAMA: &str = "dense models of the architecture `llama`";
    match meta.text("general.architecture")? {
        Some("llama") => {}
        other => return Err(meta.unsupported("general.architecture", other.unwrap_or("missing").into(), LLAMA)),
    }
    if let Some(experts) = meta.get("llama.expert_count").filter(|v| v.as_int::<u8>() != Some(0)) {
        return Err(meta.unsupported("llama.expert_count", experts.brief(), LLAMA));
    }
    let count = |key: &str, most| meta.need(key, meta.count(key, most)?);
    let hidden = count("llama.embedding_length", MOST)?;
    let heads = count("llama.attention.head_count", MOST)?;
    let head_dim = meta.count("llama.attention.key_length", MOST)?.unwrap_or(hidden / heads);
    for key in ["llama.attention.value_length", "llama.rope.dimension_count"] {
        match meta.count(key, MOST)? {
            Some(dim) if dim != head_dim => return Err(meta.unsupported(key, dim.to_string(), LLAMA)),
            _ => {}
        }
    }
    let Some(embedding) = meta.tensor("token_embd.weight").filter(|t| t.shape.len() == 2) else {
        return Err(meta.damaged("it has no token embedding".into()));
    };
    let eps = meta.float("llama.attention.layer_norm_rms_epsilon")?;
    let config = LlamaConfig {
        hidden,
        heads,
        head_dim,
        intermediate: count("llama.feed_forward_length", MOST)?,
        layers: count("llama.block_count", MOST_LAYERS)?,
        kv_heads: meta.count("llama.attention.head_count_kv", MOST)?.unwrap_or(heads),
        vocab: embedding.shape[0],
        rms_eps: meta.need("llama.attention.layer_norm_rms_epsilon", eps)? as f32,
        rope_theta: meta.float("llama.rope.freq_base")?.unwrap_or(10_000.0),
        rope_scaling: rope_scaling(meta)?,
        tie: meta.tensor("output.weight").is_none(),
        max_positions: meta.count("llama.context_length", u32::MAX as usize)?.unwrap_or(2048),
    };
    config.check().map_err(|what| meta.damaged(what))?;
    Ok(config)
}

fn rope_scaling(meta: &Meta<'_>) -> Result<RopeScaling, Error> {
    let key = "llama.rope.scaling.type";
    match (meta.text(key)?, meta.tensor("rope_freqs.weight")) {
        (None | Some("none"), None) => Ok(RopeScaling::None),
        (None | Some("none"), Some(factors)) => match factors.dtype {
            Ok(dtype @ Dtype::F32) => {
                let mut values = vec![0.0; factors.range.len() / dtype.block_bytes()];
                graft_kernels::dequantize(dtype, &meta.file[factors.range.clone()], &mut values);
                Ok(RopeScaling::Factors(values))
            }
            _ => Err(meta.damaged("`rope_freqs.weight` is not F32".into())),
        },
        (Some("linear"), None) => {
            let factor = meta.float("llama.rope.scaling.factor")?;
            Ok(RopeScaling::Linear { factor: meta.need("llama.rope.scaling.factor", factor)? })
        }
        (Some(other), _) => {
            Err(meta.unsupported(key, other.into(), "`none`, `linear`, and Llama 3.1's frequency factors"))
        }
    }
}

fn tensors(meta: &Meta<'_>, map: &Arc<Map>, config: &LlamaConfig) -> Result<Tensors, Error> {
    let mut tensors = Tensors::new(meta.path);
    for listed in meta.gguf.tensors.iter().filter(|t| t.name != "rope_freqs.weight") {
        let Some((name, order)) = hugging_face_name(listed.name, config) else {
            let what = "the tensors of a Llama model without biases";
            return Err(meta.unsupported("tensor", listed.name.chars().take(60).collect(), what));
        };
        if let Err(kind) = &listed.dtype {
            let types = "tensors of type F32, F16, BF16, Q4_0, Q4_1, Q8_0, Q4_K, Q5_K and Q6_K";
            return Err(meta.unsupported(listed.name, kind.clone(), types));
        }
        let (dtype, shape, range) = (listed.dtype.clone(), listed.shape.clone(), listed.range.clone());
        tensors.insert(name, Entry { map: map.clone(), range, dtype, shape, order })?;
    }
    Ok(tensors)
}

/// The Hugging Face name of a Llama tensor, and the order of its rows in the file.
fn hugging_face_name(name: &str, config: &LlamaConfig) -> Option<(String, RowOrder)> {
    let whole = match name {
        "token_embd.weight" => Some("model.embed_tokens.weight"),
        "output_norm.weight" => Some("model.norm.weight"),
        "output.weight" => Some("lm_head.weight"),
        _ => None,
    };
    if let Some(whole) = whole {
        return Some((whole.to_owned(), RowOrder::Plain));
    }
    let (layer, part) = name.strip_prefix("blk.")?.strip_suffix(".weight")?.split_once('.')?;
    let layer = layer.parse::<usize>().ok().filter(|n| *n < config.layers && n.to_string() == layer)?;
    let (_, module) = MODULES.iter().find(|(ours, _)| *ours == part)?;
    Some((format!("model.layers.{layer}.{module}.weight"), row_order(part, config)))
}

/// The order of a block's matrix in GGUF files; `part` is llama.cpp's name.
pub(crate) fn row_order(part: &str, config: &LlamaConfig) -> RowOrder {
    match part {
        "attn_q" => RowOrder::Interleaved { heads: config.heads },
        "attn_k" => RowOrder::Interleaved { heads: config.kv_heads },
        _ => RowOrder::Plain,
    }
}

/// Parts of a block: llama.cpp's name, Hugging Face's name.
pub(crate) const MODULES: [(&str, &str); 9] = [
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

fn special_tokens(meta: &Meta<'_>) -> Result<SpecialTokens, Error> {
    let id = |role: &str| meta.id(&format!("tokenizer.ggml.{role}_token_id"));
    let mut eos: Vec<u32> = Vec::new();
    for role in ["eos", "eot", "eom"] {
        if let Some(id) = id(role)?.filter(|id| !eos.contains(id)) {
            eos.push(id);
        }
    }
    Ok(SpecialTokens { bos: id("bos")?, eos, pad: id("padding")?, decoder_start: None })
}
