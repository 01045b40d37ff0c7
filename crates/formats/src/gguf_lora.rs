//! LoRA adapters for llama.cpp, in the GGUF format of its `convert_lora_to_gguf.py`.

use std::{io, path::Path};

use crate::{
    DecoderConfig, Error, atomic,
    gguf::{PARTS, module_of, row_order},
    peft::{LoraPair, PeftAdapter, PeftConfig},
    tensors::RowOrder,
};

/// Default alignment of tensors in llama.cpp, in bytes.
const ALIGNMENT: usize = 32;

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
    let alpha = lora.scaling() * lora.r as f32;
    let mut tensors = Vec::new();
    for pair in adapter.lora_pairs() {
        // llama.cpp divides by the rank of each tensor.
        let factor = lora.rank_of(pair.module) as f32 / lora.r as f32;
        tensors.extend(converted(path, &pair, factor, config)?);
    }
    atomic::file(path, |out| {
        let header = header(config.family.form().gguf, alpha, &tensors);
        let write = |out: &mut dyn io::Write| -> io::Result<()> {
            out.write_all(&padded(header))?;
            tensors.iter().try_for_each(|tensor| out.write_all(&padded(tensor.bytes())))
        };
        Ok(write(out))
    })
}

fn unsupported(path: &Path, field: &str, value: &str) -> Error {
    Error::UnsupportedAdapter { path: path.to_owned(), field: field.into(), value: value.into() }
}

struct Tensor {
    name: String,
    /// In ggml's order: the fastest dimension first.
    dims: [usize; 2],
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
        Tensor { name: format!("{name}.weight.lora_a"), dims: [cols, rank], values: pair.a.1.clone() },
        Tensor {
            name: format!("{name}.weight.lora_b"),
            dims: [rank, rows],
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

fn header(architecture: &str, alpha: f32, tensors: &[Tensor]) -> Vec<u8> {
    const U32: u32 = 4;
    const F32: u32 = 6;
    const TEXT: u32 = 8;
    let text = |text: &str| [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat();
    let entry = |key: &str, kind: u32, value: Vec<u8>| [text(key), kind.to_le_bytes().to_vec(), value].concat();
    let entries = [
        entry("general.architecture", TEXT, text(architecture)),
        entry("general.type", TEXT, text("adapter")),
        entry("adapter.type", TEXT, text("lora")),
        entry("adapter.lora.alpha", F32, alpha.to_le_bytes().to_vec()),
        entry("general.file_type", U32, 0u32.to_le_bytes().to_vec()),
        entry("general.quantization_version", U32, 2u32.to_le_bytes().to_vec()),
    ];
    let mut header = b"GGUF".to_vec();
    header.extend(3u32.to_le_bytes());
    header.extend((tensors.len() as u64).to_le_bytes());
    header.extend((entries.len() as u64).to_le_bytes());
    header.extend(entries.concat());
    let mut offset = 0;
    for tensor in tensors {
        header.extend(text(&tensor.name));
        header.extend(2u32.to_le_bytes());
        header.extend(tensor.dims.iter().flat_map(|dim| (*dim as u64).to_le_bytes()));
        header.extend(0u32.to_le_bytes());
        header.extend((offset as u64).to_le_bytes());
        offset += (4 * tensor.values.len()).next_multiple_of(ALIGNMENT);
    }
    header
}

fn padded(mut bytes: Vec<u8>) -> Vec<u8> {
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}
