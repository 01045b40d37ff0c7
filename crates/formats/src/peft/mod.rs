//! Adapters in the files of Hugging Face's PEFT: `adapter_config.json` and `adapter_model.safetensors`.
//! <https://huggingface.co/docs/peft/developer_guides/checkpoint>

mod config;

use std::{collections::BTreeMap, io::Read as _, path::Path};

pub use config::{LoraConfig, Modules, PeftConfig, PromptConfig, TaskType};
use graft_core::Digest;

use crate::{
    Error, atomic,
    json::{Fields, open_regular, read_small_if_any},
    safetensors_in, safetensors_out,
};

/// Name of the file that describes an adapter.
pub const CONFIG: &str = "adapter_config.json";
/// Name of the file with its weights.
pub const WEIGHTS: &str = "adapter_model.safetensors";
const PREFIX: &str = "base_model.model.";
const PROMPT: &str = "prompt_embeddings";

/// A tensor in memory: its shape and its values in row-major order.
pub type Values = (Vec<usize>, Vec<f32>);

/// An adapter as PEFT stores it.
#[derive(Clone, Debug, PartialEq)]
pub struct PeftAdapter {
    /// `base_model_name_or_path`.
    pub base: Option<String>,
    /// Kind of model under it.
    pub task_type: TaskType,
    /// Kind and shape.
    pub config: PeftConfig,
    /// PEFT's names: `base_model.model.<module>.lora_A.weight` (rank, in) and `….lora_B.weight` (out, rank), or
    /// `prompt_embeddings` (tokens × submodules, width).
    pub tensors: BTreeMap<String, Values>,
}

/// PEFT's name of one LoRA half: `half` is `A` or `B`, `module` a Hugging Face module such as
/// `model.layers.0.self_attn.q_proj`.
#[must_use]
pub fn lora_name(module: &str, half: char) -> String {
    format!("{PREFIX}{module}.lora_{half}.weight")
}

/// The module of a tensor that is a `B`.
fn module_of_b(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX)?.strip_suffix(".lora_B.weight")
}

/// The halves of one module's LoRA weights.
pub struct LoraPair<'a> {
    /// Hugging Face module, without `.weight`.
    pub module: &'a str,
    /// Shape (rank, in).
    pub a: &'a Values,
    /// Shape (out, rank).
    pub b: &'a Values,
}

impl PeftAdapter {
    /// Modules with LoRA weights, by name; empty for a soft prompt.
    pub fn lora_pairs(&self) -> impl Iterator<Item = LoraPair<'_>> {
        self.tensors.iter().filter_map(|(name, a)| {
            let module = name.strip_prefix(PREFIX)?.strip_suffix(".lora_A.weight")?;
            let b = self.tensors.get(&lora_name(module, 'B'))?;
            Some(LoraPair { module, a, b })
        })
    }

    /// The soft prompt's rows; `None` for LoRA.
    #[must_use]
    pub fn prompt(&self) -> Option<&Values> {
        self.tensors.get(PROMPT)
    }

    /// Checks that names, shapes and values match the config; returns what is wrong.
    fn check(&self) -> Result<(), (String, String)> {
        for (name, (_, values)) in &self.tensors {
            if values.iter().any(|value| !value.is_finite()) {
                return Err((name.clone(), "it contains a value that is not finite".into()));
            }
        }
        match &self.config {
            PeftConfig::Lora(lora) => self.check_lora(lora),
            PeftConfig::PromptTuning(prompt) => self.check_prompt(prompt),
        }
    }

    fn check_lora(&self, lora: &LoraConfig) -> Result<(), (String, String)> {
        for (name, (shape, _)) in &self.tensors {
            let bad = |what: String| Err((name.clone(), what));
            let module = name.strip_prefix(PREFIX).and_then(|name| {
                let a = name.strip_suffix(".lora_A.weight").map(|module| (module, 'B', 0));
                a.or_else(|| name.strip_suffix(".lora_B.weight").map(|module| (module, 'A', 1)))
            });
            let Some((module, other, rank_dim)) = module else {
                return bad("it is not a LoRA weight of a linear layer".into());
            };
            let rank = lora.rank_of(module);
            if shape.len() != 2 || shape[rank_dim] != rank {
                return bad(format!("its shape {shape:?} doesn't fit rank {rank}"));
            }
            if !self.tensors.contains_key(&lora_name(module, other)) {
                return bad(format!("its other half, lora_{other}, is missing"));
            }
        }
        if self.tensors.is_empty() { Err(("lora_A".into(), "there are none".into())) } else { Ok(()) }
    }

    fn check_prompt(&self, prompt: &PromptConfig) -> Result<(), (String, String)> {
        if let Some(name) = self.tensors.keys().find(|name| *name != PROMPT) {
            return Err((name.clone(), "it is not part of a soft prompt".into()));
        }
        let expected = [prompt.virtual_tokens.saturating_mul(prompt.submodules), prompt.token_dim];
        match self.prompt() {
            None => Err((PROMPT.into(), "it is missing".into())),
            Some((shape, _)) if shape[..] != expected => {
                Err((PROMPT.into(), format!("its shape is {shape:?}, not {expected:?}")))
            }
            Some(_) => Ok(()),
        }
    }
}

/// Reads an adapter's folder.
///
/// # Errors
/// If a file is missing or damaged, or the adapter uses an unsupported feature.
pub fn read(folder: &Path) -> Result<PeftAdapter, Error> {
    let (config_path, weights_path) = (folder.join(CONFIG), folder.join(WEIGHTS));
    let Some(bytes) = read_small_if_any(&config_path)? else {
        return Err(Error::Missing { folder: folder.to_owned(), file: CONFIG });
    };
    let fields = Fields::parse(&config_path, &bytes)?;
    let mut config = PeftConfig::from_json(&fields)?;
    if !weights_path.exists() {
        let pickle = folder.join("adapter_model.bin");
        return Err(if pickle.exists() {
            Error::Pickle(pickle)
        } else {
            Error::Missing { folder: folder.to_owned(), file: WEIGHTS }
        });
    }
    let mut tensors = tensors(&weights_path)?;
    if let PeftConfig::Lora(lora) = &mut config {
        lora.take_patterns(&fields, &mut tensors)?;
    }
    let base = fields.str("base_model_name_or_path")?.map(str::to_owned);
    let adapter = PeftAdapter { base, task_type: TaskType::from_json(&fields)?, config, tensors };
    adapter.check().map_err(|(name, what)| Error::BadTensor { path: weights_path, name, what })?;
    Ok(adapter)
}

/// The digest of an adapter's two files; other files and the path are not part of it.
///
/// # Errors
/// If a file is missing or can't be read.
pub fn digest(folder: &Path) -> Result<Digest, Error> {
    let part = |name: &str| {
        let path = folder.join(name);
        let mut bytes = Vec::new();
        let read = open_regular(&path).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map(|_| bytes).map_err(|source| Error::Read { path, source })
    };
    Ok(Digest::of_parts([part(CONFIG)?, part(WEIGHTS)?].iter().map(Vec::as_slice)))
}

fn tensors(path: &Path) -> Result<BTreeMap<String, Values>, Error> {
    let map = crate::hf::map(path)?;
    let mut tensors = BTreeMap::new();
    for listed in safetensors_in::list(path, &map)? {
        let dtype = listed.dtype.map_err(|other| Error::BadTensor {
            path: path.to_owned(),
            name: listed.name.clone(),
            what: format!("its type is {other}"),
        })?;
        let bytes = &map[listed.range];
        let mut values = vec![0.0; bytes.len() / dtype.block_bytes()];
        graft_kernels::dequantize(dtype, bytes, &mut values);
        tensors.insert(listed.name, (listed.shape, values));
    }
    Ok(tensors)
}

/// Writes an adapter's folder with `extra` files (name, content) atomically.
/// An existing folder is replaced.
///
/// # Errors
/// If the adapter's tensors don't match its config, or the write fails.
pub fn write(folder: &Path, adapter: &PeftAdapter, extra: &[(&str, &[u8])]) -> Result<(), Error> {
    let weights_path = folder.join(WEIGHTS);
    adapter.check().map_err(|(name, what)| Error::BadTensor { path: weights_path, name, what })?;
    let config = adapter.config.to_json(adapter.base.as_deref(), adapter.task_type);
    let config = format!("{config:#}\n");
    let weights = safetensors_out::to_bytes(&adapter.tensors);
    let mut files = vec![(CONFIG, config.as_bytes()), (WEIGHTS, weights.as_slice())];
    files.extend_from_slice(extra);
    atomic::folder(folder, &files)
}
