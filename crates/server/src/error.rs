use std::{io, net::SocketAddr, path::PathBuf};

use graft_core::ExitCode;

/// What can go wrong in the server itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// From the engine.
    #[error(transparent)]
    Engine(#[from] graft_engine::Error),
    /// An address that others can reach, although no login is required.
    #[error("serve at {bind}, which others can reach, while there is no password and no token")]
    Unguarded {
        /// The address.
        bind: SocketAddr,
    },
    /// The address can't be listened at.
    #[error("listen at {bind}")]
    Listen {
        /// The address.
        bind: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
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
    /// A password that is too short, or so long that hashing it would be an attack.
    #[error("use this password: it must have {shortest} characters at least, and {longest} bytes at most")]
    Password {
        /// In characters.
        shortest: usize,
        /// In bytes.
        longest: usize,
    },
    /// A person who would be an agent.
    #[error("give a user the role `agent`")]
    AgentUser,
    /// A token without a usable label.
    #[error("use this label: it must have 1 to 100 characters")]
    Label,
    /// No random numbers, or no memory for the hash.
    #[error("hash a secret")]
    Hash,
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Engine(error) => return error.hint(),
            Self::Unguarded { .. } => {
                "add a user first (`graft users add NAME --role admin`) or set GRAFT_PASSWORD; or bind to 127.0.0.1"
            }
            Self::Listen { .. } => "another program may use the port: choose one with `--bind 127.0.0.1:PORT`",
            Self::Io { .. } => "check free disk space and permissions",
            Self::Password { .. } => "a few words in a row make a good one",
            Self::AgentUser => "agents log in with tokens: `graft tokens add LABEL --role agent`",
            Self::Label => "say what the token is for",
            Self::Hash => return None,
        };
        Some(hint.to_owned())
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Engine(error) => error.exit_code(),
            Self::Unguarded { .. } | Self::Listen { .. } | Self::Password { .. } => ExitCode::Usage,
            Self::AgentUser | Self::Label => ExitCode::Usage,
            Self::Io { .. } | Self::Hash => ExitCode::Internal,
        }
    }
}
