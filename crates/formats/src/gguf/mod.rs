//! A model in a GGUF file as written by llama.cpp's `convert_hf_to_gguf.py`, or in the parts that `gguf-split` makes of
//! one.

mod reader;
mod tokenizer;
pub(crate) mod writer;

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use graft_kernels::{Dtype, Map};

pub(crate) use self::reader::Listed;
use self::reader::{Gguf, Value};
use crate::{
    ChatTemplate, DecoderConfig, Error, Family, Form, LayerKind, ModelConfig, ModelFiles, Norms, QkNorm, RopeConfig,
    RopeScaling, SpecialTokens,
    config::{ARCHITECTURES, MOST, MOST_LAYERS},
    json::open_regular,
    tensors::{Entry, RowOrder, Tensors},
};

/// Opens the file.
pub(crate) fn open(path: &Path) -> Result<ModelFiles, Error> {
    let paths = part_paths(path);
    let maps = maps(&paths)?;
    let meta = Meta::parse(&paths, &maps)?;
    let config = config(&meta)?;
    let tensors = tensors(&meta, &config)?;
    let config = ModelConfig::Decoder(config);
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

/// Maps all parts of a model.
pub(crate) fn maps(paths: &[PathBuf]) -> Result<Vec<Arc<Map>>, Error> {
    paths.iter().map(|path| Ok(Arc::new(crate::hf::map(path)?))).collect()
}

/// Whether the file starts with GGUF's magic bytes.
pub(crate) fn is_gguf(path: &Path) -> bool {
    let mut magic = [0; 4];
    open_regular(path).and_then(|mut file| file.read_exact(&mut magic)).is_ok() && magic == *b"GGUF"
}

/// All files of a model that is split as `NAME-00001-of-00003.gguf` and so on, or the one file.
pub(crate) fn part_paths(path: &Path) -> Vec<PathBuf> {
    let of = |name: &str| -> Option<Vec<PathBuf>> {
        let (rest, count) = name.strip_suffix(".gguf")?.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let five = |text: &str| text.parse::<usize>().ok().filter(|_| text.len() == 5 && text.is_ascii());
        let (number, all) = (five(number)?, five(count)?);
        // Limit the number of parts, so that a file name can't cause much work.
        let valid = (1..=all).contains(&number) && all <= 1024;
        valid.then(|| (1..=all).map(|n| path.with_file_name(format!("{stem}-{n:05}-of-{count}.gguf"))).collect())
    };
    path.file_name().and_then(|name| of(name.to_str()?)).unwrap_or_else(|| vec![path.to_owned()])
}

/// Metadata of a file (the first of several) and the tensors of all parts, with errors that name file and key.
pub(crate) struct Meta<'a> {
    path: &'a Path,
    parts: Vec<(&'a Arc<Map>, Gguf<'a>)>,
}

impl<'a> Meta<'a> {
    pub(crate) fn parse(paths: &'a [PathBuf], maps: &'a [Arc<Map>]) -> Result<Self, Error> {
        let mut parts = Vec::with_capacity(paths.len());
        for (number, (path, map)) in paths.iter().zip(maps).enumerate() {
            let damaged = |what| Error::Damaged { path: path.clone(), what };
            let gguf = Gguf::parse(map).map_err(damaged)?;
            let told = |key: &str| gguf.metadata.get(key).and_then(Value::as_int::<usize>);
            let (own, count) = (told("split.no").unwrap_or(0), told("split.count").unwrap_or(1).max(1));
            if (own, count) != (number, paths.len()) {
                let what = format!(
                    "it says that it is part {} of {count}; the parts of a model lie beside each other under names that \
                     end in `-00001-of-{count:05}.gguf` and so on",
                    own + 1
                );
                return Err(damaged(what));
            }
            parts.push((map, gguf));
        }
        let meta = Self { path: &paths[0], parts };
        let (stored, all) = (meta.tensors().count(), meta.whole("split.tensors.count")?);
        match all.filter(|all| *all != stored) {
            Some(all) => Err(meta.damaged(format!("its parts have {stored} of {all} tensors"))),
            None => Ok(meta),
        }
    }

    /// The tensors of all parts, each with the map of its part.
    pub(crate) fn tensors(&self) -> impl Iterator<Item = (&'a Arc<Map>, &Listed<'a>)> {
        self.parts.iter().flat_map(|(map, gguf)| gguf.tensors.iter().map(|listed| (*map, listed)))
    }

    /// The metadata entries as stored, with their keys.
    pub(crate) fn entries(&self) -> &[(&'a str, &'a [u8])] {
        self.parts.first().map_or(&[], |(_, gguf)| &gguf.entries)
    }

    /// Alignment of the tensors, in bytes.
    pub(crate) fn alignment(&self) -> usize {
        self.parts.first().map_or(writer::ALIGNMENT, |(_, gguf)| gguf.alignment)
    }

    fn damaged(&self, what: String) -> Error {
        Error::Damaged { path: self.path.to_owned(), what }
    }

    fn unsupported(&self, field: &str, value: String, supported: &'static str) -> Error {
        Error::UnsupportedModel { path: self.path.to_owned(), field: field.into(), value, supported }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value<'a>> {
        self.parts.first()?.1.metadata.get(key)
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

    fn whole(&self, key: &str) -> Result<Option<usize>, Error> {
        self.typed(key, "a whole number", Value::as_int)
    }

    fn need<T>(&self, key: &str, value: Option<T>) -> Result<T, Error> {
        value.ok_or_else(|| self.damaged(format!("`{key}` is missing")))
    }

    fn tensor(&self, name: &str) -> Option<(&'a Arc<Map>, &Listed<'a>)> {
        self.tensors().find(|(_, t)| t.name == name)
    }
}

pub(crate) fn config(meta: &Meta<'_>) -> Result<DecoderConfig, Error> {
    let architecture = meta.text("general.architecture")?.unwrap_or("missing");
    let unknown = || meta.unsupported("general.architecture", architecture.into(), ARCHITECTURES);
    let family = Family::of_architecture(architecture).ok_or_else(unknown)?;
    let key = |name: &str| format!("{architecture}.{name}");
    if let Some(experts) = meta.get(&key("expert_count")).filter(|v| v.as_int::<u8>() != Some(0)) {
        return Err(meta.unsupported(&key("expert_count"), experts.brief(), ARCHITECTURES));
    }
    let count = |name: &str, most| meta.count(&key(name), most);
    let needed = |name: &str, most| meta.need(&key(name), count(name, most)?);
    let factor = |name: &str| meta.float(&key(name)).map(|x| x.map(|x| x as f32));
    let (hidden, heads) = (needed("embedding_length", MOST)?, needed("attention.head_count", MOST)?);
    let head_dim = count("attention.key_length", MOST)?.unwrap_or(hidden / heads);
    match count("attention.value_length", MOST)? {
        Some(dim) if dim != head_dim => {
            return Err(meta.unsupported(&key("attention.value_length"), dim.to_string(), ARCHITECTURES));
        }
        _ => {}
    }
    let Some((_, embedding)) = meta.tensor("token_embd.weight").filter(|(_, t)| t.shape.len() == 2) else {
        return Err(meta.damaged("it has no token embedding".into()));
    };
    let layers = needed("block_count", MOST_LAYERS)?;
    // llama.cpp recognizes the largest models by these sizes, without a key.
    let by_hidden = matches!((family, layers), (Family::Gemma2, 46) | (Family::Gemma3, 62));
    let gemma = matches!(family, Family::Gemma2 | Family::Gemma3);
    let scale = 1.0 / (if by_hidden { hidden / heads } else { head_dim } as f32).sqrt();
    let eps = factor("attention.layer_norm_rms_epsilon")?;
    let granite = |name: &str| if family == Family::Granite { factor(name) } else { Ok(None) };
    let cap = |name: &str| if gemma { factor(name) } else { Ok(None) };
    let mut config = DecoderConfig {
        family,
        hidden,
        heads,
        head_dim,
        layers,
        intermediate: needed("feed_forward_length", MOST)?,
        kv_heads: count("attention.head_count_kv", MOST)?.unwrap_or(heads),
        vocab: embedding.shape[0],
        rms_eps: meta.need(&key("attention.layer_norm_rms_epsilon"), eps)?,
        tie: meta.tensor("output.weight").is_none(),
        max_positions: count("context_length", u32::MAX as usize)?.unwrap_or(2048),
        ropes: Vec::new(),
        layer_kinds: Vec::new(),
        attention_scale: granite("attention.scale")?.unwrap_or(scale),
        attention_cap: cap("attn_logit_softcapping")?,
        embedding_scale: if gemma { (hidden as f64).sqrt() as f32 } else { granite("embedding_scale")?.unwrap_or(1.0) },
        residual_scale: granite("residual_scale")?.unwrap_or(1.0),
        logit_scale: 1.0 / granite("logit_scale")?.unwrap_or(1.0),
        logit_cap: cap("final_logit_softcapping")?,
        // The converter has added the offset to the stored weights.
        norm_offset: 0.0,
    };
    config.ropes = ropes(meta, &key, &mut config)?;
    config.layer_kinds = layer_kinds(meta, &key, &config)?;
    config.check().map_err(|what| meta.damaged(what))?;
    Ok(config)
}

fn layer_kinds(
    meta: &Meta<'_>,
    key: &impl Fn(&str) -> String,
    config: &DecoderConfig,
) -> Result<Vec<LayerKind>, Error> {
    let family = config.family;
    let window = meta.whole(&key("attention.sliding_window"))?.filter(|window| *window > 0);
    if let (Some(window), Family::Llama | Family::SmolLm3 | Family::Olmo2 | Family::Granite) = (window, family) {
        return Err(meta.unsupported(&key("attention.sliding_window"), window.to_string(), "no windows here"));
    }
    let kind = |layer: usize| {
        let windowed = match family {
            Family::Gemma2 => layer.is_multiple_of(2),
            Family::Gemma3 => !(layer + 1).is_multiple_of(6),
            _ => true,
        };
        let rotary = family != Family::SmolLm3 || !(layer + 1).is_multiple_of(4);
        let local = usize::from(windowed && config.ropes.len() > 1);
        LayerKind { window: window.filter(|_| windowed), rope: rotary.then_some(local) }
    };
    Ok((0..config.layers).map(kind).collect())
}

fn ropes(meta: &Meta<'_>, key: &impl Fn(&str) -> String, config: &mut DecoderConfig) -> Result<Vec<RopeConfig>, Error> {
    let dim = meta.count(&key("rope.dimension_count"), MOST)?.unwrap_or(config.head_dim);
    if dim != config.head_dim && config.family != Family::Phi3 {
        return Err(meta.unsupported(&key("rope.dimension_count"), dim.to_string(), ARCHITECTURES));
    }
    let theta = meta.float(&key("rope.freq_base"))?.unwrap_or(10_000.0);
    let (scaling, stretch) = rope_scaling(meta, key, config)?;
    let mut ropes = vec![RopeConfig { theta, dim, scaling, stretch }];
    if config.family == Family::Gemma3 {
        let theta = meta.float(&key("rope.freq_base_swa"))?.unwrap_or(10_000.0);
        ropes.push(RopeConfig { theta, dim, scaling: RopeScaling::None, stretch: 1.0 });
    }
    Ok(ropes)
}

/// The scaling, and the factor on the rotated elements.
fn rope_scaling(
    meta: &Meta<'_>,
    key: &impl Fn(&str) -> String,
    config: &mut DecoderConfig,
) -> Result<(RopeScaling, f32), Error> {
    let kind = key("rope.scaling.type");
    if let Some(short) = meta.tensor("rope_factors_short.weight") {
        // LongRoPE. Its factors for short texts limit the context to the original length.
        let original = key("rope.scaling.original_context_length");
        let context = meta.need(&original, meta.count(&original, u32::MAX as usize)?)?;
        let ratio = config.max_positions as f64 / context as f64;
        let stretch = if ratio > 1.0 { (1.0 + ratio.ln() / (context as f64).ln()).sqrt() } else { 1.0 };
        let stretch = meta.float(&key("rope.scaling.attn_factor"))?.unwrap_or(stretch) as f32;
        config.max_positions = config.max_positions.min(context);
        return Ok((RopeScaling::Factors(factors(meta, short)?), stretch));
    }
    let scaling = match (meta.text(&kind)?, meta.tensor("rope_freqs.weight")) {
        (None | Some("none"), None) => RopeScaling::None,
        (None | Some("none"), Some(listed)) => RopeScaling::Factors(factors(meta, listed)?),
        (Some("linear"), None) => {
            let factor = meta.float(&key("rope.scaling.factor"))?;
            RopeScaling::Linear { factor: meta.need(&key("rope.scaling.factor"), factor)? }
        }
        (Some(other), _) => {
            return Err(meta.unsupported(&kind, other.into(), "`none`, `linear`, and frequency factors of the file"));
        }
    };
    Ok((scaling, 1.0))
}

fn factors(meta: &Meta<'_>, (map, listed): (&Arc<Map>, &Listed<'_>)) -> Result<Vec<f32>, Error> {
    match listed.dtype {
        Ok(dtype @ Dtype::F32) => {
            let mut values = vec![0.0; listed.range.len() / dtype.block_bytes()];
            graft_kernels::dequantize(dtype, &map[listed.range.clone()], &mut values);
            Ok(values)
        }
        _ => Err(meta.damaged(format!("`{}` is not F32", listed.name))),
    }
}

fn tensors(meta: &Meta<'_>, config: &DecoderConfig) -> Result<Tensors, Error> {
    let mut tensors = Tensors::new(meta.path);
    for (map, listed) in meta.tensors().filter(|(_, t)| !t.name.starts_with("rope_f")) {
        let Some((name, order)) = hugging_face_name(listed.name, config) else {
            let what = "the tensors that llama.cpp's converter writes for this architecture";
            return Err(meta.unsupported("tensor", listed.name.chars().take(60).collect(), what));
        };
        if let Err(kind) = &listed.dtype {
            let types = "tensors of type F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS and \
                         MXFP4";
            return Err(meta.unsupported(listed.name, kind.clone(), types));
        }
        let (dtype, shape, range) = (listed.dtype.clone(), listed.shape.clone(), listed.range.clone());
        tensors.insert(name, Entry { map: map.clone(), range, dtype, shape, order })?;
    }
    Ok(tensors)
}

/// The Hugging Face name of a tensor, and the row order in the file.
pub(crate) fn hugging_face_name(name: &str, config: &DecoderConfig) -> Option<(String, RowOrder)> {
    let whole = match name {
        "token_embd.weight" => Some("model.embed_tokens.weight"),
        "output_norm.weight" => Some("model.norm.weight"),
        "output.weight" => Some("lm_head.weight"),
        _ => None,
    };
    if let Some(whole) = whole {
        return Some((whole.to_owned(), RowOrder::Plain));
    }
    let (layer, rest) = name.strip_prefix("blk.")?.split_once('.')?;
    let (part, kind) = rest.rsplit_once('.')?;
    let layer = layer.parse::<usize>().ok().filter(|n| *n < config.layers && n.to_string() == layer)?;
    let has_bias = config.family.form().qkv_bias && matches!(part, "attn_q" | "attn_k" | "attn_v");
    if kind != "weight" && !(kind == "bias" && has_bias) {
        return None;
    }
    let module = module_of(part, config.family.form())?;
    Some((format!("model.layers.{layer}.{module}.{kind}"), row_order(part, config)))
}

/// The row order of a block's matrix in GGUF files; `part` is llama.cpp's name.
pub(crate) fn row_order(part: &str, config: &DecoderConfig) -> RowOrder {
    match part {
        "attn_q" if config.family.form().interleaved => RowOrder::Interleaved { heads: config.heads },
        "attn_k" if config.family.form().interleaved => RowOrder::Interleaved { heads: config.kv_heads },
        _ => RowOrder::Plain,
    }
}

/// llama.cpp's names of the parts of a block.
pub(crate) const PARTS: [&str; 14] = [
    "attn_norm",
    "attn_q",
    "attn_k",
    "attn_v",
    "attn_qkv",
    "attn_q_norm",
    "attn_k_norm",
    "attn_output",
    "post_attention_norm",
    "ffn_norm",
    "ffn_gate",
    "ffn_up",
    "ffn_down",
    "post_ffw_norm",
];

/// Hugging Face's name of a part of a block, if the family has it.
pub(crate) fn module_of(part: &str, form: &Form) -> Option<&'static str> {
    Some(match part {
        "attn_norm" if form.norms != Norms::After => "input_layernorm",
        "attn_q" if !form.fused => "self_attn.q_proj",
        "attn_k" if !form.fused => "self_attn.k_proj",
        "attn_v" if !form.fused => "self_attn.v_proj",
        "attn_qkv" if form.fused => "self_attn.qkv_proj",
        "attn_q_norm" if form.qk_norm != QkNorm::None => "self_attn.q_norm",
        "attn_k_norm" if form.qk_norm != QkNorm::None => "self_attn.k_norm",
        "attn_output" => "self_attn.o_proj",
        "post_attention_norm" if form.norms != Norms::Before => "post_attention_layernorm",
        "ffn_norm" if form.norms == Norms::Before => "post_attention_layernorm",
        "ffn_norm" if form.norms == Norms::Around => "pre_feedforward_layernorm",
        "ffn_gate" if !form.fused => "mlp.gate_proj",
        "ffn_up" if form.fused => "mlp.gate_up_proj",
        "ffn_up" => "mlp.up_proj",
        "ffn_down" => "mlp.down_proj",
        "post_ffw_norm" if form.norms != Norms::Before => "post_feedforward_layernorm",
        _ => return None,
    })
}

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
