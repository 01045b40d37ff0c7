use std::path::PathBuf;

use graft_core::ExitCode;

/// Errors of receivers. None contains a password, or the path of a webhook, which is one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that can't be used.
    #[error("use `{setting}`: {reason}")]
    Setting {
        /// Name of its variable.
        setting: &'static str,
        /// What is wrong, without the value.
        reason: String,
    },
    /// A certificate file that can't be used.
    #[error("read certificates from `{}`: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No connection, or it broke.
    #[error("reach {address}: {reason}")]
    Unreachable {
        /// Scheme, host and port.
        address: String,
        /// The network error.
        reason: String,
    },
    /// The mail server refuses the login.
    #[error("log in to {address}: {reason}")]
    Login {
        /// Scheme, host and port.
        address: String,
        /// The reply.
        reason: String,
    },
    /// The receiver refuses the message.
    #[error("send to {address}: {reason}")]
    Refused {
        /// Scheme, host and port.
        address: String,
        /// The reply.
        reason: String,
        /// Whether the same message would be refused again.
        permanent: bool,
    },
}

impl Error {
    /// Whether the receiver would refuse the same message again, so that the message may be the cause.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused { permanent: true, .. })
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Setting { setting, .. } => format!("correct {setting}: docs/alerts.md has examples"),
            Self::Certificates { .. } => "name a PEM file in SSL_CERT_FILE".into(),
            Self::Unreachable { .. } => "check the address, the network and the certificates".into(),
            Self::Login { .. } => "correct the user in GRAFT_ALERT_SMTP, and GRAFT_ALERT_SMTP_PASSWORD".into(),
            Self::Refused { .. } => {
                "check that the receiver accepts messages from here; `graft alerts test` tries it again".into()
            }
        })
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Setting { .. } | Self::Certificates { .. } => ExitCode::Usage,
            _ => ExitCode::Network,
        }
    }
}
