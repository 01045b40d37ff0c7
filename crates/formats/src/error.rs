use std::{io, path::PathBuf};

use graft_core::ExitCode;

/// Why a model or adapter file can't be read or written; each message completes "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The operating system refused to read.
    #[error("read `{path}`")]
    Read {
        /// File or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// The operating system refused to write.
    #[error("write `{path}`")]
    Write {
        /// File or folder.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
    /// A folder lacks a required file.
    #[error("find `{file}` in `{folder}`")]
    Missing {
        /// The folder.
        folder: PathBuf,
        /// The missing file.
        file: &'static str,
    },
    /// Neither a model folder nor a GGUF file.
    #[error("find a model in `{0}`")]
    NotAModel(PathBuf),
    /// A Python pickle, which can run code when it is loaded.
    #[error("read `{0}`: it is a Python pickle, which can run any code")]
    Pickle(PathBuf),
    /// A file that is not valid JSON, or JSON of another kind.
    #[error("parse `{path}`")]
    Json {
        /// The file.
        path: PathBuf,
        /// Where and why.
        #[source]
        source: serde_json::Error,
    },
    /// A damaged file: its metadata is inconsistent.
    #[error("parse `{path}`: {what}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A model whose computation is not implemented here.
    #[error("use `{path}`: unsupported model, `{field}` is `{value}`")]
    UnsupportedModel {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// Its value.
        value: String,
        /// Supported values.
        supported: &'static str,
    },
    /// An adapter whose computation is not implemented here.
    #[error("use `{path}`: unsupported adapter, `{field}` is `{value}`")]
    UnsupportedAdapter {
        /// The file.
        path: PathBuf,
        /// The field.
        field: String,
        /// Its value.
        value: String,
    },
    /// A file beside an adapter says something else than the base model.
    #[error("use `{path}` with this base model: {what}")]
    OtherBeside {
        /// The file.
        path: PathBuf,
        /// What differs.
        what: String,
    },
    /// The weights lack a tensor.
    #[error("find tensor `{name}` in `{path}`")]
    NoTensor {
        /// File or folder.
        path: PathBuf,
        /// Hugging Face name.
        name: String,
    },
    /// A tensor that does not match the config.
    #[error("use tensor `{name}` of `{path}`: {what}")]
    BadTensor {
        /// File or folder.
        path: PathBuf,
        /// Hugging Face name.
        name: String,
        /// What is wrong.
        what: String,
    },
    /// The tokenizer can't be loaded.
    #[error("load the tokenizer of `{path}`")]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A chat template with invalid Jinja.
    #[error("parse the chat template")]
    TemplateSyntax(#[source] Box<minijinja::Error>),
    /// A chat template that refuses the messages, or exceeds its step limit.
    #[error("apply the chat template")]
    Template(#[source] Box<minijinja::Error>),
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotAModel(_) | Self::Missing { .. } => {
                "give a `.gguf` file, or a folder with `config.json`, `model.safetensors` and `tokenizer.json`".into()
            }
            Self::Pickle(_) => "convert it to safetensors: load it in Python where you trust its author, then \
                                `save_pretrained(folder, safe_serialization=True)`"
                .into(),
            Self::UnsupportedModel { supported, .. } => format!("supported: {supported}"),
            Self::UnsupportedAdapter { .. } => {
                "supported: LoRA and DoRA on linear layers, embeddings and output head, and prompt tuning; merge other \
                 adapters into their model with peft's `merge_and_unload()`"
                    .into()
            }
            Self::OtherBeside { .. } => {
                "add the base model with this file as another base model, or remove the file if the \
                                         adapter does not need it"
                    .into()
            }
            Self::Json { .. } | Self::Damaged { .. } | Self::Tokenizer { .. } => {
                "the file may be cut off or changed: download it again and compare its size".into()
            }
            Self::NoTensor { .. } | Self::BadTensor { .. } => {
                "config and weights don't match: take both from the same model".into()
            }
            Self::Template(_) => "this model's template may not accept these roles or their order".into(),
            Self::TemplateSyntax(_) => "the template uses Jinja that is not supported here".into(),
            Self::Write { source, .. } => disk_hint(source).into(),
            Self::Read { .. } => return None,
        })
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Write { .. } => ExitCode::Internal,
            Self::Template(_) => ExitCode::BadData,
            _ => ExitCode::ModelMissing,
        }
    }
}

/// What the user can do if a disk refuses a write.
#[must_use]
pub fn disk_hint(refused: &io::Error) -> &'static str {
    match refused.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            "the disk is full: free space on it, then do the same again"
        }
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => {
            "give this user write access to the folder, or choose another one"
        }
        _ => "check free disk space and permissions",
    }
}
