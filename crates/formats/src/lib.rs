//! Model and adapter files: Hugging Face folders, GGUF, PEFT adapters.
//!
//! All input is untrusted. Sizes, counts and offsets are checked against the bytes that exist before they are used,
//! nothing in a file can run code, and a model with unsupported features is refused with an error that names the
//! feature.
//!
//! ```no_run
//! let model = graft_formats::open("SmolLM2-135M-Instruct.Q4_1.gguf".as_ref())?;
//! let vocab = model.config.vocab();
//! let embedding = model.tensors.get("model.embed_tokens.weight", &[vocab, model.config.hidden()])?;
//! # Ok::<(), graft_formats::Error>(())
//! ```

pub mod atomic;
mod charsmap;
mod config;
mod digest;
mod error;
pub mod faults;
mod gguf;
pub mod gguf_copy;
pub mod gguf_lora;
mod hf;
mod hf_tokenizer;
mod json;
pub mod peft;
mod prompt_tokenizer;
mod safetensors_in;
pub mod safetensors_out;
mod template;
mod tensors;

use std::path::{Path, PathBuf};

pub use config::{
    Activation, DecoderConfig, Family, Form, LayerKind, ModelConfig, Norms, QkNorm, RopeConfig, RopeScaling, T5Config,
};
pub use digest::{DigestCache, digest_of};
pub use error::{Error, disk_hint};
pub use graft_kernels::Dtype;
pub use prompt_tokenizer::{Part, PromptTokenizer, is_sentencepiece};
pub use template::{ChatTemplate, Message};
pub use tensors::{TensorBytes, Tensors};
pub use tokenizers::Tokenizer;

/// The contents of a base model's files; the weights stay memory-mapped.
pub struct ModelFiles {
    /// Folder or file that it was read from.
    pub path: PathBuf,
    /// Architecture and sizes.
    pub config: ModelConfig,
    /// Weights by their Hugging Face names.
    pub tensors: Tensors,
    /// The model's tokenizer, without truncation or padding.
    pub tokenizer: Tokenizer,
    /// Renders messages as a prompt; absent for models without chat.
    pub chat_template: Option<ChatTemplate>,
    /// Special tokens.
    pub tokens: SpecialTokens,
}

/// Ids of special tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Starts a sequence.
    pub bos: Option<u32>,
    /// Tokens that end an answer. The first is the tokenizer's own and is used in training.
    pub eos: Vec<u32>,
    /// Padding token; many models have none.
    pub pad: Option<u32>,
    /// First token of a T5 decoder.
    pub decoder_start: Option<u32>,
}

/// Opens a Hugging Face folder or a GGUF file.
///
/// # Errors
/// The first file or field that is missing, damaged or unsupported.
pub fn open(path: &Path) -> Result<ModelFiles, Error> {
    let about = std::fs::metadata(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
    if about.is_dir() {
        return hf::open(path);
    }
    match path.extension().and_then(|e| e.to_str()) {
        Some("gguf") => gguf::open(path),
        Some("bin" | "pt" | "pth" | "pkl" | "ckpt") => Err(Error::Pickle(path.to_owned())),
        // Downloaded files may be named by their digest, without an extension.
        _ if gguf::is_gguf(path) => gguf::open(path),
        _ => Err(Error::NotAModel(path.to_owned())),
    }
}

/// Checks the `config.json` of a model folder, without its weights.
///
/// # Errors
/// The first field that is missing, damaged or unsupported.
pub fn check_config(folder: &Path) -> Result<(), Error> {
    hf::config(folder).map(drop)
}

impl ModelFiles {
    /// Whether the tokenizer itself puts the beginning-of-sequence token before a text.
    ///
    /// # Errors
    /// If the tokenizer fails.
    pub fn starts_with_bos(&self) -> Result<bool, Error> {
        let failed = |source| Error::Tokenizer { path: self.path.clone(), source };
        let first = self.tokenizer.encode("a", true).map_err(failed)?.get_ids().first().copied();
        Ok(first.is_some() && first == self.tokens.bos)
    }

    /// The tensor `name`, which must have exactly this shape; see [`Tensors::get`].
    ///
    /// # Errors
    /// If it is missing or has another shape or an unsupported type.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<TensorBytes, Error> {
        self.tensors.get(name, shape)
    }
}
