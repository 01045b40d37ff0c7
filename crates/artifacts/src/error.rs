use std::path::PathBuf;

use graft_core::ExitCode;

use crate::client::Fault;

/// What can go wrong with a place of artifacts.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not the address of a place or of an object in it.
    #[error("use `{0}` as a place of artifacts")]
    Address(String),
    /// An endpoint elsewhere without TLS.
    #[error("send artifacts to `{0}` without TLS")]
    Plain(String),
    /// Not the address of a server.
    #[error("use `{0}` as an endpoint")]
    Endpoint(String),
    /// The environment lacks something.
    #[error("find the variable {0}")]
    Unset(&'static str),
    /// The shared file has no keys under this name.
    #[error("find the keys of profile `{profile}` in `{}`", .path.display())]
    Profile {
        /// What `AWS_PROFILE` says.
        profile: String,
        /// The shared file.
        path: PathBuf,
    },
    /// The bucket can't be reached, or refuses.
    #[error("{doing} `{object}`")]
    Transfer {
        /// What was to be done.
        doing: &'static str,
        /// URL of the object.
        object: String,
        /// Whether the bucket refused the keys, rather than being away.
        refused: bool,
        /// Why.
        #[source]
        cause: Said,
    },
    /// No such folder, or only half of it.
    #[error("find `{folder}` in `{place}`")]
    Missing {
        /// URL of the place.
        place: String,
        /// The folder.
        folder: String,
    },
    /// An object is not what was published.
    #[error("trust `{object}`: {what}")]
    Damaged {
        /// URL of the object.
        object: String,
        /// What is wrong with it.
        what: String,
    },
}

/// What the bucket or the network said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Said(String);

impl Error {
    pub(crate) fn transfer(doing: &'static str, object: String, fault: Fault) -> Self {
        let (refused, said) = match fault {
            Fault::Absent => (false, "it is not there".to_owned()),
            Fault::Refused(said) => (true, said),
            Fault::Failed(said) => (false, said),
        };
        Self::Transfer { doing, object, refused, cause: Said(said) }
    }

    /// What the user can do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Address(_) => "write s3://bucket/prefix; endpoint and region go into AWS_ENDPOINT_URL and AWS_REGION",
            Self::Plain(_) => "use https://, or set AWS_ALLOW_HTTP=true for a network that you trust",
            Self::Endpoint(_) => "write AWS_ENDPOINT_URL as https://host, with a port if it needs one",
            Self::Unset(_) => {
                "set AWS_REGION, and AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY or AWS_PROFILE; AWS_ENDPOINT_URL for a server that isn't Amazon's"
            }
            Self::Profile { .. } => "name another with AWS_PROFILE; only profiles that hold keys themselves are read",
            Self::Transfer { refused: true, .. } => {
                "check AWS_REGION, the keys (AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or a role), and what they may do in the bucket"
            }
            Self::Transfer { .. } => "check that AWS_ENDPOINT_URL can be reached and that the bucket exists",
            Self::Missing { .. } => "run `graft sweep` on the machine that trained it: it publishes what is missing",
            Self::Damaged { .. } => {
                "remove the folder from the bucket and run `graft sweep` on a machine that has the files"
            }
        };
        Some(hint.to_owned())
    }

    /// The public exit code.
    #[must_use]
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Address(_)
            | Self::Plain(_)
            | Self::Endpoint(_)
            | Self::Unset(_)
            | Self::Profile { .. }
            | Self::Transfer { refused: true, .. } => ExitCode::Usage,
            Self::Transfer { .. } => ExitCode::Network,
            Self::Missing { .. } | Self::Damaged { .. } => ExitCode::ModelMissing,
        }
    }
}
