use graft_core::ExitCode;
use graft_ops::DeviceError;

/// Errors of models, adapters and prompts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    // The model's files
    /// The model can't be read.
    #[error("load the base model")]
    Load(#[source] graft_formats::Error),

    // The device
    /// An operation on the device failed.
    #[error("compute on the device")]
    Device(#[source] DeviceError),

    // Adapters
    /// A LoRA target matches no layer.
    #[error("find a layer named `{name}` (the model has {known})")]
    NoSuchTarget {
        /// As given.
        name: String,
        /// The layers that exist.
        known: String,
    },
    /// The adapter's files can't be read or written.
    #[error("use the adapter's files")]
    AdapterFiles(#[source] graft_formats::Error),
    /// The adapter was made for a model of another shape.
    #[error("fit the adapter to the base model: {0}")]
    AdapterMismatch(String),

    /// An adapter with parts that are only computed.
    #[error("train an adapter that has DoRA, biases, or embeddings or an output head of its own")]
    NotTrainable,

    // Prompts
    /// The tokenizer fails on a text.
    #[error("tokenise a text")]
    Tokenizer(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The model has no end token, so it could never learn to stop.
    #[error("find the model's end-of-sequence token")]
    NoEndToken,
    /// A chat template that drops or changes the user's message.
    #[error("find the input in what the model's chat template writes")]
    TemplateHidesInput,

    // Sequences
    /// A token that is not in the vocabulary.
    #[error("use token {token}, because the vocabulary has {vocab}")]
    BadToken {
        /// The token.
        token: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// A sequence longer than the model's context.
    #[error("fit {tokens} tokens into a context of {context}")]
    TooLong {
        /// Length of the sequence.
        tokens: usize,
        /// The model's limit.
        context: usize,
    },
    /// A sequence that was not opened or is closed; a bug in the caller.
    #[error("find sequence {0}")]
    NoSequence(usize),
}

impl Error {
    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Load(source) | Self::AdapterFiles(source) => source.hint(),
            Self::Device(source) => Some(source.hint.into()),
            Self::NoSuchTarget { .. } => Some("name the end of a module path, or use `all-linear`".into()),
            Self::AdapterMismatch(_) => Some("use the base model that the adapter was trained with".into()),
            Self::NotTrainable => Some("train a new LoRA adapter, or continue where this one was made".into()),
            Self::BadToken { .. } => Some("the tokenizer and the weights belong to different models".into()),
            Self::TooLong { .. } => Some("shorten the input".into()),
            Self::Tokenizer(_) | Self::NoSequence(_) => None,
            Self::NoEndToken => Some("name it as `eos_token_id` in the model's generation_config.json".into()),
            Self::TemplateHidesInput => Some("use a model whose chat template prints the user's message".into()),
        }
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Load(source) | Self::AdapterFiles(source) => source.exit_code(),
            Self::Device(source) if source.out_of_memory => ExitCode::OutOfMemory,
            Self::NoSuchTarget { .. } | Self::NotTrainable => ExitCode::Usage,
            Self::AdapterMismatch(_)
            | Self::BadToken { .. }
            | Self::Tokenizer(_)
            | Self::NoEndToken
            | Self::TemplateHidesInput => ExitCode::ModelMissing,
            Self::TooLong { .. } => ExitCode::BadData,
            Self::Device(_) | Self::NoSequence(_) => ExitCode::Internal,
        }
    }
}
