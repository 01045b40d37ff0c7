//! Adapters in the files of Hugging Face's PEFT: `adapter_config.json` and `adapter_model.safetensors`.
//! <https://huggingface.co/docs/peft/developer_guides/checkpoint>

mod config;

use std::{collections::BTreeMap, io::Read as _, path::Path};

pub use config::{LoraConfig, Modules, PeftConfig, PromptConfig, TaskType};
use graft_core::Digest;

use crate::{
    Error, ModelFiles, atomic,
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
    /// PEFT's names: `base_model.model.<module>` and the name of a [`LoraPart`], or `prompt_embeddings`
    /// (tokens × submodules, width).
    pub tensors: BTreeMap<String, Values>,
}

/// PEFT's name of one LoRA half: `half` is `A` or `B`, `module` a Hugging Face module such as
/// `model.layers.0.self_attn.q_proj`.
#[must_use]
pub fn lora_name(module: &str, half: char) -> String {
    (if half == 'A' { LoraPart::A } else { LoraPart::B }).name(module)
}

/// What a tensor of a LoRA adapter is for its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoraPart {
    /// `A` of a linear layer: (rank, in).
    A,
    /// `B` of a linear layer: (out, rank).
    B,
    /// The bias of `B`: (out).
    Bias,
    /// DoRA's magnitude: (out), or (width) of the embeddings.
    Magnitude,
    /// `A` of the embeddings: (rank, vocab).
    EmbeddingA,
    /// `B` of the embeddings: (width, rank).
    EmbeddingB,
    /// The module's own weight under its LoRA, which replaces the base model's: embeddings or output head.
    Base,
    /// The module's own weight without a LoRA, likewise (`modules_to_save`).
    Saved,
}

impl LoraPart {
    const ALL: [Self; 8] = [
        Self::A,
        Self::B,
        Self::Bias,
        Self::Magnitude,
        Self::EmbeddingA,
        Self::EmbeddingB,
        Self::Base,
        // Last, because other names end like it.
        Self::Saved,
    ];

    fn suffix(self) -> &'static str {
        match self {
            Self::A => ".lora_A.weight",
            Self::B => ".lora_B.weight",
            Self::Bias => ".lora_B.bias",
            Self::Magnitude => ".lora_magnitude_vector",
            Self::EmbeddingA => ".lora_embedding_A",
            Self::EmbeddingB => ".lora_embedding_B",
            Self::Base => ".base_layer.weight",
            Self::Saved => ".weight",
        }
    }

    fn name(self, module: &str) -> String {
        format!("{PREFIX}{module}{}", self.suffix())
    }

    /// Module and part of a tensor.
    fn of(name: &str) -> Option<(&str, Self)> {
        let name = name.strip_prefix(PREFIX)?;
        let (module, part) = Self::ALL.into_iter().find_map(|part| Some((name.strip_suffix(part.suffix())?, part)))?;
        (!matches!(part, Self::Base | Self::Saved) || config::is_table(module)).then_some((module, part))
    }

    /// The other half of a pair.
    fn half(self) -> Option<Self> {
        match self {
            Self::A => Some(Self::B),
            Self::B => Some(Self::A),
            Self::EmbeddingA => Some(Self::EmbeddingB),
            Self::EmbeddingB => Some(Self::EmbeddingA),
            Self::Bias | Self::Magnitude | Self::Base | Self::Saved => None,
        }
    }
}

/// The LoRA weights of one module.
pub struct LoraPair<'a> {
    /// Hugging Face module, without `.weight`.
    pub module: &'a str,
    /// Shape (rank, in).
    pub a: &'a Values,
    /// Shape (out, rank).
    pub b: &'a Values,
    /// The bias of `B` (out).
    pub bias: Option<&'a [f32]>,
    /// DoRA's magnitude of each output.
    pub magnitude: Option<&'a [f32]>,
}

impl LoraPair<'_> {
    /// Changes some rows of the module's weight, beginning with row `first`, to `W + scale · B·A` and, with DoRA, returns
    /// the factor on each of them.
    pub fn change(&self, rows: &mut [f32], first: usize, scale: f32) -> Option<Vec<f32>> {
        let (rank, cols) = (self.a.0[0], self.a.0[1]);
        for (row, b) in rows.chunks_exact_mut(cols).zip(self.b.1.chunks_exact(rank).skip(first)) {
            for (b, a) in b.iter().zip(self.a.1.chunks_exact(cols)) {
                let factor = scale * b;
                row.iter_mut().zip(a).for_each(|(w, a)| *w += factor * a);
            }
        }
        let norm = |row: &[f32]| row.iter().map(|w| f64::from(*w).powi(2)).sum::<f64>().sqrt() as f32;
        self.magnitude
            .map(|all| all[first..].iter().zip(rows.chunks_exact(cols)).map(|(m, row)| m / norm(row)).collect())
    }

    /// Changes the module's whole weight, with DoRA's factors.
    pub fn merge_into(&self, weight: &mut [f32], scale: f32) {
        let factors = self.change(weight, 0, scale).unwrap_or_default();
        for (row, factor) in weight.chunks_exact_mut(self.a.0[1]).zip(factors) {
            row.iter_mut().for_each(|w| *w *= factor);
        }
    }
}

impl PeftAdapter {
    /// Modules with LoRA weights, by name; empty for a soft prompt.
    pub fn lora_pairs(&self) -> impl Iterator<Item = LoraPair<'_>> {
        self.tensors.iter().filter_map(|(name, a)| {
            let (module, LoraPart::A) = LoraPart::of(name)? else { return None };
            let (b, vector) = (self.part(module, LoraPart::B)?, |part| Some(&*self.part(module, part)?.1));
            let (bias, magnitude) = (vector(LoraPart::Bias), vector(LoraPart::Magnitude));
            Some(LoraPair { module, a, b, bias, magnitude })
        })
    }

    /// A part of a module.
    #[must_use]
    pub fn part(&self, module: &str, part: LoraPart) -> Option<&Values> {
        self.tensors.get(&part.name(module))
    }

    /// The module of the embeddings or of the output head, whose names end like this, if the adapter has a part of it.
    #[must_use]
    pub fn table(&self, end: &str) -> Option<&str> {
        let mut modules = self.tensors.keys().filter_map(|name| Some(LoraPart::of(name)?.0));
        modules.find(|module| module.rsplit('.').next() == Some(end))
    }

    /// A part that is more than LoRA and DoRA on linear layers, for writers of other formats.
    #[must_use]
    pub fn beyond_linear(&self) -> Option<&'static str> {
        self.tensors.keys().find_map(|name| match LoraPart::of(name)?.1 {
            LoraPart::EmbeddingA | LoraPart::EmbeddingB => Some("LoRA on the embeddings"),
            LoraPart::Base | LoraPart::Saved => Some("embeddings or an output head of its own"),
            LoraPart::Bias => Some("biases of LoRA"),
            LoraPart::A | LoraPart::B | LoraPart::Magnitude => None,
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
            let Some((module, part)) = LoraPart::of(name) else {
                return bad("it is not a LoRA weight of a linear layer, the embeddings or the output head".into());
            };
            let rank = lora.rank_of(module);
            let outputs = self.part(module, LoraPart::B).or(self.part(module, LoraPart::EmbeddingB));
            let expected = match part {
                LoraPart::A | LoraPart::EmbeddingA => vec![Some(rank), None],
                LoraPart::B | LoraPart::EmbeddingB => vec![None, Some(rank)],
                LoraPart::Bias | LoraPart::Magnitude => vec![outputs.and_then(|(shape, _)| shape.first().copied())],
                LoraPart::Base | LoraPart::Saved => vec![None, None],
            };
            let fits = |(wanted, found): (&Option<usize>, &usize)| wanted.is_none_or(|wanted| wanted == *found);
            if shape.len() != expected.len() || !expected.iter().zip(shape).all(fits) {
                return bad(format!("its shape {shape:?} doesn't fit rank {rank}"));
            }
            if let Some(other) = part.half() {
                if self.part(module, other).is_none() {
                    return bad(format!("its other half, {}, is missing", &other.suffix()[1..]));
                }
                if lora.dora != self.part(module, LoraPart::Magnitude).is_some() {
                    return bad(format!("`use_dora` is {}, which its module's magnitude doesn't fit", lora.dora));
                }
            } else if matches!(part, LoraPart::Bias | LoraPart::Magnitude) && outputs.is_none() {
                return bad("its module has no LoRA".into());
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

/// Refuses an adapter's folder whose own chat template or added tokens are others than the base model's, which would be
/// ignored otherwise.
///
/// # Errors
/// If they differ, or a file is damaged.
pub fn check_beside(folder: &Path, base: &ModelFiles) -> Result<(), Error> {
    crate::hf::check_beside(folder, base)
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
