use std::{io, path::PathBuf};

/// What can go wrong where runs execute.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process works in the directory.
    #[error("train in `{}`: another process is at work there", dir.display())]
    Busy {
        /// The run directory.
        dir: PathBuf,
    },
    /// The process can't be started.
    #[error("start the trainer")]
    Start(#[source] io::Error),
    /// The file system refused.
    #[error("{doing} `{}`", path.display())]
    Io {
        /// Verb.
        doing: &'static str,
        /// File or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// `events.jsonl` holds something else.
    #[error("read the events in `{}`", path.display())]
    BadEvents {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        #[source]
        source: serde_json::Error,
    },
    /// The thread that did it came to no end.
    #[error("finish an operation of the executor")]
    Thread(#[source] tokio::task::JoinError),
}
