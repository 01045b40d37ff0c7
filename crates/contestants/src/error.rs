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
    /// A file that is not a contestant.
    #[error("read a contestant: {0}")]
    File(String),
}
