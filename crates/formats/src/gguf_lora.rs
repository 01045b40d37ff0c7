//! LoRA adapters for llama.cpp, in the GGUF format of its `convert_lora_to_gguf.py`.

use std::path::Path;

use crate::{
    DecoderConfig, Error,
    gguf::{
        PARTS, module_of, row_order,
        writer::{self, ALIGNMENT, Planned},
    },
    peft::{LoraPair, PeftAdapter, PeftConfig},
    tensors::RowOrder,
};

/// Writes a LoRA adapter of a decoder-only model, for `llama-cli --lora`.
///
/// llama.cpp scales by `alpha / rank`; the `alpha` of an rsLoRA adapter is converted so that the product is the same.
///
/// # Errors
/// If the adapter is not a LoRA, or has target modules that llama.cpp does not support; or the write fails.
pub fn write(path: &Path, adapter: &PeftAdapter, config: &DecoderConfig) -> Result<(), Error> {
    let PeftConfig::Lora(lora) = &adapter.config else {
        return Err(unsupported(path, "peft_type", "PROMPT_TUNING"));
    };
    if let Some(part) = adapter.beyond_linear().or(lora.dora.then_some("DoRA")) {
        return Err(unsupported(path, "part", part));
    }
    let alpha = lora.scaling() * lora.r as f32;
    let mut tensors = Vec::new();
    for pair in adapter.lora_pairs() {
        // llama.cpp divides by the rank of each tensor.
        let factor = lora.rank_of(pair.module) as f32 / lora.r as f32;
        tensors.extend(converted(path, &pair, factor, config)?);
    }
    let entries = [
        writer::text("general.architecture", config.family.form().gguf),
        writer::text("general.type", "adapter"),
        writer::text("adapter.type", "lora"),
        writer::f32("adapter.lora.alpha", alpha),
        writer::u32("general.file_type", 0),
        writer::u32("general.quantization_version", 2),
    ];
    let planned = tensors.iter().map(|tensor| Planned {
        name: tensor.name.as_str().into(),
        shape: tensor.shape.to_vec(),
        kind: 0,
        bytes: 4 * tensor.values.len(),
    });
    let planned: Vec<Planned<'_>> = planned.collect();
    writer::write(path, ALIGNMENT, &entries.map(Into::into), &planned, |index| Ok(tensors[index].bytes().into()))
}

fn unsupported(path: &Path, field: &str, value: &str) -> Error {
    Error::UnsupportedAdapter { path: path.to_owned(), field: field.into(), value: value.into() }
}

struct Tensor {
    name: String,
    shape: [usize; 2],
    values: Vec<f32>,
}

impl Tensor {
    fn bytes(&self) -> Vec<u8> {
        self.values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// Both halves under llama.cpp's name. The rows of B correspond to those of the adapted weight, so they are reordered
/// like them.
fn converted(path: &Path, pair: &LoraPair<'_>, factor: f32, config: &DecoderConfig) -> Result<[Tensor; 2], Error> {
    let (name, order) = gguf_name(pair.module, config).ok_or_else(|| unsupported(path, "module", pair.module))?;
    let (&[rank, cols], &[rows, _]) = (&pair.a.0[..], &pair.b.0[..]) else {
        return Err(unsupported(path, "module", pair.module));
    };
    if let RowOrder::Interleaved { heads } = order
        && rows != heads * config.head_dim
    {
        let what = format!("its {rows} rows are not {heads} heads of {}", config.head_dim);
        return Err(Error::BadTensor { path: path.to_owned(), name: pair.module.to_owned(), what });
    }
    let b = (0..rows).flat_map(|row| {
        let from = order.plain_row(row, rows) * rank;
        &pair.b.1[from..from + rank]
    });
    Ok([
        Tensor { name: format!("{name}.weight.lora_a"), shape: [rank, cols], values: pair.a.1.clone() },
        Tensor {
            name: format!("{name}.weight.lora_b"),
            shape: [rows, rank],
            values: b.map(|value| factor * value).collect(),
        },
    ])
}

fn gguf_name(module: &str, config: &DecoderConfig) -> Option<(String, RowOrder)> {
    // llama.cpp ignores an adapter on an output head that is the token embedding.
    if module == "lm_head" && !config.tie {
        return Some(("output".to_owned(), RowOrder::Plain));
    }
    let (layer, part) = module.strip_prefix("model.layers.")?.split_once('.')?;
    let layer: usize = layer.parse().ok().filter(|n| *n < config.layers)?;
    let ours = PARTS.into_iter().find(|ours| module_of(ours, config.family.form()) == Some(part))?;
    Some((format!("blk.{layer}.{ours}"), row_order(ours, config)))
}
