use crate::Kind;

/// Errors of contestants.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the name of a kind.
    #[error("find a contestant `{0}`: there are rules, n-grams, nearest and most-frequent")]
    NoKind(String),
    /// A kind that can't answer the task, or can't be fitted to the examples.
    #[error("answer task `{task}` with {}: {why}", kind.name())]
    Unfit {
        /// The kind.
        kind: Kind,
        /// The task's name.
        task: String,
        /// Why not.
        why: &'static str,
    },
    /// Rules that find no answer in a text.
    #[error("answer task `{task}` by its rules: {why}")]
    NoAnswer {
        /// The task's name.
        task: String,
        /// What is missing.
        why: String,
    },
    /// A program or a service that does not answer as it should.
    #[error("answer with the {by}: it {why}")]
    Outside {
        /// `command` or `endpoint`.
        by: &'static str,
        /// What it did instead.
        why: String,
    },
    /// A program or a service that failed too often to be asked again.
    #[error("answer with the baseline: it failed three times in a row and is not asked any more")]
    NotAsked,
    /// Rules that do not fit the task.
    #[error("use the rules of task `{task}`: `{field}`: {reason}")]
    Rules {
        /// The task's name.
        task: String,
        /// The field within the rules.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file that is not a contestant.
    #[error("read a contestant: {0}")]
    File(String),
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoAnswer { .. } => Some("add a rule or a value under `otherwise` to the task's baseline"),
            Self::Outside { .. } | Self::NotAsked => {
                Some("try the command or the address of the task's baseline by itself, or give it more time")
            }
            Self::Rules { .. } => Some("adapt the task's baseline to its labels or its schema"),
            Self::NoKind(_) | Self::Unfit { .. } | Self::File(_) => None,
        }
    }
}
