use std::time::Duration;

use graft_core::ExitCode;

/// Errors of prediction.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The answer's schema contains something that can't be written or enforced.
    #[error("use the answer schema: {what} at `{path}`")]
    Schema {
        /// JSON pointer into the schema.
        path: String,
        /// What is unsupported or invalid.
        what: String,
    },
    /// A JSON Schema in a request can't be enforced.
    #[error("use the JSON Schema: {0}")]
    BadSchema(String),
    /// A value does not follow the answer's form.
    #[error("write the answer: `{field}` must be {expected}")]
    Value {
        /// Path of the field, like `items[0].quantity`.
        field: String,
        /// The expected value.
        expected: String,
    },
    /// A text does not follow the answer form.
    #[error("read the answer: expected {expected} at byte {at}")]
    Wire {
        /// Byte offset into the text.
        at: usize,
        /// What was expected there.
        expected: String,
    },
    /// A tokenizer whose tokens can't be mapped to bytes.
    #[error("use the tokenizer: {0}")]
    Tokenizer(String),
    /// The grammar engine refused or failed.
    #[error("guide the answer")]
    Grammar(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The model, adapter or prompt failed.
    #[error("answer with the model")]
    Model(#[source] graft_nn::Error),
    /// A GPU was requested, but this build of Graft has no GPU support.
    #[error("use a GPU: this build of Graft has no GPU support")]
    NoGpuBuild,
    /// The system refuses a thread.
    #[error("start a thread for answers")]
    Thread(#[source] std::io::Error),
    /// The model computes a value that is not finite.
    #[error("get finite numbers from the model: its weights or the adapter's are damaged")]
    NotFinite,
    /// The prompt is empty.
    #[error("continue an empty prompt")]
    EmptyPrompt,
    /// A token with a bias is not in the vocabulary.
    #[error("bias token {token}: the vocabulary has {size} tokens")]
    BiasedToken {
        /// The token.
        token: u32,
        /// Number of tokens in the vocabulary.
        size: usize,
    },
    /// The answer was not ready in time.
    #[error("answer before the request's deadline")]
    Deadline {
        /// When an answer in progress should end, so that another may start.
        retry_after: Duration,
    },
    /// The queue is full.
    #[error("accept another request: {waiting} are waiting already")]
    Full {
        /// Number of waiting requests.
        waiting: usize,
        /// When there should be room again.
        retry_after: Duration,
    },
    /// The model stopped while computing several answers.
    #[error("continue the answers in progress")]
    Interrupted,
    /// A token that the answer form does not allow here.
    #[error("accept token {0}, which the answer's form does not allow here")]
    Token(u32),
}

impl Error {
    /// Turns an error of the grammar engine into one about the JSON Schema of a request.
    #[must_use]
    pub fn of_schema(self) -> Self {
        let Self::Grammar(source) = self else { return self };
        let text = source.to_string();
        // The rest of the message is the whole grammar or the engine's state.
        let first = text.lines().next().unwrap_or_default();
        Self::BadSchema(first.split_once("JSON schema: ").map_or(first, |(_, what)| what).to_owned())
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Schema { .. } => "supported are objects, arrays, strings, numbers, integers, booleans, null, enum, \
                 const, anyOf or oneOf of different types, local $ref, and length, count and whole-number bounds"
                .to_owned(),
            Self::BadSchema(_) => "leave out what is named; every `$ref` must be local (`#/…`)".to_owned(),
            Self::Value { field, .. } => format!("correct `{field}` in the example, or change the task's schema"),
            Self::Wire { .. } => "the model was not trained on this task, or its answer was changed".to_owned(),
            Self::Tokenizer(_) => {
                "use a base model with a byte-level BPE or SentencePiece tokenizer that has these characters".to_owned()
            }
            Self::Model(source) => return source.hint(),
            Self::NoGpuBuild => "use the build with GPU support, or `--device cpu`".to_owned(),
            Self::NotFinite => "train the adapter again, or roll back to the previous version".to_owned(),
            Self::EmptyPrompt => "write something".to_owned(),
            Self::BiasedToken { size, .. } => format!("use token ids of the base model's tokenizer, below {size}"),
            Self::Deadline { .. } => "allow more time, or ask for fewer tokens".to_owned(),
            Self::Full { retry_after, .. } => format!("try again in {} s", retry_after.as_secs().max(1)),
            Self::Interrupted => "try again".to_owned(),
            Self::Grammar(_) | Self::Token(_) | Self::Thread(_) => return None,
        })
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Schema { .. } | Self::BadSchema(_) | Self::BiasedToken { .. } | Self::NoGpuBuild => ExitCode::Usage,
            Self::Value { .. } | Self::Wire { .. } | Self::EmptyPrompt => ExitCode::BadData,
            Self::NotFinite => ExitCode::Diverged,
            Self::Tokenizer(_) => ExitCode::ModelMissing,
            Self::Model(source) => source.exit_code(),
            Self::Grammar(_)
            | Self::Token(_)
            | Self::Thread(_)
            | Self::Deadline { .. }
            | Self::Full { .. }
            | Self::Interrupted => ExitCode::Internal,
        }
    }
}
