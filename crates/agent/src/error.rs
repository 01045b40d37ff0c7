use graft_core::ExitCode;

/// What can go wrong between an agent and its server. Each message fits "failed to …".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No URL of a server.
    #[error("use `{address}` as the server's address: {reason}")]
    Address {
        /// As given.
        address: String,
        /// Why not.
        reason: &'static str,
    },
    /// The file of certificates can't be read.
    #[error("read the certificates in `{path}`: {reason}")]
    Certificates {
        /// The file.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// No answer.
    #[error("reach `{address}`")]
    Unreachable {
        /// The server.
        address: String,
        /// Why not.
        #[source]
        source: Box<ureq::Error>,
    },
    /// An answer that refuses.
    #[error("{doing}: the server answered {status}: {said}")]
    Refused {
        /// What was asked.
        doing: &'static str,
        /// HTTP's status.
        status: u16,
        /// What the server said.
        said: String,
    },
    /// What came is not what was told.
    #[error("check the bundle: it has the digest {found}, not {wanted}")]
    Damaged {
        /// Of what came.
        found: String,
        /// Of what was told.
        wanted: String,
    },
    /// An event that makes no sense.
    #[error("understand what the server told: {0}")]
    Odd(String),
}

impl Error {
    /// What the user can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Address { .. } => "such as https://graft.example.org or http://127.0.0.1:8080",
            Self::Certificates { .. } => "SSL_CERT_FILE names a PEM file of certificates",
            Self::Unreachable { .. } => "check the address and the network; the version held here goes on answering",
            Self::Refused { status: 401 | 403, .. } => {
                "set GRAFT_AGENT_TOKEN to a token that `graft tokens add LABEL --role agent` made on the server"
            }
            Self::Refused { status: 409, .. } => "choose another name with `--name`",
            Self::Refused { .. } | Self::Damaged { .. } | Self::Odd(_) => return None,
        };
        Some(hint.to_owned())
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Address { .. } | Self::Certificates { .. } => ExitCode::Usage,
            _ => ExitCode::Network,
        }
    }
}
