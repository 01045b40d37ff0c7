use std::{io, path::PathBuf};

use graft_core::ExitCode;

use crate::SinkKind;

/// Errors of trackers.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An invalid address.
    #[error("use `{address}` as the address of {kind}: {reason}")]
    Address {
        /// The tracker.
        kind: SinkKind,
        /// As given, without secrets.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A certificate file that can't be used.
    #[error("read certificates from `{}`: {reason}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// No connection.
    #[error("reach {kind} at {address}")]
    Unreachable {
        /// The tracker.
        kind: SinkKind,
        /// Its address.
        address: String,
        /// The network error.
        #[source]
        source: Box<ureq::Error>,
    },
    /// It refuses the credentials, or requires some.
    #[error("log in to {kind} at {address}: it answers with status {status}")]
    Refused {
        /// The tracker.
        kind: SinkKind,
        /// Its address.
        address: String,
        /// 401 or 403.
        status: u16,
        /// Whether a password or a token was sent.
        named: bool,
    },
    /// An unexpected HTTP status.
    #[error("get an answer from {kind} at {address}: status {status} for {what}: {said}")]
    Status {
        /// The tracker.
        kind: SinkKind,
        /// Its address.
        address: String,
        /// HTTP status code.
        status: u16,
        /// The path.
        what: String,
        /// The error code in the response, such as `RESOURCE_DOES_NOT_EXIST`, or empty.
        code: String,
        /// The message in the response.
        said: String,
    },
    /// The response is not JSON, or lacks a required field.
    #[error("understand the answer of {kind} at {address} to {what}: {reason}")]
    Answer {
        /// The tracker.
        kind: SinkKind,
        /// Its address.
        address: String,
        /// The path.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such experiment.
    #[error("find experiment `{experiment}` of mlflow at {address}")]
    NoExperiment {
        /// The tracker's address.
        address: String,
        /// As given.
        experiment: String,
    },
    /// A file to send can't be read.
    #[error("read `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        source: io::Error,
    },
}

impl Error {
    /// The tracker's error code, or empty.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Status { code, .. } => code,
            _ => "",
        }
    }

    /// Whether the error concerns the tracker as a whole, not a single run.
    #[must_use]
    pub fn is_of_the_tracker(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Refused { .. } | Self::Address { .. } | Self::Certificates { .. } => true,
            Self::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
            Self::Answer { .. } | Self::NoExperiment { .. } | Self::File { .. } => false,
        }
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Address { kind: SinkKind::Mlflow, .. } => {
                "give the address of a server, as http://127.0.0.1:5000: `mlflow server` starts one".into()
            }
            Self::Address { .. } => "give an address as http://127.0.0.1:4318/v1/metrics".into(),
            Self::Certificates { .. } => "name a PEM file in MLFLOW_TRACKING_SERVER_CERT_PATH".into(),
            Self::Unreachable { .. } => {
                "check the address, the network and the certificates; unsent data is sent once it responds".into()
            }
            Self::Refused { kind: SinkKind::Mlflow, named: false, .. } => {
                "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD".into()
            }
            Self::Refused { kind: SinkKind::Mlflow, .. } => {
                "correct MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ask for the right to \
                 write experiments and models"
                    .into()
            }
            Self::Refused { .. } => "set the headers of the collector in OTEL_EXPORTER_OTLP_HEADERS".into(),
            Self::Status { status: 300..400, .. } => "use the address that it redirects to".into(),
            Self::Status { status: 500.., .. } => {
                "check the tracker's own log, its disk and its database; unsent data is sent once it works".into()
            }
            Self::Status { status: 404, .. } => "check the address: what answers there may be no such tracker".into(),
            Self::Answer { .. } => "check the address: what answers there may be no such tracker".into(),
            Self::NoExperiment { .. } => {
                "give the name or the id of an experiment of that server; a task's is `graft/TASK`".into()
            }
            Self::Status { .. } | Self::File { .. } => return None,
        })
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Address { .. } | Self::Certificates { .. } | Self::NoExperiment { .. } => ExitCode::Usage,
            Self::File { .. } => ExitCode::Internal,
            _ => ExitCode::Network,
        }
    }
}
